"""The identity of an asset's code, as a public value."""

import os
import time
from collections.abc import Callable
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, raw

from jammi_dagster import code_identity, finalize, plan, result_table
from jammi_dagster.adapters.code_identity import code_identities


def clock(n: int) -> float:
    return time.time() + n


@result_table
def base(context: dg.AssetExecutionContext, raw: pa.Table) -> pa.Table:
    return raw.append_column("t", pa.array([clock(1)] * len(raw)))


@result_table(reads=[])
def pinned(raw: pa.Table) -> pa.Table:
    return raw


@dg.asset
def plain(raw: pa.Table, database: dg.ResourceParam[str]) -> pa.Table:
    return raw


class Hidden(type):
    """A metaclass that tells no module of its classes."""

    @property
    def __module__(cls) -> str:  # type: ignore[override]  # the point of the test
        raise AttributeError("hidden")


class OfHidden(metaclass=Hidden):
    def length(self, raw: pa.Table) -> int:
        return len(raw)


def starred(*tables: pa.Table, **named: pa.Table) -> list[pa.Table]:
    return [*tables, *named.values()]


def by_hidden(raw: pa.Table) -> int:
    return OfHidden().length(raw)


def test_a_reason_says_place_path_and_way_out() -> None:
    """A read in a helper is told with the line, the functions that lead to it and the declaration to add."""
    (reason,) = code_identity(base).reasons
    assert reason.place.endswith(f"test_code_identity.py:{clock.__code__.co_firstlineno + 1}")
    assert reason.path == ("base", "clock")
    assert reason.finding.startswith("time.time ")
    assert "allow_reads=['time.time']" in reason.way_out
    assert "reached by base > clock" in str(reason)


def test_an_asset_without_reasons_is_pinned() -> None:
    """A pinned identity has a digest, components and libraries."""
    found = code_identity(pinned)
    assert found.pinned
    assert (len(found.digest), [one.name for one in found.components]) == (64, ["pinned"])
    assert not code_identity(base).pinned


def test_a_plain_asset_and_a_function_are_judged_too() -> None:
    """Resources of a plain asset are a reason; a bare function is judged by its code alone."""
    assert [reason.finding for reason in code_identity(plain).reasons] == ["it takes resources (database)"]
    assert code_identity(clock).reasons[0].path == ("clock",)
    assert not code_identity(lambda: os.environ["A"]).pinned


@pytest.mark.parametrize("function", [starred, by_hidden])
def test_unusual_signatures_and_classes_are_read(function: Callable[..., Any]) -> None:
    """A function of any number of arguments, and a class whose metaclass hides its module, are no obstacle."""
    assert code_identity(function).pinned


class Database(dg.ConfigurableResource):
    path: str

    def rows(self) -> str:
        return open(self.path).read()

    def now(self) -> float:
        return time.time()


class Holder(dg.ConfigurableResource):
    inner: Database

    def rows(self) -> str:
        return self.inner.rows()


class Timed(dg.Config):
    least: int = 0

    @property
    def now(self) -> float:
        return time.time()


@result_table
def by_rows(raw: pa.Table, database: Database) -> pa.Table:
    return pa.table({"x": [database.rows()]})


@result_table(reads=[])
def by_clock(raw: pa.Table, database: Database) -> pa.Table:
    return pa.table({"x": [database.now()]})


@result_table(reads=[], code_version="1")
def by_version(raw: pa.Table, database: Database) -> pa.Table:
    return pa.table({"x": [database.now()]})


@result_table(reads=[])
def by_field(raw: pa.Table, database: Database) -> pa.Table:
    return pa.table({"x": [database.path]})


@result_table(reads=[])
def by_holder(raw: pa.Table, holder: Holder) -> pa.Table:
    return pa.table({"x": [holder.rows()]})


@result_table
def by_config(raw: pa.Table, config: Timed) -> pa.Table:
    return pa.table({"x": [config.now]})


OF_OBJECTS = {
    "a read in the class of a resource": (by_rows, "open ("),
    "the clock in a method of a resource": (by_clock, "time.time ("),
    "a method that is not used": (by_field, None),
    "code that the author versions": (by_version, None),
    "a resource within a resource": (by_holder, "time.time ("),
    "the clock in the class of a config": (by_config, "time.time ("),
}


@pytest.mark.parametrize(("asset", "finding"), OF_OBJECTS.values(), ids=OF_OBJECTS.keys())
def test_the_classes_of_config_and_resources_count_as_in_a_plan(
    asset: dg.AssetsDefinition, finding: str | None, lab: Lab
) -> None:
    """What `plan` says of a table whose code lies in such a class, `explain` says too, before anything runs."""
    database = Database(path="x.db")
    resources = {"database": database, "holder": Holder(inner=database)}
    lab.run([raw])
    defs = finalize(dg.Definitions([raw, asset], resources={**resources, **lab.resources}))
    (identity,) = code_identities(defs, asset).values()
    found = [reason.finding for reason in identity.reasons]
    assert any(one.startswith(finding) for one in found) if finding else found == []
    (row,) = plan(defs, asset).rows
    planned = "; ".join(row.reasons)
    assert all(part in planned for reason in identity.reasons for part in (reason.finding, reason.way_out))
    assert bool(identity.reasons) == (row.reasons != ("first time",))
