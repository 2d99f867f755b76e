"""Events of Dagster's that a function gives beside its table: kept, logged, or refused (DESIGN 4)."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, table, values

from jammi_dagster import result_table

LOGGED: dict[str, Any] = {
    "ASSET_OBSERVATION": lambda: dg.AssetObservation("elsewhere", metadata={"k": 1}),
    "ASSET_MATERIALIZATION": lambda: dg.AssetMaterialization("elsewhere"),
    "STEP_EXPECTATION_RESULT": lambda: dg.ExpectationResult(success=True, label="rows"),
}
check = dg.AssetCheckResult(passed=True, metadata={"seen": 1})


def kinds(ran: Any) -> list[str]:
    return [event.event_type_value for event in ran.result.all_events]


@pytest.mark.filterwarnings("ignore:Class `ExpectationResult` is deprecated")
@pytest.mark.parametrize("kind", LOGGED)
@pytest.mark.parametrize("form", ["before", "after", "beside a table", "in a stream", "async", "in a tuple"])
def test_an_event_that_is_no_result_is_logged(lab: Lab, kind: str, form: str) -> None:
    """Wherever it comes, as `context.log_event` would; a reuse does not log it again."""
    event = LOGGED[kind]()

    def before() -> Iterator[Any]:
        yield event
        yield dg.Output(table(1))

    def after() -> Iterator[Any]:
        yield dg.MaterializeResult(value=table(1))
        yield event

    def beside() -> Iterator[Any]:
        yield event
        yield table(1)

    def stream() -> Iterator[Any]:
        yield from table(1).to_batches()
        yield event

    async def later() -> AsyncIterator[Any]:
        yield event
        yield dg.Output(table(1))

    def together() -> Any:
        return event, dg.Output(table(1))

    forms = [before, after, beside, stream, later, together]
    names = ["before", "after", "beside a table", "in a stream", "async", "in a tuple"]
    function = dict(zip(names, forms, strict=True))[form]
    made = result_table(name="made", reads=[], code_version="1")(function)

    ran, again = lab.run(made), lab.run(made)

    extra = kind == "ASSET_MATERIALIZATION"
    assert kinds(ran).count(kind) == 1 + extra
    assert kinds(again).count(kind) == extra
    assert values(lab.store.read("made")) == [1]


@pytest.mark.parametrize(
    "result",
    [
        lambda: (dg.Output(table(1)), check),
        lambda: (check, dg.Output(table(1))),
        lambda: (table(1), check),
        lambda: (dg.MaterializeResult(value=table(1)), check),
        lambda: dg.MaterializeResult(value=table(1), check_results=[check]),
    ],
    ids=["output first", "check first", "a bare table", "a result", "within the result"],
)
def test_a_table_and_a_check_in_one_tuple(lab: Lab, result: Any) -> None:
    """The check's result is recorded, and given again by a reuse."""

    @result_table(reads=[], code_version="1", check_specs=[dg.AssetCheckSpec("c", asset="made")])
    def made() -> Any:
        return result()

    for outcome in ("computed", "reused"):
        ran = lab.run(made)
        (evaluation,) = ran.result.get_asset_check_evaluations()
        assert ran.outcomes == {"made": outcome}
        assert (evaluation.passed, evaluation.metadata["seen"].value) == (True, 1)


REFUSED: dict[str, tuple[Any, str]] = {
    "an unknown output": (dg.Output(table(1), output_name="nobody"), "an output 'nobody'"),
    "another asset": (
        dg.MaterializeResult(asset_key="x", value=table(1)),
        "MaterializeResult for the asset x",
    ),
    "another asset's check": (
        (table(1), dg.AssetCheckResult(passed=True, asset_key=dg.AssetKey("x"), check_name="c")),
        "AssetCheckResult for the asset x",
    ),
    "another asset's check within": (
        dg.MaterializeResult(
            value=table(1),
            check_results=[dg.AssetCheckResult(passed=True, asset_key=dg.AssetKey("x"), check_name="c")],
        ),
        "AssetCheckResult for the asset x",
    ),
    "an observation's result": (dg.ObserveResult(), "ObserveResult, which stores nothing"),
    "an event alone": (dg.AssetObservation("elsewhere"), "gave no table"),
    "two tables": ((dg.Output(table(1)), dg.Output(table(2))), "more than one value"),
    "a list of events": ([dg.Output(table(1))], "NotATable"),
    "a tuple of tables": ((table(1), table(2)), "NotATable"),
}


@pytest.mark.parametrize("form", ["returned", "yielded"])
@pytest.mark.parametrize("case", REFUSED)
def test_an_event_that_belongs_elsewhere_is_refused(lab: Lab, case: str, form: str) -> None:
    """The error names the asset and the event; nothing is published."""
    result, complaint = REFUSED[case]

    def returned() -> Any:
        return result

    def yielded() -> Iterator[Any]:
        if isinstance(result, tuple) and type(result) is tuple and not case.endswith("tables"):
            yield from result
        else:
            yield result

    if case == "two tables" and form == "yielded":
        complaint = "NotATable"
    function = {"returned": returned, "yielded": yielded}[form]
    made = result_table(name="made", reads=[])(function)

    assert complaint in lab.run(made, ok=False).error
    assert lab.store.reader.current("made") is None


def test_its_own_names_are_taken(lab: Lab) -> None:
    """The asset's key, Dagster's default name of an output, and the output's own."""

    @result_table(reads=[])
    def keyed() -> Any:
        return dg.MaterializeResult(asset_key="keyed", value=table(1))

    @result_table(reads=[])
    def named() -> Any:
        return dg.Output(table(1), output_name="result")

    assert lab.run([keyed, named]).outcomes == {"keyed": "computed", "named": "computed"}


def test_the_annotation_of_the_result_is_not_checked(lab: Lab) -> None:
    """It names the kind for readers; any table is stored, as the documentation of `result_table` says."""
    import pandas as pd

    @result_table(reads=[])
    def made() -> pd.DataFrame:
        return table(1)

    assert isinstance(lab.run(made).result.output_for_node("made"), pd.DataFrame)
    assert isinstance(lab.store.read("made"), pa.Table)
