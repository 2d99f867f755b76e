"""A table's bytes and definition against its manifest: each verdict, and which goes before which."""

import json

import pytest
from core_kit import make, numbers
from store_kit import OTHER, definition, execute

from jammi_dagster import InputAnchor, MatchVerdict, ResultStore
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.errors import ArtifactMissing, InvalidManifest, UnknownManifestVersion, UnknownTable

INSTANT = InputAnchor.unpinned_at_instant("api:c", "2026-01-01T00:00:00+00:00")


def _sidecar(record: MaterializationRecord) -> str:
    return record.artifact_path.replace(".parquet", ".materialization.json")


def _replace(store: ResultStore, path: str, data: bytes) -> None:
    store.artifacts.delete(path)
    store.artifacts.write_bytes_durable(path, data)


def _edit(store: ResultStore, record: MaterializationRecord, **fields: object) -> None:
    manifest = json.loads(store.artifacts.read_bytes(_sidecar(record)))
    _replace(store, _sidecar(record), json.dumps({**manifest, **fields}).encode())


def test_bytes_and_definition_as_recorded_match(store: ResultStore) -> None:
    """A match, with the expected definition or with none."""
    make(store, "t")
    assert store.verify_materialization("t") == MatchVerdict.match()
    assert store.verify_materialization("t", definition()) == MatchVerdict.match()


def test_unpinned_inputs_are_named(store: ResultStore) -> None:
    """A match over inputs that cannot be had again says which."""
    make(store, "t", inputs=[INSTANT, InputAnchor.source_version("file:a", "1")])
    assert store.verify_materialization("t") == MatchVerdict.match_with_unpinned_inputs(["api:c"])


def test_other_bytes_are_a_mismatch_that_shows_both(store: ResultStore) -> None:
    """Expected is the sidecar's digest, found the digest of the bytes."""
    record = make(store, "t")
    _replace(store, record.artifact_path, b"tampered")
    found = store.artifacts.digest(record.artifact_path)
    assert store.verify_materialization("t") == MatchVerdict.mismatch(str(record.artifact_digest), found)


def test_another_definition_is_a_mismatch_that_shows_both(store: ResultStore) -> None:
    """Expected is the caller's, found the recorded one."""
    make(store, "t")
    assert store.verify_materialization("t", OTHER) == MatchVerdict.mismatch(OTHER, definition())


def test_bytes_go_before_the_definition_and_that_before_unpinned(store: ResultStore) -> None:
    """The first that differs is the verdict."""
    record = make(store, "t", inputs=[INSTANT])
    assert store.verify_materialization("t", OTHER) == MatchVerdict.mismatch(OTHER, definition())
    _replace(store, record.artifact_path, b"tampered")
    assert store.verify_materialization("t", OTHER).expected == record.artifact_digest


def test_a_sidecar_of_another_digest_than_the_row_is_a_mismatch(store: ResultStore) -> None:
    """The row says which bytes were published; a sidecar that says others was altered, and goes first."""
    record = make(store, "t")
    _edit(store, record, artifact="00" * 32)
    assert store.verify_materialization("t", OTHER) == MatchVerdict.mismatch(
        str(record.artifact_digest), "00" * 32
    )


def test_nothing_to_verify_against(store: ResultStore) -> None:
    """Without a sidecar, or for a row from before the contract, there is none."""
    one, two = make(store, "one"), make(store, "two")
    store.artifacts.delete(_sidecar(one))
    execute(
        store,
        "UPDATE materializations SET definition_hash = NULL, anchor_set_id = NULL WHERE id = :id",
        id=two.materialization_id,
    )
    for table in ("one", "two"):
        assert store.verify_materialization(table, OTHER) == MatchVerdict.missing_manifest()


def test_what_cannot_be_answered_is_an_error(store: ResultStore) -> None:
    """No table, no bytes, no manifest, or one of a version that nobody here can read."""
    record = make(store, "t")
    with pytest.raises(UnknownTable):
        store.verify_materialization("none")
    _edit(store, record, manifest_version=6)
    with pytest.raises(UnknownManifestVersion):
        store.verify_materialization("t")
    _replace(store, _sidecar(record), b"{")
    with pytest.raises(InvalidManifest):
        store.verify_materialization("t")
    record = make(store, "t", numbers(4))
    store.artifacts.delete(record.artifact_path)
    with pytest.raises(ArtifactMissing):
        store.verify_materialization("t")
