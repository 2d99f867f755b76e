"""Staleness of a table against its definition and its inputs' present state (freshness.rs, `staleness`)."""

from datetime import datetime, timedelta, timezone

import pytest
from core_kit import make, numbers
from store_kit import OTHER, StoreAt, Surface, child, counted, definition, execute, on

from jammi_dagster import InputAnchor, ResultStore, Staleness, StaleReason
from jammi_dagster.contract import CurrentAnchor
from jammi_dagster.errors import InvalidField, UnknownTable
from jammi_dagster.surfaces import file

_INSTANT = "2026-01-01T00:00:00+00:00"
UNPINNED = InputAnchor.unpinned_at_instant("api:rates", _INSTANT)
FILE = InputAnchor.source_version("file:raw.csv", "v1")
COUNTER = InputAnchor.mutable_version("counter:orders", 7)


def test_equal_definition_and_inputs_are_fresh(store: ResultStore) -> None:
    """Fresh: the recorded hash is the current one, and every recorded anchor is its input's present one."""
    make(store, "parent")
    child(store, "child", "parent")
    assert store.staleness("parent", definition()).is_fresh
    assert store.staleness("child", definition()).to_dict() == {"staleness": "fresh"}


def test_another_definition_is_stale_and_shows_both_hashes(store: ResultStore) -> None:
    """A definition that no longer folds to the recorded hash is a reason, whatever the inputs are."""
    make(store, "t")
    assert store.staleness("t", OTHER).to_dict() == {
        "staleness": "stale",
        "reasons": [{"reason": "definition_changed", "recorded": definition(), "current": OTHER}],
    }


def test_a_parent_that_was_made_again_advances(store: ResultStore) -> None:
    """A name resolves to its new digest, so a child of the old one is stale by plain comparison."""
    old = make(store, "parent")
    child(store, "child", "parent")
    new = make(store, "parent", numbers(4))
    assert store.staleness("child", definition()) == Staleness.stale(
        [StaleReason.input_advanced("parent", str(old.artifact_digest), str(new.artifact_digest))]
    )


def test_a_parent_made_again_with_the_same_bytes_leaves_the_child_fresh(store: ResultStore) -> None:
    """The digest is compared: by whom and when it was made again is no matter."""
    make(store, "parent")
    child(store, "child", "parent")
    make(store, "parent", step=2)
    assert store.staleness("child", definition()).is_fresh


def test_only_the_next_hop_is_compared(store: ResultStore) -> None:
    """A grandparent that advanced makes its child stale, and the grandchild only once that is made again."""
    make(store, "a")
    child(store, "b", "a")
    child(store, "c", "b")
    make(store, "a", numbers(4))
    assert store.staleness("b", definition()).staleness == "stale"
    assert store.staleness("c", definition()).is_fresh
    make(store, "b", numbers(5), inputs=on(store.current("a")))
    assert store.staleness("c", definition()).staleness == "stale"


def test_a_parent_that_was_dropped_has_vanished(store: ResultStore) -> None:
    """A recorded input whose table is gone: the table can never be reproduced from it."""
    make(store, "parent")
    child(store, "child", "parent")
    store.drop("parent")
    assert store.staleness("child", definition()) == Staleness.stale([StaleReason.input_vanished("parent")])


@pytest.mark.parametrize("anchor", [UNPINNED, FILE, COUNTER])
def test_an_input_without_a_surface_is_undecidable(store: ResultStore, anchor: InputAnchor) -> None:
    """An instant is no id, and a version without a surface cannot be looked up: never a made-up `fresh`."""
    make(store, "t", inputs=[anchor])
    assert store.staleness("t", definition()) == Staleness.undecidable([anchor.source])


def test_what_is_certain_is_said_beside_what_is_not(store: ResultStore) -> None:
    """Undecidable: definition first, then inputs, decided and undecided, each in the order recorded."""
    gone, moved = make(store, "gone"), make(store, "moved")
    inputs = [UNPINNED, *on(moved), FILE, *on(gone), COUNTER]
    make(store, "t", inputs=inputs)
    now = make(store, "moved", numbers(4))
    store.drop("gone")
    assert store.staleness("t", OTHER).to_dict() == {
        "staleness": "undecidable",
        "unpinned": ["api:rates", "file:raw.csv", "counter:orders"],
        "decided_reasons": [
            {"reason": "definition_changed", "recorded": definition(), "current": OTHER},
            {
                "reason": "input_advanced",
                "source": "moved",
                "recorded": moved.artifact_digest,
                "current": now.artifact_digest,
            },
            {"reason": "input_vanished", "source": "gone"},
        ],
    }


def test_a_row_from_before_the_contract_has_no_verdict(store: ResultStore) -> None:
    """Without a recorded definition there is nothing to compare: a truthful unknown, over whatever inputs."""
    make(store, "t")
    for rows in ("materializations", "pointers"):
        execute(store, f"UPDATE {rows} SET definition_hash = NULL, anchor_set_id = NULL")
    assert store.staleness("t", definition()) == Staleness.missing_manifest()
    assert dict(store.sweep({"t": definition()})) == {"t": Staleness.missing_manifest()}


def test_the_tables_own_bytes_are_not_looked_at(store: ResultStore) -> None:
    """The verdict is on definition and inputs, as in the engine: a table whose bytes are gone can be fresh."""
    record = make(store, "t")
    store.artifacts.delete(record.artifact_path)
    assert store.staleness("t", definition()).is_fresh


def test_the_parents_row_tells_its_digest(store: ResultStore) -> None:
    """Our catalog asks the row: a parent whose sidecar and bytes are gone still has its recorded digest."""
    parent = make(store, "parent")
    child(store, "child", "parent")
    store.artifacts.delete(parent.artifact_path)
    store.artifacts.delete(parent.artifact_path.replace(".parquet", ".materialization.json"))
    assert store.staleness("child", definition()).is_fresh


# --- surfaces -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("anchor", "version"), [(FILE, "v1"), (COUNTER, "7")])
def test_a_surface_decides_a_version(store: ResultStore, anchor: InputAnchor, version: str) -> None:
    """Equal is fresh, another is advanced, none is vanished; a surface of another input says nothing."""
    make(store, "t", inputs=[anchor])

    def ask(surface: Surface) -> Staleness:
        verdict = store.staleness("t", definition(), surfaces=[surface])
        assert dict(store.sweep({"t": definition()}, surfaces=[surface])) == {"t": verdict}
        return verdict

    assert ask(Surface(anchor.source, version)).is_fresh
    assert ask(Surface(anchor.source, "8")) == Staleness.stale(
        [StaleReason.input_advanced(anchor.source, version, "8")]
    )
    assert ask(Surface(anchor.source, None)) == Staleness.stale([StaleReason.input_vanished(anchor.source)])
    assert ask(Surface(f"{anchor.source}x", version)) == Staleness.undecidable([anchor.source])


def test_no_surface_makes_an_instant_an_id(store: ResultStore) -> None:
    """An unpinned input stays undecidable, whatever a surface of its name says."""
    make(store, "t", inputs=[UNPINNED])
    surface = Surface(UNPINNED.source, UNPINNED.anchor)
    assert store.staleness("t", definition(), surfaces=[surface]) == Staleness.undecidable([UNPINNED.source])
    assert surface.asked == 0


def test_a_file_is_a_surface(store_at: StoreAt) -> None:
    """The surface that a step reads through answers for it afterwards."""
    store = store_at()
    store_at.root.mkdir(parents=True, exist_ok=True)
    raw = store_at.root / "raw.csv"
    raw.write_text("a")
    surface = file(raw, name="raw.csv")
    version = surface.observe()
    assert version is not None
    make(store, "t", inputs=[InputAnchor.source_version("file:raw.csv", version)])
    assert store.staleness("t", definition(), surfaces=[surface]).is_fresh
    raw.write_text("b")
    assert store.staleness("t", definition(), surfaces=[surface]).staleness == "stale"
    raw.unlink()
    assert store.staleness("t", definition(), surfaces=[surface]) == Staleness.stale(
        [StaleReason.input_vanished("file:raw.csv")]
    )


class _Old(Surface):
    """A surface that looked a while ago."""

    def __init__(self, source: str, version: str, age: timedelta | None) -> None:
        super().__init__(source, version)
        self.observed_at = None if age is None else datetime.now(timezone.utc) - age


def test_a_verdict_says_when_each_surface_was_observed(store: ResultStore) -> None:
    """Beside the verdict, and no part of it: neither of its JSON nor of its equality."""
    make(store, "t", inputs=[FILE, COUNTER, UNPINNED])
    old = _Old(COUNTER.source, "7", timedelta(hours=1))
    before = datetime.now(timezone.utc)
    verdict = store.staleness("t", definition(), surfaces=[Surface(FILE.source, "v1"), old])
    assert old.observed_at is not None
    assert set(verdict.observed_at) == {FILE.source, COUNTER.source}
    assert verdict.observed_at[COUNTER.source] == old.observed_at.isoformat()
    assert before <= datetime.fromisoformat(verdict.observed_at[FILE.source]) <= datetime.now(timezone.utc)
    assert verdict == Staleness.undecidable([UNPINNED.source])
    assert "observed_at" not in verdict.to_dict()
    assert hash(verdict) == hash(Staleness.undecidable([UNPINNED.source]))


def test_past_its_age_an_observation_decides_nothing(store: ResultStore) -> None:
    """An observation older than `max_observation_age` is undecidable, and so is one that never was."""
    make(store, "t", inputs=[COUNTER])
    hour = timedelta(hours=1)

    def ask(age: timedelta | None, most: float | None) -> str:
        surface = _Old(COUNTER.source, "7", age)
        options = {"surfaces": [surface], "max_observation_age": most}
        verdict = store.staleness("t", definition(), **options)  # type: ignore[arg-type]
        assert dict(store.sweep({"t": definition()}, **options)) == {"t": verdict}  # type: ignore[arg-type]
        anchor = store.current_anchor(COUNTER, **options)  # type: ignore[arg-type]
        assert (anchor == CurrentAnchor.version("7")) == verdict.is_fresh
        return verdict.staleness

    assert ask(hour, None) == "fresh"
    assert ask(hour, 3601) == "fresh"
    assert ask(hour, 3599) == "undecidable"
    assert ask(None, None) == "undecidable"


# --- current_anchor ------------------------------------------------------------------------------------


def test_the_present_state_of_each_kind_of_input(store: ResultStore) -> None:
    """A table's digest; undecidable for an instant and for versions without a surface; vanished where it is gone."""
    parent = make(store, "parent")
    digest = InputAnchor.result_digest("parent", "00" * 32)
    assert store.current_anchor(digest) == CurrentAnchor.result_digest(str(parent.artifact_digest))
    assert store.current_anchor(InputAnchor.result_digest("none", "00" * 32)) == CurrentAnchor.vanished()
    for anchor in (UNPINNED, FILE, COUNTER):
        assert store.current_anchor(anchor) == CurrentAnchor.undecidable()
    assert store.current_anchor(FILE, surfaces=[Surface(FILE.source, "v2")]) == CurrentAnchor.version("v2")
    assert store.current_anchor(FILE, surfaces=[Surface(FILE.source, None)]) == CurrentAnchor.vanished()


# --- what is asked, and how often ------------------------------------------------------------------------


def test_an_unknown_table_has_no_verdict(store: ResultStore) -> None:
    """An error that suggests near names; a definition that is no hash is another."""
    make(store, "flights")
    with pytest.raises(UnknownTable, match="flights"):
        store.staleness("flihgts", definition())
    with pytest.raises(InvalidField):
        store.staleness("flights", "x")


def test_a_fan_in_is_judged_in_few_queries(store: ResultStore) -> None:
    """The number of queries does not grow with the number of inputs."""
    parents = [make(store, f"p{i}") for i in range(4)]
    anchors = [InputAnchor.result_digest(f"none{i}", "00" * 32) for i in range(3000)]
    make(store, "t", inputs=[*anchors, *on(*parents)])
    with counted(store) as statements:
        verdict = store.staleness("t", definition())
    assert verdict == Staleness.stale([StaleReason.input_vanished(a.source) for a in anchors])
    assert len(statements) <= 3
