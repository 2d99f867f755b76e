"""The look-up of exactly this definition over exactly these inputs (freshness.rs, `lookup_cached` and probe)."""

import pytest
from core_kit import make, numbers
from store_kit import OTHER, StoreAt, child, counted, definition, execute, on

from jammi_dagster import InputAnchor, NotRecomputable, ResultStore
from jammi_dagster.errors import DuplicateInput, InvalidField, UnknownTable

FILE = InputAnchor.source_version("file:a.csv", "v1")
COUNTER = InputAnchor.mutable_version("counter:b", 7)
INSTANT = InputAnchor.unpinned_at_instant("api:c", "2026-01-01T00:00:00+00:00")


def _all(store: ResultStore, inputs: list[InputAnchor], *, step: int = 1) -> set[str | None]:
    """The answers of the three ways of asking; they differ only in looking at the bytes."""
    record = store.probe_cache_record(definition(step), inputs)
    return {
        store.lookup_cached(definition(step), inputs),
        store.probe_cache(definition(step), inputs),
        None if record is None else record.materialization_id,
    }


def test_the_exact_definition_over_the_exact_set_hits(store: ResultStore) -> None:
    """Same definition and same anchors, in whatever order: a hit. The record is the whole row."""
    made = make(store, "t", inputs=[FILE, COUNTER])
    assert _all(store, [FILE, COUNTER]) == {made.materialization_id}
    assert _all(store, [COUNTER, FILE]) == {made.materialization_id}
    record = store.probe_cache_record(definition(), [FILE, COUNTER])
    assert record == made
    assert record is not None
    assert record.input_anchors == made.input_anchors == (FILE, COUNTER)


@pytest.mark.parametrize(
    "inputs",
    [
        [],
        [FILE],
        [FILE, COUNTER, InputAnchor.source_version("file:d", "1")],
        [FILE, InputAnchor.mutable_version("counter:b", 8)],
        [FILE, InputAnchor.mutable_version("counter:B", 7)],
        [FILE, InputAnchor.source_version("counter:b", "7")],
    ],
)
def test_any_other_set_misses(store: ResultStore, inputs: list[InputAnchor]) -> None:
    """Fewer, more, another value, source or kind of a single anchor: a miss."""
    make(store, "t", inputs=[FILE, COUNTER])
    assert _all(store, inputs) == {None}


def test_another_definition_misses(store: ResultStore) -> None:
    """The definition is compared as a whole; a text that is no hash is an error, not a miss."""
    make(store, "t")
    assert store.lookup_cached(OTHER, []) is None
    assert _all(store, [], step=2) == {None}
    with pytest.raises(InvalidField):
        store.lookup_cached("x", [])


def test_no_inputs_are_a_set_too(store: ResultStore) -> None:
    """A table of no inputs hits for no inputs."""
    made = make(store, "t")
    assert _all(store, []) == {made.materialization_id}


def test_an_instant_never_hits(store: ResultStore) -> None:
    """Equal instants do not prove equal inputs: asked with one, nothing is looked up at all."""
    make(store, "t", inputs=[FILE, INSTANT])
    store.tables()
    with counted(store) as statements:
        assert _all(store, [FILE, INSTANT]) == {None}
    assert statements == []


def test_a_source_twice_is_no_set(store: ResultStore) -> None:
    """A list in which a source occurs twice is a mistake of the caller's."""
    with pytest.raises(DuplicateInput):
        store.lookup_cached(definition(), [FILE, FILE])


@pytest.mark.parametrize("how", ["gone", "shorter", "longer"])
def test_a_match_without_its_bytes_is_passed_over(store: ResultStore, how: str) -> None:
    """A row whose bytes were reaped is no reuse: the next intact match is, and without one it is a miss."""
    intact, broken = make(store, "t"), make(store, "t")
    data = store.artifacts.read_bytes(broken.artifact_path)
    store.artifacts.delete(broken.artifact_path)
    if how != "gone":
        store.artifacts.write_bytes_durable(
            broken.artifact_path, data[:-1] if how == "shorter" else data + b"\0"
        )
    assert store.lookup_cached(definition(), []) == broken.materialization_id
    assert store.probe_cache(definition(), []) == intact.materialization_id
    store.artifacts.delete(intact.artifact_path)
    assert store.probe_cache(definition(), []) is None


def test_altered_bytes_of_the_same_length_are_found_by_a_full_check(store: ResultStore) -> None:
    """By default presence and size are looked at; `check_digest` reads all."""
    intact, broken = make(store, "t"), make(store, "t")
    data = store.artifacts.read_bytes(broken.artifact_path)
    store.artifacts.delete(broken.artifact_path)
    store.artifacts.write_bytes_durable(broken.artifact_path, bytes([*data[:-1], data[-1] ^ 1]))
    assert store.probe_cache(definition(), []) == broken.materialization_id
    checked = store.probe_cache_record(definition(), [], check_digest=True)
    assert checked is not None
    assert checked.materialization_id == intact.materialization_id


def test_the_current_match_is_preferred_then_the_newest(store_at: StoreAt) -> None:
    """The current one of several intact matches wins; where none is current, the latest start."""
    store, other = store_at(), store_at(deployment="branch")
    first, _, newest = (make(store, "t") for _ in range(3))
    make(store, "t", step=2)
    assert _all(store, []) == {newest.materialization_id}
    pairs = [("t", first.materialization_id)]
    store.writer.point(pairs, start_sequence=store.writer.next_start(), run_id=None)
    assert _all(store, []) == {first.materialization_id}
    assert _all(other, []) == {newest.materialization_id}


def test_hits_cross_deployments_and_pointers_do_not(store_at: StoreAt) -> None:
    """A table of one deployment is reused in another; its name there resolves only once it was."""
    prod, branch = store_at(deployment="prod"), store_at(deployment="branch")
    made = make(prod, "t")
    assert _all(branch, []) == {made.materialization_id}
    assert branch.tables() == []
    pairs = [("t", made.materialization_id)]
    branch.writer.point(pairs, start_sequence=branch.writer.next_start(), run_id=None)
    assert branch.current("t").materialization_id == made.materialization_id


@pytest.mark.parametrize("status", ["building", "failed", "dropped"])
def test_only_what_is_ready_hits(store: ResultStore, status: str) -> None:
    """A row of any other status is none that could be read."""
    make(store, "t")
    execute(store, "UPDATE materializations SET status = :status", status=status)
    assert _all(store, []) == {None}


def test_a_hit_may_be_a_table_of_another_name(store: ResultStore) -> None:
    """The question is a definition over inputs, as in the engine; the record tells the name."""
    make(store, "a")
    record = store.probe_cache_record(definition(), [])
    assert record is not None
    assert record.table == "a"


# --- producing_descriptor ---------------------------------------------------------------------------------


def test_the_descriptor_is_the_recorded_one(store: ResultStore) -> None:
    """The descriptor for a recompute to replay, verbatim."""
    make(store, "t", step=3)
    assert store.producing_descriptor("t").to_dict() == {"producer": "test", "step": 3}
    with pytest.raises(UnknownTable):
        store.producing_descriptor("none")


def test_without_a_sidecar_nothing_can_be_replayed(store: ResultStore) -> None:
    """A refusal that names the table, never a guess from its columns."""
    record = make(store, "t")
    store.artifacts.delete(record.artifact_path.replace(".parquet", ".materialization.json"))
    with pytest.raises(NotRecomputable) as caught:
        store.producing_descriptor("t")
    assert caught.value.table == "t"


def test_a_reuse_is_judged_by_what_it_recorded(store: ResultStore) -> None:
    """After a reuse the name resolves to the old materialization, whose anchors are compared again."""
    old = make(store, "p")
    made = child(store, "c", "p")
    make(store, "p", numbers(9))
    child(store, "c", "p")
    for table, id in (("p", old.materialization_id), ("c", made.materialization_id)):
        store.writer.point([(table, id)], start_sequence=store.writer.next_start(), run_id=None)
    assert store.staleness("c", definition()).is_fresh
    assert store.current("c").input_anchors == tuple(on(old))
