"""Precision of the code identity: the share of pure functions that are pinned, and of impure ones that are caught.

The labelled list of `tests/precision` is measured. Of a project of your own, `jammi-dagster explain` tells of every
asset if it is pinned, and if not the reasons, each with its place, the way to it, and the declaration to add.
"""

from __future__ import annotations

import csv
import importlib
import math
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.fresh import fresh
from benchmarks.report import Report, Row, Value

if TYPE_CHECKING:
    from jammi_dagster import CodeIdentity

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
    "river_gauges": "river_gauges",
}
MISSED_PERCENT = 15

ABOUT = (
    "functions behind the assets of thirteen small projects, labelled by two readings before any verdict; per cent "
    "with their 95 % interval (Wilson)"
)

Asset = Mapping[str, Any]


def run() -> Report:
    """Measure the labelled list in a fresh process."""
    return report_of(fresh(judged).result, labelled())


def report_of(
    found: Mapping[str, Asset], labels: Mapping[str, str], *, name: str = "precision", about: str = ABOUT
) -> Report:
    """Compare the verdicts with the labels."""
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
        *(Row(what=name, values={"why": found[name]["why"]}) for name in unpinned),
        *(Row(what=name, values={"why": "pinned, but it is impure"}) for name in wrong),
    ]
    return Report(name=name, about=about, rows=rows)


def labelled(name: str = "labels.csv") -> dict[str, str]:
    """Return the agreed label of each function of a list."""
    with (LIST / name).open(newline="") as file:
        return {row["function"]: row["agreed"] for row in csv.DictReader(file)}


def judged() -> dict[str, Asset]:
    """Import the projects of the list, and identify their functions: `{"grid_data:core_fuel": {"pinned": …}}`."""
    sys.path.insert(0, str(LIST / "projects"))
    warnings.simplefilter("ignore")
    return {
        f"{project}:{name}": asset
        for project in DEFINITIONS
        for name, asset in assets_of(importlib.import_module(DEFINITIONS[project])).items()
    }


def assets_of(module: Any, keys: Sequence[str] | None = None) -> dict[str, Asset]:
    """Identify the assets of the one `Definitions` that a module holds, or some of them."""
    import dagster as dg

    from jammi_dagster import finalize
    from jammi_dagster.adapters.code_identity import code_identities

    held = {id(value): value for value in vars(module).values() if isinstance(value, dg.Definitions)}
    if len(held) != 1:
        raise LookupError(f"{module.__name__} holds {len(held)} Definitions, not one")
    (defs,) = held.values()
    selection = None if keys is None else dg.AssetSelection.assets(*keys)
    found = code_identities(finalize(defs), selection)
    return {"/".join(key.path): verdict(identity) for key, identity in found.items()}


def verdict(identity: CodeIdentity) -> Asset:
    """Tell if an identity is pinned, and if not the first reason."""
    return {"pinned": identity.pinned, "why": identity.reasons[0].finding if identity.reasons else ""}


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
