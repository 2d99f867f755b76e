"""A graph below steps that run is reused as its first op comes up, where all that it reads came out the same."""

from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, table, values
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import create_execution_plan, execute_run_iterator
from dagster._core.execution.plan.state import KnownExecutionState
from executor_kit import DELEGATING, IN_PROCESS, definitions, kinds, launch, stale

from jammi_dagster import plan, result_table
from jammi_dagster.planning.step_plan import GRAPH_LEFT


class Number(dg.Config):
    number: int = 1


@result_table(reads=[])
def low(config: Number) -> pa.Table:
    note("low")
    return table(config.number % 10)


@result_table(reads=[])
def other(config: Number) -> pa.Table:
    note("other")
    return table(config.number % 10)


@dg.op(out=dg.DynamicOut())
def split(data: pa.Table) -> Any:
    note("split")
    for x in range(values(data)[0]):
        yield dg.DynamicOutput(x, mapping_key=str(x))


@dg.op(out=dg.DynamicOut(is_required=False))
def maybe(data: pa.Table) -> Any:
    note("maybe")
    for x in range(values(data)[0]):
        yield dg.DynamicOutput(x, mapping_key=str(x))


@dg.op
def grow(x):
    note("grow")
    return x + 1


@dg.op
def total(xs) -> pa.Table:
    note("total")
    return table(sum(xs))


@dg.op(out={"a": dg.Out(), "b": dg.Out(is_required=False)})
def pair(data: pa.Table) -> Any:
    note("pair")
    yield dg.Output(data, "a")
    yield dg.Output(3, "b")


@dg.op
def joined(a, b) -> pa.Table:
    note("joined")
    return table(values(a)[0] + b)


@dg.op
def both(a, data: pa.Table) -> pa.Table:
    note("both")
    return table(values(a)[0] + values(data)[0])


@dg.graph_asset
def dynamic(low):
    return total(split(low).map(grow).map(grow.alias("again")).collect())


@dg.graph_asset
def optional(low):
    return total(maybe(low).map(grow).collect())


@dg.graph
def _inner(data):
    a, b = pair(data)
    return joined(a, b)


@dg.op
def split_number(data: pa.Table):
    note("split_number")
    return values(data)[0]


@dg.graph_asset
def nested(low):
    return joined.alias("outer")(_inner(low), split_number(low))


@dg.graph_multi_asset(outs={"m1": dg.AssetOut(), "m2": dg.AssetOut()})
def several(low, other):
    a, b = pair(low)
    return {"m1": joined(a, b), "m2": both(a, other)}


@dg.asset_check(asset=low, blocking=True)
def fine(low: pa.Table) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=values(low)[0] < 8)


def below(name: str) -> Any:
    @result_table(name="below", ins={"data": dg.AssetIn(name)})
    def below(data: pa.Table) -> pa.Table:
        note("below")
        return data

    return below


GRAPHS = {"dynamic": dynamic, "nested": nested, "several": several}
EXECUTORS = {"in process": IN_PROCESS, "delegating": DELEGATING}
CASES = [(executor, graph) for executor in EXECUTORS for graph in GRAPHS]
FAST = [("in process", "dynamic"), ("delegating", "several")]


def config(number: int, *names: str) -> dict[str, Any]:
    return {"ops": {name: {"config": {"number": number}} for name in names or ("low",)}}


@pytest.mark.parametrize(
    ("executor", "graph"),
    [pytest.param(*case, marks=[] if case in FAST else [pytest.mark.slow]) for case in CASES],
)
def test_a_graph_below_a_table_that_comes_out_the_same_is_reused(lab: Lab, executor: str, graph: str) -> None:
    """No op runs; each step succeeds once, each asset is materialized once, and Dagster finds all of it fresh."""
    made = GRAPHS[graph]
    ups = [low, other] if graph == "several" else [low]
    both_of = [one.key.to_user_string() for one in ups]
    defs = definitions(lab, [*ups, made, below(max(made.keys).to_user_string())], EXECUTORS[executor])
    first = launch(lab, defs, config=config(1, *both_of))

    ran = launch(lab, defs, config=config(11, *both_of))

    assert ran.calls == both_of
    graphs = {key.to_user_string() for key in made.keys}
    assert {name: ran.outcomes[name] for name in (*graphs, "below")} == dict.fromkeys(
        (*graphs, "below"), "reused"
    )
    assert ran.outcomes.keys() == first.outcomes.keys()
    steps = create_execution_plan(defs.resolve_job_def("job"), config(11, *both_of)).step_keys_to_execute
    for step in (step for step in steps if "[?]" not in step):
        found = kinds(lab, ran, step)
        assert (found["STEP_START"], found["STEP_SUCCESS"]) == (1, 1), step
    assert stale(lab, defs) == {"FRESH": len(first.outcomes)}

    changed = launch(lab, defs, config=config(2, *both_of))

    assert set(changed.outcomes.values()) == {"computed"}
    assert ("joined" in changed.calls) or ("total" in changed.calls)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_graph_below_a_blocking_check_is_reused_once_it_passed(lab: Lab, executor: str) -> None:
    """Checks with a step of their own run each time; where this one fails, nothing is said of the graph."""
    defs = definitions(lab, [low, dynamic], EXECUTORS[executor], asset_checks=[fine])
    launch(lab, defs, config=config(1))

    ran = launch(lab, defs, config=config(1))

    assert (ran.calls, ran.outcomes) == ([], {"low": "reused", "dynamic": "reused"})
    launch(lab, defs, config=config(9), ok=False)
    failed = launch(lab, defs, config=config(9), ok=False)
    assert failed.outcomes == {"low": "reused"}


@pytest.mark.parametrize("executor", EXECUTORS)
def test_the_plan_of_such_a_run_is_what_it_does(lab: Lab, executor: str) -> None:
    """A graph behind a blocking check is planned as it is run."""
    defs = definitions(lab, [low, dynamic], EXECUTORS[executor], asset_checks=[fine])
    launch(lab, defs)

    found = {row.table: row.action for row in plan(defs, instance=lab.instance).rows}

    assert found == {"low": "reuse", "dynamic": "reuse"}
    assert launch(lab, defs).outcomes == {"low": "reused", "dynamic": "reused"}


def test_a_graph_that_began_before_its_inputs_are_there_runs(lab: Lab) -> None:
    """Its first op needs nothing of the run, and begins beside the step that makes what another one reads."""

    @dg.op
    def alone():
        note("alone")
        return table(5)

    @dg.graph_asset(metadata={"jammi/reads": []})
    def early(low):
        return both(alone(), low)

    defs = definitions(lab, [low, early], DELEGATING)
    launch(lab, defs, config=config(1))

    ran = launch(lab, defs, config=config(11))

    assert ran.outcomes == {"low": "computed", "early": "computed"}
    assert ran.said("early")["jammi/why"] == GRAPH_LEFT


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_graph_with_an_output_that_may_be_empty_runs(lab: Lab, executor: str) -> None:
    """Dagster skips everything below a dynamic output that gave nothing and may do so, so none is left out."""
    defs = definitions(lab, [low, optional], EXECUTORS[executor])
    launch(lab, defs, config=config(1))

    ran = launch(lab, defs, config=config(11))

    assert ran.outcomes == {"low": "computed", "optional": "computed"}
    assert launch(lab, defs, config=config(11)).outcomes == {"low": "reused", "optional": "reused"}


class Killed(BaseException):
    """The end of a process, as far as one process can play it."""


@pytest.fixture
def told_in_part(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> tuple[dg.Definitions, dg.DagsterRun]:
    """A run that ended between two events of a reused graph: its dynamic op is done, and the last one is not."""
    defs = definitions(lab, [low, dynamic], DELEGATING)
    launch(lab, defs)
    handle = dg.DagsterInstance.handle_new_event

    def die(instance: dg.DagsterInstance, event: Any, **options: Any) -> None:
        told = event.dagster_event
        if told is not None and told.is_step_success and event.step_key == "dynamic.total":
            monkeypatch.undo()
            raise Killed
        handle(instance, event, **options)

    monkeypatch.setattr(dg.DagsterInstance, "handle_new_event", die)
    broken = launch(lab, defs, ok=False)
    assert kinds(lab, broken, "dynamic.split")["STEP_SUCCESS"] == 1
    run = lab.instance.get_run_by_id(broken.result.run_id)
    assert run is not None
    return defs, run


@pytest.mark.parametrize("policy", ["use", "bypass"])
def test_a_graph_that_was_told_in_part_is_told_to_the_end(
    lab: Lab, told_in_part: tuple[dg.Definitions, dg.DagsterRun], policy: str
) -> None:
    """A worker that goes on with the run tells the rest, or runs all ops: the dynamic one left no values."""
    defs, run = told_in_part
    lab.instance.run_storage.delete_run(run.run_id)
    tags = {**run.tags, "jammi/cache": policy}
    lab.instance.run_storage.add_run(run.with_status(dg.DagsterRunStatus.STARTED).with_tags(tags))
    again = lab.instance.get_run_by_id(run.run_id)
    assert again is not None

    job = InMemoryJob(defs.resolve_job_def("job"))
    list(execute_run_iterator(job, again, lab.instance, resume_from_failure=True))

    ended = lab.instance.get_run_by_id(run.run_id)
    assert ended is not None
    assert ended.status == dg.DagsterRunStatus.SUCCESS
    assert values(lab.store.read("dynamic")) == [2]
    made = lab.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    assert [entry.step_key for entry in made].count("dynamic.total") == (1 if policy == "use" else 2)


@pytest.mark.parametrize("policy", ["use", "bypass"])
def test_a_retry_of_a_graph_that_was_told_in_part_makes_nothing_of_no_values(
    lab: Lab, told_in_part: tuple[dg.Definitions, dg.DagsterRun], policy: str
) -> None:
    """It is reused again. Where it may not be, the op that collects fails: it would get an empty list."""
    defs, run = told_in_part
    steps, known = KnownExecutionState.build_resume_retry_reexecution(lab.instance, run)
    assert "dynamic.total" in steps
    assert "dynamic.split" not in steps
    plan_of_retry = create_execution_plan(
        defs.resolve_job_def("job"), step_keys_to_execute=list(steps), known_state=known
    )

    ran = launch(
        lab,
        defs,
        tags={"dagster/is_resume_retry": "true", "jammi/cache": policy},
        parent_run_id=run.run_id,
        root_run_id=run.run_id,
        execution_plan=plan_of_retry,
        ok=policy == "use",
    )

    assert ran.outcomes == ({"dynamic": "reused"} if policy == "use" else {})
    assert policy == "use" or f"run {run.run_id} reused its graph" in ran.error
    assert values(lab.store.read("dynamic")) == [2]
