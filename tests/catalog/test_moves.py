"""The history of the pointers: which moves it tells, those it keeps, and holds that keep a pointer where it is."""

import pytest
import sqlalchemy as sa
from catalog_kit import Catalog, finished

from benchmarks.statements import statements
from jammi_dagster.catalog import HoldRows, Move, MoveRows, RecoveryRows
from jammi_dagster.errors import TableHeld, UnknownTable

# one suite for every catalog
pytestmark = pytest.mark.parametrize("catalog", ["sqlite", "postgres"], indirect=True)

Told = tuple[str, str | None]


def _told(catalog: Catalog, table: str = "t") -> list[Told]:
    """The act of each move of the table, and the materialization, the first one first."""
    return [(move.outcome, move.materialization_id) for move in reversed(catalog.reader.moves(table))]


def _reuse(catalog: Catalog, materialization: str, *, start: int | None = None) -> bool:
    start = catalog.writer.next_start() if start is None else start
    return catalog.writer.point([("t", materialization)], start_sequence=start, run_id="reuse")[0].is_current


def _count(catalog: Catalog) -> int:
    with catalog.database.reading() as connection:
        return int(connection.execute(sa.text("SELECT count(*) FROM pointer_moves")).scalar_one())


# --- each way to move -----------------------------------------------------------------------------------


def test_every_act_that_moves_a_pointer_is_told(catalog: Catalog) -> None:
    """Computing, reusing, losing, finding again and dropping: each adds one move, of its own sequence, in order."""
    first, _ = catalog.ready("t", run_id="run")
    second, _ = catalog.ready("t")
    _reuse(catalog, first)
    recovery = RecoveryRows(catalog.database, catalog.scope)
    recovery.lose(first)
    recovery.bring_back(first)
    catalog.writer.drop("t", lambda dropped: None)
    assert _told(catalog) == [
        ("computed", first),
        ("computed", second),
        ("reused", first),
        ("lost", None),
        ("returned", first),
        ("dropped", None),
    ]
    moves = catalog.reader.moves("t")
    assert [move.sequence for move in moves] == sorted({move.sequence for move in moves}, reverse=True)
    assert [move.run_id for move in reversed(moves)] == ["run", None, "reuse", None, None, None]
    assert {(move.tenant, move.deployment, move.table) for move in moves} == {("", "default", "t")}


def test_an_act_that_moves_nothing_is_not_told(catalog: Catalog) -> None:
    """A reuse of the current one, a start that lost, a loss of one that is not current, and a drop of nothing."""
    old, _ = catalog.ready("t")
    new, _ = catalog.ready("t")
    late = catalog.writer.next_start()
    assert _reuse(catalog, new)
    assert not _reuse(catalog, old, start=late)
    assert not catalog.writer.drop("u", lambda dropped: None)
    RecoveryRows(catalog.database, catalog.scope).lose(old)
    assert _told(catalog) == [("computed", old), ("computed", new)]
    assert _count(catalog) == 2


def test_a_move_that_is_not_committed_is_not_told(catalog: Catalog) -> None:
    """A drop whose tombstone cannot be written leaves pointer and history as they were."""
    made, _ = catalog.ready("t")

    def fail(dropped: object) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        catalog.writer.drop("t", fail)
    assert _told(catalog) == [("computed", made)]


def test_a_loss_is_told_in_every_place_that_pointed(catalog: Catalog) -> None:
    """Deployments and tenants that had reused the lost one each get a move of their own, and each only sees its own."""
    made, _ = catalog.ready("t")
    places = [catalog.beside(deployment="branch"), catalog.beside(tenant="acme")]
    for place in places:
        _reuse(place, made)
    RecoveryRows(catalog.database, catalog.scope).lose(made)
    assert _count(catalog) == 6
    acme = [(move.tenant, move.deployment, move.outcome) for move in places[1].reader.moves("t")]
    assert acme.count(("acme", "default", "lost")) == 1
    assert [move.tenant for move in catalog.reader.moves("t")] == [""] * 4


def test_the_tables_of_one_transaction_share_a_sequence(catalog: Catalog) -> None:
    """Hundreds of tables are moved by as many statements as one."""
    rows, lease = catalog.begin(*(f"t{i}" for i in range(300)))
    catalog.writer.finish([finished(row) for row in rows], lease=lease, run_id="run")
    pairs, counts = [(row.table, row.materialization_id) for row in rows], []
    for deployment, some in (("branch", pairs), ("other", pairs[:1])):
        with statements(but=["BEGIN", "set_config", "PRAGMA"]) as asked:
            place = catalog.beside(deployment=deployment)
            place.writer.point(some, start_sequence=2**50, run_id="run")
        counts.append(len(asked))
    assert counts == [6, 6]  # the sequence, the check, moves, pointers, results of the run and its lease
    moves = [move for row in rows[1:6] for move in catalog.reader.moves(row.table)]
    assert len({(move.deployment, move.sequence) for move in moves}) == 2
    assert _count(catalog) == 601


def test_a_computation_tells_why_it_was_made(catalog: Catalog) -> None:
    """The reasons of a range are each table's own; of a long one the beginning is kept."""
    rows, lease = catalog.begin("t", "u", "v")
    flips = [
        finished(row, cause=cause)
        for row, cause in zip(rows, ["code changed", "x" * 2_000, None], strict=True)
    ]
    catalog.writer.finish(flips, lease=lease, run_id="run")
    reasons = [catalog.reader.moves(table)[0].reason for table in ("t", "u", "v")]
    assert reasons == ["code changed", "x" * 500, None]


# --- the place at a time ----------------------------------------------------------------------------------


def test_a_name_resolves_as_it_did_at_a_sequence(catalog: Catalog) -> None:
    """At each move's sequence, and until the next one; at the number of a start; before the first, to nothing."""
    made = [catalog.ready("t")[0] for _ in range(3)]
    between = catalog.writer.next_start()
    catalog.writer.drop("t", lambda dropped: None)
    moves = list(reversed(catalog.reader.moves("t")))
    at = catalog.reader.move_at
    assert [at("t", move.sequence) for move in moves] == moves
    assert [at("t", move.start_sequence) for move in moves] == moves
    assert at("t", moves[0].start_sequence - 1) is None
    assert at("t", between) == moves[2]
    assert at("t", 2**62) == moves[3]
    assert [move.materialization_id for move in moves] == [*made, None]


def test_a_deployment_and_a_tenant_have_their_own_past(catalog: Catalog) -> None:
    """A tenant reads its own table where it had one, the global one before and after; a branch only its own."""
    shared, _ = catalog.ready("t")
    acme, branch = catalog.beside(tenant="acme"), catalog.beside(deployment="branch")
    before = acme.writer.next_start()
    own, _ = acme.ready("t")
    during = acme.writer.next_start()
    acme.writer.drop("t", lambda dropped: None)
    after = acme.writer.next_start()

    def place(one: Catalog, at: int) -> str | None:
        move = one.reader.move_at("t", at)
        return None if move is None else move.materialization_id

    assert [place(acme, at) for at in (before, during, after)] == [shared, own, shared]
    assert [place(catalog, at) for at in (before, during, after)] == [shared] * 3
    assert [place(branch, at) for at in (before, during, after)] == [None] * 3


# --- pruning ------------------------------------------------------------------------------------------------


def _age(catalog: Catalog, seconds: float) -> None:
    with catalog.database.writing() as connection:
        connection.execute(
            sa.text("UPDATE pointer_moves SET moved_at = moved_at - :seconds"), {"seconds": seconds}
        )


def _left(catalog: Catalog, *, keep_last: int, keep_seconds: float) -> list[Move]:
    MoveRows(catalog.database, catalog.scope).prune(keep_last=keep_last, keep_seconds=keep_seconds)
    return catalog.reader.moves("t")


def test_pruning_keeps_the_last_moves_and_the_place_since_a_time(catalog: Catalog) -> None:
    """Of moves a day apart: the last ones, all of the last days, and the one before them, which tells where it was."""
    for _ in range(6):
        catalog.ready("t")
        _age(catalog, 86_400)
    moves = catalog.reader.moves("t")
    assert _left(catalog, keep_last=6, keep_seconds=0) == moves
    assert _left(catalog, keep_last=1, keep_seconds=3.5 * 86_400) == moves[:4]
    assert _left(catalog, keep_last=2, keep_seconds=0) == moves[:2]
    assert _left(catalog, keep_last=0, keep_seconds=-99 * 86_400) == moves[:1]


def test_pruning_leaves_no_hole_where_the_clock_went_back(catalog: Catalog) -> None:
    """A move by a clock that was ahead is kept, and so is each one after it: the oldest go first, or none."""
    for _ in range(4):
        catalog.ready("t")
        _age(catalog, 86_400)
    ahead = catalog.reader.moves("t")[2].sequence
    with catalog.database.writing() as connection:
        later = sa.text("UPDATE pointer_moves SET moved_at = moved_at + 864000 WHERE sequence = :ahead")
        connection.execute(later, {"ahead": ahead})
    assert len(_left(catalog, keep_last=1, keep_seconds=86_400)) == 4


def test_pruning_is_of_one_tenant_and_of_each_deployment(catalog: Catalog) -> None:
    """Every deployment keeps its last moves; nobody else's are touched."""
    acme, branch = catalog.beside(tenant="acme"), catalog.beside(deployment="branch")
    for one in (catalog, acme, branch) * 3:
        one.ready("t")
    _age(catalog, 1)
    assert MoveRows(catalog.database, catalog.scope).prune(keep_last=1, keep_seconds=0) == 4
    assert len(catalog.reader.moves("t")) == 2
    assert len(acme.reader.moves("t")) == 5


# --- holds --------------------------------------------------------------------------------------------------


@pytest.fixture
def held(catalog: Catalog) -> tuple[str, str]:
    """A table that was rolled back, and is held: the ids of its first and its second materialization."""
    first, second = catalog.ready("t")[0], catalog.ready("t")[0]
    rows = HoldRows(catalog.database, catalog.scope)
    assert rows.roll_back("t", first, by="ada", reason="wrong units")
    return first, second


def test_a_held_pointer_stays(catalog: Catalog, held: tuple[str, str]) -> None:
    """A run that computes, and one that reuses, record their result and say that it is not current."""
    first, second = held
    made, pointed = catalog.ready("t", run_id="run")
    assert not pointed.is_current
    assert not _reuse(catalog, second)
    assert catalog.current("t") == first
    assert catalog.get(made).status == "ready"
    assert catalog.reader.of_run("run", ["t"])["t"].materialization_id == made
    assert _told(catalog)[2:] == [("rolled_back", first)]
    assert catalog.reader.moves("t")[0].reason == "by ada: wrong units"


def test_a_reuse_of_the_held_one_is_current(catalog: Catalog, held: tuple[str, str]) -> None:
    """It confirms where the pointer is; the hold stays, and no move is told."""
    assert _reuse(catalog, held[0])
    assert list(catalog.reader.holds()) == ["t"]
    assert len(_told(catalog)) == 3


def test_a_released_pointer_moves_again(catalog: Catalog, held: tuple[str, str]) -> None:
    """With the next run; a release is told once, and raises the revision, so that nobody keeps an old answer."""
    rows, revision = HoldRows(catalog.database, catalog.scope), catalog.revision
    assert [rows.release("t"), rows.release("t")] == [True, False]
    assert catalog.revision > revision
    assert catalog.reader.holds() == {}
    assert catalog.current("t") == held[0]
    assert _reuse(catalog, held[1])
    assert catalog.current("t") == held[1]


def test_a_hold_is_of_one_place(catalog: Catalog, held: tuple[str, str]) -> None:
    """The same name in another deployment, or of a tenant, moves as ever."""
    for other in (catalog.beside(deployment="branch"), catalog.beside(tenant="acme")):
        assert other.reader.holds() == {}
        made, pointed = other.ready("t")
        assert pointed.is_current
        assert other.current("t") == made
    hold = catalog.reader.holds()["t"]
    assert str(hold) == f"held by ada since {hold.since[:19]} (wrong units)"
    assert hold.materialization_id == held[0]


def test_a_held_table_is_not_dropped(catalog: Catalog, held: tuple[str, str]) -> None:
    """The refusal says who holds it, and the way out."""
    with pytest.raises(TableHeld, match=r"held by ada since .*; release it first"):
        catalog.writer.drop("t", lambda dropped: None)
    assert catalog.current("t") == held[0]


def test_a_held_table_can_be_rolled_back_further(catalog: Catalog, held: tuple[str, str]) -> None:
    """The last rollback counts: its place, its user, its reason."""
    rows = HoldRows(catalog.database, catalog.scope)
    assert rows.roll_back("t", held[1], by="grace\0", reason=None)
    assert catalog.current("t") == held[1]
    assert str(catalog.reader.holds()["t"]).startswith("held by grace\\0 since")


def test_a_hold_outlives_the_loss_of_its_bytes(catalog: Catalog, held: tuple[str, str]) -> None:
    """No run brings another one in its place; it comes back with its bytes, or by a release."""
    recovery = RecoveryRows(catalog.database, catalog.scope)
    recovery.lose(held[0])
    assert not catalog.ready("t")[1].is_current
    recovery.bring_back(held[0])
    assert catalog.current("t") == held[0]
    recovery.lose(held[0])
    HoldRows(catalog.database, catalog.scope).release("t")
    assert catalog.ready("t")[1].is_current


def test_only_a_ready_materialization_of_the_table_is_rolled_back_to(
    catalog: Catalog, held: tuple[str, str]
) -> None:
    """One of another table, one that is not ready, or an unknown one is refused, and nothing changes."""
    others = [catalog.ready("u")[0], catalog.begin("t")[0][0].materialization_id, "none"]
    before = _told(catalog)
    for to in others:
        with pytest.raises(UnknownTable):
            HoldRows(catalog.database, catalog.scope).roll_back("t", to, by="me", reason=None)
    assert _told(catalog) == before
    assert catalog.current("t") == held[0]
