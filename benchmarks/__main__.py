"""`python -m benchmarks [NAME …] [--quick] [--json] [--peers PYTHON]`: run benchmarks, print and keep them."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from benchmarks import (
    chain,
    collection,
    event_log,
    faults,
    fingerprint,
    funnel,
    import_time,
    mutants,
    oracle,
    partitions,
    plan,
    precision,
    real_precision,
    scale,
    step,
    tick,
    upkeep,
    verify,
    wide,
)
from benchmarks.report import Report

RESULTS = Path(__file__).parent / "results"

BENCHMARKS: Mapping[str, Callable[..., Report]] = {
    "import_time": import_time.run,
    "funnel": funnel.run,
    "verify": verify.run,
    "step": step.run,
    "event_log": event_log.run,
    "partitions": partitions.run,
    "chain": chain.run,
    "wide": wide.run,
    "scale": scale.run,
    "tick": tick.run,
    "plan": plan.run,
    "fingerprint": fingerprint.run,
    "upkeep": upkeep.run,
    "collection": collection.run,
    "faults": faults.run,
    "precision": precision.run,
    "real_precision": real_precision.run,
    "mutants": mutants.run,
    "oracle": oracle.run,
}
BESIDE_PEERS = ("chain", "wide")
ON_DEMAND = ("faults", "real_precision", "mutants", "oracle")  # hours, or packages to fetch
QUICK: Mapping[str, Mapping[str, Any]] = {
    "import_time": {"rounds": 3, "one_by_one": False},
    "funnel": {"rounds": 3, "table_mb": 100, "streams_mb": [100, 200, 400]},
    "verify": {"rounds": 5, "table_mb": 100},
    "step": {"rounds": 3, "graphs": {"chain": 15, "wide": 15}},
    "event_log": {"rounds": 2, "assets": 30},
    "partitions": {"size": 400},
    "chain": {"rounds": 1, "rows": 30_000, "steps": 6, "changed": 3},
    "wide": {"steps": 100, "rounds": 1},
    "scale": {"rounds": 3, "sizes": [(1_000, 1_000), (10_000, 2_000)], "edges": 2_000},
    "tick": {"sizes": [1_000]},
    "plan": {"sizes": [1_000]},
    "fingerprint": {"rounds": 2, "assets": 200},
    "collection": {"sizes": [10_000]},
    "upkeep": {"objects": 2_000, "latency_ms": [2.0]},
    "faults": {"every": 10},
    "precision": {},
    "real_precision": {"names": ["redframes", "nfl_data_py", "census_data_aggregator"]},
    "mutants": {"names": ["toposort", "mergedeep", "tomli", "xmltodict"], "each": 30},
    "oracle": {"scripts": 3, "edits": 4, "control": 1},
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"of {', '.join(BENCHMARKS)}; by default all but {', '.join(ON_DEMAND)}",
    )
    parser.add_argument("--quick", action="store_true", help="smaller sizes and fewer rounds")
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument(
        "--peers",
        metavar="PYTHON",
        default=sys.executable,
        help=f"the interpreter that has redun, DVC and Hamilton, for {', '.join(BESIDE_PEERS)}; by default this one",
    )
    asked = parser.parse_args()
    if unknown := sorted(set(asked.names) - set(BENCHMARKS)):
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    found = []
    for name in asked.names or [name for name in BENCHMARKS if name not in ON_DEMAND]:
        python = {"python": asked.peers} if name in BESIDE_PEERS else {}
        report = BENCHMARKS[name](**python, **(QUICK[name] if asked.quick else {}))
        found.append(report.to_dict())
        _keep(report, quick=asked.quick)
        if not asked.json:
            print("\n".join(report.lines()), end="\n\n", flush=True)
    if asked.json:
        print(json.dumps(found, indent=2))


def _keep(report: Report, *, quick: bool) -> None:
    """Write the report to `results/NAME.json`, with time and machine."""
    RESULTS.mkdir(exist_ok=True)
    measured = {
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": platform.platform(),
        "quick": quick,
    }
    path = RESULTS / f"{report.name}.json"
    path.write_text(json.dumps({**report.to_dict(), "measured": measured}, indent=2))


if __name__ == "__main__":
    main()
