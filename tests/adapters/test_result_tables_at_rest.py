"""Tables of `@result_tables` where no step runs: plan, sensor, recompute, checks and the rest take each by itself."""

from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, table, values
from executor_kit import definitions, launch, not_stepped_into, stale
from result_tables_kit import CALLS, bypass, family, up

from jammi_dagster import (
    build_materialization_checks,
    build_staleness_sensor,
    code_identity,
    finalize,
    materialize_plan,
    plan,
    recompute,
    result_table,
    result_tables,
)
from jammi_dagster.adapters.code_identity import code_identities

pytestmark = pytest.mark.filterwarnings("ignore:.*is currently in preview:dagster.PreviewWarning")


@result_tables(outs={"one": dg.AssetOut(), "two": dg.AssetOut()})
def both(up: pa.Table) -> tuple[pa.Table, pa.Table]:
    return up, table(sum(values(up)))


@result_table
def below(b: pa.Table, two: pa.Table) -> pa.Table:
    return pa.concat_tables([b, two.cast(b.schema)])


ASSETS = [up, family, both]


def defs_of(lab: Lab, *more: Any, **others: Any) -> dg.Definitions:
    return dg.Definitions(assets=[*ASSETS, *more], resources=lab.resources, **others)


def actions(lab: Lab, **arguments: Any) -> dict[str, str]:
    return {row.table: row.action for row in plan(defs_of(lab), instance=lab.instance, **arguments).rows}


def requested(lab: Lab, **options: Any) -> list[list[str]]:
    defs = defs_of(lab, sensors=[sensor := build_staleness_sensor(name="s", **options)])
    with dg.build_sensor_context(instance=lab.instance, repository_def=defs.get_repository_def()) as context:
        result = sensor(context)
    runs = result.run_requests if isinstance(result, dg.SensorResult) else []
    return [sorted(key.to_user_string() for key in run.asset_selection or ()) for run in runs or ()]


def test_the_plan_is_what_the_step_does(lab: Lab) -> None:
    """A plan says of each table of a function what its step then does, whatever is missing."""
    assert set(actions(lab).values()) == {"compute"}
    lab.run(ASSETS)
    for select, changed, made in CALLS:
        if not {"a" if "b" in select else "", "b" if "c" in select else ""} - {""} <= set(select):
            continue  # a plan takes the siblings above along
        planned = actions(lab, selection=list(select), tags=bypass(*changed))
        assert planned == {name: "compute" if name in made else "reuse" for name in select}, (select, changed)
    assert actions(lab, selection=["c"]) == dict.fromkeys("abc", "reuse"), "with the siblings above"
    assert actions(lab, selection=["one"], tags=bypass("two")) == {"one": "compute", "two": "compute"}


@pytest.mark.slow
def test_a_plan_over_changed_inputs_says_why(lab: Lab) -> None:
    """What is made for the sake of a sibling says so; below an input that is made first, nothing is certain."""
    lab.run(ASSETS)
    rows = {row.table: row for row in plan(defs_of(lab), instance=lab.instance, tags=bypass("b")).rows}
    assert "b, which derives from it, is computed by the same call" in rows["a"].reasons
    assert "b, which it derives from, is computed by the same call" in rows["c"].reasons
    changed = {"ops": {"up": {"config": {"number": 2}}}}
    assert actions(lab, run_config=changed) == {
        "up": "compute",
        **dict.fromkeys(["a", "b", "c", "d", "one", "two"], "compute or reuse"),
    } or set(actions(lab, run_config=changed).values()) <= {"compute", "compute or reuse"}


@pytest.mark.slow
def test_a_plan_is_launched(lab: Lab) -> None:
    """The runs of a plan make what it says, and the rest is reused."""
    lab.run(ASSETS)
    found = plan(defs_of(lab), instance=lab.instance, tags=bypass("b"))
    report = materialize_plan(found, instance=lab.instance)
    assert sorted(report.requested) == ["a", "b", "c"]
    assert sorted(report.reused) == ["d", "one", "two", "up"]
    assert not report.failed


@pytest.mark.slow
def test_an_output_that_was_left_out_is_one_of_the_plan(lab: Lab) -> None:
    """A plan reuses that an output was left out, and a launch tells Dagster of no materialization of it."""

    @result_tables(
        specs=[dg.AssetSpec("sure", deps=["up"]), dg.AssetSpec("maybe", deps=["up"], skippable=True)]
    )
    def some(up: pa.Table) -> Any:
        return dg.Output(up, output_name="sure")

    lab.run([up, some])
    found = plan(dg.Definitions(assets=[up, some], resources=lab.resources), instance=lab.instance)
    assert {row.table: row.action for row in found.rows} == dict.fromkeys(["up", "sure", "maybe"], "reuse")
    report = materialize_plan(found, instance=lab.instance)
    assert (report.runs, report.told) == ([], [])
    assert lab.instance.get_latest_materialization_event(dg.AssetKey("maybe")) is None


def test_the_sensor_requests_siblings_together(lab: Lab) -> None:
    """A stale table is requested with the siblings that it derives from, or with all where no part can be made."""
    lab.run(ASSETS)
    assert requested(lab) == []
    lab.store.drop("b")
    assert requested(lab, missing="materialize", cascade="report_only") == [["a", "b", "c"]]
    lab.store.drop("two")
    assert requested(lab, missing="materialize", cascade="report_only") == [["a", "b", "c", "one", "two"]]


@pytest.mark.slow
def test_recompute_makes_a_table_again_with_its_siblings(lab: Lab) -> None:
    """A recompute of one table of a function selects what its run needs, and compares each table."""
    lab.run(ASSETS)
    report = recompute(lab.store, defs_of(lab), "b", instance=lab.instance)
    assert {one.table: one.outcome for one in report.recomputed} == {"a": "reproduced", "b": "reproduced"}
    whole = recompute(lab.store, defs_of(lab), "two", instance=lab.instance)
    assert {one.table: one.outcome for one in whole.recomputed} == {"one": "reproduced", "two": "reproduced"}


def test_everything_else_takes_each_table_by_itself(lab: Lab) -> None:
    """Verdicts, verification, lineage, recovery and checks know the tables of a function like any other."""
    lab.run([*ASSETS, below])
    store = lab.store
    assert {store.verify_materialization(name).verdict for name in ("a", "b", "two")} == {"match"}
    assert {edge.input for edge in store.derives_from_closure("a")} >= {"a", "b"}
    assert not store.recover().lost
    checks = build_materialization_checks([family])
    assert {key.asset_key.path[0] for check in checks for key in check.check_keys} == set("abcd")


def test_finalize_and_code_identity_know_each_output(lab: Lab) -> None:
    """Each asset of a function gets the code version of the function, and reasons of its own."""

    @result_tables(
        outs={"pinned": dg.AssetOut(), "open": dg.AssetOut(), "own": dg.AssetOut(code_version="7")},
        internal_asset_deps={"pinned": {dg.AssetKey("up")}, "open": set(), "own": {dg.AssetKey("pinned")}},
    )
    def some(up: pa.Table) -> tuple[pa.Table, pa.Table, pa.Table]:
        return up, up, up

    defs = finalize(dg.Definitions(assets=[up, some], resources=lab.resources))
    graph = defs.get_repository_def().asset_graph
    assert graph.get(dg.AssetKey("pinned")).code_version == code_identity(some).digest
    assert graph.get(dg.AssetKey("own")).code_version == "7"
    found = {key.to_user_string(): one.pinned for key, one in code_identities(defs).items()}
    assert found == {"up": True, "pinned": True, "open": False, "own": True}


@pytest.mark.slow
def test_reuse_first_skips_a_step_of_which_all_tables_are_reused(lab: Lab) -> None:
    """Under `reuse_first` a step whose tables are all there is not stepped into; any other one is left to the step."""

    @result_tables(
        specs=[dg.AssetSpec("first", deps=["up"]), dg.AssetSpec("second", deps=["first"])],
        check_specs=[dg.AssetCheckSpec("good", asset="first"), dg.AssetCheckSpec("good", asset="second")],
    )
    def checked(up: pa.Table) -> Any:
        for name in ("first", "second"):
            checks = [dg.AssetCheckResult(passed=name == "first")]
            yield dg.MaterializeResult(asset_key=name, value=up, check_results=checks)

    defs = definitions(lab, [*ASSETS, below, checked])
    first = launch(lab, defs)
    assert set(first.outcomes.values()) == {"computed"}
    again = launch(lab, defs)
    assert again.outcomes == dict.fromkeys(first.outcomes, "reused")
    assert not_stepped_into(lab, again) == ["below", "both", "checked", "family", "up"]
    told = {one.asset_key.path[0]: one.passed for one in again.result.get_asset_check_evaluations()}
    assert told == {"first": True, "second": False}
    assert set(stale(lab, defs)) == {"FRESH"}
    part = launch(lab, defs, tags=bypass("b"))
    assert {name for name, one in part.outcomes.items() if one == "computed"} == {"a", "b", "c"}
    assert not_stepped_into(lab, part) == ["both", "checked", "up"]
    assert part.said("second")["jammi/cache_outcome"] == "reused"
