"""What a function may return, and what becomes of what it may not (DESIGN 4, 8)."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import dagster as dg
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, table, taken, values

from jammi_dagster import result_table


def batch(*numbers: int) -> pa.RecordBatch:
    return table(*numbers).to_batches()[0]


def plain_table() -> pa.Table:
    return table(1, 2)


def frame() -> pd.DataFrame:
    made: pd.DataFrame = pd.DataFrame({"x": [1, 2]})
    return made


def polars_frame() -> pl.DataFrame:
    return pl.DataFrame({"x": [1, 2]})


def lazy_frame() -> pl.LazyFrame:
    return pl.LazyFrame({"x": [1, 2]})


def reader() -> pa.RecordBatchReader:
    return table(1, 2).to_reader()


def output() -> dg.Output[pa.Table]:
    return dg.Output(table(1, 2), metadata={"author": "me"}, tags={"team": "blue"})


def materialize_result() -> dg.MaterializeResult[pa.Table]:
    return dg.MaterializeResult(value=table(1, 2), metadata={"author": "me"}, tags={"team": "blue"})


def batches() -> Iterator[pa.RecordBatch]:
    yield batch(1)
    yield batch(2)


def batches_and_result() -> Iterator[Any]:
    yield batch(1)
    yield batch(2)
    yield dg.MaterializeResult(metadata={"author": "me"}, tags={"team": "blue"})


def result_before_batches() -> Iterator[Any]:
    yield dg.MaterializeResult(metadata={"author": "me"}, tags={"team": "blue"})
    yield batch(1)
    yield batch(2)


def yielded_output() -> Iterator[Any]:
    yield dg.Output(table(1, 2), metadata={"author": "me"}, tags={"team": "blue"})


async def awaited() -> pa.Table:
    await asyncio.sleep(0)  # gives the event loop a turn, as a real coroutine does
    return table(1, 2)


async def async_batches() -> AsyncIterator[Any]:
    await asyncio.sleep(0)
    yield batch(1)
    await asyncio.sleep(0)
    yield batch(2)


async def async_output() -> AsyncIterator[Any]:
    yield dg.Output(table(1, 2), metadata={"author": "me"}, tags={"team": "blue"})


def iterator_returned() -> Any:
    return iter([batch(1), batch(2)])


WITH_METADATA = (
    output,
    materialize_result,
    batches_and_result,
    result_before_batches,
    yielded_output,
    async_output,
)
ALL = (
    plain_table,
    frame,
    polars_frame,
    lazy_frame,
    reader,
    batches,
    awaited,
    async_batches,
    iterator_returned,
    *WITH_METADATA,
)


@pytest.mark.parametrize("function", ALL, ids=lambda function: function.__name__)
def test_a_result_of_any_supported_shape_is_stored(lab: Lab, function: Any) -> None:
    """Tables, frames, readers, events, generators and coroutines: one table, and a second run reuses it."""
    made = result_table(reads=[], name="made")(function)
    runs = [lab.run(made) for _ in range(2)]

    assert [ran.outcomes["made"] for ran in runs] == ["computed", "reused"]
    assert values(lab.store.read("made")) == [1, 2]
    for ran in runs:
        assert ran.said("made")["dagster/row_count"] == 2
        if function in WITH_METADATA:
            assert ran.said("made")["author"] == "me"
            assert ran.events["made"].tags["team"] == "blue"


# an event loop of Dagster's own is not closed well inside of another
@pytest.mark.filterwarnings("ignore:coroutine 'BaseEventLoop.shutdown_asyncgens':RuntimeWarning")
@pytest.mark.filterwarnings(
    "ignore:.*BaseEventLoop.shutdown_asyncgens:pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize("function", [awaited, async_batches, async_output], ids=lambda f: f.__name__)
def test_async_functions_run_inside_a_running_event_loop(lab: Lab, function: Any) -> None:
    """A notebook, or an async caller, has a loop already: the function gets one of its own."""
    made = result_table(reads=[], name="made")(function)

    async def call() -> dict[str, Any]:
        return lab.run(made).outcomes

    assert asyncio.run(call()) == {"made": "computed"}
    assert values(lab.store.read("made")) == [1, 2]


def test_a_generator_may_yield_checks_around_its_output(lab: Lab) -> None:
    """Checks before and after the value, both emitted on a compute and on a reuse."""
    specs = [dg.AssetCheckSpec(name, asset="made") for name in ("before", "after")]

    @result_table(reads=[], check_specs=specs)
    def made():
        yield dg.AssetCheckResult(check_name="before", passed=True)
        yield dg.Output(table(1, 2))
        yield dg.AssetCheckResult(check_name="after", passed=False, metadata={"why": "because"})

    for _ in range(2):
        checks = {e.check_name: e.passed for e in lab.run(made).result.get_asset_check_evaluations()}
        assert checks == {"before": True, "after": False}


@pytest.mark.parametrize(
    ("reported", "complaint"),
    [([], "no result for the check seen"), (["seen", "typo"], "on a check, but it has no check typo")],
)
def test_checks_that_are_not_as_declared_publish_nothing(
    lab: Lab, reported: list[str], complaint: str
) -> None:
    """Dagster fails such a step when its table would be current already."""

    @result_table(reads=[], check_specs=[dg.AssetCheckSpec("seen", asset="made")])
    def made() -> dg.MaterializeResult:
        results = [dg.AssetCheckResult(check_name=name, passed=True) for name in reported]
        return dg.MaterializeResult(value=table(1), check_results=results)

    assert f"InvalidOutput: asset made: its function reported {complaint}" in lab.run(made, ok=False).error
    assert lab.store.tables() == []


def test_the_only_check_needs_no_name(lab: Lab) -> None:
    """As in Dagster."""

    @result_table(reads=[], check_specs=[dg.AssetCheckSpec("seen", asset="made")])
    def made() -> dg.MaterializeResult:
        return dg.MaterializeResult(value=table(1), check_results=[dg.AssetCheckResult(passed=True)])

    for _ in range(2):
        (evaluation,) = lab.run(made).result.get_asset_check_evaluations()
        assert (evaluation.check_name, evaluation.passed) == ("seen", True)


def nothing() -> None:
    return None


def no_value() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"a": 1})


def output_of_none() -> Any:
    return dg.Output(None)


def two_outputs() -> Iterator[Any]:
    yield dg.Output(table(1))
    yield dg.Output(table(2))


def output_and_batches() -> Iterator[Any]:
    yield dg.Output(table(1))
    yield batch(2)


def batches_and_output() -> Iterator[Any]:
    yield batch(2)
    yield dg.Output(table(1))


def empty_generator() -> Iterator[Any]:
    yield from ()


def versioned_output() -> Any:
    return dg.Output(table(1), data_version=dg.DataVersion("mine"))


def versioned_result() -> Any:
    return dg.MaterializeResult(value=table(1), data_version=dg.DataVersion("mine"))


def versioned_after_batches() -> Iterator[Any]:
    yield batch(1)
    yield dg.MaterializeResult(data_version=dg.DataVersion("mine"))


def versioned_by_tag() -> Any:
    return dg.MaterializeResult(value=table(1), tags={"dagster/data_version": "mine"})


def a_list() -> Any:
    return [1, {2}]


def a_number() -> Any:
    return 1j


def a_dict() -> Any:
    return {"a": table(1)}


def other_schema() -> Iterator[Any]:
    yield batch(1)
    yield table("a").to_batches()[0]


def fails_late() -> Iterator[Any]:
    yield batch(1)
    raise RuntimeError("late")


@pytest.mark.parametrize(
    ("function", "complaint"),
    [
        (nothing, "InvalidOutput: asset made: its function gave no table"),
        (no_value, "InvalidOutput: asset made: its function gave no table"),
        (output_of_none, "InvalidOutput: asset made: its function gave no table"),
        (empty_generator, "InvalidOutput: asset made: its function gave no table"),
        (two_outputs, "InvalidOutput: asset made: its function gave more than one value"),
        (output_and_batches, "InvalidOutput: asset made: its function gave more than one value"),
        (batches_and_output, "InvalidOutput: asset made: its function gave more than one value"),
        (versioned_output, "InvalidOutput: asset made: its function sets a data version"),
        (versioned_result, "InvalidOutput: asset made: its function sets a data version"),
        (versioned_after_batches, "InvalidOutput: asset made: its function sets a data version"),
        (versioned_by_tag, "InvalidOutput: asset made: its function sets a data version"),
        (a_list, "NotATable: table made: got a list ([1] of the value is a set"),
        (a_number, "NotATable: table made: got a value of type builtins.complex"),
        (a_dict, "NotATable: table made: got a dict (['a'] of the value is a pyarrow.lib.Table"),
        (other_schema, "SchemaChanged: table made: column x"),
        (fails_late, "RuntimeError: late"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_bad_result_publishes_nothing(lab: Lab, function: Any, complaint: str) -> None:
    """The error names what is wrong; the table that was current stays, and nothing half-written is left."""
    before = lab.store.materialize("made", table(1, 2), descriptor={"producer": "library"}, env={}, inputs=[])
    files = set(lab.files())

    ran = lab.run(result_table(reads=[], name="made")(function), ok=False)

    assert complaint in ran.error
    assert ran.events == {}
    assert lab.store.current("made").materialization_id == before.materialization_id
    assert {path for path in set(lab.files()) - files if "tables" in path.parts} == set()
    assert values(lab.store.read("made")) == [1, 2]


def closes() -> Iterator[Any]:
    try:
        yield batch(1)
        yield table("a").to_batches()[0]
    finally:
        note("closed")


async def closes_async() -> AsyncIterator[Any]:
    try:
        yield batch(1)
        yield table("a").to_batches()[0]
    finally:
        await asyncio.sleep(0)
        note("closed")


@pytest.mark.parametrize("function", [closes, closes_async], ids=lambda function: function.__name__)
def test_a_generator_is_closed_when_its_rows_are_refused(lab: Lab, function: Any) -> None:
    """What it holds (files, cursors) is let go, though nobody reads on."""
    ran = lab.run(result_table(reads=[], name="made")(function), ok=False)
    gc.collect()  # the error's traceback holds the generator

    assert "SchemaChanged" in ran.error
    assert [*ran.calls, *taken()] == ["closed"]


class Attempts(dg.Config):
    failures: int = 1


_failed: list[int] = []


@result_table(reads=[], retry_policy=dg.RetryPolicy(max_retries=2), ignore=["_failed"])
def flaky(config: Attempts) -> pa.Table:
    note("tried")
    if len(_failed) < config.failures:
        _failed.append(1)
        raise RuntimeError("not yet")
    return table(1)


def test_a_retry_succeeds(lab: Lab) -> None:
    """A `RetryPolicy` runs the whole step again: the failed attempt left nothing in its way."""
    _failed.clear()

    ran = lab.run(flaky)

    assert ran.calls == ["tried", "tried"]
    assert ran.outcomes == {"flaky": "computed"}
    assert [record.status for record in lab.store.history("flaky")] == ["ready", "failed"]
    assert lab.run(flaky).outcomes == {"flaky": "reused"}


def test_a_requested_retry_is_passed_on(lab: Lab) -> None:
    """`RetryRequested` reaches Dagster as it was raised."""
    _failed.clear()

    @result_table(reads=[])
    def asks() -> pa.Table:
        if not _failed:
            _failed.append(1)
            raise dg.RetryRequested(max_retries=1)
        return table(1)

    assert lab.run(asks).outcomes == {"asks": "computed"}


def test_a_failure_is_passed_on(lab: Lab) -> None:
    """`dg.Failure` keeps its description and metadata."""

    @result_table(reads=[])
    def fails() -> pa.Table:
        raise dg.Failure("no luck", metadata={"tries": 3})

    ran = lab.run(fails, ok=False)
    (event,) = ran.result.get_step_failure_events()

    assert event.step_failure_data.user_failure_data.description == "no luck"
    assert event.step_failure_data.user_failure_data.metadata["tries"].value == 3
