"""Queries: the rows that a scope sees, their order, and the index that serves."""

import json
import time
from typing import Any

import pytest
import sqlalchemy as sa
from catalog_kit import Catalog
from core_kit import DEFINITION, DIGEST

from jammi_dagster.contract import InputAnchor, anchor_set_key

# one suite for every catalog
pytestmark = pytest.mark.parametrize("catalog", ["sqlite", "postgres"], indirect=True)

A = InputAnchor.source_version("file:a", "1")
NOTHING = anchor_set_key([])


def fill(catalog: Catalog, count: int) -> None:
    """`count` current tables `t000000`…, each ready, in few statements."""
    rows = [{"id": f"m{i:06}", "name": f"t{i:06}", "path": f"tables/m{i:06}.parquet"} for i in range(count)]
    with catalog.database.writing() as connection:
        connection.execute(
            sa.text("INSERT INTO anchor_sets (id, set_key, anchors_json) VALUES (1, :key, '[]')"),
            {"key": NOTHING},
        )
        connection.execute(
            sa.text(
                "INSERT INTO materializations (id, tenant, deployment, table_name, status, artifact_path,"
                " definition_hash, anchor_set_id, artifact_digest, size_bytes, row_count, produced_by,"
                " start_sequence, created_at) VALUES (:id, '', 'default', :name, 'ready', :path,"
                f" '{DEFINITION}', 1, '{DIGEST}', 1, 1, 'p', 1, '2026')"
            ),
            rows,
        )
        connection.execute(
            sa.text(
                "INSERT INTO pointers (tenant, deployment, table_name, materialization_id, start_sequence)"
                " VALUES ('', 'default', :name, :id, 1)"
            ),
            rows,
        )


def _ids(records: list[Any]) -> list[str]:
    return [record.materialization_id for record in records]


# --- current ------------------------------------------------------------------------------------------


def test_what_is_not_there_is_none(catalog: Catalog) -> None:
    """A miss is a result."""
    assert catalog.reader.current("t") is None
    assert catalog.reader.get("m") is None
    assert catalog.reader.history("t") == []
    assert catalog.reader.matches(DEFINITION, NOTHING) == []
    assert catalog.reader.current_of([]) == {}
    assert catalog.reader.annotation("m") is None


def test_history_is_the_latest_start_first(catalog: Catalog) -> None:
    """Every materialization of a table, of each status, ordered by start and not by any clock."""
    early = catalog.writer.next_start()
    second, _ = catalog.ready("t")
    first, _ = catalog.ready("t", start=early)
    rows, lease = catalog.begin("t")
    catalog.writer.fail(rows, lease=lease)
    catalog.ready("other")
    history = catalog.reader.history("t")
    assert _ids(history) == [rows[0].materialization_id, second, first]
    assert [record.status for record in history] == ["failed", "ready", "ready"]


def test_history_crosses_deployments(catalog: Catalog) -> None:
    """A branch's materializations are part of a table's history."""
    made, _ = catalog.beside(deployment="branch").ready("t")
    assert _ids(catalog.reader.history("t")) == [made]


def test_many_current_tables_at_once(catalog: Catalog) -> None:
    """12,000 names are answered in a few queries, those without a table left out."""
    fill(catalog, 12_000)
    names = [f"t{i:06}" for i in range(12_000)]
    began = time.monotonic()
    found = catalog.reader.current_of([*names, "unknown", *names[:10]])
    assert time.monotonic() - began < 10
    assert list(found) == names or sorted(found) == names
    assert found["t000007"].materialization_id == "m000007"
    assert found["t000007"].artifact_uri == "file:///root/tables/m000007.parquet"


def test_any_text_is_a_name(catalog: Catalog) -> None:
    """Names with wildcards, quotes, emoji and case meet themselves alone."""
    names = ["a_b", "aXb", "a%b", "A_B", "it's", '"', "😀", "x" * 10_000, "\n", "é"]
    made = {name: catalog.ready(name)[0] for name in names}
    assert {name: catalog.current(name) for name in names} == made
    assert catalog.reader.tables() == sorted(names)
    of_many = catalog.reader.current_of(names)
    assert {name: record.materialization_id for name, record in of_many.items()} == made


def test_neighbours_are_the_names_beside_a_name(catalog: Catalog) -> None:
    """So many before it and so many after it, in this deployment, however many tables there are."""
    for name in ("a", "b", "c", "e", "f"):
        catalog.ready(name)
    catalog.beside(deployment="branch").ready("d0")
    assert sorted(catalog.reader.neighbours("d", most=2)) == ["b", "c", "e", "f"]
    assert sorted(catalog.reader.neighbours("a", most=1)) == ["b"]
    assert sorted(catalog.reader.neighbours("", most=9)) == ["a", "b", "c", "e", "f"]


# --- matches ------------------------------------------------------------------------------------------


def test_a_match_is_exact(catalog: Catalog) -> None:
    """Definition and anchor set must both be equal; only ready rows match."""
    made, _ = catalog.ready("t", anchors=[A])
    catalog.begin("t")
    key = anchor_set_key([A])
    assert _ids(catalog.reader.matches(DEFINITION, key)) == [made]
    assert catalog.reader.matches("00" * 32, key) == []
    assert catalog.reader.matches(DEFINITION, NOTHING) == []
    assert (
        catalog.reader.matches(DEFINITION, anchor_set_key([InputAnchor.source_version("file:a", "2")])) == []
    )


def test_the_current_match_comes_first_then_the_newest(catalog: Catalog) -> None:
    """The pointer decides before age does."""
    made = [catalog.ready("t")[0] for _ in range(4)]
    assert _ids(catalog.reader.matches(DEFINITION, NOTHING)) == made[::-1]
    catalog.writer.point([("t", made[1])], start_sequence=catalog.writer.next_start(), run_id=None)
    assert _ids(catalog.reader.matches(DEFINITION, NOTHING)) == [made[1], made[3], made[2], made[0]]
    assert _ids(catalog.reader.matches(DEFINITION, NOTHING, only_best=True)) == [made[1]]
    assert catalog.reader.matches("00" * 32, NOTHING, only_best=True) == []


def test_current_is_that_of_the_deployment_that_asks(catalog: Catalog) -> None:
    """Each deployment prefers its own current materialization."""
    branch = catalog.beside(deployment="branch")
    older, newer = catalog.ready("t")[0], catalog.ready("t")[0]
    branch.writer.point([("t", older)], start_sequence=branch.writer.next_start(), run_id=None)
    assert _ids(branch.reader.matches(DEFINITION, NOTHING)) == [older, newer]
    assert _ids(catalog.reader.matches(DEFINITION, NOTHING)) == [newer, older]


# --- tenants ------------------------------------------------------------------------------------------


def test_a_tenant_sees_its_own_and_the_global_rows(catalog: Catalog) -> None:
    """Never another tenant's; and without a tenant, the global ones alone."""
    acme, other = catalog.beside(tenant="acme"), catalog.beside(tenant="other")
    shared, own, theirs = (
        scope.ready(name)[0] for scope, name in ((catalog, "g"), (acme, "a"), (other, "o"))
    )
    assert acme.reader.tables() == ["a", "g"]
    assert catalog.reader.tables() == ["g"]
    assert (acme.current("g"), acme.current("a"), acme.current("o")) == (shared, own, None)
    assert acme.reader.get(theirs) is None
    assert acme.reader.history("o") == []
    assert sorted(acme.reader.current_of(["a", "g", "o"])) == ["a", "g"]
    assert sorted(_ids(acme.reader.matches(DEFINITION, NOTHING))) == sorted([shared, own])
    assert _ids(catalog.reader.matches(DEFINITION, NOTHING)) == [shared]


def test_a_tenants_own_table_hides_the_global_one(catalog: Catalog) -> None:
    """Its own pointer wins, whichever start was later; other tenants still see the global one."""
    acme = catalog.beside(tenant="acme")
    own, _ = acme.ready("t")
    shared, _ = catalog.ready("t")
    assert acme.current("t") == own
    assert acme.reader.current_of(["t"])["t"].materialization_id == own
    assert acme.reader.tables() == ["t"]
    assert catalog.beside(tenant="other").current("t") == shared


def test_a_tenant_prefers_what_its_name_resolves_to(catalog: Catalog) -> None:
    """The global current match is the current one for a tenant without a pointer of its own."""
    acme = catalog.beside(tenant="acme")
    older, newer = catalog.ready("t")[0], catalog.ready("t")[0]
    catalog.writer.point([("t", older)], start_sequence=catalog.writer.next_start(), run_id=None)
    assert acme.current("t") == older
    assert _ids(acme.reader.matches(DEFINITION, NOTHING)) == [older, newer]
    own, _ = acme.ready("t")
    assert _ids(acme.reader.matches(DEFINITION, NOTHING)) == [own, newer, older]


def test_a_run_of_one_tenant_is_not_seen_by_another(catalog: Catalog) -> None:
    """A run's results are kept per tenant."""
    catalog.beside(tenant="acme").ready("t", run_id="r")
    assert catalog.reader.of_run("r", ["t"]) == {}
    assert list(catalog.beside(tenant="acme").reader.of_run("r", ["t"])) == ["t"]


# --- records ------------------------------------------------------------------------------------------


def test_a_record_says_what_it_is_in_json(catalog: Catalog) -> None:
    """`to_dict` is plain JSON."""
    made, _ = catalog.ready("t", anchors=[A])
    assert json.loads(json.dumps(catalog.get(made).to_dict()))["input_anchors"] == [A.to_dict()]


def test_anchors_that_the_caller_knows_are_not_read(catalog: Catalog) -> None:
    """A match is given the anchors that were asked for, in the order that was asked for."""
    other = InputAnchor.source_version("file:b", "1")
    catalog.ready("t", anchors=[A, other])
    match = catalog.reader.matches(DEFINITION, anchor_set_key([other, A]))[0]
    assert match.with_anchors([other, A]).input_anchors == (other, A)


def test_deployments_are_those_with_a_table_that_can_be_read(catalog: Catalog) -> None:
    """A deployment whose last table was dropped is none any more."""
    assert catalog.reader.deployments() == []
    catalog.ready("t")
    branch = catalog.beside(deployment="branch")
    branch.ready("u")
    assert catalog.reader.deployments() == branch.reader.deployments() == ["branch", "default"]
    branch.writer.drop("u", lambda _: None)
    assert catalog.reader.deployments() == ["default"]
