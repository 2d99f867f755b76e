"""For each public method a call that would reach another tenant's rows if it could; what it tells is the result.

Cases run in the order written, on one world: what changes the own side's rows comes last.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from core_kit import ENV, descriptor, make, numbers
from store_kit import OTHER, execute, output, recovery_of
from tenants_kit import World, definition_of, lease_of

from jammi_dagster import InputAnchor, ResultStore
from jammi_dagster.artifacts import read_manifest, sidecar_path
from jammi_dagster.catalog import (
    AcceptanceRows,
    AdoptedRow,
    AdoptionRows,
    BindingRows,
    BranchRows,
    BuildingRow,
    Busy,
    CatalogReader,
    CollectionRows,
    Flight,
    HoldRows,
    Lease,
    LineageRows,
    MoveRows,
    Outbox,
    PromotionRows,
    ReadLeaseRows,
    ReadyRow,
    RecoveryRows,
    UndropRows,
)
from jammi_dagster.contract import Acceptance, anchor_set_key
from jammi_dagster.errors import (
    InvalidDeployment,
    InvalidField,
    InvalidStore,
    LeaseLost,
    NotDropped,
    NotInHistory,
    PlanOutdated,
    PromotionRefused,
    UnknownTable,
)
from jammi_dagster.maintenance import Judge, RetentionPolicy, RunFolders
from jammi_dagster.planning.promotion import PromotedTable, PromotionPlan
from jammi_dagster.recording import Attempt, ReadLeases, Recorder
from jammi_dagster.sensing import Observations, Resolver

Case = Callable[[World], Any]
CASES: dict[tuple[str, str], Case] = {}
NOTHING = None


def no_tombstone(start_sequence: int) -> None:
    """Leaves no tombstone."""


def case(cls: str, *methods: str) -> Callable[[Case], Case]:
    """Enters the function as the case of each method."""

    def enter(function: Case) -> Case:
        for method in methods:
            CASES[cls, method] = function
        return function

    return enter


def _only(world: World) -> str:
    return f"only {world.other.name}"


# --- ResultStore: what it senses and reads ---------------------------------------------------------------------


@case("ResultStore", "recorded")
def _(world: World) -> Any:
    record = world.own.store.current(f"only {world.own.name}")
    return world.own.store.recorded(record).path if record.tenant == world.own.tenant else NOTHING


@case("ResultStore", "tables")
def _(world: World) -> Any:
    assert f"only {world.own.name}" in world.own.store.tables()
    return world.own.store.tables()


@case("ResultStore", "current", "read", "dataset", "verify_materialization", "producing_descriptor")
def _(world: World) -> Any:
    store = world.own.store
    told = []
    for method in (
        store.current,
        store.read,
        store.dataset,
        store.verify_materialization,
        store.producing_descriptor,
    ):
        with world.refused(UnknownTable):
            method(_only(world))
        told.append(method("shared"))
    assert store.current("shared").tenant == world.own.tenant
    return told


@case("ResultStore", "read_object")
def _(world: World) -> Any:
    with world.refused(UnknownTable):
        world.own.store.read_object(_only(world))
    with world.refused(InvalidField):  # it is a table
        world.own.store.read_object("shared")
    return []


@case("ResultStore", "why", "diff")
@case("Why", "to_dict")
@case("MaterializationDiff", "reasons", "to_dict")
@case("RowDifference", "to_dict")
def _(world: World) -> Any:
    store, others = world.own.store, world.other.shared.materialization_id
    for ask in (
        lambda: store.why(_only(world)),
        lambda: store.diff("shared", _only(world)),
        lambda: store.diff(others, "shared"),
    ):
        with world.refused(UnknownTable):
            ask()
    found = store.diff("shared", "child", keys=["n"])
    return store.why("shared").to_dict(), found.to_dict(), found.rows and found.rows.to_dict()


@case("CatalogReader", "covered", "in_scope")
def _(world: World) -> Any:
    reader, names = world.own.store.reader, [f"only {side.name}" for side in world.sides.values()]
    assert isinstance(reader, CatalogReader)
    assert reader.covered(None) >= reader.covered(names) >= {f"only {world.own.name}"}
    return reader.covered(None), reader.covered(names), reader.in_scope(world.own.store.scope).tables()


@case("CatalogReader", "deployments")
def _(world: World) -> Any:
    reader = world.own.store.reader
    assert isinstance(reader, CatalogReader)
    return reader.deployments()


@case("ResultStore", "deployments", "sequence", "of_deployment")
@case("BranchRows", "check", "check_time", "find", "listed", "sequence")
def _(world: World) -> Any:
    store = world.own.store
    branch = store.beside(tenant=store.scope.tenant or None, deployment="b", parent=store.scope.deployment)
    rows = BranchRows(branch.database, branch.scope)
    rows.check()
    rows.check_time()
    assert isinstance(rows.sequence(), int)
    assert isinstance(store.sequence(), int)
    opened = store.of_deployment("b", store.scope.deployment)
    told = [opened.tables(), branch.tables(), rows.listed(), store.deployments(), rows.find("b")]
    assert f"only {world.own.name}" in opened.tables()
    return told


@case("ResultStore", "staleness")
def _(world: World) -> Any:
    with world.refused(UnknownTable):
        world.own.store.staleness(_only(world), OTHER)
    verdict = world.own.store.staleness("child", definition_of(world.own))
    assert verdict.is_fresh
    return verdict, world.own.store.staleness("child", OTHER)


@case("ResultStore", "sweep")
def _(world: World) -> Any:
    names = [f"only {side.name}" for side in world.sides.values()]
    swept = list(world.own.store.sweep(dict.fromkeys(["child", "shared", *names], OTHER)))
    assert len(swept) >= 3
    return swept


@case("ResultStore", "history")
def _(world: World) -> Any:
    assert world.own.store.history(_only(world)) == []
    return world.own.store.history("shared")


@case("ResultStore", "moves", "holds")
@case("CatalogReader", "moves", "move_at", "holds")
def _(world: World) -> Any:
    store, reader = world.own.store, world.own.store.reader
    assert isinstance(reader, CatalogReader)
    assert store.moves(_only(world)) == []
    assert reader.move_at(_only(world), 2**62) is None
    with world.refused(NotInHistory):
        store.read(_only(world), at=2**62)
    with world.refused(NotInHistory):
        store.read("shared", at=world.other.shared.materialization_id)
    told = reader.move_at("shared", 2**62)
    assert told is not None
    assert told.materialization_id == world.own.shared.materialization_id
    return store.moves("shared"), told, store.holds(), reader.holds()


@case("ResultStore", "current_anchor")
def _(world: World) -> Any:
    anchor = world.own.store.current_anchor(InputAnchor.result_digest(_only(world), OTHER))
    assert anchor.current_anchor == "vanished"
    return anchor, world.own.store.current_anchor(InputAnchor.result_digest("shared", OTHER))


@case("ResultStore", "lookup_cached", "probe_cache", "probe_cache_record")
def _(world: World) -> Any:
    store, told = world.own.store, []
    for method in (store.lookup_cached, store.probe_cache, store.probe_cache_record):
        assert method(definition_of(world.other), world.other.inputs) is None
        told.append(method(definition_of(world.own), world.own.inputs))
        assert told[-1] is not None
        assert method(definition_of(world.shared), world.shared.inputs) is not None
    return told


@case("ResultStore", "derives_from", "derives_from_closure")
def _(world: World) -> Any:
    store = world.own.store
    for method in (store.derives_from, store.derives_from_closure):
        for name in (f"file:{world.other.name}", _only(world), f"file:{world.other.name}x"):
            with world.refused(UnknownTable):
                method(name)
    assert len(store.derives_from("shared")) == 1
    return store.derives_from("shared"), store.derives_from_closure(f"file:{world.own.name}")


@case("ResultStore", "identity", "key", "close")
def _(world: World) -> Any:
    # the key is the store's, for all tenants: it hashes, and tells nobody
    assert world.own.store.identity.tenant == world.own.tenant
    assert world.own.store.key.hmac("x") == world.other.store.key.hmac("x")
    return world.own.store.identity


@case("ResultStore", "revision")
def _(world: World) -> Any:
    return world.own.store.revision()


@case("ResultStore", "beside")
def _(world: World) -> Any:
    beside = world.own.store.beside(tenant=world.own.tenant or None, deployment="branch")
    assert beside.scope.tenant == world.own.tenant
    return beside.tables()


@case("ResultStore", "attach_engine")
def _(world: World) -> Any:
    # over an engine's catalog, which `test_an_engines_tables_of_a_tenant_are_not_seen` walks
    return NOTHING


# --- CatalogReader ------------------------------------------------------------------------------------------------


@case("CatalogReader", "state")
def _(world: World) -> Any:
    return world.own.store.reader.state()


@case("CatalogReader", "get", "annotation", "records", "annotations")
def _(world: World) -> Any:
    reader = world.own.store.reader
    ids = [side.only.materialization_id for side in world.sides.values()]
    mine = {world.own.only.materialization_id}
    assert mine <= set(reader.records(ids)) == set(reader.annotations(ids))
    assert world.other.only.materialization_id not in reader.records(ids)
    for side in (world.other, world.own):
        seen = side is world.own
        assert (reader.get(side.only.materialization_id) is not None) == seen
        assert (reader.annotation(side.only.materialization_id) is not None) == seen
    return [reader.get(side.only.materialization_id) for side in world.sides.values()], [
        reader.annotation(side.only.materialization_id) for side in world.sides.values()
    ]


@case("CatalogReader", "current", "current_of", "history", "of_run")
def _(world: World) -> Any:
    reader = world.own.store.reader
    names = [f"only {side.name}" for side in world.sides.values()]
    assert reader.current(_only(world)) is None
    assert set(reader.of_run("run", names)) == {f"only {world.own.name}"}
    return (
        reader.current_of([*names, "shared"]),
        reader.of_run("run", names),
        [reader.history(name) for name in names],
    )


@case("CatalogReader", "tables", "neighbours", "sources")
def _(world: World) -> Any:
    reader = world.own.store.reader
    assert reader.sources("file:", most=99)
    return reader.tables(), reader.neighbours("a", most=99), reader.sources("file:", most=99)


@case("CatalogReader", "annotations_of", "artifacts_after")
def _(world: World) -> Any:
    reader = world.own.store.reader
    told = reader.annotations_of([f"only {side.name}" for side in world.sides.values()])
    assert f"only {world.own.name}" in told
    artifacts = reader.artifacts_after("", most=99)
    assert [table for table, _, _ in artifacts] == sorted(reader.tables())
    return told, artifacts


@case("CatalogReader", "matches", "best_matches", "stored_definitions")
def _(world: World) -> Any:
    reader = world.own.store.reader
    for side in world.sides.values():
        key = anchor_set_key(side.inputs)
        best = reader.matches(definition_of(side), key)[:1]
        assert bool(reader.stored_definitions([definition_of(side), "none"])) == bool(best)
        assert list(reader.best_matches([(definition_of(side), key), ("none", key)]).values()) == best
    found = [
        world.own.store.reader.matches(definition_of(side), anchor_set_key(side.inputs))
        for side in world.sides.values()
    ]
    assert sum(map(len, found)) == len(world.own.store.scope.readable)
    return found


@case("CatalogReader", "current_costs", "outcomes", "outcomes_of")
def _(world: World) -> Any:
    whole = world.own.store.reader
    assert isinstance(whole, CatalogReader)
    with whole.frozen() as reader:
        costs = list(reader.current_costs())
        assert {cost.table for cost in costs} == set(reader.tables())
        of_run, every = reader.outcomes_of(["run"]), reader.outcomes(most=999)
    assert set(of_run) == {"run"}
    assert every is not None
    assert (every.computed + every.reused) >= (of_run["run"].computed + of_run["run"].reused) > 0
    return costs, of_run, every


@case("CatalogReader", "edges")
def _(world: World) -> Any:
    reader = world.own.store.reader
    assert reader.edges(f"file:{world.other.name}") == []
    assert reader.edges("shared")
    return reader.edges()


@case("CatalogReader", "frozen", "current_rows", "current_matches", "digests", "for_tenant")
def _(world: World) -> Any:
    with world.own.store.reader.frozen() as reader:
        with world.refused(InvalidField):
            reader.for_tenant(world.other.tenant)
        told: tuple[Any, ...] = (
            list(reader.current_rows()),
            reader.digests(),
            reader.current_matches([*reader.tables(), f"only {world.other.name}"]),
        )
        told += reader.tables(), reader.for_tenant("").tables()
    assert all(told[:3])
    return told


# --- sensing -------------------------------------------------------------------------------------------------------


@case("Resolver", "current_anchor", "look_up")
def _(world: World) -> Any:
    resolver = Resolver(world.own.store.reader, world.own.store.artifacts, Observations())
    names = [_only(world), f"only {world.own.name}"]
    resolver.look_up(names)
    told = [resolver.current_anchor(InputAnchor.result_digest(name, OTHER)) for name in names]
    assert [anchor.current_anchor for anchor in told] == ["vanished", "result_digest"]
    return told


# --- recovery's rows: looking ---------------------------------------------------------------------------------------


@case("RecoveryRows", "abandoned", "ready_with_manifest")
def _(world: World) -> Any:
    rows = RecoveryRows(world.own.store.database, world.own.store.scope)
    assert len(rows.abandoned()) == 2
    kept = list(rows.ready_with_manifest())
    assert len(kept) == 4
    return rows.abandoned(), kept


@case("RecoveryRows", "count_ready")
def _(world: World) -> Any:
    rows = RecoveryRows(world.own.store.database, world.own.store.scope)
    assert rows.count_ready([side.only.materialization_id for side in world.sides.values()]) == 1
    return NOTHING


@case("RecoveryRows", "named")
def _(world: World) -> Any:
    # another's objects are named, so that nobody takes them; of its own it says no more than it was asked
    rows = RecoveryRows(world.own.store.database, world.own.store.scope)
    paths = [side.only.artifact_path for side in world.sides.values()]
    assert rows.named(paths) == set(paths)
    return NOTHING


@case("RecoveryRows", "faulty_sets", "rebuild_edges", "artifacts_over", "restore_set")
def _(world: World) -> Any:
    # the index is everybody's and derived: whoever rebuilds it makes what was there
    rows = RecoveryRows(world.own.store.database, world.own.store.scope)
    rows.rebuild_edges(anchor_set_key(world.other.inputs))
    assert rows.faulty_sets() == ([], [])
    return NOTHING


@case("RecoveryRows", "stands", "bury", "has_ended")
def _(world: World) -> Any:
    rows = RecoveryRows(world.own.store.database, world.own.store.scope)
    others = world.other.only
    assert not rows.stands(others.table, "default", 2**50)
    assert not rows.has_ended("default", 1)
    assert rows.bury([side.only.materialization_id for side in world.foreign]) == []
    return NOTHING


@case("RecoveryRows", "lost", "now")
def _(world: World) -> Any:
    rows = RecoveryRows(world.own.store.database, world.own.store.scope)
    assert rows.now() > 0
    return list(rows.lost())


@case("RecoveryRows", "take", "lose", "count_ready", "note_missing", "bring_back")
def _(world: World) -> Any:
    rows = RecoveryRows(world.own.store.database, world.own.store.scope)
    lease = Lease(token="mine", owner="mine/step", seconds=60)
    for side in world.foreign:
        for attempt in (side.dead, side.whole):
            (begun,) = attempt.rows.values()
            assert not rows.take([begun.materialization_id], lease)
        for record in (side.lost, side.only):
            assert not rows.lose(record.materialization_id)
            assert not rows.bring_back(record.materialization_id)
        ids = [side.only.materialization_id]
        assert rows.count_ready(ids) == 0
        rows.note_missing(ids, missing=True)
    return NOTHING


# --- writing ---------------------------------------------------------------------------------------------------------


@case("RunFolders", "runs", "remove", "sweep")
@case("CatalogWriter", "lease_run")
def _(world: World) -> Any:
    store = world.own.store
    store.writer.lease_run("leased")
    folders = RunFolders(store.artifacts, world.own.tenant or None)
    rows = CollectionRows(store.database, store.scope)
    return [folders.runs(), folders.sweep(rows, dry_run=True), folders.sweep(rows), folders.remove("run")]


@case("CatalogWriter", "next_start")
def _(world: World) -> Any:
    return world.own.store.writer.next_start()


@case("CatalogWriter", "renew", "fail", "finish")
def _(world: World) -> Any:
    # with the very token of another's lease
    for side in world.foreign:
        (begun,) = side.live.rows.values()
        world.own.store.writer.renew(lease_of(side))
        assert world.own.store.writer.fail([begun], lease=lease_of(side)) == frozenset()
        with world.refused(LeaseLost):
            world.own.store.writer.finish([_finished(begun)], lease=lease_of(side), run_id="run")
    return NOTHING


def _finished(begun: BuildingRow) -> ReadyRow:
    return ReadyRow(
        building=begun,
        definition_hash=OTHER,
        input_anchors=[],
        artifact_digest=OTHER,
        size_bytes=1,
        row_count=1,
        writer_profile="{}",
        compute_seconds=None,
        completed_at="",
        annotation_json=None,
    )


@case("CatalogWriter", "point")
def _(world: World) -> Any:
    writer = world.own.store.writer
    with world.refused(UnknownTable):
        writer.point([(_only(world), world.other.only.materialization_id)], start_sequence=999, run_id="run")
    # a global row may be reused: the pointer that moves is the own one
    table = f"only {world.shared.name}"
    assert writer.point([(table, world.shared.only.materialization_id)], start_sequence=999, run_id="mine")
    return world.own.store.current(table)


@case("ResultStore", "drop_deployment", "expire_deployments")
@case("BranchRows", "register", "hide", "drop", "expire")
def _(world: World) -> Any:
    store, name = world.own.store, world.own.store.scope.deployment
    branch = store.beside(tenant=store.scope.tenant or None, deployment="b", parent=name)
    rows = BranchRows(branch.database, branch.scope, 1e-9)
    rows.register()
    assert rows.hide("shared")
    with world.refused(UnknownTable):
        branch.current("shared")
    assert rows.expire() == ["b"]
    assert branch.current("shared") == store.current("shared")
    rows.register()
    assert rows.drop("b")
    assert store.expire_deployments() == []
    with world.refused(InvalidDeployment):
        store.drop_deployment(name)
    return branch.moves("shared") if not world.hidden else NOTHING


@case("ResultStore", "rollback", "release", "holds")
@case("HoldRows", "roll_back", "release", "release_agreed")
def _(world: World) -> Any:
    store = world.own.store
    rows = HoldRows(store.database, store.scope)
    for table in ("shared", _only(world)):
        with world.refused(UnknownTable):
            rows.roll_back(table, world.other.shared.materialization_id, by="me", reason=None)
    assert not rows.release(_only(world))
    with world.refused(UnknownTable):
        store.release(_only(world))
    with world.refused(NotInHistory):
        store.rollback("shared", world.other.shared.materialization_id)
    if world.own.tenant:  # the global table of that name is not its own
        with world.refused(UnknownTable):
            store.rollback(f"lost {world.shared.name}", world.shared.lost.materialization_id)
    rolled_back = store.rollback("shared", world.own.shared.materialization_id, by="me")
    assert list(store.holds()) == ["shared"]
    agreed = replace(store.holds()["shared"], for_definition="another")
    rows.release_agreed([agreed, replace(agreed, table=_only(world))])
    assert list(store.holds()) == ["shared"]
    return rolled_back, store.holds(), store.release("shared")


@case("ResultStore", "lineage")
@case("LineageRows", "around")
def _(world: World) -> Any:
    store = world.own.store
    with world.refused(UnknownTable):
        store.lineage(world.other.shared.materialization_id)
    rows = LineageRows(store.database, store.scope)
    nodes, _ = rows.around(_only(world))
    assert nodes == {}
    return store.lineage("shared"), rows.around("shared")


@case("ResultStore", "accept", "acceptances")
@case("AcceptanceRows", "add")
@case("CatalogReader", "acceptances")
def _(world: World) -> Any:
    store, reader = world.own.store, world.own.store.reader
    with world.refused(UnknownTable):
        _accept(store, _only(world))
    theirs = _accept(world.other.store, _only(world))
    assert AcceptanceRows(store.database, store.scope).add(theirs) is None
    accepted = _accept(store, "shared")
    assert (list(store.acceptances()), list(reader.acceptances())) == (["shared"], ["shared"])
    return accepted, store.acceptances()


def _accept(store: ResultStore, table: str) -> Acceptance:
    """Accept a table for a definition with other code."""
    record = store.current(table)
    manifest = read_manifest(store.artifacts, record.artifact_path)
    assert manifest is not None
    descriptor = {**manifest.descriptor.fields, "code": {"digest": "other"}}
    inputs = record.input_anchors
    return store.accept(
        table, descriptor=descriptor, env=manifest.env, inputs=inputs, reason="renamed", by="me"
    )


@case("ResultStore", "promotion_plan", "promote", "promotions")
@case("PromotionRows", "pointers", "facts", "recorded", "promote")
@case("Promoter", "plan", "promote")
def _(world: World) -> Any:
    store, other = world.own.store, world.other.only
    with world.refused(UnknownTable):
        store.promotion_plan("promoted", [_only(world)])
    stolen = PromotedTable(table=other.table, materialization=other.materialization_id, source_sequence=1)
    plan = PromotionPlan(source="default", target="promoted", tenant=store.scope.tenant, rows=(stolen,))
    with world.refused(PlanOutdated):
        store.promote("promoted", plan=plan)
    with world.refused(PromotionRefused):
        store.promote("promoted", plan=replace(plan, undoes=1))
    target = store.beside(tenant=store.scope.tenant or None, deployment="promoted")
    rows = PromotionRows(store.database, store.scope, target.scope, store.artifacts.uri)
    assert set(rows.pointers(["shared", other.table])[0]) == {"shared"}
    assert other.materialization_id not in rows.facts(plan).records
    done = store.promote("promoted", ["shared"], by="me")
    assert (target.promotions(), rows.recorded()) == ([done], [done])
    told = target.tables(), done.to_dict()
    target.promote("promoted", plan=done.undo())
    return told


@case("ResultStore", "undrop")
@case("UndropRows", "before", "lead_on", "undrop")
def _(world: World) -> Any:
    store, other = world.own.store, world.other.only
    rows = UndropRows(store.database, store.scope, store.artifacts.uri)
    assert rows.before(other.table) is None
    own, shared = world.own.shared.materialization_id, world.other.shared.materialization_id
    for led, to in ((shared, own), (own, own)):
        assert rows.lead_on("shared", led, to) == (led == own)
    for table, one in ((other.table, other.materialization_id), ("shared", shared)):
        with world.refused(UnknownTable):
            rows.lead_on(table, one, one)
    with world.refused(UnknownTable):
        store.undrop(other.table)
    with world.refused(NotDropped):
        rows.undrop(other.table, other.materialization_id, cause="")
    store.drop("shared")
    with world.refused(UnknownTable):
        rows.undrop("shared", world.other.shared.materialization_id, cause="")
    return store.undrop("shared", by="me")


@case("ResultStore", "prune_history")
@case("MoveRows", "prune")
def _(world: World) -> Any:
    store = world.own.store
    for count in (1, 2):
        make(store, "pruned", numbers(count))
    assert MoveRows(store.database, store.scope).prune(keep_last=1, keep_seconds=-1) > 0
    assert store.prune_history(keep_last=1, keep_for_days=0) == 0
    return store.moves("shared")


@case("Outbox", "pending", "claim", "sent")
def _(world: World) -> Any:
    # everybody has one event; each claims its own alone
    for side in world.sides.values():
        pairs = [(side.only.table, side.only.materialization_id)]
        # of a start that moves nothing
        side.store.writer.point(pairs, start_sequence=0, run_id=None, events={side.only.table: side.name})
    before = world.state()
    outbox = Outbox(world.own.store.database, world.own.store.scope)
    claimed = outbox.claim(outbox.pending())
    assert len(claimed) == 1
    outbox.sent(claimed)
    assert world.state() == before
    assert outbox.pending() == []
    for side in world.foreign:
        theirs = Outbox(side.store.database, side.store.scope)
        theirs.sent(theirs.claim(theirs.pending()))
    return claimed


@case("CatalogWriter", "begin")
@case("ResultStore", "begin", "writer")
@case("Recorder", "begin")
def _(world: World) -> Any:
    # the same owner, table and flight as another's live writer: neither taken over nor waited for
    (begun,) = world.other.live.rows.values()
    flight = Flight(definition_hash=definition_of(world.other), input_anchors=world.other.inputs)
    options: dict[str, Any] = {
        "produced_by": "run",
        "owner": lease_of(world.other).owner,
        "flights": {begun.table: flight},
    }
    store = world.own.store
    recorder = Recorder(reader=store.reader, writer=store.writer, root=store.artifacts, scope=store.scope)
    for begin in (store.begin, recorder.begin):
        attempt = begin([begun.table], **options)
        assert isinstance(attempt, Attempt)
        attempt.give_up()
    busy = store.begin([begun.table], **{**options, "owner": "own/step"})
    assert not isinstance(busy, Busy)
    busy.give_up()
    return NOTHING


@case("Attempt", "write", "publish", "give_up")
@case("ResultStore", "materialize")
def _(world: World) -> Any:
    store = world.own.store
    told: list[Any] = []
    for number, side in enumerate(world.sides.values()):
        table = f"made {number}"
        attempt = store.begin([table], produced_by="run", owner=lease_of(side).owner)
        assert isinstance(attempt, Attempt)
        with attempt:
            attempt.write(table, numbers(7))
            told += attempt.publish([output(table, step=side.step, inputs=side.inputs)], run_id="run")
        attempt.give_up()
        # made again with other bytes: how it compares is told of rows that can be seen alone
        made = told[-1].record
        seen = side.tenant in store.scope.readable
        assert (made.reproducibility is not None) == seen
    made = store.materialize("mine", numbers(1), descriptor=descriptor(), env=ENV, inputs=[])
    return made.tenant if world.hidden else made


@case("ResultStore", "restore")
@case("Restoration", "to_dict")
def _(world: World) -> Any:
    store = world.own.store
    for table, materialization in ((_only(world), None), ("shared", world.other.shared.materialization_id)):
        with world.refused(UnknownTable if materialization is None else NotInHistory):
            store.restore(table, lambda manifest: numbers(1), materialization=materialization)
    return store.restore(world.own.only.table, lambda manifest: numbers(1)).to_dict()


@case("ReadLeaseRows", "take", "pins", "release")
@case("ReadLeases", "take", "release", "renew", "forget", "close", "nominal")
@case("ReadLease", "release", "held_by")
@case("ResultStore", "pin", "pins", "unpin")
@case("Pin", "release", "table", "materialization_id")
def _(world: World) -> Any:
    store, hidden = world.own.store, [side.only.materialization_id for side in world.hidden]
    rows, leases = ReadLeaseRows(store.database, store.scope), ReadLeases(store.database)
    for one in hidden:
        assert not rows.take("token", one, owner="me", purpose="read", seconds=60)
        assert leases.take(store.scope, one, "read") is None
    theirs = world.other.store.pin("shared", reason=world.other.name)
    with world.refused(UnknownTable):
        store.pin(_only(world))
    with world.refused(NotInHistory):
        store.pin("shared", world.other.shared.materialization_id)
    with store.pin("shared", reason="mine") as pin:
        told = [pin.table, pin.materialization_id, store.pins(), rows.pins()]
    assert not store.unpin(theirs.pin_id)
    assert rows.release([theirs.pin_id]) == 0
    assert [one.pin_id for one in world.other.store.pins()] == [theirs.pin_id]
    lease = leases.take(store.scope, world.own.only.materialization_id, "read")
    assert lease is not None
    lease.held_by(store.dataset(world.own.only.table))
    assert leases.renew()
    lease.release()
    assert not leases.renew()
    leases.forget("")
    leases.nominal().release()
    leases.close()
    theirs.release()
    return told


@case("CatalogWriter", "drop")
@case("ResultStore", "drop")
def _(world: World) -> Any:
    store = world.own.store
    for name in ("shared", "mine"):
        store.drop(name)
    for name in (f"lost {world.other.name}", f"lost {world.shared.name}x"):
        with world.refused(UnknownTable):
            store.drop(name)
        assert not store.writer.drop(name, no_tombstone)
    if world.own.tenant:
        with world.refused(UnknownTable):
            store.drop("shared")
        with world.refused(InvalidStore):
            store.beside(tenant="\0")
    return store.tables() if not world.hidden else NOTHING


@case("ResultStore", "adopt", "restored")
@case("Adoption", "run")
@case("CatalogReader", "restored")
def _(world: World) -> Any:
    # nothing of anybody's is unknown but the own one whose row is taken away here
    store, lonely = world.own.store, world.own.only
    for table, column in (("pointers", "materialization_id"), ("annotations", "materialization_id")):
        execute(store, f"DELETE FROM {table} WHERE {column} = :id", id=lonely.materialization_id)
    execute(store, "DELETE FROM run_results WHERE materialization_id = :id", id=lonely.materialization_id)
    execute(store, "DELETE FROM materializations WHERE id = :id", id=lonely.materialization_id)
    reports = [store.adopt(dry_run=True), store.adopt()]
    assert [report.adopted for report in reports] == [[lonely.materialization_id]] * 2
    assert store.restored() == store.reader.restored() == [lonely.table]  # type: ignore[attr-defined]
    return reports


@case("AdoptionRows", "known", "ready_of_attempts", "add")
def _(world: World) -> Any:
    # an id is everybody's: one that is taken is not adopted again, whoever it belongs to
    rows = AdoptionRows(world.own.store.database)
    ids = {side.only.materialization_id for side in world.sides.values()}
    assert rows.known(ids) == ids
    assert rows.ready_of_attempts(["none"]) == {}
    for side in world.foreign:
        building = BuildingRow(
            materialization_id=side.only.materialization_id,
            table=side.only.table,
            artifact_path=side.only.artifact_path,
            start_sequence=1,
            created_at="",
        )
        row = AdoptedRow(
            ready=_finished(building),
            tenant=world.own.tenant,
            deployment="default",
            produced_by="run",
            run_id=None,
            attempt_size=1,
            is_pointed_at=True,
        )
        assert rows.add([row]) == []
    return NOTHING


@case("BindingRows", "bond", "is_empty", "sample", "bind", "check_writable", "issued", "issue")
@case("RootBinding", "bind", "check", "check_not_lost", "check_stamp", "stamp", "take_over", "take_restored")
@case("ResultStore", "binding")
def _(world: World) -> Any:
    # the bond is the catalog's, with all of its tenants; a takeover by its own catalog changes nothing
    store, rows = world.own.store, BindingRows(world.own.store.database)
    bond = rows.bond()
    assert not rows.is_empty()
    assert rows.sample(1)
    assert rows.bind(root_id=str(bond.root_id), catalog_id=bond.catalog_id)
    rows.check_writable()
    rows.issue("mark")
    assert rows.issued("mark")
    store.binding.check_not_lost()
    store.binding.bind()
    store.binding.check()
    store.binding.check_stamp()
    assert store.binding.take_restored() == []
    store.binding.stamp()
    store.binding.take_over()
    assert rows.bond() == bond
    return NOTHING


@case("ResultStore", "recover")
@case("Recovery", "run")
def _(world: World) -> Any:
    store = world.own.store
    execute(
        store,
        "UPDATE materializations SET missing_since = 1 WHERE id = :id",
        id=world.own.lost.materialization_id,
    )
    reports = [store.recover(dry_run=True), recovery_of(store).run(), store.recover()]
    (whole,), (dead,) = world.own.whole.rows.values(), world.own.dead.rows.values()
    assert reports[1].promoted == [whole.materialization_id]
    assert reports[1].failed == [dead.materialization_id]
    assert reports[1].lost == [world.own.lost.materialization_id]
    assert world.own.orphan in reports[1].reclaimed
    assert store.artifacts.size(sidecar_path(world.own.only.artifact_path))
    return reports


@case("ResultStore", "collect", "why_alive", "prune")
@case("CollectionPass", "run")
@case("Judge", "now", "judged", "kept", "why", "of_table")
@case("Kept", "get", "items", "keys", "values")
@case("CollectionReport", "total_bytes", "to_dict")
@case("CollectionRows", "clocks", "note_clock", "pages", "tables_of", "flying", "reasons", "inputs")
@case(
    "CollectionRows", "mark", "unmark", "take", "doomed", "finish", "statuses", "attempts_of", "attempts_left"
)
@case("CollectionRows", "names", "prune", "runs", "renew_runs", "end_runs", "ended_runs")
@case("PruneReport", "to_dict")
def _(world: World) -> Any:
    store, theirs = world.own.store, [side.only.materialization_id for side in world.foreign]
    rows = CollectionRows(store.database, store.scope)
    moment = Judge.now(rows, RetentionPolicy()).moment
    for name in (_only(world), world.other.only.materialization_id):
        with world.refused(UnknownTable):
            store.why_alive(name)
    rows.mark(theirs, moment, plan="plan")
    rows.unmark(theirs)
    assert rows.take(theirs, moment, grace_seconds=0, keep_inputs=False) == []
    assert rows.finish(theirs) == []
    assert rows.tables_of(theirs) == set()
    attempts = {attempt for _, attempt in rows.attempts_of(theirs).values()}
    assert rows.attempts_left().isdisjoint(attempts)
    assert rows.inputs(moment) is not None
    assert rows.ended_runs(["leased", "unknown"]) == ["unknown"]
    rows.renew_runs(["run"])
    rows.end_runs(["run"])
    rows.prune(moment, keep_runs_seconds=0, dry_run=False)
    with world.refused(InvalidField):
        store.prune([])
    told: list[Any] = [rows.names(), rows.runs(), store.prune(["shared"]).to_dict()]
    told += [rows.flying(moment), list(rows.pages(moment)), list(rows.doomed())]
    for dry_run in (True, False):
        report = store.collect({"grace_seconds": 0, "keep_inputs": True}, dry_run)
        told += [report.to_dict(), list(report.kept.items()), list(report.kept.keys()), report.unknown]
    assert report.collected  # tables that a case before dropped
    return told, store.why_alive("child")
