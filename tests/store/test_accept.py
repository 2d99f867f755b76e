"""Acceptances at the level of the library: what is refused, how far one reaches, and when it is void."""

from pathlib import Path
from typing import Any

import pytest
from core_kit import make, numbers
from engine_kit import Engine
from store_kit import on, rows

from jammi_dagster import InputAnchor, ResultStore
from jammi_dagster.contract import Acceptance, definition_hash
from jammi_dagster.errors import CatalogReadOnly, InvalidField, NotAcceptable, UnknownTable
from jammi_dagster.sensing import Wanted, probe_tables

on_both = pytest.mark.parametrize("store_at", ["file", "postgres"], indirect=True)
on_one = pytest.mark.parametrize("store_at", ["memory"], indirect=True)
ENV = {"python": "3.11", "libraries": {"polars": "1.0"}, "device": "cpu"}
INPUT = InputAnchor.source_version("file:raw.csv", "1")


def described(version: int = 1, **changed: Any) -> dict[str, Any]:
    """A descriptor as assets have them."""
    components = changed.pop("components", {"function t (t.py)": f"digest {version}"})
    return {
        "producer": "dagster_asset",
        "code": {"kind": "source", "digest": str(components), "components": components},
        "config": {"alpha": 1},
        "io_semantics": 1,
        "input_names": "names",
        "inputs": {"raw": {"kind": "pyarrow.Table"}},
        "output_kind": "pyarrow.Table",
        "resources": {"db": {"class": "Db", "code": "1"}},
        **changed,
    }


def materialized(store: ResultStore, table: str = "t", code: int = 1, rows: int = 3, **more: Any) -> Any:
    inputs = more.pop("inputs", [INPUT])
    return store.materialize(table, numbers(rows), descriptor=described(code), env=ENV, inputs=inputs)


def accept(store: ResultStore, table: str = "t", code: int = 2, **more: Any) -> Acceptance:
    given: dict[str, Any] = {"descriptor": described(code), "env": ENV, "inputs": [INPUT], "by": "ada"}
    return store.accept(table, **{**given, "reason": "renamed", **more})


def hash_of(code: int) -> str:
    return str(definition_hash(described(code), ENV))


def hit(store: ResultStore, table: str = "t", code: int = 2, inputs: Any = (INPUT,)) -> str | None:
    """The materialization that a step of this table, code and inputs would reuse."""
    (answer,) = probe_tables(store.reader, store.artifacts, [Wanted(table, hash_of(code), list(inputs))])
    return answer.record.materialization_id if answer.record and answer.has_bytes else None


def judged(store: ResultStore, code: int = 2, table: str = "t") -> tuple[str, str | None]:
    """The verdict on the table under this code and its grade; the sweep says the same."""
    surfaces = [Same()]
    verdict = store.staleness(table, hash_of(code), surfaces=surfaces)
    swept = dict(store.sweep({table: hash_of(code)}, surfaces=surfaces))[table]
    assert (swept, swept.accepted) == (verdict, verdict.accepted)
    return verdict.staleness, verdict.grade


class Same:
    """The surface of the input, which has not moved."""

    source = "file:raw.csv"

    def observe(self) -> str:
        return "1"


@on_both
def test_an_accepted_table_is_fresh_under_the_other_code_alone(store: ResultStore) -> None:
    """Judged alone and in a sweep; under its own code it is fresh by comparison, under a third it is stale."""
    made = materialized(store)
    assert judged(store) == ("stale", None)
    said = accept(store, proof="recomputed")
    assert judged(store) == ("fresh", "declared")
    assert judged(store, code=1) == ("fresh", None)
    assert judged(store, code=3) == ("stale", None)
    assert str(said) == "accepted by ada because renamed (recomputed)"
    assert said.to_dict() == {
        "table": "t",
        "tenant": "",
        "deployment": "default",
        "materialization_id": made.materialization_id,
        "from_definition": hash_of(1),
        "to_definition": hash_of(2),
        "anchor_set": said.anchor_set,
        "artifact_digest": made.artifact_digest,
        "by": "ada",
        "reason": "renamed",
        "at": said.at,
        "proof": "recomputed",
    }
    assert store.acceptances() == {"t": said}
    assert store.staleness("t", hash_of(2), surfaces=[Same()]).to_dict() == {"staleness": "fresh"}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"descriptor": described(2, config={"alpha": 2})}, "config.alpha 1 -> 2"),
    ({"descriptor": described(2, resources={"db": {"class": "Db", "code": "2"}})}, "resource.db.code"),
    ({"descriptor": described(2, input_names="others")}, "inputs"),
    ({"descriptor": described(2, inputs={"raw": {"kind": "polars.DataFrame"}})}, "input.raw.kind"),
    ({"descriptor": described(2, io_semantics=2)}, "io_semantics 1 -> 2"),
    ({"descriptor": described(2, output_kind="str")}, "output_kind"),
    ({"descriptor": described(2, producer="other")}, "producer"),
    ({"env": {**ENV, "libraries": {"polars": "2.0"}}}, "polars 1.0 -> 2.0"),
    ({"env": {**ENV, "libraries": {}}}, "polars 1.0 removed"),
    ({"env": {**ENV, "python": "3.12"}}, "python 3.11 -> 3.12"),
    ({"env": {**ENV, "device": "gpu"}}, "device cpu -> gpu"),
    ({"env": {**ENV, "model": "m"}}, "env.model m added"),
    ({"inputs": [InputAnchor.source_version("file:raw.csv", "2")]}, "file:raw.csv changed"),
    ({"inputs": []}, "file:raw.csv is gone"),
    (
        {"inputs": [InputAnchor.unpinned_at_instant("file:raw.csv", "2026-01-01T00:00:00Z")]},
        "inputs without a version (file:raw.csv)",
    ),
    (
        {"descriptor": described(code={"kind": "code_version", "components": {"code_version": "2"}})},
        "code identity",
    ),
    ({"descriptor": described(components={"file data.csv": "2"})}, "file data.csv"),
    ({"descriptor": described(components={"function t (t.py)": "hmac_sha256:00"})}, "function t"),
    ({"descriptor": described(1)}, "nothing to accept"),
]


@on_one
def test_more_than_code_is_refused(store: ResultStore) -> None:
    """The refusal names the table and the difference; nothing is recorded."""
    materialized(store)
    for changed, why in REFUSED:
        with pytest.raises(NotAcceptable) as raised:
            accept(store, **changed)
        assert str(raised.value).startswith("table t: it cannot be accepted, ")
        assert why in str(raised.value), changed
    assert store.acceptances() == {}
    assert judged(store) == ("stale", None)


@on_one
def test_a_table_that_cannot_be_vouched_for_is_refused(store: ResultStore) -> None:
    """One over unpinned inputs, one without bytes, one that is not there; and a word without reason or name."""
    unpinned = InputAnchor.unpinned_at_instant("api:x", "2026-01-01T00:00:00Z")
    materialized(store, "unpinned", inputs=[unpinned])
    with pytest.raises(NotAcceptable, match="inputs without a version"):
        accept(store, "unpinned", inputs=[unpinned])
    made = materialized(store)
    for name in ("reason", "by"):
        with pytest.raises(InvalidField, match=name):
            accept(store, "t", 2, **{name: " "})
    store.artifacts.delete(made.artifact_path)
    with pytest.raises(NotAcceptable, match="its bytes are gone"):
        accept(store)
    with pytest.raises(UnknownTable):
        accept(store, "other")


@on_one
def test_a_code_version_may_be_accepted(store: ResultStore) -> None:
    """An author's own version is a component of code like any other."""
    one, two = (
        described(code={"kind": "code_version", "digest": v, "components": {"code_version": v}}) for v in "12"
    )
    store.materialize("t", numbers(3), descriptor=one, env=ENV, inputs=[INPUT])
    assert accept(store, descriptor=two).to_definition == str(definition_hash(two, ENV))


@on_one
def test_a_partition_is_named_apart(store: ResultStore) -> None:
    """`partition` stands for the table's name with it."""
    materialized(store, "t[a]")
    assert accept(store, partition="a").table == "t[a]"


@on_both
def test_an_acceptance_hits_for_its_materialization_alone(store: ResultStore) -> None:
    """Not for another table of that definition, other inputs, an earlier materialization, or without a table."""
    earlier = materialized(store, rows=2)
    made = materialized(store)
    other = materialized(store, "other")
    assert hit(store) is None
    accept(store)
    assert hit(store) == made.materialization_id != earlier.materialization_id
    assert hit(store, "other") is None
    assert hit(store, inputs=[InputAnchor.source_version("file:raw.csv", "2")]) is None
    assert hit(store, code=3) is None
    assert store.probe_cache(hash_of(2), [INPUT]) is None
    assert judged(store, table="other") == ("stale", None)
    assert other.artifact_digest == made.artifact_digest
    real = materialized(store, "real", code=2)  # of the definition itself: it comes first
    assert hit(store) == real.materialization_id


@on_one
def test_an_input_that_moved_is_stale_all_the_same(store: ResultStore) -> None:
    """The acceptance is about code: it says nothing of another state of an input."""
    make(store, "up")
    up = on(store.current("up"))
    materialized(store, inputs=up)
    accept(store, inputs=up)
    assert store.staleness("t", hash_of(2)).is_fresh
    make(store, "up", numbers(7))
    verdict = store.staleness("t", hash_of(2))
    assert [reason.reason for reason in verdict.reasons] == ["input_advanced"]
    assert (verdict.grade, verdict.accepted) == (None, None)


@on_both
def test_an_acceptance_is_void_once_the_name_moves(store: ResultStore) -> None:
    """By a computation, a drop, or a rollback; also where the name comes back to the accepted materialization."""
    made = materialized(store)
    accept(store)
    materialized(store, code=3, rows=4)
    assert (store.acceptances(), hit(store)) == ({}, None)
    store.rollback("t", made.materialization_id)
    assert (store.acceptances(), hit(store)) == ({}, None)
    assert judged(store) == ("stale", None)
    accept(store)
    start = store.writer.next_start()
    store.writer.point([("t", made.materialization_id)], start_sequence=start, run_id="run")  # stays
    assert judged(store) == ("fresh", "declared")
    assert len(rows(store)["acceptances"]) == 2
    store.prune_history(keep_last=1, keep_for_days=0)
    assert judged(store) == ("fresh", "declared")
    assert len(rows(store)["acceptances"]) == 1  # the void one is forgotten
    store.release("t")
    store.drop("t")
    assert (store.acceptances(), hit(store)) == ({}, None)


@on_one
def test_acceptances_do_not_follow_from_each_other(store: ResultStore) -> None:
    """Each compares the recorded definition with the one of its time; the last one counts."""
    materialized(store)
    accept(store)
    said = accept(store, code=3)
    assert said.from_definition == hash_of(1)
    assert judged(store, code=2) == ("stale", None)
    assert judged(store, code=3) == ("fresh", "declared")


@on_both
def test_another_deployment_refuses_an_acceptance(store: ResultStore) -> None:
    """There the same materialization is stale, and no hit, until it is accepted there."""
    made = materialized(store)
    branch = store.beside(deployment="branch")
    start = branch.writer.next_start()
    branch.writer.point([("t", made.materialization_id)], start_sequence=start, run_id=None)
    accept(store)
    assert (branch.acceptances(), hit(branch), judged(branch)) == ({}, None, ("stale", None))
    assert accept(branch).deployment == "branch"
    assert hit(branch) == made.materialization_id


@on_one
def test_a_branch_refuses_the_acceptance_of_its_parent(store: ResultStore) -> None:
    """It reads the table through, and would compute it; it accepts no table of its parent either."""
    materialized(store)
    accept(store)
    branch = store.beside(deployment="branch", parent="default")
    assert branch.tables() == ["t"]
    assert (branch.acceptances(), hit(branch), judged(branch)) == ({}, None, ("stale", None))
    with pytest.raises(UnknownTable, match="one of default, which no branch accepts"):
        accept(branch)


@on_one
def test_what_was_accepted_stays_for_tables_alone_that_are_its_own(store: ResultStore) -> None:
    """A tenant sees the acceptance of a global table, and cannot give one."""
    made = materialized(store)
    tenant = store.beside(tenant="acme")
    with pytest.raises(UnknownTable, match="which no tenant accepts"):
        accept(tenant)
    accept(store)
    assert hit(tenant) == made.materialization_id
    assert judged(tenant) == ("fresh", "declared")
    materialized(tenant)
    assert (tenant.acceptances(), hit(tenant), judged(tenant)) == ({}, None, ("stale", None))


@on_one
def test_an_acceptance_raises_the_revision(store: ResultStore) -> None:
    """Whoever keeps answers by it asks again."""
    materialized(store)
    before = store.revision()
    accept(store)
    assert store.revision() != before


def test_an_engine_has_no_acceptances(tmp_path: Path) -> None:
    """Its catalog is only read."""
    store = Engine("chain", tmp_path / "engine").attach()
    assert store.acceptances() == {}
    with pytest.raises(CatalogReadOnly):
        accept(store, store.tables()[0])
