"""Precision of the code identity: the share of pure functions that are pinned, and of impure ones that are caught.

Without arguments, the labelled list of `tests/precision` is measured. On a project of your own, every asset is
printed: pinned or not, and then the reasons, each with its place, the way to it, and the declaration to add.

    python -m benchmarks precision
    python -m benchmarks.precision -m my_project.definitions
    python -m benchmarks.precision -f definitions.py --json
"""

from __future__ import annotations

import argparse
import csv
import functools
import importlib
import importlib.util
import json
import math
import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.fresh import fresh
from benchmarks.report import Report, Row, Value

LIST = Path(__file__).parent.parent / "tests" / "precision"
DEFINITIONS: Mapping[str, str] = {
    "grid_data": "grid_data",
    "course_lake": "course_lake.definitions",
    "cloud_costs": "cloud_costs.definitions",
    "shop_analytics": "shop_analytics",
    "news_stories": "news_stories",
    "grants_portal": "grants_portal",
    "impact_graph": "impact_graph.definitions",
    "bird_watch": "bird_watch",
    "school_maps": "school_maps.src.assets.coverage",
    "wind_forecast": "wind_forecast",
    "ice_stats": "ice_stats.repo",
    "open_energy": "open_energy.definitions",
}
MISSED_PERCENT = 15

ABOUT = (
    "functions behind the assets of twelve small projects, labelled by two readings before any verdict; per cent with "
    "their 95 % interval (Wilson)"
)

Asset = Mapping[str, Any]


def run(*, projects: Sequence[str] = tuple(DEFINITIONS)) -> Report:
    """Measure the labelled list, or some of its projects, in a fresh process."""
    found = fresh(judged, projects=list(projects)).result
    labels = {name: label for name, label in labelled().items() if name.partition(":")[0] in projects}
    if unjudged := sorted(set(labels) - set(found)):
        raise LookupError(f"labels.csv names functions that no project has: {', '.join(unjudged)}")
    pure = [name for name, label in labels.items() if label == "pure"]
    impure = [name for name in labels if name not in pure]
    unpinned = [name for name in pure if not found[name]["pinned"]]
    wrong = [name for name in impure if found[name]["pinned"]]
    rows = [
        Row(
            what="pure: pinned without a declaration",
            values={
                **share(len(pure) - len(unpinned), len(pure)),
                "missed %": 100 * len(unpinned) / len(pure),
            },
            budget=MISSED_PERCENT,
            budgeted="missed %",
        ),
        Row(
            what="impure: caught",
            values={**share(len(impure) - len(wrong), len(impure)), "wrong pins": len(wrong)},
            budget=0,
            budgeted="wrong pins",
        ),
        *(Row(what=name, values={"why": found[name]["reasons"][0]["finding"]}) for name in unpinned),
        *(Row(what=name, values={"why": "pinned, but it is impure"}) for name in wrong),
    ]
    return Report(name="precision", about=ABOUT, rows=rows)


def labelled() -> dict[str, str]:
    """Return the agreed label of each function of the list."""
    with (LIST / "labels.csv").open(newline="") as file:
        return {row["function"]: row["agreed"] for row in csv.DictReader(file)}


def judged(projects: Sequence[str]) -> dict[str, Asset]:
    """Import projects of the list, and identify their functions: `{"grid_data:core_fuel": {"pinned": …}}`."""
    sys.path.insert(0, str(LIST / "projects"))
    warnings.simplefilter("ignore")
    return {
        f"{project}:{name}": asset
        for project in projects
        for name, asset in assets_of(importlib.import_module(DEFINITIONS[project])).items()
    }


def assets_of(module: Any) -> dict[str, Asset]:
    """Identify the assets of the one `Definitions` that a module holds."""
    import dagster as dg

    from jammi_dagster.adapters.code_identity import code_identities

    held = {id(value): value for value in vars(module).values() if isinstance(value, dg.Definitions)}
    if len(held) != 1:
        raise LookupError(f"{module.__name__} holds {len(held)} Definitions, not one")
    (defs,) = held.values()
    return {
        "/".join(key.path): {
            "pinned": identity.pinned,
            "reasons": [
                {"place": one.place, "path": list(one.path), "finding": one.finding, "way_out": one.way_out}
                for one in identity.reasons
            ],
        }
        for key, identity in code_identities(defs).items()
    }


def share(part: int, whole: int) -> dict[str, Value]:
    """Return a share in per cent with its Wilson 95 % interval.

    >>> share(9, 10)
    {'functions': 10, 'of these': 9, '%': 90.0, 'low': 59.6, 'high': 98.2}
    """
    if not whole:
        return {"functions": 0, "of these": 0}
    z, p = 1.959964, part / whole
    middle, spread = p + z * z / (2 * whole), z * math.sqrt(p * (1 - p) / whole + z * z / (4 * whole * whole))
    low, high = (100 * (middle + sign * spread) / (1 + z * z / whole) for sign in (-1, 1))
    return {
        "functions": whole,
        "of these": part,
        "%": round(100 * p, 1),
        "low": round(max(low, 0.0), 1),
        "high": round(min(high, 100.0), 1),
    }


def lines(assets: Mapping[str, Asset]) -> Iterator[str]:
    """Yield the assets of a project as text, those that are not pinned with their reasons, then the totals."""
    for name, asset in assets.items():
        yield f"{'pinned    ' if asset['pinned'] else 'not pinned'}  {name}"
        for reason in asset["reasons"]:
            way = f" (reached by {' > '.join(reason['path'])})" if len(reason["path"]) > 1 else ""
            yield f"              {reason['finding']}{way}"
            yield f"                -> {reason['way_out']}"
    totals = share(sum(asset["pinned"] for asset in assets.values()), len(assets))
    interval = f", {totals['%']} % ({totals['low']} to {totals['high']})" if assets else ""
    yield f"{totals['of these']} of {totals['functions']} assets are pinned{interval}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.precision", description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("-m", "--module", help="a module that holds a Definitions")
    where.add_argument("-f", "--file", type=Path, help="a file that holds one")
    parser.add_argument("--json", action="store_true", help="print JSON only")
    asked = parser.parse_args()
    sys.path.insert(0, os.getcwd())
    assets = assets_of(importlib.import_module(asked.module) if asked.module else _loaded(asked.file))
    print(json.dumps(assets, indent=2) if asked.json else "\n".join(lines(assets)))


@functools.cache
def _loaded(file: Path) -> Any:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise LookupError(f"{file} is no Python file")
    sys.path.insert(0, str(file.resolve().parent))
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
