"""A branch reads its parent's tables where it has none, and writes its own alone."""

import itertools
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from core_kit import make, numbers, values
from store_kit import OTHER, StoreAt, child, counted, definition, execute, on, rows, verdicts

from jammi_dagster import InputAnchor, ResultStore
from jammi_dagster.artifacts import read_manifest
from jammi_dagster.catalog import CatalogReader, MaterializationRecord, models
from jammi_dagster.errors import InvalidDeployment, InvalidField, NotInHistory, TableHeld, UnknownTable
from jammi_dagster.lineage.graph import closure, edges_by_input


@pytest.fixture
def store_at(catalog_url: str, tmp_path: Path) -> Iterator[StoreAt]:
    """Opens one catalog in a file or in PostgreSQL: one in memory resolves names as a file does."""
    with StoreAt(tmp_path / "root", catalog_url) as opened:
        yield opened


# --- resolution ----------------------------------------------------------------------------------------

PLACES = ("own branch", "global branch", "own parent", "global parent")
STATES = ("no", "full", "empty")


def _tables() -> Iterator[tuple[str, Mapping[str, str]]]:
    """A table for each state of its pointers in the four places."""
    for states in itertools.product(STATES, repeat=len(PLACES)):
        yield "/".join(states), dict(zip(PLACES, states, strict=True))


def _answer(states: Mapping[str, str]) -> str | None:
    """The place that answers, by the words of the rule."""
    for level in (PLACES[:2], PLACES[2:]):
        for place in level:
            if states[place] == "full":
                return place
        if level == PLACES[:2] and any(states[place] == "empty" for place in level):
            return None
    return None


def _point(store: ResultStore, places: Mapping[str, MaterializationRecord | None], sequence: int) -> None:
    """Moves all pointers of the store's scope by hand, with their moves: it would take hundreds of runs and drops."""
    scope = {"tenant": store.scope.tenant, "deployment": store.scope.deployment}
    pointers, moves = [], []
    for table, record in places.items():
        place = {**scope, "table_name": table, "start_sequence": sequence}
        place["materialization_id"] = record and record.materialization_id
        copied = {name: record and getattr(record, name) for name in ("definition_hash", "artifact_digest")}
        made = {"made_by_tenant": record and record.tenant, "anchor_set_id": record and 1}
        pointers.append({**place, **copied, **made})
        moves.append({**place, "sequence": sequence, "outcome": "computed", "moved_at": 1.0})
    own = (models.pointers.c[name] == value for name, value in scope.items())
    with store.database.writing() as connection:
        connection.execute(models.pointers.delete().where(*own))
        connection.execute(models.pointers.insert(), pointers)
        connection.execute(models.pointer_moves.insert(), moves)


@pytest.mark.parametrize("reach", ["live", "pinned"])
def test_the_order_of_places(store_at: StoreAt, reach: str) -> None:
    """Own in the branch, global there, own in the parent, global there; an empty one hides the parent's.

    Every question about current tables gives the answer of the same place, for each state of the four.
    """
    stores = {
        place: store_at(deployment=place.split()[1], tenant="acme" if place.startswith("own") else None)
        for place in PLACES
    }
    made = {
        place: make(stores[place], place, numbers(count), step=count)
        for count, place in enumerate(PLACES, start=1)
    }
    for place, store in stores.items():
        states = {table: states[place] == "full" for table, states in _tables() if states[place] != "no"}
        _point(store, {table: made[place] if is_full else None for table, is_full in states.items()}, 1)
        if reach == "pinned" and "parent" in place:
            _point(store, {table: None if is_full else made[place] for table, is_full in states.items()}, 2)
    branch = store_at(
        deployment="branch", tenant="acme", parent="parent", parent_at=1 if reach == "pinned" else None
    )
    answers = {table: _answer(states) for table, states in _tables()}
    _agree(branch, {table: made[place] for table, place in answers.items() if place is not None})


def _agree(branch: ResultStore, expected: Mapping[str, MaterializationRecord]) -> None:
    names, every, reader = sorted(expected), [table for table, _ in _tables()], branch.reader
    ids = {table: record.materialization_id for table, record in expected.items()}
    assert isinstance(reader, CatalogReader)
    for table in every:
        found = reader.current(table)
        assert (found and found.materialization_id) == ids.get(table), table
    assert branch.tables() == names
    assert {table: one.materialization_id for table, one in reader.current_of(every).items()} == ids
    assert {name: one.record.materialization_id for name, one in reader.current_matches(every).items()} == ids
    with reader.frozen() as frozen:
        assert frozen.digests() == {table: record.artifact_digest for table, record in expected.items()}
        rows = {row.table: (row.tenant, row.definition_hash) for row in frozen.current_rows()}
        assert sorted(cost.table for cost in frozen.current_costs()) == names
    assert rows == {table: (record.tenant, record.definition_hash) for table, record in expected.items()}
    assert [row[0] for row in reader.artifacts_after("", most=999)] == names
    middle = names[len(names) // 2]
    assert sorted([*reader.neighbours(middle, most=999), middle]) == names
    swept = dict(branch.sweep(dict.fromkeys(every, definition(1))))
    assert {table: verdict.is_fresh for table, verdict in swept.items()} == {
        table: record.definition_hash == definition(1) for table, record in expected.items()
    }


def test_a_branch_judges_derives_and_probes_through_its_parent(store_at: StoreAt) -> None:
    """A parent's table is stale in the branch that changed its input; the parent's own view stays as it was."""
    prod = store_at(deployment="prod")
    raw = make(prod, "raw")
    for table, above in (("left", ["raw"]), ("right", ["raw"]), ("foot", ["left", "right"]), ("other", [])):
        child(prod, table, *above)
    branch = store_at(deployment="branch", parent="prod")
    assert {verdict.staleness for verdict in verdicts(branch).values()} == {"fresh"}
    assert branch.derives_from_closure("raw") == prod.derives_from_closure("raw")
    assert branch.probe_cache(definition(), []) == prod.current("other").materialization_id

    make(branch, "raw", numbers(7))
    child(branch, "left", "raw")
    assert {table: verdict.staleness for table, verdict in verdicts(branch).items()} == {
        "foot": "fresh",  # its inputs are of equal bytes
        "left": "fresh",
        "other": "fresh",
        "raw": "fresh",
        "right": "stale",
    }
    assert {verdict.staleness for verdict in verdicts(prod).values()} == {"fresh"}
    assert [edge.derived for edge in branch.derives_from("raw")] == ["right", "left"]
    assert {edge.derived for edge in branch.derives_from_closure("raw")} == {"left", "right", "foot"}
    assert values(branch.read("raw")) == list(range(7))
    assert values(prod.read("raw")) == values(branch.read("raw", at=raw.materialization_id)) == [0, 1, 2]
    assert branch.history("raw") == prod.history("raw")


def test_live_and_pinned(store_at: StoreAt) -> None:
    """A live branch sees its parent's moves at once; a pinned one none after its sequence, no drop and no new name."""
    prod = store_at(deployment="prod")
    make(prod, "moved")
    make(prod, "dropped")
    at = prod.sequence()
    make(prod, "moved", numbers(5))
    make(prod, "new")
    live = store_at(deployment="live", parent="prod")
    pinned = store_at(deployment="pinned", parent="prod", parent_at=at)
    assert live.tables() == ["dropped", "moved", "new"]
    assert len(values(live.read("moved"))) == 5
    assert pinned.tables() == ["dropped", "moved"]
    assert len(values(pinned.read("moved"))) == 3
    assert pinned.current("moved").answered_by == "prod"
    make(pinned, "moved", numbers(9))
    assert pinned.current("moved").answered_by == "pinned"
    with pytest.raises(NotInHistory):
        pinned.read("new", at=prod.sequence())
    assert len(values(live.read("moved", at=at))) == 3


def test_an_emptied_pointer_hides_the_parents(store_at: StoreAt) -> None:
    """A branch drops a table of its parent for itself alone, whether it had a pointer of its own or not."""
    prod = store_at(deployment="prod")
    for table in ("read", "own"):
        make(prod, table)
    branch = store_at(deployment="branch", parent="prod")
    make(branch, "own", numbers(5))
    for table in ("read", "own"):
        branch.drop(table)
        with pytest.raises(UnknownTable):
            branch.current(table)
        with pytest.raises(UnknownTable):
            branch.drop(table)
        assert len(values(prod.read(table))) == 3
        assert branch.moves(table)[0].outcome == "dropped"
        with pytest.raises(NotInHistory, match="it was dropped"):
            branch.read(table, at=branch.sequence())
    assert branch.tables() == []
    make(branch, "read", numbers(1))
    assert len(values(branch.read("read"))) == 1


def test_a_table_of_the_parent_is_rolled_back_there(store_at: StoreAt) -> None:
    """A branch has no pointer to hold: the error says whose the table is."""
    prod = store_at(deployment="prod")
    first = make(prod, "t")
    with pytest.raises(UnknownTable, match="one of prod, which no branch rolls back"):
        store_at(deployment="branch", parent="prod").rollback("t", first.materialization_id)


# --- writes --------------------------------------------------------------------------------------------


def _texts(parameters: Any) -> list[str]:
    """Every text among a statement's parameters."""
    if isinstance(parameters, str):
        return [parameters]
    if isinstance(parameters, Mapping):
        parameters = parameters.values()
    return [text for one in parameters for text in _texts(one)] if hasattr(parameters, "__iter__") else []


def _code(version: str) -> dict[str, Any]:
    """A descriptor of an asset with code of this version."""
    code = {"kind": "source", "digest": version, "components": {"function t (t.py)": version}}
    return {"producer": "dagster_asset", "code": code}


def test_no_write_of_a_branch_names_the_parent(store_at: StoreAt) -> None:
    """Every statement of a branch is looked at: only its own row among the deployments holds the parent's name.

    The parent's pointers and moves are as before.
    """
    prod = store_at(deployment="prod")
    for table in ("a", "b", "c"):
        make(prod, table)
    before = rows(prod)
    branch = store_at(deployment="branch", parent="prod")
    with counted(branch) as asked:
        make(branch, "a", numbers(7))
        child(branch, "over a parent's", "a", "b")
        start = branch.writer.next_start()
        branch.writer.point(
            [("c", prod.current("c").materialization_id)],
            start_sequence=start,
            run_id="r",
            events={"c": "{}"},
        )
        branch.drop("b")
        branch.rollback("a", branch.current("a").materialization_id)
        branch.release("a")
        branch.undrop("b")
        branch.drop("b")
        branch.undrop("b")
        made = branch.materialize("refactored", numbers(1), descriptor=_code("1"), env={}, inputs=[])
        branch.accept(made.table, descriptor=_code("2"), env={}, inputs=[], reason="renamed", by="ada")
        branch.pin("a").release()
        branch.read("c")
        branch.prune(["a", "c"], dry_run=False)
        branch.collect({"grace_seconds": 0}, dry_run=False)
        branch.prune_history()
        branch.recover()
        branch.adopt()
        branch.expire_deployments()
        branch.drop_deployment("branch")
    writes = [
        (text, given) for text, given in asked if text.split()[0].upper() in ("INSERT", "UPDATE", "DELETE")
    ]
    assert len(writes) > 20
    naming = [text for text, given in writes if "prod" in _texts(given) or "'prod'" in text]
    assert naming
    assert all(text.startswith("INSERT INTO deployments") for text in naming), naming
    after = rows(prod)
    for name in ("pointers", "pointer_moves", "outbox"):
        place = 1 if name != "pointer_moves" else 2
        of_prod = [row for row in after[name] if row[place] == "prod"]
        assert of_prod == [row for row in before[name] if row[place] == "prod"], name


def test_the_answers_of_inputs_are_recorded_beside_the_anchors(store_at: StoreAt) -> None:
    """Sidecar and record have each input's deployment and materialization; no hash moves: the two hit each other."""
    prod = store_at(deployment="prod")
    make(prod, "up")
    make(prod, "both", numbers(4))
    branch = store_at(deployment="branch", parent="prod")
    make(branch, "both", numbers(4))
    made = child(branch, "down", "up", "both")
    record = branch.current("down")
    answers = {
        "up": ("prod", prod.current("up").materialization_id),
        "both": ("branch", branch.current("both").materialization_id),
    }
    assert record.answers == answers
    manifest = read_manifest(branch.artifacts, record.artifact_path)
    assert manifest is not None
    assert manifest.own is not None
    assert manifest.own["answers"] == {source: list(answer) for source, answer in answers.items()}
    assert "answers" not in json.dumps([manifest.descriptor.to_dict(), manifest.env.to_dict()])

    again = child(prod, "down", "up", "both")
    assert (again.definition_hash, again.input_anchors) == (made.definition_hash, made.input_anchors)
    assert again.artifact_digest == made.artifact_digest
    inputs = on(prod.current("up"), prod.current("both"))
    assert prod.probe_cache(definition(), inputs) == again.materialization_id
    assert branch.probe_cache(definition(), inputs) == made.materialization_id
    assert {row.materialization_id for row in prod.reader.matches(str(definition()), _set_key(made))} == {
        made.materialization_id,
        again.materialization_id,
    }


def _set_key(record: Any) -> str:
    from jammi_dagster.contract import anchor_set_key

    return anchor_set_key(record.input_anchors)


def test_answers_come_back_with_a_lost_catalog(store_at: StoreAt, tmp_path: Any) -> None:
    """Adoption reads them from the sidecar."""
    prod = store_at(deployment="prod")
    make(prod, "up")
    made = child(store_at(deployment="branch", parent="prod"), "down", "up")
    found = ResultStore(str(store_at.root), str(tmp_path / "new.db"), deployment="branch", parent="prod")
    found.adopt(take_over=True)
    assert found.current("down").answers == {"up": ("prod", prod.current("up").materialization_id)}
    assert found.current("down").materialization_id == made.materialization_id
    found.close()


# --- budgets -------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("tenant", [None, "acme"])
def test_as_many_statements_as_without_a_parent(store_at: StoreAt, tenant: str | None) -> None:
    """A sweep and a closure of a branch take the statements that they take of a deployment of its own."""
    prod = store_at(deployment="prod", tenant=tenant)
    make(prod, "t0")
    for i in range(1, 5):
        child(prod, f"t{i}", f"t{i - 1}")
    at = prod.sequence()
    asked: dict[str, int] = {}
    for name, store in {
        "plain": prod,
        "live": store_at(deployment="a", parent="prod", tenant=tenant),
        "pinned": store_at(deployment="b", parent="prod", parent_at=at, tenant=tenant),
    }.items():
        with counted(store) as statements:
            assert len(list(store.sweep(dict.fromkeys(store.tables(), definition())))) == 5
            assert len(store.derives_from_closure("t0")) == 4
            assert len(closure("t0", edges_by_input(store.reader.edges()))) == 4
        asked[name] = len(statements)
    assert asked["plain"] == asked["live"] == asked["pinned"] <= 8


# --- beginning and end ---------------------------------------------------------------------------------


def test_a_branch_has_a_row_once_it_writes(store_at: StoreAt) -> None:
    """Reading makes none; the first write does, and each later one renews the time that it has."""
    prod = store_at(deployment="prod")
    make(prod, "t")
    branch = store_at(deployment="branch", parent="prod", ttl_days=2)
    branch.read("t")
    assert branch.deployments() == []
    make(branch, "u")
    (row,) = branch.deployments()
    assert (row.name, row.parent, row.parent_at) == ("branch", "prod", None)
    assert row.expires_at is not None
    execute(branch, "UPDATE deployments SET expires_at = expires_at - 86400")
    make(store_at(deployment="branch", parent="prod", ttl_days=2), "u")
    (again,) = prod.deployments()
    assert again.expires_at is not None
    assert (again.created_at, again.expires_at >= row.expires_at) == (row.created_at, True)
    made = branch.current("u").materialization_id
    for act, given in (("drop", ()), ("undrop", ()), ("rollback", (made,))):
        execute(branch, "UPDATE deployments SET expires_at = expires_at - 86400")
        getattr(branch, act)("u", *given)
        (again,) = prod.deployments()
        assert again.expires_at is not None
        assert again.expires_at >= row.expires_at, act
    branch.release("u")
    pinned = store_at(deployment="branch", parent="prod", parent_at=prod.sequence())
    make(pinned, "u")
    assert [(one.parent_at is None, one.expires_at) for one in prod.deployments()] == [(False, None)]


def test_a_dropped_branch_leaves_nothing_that_hides(store_at: StoreAt) -> None:
    """Its names go, its moves tell so, and the same name begins anew; no other deployment goes, and no held table."""
    prod = store_at(deployment="prod")
    make(prod, "t")
    branch = store_at(deployment="branch", parent="prod")
    make(branch, "t", numbers(5))
    make(branch, "held")
    branch.rollback("held", branch.current("held").materialization_id)
    with pytest.raises(TableHeld):
        prod.drop_deployment("branch")
    assert len(values(branch.read("t"))) == 5
    branch.release("held")
    prod.drop_deployment("branch")
    assert prod.deployments() == []
    again = store_at(deployment="branch", parent="prod")
    assert again.tables() == ["t"]
    assert len(values(again.read("t"))) == len(values(again.read("t", at=again.sequence()))) == 3
    assert again.moves("held")[0].outcome == "ended"
    for name in ("prod", "branch", "never"):
        with pytest.raises(InvalidDeployment, match="it is no branch"):
            prod.drop_deployment(name)
    make(again, "t", numbers(6))
    assert len(values(again.read("t"))) == 6
    assert [one.name for one in prod.deployments()] == ["branch"]


def test_a_branch_whose_time_has_come_ends(store_at: StoreAt) -> None:
    """Its pointers go, and no other's: a branch with time left, one that lasts, and a deployment that is none."""
    prod = store_at(deployment="prod")
    make(prod, "t")
    for name, days in (("old", 1.0), ("young", 3.0), ("lasting", None)):
        make(store_at(deployment=name, parent="prod", ttl_days=days), "t", numbers(4))
    assert prod.expire_deployments() == []
    held = store_at(deployment="held", parent="prod", ttl_days=1.0)
    make(held, "t")
    held.rollback("t", held.current("t").materialization_id)
    execute(prod, "UPDATE deployments SET expires_at = expires_at - 172800")
    assert prod.expire_deployments() == ["old"]  # one in which a table is held keeps no other
    held.release("t")
    assert prod.expire_deployments() == ["held"]
    assert [one.name for one in prod.deployments()] == ["lasting", "young"]
    assert {
        name: len(store_at(deployment=name).tables()) for name in ("old", "young", "lasting", "prod")
    } == {
        "old": 0,
        "young": 1,
        "lasting": 1,
        "prod": 1,
    }


def test_whoever_names_a_branch_does_not_change_its_end(store_at: StoreAt) -> None:
    """A command opens it by its name alone, without the time that its code gives it."""
    prod = store_at(deployment="prod")
    make(prod, "t")
    for days in (3.0, None):
        make(store_at(deployment="branch", parent="prod", ttl_days=days), "t", numbers(4))
        (before,) = prod.deployments()
        for parent in (None, "prod"):
            branch = prod.of_deployment("branch", parent)
            branch.drop("t")
            branch.undrop("t")
            make(branch, "t", numbers(5))
        (after,) = prod.deployments()
        if before.expires_at is None or after.expires_at is None:
            assert (before.expires_at, after.expires_at, days) == (None, None, None)
            continue
        was, ends = map(datetime.fromisoformat, (before.expires_at, after.expires_at))
        assert abs(ends - was) < timedelta(minutes=1)


def test_a_tenant_ends_its_own_part_of_a_branch(store_at: StoreAt) -> None:
    """Two tenants may have a branch of one name: each drops its own tables, and the row goes with the last."""
    make(store_at(deployment="prod"), "t")
    for tenant in ("a", "b"):
        make(store_at(deployment="branch", parent="prod", tenant=tenant), "u")
    a, b = (store_at(deployment="branch", parent="prod", tenant=tenant) for tenant in ("a", "b"))
    a.drop_deployment("branch")
    assert (a.tables(), b.tables()) == (["t"], ["t", "u"])
    assert [one.name for one in b.deployments()] == ["branch"]
    b.drop_deployment("branch")
    assert b.deployments() == []


def test_one_parent_and_no_chains(store_at: StoreAt) -> None:
    """A branch of a branch, a parent that turns into a branch, another parent, itself: each is refused when opened."""
    make(store_at(deployment="prod"), "t")
    make(store_at(deployment="branch", parent="prod"), "t")
    for deployment, parent, why in (
        ("twig", "branch", "its parent branch is a branch of prod.*name parent='prod'"),
        ("prod", "other", "it is the parent of branch branch"),
        ("branch", "other", "it is a branch of prod, not of other"),
        ("x", "x", "its own parent"),
    ):
        with pytest.raises(InvalidDeployment, match=why):
            store_at(deployment=deployment, parent=parent)
    for sequence in (-1, 2**63, True, "now"):
        with pytest.raises(InvalidField):
            store_at(deployment="y", parent="prod", parent_at=sequence)
    with pytest.raises(InvalidDeployment, match="belongs to a parent"):
        store_at(deployment="y", parent_at=1)
    for days in (0, -1, float("nan"), float("inf")):
        with pytest.raises(InvalidField):
            store_at(deployment="y", parent="prod", ttl_days=days)


def test_pruning_keeps_what_a_pinned_branch_reads(store_at: StoreAt) -> None:
    """The move that tells a pinned sequence stays while the branch lives, however old it is."""
    prod = store_at(deployment="prod")
    first = make(prod, "t")
    at = prod.sequence()
    branch = store_at(deployment="branch", parent="prod", parent_at=at)
    make(branch, "u")
    for count in range(4, 9):
        make(prod, "t", numbers(count))
    prod.prune_history(keep_last=1, keep_for_days=0)
    assert branch.current("t").materialization_id == first.materialization_id
    prod.drop_deployment("branch")
    assert prod.prune_history(keep_last=1, keep_for_days=0) > 0
    assert [move.sequence for move in prod.moves("t")] == [prod.moves("t")[0].sequence]


# --- names ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "given", "expected"),
    [
        ({}, {}, ("default", None)),
        ({"JAMMI_DEPLOYMENT": "mine"}, {}, ("mine", None)),
        ({"JAMMI_DEPLOYMENT": "mine", "JAMMI_PARENT": "prod"}, {}, ("mine", "prod")),
        ({"JAMMI_DEPLOYMENT": "mine", "JAMMI_PARENT": "prod"}, {"deployment": "given"}, ("given", None)),
        ({"JAMMI_PARENT": "above"}, {"parent": "given"}, ("default", "given")),
        ({"DAGSTER_CLOUD_GIT_BRANCH": "fix/x"}, {"parent": "prod"}, ("fix/x", "prod")),
        ({"DAGSTER_CLOUD_GIT_BRANCH": "fix", "JAMMI_DEPLOYMENT": "mine"}, {}, ("mine", None)),
        ({"DAGSTER_CLOUD_DEPLOYMENT_NAME": "prod"}, {"parent": "prod"}, ("prod", None)),
        (
            {"DAGSTER_CLOUD_DEPLOYMENT_NAME": "7e2f", "DAGSTER_CLOUD_GIT_BRANCH": "fix"},
            {"parent": "prod"},
            ("fix", "prod"),
        ),
        (
            {
                "DAGSTER_CLOUD_DEPLOYMENT_NAME": "prod",
                "DAGSTER_CLOUD_GIT_BRANCH": "main",
                "DAGSTER_CLOUD_IS_BRANCH_DEPLOYMENT": "0",
            },
            {"parent": "prod"},
            ("prod", None),
        ),
    ],
)
def test_names_from_the_environment(
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
    variables: Mapping[str, str],
    given: Mapping[str, Any],
    expected: tuple[str, str | None],
) -> None:
    """An argument wins, then our own variable, then Dagster+'s; production is not its own branch."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    store = ResultStore(str(tmp_path), **given)
    assert (store.scope.deployment, store.scope.parent) == expected
    store.close()


def test_a_reuse_of_a_parents_table_is_the_branchs_own_from_then_on(store_at: StoreAt) -> None:
    """The pointer of a reuse is the branch's, whatever becomes of the parent's."""
    prod = store_at(deployment="prod")
    made = make(prod, "t")
    branch = store_at(deployment="branch", parent="prod")
    start = branch.writer.next_start()
    branch.writer.point([("t", made.materialization_id)], start_sequence=start, run_id=None)
    make(prod, "t", numbers(9), step=2)
    assert branch.current("t").materialization_id == made.materialization_id
    assert branch.current("t").answered_by == "branch"
    assert branch.staleness("t", OTHER).staleness == "stale"
    assert branch.current_anchor(InputAnchor.result_digest("t", OTHER)).value == made.artifact_digest
