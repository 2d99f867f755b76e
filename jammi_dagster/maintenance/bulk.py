"""Many requests at once, of which one that fails does not end the others; and progress while they run."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from jammi_dagster.artifacts import DELETED_AT_ONCE, ArtifactRoot
from jammi_dagster.errors import JammiError
from jammi_dagster.threads import Workers

MOST_IN_FLIGHT = 64
_LOCAL_IN_FLIGHT = 4
_WINDOW = 5_000
_TOLD_SECONDS = 5.0

_log = logging.getLogger("jammi_dagster.maintenance")

Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(slots=True, kw_only=True)
class Progress:
    """The count of steps of one kind of work; `tell` gets a line every few seconds, by default the log."""

    tell: Callable[[str], None] = _log.info
    _last: float = field(default_factory=time.monotonic)
    _work: str = ""
    _done: int = 0

    def step(self, work: str, count: int = 1) -> None:
        """Count steps, and tell how many there were if it is time."""
        if work != self._work:
            self._work, self._done = work, 0
        self._done += count
        if time.monotonic() - self._last >= _TOLD_SECONDS:
            self._last = time.monotonic()
            self.tell(f"{self._work}: {self._done:,}")


def each(
    root: ArtifactRoot, items: Iterable[Item], ask: Callable[[Item], Answer]
) -> Iterator[tuple[Item, Answer | JammiError]]:
    """Ask about each item, at most `MOST_IN_FLIGHT` at once; give the answer, or the error, in the items' order."""

    def answer(item: Item) -> Answer | JammiError:
        try:
            return ask(item)
        except JammiError as error:
            return error

    rest = iter(items)
    most = _LOCAL_IN_FLIGHT if root.is_local else MOST_IN_FLIGHT
    with Workers(most, "jammi-upkeep", purpose="look at the objects of the root") as pool:
        while window := list(itertools.islice(rest, _WINDOW)):
            yield from zip(window, pool.map(answer, window), strict=True)


def delete_all(root: ArtifactRoot, paths: Sequence[str]) -> Iterator[tuple[str, JammiError | None]]:
    """Remove objects in batches; give each path, with the error if it could not be removed."""
    batches = [paths[i : i + DELETED_AT_ONCE] for i in range(0, len(paths), DELETED_AT_ONCE)]
    for batch, failure in each(root, batches, root.delete_many):
        if not isinstance(failure, JammiError):
            yield from ((path, None) for path in batch)
            continue
        for path, error in each(root, batch, root.delete):
            yield path, error if isinstance(error, JammiError) else None
