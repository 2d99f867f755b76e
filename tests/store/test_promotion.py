"""Tables of one deployment made current in another one: the plan, the promotion, its refusals, and the way back."""

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from core_kit import make, numbers, values
from store_kit import OTHER, StoreAt, Surface, child, definition, execute, files, on, rows

from benchmarks.statements import statements
from jammi_dagster import InputAnchor, ResultStore
from jammi_dagster.catalog import HoldRows, MaterializationRecord, Outbox
from jammi_dagster.errors import (
    CatalogReadOnly,
    InvalidField,
    InvalidStore,
    InvalidTableName,
    JammiError,
    PlanOutdated,
    PromotionRefused,
    TableHeld,
    UnknownTable,
)
from jammi_dagster.planning.promotion import Promotion, PromotionPlan

# rules of the catalog are proved on both databases, others on the quickest
_file, _postgres = (pytest.param(name, marks=pytest.mark.slow) for name in ("file", "postgres"))
on_both = pytest.mark.parametrize("store_at", ["memory", _file, "postgres"], indirect=True)
on_both_slowly = pytest.mark.parametrize("store_at", ["memory", _postgres], indirect=True)
on_one = pytest.mark.parametrize("store_at", ["memory"], indirect=True)


def _slowly(value: Any) -> Any:
    return pytest.param(value, marks=pytest.mark.slow)


@pytest.fixture
def branch(store: ResultStore) -> ResultStore:
    """A branch beside production (`store`, the default deployment), which has `up`, `down` over it and `side`.

    The branch has another `up`, a `down` over that, a `new` table, and production's `side`.
    """
    make(store, "up", numbers(1))
    child(store, "down", "up")
    side = make(store, "side")
    branch = store.beside(deployment="branch")
    make(branch, "up", numbers(2), step=2)
    child(branch, "down", "up")
    make(branch, "new", numbers(4))
    start = branch.writer.next_start()
    branch.writer.point([("side", side.materialization_id)], start_sequence=start, run_id="run")
    return branch


def _ids(store: ResultStore) -> dict[str, str]:
    return {table: store.current(table).materialization_id for table in store.tables()}


def _state(store: ResultStore) -> dict[str, Any]:
    """Everything in the catalog but the counters."""
    return {name: found for name, found in rows(store).items() if name != "catalog_state"}


# --- plan and promotion --------------------------------------------------------------------------------------


@on_both
def test_all_tables_that_differ_are_promoted_at_once(
    store: ResultStore, branch: ResultStore, tmp_path: Path
) -> None:
    """Under one sequence, with no byte copied; the history, the record and the outbox say so."""
    before, there = _ids(store), files(Path(store.artifacts.name))
    plan = branch.promotion_plan("default")
    assert [(row.table, row.materialization, row.target_materialization) for row in plan.rows] == [
        ("down", _ids(branch)["down"], before["down"]),
        ("new", _ids(branch)["new"], None),
        ("up", _ids(branch)["up"], before["up"]),
    ]
    assert (plan.source, plan.target, plan.refusals, plan.becoming_stale) == ("branch", "default", {}, ())
    assert plan["up"].source_sequence == branch.moves("up")[0].sequence

    done = branch.promote("default", plan=plan, by="ada", reason="release 7")

    assert _ids(store) == _ids(branch)
    assert {
        table: data for table, data in files(Path(store.artifacts.name)).items() if table in there
    } == there
    moves = [store.moves(table)[0] for table in ("down", "new", "up")]
    assert {(move.outcome, move.deployment, move.sequence, move.start_sequence) for move in moves} == {
        ("promoted", "default", done.sequence, done.sequence)
    }
    assert moves[0].reason == "from branch by ada: release 7"
    assert [move.outcome for move in store.moves("side")] == ["reused", "computed"]
    waiting = {one.table: json.loads(one.event_json) for one in Outbox(store.database, store.scope).pending()}
    assert waiting == {
        table: {"materialization": _ids(branch)[table], "why": "promoted from branch by ada: release 7"}
        for table in ("down", "new", "up")
    }
    assert (store.promotions(), branch.promotions()) == ([done], [])
    assert Promotion.from_dict(json.loads(json.dumps(done.to_dict()))) == done


@on_both
def test_an_undo_is_a_promotion_back(store: ResultStore, branch: ResultStore) -> None:
    """Each table gets what it had; one that was new has no name again. It is on record, and undone in its turn."""
    before = _ids(store)
    done = branch.promote("default")
    back = PromotionPlan.from_dict(json.loads(json.dumps(done.undo().to_dict())))
    undone = store.promote("default", plan=back, by="ada")
    assert _ids(store) == before
    assert store.moves("new")[0].materialization_id is None
    assert store.moves("up")[0].reason == f"back from promotion {done.sequence} by ada"
    assert _ids(branch)["new"]
    branch.promote("default", plan=undone.undo())
    assert _ids(store) == _ids(branch)
    assert [one.plan.undoes for one in store.promotions()] == [undone.sequence, done.sequence, None]


@on_both_slowly
def test_an_undo_takes_back_nothing_that_has_moved_since(store: ResultStore, branch: ResultStore) -> None:
    """A later run in the target is kept; the error names the table and both places."""
    done = branch.promote("default")
    made = make(store, "up", numbers(9))
    with pytest.raises(PlanOutdated) as raised:
        store.promote("default", plan=done.undo())
    said = str(raised.value)
    for part in ("table up in deployment default", made.materialization_id, _ids(branch)["up"], "plan again"):
        assert part in said.replace("make the plan again", "plan again")


@on_one
def test_only_an_undo_of_a_promotion_on_record_goes_back(store: ResultStore, branch: ResultStore) -> None:
    """A plan that claims to be one, and would go elsewhere, is refused."""
    old = store.current("up").materialization_id
    done = branch.promote("default")
    (row,) = (row for row in done.undo().rows if row.table == "up")
    plain = done.undo().to_dict()
    plain["rows"] = [one for one in plain["rows"] if one["table"] == "up"]
    assert row.materialization == old
    with pytest.raises(PromotionRefused, match="is not on record, or went another way"):
        store.promote("default", plan=plain)
    execute(store, "DELETE FROM promotions")
    with pytest.raises(PromotionRefused, match="take its tables back with `rollback`"):
        store.promote("default", plan=done.undo())


@on_one
def test_tables_are_named_as_they_are_asked_for(store: ResultStore) -> None:
    """By name, by asset with all partitions, and as `asset@partition`; a table of the parent alone is unknown."""
    branch = store.beside(deployment="branch")
    make(store, "only/prod")
    for table in ("p[a]", "p[b]", "p[x%2Fy]", "a@b", "q/r[a]"):
        make(branch, table)

    def planned(*tables: str) -> list[str]:
        return [row.table for row in branch.promotion_plan("default", tables).rows]

    assert planned("p") == ["p[a]", "p[b]", "p[x%2Fy]"]
    assert planned("p@b", "q/r@a", "a@b") == ["p[b]", "q/r[a]", "a@b"]
    assert planned("p@x/y", "p[a]", "p@a") == ["p[x%2Fy]", "p[a]"]
    assert [row.table for row in branch.promotion_plan("default", "p@a").rows] == ["p[a]"]
    assert planned() == []
    for unknown in ("only/prod", "p[c]", "p@c", "@", "nothing"):
        with pytest.raises(UnknownTable, match="in deployment branch among its own tables"):
            planned(unknown)
    with pytest.raises(InvalidTableName):
        planned("")
    assert branch.promote("default", ["p@a", "p@b"]).plan.rows[0].table == "p[a]"
    assert store.tables() == ["only/prod", "p[a]", "p[b]"]
    assert branch.promote("default", iter(["a@b"])).plan.rows[0].table == "a@b"
    assert store.tables() == ["a@b", "only/prod", "p[a]", "p[b]"]


@on_one
def test_a_table_that_is_there_already_moves_nothing(store: ResultStore, branch: ResultStore) -> None:
    """It may be named all the same; a promotion without any move is not on record."""
    moves = len(store.moves("side"))
    done = branch.promote("default", ["side"])
    assert [row.moves for row in done.plan.rows] == [False]
    assert (len(store.moves("side")), store.promotions()) == (moves, [])
    branch.promote("default")
    assert branch.promote("default").plan.rows == ()


@on_both_slowly
def test_a_parents_table_is_not_promoted(store_at: StoreAt) -> None:
    """A branch gives its own tables alone; one that gets tables resolves their inputs by its parent's."""
    prod = store_at(deployment="prod")
    up = make(prod, "up")
    feature = store_at(deployment="feature", parent="prod")
    make(feature, "down", inputs=on(up))
    assert [row.table for row in feature.promotion_plan("prod").rows] == ["down"]
    with pytest.raises(UnknownTable, match="among its own tables"):
        feature.promotion_plan("prod", ["up"])
    other = store_at(deployment="other", parent="prod")
    make(other, "own")
    assert feature.promotion_plan("fresh").refusals.keys() == {"down"}
    done = feature.promote("other")
    assert other.current("down").answered_by == "other"
    other.promote("other", plan=done.undo())
    assert "down" not in other.tables()
    assert prod.tables() == ["up"]
    feature.promote("prod")
    assert other.undrop("down").materialization_id == prod.current("down").materialization_id


@on_one
def test_a_plan_writes_nothing(store: ResultStore, branch: ResultStore) -> None:
    """It is the dry run."""
    before = rows(store)
    branch.promotion_plan("default", ahead_of_code=True, definitions={"up": OTHER})
    assert rows(store) == before


@on_one
def test_tables_below_that_are_not_promoted_are_listed(store: ResultStore, branch: ResultStore) -> None:
    """Those over the former digest, with all below them; not one that was stale before, nor one over the new digest."""
    over = child(store, "two", "up")
    child(store, "three", "two")
    make(store, "late", inputs=[InputAnchor.result_digest("up", "ab" * 32)])
    digest = str(branch.current("up").artifact_digest)
    make(store, "early", inputs=[InputAnchor.result_digest("up", digest)])
    assert branch.promotion_plan("default").becoming_stale == ("three", "two")
    assert branch.promotion_plan("default", ["up"]).becoming_stale == ("down", "three", "two")
    assert branch.promotion_plan("default", ["new"]).becoming_stale == ()
    done = branch.promote("default")
    assert not store.staleness("two", definition()).is_fresh
    assert store.current("two") == over
    back = store.promote("default", plan=done.undo())
    assert back.plan.becoming_stale == ("early",)


@on_both_slowly
def test_a_collection_between_promotion_and_undo(store: ResultStore, branch: ResultStore) -> None:
    """An undo takes back what was marked, and it is kept again; once that was collected, the undo is refused."""
    done = branch.promote("default", ["up", "down"])
    policy = {"grace_seconds": 0}
    marked = store.collect({}, dry_run=False).marked
    assert {row.target_materialization for row in done.plan.rows} <= set(marked)
    again = store.promote("default", plan=done.undo())
    assert store.collect(policy, dry_run=False).collected == []
    store.promote("default", plan=again.undo())
    for _ in range(2):
        store.collect(policy, dry_run=False)
    with pytest.raises(PromotionRefused, match="is not ready, or not of this table"):
        store.promote("default", plan=store.promotions()[0].undo())
    assert len(values(store.read("up"))) == 2


@on_one
def test_promotions_are_forgotten_with_the_moves(store: ResultStore, branch: ResultStore) -> None:
    """Those that are older than the history that is kept."""
    branch.promote("default")
    store.prune_history(keep_for_days=1)
    assert len(store.promotions()) == 1
    store.prune_history(keep_last=1, keep_for_days=0)
    assert store.promotions() == []


@pytest.mark.parametrize("store_at", [_file, "postgres"], indirect=True)
def test_of_two_promotions_of_one_plan_one_takes_place(
    store_at: StoreAt, store: ResultStore, branch: ResultStore
) -> None:
    """Promoters in several threads, from two branches: each is whole, or refused because the other one was quicker."""
    other = store_at(deployment="other")
    for table in ("up", "new"):
        make(other, table, numbers(8), step=3)
    plans = [(one, one.promotion_plan("default", ["up", "new"])) for one in (branch, other)] * 3
    done, outdated = list[Promotion](), list[PlanOutdated]()
    begin = threading.Barrier(len(plans))

    def act(source: ResultStore, plan: PromotionPlan) -> None:
        begin.wait()
        try:
            done.append(source.promote("default", plan=plan))
        except PlanOutdated as error:
            outdated.append(error)

    threads = [threading.Thread(target=act, args=pair) for pair in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = done
    assert len(outdated) == len(plans) - 1
    assert store.promotions() == [winner]
    source = branch if winner.plan.source == "branch" else other
    assert {table: _ids(store)[table] for table in ("up", "new")} == {
        table: _ids(source)[table] for table in ("up", "new")
    }


# --- refusals -----------------------------------------------------------------------------------------------


def _moved_source(store: ResultStore, branch: ResultStore) -> None:
    make(branch, "up", numbers(7), step=2)


def _moved_target(store: ResultStore, branch: ResultStore) -> None:
    make(store, "up", numbers(7))


def _there_and_back(store: ResultStore, branch: ResultStore) -> None:
    first = store.current("up").materialization_id
    make(store, "up", numbers(7))
    store.writer.point([("up", first)], start_sequence=store.writer.next_start(), run_id="run")


def _new_in_target(store: ResultStore, branch: ResultStore) -> None:
    make(store, "new")


def _dropped_in_target(store: ResultStore, branch: ResultStore) -> None:
    store.drop("up")


def _gone_from_source(store: ResultStore, branch: ResultStore) -> None:
    branch.drop("new")


@on_both_slowly
@pytest.mark.parametrize(
    "act",
    [
        _moved_source,
        _moved_target,
        *map(_slowly, (_there_and_back, _new_in_target, _dropped_in_target, _gone_from_source)),
    ],
)
def test_pointers_that_moved_since_the_plan_are_not_promoted(
    store: ResultStore, branch: ResultStore, act: Callable[[ResultStore, ResultStore], None]
) -> None:
    """Neither in the source nor in the target, be it back to where they were; no table moves."""
    plan = branch.promotion_plan("default")
    act(store, branch)
    before = _state(store)
    with pytest.raises(
        PlanOutdated, match=r"table (up|new) in deployment \w+ is at .* \(sequence .*, not at "
    ):
        branch.promote("default", plan=plan)
    assert _state(store) == before


@on_both_slowly
def test_a_reuse_of_what_is_current_outdates_no_plan(store: ResultStore, branch: ResultStore) -> None:
    """Runs that confirm a table raise its start, and move nothing."""
    plan = branch.promotion_plan("default")
    for one in (store, branch):
        start = one.writer.next_start()
        one.writer.point([("up", _ids(one)["up"])], start_sequence=start, run_id="run")
    branch.promote("default", plan=plan)
    assert _ids(store) == _ids(branch)


@on_both_slowly
def test_a_run_that_started_before_a_promotion_does_not_move_it(
    store: ResultStore, branch: ResultStore
) -> None:
    """One that starts later does."""
    old, start = store.current("up").materialization_id, store.writer.next_start()
    branch.promote("default")
    assert not store.writer.point([("up", old)], start_sequence=start, run_id="run")[0].is_current
    start = store.writer.next_start()
    assert store.writer.point([("up", old)], start_sequence=start, run_id="run")[0].is_current


@on_both_slowly
def test_a_table_over_another_input_than_the_targets_is_refused(
    store: ResultStore, branch: ResultStore
) -> None:
    """Unless the input is promoted along; the message names both digests, and the way out."""
    plan = branch.promotion_plan("default", ["down", "new"])
    digests = [str(one.current("up").artifact_digest)[:12] for one in (branch, store)]
    (why,) = plan.refusals.values()
    assert why == (
        f"materialization {_ids(branch)['down']} was made over {digests[0]} of up, and default would have "
        f"{digests[1]}; promote up along, or make the table over that one"
    )
    before = _state(store)
    with pytest.raises(PromotionRefused) as raised:
        branch.promote("default", plan=plan)
    assert (raised.value.refusals, _state(store)) == (plan.refusals, before)
    only_here = make(branch, "x", inputs=[InputAnchor.result_digest("nowhere", "ab" * 32)])
    assert "and default has no such table" in branch.promotion_plan("default", ["x"]).refusals["x"]
    assert only_here.status == "ready"
    branch.promote("default", ["down", "up"])


@on_one
def test_inputs_that_are_no_tables_do_not_refuse(store: ResultStore, branch: ResultStore) -> None:
    """External inputs are observed just before and named in the record; one without a surface, or broken, too."""

    class Broken(Surface):
        def observe(self) -> str | None:
            raise InvalidField(what="surface", path="x", value="x", expected="an answer")

    versions = [InputAnchor.source_version(f"file:{name}", "1") for name in "abcd"]
    unpinned = InputAnchor.unpinned_at_instant("api:x", "2026-01-01T00:00:00Z")
    make(branch, "x", inputs=[*versions, unpinned])
    surfaces = [Surface("file:a", "1"), Surface("file:b", None), Broken("file:d", "1")]
    plan = branch.promotion_plan("default", ["x"], surfaces=surfaces)
    surfaces[0] = Surface("file:a", "2")
    done = branch.promote("default", plan=plan, surfaces=surfaces[:1])
    seen = {one.source: (one.recorded, one.observed) for one in done.plan["x"].surfaces}
    assert seen == {
        "file:a": ("1", "2"),
        "file:b": ("1", None),
        "file:c": ("1", None),
        "file:d": ("1", None),
    }
    assert [one.observed_at is None for one in done.plan["x"].surfaces] == [False, False, True, True]
    assert store.promotions() == [done]


@on_both
def test_a_held_table_is_not_promoted_over(store: ResultStore, branch: ResultStore) -> None:
    """The plan says so; a hold that is set after the plan refuses as well."""
    plan = branch.promotion_plan("default")
    store.rollback("up", store.current("up").materialization_id, by="ada")
    assert branch.promotion_plan("default").refusals["up"].startswith("it is held by ada since ")
    before = _state(store)
    for given in (plan, None):
        with pytest.raises(TableHeld, match="table up in deployment default: it is held by ada"):
            branch.promote("default", plan=given)
    assert _state(store) == before
    store.release("up")
    branch.promote("default", plan=plan)


@on_one
def test_a_hold_in_the_source_does_not_count(store: ResultStore, branch: ResultStore) -> None:
    """It stays there, and does not come along."""
    branch.rollback("up", _ids(branch)["up"])
    branch.promote("default")
    assert (list(branch.holds()), store.holds()) == (["up"], {})


def _deleted(branch: ResultStore, record: MaterializationRecord) -> None:
    branch.artifacts.delete(record.artifact_path)


def _cut(branch: ResultStore, record: MaterializationRecord) -> None:
    branch.artifacts.delete(record.artifact_path)
    branch.artifacts.write_bytes_durable(record.artifact_path, b"x")


def _not_ready(branch: ResultStore, record: MaterializationRecord) -> None:
    execute(
        branch,
        "UPDATE materializations SET status = 'dropped' WHERE id = :id",
        id=record.materialization_id,
    )


def _of_another_tenant(branch: ResultStore, record: MaterializationRecord) -> None:
    execute(
        branch,
        "UPDATE materializations SET tenant = 'other' WHERE id = :id",
        id=record.materialization_id,
    )


def _of_another_table(branch: ResultStore, record: MaterializationRecord) -> None:
    execute(
        branch,
        "UPDATE materializations SET table_name = 'x' WHERE id = :id",
        id=record.materialization_id,
    )


@on_one
@pytest.mark.parametrize(
    "damage", [_cut, _of_another_tenant, *map(_slowly, (_deleted, _not_ready, _of_another_table))]
)
def test_only_a_whole_ready_materialization_of_the_tenant_is_promoted(
    store: ResultStore, branch: ResultStore, damage: Callable[[ResultStore, MaterializationRecord], None]
) -> None:
    """The plan refuses, and so does a promotion of a plan from before; no other table moves either."""
    plan, record = branch.promotion_plan("default"), branch.current("new")
    damage(branch, record)
    before = _ids(store)
    assert record.materialization_id in branch.promotion_plan("default").refusals["new"]
    with pytest.raises(
        PromotionRefused,
        match=f"table new: not promoted from branch to default: .*{record.materialization_id}",
    ):
        branch.promote("default", plan=plan)
    assert _ids(store) == before


# --- ahead of the code ---------------------------------------------------------------------------------------


@on_both
def test_a_table_that_is_ahead_of_the_code_is_refused_or_held(
    store: ResultStore, branch: ResultStore
) -> None:
    """A run of the code's own definition moves nothing; the first run of the promoted one ends the hold."""
    code = {"up": definition(1), "down": definition(1), "new": definition(1)}
    plan = branch.promotion_plan("default", definitions=code)
    assert list(plan.refusals) == ["up"]
    assert f"is of definition {definition(2)[:12]}, not {definition(1)[:12]}" in plan.refusals["up"]
    with pytest.raises(PromotionRefused, match=r"table up: .* merge first, or use ahead_of_code"):
        branch.promote("default", plan=plan)

    done = branch.promote("default", plan=plan, ahead_of_code=True, by="ada", reason="hotfix")
    hold = store.holds()["up"]
    assert (hold.by, hold.reason, hold.for_definition) == ("ada", "ahead of the code: hotfix", definition(2))
    assert list(store.holds()) == ["up"]
    make(store, "up", numbers(9), step=1)
    assert store.current("up").materialization_id == done.plan["up"].materialization
    merged = make(store, "up", numbers(5), step=2)
    assert (store.current("up"), store.holds()) == (merged, {})
    assert [move.outcome for move in store.moves("up") if move.deployment == "default"] == [
        "computed",
        "promoted",
        "computed",
    ]


@on_both_slowly
def test_a_reuse_by_the_merged_code_ends_the_hold(store: ResultStore, branch: ResultStore) -> None:
    """It finds the promoted materialization, and moves nothing."""
    branch.promote("default", definitions={"up": definition(1)}, ahead_of_code=True)
    start = store.writer.next_start()
    store.writer.point([("up", _ids(branch)["up"])], start_sequence=start, run_id="run")
    assert (store.holds(), store.moves("up")[0].outcome) == ({}, "promoted")


@on_both
def test_holds_that_the_code_agrees_with_end_together(store: ResultStore, branch: ResultStore) -> None:
    """One that somebody set since, or that waits for another definition, stays."""
    code = {"up": definition(1), "down": definition(3), "new": definition(3)}
    branch.promote("default", definitions=code, ahead_of_code=True)
    before = store.holds()
    assert sorted(before) == ["down", "new", "up"]
    store.rollback("down", _ids(branch)["down"], by="ada")
    agreed = [before["up"], before["down"], replace(before["new"], for_definition=definition(3))]
    with statements() as asked:
        HoldRows(store.database, store.scope).release_agreed(agreed)
    assert sum("revision" in statement for statement, _ in asked) == 1, "they are one change of the catalog"
    assert sorted(store.holds()) == ["down", "new"]


@on_both_slowly
def test_an_undo_takes_its_own_hold_along(store: ResultStore, branch: ResultStore) -> None:
    """Not one that somebody set since."""
    before = _ids(store)
    done = branch.promote("default", definitions={"up": definition(1)}, ahead_of_code=True)
    store.rollback("up", _ids(branch)["up"], by="ada")
    with pytest.raises(TableHeld):
        store.promote("default", plan=done.undo())
    store.release("up")
    store.promote("default", plan=done.undo())
    assert (_ids(store), store.holds()) == (before, {})
    done = branch.promote("default", definitions={"up": definition(1)}, ahead_of_code=True)
    store.promote("default", plan=done.undo())
    assert (_ids(store), store.holds()) == (before, {})


# --- misuse -------------------------------------------------------------------------------------------------


@on_one
def test_a_plan_serves_only_what_it_was_made_for(store: ResultStore, branch: ResultStore) -> None:
    """Not another source, target, tenant or choice of tables; and no text that is no plan."""
    plan = branch.promotion_plan("default", ["new"])
    others: list[tuple[ResultStore, str, Sequence[str] | None]] = [
        (store.beside(deployment="other"), "default", None),
        (branch, "other", None),
        (branch.beside(tenant="acme", deployment="branch"), "default", None),
        (branch, "default", ["up"]),
    ]
    for source, to, tables in others:
        with pytest.raises(JammiError):
            source.promote(to, tables, plan)
    with pytest.raises(PromotionRefused, match="plan again here"):
        branch.promote("other", plan=plan)
    with pytest.raises(PromotionRefused, match="a deployment is not promoted to itself"):
        store.promotion_plan("default")
    with pytest.raises(InvalidStore):
        branch.promotion_plan("")
    with pytest.raises(InvalidField):
        branch.promotion_plan("default", definitions={"up": "no hash"})
    branch.promote("default", ["new"], plan.to_dict())


@on_one
def test_a_misspelt_target_is_refused(store: ResultStore, branch: ResultStore) -> None:
    """An unknown deployment is made by its first promotion, unless its name is like that of a known one."""
    assert branch.promote("prod", ["new"]).plan.rows[0].moves
    for near in ("prd", "prodd", "defaults", "Prod"):
        for refused in (branch.promotion_plan, branch.promote):
            with pytest.raises(
                PromotionRefused, match=r"no such deployment, but (prod|default); .*create=True"
            ):
                refused(near, ["new"])
        assert store.of_deployment(near).tables() == []
    plan = branch.promotion_plan("prod2", ["new"], create=True)
    assert branch.promote("prod2", plan=plan).plan.rows[0].moves
    assert branch.promote("prod2", ["new"]).plan.rows[0].moves is False
    assert branch.promote("prod3", ["new"], create=True).plan.rows[0].moves


_PLANS: list[tuple[str, Any]] = [
    ("format", 99),
    ("rows", {}),
    ("rows", [1]),
    ("source", None),
    ("becoming_stale", [1]),
    ("ahead_of_code", "yes"),
    ("undoes", -1),
    ("undoes", True),
]


@on_one
def test_a_damaged_plan_is_refused(store: ResultStore, branch: ResultStore) -> None:
    """The error names the field."""
    plain = branch.promotion_plan("default").to_dict()
    for name, value in _PLANS:
        with pytest.raises(InvalidField, match=name):
            branch.promote("default", plan={**plain, name: value})
    for name in ("table", "materialization", "source_sequence", "surfaces", "refusal"):
        bad = {**plain, "rows": [{**plain["rows"][0], name: 1.5}]}
        with pytest.raises(InvalidField, match=name):
            branch.promote("default", plan=bad)
    forged = {**plain, "rows": [{**plain["rows"][0], "source_sequence": None}]}
    with pytest.raises(PlanOutdated):
        branch.promote("default", plan=forged)


@on_both
def test_a_tenant_promotes_its_own_tables_alone(store: ResultStore, branch: ResultStore) -> None:
    """Not a global table of the branch, nor a global materialization that it reused; and it moves only its own."""
    acme = branch.beside(tenant="acme", deployment="branch")
    with pytest.raises(UnknownTable):
        acme.promotion_plan("default", ["up"])
    assert acme.promotion_plan("default").rows == ()
    make(acme, "up", numbers(6))
    child(acme, "own", "up")
    start = acme.writer.next_start()
    acme.writer.point([("new", _ids(branch)["new"])], start_sequence=start, run_id="run")
    plan = acme.promotion_plan("default")
    assert {row.table for row in plan.rows} == {"up", "own", "new"}
    assert "is a global one, of no tenant" in plan.refusals["new"]
    before = _ids(store)
    acme.promote("default", ["own", "up"])
    target = store.beside(tenant="acme")
    assert values(target.read("up")) == list(range(6))
    assert _ids(store) == before
    assert (len(target.promotions()), store.promotions()) == (1, [])
    other = store.beside(tenant="other", deployment="branch")
    with pytest.raises(PromotionRefused):
        other.promote("default", plan=target.promotions()[0].undo())


@on_one
def test_a_tenants_table_is_promoted_over_global_inputs(store: ResultStore) -> None:
    """As the target resolves them: its own one hides the global one."""
    branch = store.beside(tenant="acme", deployment="branch")
    target = store.beside(tenant="acme")
    up = make(store, "up")
    make(branch, "t", inputs=[InputAnchor.result_digest("up", str(up.artifact_digest))])
    assert branch.promotion_plan("default").refusals == {}
    make(target, "up", numbers(9))
    assert "default would have" in branch.promotion_plan("default").refusals["t"]


def test_a_read_only_store_plans_and_does_not_promote(tmp_path: Path) -> None:
    """A plan writes nothing."""
    store = ResultStore(str(tmp_path / "root"))
    make(store.beside(deployment="branch"), "t")
    store.close()
    catalog = tmp_path / "root" / "catalog.db"
    catalog.chmod(0o444)
    reopened = ResultStore(str(tmp_path / "root"), deployment="branch")
    reopened.database.read_only = True
    assert len(reopened.promotion_plan("default").rows) == 1
    with pytest.raises(CatalogReadOnly):
        reopened.promote("default")
    reopened.close()
