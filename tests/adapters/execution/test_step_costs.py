"""The costs of a computed step, in counts: they are the same on every machine."""

import os
import re
from collections import Counter
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab

from benchmarks.statements import statements
from jammi_dagster import result_table
from jammi_dagster.contract import ProducingDescriptor

# the tables of the catalog; Dagster's own storages are another matter
OURS = re.compile(r"materializations|pointer|anchor_|annotations|run_results|catalog_state")
# of one computed step of a chain: a descriptor is built, and one is read with the sidecar of the input; table and
# sidecar are fsynced, each with its folder, and the folder above that got a new one
MOST = {"descriptors": 2, "fsyncs": 5, "transactions": 3, "statements": 24}


def chain(size: int, prefix: str) -> list[Any]:
    """Tables in a row, each made of the one before."""

    @result_table(name=f"{prefix}_0", reads=[])
    def first() -> pa.Table:
        return pa.table({"x": [0]})

    def after(number: int) -> Any:
        @result_table(name=f"{prefix}_{number}", ins={"up": dg.AssetIn(f"{prefix}_{number - 1}")})
        def table(up: pa.Table) -> pa.Table:
            return up.append_column(f"c{number}", pa.array([number]))

        return table

    return [first, *map(after, range(1, size))]


def test_a_computed_step_costs_so_much(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalog gets three transactions: a start number, the attempt, and the result; nothing is built twice."""
    counts: Counter[str] = Counter()

    def counted(name: str, function: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            counts[name] += 1
            return function(*arguments, **named)

        return call

    monkeypatch.setattr(os, "fsync", counted("fsyncs", lambda descriptor: None))
    monkeypatch.setattr(ProducingDescriptor, "__init__", counted("descriptors", ProducingDescriptor.__init__))
    lab.run(chain(2, "first"))  # makes catalog and folders
    found = []
    for size in (2, 6):
        counts.clear()
        with statements() as asked:
            lab.run(chain(size, f"of_{size}"))
        counts["statements"] = sum(OURS.search(statement) is not None for statement, _ in asked)
        counts["transactions"] = sum(statement == "BEGIN IMMEDIATE" for statement, _ in asked)
        found.append(dict(counts))
    shorter, longer = found
    each = {name: (longer[name] - shorter[name]) / 4 for name in MOST}
    assert {name: count for name, count in each.items() if count > MOST[name]} == {}, each
