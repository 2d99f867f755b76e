"""Code identities of a project: the cost of the first asset, and of all when a code location loads."""

from __future__ import annotations

import gc
import importlib
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.code_location import write_location
from benchmarks.fresh import fresh
from benchmarks.report import Report, Row

FIRST_MS, ALL_S, ASSETS, TYPICAL = 5, 3, 1_000, 20
LOCATION_S, LOCATION_AGAIN_S = 5, 0.5

ABOUT = (
    "milliseconds to identify one function whose module was never looked at (10 functions in 50 lines, which use two "
    "helpers of two other modules), the same again, and seconds for all; the least of several fresh processes. The "
    "project is a package of so many functions, ten to a module. The location has 198 assets in 40 modules, and its "
    "package builds the definitions, so that each function loads all of it"
)

HELPERS = '''
"""Helpers."""
import pyarrow.compute as pc

LIMIT = {number}
NAMES = ("a", "b", "c")


def clean(table):
    """Cleans."""
    kept = table.filter(pc.greater(table["x"], LIMIT))
    return kept.append_column("y", pc.multiply(kept["x"], scale(LIMIT)))


def scale(x):
    return x * len(NAMES)
'''
ASSET = '''

def asset_{number}(table):
    """An asset."""
    cleaned = {helpers}.clean(table)
    return cleaned.slice({number}, shared.scale(LIMIT))
'''


def run(*, rounds: int = 9, assets: int = ASSETS) -> Report:
    """Measure a project of twenty functions, ten to a module, and one of `assets`."""
    rows = []
    for size in sorted({TYPICAL, assets}):
        measured: dict[str, list[float]] = {"first": [], "again": [], "all": []}
        with tempfile.TemporaryDirectory() as folder:
            modules = write(Path(folder), size)
            for _ in range(rounds):
                for name, value in fresh(identities, folder=folder, modules=modules).result.items():
                    measured[name].append(value)
        found = {name: min(values) for name, values in measured.items()}
        most = FIRST_MS if size == TYPICAL else None
        first = Row(
            what=f"one of {size:,}, the first time",
            values={"ms": found["first"]},
            budget=most,
            budgeted="ms" if most else "",
        )
        rows += [first, Row(what=f"one of {size:,}, again", values={"ms": found["again"]})]
    budget = ALL_S * assets / ASSETS
    rows.append(Row(what=f"all {assets:,}", values={"s": found["all"]}, budget=budget, budgeted="s"))
    with tempfile.TemporaryDirectory() as folder:
        write_location(Path(folder))
        passes = [fresh(location, folder=folder).result for _ in range(min(rounds, 3))]
    values = {"s": min(one["first"] for one in passes), "components": passes[0]["components"]}
    rows.append(
        Row(what="a location that builds its definitions", values=values, budget=LOCATION_S, budgeted="s")
    )
    again = min(one["again"] for one in passes)
    rows.append(
        Row(what="the same location again", values={"s": again}, budget=LOCATION_AGAIN_S, budgeted="s")
    )
    return Report(name="fingerprint", about=ABOUT, rows=rows)


def write(folder: Path, assets: int) -> list[str]:
    """Write the project, and return the names of the modules that hold its assets."""
    (folder / "flow").mkdir()
    (folder / "flow" / "__init__.py").write_text("")
    (folder / "flow" / "shared.py").write_text(HELPERS.format(number=0))
    modules = []
    for start in range(0, assets, 10):
        number = start // 10
        (folder / "flow" / f"helpers_{number}.py").write_text(HELPERS.format(number=number))
        text = f"from flow import helpers_{number}, shared\n\nLIMIT = {number}\n"
        for index in range(start, min(start + 10, assets)):
            text += ASSET.format(number=index, helpers=f"helpers_{number}")
        (folder / "flow" / f"assets_{number}.py").write_text(text)
        modules.append(f"flow.assets_{number}")
    return modules


def identities(folder: str, modules: list[str]) -> dict[str, float]:
    """Import the project, in a fresh process, and identify its functions."""
    sys.path.insert(0, folder)
    from jammi_dagster.fingerprint import identify

    functions = [
        value
        for name in modules
        for key, value in vars(importlib.import_module(name)).items()
        if key.startswith("asset_")
    ]
    identify(write)  # another project: the cost of loading this package itself is not measured
    gc.collect()  # the imports left garbage behind
    taken = []
    for function in (functions[0], functions[0]):
        started = time.perf_counter()
        identify(function)
        taken.append((time.perf_counter() - started) * 1e3)
    started = time.perf_counter()
    for function in functions:
        assert not identify(function).unresolved
    return {"first": taken[0], "again": taken[1], "all": time.perf_counter() - started}


def location(folder: str) -> dict[str, float]:
    """Import a code location, in a fresh process, and identify all of its assets twice."""
    sys.path.insert(0, folder)
    from jammi_dagster.fingerprint import identify

    package = importlib.import_module("location")
    functions = [asset.op.compute_fn.decorated_fn for asset in (*package.ALL, *package.factory.MADE)]
    gc.collect()
    taken = []
    for _ in range(2):
        started = time.perf_counter()
        found = [identify(function) for function in functions]
        taken.append(time.perf_counter() - started)
    assert not any(one.unresolved or one.outside for one in found)
    return {"first": taken[0], "again": taken[1], "components": max(len(one.components) for one in found)}
