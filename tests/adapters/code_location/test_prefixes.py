"""An input that is found by its last name, as Dagster finds those under one prefix, is found while no step runs."""

from collections.abc import Callable
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, table
from sensing_kit import Ticking, definitions, evaluate

from jammi_dagster import finalize, recompute, result_table
from jammi_dagster.adapters.code_location.location import Location

letters = dg.StaticPartitionsDefinition(["x", "y"])


def _of_parameter(version: str) -> list[Any]:
    @result_table(key_prefix="new", reads=[], code_version=version)
    def a() -> pa.Table:
        return table(version)

    @result_table(key_prefix="new", code_version="1")
    def b(a: pa.Table) -> pa.Table:
        return a

    return [a, b]


def _deeper(version: str) -> list[Any]:
    @result_table(key_prefix=["new", "deep"], reads=[], code_version=version)
    def a() -> pa.Table:
        return table(version)

    @result_table(key_prefix=["new", "deep"], code_version="1")
    def b(a: pa.Table) -> pa.Table:
        return a

    return [a, b]


def _of_deps(version: str) -> list[Any]:
    @result_table(key_prefix="new", reads=[], code_version=version)
    def a() -> pa.Table:
        return table(version)

    @result_table(key_prefix="new", deps=["a"], reads=[], code_version="1")
    def b() -> pa.Table:
        return table(version)

    return [a, b]


def _plain(version: str) -> list[Any]:
    @dg.asset(key_prefix="new", code_version=version)
    def a() -> pa.Table:
        return table(version)

    @dg.asset(key_prefix="new", code_version="1")
    def b(a: pa.Table) -> pa.Table:
        return a

    return [a, b]


def _of_group(version: str) -> list[Any]:
    @result_table(key_prefix="new", group_name="g", reads=[], code_version=version)
    def a() -> pa.Table:
        return table(version)

    @result_table(key_prefix="other", group_name="g", code_version="1", name="b")
    def b(a: pa.Table) -> pa.Table:
        return a

    return [a, b]


def _named(version: str) -> list[Any]:
    @result_table(key_prefix="new", reads=[], code_version=version)
    def a() -> pa.Table:
        return table(version)

    @result_table(key_prefix="new", code_version="1", ins={"a": dg.AssetIn(key=["new", "a"])})
    def b(a: pa.Table) -> pa.Table:
        return a

    return [a, b]


EVERY = [_of_parameter, _deeper, _of_deps, _plain, _of_group, _named]
Assets = Callable[[str], list[Any]]


def _keys(assets: list[Any]) -> list[dg.AssetKey]:
    return [asset.key for asset in assets]


@pytest.mark.parametrize("assets", EVERY)
def test_it_is_fresh_where_nothing_changed(lab: Lab, assets: Assets) -> None:
    """The definition and the inputs off the run are those of the run."""
    lab.run(assets("1"))
    found = evaluate(lab, assets("1"))
    assert sum(found.counts.values()) == 2
    assert not [state.table for state in found.tables.values() if state.verdict.reasons]


@pytest.mark.parametrize("finalized", [False, True])
@pytest.mark.parametrize("assets", EVERY)
def test_the_sensor_requests_it_and_its_dependants(lab: Lab, assets: Assets, finalized: bool) -> None:
    """And rests when the request was executed."""
    lab.run(assets("1"))
    ticking = Ticking(lab, assets("2"))
    if finalized:
        ticking.defs = finalize(ticking.defs)
    (request,) = ticking.tick()
    assert sorted(request.asset_selection or ()) == sorted(_keys(assets("2")))
    ticking.execute(request)
    assert ticking.settle() == []


def test_its_partitions_are_found(lab: Lab) -> None:
    """Partition by partition, and all of them for an asset that has none."""

    def assets(version: str) -> list[Any]:
        @result_table(key_prefix="new", reads=[], code_version=version, partitions_def=letters)
        def a(context: dg.AssetExecutionContext) -> pa.Table:
            return table(context.partition_key, version)

        @result_table(key_prefix="new", code_version="1", partitions_def=letters)
        def b(a: pa.Table) -> pa.Table:
            return a

        @result_table(key_prefix="new", code_version="1")
        def whole(b: dict[str, pa.Table]) -> pa.Table:
            return table(*b)

        return [a, b, whole]

    made = assets("1")
    for letter in ("x", "y"):
        lab.run(made, select=made[:2], partition=letter)
    lab.run(made, select=made[2:])
    assert not evaluate(lab, made).tables
    found = evaluate(lab, assets("2"))
    assert set(found.tables) == {"new/a[x]", "new/a[y]", "new/b[x]", "new/b[y]", "new/whole"}


def test_its_table_is_recomputed(lab: Lab) -> None:
    """From the inputs that the run had."""
    lab.run(_of_parameter("1"))
    report = recompute(lab.store, definitions(lab, _of_parameter("1")), "new/b", instance=lab.instance)
    assert [made.outcome for made in report.recomputed][-1] == "reproduced"


def test_an_input_that_is_elsewhere_keeps_its_name(lab: Lab) -> None:
    """A name that no asset of the prefix has means the asset without prefix."""

    @result_table(reads=[], code_version="1")
    def a() -> pa.Table:
        return table(1)

    @result_table(key_prefix="new", code_version="1")
    def b(a: pa.Table) -> pa.Table:
        return a

    lab.run([a, b])
    location = Location.of(definitions(lab, [a, b]), lab.instance)
    found = location.assets_def(dg.AssetKey(["new", "b"]))
    assert found is not None
    assert set(found.keys_by_input_name.values()) == {dg.AssetKey("a")}
    assert not evaluate(lab, [a, b]).tables
