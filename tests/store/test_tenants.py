"""Tenants: one oracle that walks every public method, and the rules it stands for (DESIGN 2.11)."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from core_kit import make, numbers, values
from engine_kit import Engine
from store_kit import StoreAt, definition, files, on, verdicts
from tenant_cases import CASES
from tenants_kit import World, text_of

import jammi_dagster.store
from jammi_dagster import InputAnchor, ResultStore, Staleness, StaleReason
from jammi_dagster.catalog import EngineReader

_PACKAGES = tuple(
    f"jammi_dagster.{room}"
    for room in ("catalog", "maintenance", "maintenance.collection", "recording", "sensing")
)
# what has no rows at hand: values, models, statements, protocols, the raw database, the store's key, a timer
_WITHOUT_ROWS = """
    AbandonedRow AdoptedRow AdoptionReport Answer Branch BuildingRow Busy Candidate CatalogBond
    CatalogMark ClockReading CurrentCost CurrentMatch CurrentRow Database DatedSurface Doomed
    DroppedRows Drops FileConnection Flight Forked Heart Hold Judged Lease ListedObjects
    MaterializationRecord Moment Move Mover Observations Outcomes OutgoingEvent Output Overview
    PinRecord Pointer PointerMove Progress PromotionFacts Publication ReadyRow Reasons RecordedArtifact
    RecoveryReport RetentionPolicy RetentionRule RootIdentity Rows Scope ScopedQueries SeenPointers
    SidecarRow SqliteFile StoreIdentity StoreKey Tombstone Upserts Wanted WhyAlive
"""


def _classes() -> dict[str, type]:
    """Every class of the packages that could have rows at hand."""
    modules = [jammi_dagster.store]
    for package in _PACKAGES:
        path = importlib.import_module(package).__path__
        modules += [importlib.import_module(f"{package}.{m.name}") for m in pkgutil.iter_modules(path)]
    return {
        name: found
        for module in modules
        for name, found in vars(module).items()
        if inspect.isclass(found)
        and found.__module__ == module.__name__
        and name[0] != "_"
        and name not in _WITHOUT_ROWS.split()
    }


def _methods(cls: type) -> set[str]:
    return {
        name
        for name in dir(cls)
        if name[0] != "_" and not inspect.ismemberdescriptor(inspect.getattr_static(cls, name))
    } - set(getattr(cls, "__dataclass_fields__", ()))


def test_every_method_has_a_case() -> None:
    """A new class, method or property without a case fails here."""
    classes = _classes()
    del classes["EngineReader"]  # has a test of its own
    there = {(name, method) for name, cls in classes.items() for method in _methods(cls)}
    assert there == set(CASES)


@pytest.mark.slow
@pytest.mark.parametrize("tenant", ["a", ""], ids=["tenant", "global"])
def test_nobody_sees_hits_moves_or_reclaims_anothers(store_at: StoreAt, tenant: str) -> None:
    """Each method, called so as to reach the others': nothing of theirs is told, and nothing of theirs changes."""
    world = World(store_at, tenant)
    secrets = {secret for side in world.hidden for secret in side.secrets()}
    before = world.state()
    for case in dict.fromkeys(CASES.values()):
        methods = [method for method, its in CASES.items() if its is case]
        told = text_of(case(world))
        assert not [secret for secret in secrets if secret in told], methods
        after = world.state()
        assert after == before, (methods, [name for name in after if after[name] != before[name]])


def test_an_engines_tables_of_a_tenant_are_not_seen(tmp_path: Any) -> None:
    """An attached catalog is seen without a tenant, by every method."""
    engine = Engine("chain", tmp_path / "engine")
    digest = {"source": "docs", "anchor": "ab" * 32, "kind": "result_digest"}
    engine.add("seen", [digest])
    engine.add("bob", [{**digest, "source": "of bob"}, digest], tenant_id="b", definition_hash="cd" * 32)
    store = engine.attach()
    reader = store.reader
    assert isinstance(reader, EngineReader)
    tables = ["bob", "seen"]
    asks: dict[str, Callable[[Any], Any]] = {
        "acceptances": lambda r: r.acceptances(),
        "annotation": lambda r: r.annotation("bob"),
        "annotations": lambda r: r.annotations(tables),
        "annotations_of": lambda r: r.annotations_of(tables),
        "artifacts_after": lambda r: r.artifacts_after("", most=9),
        "best_matches": lambda r: r.best_matches([("cd" * 32, "ef" * 32)]),
        "current": lambda r: r.current("bob"),
        "current_matches": lambda r: list(r.current_matches(tables)),
        "current_of": lambda r: list(r.current_of(tables)),
        "current_rows": lambda r: list(r.current_rows()),
        "digests": lambda r: r.digests(),
        "edges": lambda r: [r.edges(), r.edges("docs"), r.edges("of bob")],
        "for_tenant": lambda r: r.for_tenant("b").tables(),
        "get": lambda r: r.get("bob"),
        "history": lambda r: r.history("bob"),
        "holds": lambda r: r.holds(),
        "move_at": lambda r: r.move_at("bob", 1),
        "moves": lambda r: r.moves("bob"),
        "matches": lambda r: r.matches("cd" * 32, "ef" * 32),
        "neighbours": lambda r: r.neighbours("bob", most=9),
        "of_run": lambda r: r.of_run("run", tables),
        "records": lambda r: r.records(tables),
        "sources": lambda r: r.sources("bob", most=9),
        "state": lambda r: r.state()[1],
        "stored_definitions": lambda r: r.stored_definitions(["cd" * 32]),
        "tables": lambda r: r.tables(),
    }
    assert {*asks, "frozen"} == _methods(EngineReader)
    with reader.frozen() as frozen:
        for ask in asks.values():
            for of in (reader, frozen):
                assert "bob" not in text_of(ask(of))
    assert "seen" in store.tables()
    store.close()


# --- rules, one by one -----------------------------------------------------------------------------------------


def test_a_recorded_anchor_resolves_where_its_row_lives(store_at: StoreAt) -> None:
    """A global row's inputs are the global tables, even where the tenant that asks has its own of that name."""
    shared, own = store_at(), store_at(tenant="a")
    make(shared, "p")
    make(shared, "c", inputs=on(shared.current("p")))
    make(own, "p", numbers(9))
    make(own, "d", inputs=on(own.current("p")))
    for store in (shared, own):
        assert all(verdict.is_fresh for verdict in verdicts(store).values())
    make(shared, "p", numbers(4))
    assert [t for t, v in verdicts(own).items() if not v.is_fresh] == ["c"]
    make(own, "p", numbers(8))
    assert [t for t, v in verdicts(own).items() if not v.is_fresh] == ["c", "d"]
    assert [t for t, v in verdicts(shared).items() if not v.is_fresh] == ["c"]


def test_a_damaged_row_of_a_tenant_still_hides_the_global_table(store_at: StoreAt) -> None:
    """Its path leads out of the root: the name resolves to nothing, never to the bytes of another table."""
    shared, own = store_at(), store_at(tenant="a")
    make(shared, "p")
    make(own, "p", numbers(9))
    with own.database.writing() as connection:
        damage = sa.text("UPDATE materializations SET artifact_path = '../p.parquet' WHERE tenant = 'a'")
        connection.execute(damage)
    with own.reader.frozen() as reader:
        assert reader.current_of(["p"]) == {}
        assert reader.current_matches(["p"]) == {}


def test_a_tenants_row_over_a_global_table_follows_it_until_it_has_its_own(store_at: StoreAt) -> None:
    """Its own name wins: a parent that the tenant made for itself is the one its rows are compared with."""
    shared, own = store_at(), store_at(tenant="a")
    make(shared, "p")
    make(own, "c", inputs=on(own.current("p")))
    assert own.staleness("c", definition()).is_fresh
    make(own, "p", numbers(4))
    assert own.staleness("c", definition()).staleness == "stale"
    own.drop("p")
    assert own.staleness("c", definition()).is_fresh
    shared.drop("p")
    assert verdicts(own)["c"] == Staleness.stale([StaleReason.input_vanished("p")])


def test_a_global_row_that_a_tenant_reuses_is_judged_as_global(store_at: StoreAt) -> None:
    """The pointer is the tenant's, the row is not: its anchors resolve where it was recorded, in the sweep too."""
    shared, own = store_at(), store_at(tenant="a")
    make(shared, "p")
    hit = make(shared, "c", inputs=on(shared.current("p")))
    make(own, "p", numbers(9))
    own.writer.point([("c", hit.materialization_id)], start_sequence=own.writer.next_start(), run_id=None)
    assert verdicts(own)["c"].is_fresh
    shared.drop("c")
    assert values(own.read("c")) == [0, 1, 2]


def test_edges_lead_to_what_the_name_means_here(store_at: StoreAt) -> None:
    """A global row over the global `p` derives from that, not from the tenant's own `p`."""
    shared, own = store_at(), store_at(tenant="a")
    make(shared, "p")
    make(shared, "c", inputs=[*on(shared.current("p")), InputAnchor.source_version("file:x", "1")])
    assert [edge.derived for edge in own.derives_from("p")] == ["c"]
    make(own, "p", numbers(9))
    make(own, "d", inputs=on(own.current("p")))
    assert [edge.derived for edge in own.derives_from("p")] == ["d"]
    assert [edge.derived for edge in own.derives_from_closure("p")] == ["d"]
    assert [edge.derived for edge in own.derives_from("file:x")] == ["c"]
    assert [edge.derived for edge in shared.derives_from("p")] == ["c"]


def test_tenants_keep_apart_on_disk(store_at: StoreAt) -> None:
    """Names that differ only by case, or look like a path, are folders of their own."""
    for tenant in ("a", "A", "../a", "a/tables", "é"):
        make(store_at(tenant=tenant), "t", numbers(len(tenant)))
    assert len(files(store_at.root / "tenants")) == 10
    for tenant in ("a", "A", "../a", "a/tables", "é"):
        assert len(values(store_at(tenant=tenant).read("t"))) == len(tenant)
        assert store_at(tenant=tenant).tables() == ["t"]
    assert isinstance(store_at(), ResultStore)
    assert store_at().tables() == []
