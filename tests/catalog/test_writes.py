"""Write transactions: their changes, the rows they leave alone, and who wins."""

import json
import time
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from catalog_kit import Catalog, begun, finished
from core_kit import DEFINITION
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jammi_dagster.catalog import Lease
from jammi_dagster.contract import InputAnchor, anchor_set_key
from jammi_dagster.errors import CatalogUnavailable, LeaseLost

# one suite for every catalog
pytestmark = pytest.mark.parametrize("catalog", ["sqlite", "postgres"], indirect=True)

A = InputAnchor.source_version("file:a", "1")
B = InputAnchor.result_digest("b", "cd" * 32)
C = InputAnchor.mutable_version("file:c", 3)
NOW = InputAnchor.unpinned_at_instant("file:now", "2026-11-22T12:00:00Z")


def _count(catalog: Catalog, table: str) -> int:
    with catalog.database.reading() as connection:
        return int(connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one())


def _dump(catalog: Catalog) -> list[tuple[str, list[tuple[object, ...]]]]:
    """Everything in the catalog."""
    with catalog.database.reading() as connection:
        names = sorted(sa.inspect(connection).get_table_names())
        return [
            (n, sorted(map(tuple, connection.execute(sa.text(f"SELECT * FROM {n}"))), key=repr))
            for n in names
        ]


# --- rows ---------------------------------------------------------------------------------------------


def test_a_row_goes_from_building_to_ready(catalog: Catalog) -> None:
    """Until the flip a row has no digest, no rows and no pointer; after it, everything that was recorded."""
    rows, lease = catalog.begin("t")
    building = catalog.get(rows[0].materialization_id)
    assert (building.status, building.artifact_digest, building.row_count) == ("building", None, None)
    assert catalog.current("t") is None
    catalog.writer.finish([finished(rows[0], anchors=[A])], lease=lease, run_id=None)
    ready = catalog.get(rows[0].materialization_id)
    assert ready == catalog.reader.current("t")
    assert ready.to_dict() == {
        "materialization_id": rows[0].materialization_id,
        "table": "t",
        "status": "ready",
        "tenant": "",
        "deployment": "default",
        "artifact_path": rows[0].artifact_path,
        "artifact_uri": f"file:///root/{rows[0].artifact_path}",
        "artifact_digest": "ab" * 32,
        "size_bytes": 10,
        "row_count": 3,
        "definition_hash": DEFINITION,
        "compute_seconds": 1.5,
        "reproducibility": None,
        "produced_by": "test",
        "start_sequence": rows[0].start_sequence,
        "created_at": "2026-11-22T12:00:00+00:00",
        "completed_at": "2026-11-22T12:00:01+00:00",
        "input_anchors": [A.to_dict()],
    }


def test_failed_rows_are_ours_and_building(catalog: Catalog) -> None:
    """`fail` marks rows that are still ours and unfinished, gives their ids, and never touches a ready row."""
    rows, lease = catalog.begin("a", "b")
    catalog.writer.finish([finished(rows[0])], lease=lease, run_id=None)
    assert catalog.writer.fail(rows, lease=lease) == {rows[1].materialization_id}
    assert catalog.writer.fail(rows, lease=lease) == frozenset()
    assert catalog.get(rows[0].materialization_id).status == "ready"
    assert catalog.get(rows[1].materialization_id).status == "failed"
    others, _ = catalog.begin("c")
    assert catalog.writer.fail(others, lease=lease) == frozenset()
    assert catalog.get(others[0].materialization_id).status == "building"


def test_an_id_is_used_once(catalog: Catalog) -> None:
    """A second row under one id is refused: nothing is overwritten."""
    rows, lease = catalog.begin("t")
    with pytest.raises(CatalogUnavailable):
        catalog.writer.begin(rows, produced_by="other", lease=lease)


# --- leases -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_annotation", [None, '{"x":1}'])
def test_a_flip_with_another_token_changes_nothing(catalog: Catalog, with_annotation: str | None) -> None:
    """A writer whose lease was taken over gets `LeaseLost`; row, pointers, anchor sets and revision stay."""
    rows, _ = catalog.begin("t")
    before = _dump(catalog)
    other = Lease(token="other", owner="other", seconds=60)
    flip = finished(rows[0], anchors=[A, B], annotation=with_annotation)
    with pytest.raises(LeaseLost) as raised:
        catalog.writer.finish([flip], lease=other, run_id="run")
    assert raised.value.materialization_id == rows[0].materialization_id
    assert raised.value.table == "t"
    assert _dump(catalog) == before


def test_a_flip_happens_once(catalog: Catalog) -> None:
    """A row that is ready or failed is not flipped again, not even by its own writer."""
    ready, lease = catalog.begin("t")
    catalog.writer.finish([finished(ready[0])], lease=lease, run_id=None)
    failed, other = catalog.begin("u")
    catalog.writer.fail(failed, lease=other)
    before = _dump(catalog)
    for row, mine in ((ready[0], lease), (failed[0], other)):
        with pytest.raises(LeaseLost):
            catalog.writer.finish([finished(row)], lease=mine, run_id=None)
    assert _dump(catalog) == before


def test_several_rows_are_finished_all_or_none(catalog: Catalog) -> None:
    """One row that is no longer ours keeps all the others unpublished."""
    rows, lease = catalog.begin("a", "b", "c")
    catalog.writer.fail(rows[1:2], lease=lease)
    before = _dump(catalog)
    with pytest.raises(LeaseLost):
        catalog.writer.finish([finished(row) for row in rows], lease=lease, run_id="run")
    assert _dump(catalog) == before
    pointed = catalog.writer.finish([finished(rows[0]), finished(rows[2])], lease=lease, run_id=None)
    assert [point.is_current for point in pointed] == [True, True]
    assert catalog.reader.tables() == ["a", "c"]


# --- pointers -----------------------------------------------------------------------------------------


def test_starts_are_numbered(catalog: Catalog) -> None:
    """Each start gets a larger number than every one before it: the time by the database's clock, or one more."""
    starts = [catalog.writer.next_start() for _ in range(3)]
    assert starts == sorted(set(starts))
    assert abs(starts[0] / 1000 - time.time()) < 60
    with catalog.database.writing() as connection:
        connection.execute(sa.text("UPDATE catalog_state SET start_sequence = :ahead"), {"ahead": 2**60})
    assert [catalog.writer.next_start() for _ in range(2)] == [2**60 + 1, 2**60 + 2]


def test_a_restored_catalog_issues_no_number_again(catalog: Catalog) -> None:
    """A backup from before some starts goes on after them, not where it stood."""
    before = catalog.writer.next_start()
    issued = [catalog.writer.next_start() for _ in range(3)]
    time.sleep(0.01)
    with catalog.database.writing() as connection:
        connection.execute(sa.text("UPDATE catalog_state SET start_sequence = :then"), {"then": before})
    assert catalog.writer.next_start() > max(issued)


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_the_later_start_wins_in_both_orders(catalog: Catalog, order: tuple[int, int]) -> None:
    """Whoever commits last, the pointer stands at the later start; losing that race is reported, not raised."""
    issued = [0, *sorted(catalog.writer.next_start() for _ in range(2))]
    starts, moved = {}, {}
    for start in order:
        starts[start], pointed = catalog.ready("t", start=issued[start])
        moved[start] = pointed.is_current
    assert catalog.current("t") == starts[2]
    assert moved == {1: order == (1, 2), 2: True}
    assert {record.status for record in catalog.reader.history("t")} == {"ready"}


@pytest.mark.parametrize("order", [("reuse", "compute"), ("compute", "reuse")])
@pytest.mark.parametrize("later", ["reuse", "compute"])
def test_the_later_start_wins_for_reuse_too(catalog: Catalog, order: tuple[str, str], later: str) -> None:
    """A reuse competes by its own start, not by that of the materialization it points at."""
    old, _ = catalog.ready("t")
    first, second = catalog.writer.next_start(), catalog.writer.next_start()
    reuse_start, compute_start = (second, first) if later == "reuse" else (first, second)
    rows, lease = catalog.begin("t", start=compute_start)
    for step in order:
        if step == "reuse":
            pointed = catalog.writer.point([("t", old)], start_sequence=reuse_start, run_id=None)
        else:
            pointed = catalog.writer.finish([finished(rows[0])], lease=lease, run_id=None)
        assert pointed[0].is_current == (step == later or order[0] == step)
    assert catalog.current("t") == (old if later == "reuse" else rows[0].materialization_id)


def test_deployments_have_pointers_of_their_own(catalog: Catalog) -> None:
    """A table current in one deployment is not so in another, but a hit may cross."""
    branch = catalog.beside(deployment="branch")
    made, _ = catalog.ready("t")
    assert branch.current("t") is None
    assert branch.reader.tables() == []
    assert [match.materialization_id for match in branch.reader.matches(DEFINITION, anchor_set_key([]))] == [
        made
    ]
    branch.writer.point([("t", made)], start_sequence=branch.writer.next_start(), run_id=None)
    assert branch.current("t") == made
    newer, _ = catalog.ready("t")
    assert (catalog.current("t"), branch.current("t")) == (newer, made)


def test_a_run_keeps_what_it_got(catalog: Catalog) -> None:
    """A run reads its own results, also where the pointer went to a later start, and after others moved it."""
    early = catalog.writer.next_start()
    later, _ = catalog.ready("t", run_id="later")
    mine, pointed = catalog.ready("t", start=early, run_id="mine")
    assert not pointed.is_current
    assert catalog.current("t") == later
    of_run = catalog.reader.of_run("mine", ["t", "unknown"])
    assert {table: record.materialization_id for table, record in of_run.items()} == {"t": mine}
    catalog.writer.point([("t", later)], start_sequence=catalog.writer.next_start(), run_id="mine")
    assert catalog.reader.of_run("mine", ["t"])["t"].materialization_id == later
    assert catalog.reader.of_run("another", ["t"]) == {}


# --- the revision -------------------------------------------------------------------------------------


def test_the_revision_is_raised_by_flips_and_moves_alone(catalog: Catalog) -> None:
    """A tick in which nothing was flipped or moved sees the revision it saw before."""
    start = catalog.writer.next_start()
    rows, lease = catalog.begin("a", "b", start=start)
    doomed, dead = catalog.begin("c")
    catalog.writer.fail(doomed, lease=dead)
    assert catalog.revision == 0
    catalog.writer.finish([finished(row) for row in rows], lease=lease, run_id=None)
    assert catalog.revision == 1
    catalog.writer.point([("a", rows[0].materialization_id)], start_sequence=9, run_id=None)
    assert catalog.revision == 2


# --- anchor sets --------------------------------------------------------------------------------------


def test_an_anchor_set_is_stored_once(catalog: Catalog) -> None:
    """However many materializations record a set, in whatever order, it is one row with an edge per source."""
    for anchors in ([A, B, C], [C, A, B], [B, A, C]):
        catalog.ready("t", anchors=anchors)
    assert _count(catalog, "anchor_sets") == 1
    with catalog.database.reading() as connection:
        edges = connection.execute(sa.text("SELECT source, kind FROM anchor_edges ORDER BY source")).all()
    assert [tuple(edge) for edge in edges] == [
        (x.source, x.kind.value) for x in sorted((A, B, C), key=_source)
    ]
    catalog.ready("t", anchors=[A, B])
    catalog.ready("t")
    assert _count(catalog, "anchor_sets") == 3
    assert _count(catalog, "anchor_edges") == 5


def _source(anchor: InputAnchor) -> str:
    return anchor.source


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(order=st.permutations([A, B, C, NOW]))
def test_recorded_order_survives(catalog: Catalog, order: list[InputAnchor]) -> None:
    """The inputs come back in the order in which they were recorded, and no order takes another row."""
    made, _ = catalog.ready("t", anchors=order)
    assert catalog.get(made).input_anchors == tuple(order)
    assert _count(catalog, "anchor_sets") == 1


def test_unknown_keys_of_an_anchor_are_kept(catalog: Catalog) -> None:
    """A newer writer's words about an input are in the catalog too."""
    newer = InputAnchor.from_dict({**A.to_dict(), "observed_at": "noon"})
    made, _ = catalog.ready("t", anchors=[newer])
    assert catalog.get(made).input_anchors[0].to_dict() == newer.to_dict()


def test_odd_sources_are_only_text(catalog: Catalog) -> None:
    """Quotes, wildcards, newlines, emoji and 10,000 characters in a source come back as they were."""
    sources = ["it's", '"q"', "a%", "a_", "\n", "😀", "x" * 10_000, "'; DROP TABLE pointers; --"]
    anchors = [InputAnchor.source_version(f"file:{source}", "1") for source in sources]
    made, _ = catalog.ready("t", anchors=anchors)
    assert catalog.get(made).input_anchors == tuple(anchors)


# --- reproducibility ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ({}, "reproduced"),
        ({"digest": "cd" * 32}, "diverged"),
        ({"profile": '{"zstd":3}'}, None),
        ({"anchors": [B]}, None),
        ({"definition": "ef" * 32}, None),
        ({"anchors": [NOW]}, None),
    ],
)
def test_equal_determinants_give_equal_bytes_or_are_called_diverged(
    catalog: Catalog, second: dict[str, object], expected: str | None
) -> None:
    """Only the same definition, inputs and writer profile are compared; a difference is recorded, not raised."""
    _, first = catalog.ready("t", anchors=[A])
    assert first.reproducibility is None
    made, again = catalog.ready("t", **{"anchors": [A], **second})  # type: ignore[arg-type]
    assert again.reproducibility == expected
    assert catalog.get(made).reproducibility == expected
    assert catalog.current("t") == made


def test_an_unpinned_table_is_never_compared(catalog: Catalog) -> None:
    """Equal instants do not prove equal inputs."""
    catalog.ready("t", anchors=[A, NOW])
    _, again = catalog.ready("t", anchors=[A, NOW])
    assert again.reproducibility is None


def test_the_latest_is_what_is_compared_with(catalog: Catalog) -> None:
    """A table that diverged and then gave the same bytes again reproduced them."""
    digests = ["ab" * 32, "cd" * 32, "cd" * 32, "ab" * 32]
    found = [catalog.ready("t", digest=digest)[1].reproducibility for digest in digests]
    assert found == [None, "diverged", "reproduced", "diverged"]


# --- annotations and tenants --------------------------------------------------------------------------


def test_an_annotation_is_kept_for_a_reuse(catalog: Catalog) -> None:
    """The annotation that a reuse emits again stands beside the row."""
    note = json.dumps({"metadata": {"😀": 1}})
    made, _ = catalog.ready("t", annotation=note)
    bare, _ = catalog.ready("t")
    assert catalog.reader.annotation(made) == note
    assert catalog.reader.annotation(bare) is None


@pytest.mark.parametrize(
    "move",
    [
        lambda tenant, made: tenant.ready("t"),
        lambda tenant, made: tenant.writer.point([("t", made)], start_sequence=99, run_id="r"),
    ],
    ids=["compute", "reuse"],
)
def test_a_tenant_writes_its_own_rows_alone(catalog: Catalog, move: Callable[[Catalog, str], object]) -> None:
    """A tenant's table and pointer stand beside the global ones, which no tenant touches."""
    made, _ = catalog.ready("t", run_id="r")
    tenant = catalog.beside(tenant="acme")
    move(tenant, made)
    assert catalog.current("t") == made
    assert catalog.reader.of_run("r", ["t"])["t"].materialization_id == made
    with catalog.database.reading() as connection:
        owners = connection.execute(sa.text("SELECT tenant FROM pointers ORDER BY tenant")).scalars().all()
    assert list(owners) == ["", "acme"]


def test_rows_that_begin_are_bound_to_their_scope(catalog: Catalog) -> None:
    """A row carries the tenant and the deployment of the store that began it."""
    made, _ = catalog.beside(tenant="acme", deployment="branch").ready("t")
    record = catalog.beside(tenant="acme").get(made)
    assert (record.tenant, record.deployment) == ("acme", "branch")
    assert catalog.reader.get(made) is None


def test_a_start_is_kept_as_given(catalog: Catalog) -> None:
    """The row holds the start that was issued when its step began, not one issued when it was written."""
    start = catalog.writer.next_start()
    catalog.writer.next_start()
    rows = [begun("t", start)]
    catalog.writer.begin(rows, produced_by="p", lease=Lease(token="t", owner="o", seconds=1))
    assert catalog.get(rows[0].materialization_id).start_sequence == start
