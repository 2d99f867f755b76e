"""The benchmarks run at tiny sizes and say what they should; how long anything takes is never looked at."""

import importlib
import json
import math
import pkgutil
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import benchmarks
from benchmarks import (
    __main__,
    chain,
    collection,
    event_log,
    fingerprint,
    funnel,
    import_time,
    partitions,
    peers,
    plan,
    scale,
    step,
    tick,
    verify,
    wide,
)
from benchmarks.pipelines import Kind
from benchmarks.report import Report, Row

pytestmark = pytest.mark.slow

# every fresh process imports Dagster: only those that the budgets need
FEW = {
    Kind.PYARROW: chain.RUNS,
    Kind.JAMMI: chain.RUNS,
    Kind.DAGSTER: ("cold",),
    Kind.EMPTY: ("warm",),
    Kind.BARE_STEPS: ("warm",),
}
TINY: Mapping[str, tuple[Any, Mapping[str, Any]]] = {
    "import_time": (import_time.run, {"rounds": 1, "one_by_one": False}),
    "funnel": (funnel.run, {"rounds": 2, "rows": 100, "table_mb": 1, "streams_mb": [1, 2]}),
    "verify": (verify.run, {"rounds": 1, "table_mb": 1}),
    "step": (step.run, {"rounds": 1, "graphs": {"chain": 2}, "instances": ["ephemeral"]}),
    "event_log": (event_log.run, {"rounds": 1, "assets": 3}),
    "partitions": (partitions.run, {"size": 8}),
    "chain": (chain.run, {"rounds": 1, "rows": 100, "steps": 3, "changed": 2, "kinds": FEW}),
    "wide": (wide.run, {"steps": 2, "rounds": 1, "grown": 2}),
    "tick": (tick.run, {"sizes": [100]}),
    "plan": (plan.run, {"sizes": [100]}),
    "collection": (collection.run, {"sizes": [100]}),
    "fingerprint": (fingerprint.run, {"rounds": 1, "assets": 40}),
    "scale": (scale.run, {"rounds": 1, "sizes": [(50, 50), (100, 20)], "edges": 10}),
}
# how many of the rows of a full report have a budget
BUDGETS = {
    "import_time": 4,
    "funnel": 5,
    "verify": 1,
    "wide": 3,
    "step": 2,
    "event_log": 3,
    "partitions": 2,
    "chain": 5,
    "tick": 4,
    "plan": 3,
    "collection": 5,
    "fingerprint": 4,
    "scale": 2 * (2 * (len(scale.MOST_MS) + 1) + 2),
}


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    """Every benchmark, run once; side by side, since they wait for processes of their own."""
    with ThreadPoolExecutor() as pool:
        running = {name: pool.submit(run, **sizes) for name, (run, sizes) in TINY.items()}
        return {name: found.result() for name, found in running.items()}


def test_every_benchmark_can_be_run_by_its_name() -> None:
    """A module that says what it measures is listed, with its smaller sizes; nothing else is."""
    modules = [
        importlib.import_module(f"benchmarks.{found.name}")
        for found in pkgutil.iter_modules(benchmarks.__path__)
    ]
    runs = {module.__name__.rpartition(".")[2]: module.run for module in modules if hasattr(module, "ABOUT")}
    assert runs == __main__.BENCHMARKS
    assert set(__main__.QUICK) == set(runs) > set(__main__.ON_DEMAND)


@pytest.mark.parametrize("name", TINY)
def test_a_report_is_json_of_one_shape(reports: dict[str, Report], name: str) -> None:
    """Every row has finite numbers or text, and a budget is for one of its numbers."""
    found = json.loads(json.dumps(reports[name].to_dict(), allow_nan=False))
    assert set(found) == {"name", "about", "rows"}
    assert found["name"] == name
    for row in found["rows"]:
        assert set(row) == {"what", "values", "budgeted", "budget", "met"}
        assert all(isinstance(value, str) or math.isfinite(value) for value in row["values"].values())
        if row["budget"] is None:
            assert (row["budgeted"], row["met"]) == (None, None)
        else:
            assert isinstance(row["values"][row["budgeted"]], (int, float))
            assert row["met"] is (row["values"][row["budgeted"]] <= row["budget"])
    assert len({row["what"] for row in found["rows"]}) == len(found["rows"])
    assert sum(row["budget"] is not None for row in found["rows"]) == BUDGETS[name]


def test_the_chain_runs_the_bodies_it_should(reports: dict[str, Report]) -> None:
    """Of three steps: all when cold, none when nothing changed, two when the second one changed."""
    bodies = {row.what: row.values["bodies"] for row in reports["chain"].rows if "bodies" in row.values}
    assert bodies == {
        "pyarrow": "3/0/2",
        "jammi": "3/0/2",
        "dagster": "3",
        "empty": "0",
        "bare_steps": "0",
    }


def test_a_peer_that_is_missing_is_named(reports: dict[str, Report]) -> None:
    """A peer is run, or its row says how to install it; it is never left out in silence."""
    found = peers.installed(sys.executable)
    for name in __main__.BESIDE_PEERS:
        notes = {row.what: row.values["note"] for row in reports[name].rows if "note" in row.values}
        assert notes == {kind.value: peers.MISSING for kind in peers.PEERS if kind not in found}
    assert "jammi-dagster[peers]" in peers.MISSING


def test_a_printed_report_says_which_budgets_are_met() -> None:
    """Columns come in order of appearance; budget and verdict are the last."""
    rows = [
        Row(what="fast", values={"s": 0.5}, budget=1.0, budgeted="s"),
        Row(what="slow", values={"s": 2.0, "note": "why"}, budget=1.0, budgeted="s"),
        Row(what="baseline", values={"s": 123.4}),
    ]
    about, *lines = Report(name="example", about="what is measured", rows=rows).lines()
    assert about == "example: what is measured"
    assert [line.split() for line in lines] == [
        ["s", "note", "budget", "met"],
        ["fast", "0.5", "<=", "1", "s", "yes"],
        ["slow", "2", "why", "<=", "1", "s", "NO"],
        ["baseline", "123"],
    ]
