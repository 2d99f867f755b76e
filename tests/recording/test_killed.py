"""SIGKILL at any point of the funnel: the catalog can be read, what was current still is, the next run succeeds."""

from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from core_kit import ENV, Child, descriptor, make, numbers, values

from jammi_dagster import ResultStore
from jammi_dagster.catalog import CatalogWriter, Finished, Lease, Pointed
from jammi_dagster.contract import definition_hash


def _wait(talk: Connection) -> None:
    talk.send("there")
    talk.recv()


def _during_compute(talk: Connection, store: ResultStore) -> None:
    def data() -> Iterator[pa.RecordBatch]:
        _wait(talk)
        yield from numbers(9).to_batches()

    make(store, "t", data(), step=2)


def _during_the_write(talk: Connection, store: ResultStore) -> None:
    def data() -> Iterator[pa.RecordBatch]:
        yield from numbers(700_000).to_batches()  # more than two row groups: there are bytes in the file
        _wait(talk)
        yield from numbers(9).to_batches()

    make(store, "t", data(), step=2)


def _after_the_bytes(talk: Connection, store: ResultStore) -> None:
    def stop(path: str, data: bytes) -> None:
        _wait(talk)

    store.artifacts.write_bytes_durable = stop  # type: ignore[method-assign]
    make(store, "t", numbers(9), step=2)


class _Stopping(CatalogWriter):
    talk: Connection

    def finish(self, rows: Sequence[Finished], *, lease: Lease, run_id: str | None) -> list[Pointed]:
        _wait(self.talk)
        return super().finish(rows, lease=lease, run_id=run_id)


def _before_the_flip(talk: Connection, store: ResultStore) -> None:
    writer = _Stopping(store.database, store.scope)
    writer.talk = talk
    store.__dict__["writer"] = writer
    make(store, "t", numbers(9), step=2)


def _within_the_flip(talk: Connection, store: ResultStore) -> None:
    """In the transaction, after the row was flipped and the pointer moved, before the commit."""
    point = store.writer._point

    def stop(*args: Any) -> bool:
        moved = point(*args)
        _wait(talk)
        return moved

    store.writer._point = stop  # type: ignore[method-assign]
    make(store, "t", numbers(9), step=2)


def _work(talk: Connection, root: Path, until: Callable[[Connection, ResultStore], None]) -> None:
    until(talk, ResultStore(str(root)))


@pytest.mark.parametrize(
    "point", [_during_compute, _during_the_write, _after_the_bytes, _before_the_flip, _within_the_flip]
)
@pytest.mark.parametrize("has_current", [True, False])
def test_a_kill_leaves_nothing_wrong_to_be_read(
    open_store: Callable[..., ResultStore], tmp_path: Path, point: Callable[..., None], has_current: bool
) -> None:
    """Nothing of the killed attempt is current or a hit; what was current is intact; the next attempt succeeds."""
    if has_current:
        make(open_store(), "t", numbers(5))
    child = Child(_work, tmp_path / "root", point)
    assert child.told() == "there"
    child.kill()

    store = open_store()
    assert store.tables() == (["t"] if has_current else [])
    if has_current:
        assert values(store.read("t")) == list(range(5))
        assert store.verify_materialization("t").verdict == "match"
    assert store.probe_cache(definition_hash(descriptor(2), ENV), []) is None
    assert [record.status for record in store.history("t")] == ["building", "ready"][: 1 + has_current]

    record = make(store, "t", numbers(9), step=2)
    assert values(store.read("t")) == list(range(9))
    assert store.probe_cache(definition_hash(descriptor(2), ENV), []) == record.materialization_id
