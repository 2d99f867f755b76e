"""Every public question, asked of a store whose catalog or sidecars lie; and the files opened meanwhile."""

import codecs
import contextlib
import functools
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from unittest import mock

from core_kit import DIGEST
from store_kit import definition

from jammi_dagster import InputAnchor, JammiError, ResultStore

codecs.lookup("utf-8-sig")  # reading a sidecar may need it, and an import opens a file

Question = Callable[[ResultStore, str], Any]

QUESTIONS: dict[str, Question] = {
    "tables": lambda store, table: store.tables(),
    "current": lambda store, table: store.current(table).to_dict(),
    "history": lambda store, table: [record.to_dict() for record in store.history(table)],
    "read": lambda store, table: store.read(table),
    "dataset": lambda store, table: store.dataset(table),
    "staleness": lambda store, table: store.staleness(table, definition()),
    "sweep": lambda store, table: list(store.sweep({table: definition(), "child": definition()})),
    "lookup_cached": lambda store, table: store.lookup_cached(definition(), []),
    "probe_cache": lambda store, table: store.probe_cache(definition(), []),
    "probe_cache_record": lambda store, table: store.probe_cache_record(definition(), [], check_digest=True),
    "current_anchor": lambda store, table: store.current_anchor(InputAnchor.result_digest(table, DIGEST)),
    "verify_materialization": lambda store, table: store.verify_materialization(table, definition()),
    "producing_descriptor": lambda store, table: store.producing_descriptor(table),
    "derives_from": lambda store, table: store.derives_from(table),
    "derives_from_closure": lambda store, table: store.derives_from_closure(table),
    "unknown": lambda store, table: store.derives_from(f"{table}x"),
    "identity": lambda store, table: store.identity.catalog_id,
    "dry run": lambda store, table: store.recover(dry_run=True).to_dict(),
}

# JSON that some reader somewhere takes for a value, or for none
ODD_JSON = [
    "",
    "null",
    "true",
    "-1",
    "1e400",
    "NaN",
    "9" * 5_000,
    '"x"',
    '"\\u0000"',
    '"\\ud800"',
    "[]",
    "{}",
    "[{}]",
    '{"a": 1, "a": 2}',
    "[" * 3_000 + "]" * 3_000,
]


def ask_all(
    store: ResultStore, tables: Iterable[str] = ("t", "child"), questions: Iterable[str] = ()
) -> list[str]:
    """Asks everything; gives which questions ended in an error of ours. Any other error passes through."""
    failed = []
    for name in questions or QUESTIONS:
        for table in tables:
            try:
                QUESTIONS[name](store, table)
            except JammiError as error:
                str(error)
                failed.append(f"{name} {table}")
    return failed


_opened: list[Callable[[str], None]] = []


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _opened:
        _opened[-1](str(arguments[0]))


@functools.cache
def _listen() -> None:
    sys.addaudithook(_note)  # once: there is no way to take one away again


@contextlib.contextmanager
def opened(store: ResultStore) -> Iterator[list[str]]:
    """Every path that Python opens meanwhile, and every one that the storage gives to a native reader."""
    paths: list[str] = []
    storage = store.artifacts._storage
    locate = storage.locate

    def noted(path: str) -> str:
        paths.append(locate(path))
        return paths[-1]

    _listen()
    _opened.append(paths.append)
    try:
        with mock.patch.object(storage, "locate", noted):
            yield paths
    finally:
        _opened.pop()


def paths_of(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every value in a JSON value, the whole included."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths_of(item, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], text: str) -> str:
    """The JSON of `value`, in which `text` stands at the path."""
    mark = "\0here\0"
    if not path:
        return text
    copy = json.loads(json.dumps(value))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = mark
    return json.dumps(copy).replace(json.dumps(mark), text)
