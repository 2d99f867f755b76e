"""Manifests have a limit: a writer refuses a longer one, and a reader takes no more memory than that."""

from collections.abc import Callable
from pathlib import Path

import pytest
from core_kit import make, numbers, values
from store_kit import attempt_on, execute, expire, files, killed_before_the_flip, output

from jammi_dagster import InputAnchor, ResultStore
from jammi_dagster.artifacts import SIDECAR_LIMIT, sidecar, sidecar_path
from jammi_dagster.errors import ArtifactTooLarge, ManifestTooLarge
from jammi_dagster.maintenance import sidecars
from jammi_dagster.recording import funnel

_LIMIT = 20_000


@pytest.fixture
def low_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that a test reaches in no time."""
    for module in (funnel, sidecar, sidecars):
        monkeypatch.setattr(module, "SIDECAR_LIMIT", _LIMIT)


def _many_inputs() -> list[InputAnchor]:
    return [InputAnchor.source_version(f"file:{i:04}", "1") for i in range(400)]


def test_the_limit_is_256_mib() -> None:
    """Writer and readers agree on it."""
    assert SIDECAR_LIMIT == 256 * 1024 * 1024
    assert {vars(module)["SIDECAR_LIMIT"] for module in (funnel, sidecar, sidecars)} == {SIDECAR_LIMIT}


@pytest.mark.usefixtures("low_limit")
def test_the_writer_refuses_a_longer_manifest(store: ResultStore) -> None:
    """The error names the table, the size and the way out; the table from before stays, and nothing is left over."""
    make(store, "t")
    before = files(Path(str(store.artifacts.local_root)))
    with pytest.raises(ManifestTooLarge, match=r"table t: its manifest .* record fewer inputs") as raised:
        make(store, "t", numbers(9), inputs=_many_inputs())
    assert (raised.value.table, raised.value.limit) == ("t", _LIMIT)
    assert raised.value.size > _LIMIT
    assert values(store.read("t")) == [0, 1, 2]
    assert [record.status for record in store.history("t")] == ["failed", "ready"]
    assert files(Path(str(store.artifacts.local_root))) == before


@pytest.mark.usefixtures("low_limit")
def test_one_manifest_too_long_publishes_nothing_of_a_range(store: ResultStore) -> None:
    """All tables of an attempt or none."""

    def publish() -> None:
        with attempt_on(store, "a", "b") as attempt:
            for table in ("a", "b"):
                attempt.write(table, numbers(1))
            attempt.publish([output("a"), output("b", step=2, inputs=_many_inputs())])

    with pytest.raises(ManifestTooLarge, match="table b"):
        publish()
    assert store.tables() == []
    assert not any(path.startswith("tables") for path in files(Path(str(store.artifacts.local_root))))


def _descriptor(store: ResultStore) -> object:
    return store.producing_descriptor("t")


def _verify(store: ResultStore) -> object:
    return store.verify_materialization("t")


@pytest.mark.parametrize("ask", [_descriptor, _verify])
def test_a_reader_of_a_longer_sidecar_says_so(
    store: ResultStore, monkeypatch: pytest.MonkeyPatch, ask: Callable[[ResultStore], object]
) -> None:
    """It reads no more than the limit; the table itself is read and found as before."""
    record = make(store, "t", inputs=_many_inputs())
    for module in (sidecar, sidecars):
        monkeypatch.setattr(module, "SIDECAR_LIMIT", _LIMIT)
    with pytest.raises(ArtifactTooLarge, match="materialize the table again"):
        ask(store)
    assert values(store.read("t")) == [0, 1, 2]
    hit = store.probe_cache(str(record.definition_hash), record.input_anchors)
    assert hit == record.materialization_id


def test_upkeep_passes_over_a_longer_sidecar(store: ResultStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ready, building or without a row: it is told of, everything else is done, and no object is removed."""
    ready = make(store, "ready", inputs=_many_inputs())
    orphan = make(store, "orphan", step=2, inputs=_many_inputs())
    dead = killed_before_the_flip(store, "dead", step=3, inputs=_many_inputs())
    fine = killed_before_the_flip(store, "fine", step=4)
    for table in ("pointers", "materializations"):
        key = "materialization_id" if table == "pointers" else "id"
        execute(store, f"DELETE FROM {table} WHERE {key} = :id", id=orphan.materialization_id)
    expire(store)
    monkeypatch.setattr(sidecars, "SIDECAR_LIMIT", _LIMIT)
    report = store.recover(grace_seconds=0)
    assert report.damaged == [ready.materialization_id]
    assert report.promoted == [fine.rows["fine"].materialization_id]
    assert orphan.artifact_path in report.unreadable
    assert store.artifacts.size(orphan.artifact_path) is not None
    assert store.artifacts.size(sidecar_path(ready.artifact_path)) is not None
    assert dead.rows["dead"].materialization_id in {*report.failed, *report.unreadable}
