"""Iteration in chunks."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

T = TypeVar("T")


def chunked(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def send_all(
    items: Iterable[T], send: Callable[[str], Any], *, preprocess: Callable[[T], str], chunk_size: int = 100
) -> int:
    count = 0
    for chunk in chunked(items, chunk_size):
        send("\n".join(preprocess(item) for item in chunk))
        count += len(chunk)
    return count
