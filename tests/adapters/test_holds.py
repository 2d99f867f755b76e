"""Tables that are held: judged as ever, and requested by nothing until they are released."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, table, taken, values
from sensing_kit import Ticking, definitions, evaluate

from jammi_dagster import StaleMaterialization, materialize_plan, plan, recompute, result_table
from jammi_dagster.catalog import Outbox
from jammi_dagster.errors import TableHeld
from jammi_dagster.surfaces import file

HELD = "held by ada since "


class Died(BaseException):
    """An end that no code catches."""


def _die(*args: Any, **options: Any) -> None:
    raise Died


def chain(folder: Path) -> list[Any]:
    """A file, a table of it, one of that, which is to be held, one below, and one below both."""
    path = folder / "raw.txt"
    stale = StaleMaterialization()

    @result_table(reads=[file(path, name="raw.txt")], code_version="1")
    def raw() -> pa.Table:
        note("raw")
        return table(path.read_text())

    @result_table(code_version="1", automation_condition=stale)
    def mid(raw: pa.Table) -> pa.Table:
        note("mid")
        return raw

    @result_table(code_version="1", automation_condition=stale)
    def low(mid: pa.Table) -> pa.Table:
        note("low")
        return mid

    @result_table(code_version="1")
    def side(raw: pa.Table, low: pa.Table) -> pa.Table:
        note("side")
        return pa.concat_tables([raw, low])

    return [raw, mid, low, side]


@pytest.fixture
def assets(lab: Lab, tmp_path: Path) -> list[Any]:
    """The chain, made over the texts `1` and `2`, then `mid` rolled back to its first materialization."""
    assets = chain(tmp_path)
    for text in "12":
        (tmp_path / "raw.txt").write_text(text)
        lab.run(assets)
    first = lab.store.history("mid")[-1]
    lab.store.rollback("mid", first.materialization_id, by="ada")
    return assets


def test_the_verdict_on_a_held_table_is_its_true_one(lab: Lab, assets: list[Any]) -> None:
    """It says beside it that the table is held; tables below the rollback are stale, and are requested."""
    found = evaluate(lab, assets)
    assert {name: state.kind for name, state in found.tables.items()} == {
        "mid": "stale",
        "low": "stale",
        "side": "fresh",
    }
    assert list(found.holds) == ["mid"]
    ticking = Ticking(lab, assets)
    done = ticking.settle()
    assert done == [{"low": "reused", "side": "computed"}]
    assert values(lab.store.read("side")) == ["2", "1"]
    assert "mid is stale: raw changed; held by ada since " in ticking.said
    assert "Not requested before it is released." in ticking.said


@pytest.mark.slow
def test_no_cascade_goes_through_a_held_table(lab: Lab, assets: list[Any], tmp_path: Path) -> None:
    """What derives from the change by another way is made; then the sensor rests until the release."""
    ticking = Ticking(lab, assets)
    ticking.settle()
    (tmp_path / "raw.txt").write_text("3")
    assert ticking.settle() == [{"raw": "computed", "side": "computed"}]
    assert values(lab.store.read("side")) == ["3", "1"]
    assert ticking.tick() == []
    assert ticking.said.endswith("Nothing changed since.")
    lab.store.release("mid")
    assert ticking.settle() == [{"mid": "computed", "low": "computed", "side": "computed"}]
    assert values(lab.store.read("side")) == ["3", "3"]


@pytest.mark.slow
def test_a_held_table_whose_bytes_are_gone_is_not_requested(lab: Lab, assets: list[Any]) -> None:
    """A run would record another materialization, and leave the name where nothing is."""
    Ticking(lab, assets).settle()
    lab.store.artifacts.delete(lab.store.current("mid").artifact_path)
    assert Ticking(lab, assets).tick() == []


def test_a_run_of_a_held_table_records_and_says_so(lab: Lab, assets: list[Any]) -> None:
    """As the plan says; the table stays where it is. A run that finds the held one is current."""
    planned = {row.table: row for row in plan(definitions(lab, assets), instance=lab.instance).rows}
    assert planned["mid"].action == "reuse"
    assert planned["mid"].reasons[-1].startswith(f"it is recorded, but does not become current: {HELD}")
    assert not planned["side"].reasons[-1].endswith(HELD)
    before = lab.store.current("mid").materialization_id
    ran = lab.run(assets, select=["mid"])
    assert ran.said("mid")["jammi/is_current"] is False
    assert lab.store.current("mid").materialization_id == before
    defs = definitions(lab, assets)
    report = materialize_plan(plan(defs, "mid", instance=lab.instance), defs, instance=lab.instance)
    assert report.skipped["mid"].startswith(HELD)


def test_a_launched_plan_computes_over_what_a_run_of_it_reads(lab: Lab, assets: list[Any]) -> None:
    """A reuse of a held table is there for its own run alone, so it takes place in that of the tables below it."""

    @result_table(code_version="1")
    def new(mid: pa.Table) -> pa.Table:
        return mid

    defs = definitions(lab, [*assets, new])
    made = plan(defs, ["mid", "low", "new"], instance=lab.instance)
    assert {row.table: row.action for row in made.rows} == {
        "mid": "reuse",
        "low": "reuse",
        "new": "compute",
    }

    report = materialize_plan(made, defs, instance=lab.instance)

    assert (sorted(report.requested), report.reused) == (["mid", "new"], ["low"])
    assert [values(lab.store.read(name)) for name in ("mid", "low", "new")] == [["1"], ["2"], ["2"]]


def test_a_table_of_another_run_is_not_reused_over_a_held_partition(lab: Lab, tmp_path: Path) -> None:
    """Its run would read the partition that is held; it is left, and a plan without the partition decides it."""
    path = tmp_path / "raw.txt"

    @result_table(
        partitions_def=dg.StaticPartitionsDefinition(["a"]), reads=[file(path, name="raw")], code_version="1"
    )
    def part() -> pa.Table:
        return table(path.read_text())

    @result_table(code_version="1")
    def whole(part: pa.Table) -> pa.Table:
        return part

    assets = [part, whole]
    for text in "12":
        path.write_text(text)
        lab.run(assets, partition="a")
    lab.store.rollback("part[a]", lab.store.history("part[a]")[-1].materialization_id, by="ada")
    defs = definitions(lab, assets)

    report = materialize_plan(plan(defs, instance=lab.instance), defs, instance=lab.instance)

    assert (report.runs, report.reused, sorted(report.skipped)) == ([], [], ["part[a]", "whole"])
    report = materialize_plan(plan(defs, "whole", instance=lab.instance), defs, instance=lab.instance)
    assert report.reused == ["whole"]
    assert values(lab.store.read("whole")) == ["1"]


def _events(lab: Lab, name: str) -> list[tuple[Any, Any]]:
    """The reason and the move of each event outside of a run, the last one first."""
    records = lab.instance.fetch_materializations(dg.AssetKey(name), limit=20).records
    made = [record.asset_materialization for record in records if not record.run_id]
    return [(one.metadata["jammi/why"].value, one.metadata["jammi/move"].value) for one in made if one]


def test_dagster_hears_of_a_rollback_once(
    lab: Lab, assets: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the next tick, with the data version of the earlier one; a sender that dies in between repeats nothing."""
    move, record = lab.store.moves("mid")[0], lab.store.current("mid")
    ticking = Ticking(lab, assets)
    with monkeypatch.context() as patched:
        patched.setattr(Outbox, "sent", _die)
        with pytest.raises(Died):
            ticking.tick()
    assert _events(lab, "mid") == [("rolled back by ada", move.sequence)]
    (last,) = lab.instance.fetch_materializations(dg.AssetKey("mid"), limit=1).records
    assert last.asset_materialization is not None
    tags = last.asset_materialization.tags or {}
    assert tags["dagster/data_version"] == record.artifact_digest
    with lab.store.database.writing() as connection:  # its claim has run out
        connection.exec_driver_sql("UPDATE outbox SET claimed_until = 0")
    ticking.tick()
    assert len(_events(lab, "mid")) == 1
    with lab.store.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM outbox").scalar_one() == 0


@pytest.mark.slow
def test_an_event_before_which_a_sender_dies_is_sent_by_the_next_one(
    lab: Lab, assets: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost; an event of a table that nothing here makes waits for its own code location."""
    for value in (1, 2):
        lab.store.materialize("of others", table(value), descriptor={"producer": "me"}, env={}, inputs=[])
    lab.store.rollback("of others", lab.store.history("of others")[1].materialization_id)
    ticking = Ticking(lab, assets)
    with monkeypatch.context() as patched:
        patched.setattr(dg.DagsterInstance, "report_runless_asset_event", _die)
        with pytest.raises(Died):
            ticking.tick()
    assert _events(lab, "mid") == []
    with lab.store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE outbox SET claimed_until = 0")
    ticking.tick()
    assert len(_events(lab, "mid")) == 1
    assert [event.table for event in Outbox(lab.store.database, lab.store.scope).pending()] == ["of others"]


@pytest.mark.slow
def test_a_rolled_back_partition_is_told_as_itself(lab: Lab) -> None:
    """Also one of several dimensions, which Dagster finds by the tags of each."""
    one, two = dg.StaticPartitionsDefinition(["a"]), dg.StaticPartitionsDefinition(["b"])

    @result_table(
        reads=[], code_version="1", partitions_def=dg.MultiPartitionsDefinition({"x": one, "y": two})
    )
    def cells(context: dg.AssetExecutionContext) -> pa.Table:
        return table(context.run.run_id)

    for _ in range(2):
        lab.run([cells], partition="a|b", tags={"jammi/cache": "bypass"})
    first = lab.store.history("cells[a|b]")[-1]
    lab.store.rollback("cells[a|b]", first.materialization_id)
    Ticking(lab, [cells]).tick()
    (last,) = lab.instance.fetch_materializations(dg.AssetKey("cells"), limit=1).records
    assert last.asset_materialization is not None
    tags = last.asset_materialization.tags or {}
    assert (last.partition_key, tags["dagster/partition/x"], tags["dagster/partition/y"]) == ("a|b", "a", "b")
    assert tags["dagster/data_version"] == first.artifact_digest


def test_a_condition_does_not_ask_for_a_held_table(lab: Lab, assets: list[Any]) -> None:
    """It asks for the stale table below."""
    result = dg.evaluate_automation_conditions(definitions(lab, assets), instance=lab.instance)
    asked = {name: result.get_num_requested(dg.AssetKey(name)) for name in ("mid", "low")}
    assert asked == {"mid": 0, "low": 1}


def test_recompute_makes_no_held_table(lab: Lab, assets: list[Any], tmp_path: Path) -> None:
    """It refuses to make it; downstream of another one, it leaves out the held one and all that is below it alone."""
    defs = definitions(lab, assets)
    with pytest.raises(TableHeld, match=r"table mid .*: it is held by ada .*; release it first"):
        recompute(lab.store, defs, "mid", instance=lab.instance)
    (tmp_path / "raw.txt").write_text("3")
    taken()
    report = recompute(lab.store, defs, "raw", "downstream", lab.instance)
    assert taken() == ["raw", "side"]
    assert report.downstream_stale == ("mid", "low", "side")
    assert json.loads(json.dumps(report.to_dict()))["recomputed"][0]["table"] == "raw"
