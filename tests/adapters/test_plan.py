"""`plan`: outcome, first cause, path, cost and basis of a launch, and a saved plan that is refused once it moved."""

import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, table

from jammi_dagster import (
    CachePolicy,
    JammiError,
    Plan,
    ResultStore,
    ResultStoreResource,
    ResultTableIOManager,
    check_plan,
    plan,
    result_table,
)
from jammi_dagster.errors import CatalogLost, InvalidField, InvalidTarget, PlanOutdated
from jammi_dagster.surfaces import file

letters = dg.StaticPartitionsDefinition(["a", "b"])


def pipeline(lab: Lab, version: str = "1", rows: int = 1, **more: Any) -> dg.Definitions:
    """A source, a table of it by letter, and a total over all letters."""

    @result_table(reads=[], code_version=version)
    def source() -> pa.Table:
        return table(rows)

    @result_table(partitions_def=letters, code_version="1", **more)
    def by_letter(source: pa.Table) -> pa.Table:
        return source

    @result_table(code_version="1")
    def total(by_letter: dict[str, pa.Table]) -> pa.Table:
        return table(len(by_letter))

    return dg.Definitions(assets=[source, by_letter, total], resources=lab.resources)


def launch(lab: Lab, defs: dg.Definitions) -> None:
    """Make everything once."""
    source, by_letter, total = defs.assets or ()
    lab.run([source])
    for letter in "ab":
        lab.run([source, by_letter], select=[by_letter], partition=letter)
    lab.run([source, by_letter, total], select=[total])


def outcomes(planned: Plan) -> dict[str, str]:
    return {one.table: one.said for one in planned.rows}


def test_a_first_launch_computes_everything_in_waves(lab: Lab) -> None:
    """Nothing is stored: each table comes for the first time, and partitions need runs of their own."""
    planned = plan(pipeline(lab), instance=lab.instance)
    assert outcomes(planned) == dict.fromkeys(["source", "by_letter[a]", "by_letter[b]", "total"], "compute")
    assert {one.reasons for one in planned.rows} == {("first time",)}
    assert [one.wave for one in planned.rows] == [0, 1, 1, 2]
    assert planned.exit_code == 2


def test_a_lost_catalog_is_no_first_launch(lab: Lab, tmp_path: Path) -> None:
    """The next run would rebuild it and reuse: a plan refuses, and names the way out, until the tables are back."""
    defs = pipeline(lab)
    launch(lab, defs)
    before = outcomes(plan(defs, instance=lab.instance))
    assert set(before.values()) == {"reuse"}
    root = shutil.copytree(lab.root, tmp_path / "copy", ignore=shutil.ignore_patterns("catalog.db*"))
    manager = ResultTableIOManager(store=ResultStoreResource(root=str(root)), cache=CachePolicy.USE)
    lost = dg.Definitions(assets=defs.assets, resources={"io_manager": manager})
    with pytest.raises(CatalogLost, match="jammi-dagster adopt"):
        plan(lost, instance=lab.instance)
    with contextlib.closing(ResultStore(str(root))) as store:
        assert len(store.adopt().adopted) == len(before)
    assert outcomes(plan(lost, instance=lab.instance)) == before


def test_an_unchanged_launch_reuses_and_says_what_it_saves(lab: Lab) -> None:
    defs = pipeline(lab)
    launch(lab, defs)
    planned = plan(defs, instance=lab.instance)
    assert set(outcomes(planned).values()) == {"reuse"}
    assert planned.exit_code == 0
    assert planned.saved_seconds > 0
    one = planned["total"]
    assert one.is_current
    assert one.materialization == lab.store.current("total").materialization_id
    assert one.reasons[0].startswith("same definition over same inputs, made by run ")


def test_a_change_names_its_cause_and_the_way_to_it(lab: Lab) -> None:
    """The first determinant that differs stands first; below it a stored result may still fit."""
    launch(lab, pipeline(lab))
    planned = plan(pipeline(lab, version="2"), instance=lab.instance)
    source, below, total = planned["source"], planned["by_letter[a]"], planned["total"]
    assert (source.action, source.reasons, source.before, source.after) == (
        "compute",
        ("code_version 1 -> 2",),
        "1",
        "2",
    )
    assert (below.action, below.reasons, below.cause_path) == (
        "compute or reuse",
        ("input source is made first",),
        ("source",),
    )
    assert total.cause_path == ("by_letter[a]", "source")
    assert source.expected_seconds == lab.store.current("source").compute_seconds
    assert source.expected_bytes == lab.store.current("source").size_bytes


def test_an_unselected_input_counts_as_it_is(lab: Lab) -> None:
    launch(lab, pipeline(lab))
    planned = plan(pipeline(lab, version="2"), "by_letter", "a", instance=lab.instance)
    assert outcomes(planned) == {"by_letter[a]": "reuse"}


def test_a_reuse_of_an_older_materialization_reaches_what_is_below(lab: Lab) -> None:
    """After a revert the source is reused, and the tables of its old content fit again."""
    launch(lab, pipeline(lab))
    launch(lab, pipeline(lab, version="2", rows=2))
    planned = plan(pipeline(lab), instance=lab.instance)
    assert set(outcomes(planned).values()) == {"reuse"}
    assert not any(one.is_current for one in planned.rows if one.table != "total")


def test_partitions_take_every_form(lab: Lab) -> None:
    """One key, several, a range, a range by tags, and all by default."""
    defs, instance = pipeline(lab), lab.instance
    tags = {"dagster/asset_partition_range_start": "a", "dagster/asset_partition_range_end": "b"}
    for partitions, given, expected in [
        ("a", {}, {"by_letter[a]"}),
        (["b", "a"], {}, {"by_letter[a]", "by_letter[b]"}),
        (dg.PartitionKeyRange("a", "b"), tags, {"by_letter[a]", "by_letter[b]"}),
        (None, tags, {"by_letter[a]", "by_letter[b]"}),
        (None, {"dagster/partition": "b"}, {"by_letter[b]"}),
        (None, {}, {"by_letter[a]", "by_letter[b]"}),
    ]:
        planned = plan(defs, "by_letter", partitions, tags=given, instance=instance)
        assert {one.table for one in planned.rows} == expected, partitions


POLICIES = {
    "none": (None, False),
    "several runs": (dg.BackfillPolicy.multi_run(2), False),
    "a run each": (dg.BackfillPolicy.multi_run(1), False),
    "one run": (dg.BackfillPolicy.single_run(), True),
}


@pytest.mark.parametrize("name", POLICIES)
def test_a_range_takes_assets_that_one_run_makes(name: str, lab: Lab) -> None:
    """As Dagster's own command: it launches a range only of assets with `BackfillPolicy.single_run()`."""
    policy, is_taken = POLICIES[name]

    @result_table(reads=[], partitions_def=letters, code_version="1", backfill_policy=policy)
    def ranged(context: dg.AssetExecutionContext) -> dict[str, pa.Table]:
        return {letter: table(letter) for letter in context.partition_keys}

    defs, span = dg.Definitions(assets=[ranged], resources=lab.resources), dg.PartitionKeyRange("a", "b")
    if is_taken:
        planned = plan(defs, "ranged", span, instance=lab.instance)
        assert check_plan(planned.to_dict(), defs, instance=lab.instance).counts == {"compute": 2}
        return
    with pytest.raises(InvalidField, match=r"single_run\(\), which ranged has not"):
        plan(defs, "ranged", span, instance=lab.instance)


def test_a_range_that_one_run_makes_is_decided_as_a_whole(lab: Lab) -> None:
    """A range is part of the definition: made as one it stands for itself, also unasked, but not for a part of it."""
    policy = dg.BackfillPolicy.single_run()

    @result_table(reads=[], partitions_def=letters, code_version="1", backfill_policy=policy)
    def by_letter(context: dg.AssetExecutionContext) -> dict[str, pa.Table]:
        return {letter: table(letter) for letter in context.partition_keys}

    defs = dg.Definitions(assets=[by_letter], resources=lab.resources)
    lab.run(by_letter, span=("a", "b"))
    span = dg.PartitionKeyRange("a", "b")
    assert plan(defs, "by_letter", span, instance=lab.instance).counts == {"reuse": 2}
    assert plan(defs, "by_letter", instance=lab.instance).counts == {"reuse": 2}
    assert plan(defs, "by_letter", "a", instance=lab.instance).counts == {"compute": 1}
    recorded = plan(defs, "by_letter", recorded_config=True, instance=lab.instance)
    assert recorded.counts == {"reuse": 2}


def test_config_and_tags_are_those_of_the_launch(lab: Lab) -> None:
    class Scale(dg.Config):
        factor: int = 1

    @result_table(reads=[], code_version="1")
    def scaled(config: Scale) -> pa.Table:
        return table(config.factor)

    defs = dg.Definitions(assets=[scaled], resources=lab.resources)
    config = {"ops": {"scaled": {"config": {"factor": 3}}}}
    lab.run(scaled, config={"scaled": {"factor": 3}})
    assert plan(defs, run_config=config, instance=lab.instance).counts == {"reuse": 1}
    other = plan(defs, instance=lab.instance)["scaled"]
    assert (other.action, other.reasons) == ("compute", ("config.factor 3 -> 1",))
    assert plan(defs, recorded_config=True, instance=lab.instance).counts == {"reuse": 1}
    bypassed = plan(defs, run_config=config, tags={"jammi/cache": "bypass"}, instance=lab.instance)["scaled"]
    assert (bypassed.action, bypassed.reasons) == ("compute", ("cache=bypass",))
    bad = plan(defs, run_config={"ops": {"scaled": {"config": {"factor": "x"}}}}, instance=lab.instance)
    assert bad.counts == {"fail": 1}


def test_resource_config_is_that_of_the_launch(lab: Lab) -> None:
    class Scale(dg.ConfigurableResource):
        factor: int

    @result_table(reads=[], code_version="1")
    def scaled(scale: Scale) -> pa.Table:
        return table(scale.factor)

    resources = {**lab.resources, "scale": Scale.configure_at_launch()}
    defs = dg.Definitions(assets=[scaled], resources=resources)
    given = {"resources": {"scale": {"config": {"factor": 2}}}}
    dg.materialize([scaled], resources=resources, instance=lab.instance, run_config=given)
    assert plan(defs, run_config=given, instance=lab.instance).counts == {"reuse": 1}
    given["resources"]["scale"]["config"]["factor"] = 3
    assert plan(defs, run_config=given, instance=lab.instance).counts == {"compute": 1}


def test_a_missing_input_fails_with_everything_below(lab: Lab, tmp_path: Path) -> None:
    @result_table(reads=[file(tmp_path / "gone.csv")])
    def read() -> pa.Table:
        return table(1)

    @result_table
    def below(read: pa.Table) -> pa.Table:
        return read

    defs = dg.Definitions(assets=[read, below], resources=lab.resources)
    planned = plan(defs, instance=lab.instance)
    assert planned.counts == {"fail": 2}
    assert "gone.csv is not there" in planned["read"].reasons[0]
    assert planned["below"].cause_path == ("read",)


def test_a_recorded_failing_check_is_said_and_a_blocking_one_stops_what_is_below(lab: Lab) -> None:
    for blocking, expected in [(False, "reuse"), (True, "fail")]:
        spec = dg.AssetCheckSpec("positive", asset="checked", blocking=blocking)

        @result_table(reads=[], code_version=f"{blocking}", check_specs=[spec])
        def checked() -> dg.MaterializeResult[pa.Table]:
            result = dg.AssetCheckResult(check_name="positive", passed=False)
            return dg.MaterializeResult(value=table(1), check_results=[result])

        @result_table(code_version="1")
        def below(checked: pa.Table) -> pa.Table:
            return checked

        defs = dg.Definitions(assets=[checked, below], resources=lab.resources)
        lab.run([checked], ok=None)
        lab.run([checked, below], select=[below], ok=None)
        planned = plan(defs, instance=lab.instance)
        assert outcomes(planned) == {"checked": "reuse, fails check positive", "below": expected}


def test_an_input_of_another_io_manager_is_unknown_until_the_run(lab: Lab) -> None:
    @dg.asset(io_manager_key="elsewhere")
    def loaded() -> int:
        return 1

    @result_table
    def below(loaded: int) -> pa.Table:
        return table(loaded)

    resources = {**lab.resources, "elsewhere": dg.mem_io_manager}
    planned = plan(dg.Definitions(assets=[loaded, below], resources=resources), instance=lab.instance)
    assert outcomes(planned)["loaded"] == "compute"
    assert outcomes(planned)["below"] in ("unknown until run", "compute")


def test_a_first_partition_of_another_io_manager_that_is_made_first_is_no_failure(lab: Lab) -> None:
    """It is not there yet, and the launch makes it; without it in the launch, the step cannot begin."""
    lab.more = {"memory": dg.InMemoryIOManager()}

    @dg.asset(io_manager_key="memory", partitions_def=letters)
    def loaded() -> int:
        return 1

    @result_table(partitions_def=letters)
    def below(loaded: int) -> pa.Table:
        return table(loaded)

    defs = dg.Definitions(assets=[loaded, below], resources=lab.resources)
    together = plan(defs, partitions="a", instance=lab.instance)
    assert outcomes(together) == {"loaded[a]": "compute", "below[a]": "unknown until run"}
    assert outcomes(plan(defs, "below", "a", instance=lab.instance)) == {"below[a]": "fail"}
    assert lab.run([loaded, below], partition="a").outcomes["below[a]"] == "computed"


@pytest.mark.parametrize("listed", [True, False], ids=["listed", "loaded"])
def test_a_table_of_another_store_that_is_made_first_leaves_the_reuse_open(lab: Lab, listed: bool) -> None:
    """Its version of now, which events or the other store tell, is not the one that the step below will see."""
    there = ResultStoreResource(root=str(lab.root) + "-2")
    lab.more = {"there": ResultTableIOManager(store=there, cache="use")}

    def definitions(version: str) -> dg.Definitions:
        @result_table(reads=[], code_version=version, io_manager_key="there")
        def far() -> pa.Table:
            return table(int(version))

        @result_table(reads=[], deps=[far], name="near", code_version="1")
        def after() -> pa.Table:
            return table(1)

        @result_table(name="near", code_version="1")
        def of(far: pa.Table) -> pa.Table:
            return far

        return dg.Definitions(assets=[far, after if listed else of], resources=lab.resources)

    lab.run(definitions("1").assets)
    assert outcomes(plan(definitions("1"), instance=lab.instance)) == {"far": "reuse", "near": "reuse"}
    changed = plan(definitions("2"), instance=lab.instance)
    assert outcomes(changed) == {"far": "compute", "near": "compute or reuse"}
    near = changed["near"]
    assert (near.reasons, near.cause_path, near.after) == (("input far is made first",), ("far",), None)
    assert lab.run(definitions("2").assets).outcomes["near"] == "computed"


def test_a_deployment_is_asked_about_by_its_name(lab: Lab) -> None:
    """Another deployment has no current tables, but what is stored is there for all."""
    defs = pipeline(lab)
    launch(lab, defs)
    planned = plan(defs, deployment="branch", instance=lab.instance)
    assert planned["source"].action == "reuse"
    assert not planned["source"].is_current
    assert set(outcomes(planned).values()) == {"reuse"}
    only = plan(defs, "total", deployment="branch", instance=lab.instance)
    assert only["total"].action == "fail"


def test_a_plan_launches_nothing_and_writes_nothing(lab: Lab) -> None:
    defs = pipeline(lab)
    launch(lab, defs)
    before, runs = lab.store.revision(), lab.instance.get_runs_count()
    files = {path: path.stat().st_mtime_ns for path in lab.files()}
    plan(pipeline(lab, version="2"), instance=lab.instance)
    assert (lab.store.revision(), lab.instance.get_runs_count()) == (before, runs)
    assert {path: path.stat().st_mtime_ns for path in lab.files() if path in files} == files


def test_a_saved_plan_holds_until_something_moves(lab: Lab, tmp_path: Path) -> None:
    defs = pipeline(lab)
    launch(lab, defs)
    saved = json.loads(json.dumps(plan(defs, "by_letter+", ["a"], instance=lab.instance).to_dict()))
    assert check_plan(saved, defs, instance=lab.instance).counts == {"reuse": 2}
    with pytest.raises(PlanOutdated, match="policy by_letter") as caught:
        check_plan(saved, pipeline(lab, cache=CachePolicy.BYPASS), instance=lab.instance)
    assert caught.value.moved == "policy by_letter"
    lab.run(pipeline(lab, version="2", rows=5).assets[0])  # type: ignore[index]
    launch(lab, pipeline(lab, version="2", rows=5))
    with pytest.raises(PlanOutdated, match=r"table by_letter\[a\]"):
        check_plan(saved, defs, instance=lab.instance)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"selection": "nowhere"}, InvalidTarget, "nowhere"),
        ({"partitions": "z"}, InvalidField, "z"),
        ({"partitions": dg.PartitionKeyRange("a", "z")}, InvalidField, "a...z"),
        ({"run_config": {"ops": {"nowhere": {}}}}, InvalidField, "nowhere"),
        ({"tags": {"jammi/cache": "perhaps"}}, JammiError, "perhaps"),
    ],
)
def test_bad_arguments_are_named(
    lab: Lab, arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        plan(pipeline(lab), instance=lab.instance, **arguments)


@pytest.mark.parametrize(
    "value", [{}, {"rows": 1}, {"rows": [], "format": 99}, {"rows": [{}], "format": 1}, []]
)
def test_a_text_that_is_no_plan_is_refused(value: Any) -> None:
    with pytest.raises(InvalidField):
        Plan.from_dict(value)
