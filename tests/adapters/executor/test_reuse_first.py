"""`reuse_first` reuses the unchanged tables of a run before any step begins, and says to Dagster what a step says."""

import gc
import time
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Held, Lab, note, table, values
from executor_kit import IN_PROCESS, definitions, kinds, launch, not_stepped_into, stale
from waiting_kit import until

from jammi_dagster import result_table, reuse_first
from jammi_dagster.adapters.executor import run as run_of_executor

KIND = dg.DagsterEventType


def chain(version: str = "1", *, passes: bool = True, blocking: bool = False, **more: Any) -> list[Any]:
    """Three tables in a row; the first one has a check, `version` is that of the middle one's code."""

    @result_table(
        reads=[],
        check_specs=[dg.AssetCheckSpec("positive", asset="raw", blocking=blocking)],
        code_version="1",
        **more,
    )
    def raw() -> Any:
        note("raw")
        result = dg.AssetCheckResult(
            passed=passes, metadata={"rows": 3}, severity=dg.AssetCheckSeverity.ERROR
        )
        return dg.MaterializeResult(value=table(1, 2, 3), tags={"team": "one"}, check_results=[result])

    @result_table(code_version=version)
    def doubled(raw: pa.Table) -> pa.Table:
        note("doubled")
        return table(*[2 * value for value in values(raw)])

    @result_table(code_version="1")
    def total(doubled: pa.Table) -> pa.Table:
        note("total")
        return table(sum(values(doubled)))

    return [raw, doubled, total]


def test_an_unchanged_run_steps_into_nothing(any_lab: Lab) -> None:
    """Each step gets a start, an output, a materialization and a success; one event of the engine lists them."""
    defs = definitions(any_lab, chain())
    launch(any_lab, defs)

    ran = launch(any_lab, defs)

    assert ran.calls == []
    assert ran.outcomes == {"raw": "reused", "doubled": "reused", "total": "reused"}
    assert kinds(any_lab, ran, "doubled") == {
        "ASSET_MATERIALIZATION_PLANNED": 1,
        "STEP_START": 1,
        "STEP_OUTPUT": 1,
        "ASSET_MATERIALIZATION": 1,
        "STEP_SUCCESS": 1,
    }
    of_run = kinds(any_lab, ran)
    assert (of_run["ENGINE_EVENT"], of_run["RESOURCE_INIT_STARTED"], of_run["LOADED_INPUT"]) == (1, 0, 0)
    (listed,) = (e for e in ran.result.all_events if e.event_type == KIND.ENGINE_EVENT)
    assert listed.engine_event_data.metadata["jammi/reused"].value == ["doubled", "raw", "total"]
    assert [line for line in ran.captured if line.startswith("reused 3 tables of 3 steps out of 3, ")]
    stats = any_lab.instance.get_run_step_stats(ran.result.run_id)
    assert {one.step_key: one.status and one.status.value for one in stats} == dict.fromkeys(
        ("raw", "doubled", "total"), "SUCCESS"
    )


def test_dagster_is_told_what_a_step_tells(any_lab: Lab) -> None:
    """Versions, pointers, tags and check results are those of a run without the wrapper; all is fresh afterwards."""
    plain = definitions(any_lab, chain(), dg.in_process_executor)
    launch(any_lab, plain)
    by_steps = launch(any_lab, plain)
    defs = definitions(any_lab, chain())

    ran = launch(any_lab, defs)

    pointers = {
        name: "dagster/input_event_pointer/" + up for name, up in (("doubled", "raw"), ("total", "doubled"))
    }
    for name, event in ran.events.items():
        step = by_steps.events[name]
        without = {key: tag for key, tag in step.tags.items() if key != pointers.get(name)}
        assert without == {key: tag for key, tag in event.tags.items() if key != pointers.get(name)}
        assert event.metadata == {key: step.metadata[key] for key in event.metadata}
    for name, up in (("doubled", "raw"), ("total", "doubled")):
        (last,) = any_lab.instance.fetch_materializations(dg.AssetKey(up), limit=1).records
        assert last.run_id == ran.result.run_id
        assert ran.events[name].tags[pointers[name]] == str(last.storage_id)
    assert stale(any_lab, defs) == {"FRESH": 3}


def test_recorded_check_results_are_evaluated_again(any_lab: Lab) -> None:
    """A check that failed without blocking fails again, over the materialization of this run."""
    defs = definitions(any_lab, chain(passes=False))
    launch(any_lab, defs)

    ran = launch(any_lab, defs)

    assert not_stepped_into(any_lab, ran) == ["doubled", "raw", "total"]
    (evaluation,) = ran.result.get_asset_check_evaluations()
    assert (evaluation.check_name, evaluation.passed, evaluation.metadata["rows"].value) == (
        "positive",
        False,
        3,
    )
    (made,) = any_lab.instance.fetch_materializations(dg.AssetKey("raw"), limit=1).records
    assert evaluation.target_materialization_data.storage_id == made.storage_id
    key = dg.AssetCheckKey(dg.AssetKey("raw"), "positive")
    (record,) = any_lab.instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert (record.run_id, record.status.value) == (ran.result.run_id, "FAILED")


def test_the_rest_runs_with_the_reused_outputs(lab: Lab) -> None:
    """Steps above a change are reused first; the changed one and everything below go through the wrapped executor."""
    launch(lab, definitions(lab, chain()))

    ran = launch(lab, definitions(lab, chain("2")))

    assert ran.calls == ["doubled"]
    assert ran.outcomes == {"raw": "reused", "doubled": "computed", "total": "reused"}
    assert not_stepped_into(lab, ran) == ["raw"]
    assert values(lab.store.read("total")) == [12]


def test_nothing_is_materialized_below_a_check_that_fails_now(lab: Lab) -> None:
    """A recorded blocking check that failed is the step's to raise, whatever could be reused below it."""
    launch(lab, definitions(lab, chain()))
    failing = definitions(lab, chain(passes=False, blocking=True, description="other"))
    launch(lab, failing, ok=False, tags={"jammi/cache": "bypass"})

    ran = launch(lab, failing, ok=False)

    assert list(ran.events) == ["raw"]
    assert not_stepped_into(lab, ran) == []


def test_a_step_below_a_check_of_its_own_step_waits_for_it(lab: Lab) -> None:
    """A blocking check in a step of its own is always run; nothing below it is decided before."""
    passes = [True]
    assets = chain()

    @dg.asset_check(asset="raw", blocking=True)
    def good() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=passes[0])

    defs = definitions(lab, assets, asset_checks=[good])
    launch(lab, defs)
    once = launch(lab, defs)
    assert not_stepped_into(lab, once) == ["raw", "raw_good"]
    assert once.outcomes == {"raw": "reused", "doubled": "reused", "total": "reused"}
    passes[0] = False

    ran = launch(lab, defs, ok=False)

    assert list(ran.events) == ["raw"]


def test_one_wrapper_stands_around_an_executor() -> None:
    """So that definitions can be merged; a wrapper is not wrapped again, and keeps name, config and requirements."""
    inner = dg.multiprocess_executor
    wrapper = reuse_first(inner)

    assert reuse_first(inner) is wrapper
    assert reuse_first(wrapper) is wrapper
    assert reuse_first(wrapper.configured({"max_concurrent": 2})) is not wrapper
    assert (wrapper.name, wrapper.config_schema) == (inner.name, inner.config_schema)
    assert wrapper.get_requirements({}) == inner.get_requirements({})
    merged = dg.Definitions.merge(
        dg.Definitions(executor=wrapper), dg.Definitions(executor=reuse_first(inner))
    )
    assert merged.executor is wrapper


def test_an_empty_run_is_no_trouble(lab: Lab) -> None:
    """A run whose every asset is of another kind is the wrapped executor's alone."""

    @dg.asset
    def other() -> None:
        note("other")

    assert launch(lab, definitions(lab, [other], IN_PROCESS)).calls == ["other"]


@pytest.mark.parametrize("inner", [None, "in_process", dg.in_process_executor.executor_creation_fn])
def test_only_an_executor_definition_is_wrapped(inner: Any) -> None:
    """Anything else is refused with its value."""
    from jammi_dagster.errors import InvalidField

    with pytest.raises(InvalidField, match=r"dagster\.ExecutorDefinition"):
        reuse_first(inner)


def test_garbage_of_a_body_is_collected(lab: Lab) -> None:
    """A run under `reuse_first` freezes the code location alone: what its bodies make comes and goes as always."""
    seen = []

    @result_table(reads=[])
    def first() -> pa.Table:
        circle: list[object] = []
        circle.append(circle)
        del circle
        seen.append((gc.isenabled(), gc.get_freeze_count() > 0, gc.collect() > 0))
        return pa.table({"x": [1]})

    @dg.asset(deps=[first])
    def last() -> None:
        seen.append((gc.isenabled(), gc.get_freeze_count() > 0, True))

    launch(lab, definitions(lab, [first, last]))
    assert seen == [(True, True, True)] * 2
    assert gc.get_freeze_count() == 0


def test_a_run_whose_step_outlasts_its_lease_keeps_its_results(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The executor renews it, also while a step runs that is no result table's and renews nothing."""
    monkeypatch.setattr(run_of_executor, "_RENEW_SECONDS", 0.02)
    database, seen = lab.store.database, []

    def expires() -> float:
        with database.reading() as connection:
            return float(connection.exec_driver_sql("SELECT max(expires_at) FROM run_leases").scalar_one())

    @dg.asset(deps=["raw"], io_manager_key="held")
    def slow() -> int:
        with database.writing() as connection:
            connection.exec_driver_sql("UPDATE run_leases SET expires_at = 0")
        until(lambda: expires() > 0, "the lease was not renewed")
        seen.append(expires() > time.time())
        return 1

    lab.more = {"held": Held()}
    launch(lab, definitions(lab, [chain()[0], slow]))
    assert seen == [True]
