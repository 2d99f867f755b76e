"""`finalize(defs, reuse_first=True)` wraps the executor of the definitions and that of each job."""

import logging
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import table
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.in_process import InProcessExecutor

from jammi_dagster import finalize, result_table, reuse_first


@result_table(reads=[])
def orders() -> pa.Table:
    return table(1)


@dg.sensor(job_name="plain")
def other_sensor() -> None:
    """Ask for nothing."""


def wraps(executor: Any) -> bool:
    return isinstance(executor, dg.ExecutorDefinition) and reuse_first(executor) is executor


OWN = InProcessExecutor(RetryMode.DISABLED)


@pytest.mark.parametrize(
    "executor",
    [None, dg.in_process_executor, dg.multiprocess_executor.configured({"max_concurrent": 2}), OWN],
    ids=["Dagster's default", "in process", "configured", "an executor"],
)
def test_the_executor_of_the_definitions_is_wrapped(executor: Any) -> None:
    """Also Dagster's default one and an executor that is no definition; once, however often it is called."""
    defs = dg.Definitions(assets=[orders], executor=executor)

    found = finalize(defs, reuse_first=True)

    assert wraps(found.executor)
    assert finalize(found, reuse_first=True).executor is found.executor
    assert finalize(defs, reuse_first=True).executor is found.executor
    assert finalize(defs).executor is executor
    assert dg.Definitions.merge(found, finalize(dg.Definitions(executor=executor), reuse_first=True)).executor


def test_the_executor_of_each_job_is_wrapped(caplog: pytest.LogCaptureFixture) -> None:
    """A schedule and a sensor of the job give Dagster the wrapped one too; a job without one gets the definitions'."""
    job = dg.define_asset_job("own", selection="orders", executor_def=dg.in_process_executor)
    plain = dg.define_asset_job("plain", selection="orders")

    @dg.sensor(job=job)
    def with_job() -> None:
        """Ask for nothing."""

    schedule = dg.ScheduleDefinition(job=job, cron_schedule="@daily")
    with caplog.at_level(logging.WARNING, "jammi_dagster"):
        defs = finalize(
            dg.Definitions(
                assets=[orders], jobs=[job, plain], schedules=[schedule], sensors=[with_job, other_sensor]
            ),
            reuse_first=True,
        )

    for name in ("own", "plain"):
        assert wraps(defs.resolve_job_def(name).executor_def)
    assert defs.resolve_job_def("own").executor_def is reuse_first(dg.in_process_executor)
    assert not [record for record in caplog.records if "keeps its executor" in record.message]


def test_a_job_that_is_resolved_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """Its executor cannot be wrapped any more: a warning says so, with the way out."""
    job = dg.define_asset_job("done", selection="orders", executor_def=dg.in_process_executor)
    resolved = dg.Definitions(assets=[orders], jobs=[job]).resolve_job_def("done")

    with caplog.at_level(logging.WARNING, "jammi_dagster"):
        finalize(dg.Definitions(assets=[orders], jobs=[resolved]), reuse_first=True)

    (record,) = (record for record in caplog.records if "keeps its executor" in record.message)
    assert record.message.startswith("job done: ")


def test_a_merge_with_another_executor_is_refused_by_dagster() -> None:
    """So it is called on the complete definitions."""
    ours = finalize(dg.Definitions(assets=[orders]), reuse_first=True)
    with pytest.raises(dg.DagsterInvariantViolationError, match="executor"):
        dg.Definitions.merge(ours, dg.Definitions(executor=dg.in_process_executor))
