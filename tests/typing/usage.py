"""Typed usage of the public names: mypy checks this file, nothing runs it.

`assert_type` states what a user's type checker sees. A `type: ignore` with a code states an error that it must find:
strict mode complains about an ignore that is not needed.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import dagster as dg
import pyarrow as pa
from typing_extensions import assert_type

from jammi_dagster import (
    CachePolicy,
    CurrentAnchor,
    DerivesFromEdge,
    InputAnchor,
    MatchVerdict,
    ProducingDescriptor,
    ResultStore,
    ResultStoreResource,
    ResultTableIOManager,
    Staleness,
    build_materialization_checks,
    build_staleness_check_schedule,
    build_staleness_schedule,
    build_staleness_sensor,
    code_identity,
    finalize,
    result_table,
)
from jammi_dagster.adapters.code_identity import CodeIdentity, IdentityReason
from jammi_dagster.adapters.decorator import ResultTableAsset
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.errors import JammiError, UnknownTable
from jammi_dagster.surfaces import file
from jammi_dagster.surfaces.files import FileSurface
from jammi_dagster.testing import ResultTableTester, TableRun, TickResult

# --- the decorator, in both forms -----------------------------------------------------------------


@result_table
def bare() -> pa.Table:
    return pa.table({"n": [1]})


@result_table(cache=CachePolicy.USE, reads=[file("orders.csv")], group_name="sales")
def called(bare: pa.Table) -> pa.Table:
    return bare


assert_type(bare, ResultTableAsset)
assert_type(called, ResultTableAsset)
assert_type(result_table(cache="use"), Callable[[Callable[..., Any]], ResultTableAsset])
assert_type(file(Path("orders.csv")), FileSurface)
assert_type(code_identity(called), CodeIdentity)
assert_type(code_identity(called).reasons, tuple[IdentityReason, ...])
code_identity(3)  # type: ignore[arg-type]
assets: list[dg.AssetsDefinition] = [bare, called]

result_table(cache=1)  # type: ignore[call-overload]
result_table(single_flight="no")  # type: ignore[call-overload]
file(3)  # type: ignore[arg-type]

# --- definitions ----------------------------------------------------------------------------------

resource = ResultStoreResource(root="results")
defs = dg.Definitions(
    assets,
    asset_checks=build_materialization_checks(assets),
    sensors=[build_staleness_sensor(cascade="report_only")],
    schedules=[build_staleness_schedule("@daily"), build_staleness_check_schedule("@hourly", assets)],
    resources={"io_manager": ResultTableIOManager(store=resource, cache="use")},
)
assert_type(finalize(defs), dg.Definitions)
assert_type(build_staleness_sensor(), dg.SensorDefinition)
assert_type(resource.get(), ResultStore)

build_staleness_sensor(cascade="sideways")  # type: ignore[arg-type]
build_staleness_sensor("stale_tables")  # type: ignore[call-arg]

# --- the store ------------------------------------------------------------------------------------


def use_store(store: ResultStore, definition: str) -> None:
    """State the types of the store's methods."""
    inputs = [InputAnchor.result_digest("up", "0" * 64), InputAnchor.mutable_version("rows", 3)]
    record = store.materialize("t", pa.table({"n": [1]}), descriptor={"producer": "p"}, env={}, inputs=inputs)
    assert_type(record, MaterializationRecord)
    assert_type(store.staleness("t", definition), Staleness)
    assert_type(store.sweep({"t": definition}), Iterator[tuple[str, Staleness]])
    assert_type(store.lookup_cached(definition, inputs), str | None)
    assert_type(store.probe_cache(definition, inputs), str | None)
    assert_type(store.probe_cache_record(definition, inputs), MaterializationRecord | None)
    assert_type(store.current_anchor(inputs[0]), CurrentAnchor)
    assert_type(store.producing_descriptor("t"), ProducingDescriptor)
    assert_type(store.derives_from("t"), list[DerivesFromEdge])
    assert_type(store.verify_materialization("t"), MatchVerdict)
    assert_type(store.tables(), list[str])
    assert_type(store.history("t"), list[MaterializationRecord])

    store.materialize("t", None, descriptor={}, env={})  # type: ignore[call-arg]
    store.probe_cache(definition, "up")  # type: ignore[arg-type]
    InputAnchor.mutable_version("rows", "3")  # type: ignore[arg-type]
    try:
        store.read("t")
    except UnknownTable as error:
        assert_type(error.table, str)
    except JammiError:
        raise


# --- the tester -----------------------------------------------------------------------------------


def use_tester() -> None:
    """State the types of the tester, of its runs and of its ticks."""
    with ResultTableTester(cache=CachePolicy.USE) as tester:
        assert_type(tester, ResultTableTester)
        assert_type(tester.write("orders.csv", "n\n1\n"), Path)
        assert_type(tester.store, ResultStore)
        run = tester.materialize(defs, selection="called", partition_key="a", tags={"jammi/cache": "use"})
        assert_type(run, TableRun)
        assert_type(run.outcomes, dict[str, Literal["computed", "reused"]])
        assert_type(run.outcome(called), Literal["computed", "reused"])
        assert_type(run.why(dg.AssetKey("called")), str)
        assert_type(run.errors, dict[str, str])
        tick = tester.tick([bare, called])
        assert_type(tick, TickResult)
        assert_type(tick.requested, list[str])
        assert_type(tick.execute(raise_on_error=False), list[TableRun])

        tester.materialize("called")  # type: ignore[arg-type]
        tester.write("orders.csv", 3)  # type: ignore[arg-type]
        run.outcome(3)  # type: ignore[arg-type]
