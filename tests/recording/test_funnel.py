"""The funnel: bytes, then sidecar, then the flip; whatever goes wrong in between leaves nothing wrong to be read."""

import json
import os
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from core_kit import ENV, descriptor, make, numbers, values
from waiting_kit import MOST_SECONDS

from jammi_dagster import ArtifactDigest, InputAnchor, MaterializationEnv, ProducingDescriptor, ResultStore
from jammi_dagster.artifacts import sidecar_path
from jammi_dagster.catalog import CatalogWriter, Lease, MaterializationRecord, PointerMove
from jammi_dagster.contract import MaterializationManifest, definition_hash
from jammi_dagster.errors import (
    ArtifactExists,
    CatalogUnavailable,
    DuplicateInput,
    JammiError,
    LeaseLost,
    NotATable,
    NotCanonical,
    SchemaChanged,
    StorageFailed,
)
from jammi_dagster.recording import Attempt, Output, Publication, Recorder


def begin(store: ResultStore, *tables: str, owner: str = "owner", start: int | None = None) -> Attempt:
    """An attempt at `tables`."""
    attempt = store.begin(tables, produced_by="run", owner=owner, start_sequence=start)
    assert isinstance(attempt, Attempt)
    return attempt


def output(table: str, **more: Any) -> Output:
    """The output that publishes `table`."""
    made_by, env = ProducingDescriptor(descriptor()), MaterializationEnv(ENV)
    known = {"definition": definition_hash(made_by, env), "input_anchors": (), **more}
    return Output(table=table, descriptor=made_by, env=env, **known)


def publish(
    attempt: Attempt, *outputs: Output, before: Callable[[], object] = lambda: None
) -> list[Publication]:
    """One row for each output, written and published; `before` is called in between."""
    with attempt:
        for one in outputs:
            attempt.write(one.table, numbers(1))
        before()
        return attempt.publish(outputs)


def root_of(store: ResultStore) -> Path:
    """The store's folder."""
    assert store.artifacts.local_root is not None
    return Path(store.artifacts.local_root)


def objects(store: ResultStore) -> list[str]:
    """Every object below the root, catalog and key aside."""
    root = root_of(store)
    return sorted(
        str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and path.parent != root
    )


def statuses(store: ResultStore, table: str) -> list[str]:
    """The statuses of a table's materializations, the latest start first."""
    return [record.status for record in store.history(table)]


def manifest_of(store: ResultStore, record: MaterializationRecord) -> MaterializationManifest:
    """The sidecar beside a materialization's bytes."""
    path = sidecar_path(record.artifact_path)
    return MaterializationManifest.from_bytes(store.artifacts.read_bytes(path), where=path)


# --- what comes out -----------------------------------------------------------------------------------


def test_a_materialization_is_bytes_sidecar_and_row(store: ResultStore) -> None:
    """The three agree on everything they all say."""
    anchor = InputAnchor.source_version("file:a", "1")
    record = make(store, "t", numbers(5), inputs=[anchor])
    data = store.artifacts.read_bytes(record.artifact_path)
    manifest = manifest_of(store, record)
    assert (record.status, record.table, record.row_count, record.size_bytes) == ("ready", "t", 5, len(data))
    assert record.artifact_digest == manifest.artifact == ArtifactDigest.of_bytes(data)
    assert record.definition_hash == manifest.definition_hash == definition_hash(descriptor(), ENV)
    assert record.input_anchors == manifest.input_anchors == (anchor,)
    assert manifest.descriptor.to_dict() == descriptor()
    assert manifest.env.to_dict() == ENV
    assert manifest.leaves
    assert manifest.check_leaves(data) == []
    assert manifest.own is not None
    assert (manifest.own["table"], manifest.own["materialization"]) == ("t", record.materialization_id)
    assert record.artifact_uri == (root_of(store) / record.artifact_path).as_uri()
    assert store.current("t") == record
    assert values(store.read("t")) == list(range(5))


def test_ids_and_paths_are_never_used_twice(store: ResultStore) -> None:
    """Equal data under an equal definition is another materialization, in another place, with equal bytes."""
    first, second = make(store, "t"), make(store, "t")
    assert first.materialization_id < second.materialization_id
    assert first.artifact_path != second.artifact_path
    assert first.artifact_digest == second.artifact_digest
    assert second.reproducibility == "reproduced"
    assert len(objects(store)) == 4


def test_another_result_of_the_same_is_recorded_as_diverged(store: ResultStore) -> None:
    """A function that is not deterministic is told from damage."""
    make(store, "t", numbers(3))
    assert make(store, "t", numbers(4)).reproducibility == "diverged"
    assert values(store.read("t")) == [0, 1, 2, 3]


def test_what_is_recorded_beside_a_table_is_kept(store: ResultStore) -> None:
    """Our own fields and the annotation reach the sidecar; the annotation the catalog too."""
    note = {"metadata": {"é": 1}}
    kept = output("t", own={"raw_config": {"k": 1}}, annotation=note, compute_seconds=2.5)
    published = publish(begin(store, "t"), kept)
    record = published[0].record
    own = manifest_of(store, record).own or {}
    assert (own["raw_config"], own["annotation"], own["compute_seconds"]) == ({"k": 1}, note, 2.5)
    assert json.loads(store.reader.annotation(record.materialization_id) or "") == note
    assert record.compute_seconds == 2.5


def test_several_tables_become_ready_together(store: ResultStore) -> None:
    """A range is published in one transaction: one revision, all current."""
    before = store.reader.state().revision
    seen: list[str] = []
    attempt = begin(store, "a", "b")
    published = publish(attempt, output("a"), output("b"), before=lambda: seen.extend(store.tables()))
    assert seen == []
    assert [p.is_current for p in published] == [True, True]
    assert [p.record.table for p in published] == ["a", "b"]
    assert store.tables() == ["a", "b"]
    assert store.reader.state()[1] == before + 1


def test_a_later_start_that_came_first_is_an_outcome(store: ResultStore) -> None:
    """The loser's table is ready and reported as not current; nothing is raised."""
    early = store.writer.next_start()
    later = make(store, "t", numbers(9))
    published = publish(begin(store, "t", start=early), output("t"))
    assert not published[0].is_current
    assert published[0].record.status == "ready"
    assert store.current("t") == later


def test_a_clock_that_jumps_decides_nothing(store: ResultStore) -> None:
    """Whatever the machine's clock says, the later start wins, and ids stay apart."""
    made: list[Publication] = []
    for year in (2030, 1970, 2030, 1, 9999):
        recorder = Recorder(
            reader=store.reader,
            writer=store.writer,
            root=store.artifacts,
            scope=store.scope,
            clock=partial(datetime, year, 6, 1, tzinfo=timezone.utc),
        )
        attempt = recorder.begin(["t"], produced_by="run", owner="owner")
        assert isinstance(attempt, Attempt)
        made += publish(attempt, output("t"))
        assert store.current("t") == made[-1].record
    assert len({published.record.materialization_id for published in made}) == 5
    assert [r.materialization_id for r in store.history("t")] == [
        p.record.materialization_id for p in made[::-1]
    ]


def test_ids_sort_by_time(store: ResultStore) -> None:
    """An id begins with the milliseconds of its creation, and is as good as the clock."""
    before = datetime.now(timezone.utc)
    record = make(store, "t")
    stamp = datetime.fromtimestamp(int(record.materialization_id[:12], 16) / 1000, timezone.utc)
    assert before - timedelta(milliseconds=1) <= stamp <= datetime.now(timezone.utc)
    assert datetime.fromisoformat(record.created_at) - stamp < timedelta(milliseconds=1)


# --- the order of effects -----------------------------------------------------------------------------


class _Watching(CatalogWriter):
    """A writer that tells when it flips."""

    effects: list[str]

    def finish(self, *args: Any, **options: Any) -> list[PointerMove]:
        self.effects.append("flip")
        return super().finish(*args, **options)


def test_bytes_then_sidecar_then_flip_each_durable_before_the_next(
    store: ResultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both files are fsynced, and the folder that names them, before the catalog hears of them."""
    store.binding.bind()
    effects: list[str] = []
    writer = _Watching(store.database, store.scope)
    writer.effects = effects
    monkeypatch.setitem(store.__dict__, "writer", writer)
    sync = os.fsync

    def watched(descriptor: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        effects.append(kind + Path(os.readlink(f"/proc/self/fd/{descriptor}")).suffix)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    make(store, "t")
    assert [effect for effect in effects if effect != "folder"] == ["file.parquet", "file.json", "flip"]
    bytes_synced, sidecar_synced = effects.index("file.parquet"), effects.index("file.json")
    assert "folder" in effects[bytes_synced:sidecar_synced]
    assert "folder" in effects[sidecar_synced : effects.index("flip")]


# --- what goes wrong ----------------------------------------------------------------------------------


def _failing(error: BaseException) -> Iterator[pa.RecordBatch]:
    yield from numbers(300_000).to_batches()
    raise error


@pytest.mark.parametrize("error", [RuntimeError("mine"), KeyboardInterrupt(), SystemExit(3), ValueError()])
def test_an_exception_of_the_data_passes_through(store: ResultStore, error: BaseException) -> None:
    """The user's own exception arrives as it is; the row has failed, and no bytes are left."""
    with pytest.raises(type(error)) as raised:
        make(store, "t", _failing(error))
    assert raised.value is error
    assert statuses(store, "t") == ["failed"]
    assert objects(store) == []
    assert store.tables() == []


def test_a_failure_leaves_the_current_table_alone(store: ResultStore) -> None:
    """The table that was current before is current after, byte for byte, and nothing of the failure is a hit."""
    before = make(store, "t", numbers(7))
    with pytest.raises(RuntimeError):
        make(store, "t", _failing(RuntimeError()), step=2)
    assert store.current("t") == before
    assert values(store.read("t")) == list(range(7))
    assert store.probe_cache(definition_hash(descriptor(2), ENV), []) is None
    assert len(objects(store)) == 2


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (lambda: None, NotATable),
        (lambda: 5, NotATable),
        (lambda: [1, 2], NotATable),
        (lambda: iter([numbers(1), 5]), NotATable),
        (lambda: iter([numbers(1), pa.table({"n": ["x"]})]), SchemaChanged),
        (lambda: iter([]), JammiError),
    ],
    ids=["none", "number", "list", "iterator of others", "changed schema", "empty iterator"],
)
def test_what_is_no_table_is_refused(
    store: ResultStore, data: Callable[[], Any], error: type[JammiError]
) -> None:
    """The error names the table; nothing is published and nothing is left."""
    with pytest.raises(error, match="table flights/x"):
        store.materialize("flights/x", data(), descriptor=descriptor(), env=ENV, inputs=[])
    assert objects(store) == []
    assert statuses(store, "flights/x") == ["failed"]


def test_a_sidecar_that_cannot_be_written(store: ResultStore) -> None:
    """With a value that JSON does not have, or in a place that is taken, no bytes stay behind."""
    with pytest.raises(NotCanonical):
        publish(begin(store, "t"), output("t", own={"x": float("nan")}))
    assert objects(store) == []
    attempt = begin(store, "t")
    taken = sidecar_path(attempt.rows["t"].artifact_path)
    store.artifacts.write_bytes_durable(taken, b"somebody else's")
    with pytest.raises(ArtifactExists):
        publish(attempt, output("t"))
    assert statuses(store, "t") == ["failed", "failed"]
    assert store.tables() == []


def _refuse_flips(store: ResultStore, table: str) -> None:
    """Makes the database itself refuse that a row of `table` becomes ready."""
    with store.database.writing() as connection:
        connection.execute(
            sa.text(
                "CREATE TRIGGER refuse BEFORE UPDATE ON materializations "
                f"WHEN NEW.status = 'ready' AND NEW.table_name = '{table}' BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        )


def test_a_flip_that_the_database_refuses(store: ResultStore) -> None:
    """The rows have failed, their bytes are gone, nothing current has moved; none of several is published."""
    before = make(store, "a", numbers(7))
    _refuse_flips(store, "b")
    revision = store.reader.state().revision
    with pytest.raises(CatalogUnavailable):
        publish(begin(store, "a", "b"), output("a"), output("b"))
    assert (statuses(store, "a"), statuses(store, "b")) == (["failed", "ready"], ["failed"])
    assert store.current("a") == before
    assert len(objects(store)) == 2
    assert store.reader.state()[1] == revision


def test_an_attempt_that_is_not_published_has_failed(store: ResultStore) -> None:
    """Leaving the block without `publish` undoes the writes."""
    with begin(store, "t") as attempt:
        attempt.write("t", numbers(1))
    assert objects(store) == []
    assert statuses(store, "t") == ["failed"]


def test_a_lost_lease_publishes_nothing(store: ResultStore) -> None:
    """Whoever took the lease over decides about row and bytes: the former writer touches neither."""

    def take_over() -> None:
        with store.database.writing() as connection:
            connection.execute(sa.text("UPDATE materializations SET lease_token = 'other'"))

    with pytest.raises(LeaseLost):
        publish(begin(store, "t"), output("t"), before=take_over)
    assert statuses(store, "t") == ["building"]
    assert store.tables() == []
    assert [Path(path).suffix for path in objects(store)] == [".json", ".parquet"]


class _Uncertain(CatalogWriter):
    """A writer whose connection breaks after the commit, before the answer."""

    def finish(self, *args: Any, **options: Any) -> list[PointerMove]:
        super().finish(*args, **options)
        raise CatalogUnavailable(catalog="c", why="the connection broke")


def test_bytes_of_a_ready_row_are_never_removed(store: ResultStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row decides where nobody knows if the flip was committed: a ready one stays readable."""
    monkeypatch.setitem(store.__dict__, "writer", _Uncertain(store.database, store.scope))
    with pytest.raises(CatalogUnavailable):
        make(store, "t", numbers(4))
    assert statuses(store, "t") == ["ready"]
    assert values(store.read("t")) == [0, 1, 2, 3]


class _Gone(CatalogWriter):
    """A writer whose database is gone at the flip, and stays so."""

    def finish(self, *args: Any, **options: Any) -> list[PointerMove]:
        raise CatalogUnavailable(catalog="c", why="gone")

    def fail(self, rows: Any, *, lease: Lease) -> frozenset[str]:
        raise CatalogUnavailable(catalog="c", why="still gone")


def test_the_first_error_is_the_one_that_is_raised(
    store: ResultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clearing up may fail too: the user sees the cause, and without knowing the row no bytes go."""
    monkeypatch.setitem(store.__dict__, "writer", _Gone(store.database, store.scope))
    with pytest.raises(CatalogUnavailable, match=": gone"):
        make(store, "t")
    assert len(objects(store)) == 2
    assert store.tables() == []


def test_duplicate_inputs_are_refused_before_anything_is_read(store: ResultStore) -> None:
    """Misuse costs no compute: the data is not touched, and no row begins."""
    anchor = InputAnchor.source_version("file:a", "1")

    def untouched() -> Iterator[pa.RecordBatch]:
        pytest.fail("the data was read")
        yield

    with pytest.raises(DuplicateInput):
        make(store, "t", untouched(), inputs=[anchor, anchor])
    with pytest.raises(JammiError):
        make(store, "t", untouched(), inputs=[{"source": "file:a"}])  # type: ignore[list-item]
    with pytest.raises(NotCanonical):
        store.materialize("t", untouched(), descriptor={"producer": "p", "x": b""}, env=ENV, inputs=[])
    assert store.history("t") == []


def test_a_descriptor_that_changes_meanwhile_is_recorded_as_it_was(store: ResultStore) -> None:
    """The sidecar's descriptor folds to the recorded hash, whatever the data's iterator does to the original."""
    given: dict[str, Any] = {"producer": "p", "config": {"k": 1}}

    def meddling() -> Iterator[pa.RecordBatch]:
        given["config"]["k"] = 2
        yield from numbers(1).to_batches()

    record = store.materialize("t", meddling(), descriptor=given, env=ENV, inputs=[])
    manifest = manifest_of(store, record)
    assert definition_hash(manifest.descriptor, manifest.env) == record.definition_hash
    assert manifest.descriptor.to_dict()["config"] == {"k": 1}


def test_a_root_that_cannot_take_the_bytes(store: ResultStore) -> None:
    """A file where the table's folder should be: an error of ours that says so, and the row has failed."""
    root = root_of(store)
    root.mkdir(exist_ok=True)
    (root / "tables").write_text("in the way")
    with pytest.raises(StorageFailed, match="not a folder"):
        make(store, "t")
    assert statuses(store, "t") == ["failed"]


# --- at once ------------------------------------------------------------------------------------------


def test_two_writers_of_one_table_at_once(store: ResultStore) -> None:
    """Both succeed; the later start is current, whoever was first to finish."""
    together = threading.Barrier(4)

    def write(n: int) -> MaterializationRecord:
        def data() -> Iterator[pa.RecordBatch]:
            together.wait(timeout=MOST_SECONDS)
            yield from numbers(n).to_batches()

        return make(store, "t", data())

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(write, range(1, 5)))
    assert statuses(store, "t") == ["ready"] * 4
    newest = max(made, key=lambda record: record.start_sequence)
    assert store.current("t").materialization_id == newest.materialization_id
    assert store.read("t").num_rows == newest.row_count
