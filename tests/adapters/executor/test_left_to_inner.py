"""All that cannot be decided in the run's worker is left to the wrapped executor, with everything below it."""

import random
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, table
from dagster._core.execution.api import create_execution_plan
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.in_process import InProcessExecutor
from executor_kit import IN_PROCESS, definitions, launch, not_stepped_into

from jammi_dagster import result_table, reuse_first
from jammi_dagster.adapters.executor.left import names_surroundings, why_left


class OfARun(dg.ConfigurableResource):
    """A resource that can only be made within a run."""

    text: str = ""

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        assert context.run is not None


class Elsewhere(dg.Executor):
    """An executor that nothing is known of; it runs the steps in this process all the same."""

    def __init__(self) -> None:
        self._here = InProcessExecutor(RetryMode.ENABLED)

    @property
    def retries(self) -> Any:
        return self._here.retries

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[Any]:
        assert plan_context.execution_plan is execution_plan
        assert plan_context.executor is self
        yield from self._here.execute(plan_context, execution_plan)


@dg.executor(name="elsewhere", config_schema={"env_vars": dg.Field([str], is_required=False)})
def elsewhere(context: dg.InitExecutorContext) -> Elsewhere:
    return Elsewhere()


@dg.success_hook
def hook(context: Any) -> None:
    """Tell nobody."""


def simple(name: str, **more: Any) -> Any:
    @result_table(name=name, reads=[], **more)
    def a() -> pa.Table:
        return table(1)

    return a


def plain(name: str) -> Any:
    @dg.asset(name=name)
    def a() -> pa.Table:
        return table(1)

    return a


def elsewhere_stored(name: str) -> Any:
    @dg.asset(name=name, io_manager_key="memory", code_version="1")
    def a() -> int:
        return 1

    return a


def unpinned(name: str) -> Any:
    @result_table(name=name)
    def a() -> pa.Table:
        return table(random.random())

    return a


def with_resource(name: str) -> Any:
    @result_table(name=name, reads=[])
    def a(of_run: OfARun) -> pa.Table:
        return table(1)

    return a


def dynamic(name: str) -> Any:
    @dg.op(out=dg.DynamicOut(io_manager_key="memory"), name=f"{name}_fan")
    def fan() -> Any:
        yield dg.DynamicOutput(1, "one")

    @dg.op(out=dg.Out(io_manager_key="memory"), name=f"{name}_join")
    def join(each: list[int]) -> pa.Table:
        return table(*each)

    @dg.op(out=dg.Out(io_manager_key="memory"), name=f"{name}_same")
    def same(one: int) -> int:
        return one

    @dg.graph_asset(name=name)
    def a() -> Any:
        return join(fan().map(same).collect())

    return a


K8S = {"dagster-k8s/config": {"container_config": {"env": [{"name": "A", "value": "1"}]}}}
IMAGE = {"dagster/image": "other:1"}
VOLUMES = {"dagster-k8s/config": {"pod_spec_config": {"volumes": [{"name": "v"}]}}}
CASES: dict[str, Any] = {
    "hook": lambda name: simple(name, hooks={hook}),
    "plain": plain,
    "elsewhere": elsewhere_stored,
    "unpinned": unpinned,
    "resource": with_resource,  # that cannot be made in the worker
    "dynamic": dynamic,
    "image": lambda name: simple(name, op_tags=IMAGE),
    "env": lambda name: simple(name, op_tags=K8S),
    "volumes": lambda name: simple(name, op_tags=VOLUMES),
    "queue": lambda name: simple(name, op_tags={"dagster-celery/queue": "slow"}),
    "bypass": lambda name: simple(name, cache="bypass"),
}


def loads(up: str) -> Any:
    @result_table(name=f"loads_{up}", ins={"up": dg.AssetIn(up)}, code_version="1")
    def below(up: Any) -> pa.Table:
        return table(2)

    return below


def follows(up: str) -> Any:
    @result_table(name=f"follows_{up}", deps=[up], code_version="1")
    def below() -> pa.Table:
        return table(2)

    return below


@result_table(reads=[])
def c() -> pa.Table:
    return table(3)


@result_table
def d(c: pa.Table) -> pa.Table:
    return c


def test_a_step_that_cannot_be_decided_is_left(lab: Lab) -> None:
    """It runs as without the wrapper, and so do the tables below it, loaded or only ordered; the others are reused."""
    assets = [make(name) for name, make in CASES.items()]
    assets += [below(name) for name in CASES for below in (loads, follows)]
    resources = {"memory": dg.mem_io_manager, "of_run": OfARun()}
    defs = definitions(lab, [*assets, c, d], resources=resources)
    launch(lab, defs)

    ran = launch(lab, defs)

    assert not_stepped_into(lab, ran) == ["c", "d"]
    assert {asset.key.to_user_string() for asset in [*assets, c, d]} == set(ran.events)
    outcomes = {
        name: ran.outcomes[name] for name in ("hook", "image", "env", "volumes", "queue", "loads_hook")
    }
    assert set(outcomes.values()) == {"reused"}, "by the step itself"


def _runs() -> dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]]:
    """Definitions, the launch, and the steps that are reused up front, by name."""
    all_of = ["a", "c", "d"]
    env = {"execution": {"config": {"env_vars": ["SECRET"]}}}
    sure = reuse_first(elsewhere, same_environment=True)
    return {
        "in process": ({}, {}, all_of),
        "hooks of the job": ({"hooks": {hook}}, {}, []),
        "a tag that bypasses": ({}, {"tags": {"jammi/cache": "bypass"}}, []),
        "another system tells of assets": ({}, {"tags": {"dagster/defer_asset_events": "true"}}, []),
        "an executor that is not known": ({"executor": reuse_first(elsewhere)}, {}, []),
        "the same, said to be in the same environment": ({"executor": sure}, {}, all_of),
        "the same with env in its config": ({"executor": sure}, {"config": env}, []),
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", _runs())
def test_a_run_that_cannot_be_decided_is_left(lab: Lab, name: str) -> None:
    """Nothing of it is reused up front, and all of it runs."""
    more, how, reused = _runs()[name]
    defs = definitions(lab, [simple("a"), c, d], **{"executor": IN_PROCESS, **more})
    launch(lab, defs)

    ran = launch(lab, defs, **how)

    assert not_stepped_into(lab, ran) == reused
    stats = lab.instance.get_run_step_stats(ran.result.run_id)
    assert [one.step_key for one in stats if one.status and one.status.value == "SUCCESS"] == ["a", "c", "d"]


@pytest.mark.slow
def test_steps_that_a_re_execution_names_are_stepped_into(lab: Lab) -> None:
    """Who names a step wants it to run; a retry from failure is another thing, and reuses."""
    defs = definitions(lab, [simple("a"), c, d])
    first = launch(lab, defs)
    of_run: dict[str, Any] = {"parent_run_id": first.result.run_id, "root_run_id": first.result.run_id}

    some = create_execution_plan(defs.resolve_job_def("job"), step_keys_to_execute=["c", "d"])

    named = launch(lab, defs, execution_plan=some, **of_run)
    tags = {"dagster/is_resume_retry": "true"}
    retried = launch(lab, defs, tags=tags, execution_plan=some, **of_run)
    again = launch(lab, defs, **of_run)

    assert set(named.events) == {"c", "d"}
    assert not_stepped_into(lab, named) == []
    assert not_stepped_into(lab, retried) == ["c", "d"]
    assert not_stepped_into(lab, again) == ["a", "c", "d"]


@pytest.mark.slow
def test_config_that_a_job_maps_is_left_where_an_op_takes_some(lab: Lab) -> None:
    """Its values no longer show where they came from; a step without config is decided."""

    class Config(dg.Config):
        number: int = 1

    @result_table(reads=[])
    def configured(config: Config) -> pa.Table:
        return table(config.number)

    @dg.config_mapping(config_schema={"n": int})
    def mapped(given: dict[str, Any]) -> dict[str, Any]:
        return {"ops": {"configured": {"config": {"number": given["n"]}}}}

    defs = definitions(lab, [configured, c], job_config=mapped)
    for _ in range(2):
        ran = launch(lab, defs, config={"n": 2})

    assert not_stepped_into(lab, ran) == ["c"]


def test_a_step_that_is_tried_again_is_left(lab: Lab) -> None:
    """An attempt that follows another one is the wrapped executor's."""
    job = definitions(lab, [simple("a")]).resolve_job_def("job")
    (step,) = create_execution_plan(job).steps

    assert why_left(step, job, {}) is None
    assert why_left(step, job, {"a": 1}) == "it is tried again"


@pytest.mark.parametrize(
    ("config", "names"),
    [
        ({}, False),
        ({"max_concurrent": 4, "retries": {"enabled": {}}}, False),
        ({"image": None, "env_vars": []}, False),
        ({"image": "other"}, True),
        ({"job_image": "other"}, True),
        ({"step_k8s_config": {"container_config": {"volumeMounts": [{"name": "a"}]}}}, True),
        ({"container_kwargs": {"volumes": ["a:b"]}}, True),
        ({"ecs/container_overrides": '[{"environment": [{"name": "A"}]}]'}, True),
        ({"dagster-k8s/config": '{"container_config": {"resources": {"limits": {"cpu": "1"}}}}'}, False),
        ({"broken": "{"}, True),
    ],
)
def test_an_environment_of_its_own_is_seen_at_any_depth(config: dict[str, Any], names: bool) -> None:
    """In tags, which hold their config as a text, and in the config of executors."""
    assert names_surroundings(config) is names
