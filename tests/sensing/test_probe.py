"""The cache probe: exact, intact, best first; never by an unpinned input; and it never writes."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from core_kit import DEFINITION, ENV, descriptor, make, numbers, values

from jammi_dagster import InputAnchor, ResultStore
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract import definition_hash
from jammi_dagster.errors import DuplicateInput, InvalidField, JammiError

A = InputAnchor.source_version("file:a", "1")
B = InputAnchor.result_digest("b", "cd" * 32)
NOW = InputAnchor.unpinned_at_instant("file:now", "2026-11-22T12:00:00Z")


def _file(store: ResultStore, record: MaterializationRecord) -> Path:
    assert store.artifacts.local_root is not None
    return Path(store.artifacts.local_root) / record.artifact_path


def _remove(file: Path) -> None:
    file.unlink()


def _truncate(file: Path) -> None:
    os.truncate(file, file.stat().st_size - 1)


def _lengthen(file: Path) -> None:
    with file.open("ab") as stream:
        stream.write(b"!")


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _make_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _remove_all(file: Path) -> None:
    shutil.rmtree(file.parent)


def _alter(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))


def test_an_exact_match_is_a_hit(store: ResultStore) -> None:
    """The same definition over the same set of inputs, in any order."""
    record = make(store, "t", inputs=[A, B])
    for inputs in ([A, B], [B, A]):
        assert store.lookup_cached(DEFINITION, inputs) == record.materialization_id
        assert store.probe_cache(str(DEFINITION), inputs) == record.materialization_id
        hit = store.probe_cache_record(DEFINITION, inputs)
        assert hit is not None
        assert hit.materialization_id == record.materialization_id
        assert hit.input_anchors == tuple(inputs)


@pytest.mark.parametrize(
    ("step", "inputs"),
    [
        (2, [A, B]),
        (1, [A]),
        (1, []),
        (1, [A, InputAnchor.result_digest("b", "ce" * 32)]),
        (1, [A, InputAnchor.source_version("b", "cd" * 32)]),
        (1, [A, B, InputAnchor.source_version("file:c", "1")]),
    ],
)
def test_any_difference_is_a_miss(store: ResultStore, step: int, inputs: list[InputAnchor]) -> None:
    """Another definition, another anchor or kind, an input more or less: nothing is close enough."""
    make(store, "t", inputs=[A, B])
    definition = definition_hash(descriptor(step), ENV)
    assert store.lookup_cached(definition, inputs) is None
    assert store.probe_cache(definition, inputs) is None


def test_an_unpinned_input_never_hits(store: ResultStore) -> None:
    """Equal instants do not prove equal inputs, even where a row with just these anchors is there."""
    make(store, "t", inputs=[A, NOW])
    assert store.lookup_cached(DEFINITION, [A, NOW]) is None
    assert store.probe_cache(DEFINITION, [A, NOW]) is None


def test_misuse_is_an_error(store: ResultStore) -> None:
    """The error names an input that occurs twice, a definition that is no hash, and an item that is no anchor."""
    with pytest.raises(DuplicateInput):
        store.probe_cache(DEFINITION, [A, A])
    with pytest.raises(DuplicateInput):
        store.lookup_cached(DEFINITION, [A, InputAnchor.source_version("file:a", "2")])
    with pytest.raises(InvalidField):
        store.lookup_cached("no hash", [A])
    with pytest.raises(InvalidField):
        store.probe_cache("AB" * 32, [A])
    with pytest.raises(JammiError):
        store.probe_cache(DEFINITION, [("file:a", "1")])  # type: ignore[list-item]


@pytest.mark.parametrize("harm", [_remove, _truncate, _lengthen, _empty, _make_a_folder])
def test_a_match_without_its_bytes_is_passed_over(store: ResultStore, harm: Callable[[Path], None]) -> None:
    """If bytes are gone, cut or longer, the next match stands in until none is intact. A look-up alone ignores it."""
    older, newer = make(store, "t", inputs=[A]), make(store, "t", inputs=[A])
    assert store.probe_cache(DEFINITION, [A]) == newer.materialization_id
    harm(_file(store, newer))
    assert store.probe_cache(DEFINITION, [A]) == older.materialization_id
    harm(_file(store, older))
    assert store.probe_cache(DEFINITION, [A]) is None
    assert store.lookup_cached(DEFINITION, [A]) == newer.materialization_id


def test_bytes_that_are_all_gone_are_a_miss(store: ResultStore) -> None:
    """A missing folder does not fail the probe either: the table is computed again, and then it hits."""
    record = make(store, "t")
    _remove_all(_file(store, record))
    assert store.probe_cache(DEFINITION, []) is None
    again = make(store, "t")
    assert store.probe_cache(DEFINITION, []) == again.materialization_id


def test_a_full_check_is_made_when_asked_for(store: ResultStore) -> None:
    """Altered bytes of the right size are found by `check_digest` alone, and passed over."""
    older, newer = make(store, "t"), make(store, "t")
    _alter(_file(store, newer))
    assert store.probe_cache(DEFINITION, []) == newer.materialization_id
    checked = store.probe_cache_record(DEFINITION, [], check_digest=True)
    assert checked is not None
    assert checked.materialization_id == older.materialization_id


def test_the_current_match_is_preferred_to_the_newest(store: ResultStore) -> None:
    """Of several intact matches, the table's current one is reused."""
    older, newer = make(store, "t"), make(store, "t")
    assert store.probe_cache(DEFINITION, []) == newer.materialization_id
    store.writer.point(
        [("t", older.materialization_id)], start_sequence=store.writer.next_start(), run_id=None
    )
    assert store.probe_cache(DEFINITION, []) == older.materialization_id
    _remove(_file(store, older))
    assert store.probe_cache(DEFINITION, []) == newer.materialization_id


def test_a_hit_crosses_deployments_and_a_pointer_does_not(open_store: Callable[..., ResultStore]) -> None:
    """A branch reuses what production made, and has no current table until it does."""
    prod, branch = open_store(deployment="prod"), open_store(deployment="branch")
    record = make(prod, "t")
    assert branch.probe_cache(DEFINITION, []) == record.materialization_id
    assert branch.tables() == []


def test_tenants_do_not_hit_each_others_tables(open_store: Callable[..., ResultStore]) -> None:
    """A tenant reuses its own tables and the global ones, never another tenant's."""
    acme, other, shared = open_store(tenant="acme"), open_store(tenant="other"), open_store()
    make(acme, "t")
    assert other.probe_cache(DEFINITION, []) is None
    assert shared.probe_cache(DEFINITION, []) is None
    record = make(shared, "t")
    assert other.probe_cache(DEFINITION, []) == record.materialization_id


def test_a_probe_writes_nothing(store: ResultStore) -> None:
    """Hit or miss, the catalog's revision and the root stay as they are."""
    make(store, "t", numbers(3))
    before = store.reader.state(), sorted(path for path, *_ in os.walk(store.artifacts.local_root or ""))
    for inputs in ([], [A]):
        store.lookup_cached(DEFINITION, inputs)
        store.probe_cache_record(DEFINITION, inputs, check_digest=True)
    assert (
        store.reader.state(),
        sorted(path for path, *_ in os.walk(store.artifacts.local_root or "")),
    ) == before
    assert values(store.read("t")) == [0, 1, 2]
