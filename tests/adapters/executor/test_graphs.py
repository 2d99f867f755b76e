"""`reuse_first` skips all ops of a graph whose outputs are all unchanged, and else none of them."""

from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, part, raw, table, values
from dagster._core.execution.api import create_execution_plan
from dagster._core.execution.plan.state import KnownExecutionState
from executor_kit import definitions, kinds, launch, not_stepped_into, stale
from graph_kit import loud
from sensing_kit import evaluate

from jammi_dagster import plan, result_table


@dg.op(out=dg.DynamicOut())
def split(data: pa.Table) -> Any:
    note("split")
    for x in values(data):
        yield dg.DynamicOutput(x, mapping_key=str(x))


class Step(dg.Config):
    step: int = 1


@dg.op
def grow(config: Step, x):
    note("grow")
    return x + config.step


@dg.op
def total(xs) -> pa.Table:
    note("total")
    return table(sum(xs))


@dg.op
def same(data: pa.Table):
    note("same")
    return data


@dg.op
def joined(data, sums) -> pd.DataFrame:
    note("joined")
    return data.to_pandas().assign(total=values(sums)[0])


@dg.graph
def summed(data):
    return total(split(data).map(grow).map(grow.alias("again")).collect())


@dg.graph_asset(ins={"data": dg.AssetIn("raw")})
def plainly(data):
    return joined(same(data), same.alias("other")(same.alias("first")(data)))


@dg.graph_asset(ins={"data": dg.AssetIn("raw")})
def collected(data):
    return summed(data)


@dg.graph_asset(ins={"data": dg.AssetIn("raw")})
def nested(data):
    return joined(same(data), summed(data))


@dg.op(out={"a": dg.Out(pa.Table), "b": dg.Out(pa.Table)})
def pair(data: pa.Table):
    note("pair")
    return data, table(7)


@dg.op
def third(b, data) -> pa.Table:
    note("third")
    return data


@dg.graph_multi_asset(
    outs={"a": dg.AssetOut(), "b": dg.AssetOut(), "c": dg.AssetOut()}, ins={"data": dg.AssetIn("raw")}
)
def several(data):
    a, b = pair(data)
    return {"a": a, "b": b, "c": third(b, same(data))}


def below(name: str) -> Any:
    @result_table(name="below", ins={"data": dg.AssetIn(name)})
    def below(data: pa.Table) -> pa.Table:
        note("below")
        return data

    return below


_SLOW = dict.fromkeys(("ops", "a collection"), pytest.mark.slow)
FORMS = {"ops": plainly, "a collection": collected, "a nested graph": nested, "several outputs": several}


@pytest.mark.parametrize(
    "graph", [pytest.param(FORMS[one], id=one, marks=_SLOW.get(one, ())) for one in FORMS]
)
def test_an_unchanged_graph_is_skipped_with_all_its_ops(lab: Lab, graph: dg.AssetsDefinition) -> None:
    """No op runs and no value is written; each asset is materialized once, and Dagster finds all of it fresh."""
    last = max(graph.keys).to_user_string()
    defs = definitions(lab, [raw, graph, below(last)])
    first = launch(lab, defs)
    assert set(first.outcomes.values()) == {"computed"}
    assert not [line for line in first.captured if "the cache policy is `use`" in line]

    ran = launch(lab, defs)

    assert ran.calls == []
    assert ran.outcomes == dict.fromkeys(first.outcomes, "reused")
    for step in lab.instance.get_run_step_stats(ran.result.run_id):
        assert step.status is not None
        assert step.status.value == "SUCCESS", step.step_key
        assert kinds(lab, ran, step.step_key)["STEP_START"] == 1
        assert kinds(lab, ran, step.step_key)["STEP_SUCCESS"] == 1
    assert kinds(lab, ran)["LOADED_INPUT"] == 0
    assert stale(lab, defs) == {"FRESH": len(first.outcomes)}
    assert not (lab.root / "runs").exists()


@pytest.mark.slow
@pytest.mark.parametrize("graph", FORMS.values(), ids=FORMS)
def test_a_graph_over_a_changed_input_runs(lab: Lab, graph: dg.AssetsDefinition) -> None:
    """Computed steps and skipped ones stand in one run; what is reused is what a run from scratch would make."""
    launch(lab, definitions(lab, [raw, graph]))

    @result_table(name="raw", reads=[])
    def other() -> pa.Table:
        return table(4, 5)

    ran = launch(lab, definitions(lab, [other, graph]))

    assert set(ran.outcomes.values()) == {"computed"}
    assert "raw changed" in ran.said(min(graph.keys).to_user_string())["jammi/why"]
    again = launch(lab, definitions(lab, [raw, graph]))
    assert set(again.outcomes.values()) == {"reused"}


def test_one_missing_output_runs_the_whole_graph(lab: Lab) -> None:
    """Its ops make all outputs together, and the plan says so of each."""
    defs = definitions(lab, [raw, several])
    launch(lab, defs)
    (record,) = lab.store.history("b")
    lab.store.artifacts.delete(record.artifact_path)

    planned = {row.table: row.action for row in plan(defs, instance=lab.instance).rows}
    ran = launch(lab, defs)

    assert ran.outcomes == {"raw": "reused", "a": "computed", "b": "computed", "c": "computed"}
    assert planned == {"raw": "reuse", "a": "compute", "b": "compute", "c": "compute"}


@pytest.mark.slow
def test_config_of_an_op_runs_the_graph(lab: Lab) -> None:
    """A value that it was run with before is a hit again."""
    defs = definitions(lab, [raw, nested])
    outcomes = []
    for step in (1, 2, 1):
        config = {"ops": {"nested": {"ops": {"summed": {"ops": {"again": {"config": {"step": step}}}}}}}}
        outcomes.append(launch(lab, defs, config=config).outcomes["nested"])

    assert outcomes == ["computed", "computed", "reused"]


@pytest.mark.slow
def test_partitions_of_a_graph_are_skipped(lab: Lab) -> None:
    """Each by itself, and a range as a whole."""
    lab.run(part, partition="a")
    lab.run(part, partition="b")
    defs = definitions(lab, [part, loud], select=["loud"])

    for target in ({"partition": "a"}, {"span": ("a", "b")}):
        launch(lab, defs, **target)
        ran = launch(lab, defs, **target)
        assert ran.calls == []
        assert set(ran.outcomes.values()) == {"reused"}


@pytest.mark.slow
def test_a_graph_with_a_hook_is_left(lab: Lab) -> None:
    """A hook runs after each op, so the ops run."""
    seen = []

    @dg.success_hook
    def hook(context: dg.HookContext) -> None:
        seen.append(context.op.name)

    defs = definitions(lab, [raw, plainly], hooks={hook})
    launch(lab, defs)
    seen.clear()

    assert launch(lab, defs).outcomes["plainly"] == "computed"
    assert "joined" in seen


@dg.op
def checked(data):
    return dg.AssetCheckResult(passed=len(data) > 0, asset_key="checkable", check_name="filled")


@dg.graph_asset(ins={"data": dg.AssetIn("raw")}, check_specs=[dg.AssetCheckSpec("filled", asset="checkable")])
def checkable(data):
    made = same(data)
    return {"result": made, "checkable_filled": checked(made)}


@pytest.mark.slow
def test_a_graph_with_checks_is_left(lab: Lab) -> None:
    """Its ops alone tell the results; run and plan say so, and an unchanged table is not stale."""
    defs = definitions(lab, [raw, checkable])
    why = "the ops of a graph with asset checks run in any case: no table holds the results"
    launch(lab, defs)
    ran = launch(lab, defs)

    assert (ran.outcomes["checkable"], ran.said("checkable")["jammi/why"]) == ("computed", why)
    assert len(ran.result.get_asset_check_evaluations()) == 1
    (row,) = (row for row in plan(defs, instance=lab.instance).rows if row.table == "checkable")
    assert row.reasons[0].startswith(f"{why}; make each a function of its own under @dg.asset_check")
    assert evaluate(lab, [raw, checkable]).tables == {}


@pytest.mark.slow
def test_the_plan_of_a_graph_is_what_the_run_does(lab: Lab) -> None:
    """Without `reuse_first` it says that the ops run, and how they would not."""
    without = dg.Definitions(assets=[raw, nested], resources=lab.resources)
    defs = definitions(lab, [raw, nested])
    launch(lab, defs)

    (row,) = (row for row in plan(without, instance=lab.instance).rows if row.table == "nested")
    assert row.action == "compute"
    assert "reuse_first" in row.reasons[0]
    (row,) = (row for row in plan(defs, instance=lab.instance).rows if row.table == "nested")
    assert row.action == "reuse"
    ran = launch(lab, defs)
    assert ran.outcomes["nested"] == "reused"
    assert "nested.joined" in not_stepped_into(lab, ran)


@pytest.mark.slow
@pytest.mark.parametrize("is_moved", [True, False], ids=["moved", "its_own"])
def test_a_retry_over_an_output_that_another_run_made_pins_nothing(lab: Lab, is_moved: bool) -> None:
    """An op that reads another output of the graph gets the latest table then: it may come from other inputs."""
    fails = lab.root / "fails"

    @dg.op
    def upper(data: pa.Table) -> pa.Table:
        return data

    @dg.op(code_version="1")
    def lower(upper: pa.Table) -> pa.Table:
        if fails.exists():
            raise RuntimeError
        return upper

    @dg.graph_multi_asset(
        outs={"upper": dg.AssetOut(), "lower": dg.AssetOut()}, ins={"data": dg.AssetIn("raw")}
    )
    def torn(data):
        made = upper(data)
        return {"upper": made, "lower": lower(made)}

    defs = definitions(lab, [raw, torn])
    fails.parent.mkdir(parents=True)
    fails.touch()
    failed = launch(lab, defs, ok=False)
    fails.unlink()
    if is_moved:
        lab.store.materialize("upper", table(7), descriptor={"producer": "test"}, env={}, inputs=[])
    parent = lab.instance.get_run_by_id(failed.result.run_id)
    assert parent is not None
    steps, known = KnownExecutionState.build_resume_retry_reexecution(lab.instance, parent)
    plan_of_retry = create_execution_plan(
        defs.resolve_job_def("job"), step_keys_to_execute=list(steps), known_state=known
    )
    retry = launch(
        lab,
        defs,
        tags={"dagster/is_resume_retry": "true"},
        execution_plan=plan_of_retry,
        parent_run_id=parent.run_id,
        root_run_id=parent.run_id,
    )
    again = launch(lab, defs)

    assert ("another run made upper anew" in retry.why_unpinned("lower")) is is_moved
    assert again.outcomes["lower"] == ("computed" if is_moved else "reused")
    assert values(lab.store.read("lower")) == [1, 2, 3]
