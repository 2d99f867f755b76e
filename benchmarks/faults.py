"""Faults: every operation of the funnel, recovery, adoption and drop fails once in each way, on each kind of store."""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.report import Report, Row

_KITS = Path(__file__).parents[1] / "tests" / "support"

ABOUT = (
    "each system call on an artifact, each request to S3, each statement, commit and rollback of a pass fails once in "
    "each way (an error or an interrupt before it, an error after it took effect, a lost answer, half of it, a false "
    "'not found', a kill before, after or half way); then the store is opened anew and compared with a clean run, and "
    "the next runs must end clean. `violations` counts broken rules."
)


def run(*, stacks: Sequence[str] = (), scenarios: Sequence[str] = (), every: int = 1) -> Report:
    """Break the scenarios on the stacks; of the faults take each one, or one of `every`."""
    sys.path.insert(0, str(_KITS))
    from fault_runs_kit import Killer, broken
    from fault_scenarios_kit import SCENARIOS
    from fault_stacks_kit import STACKS, Shelf
    from faults_kit import Seams

    logging.getLogger("jammi_dagster").setLevel(logging.ERROR)
    rows = list[Row]()
    with tempfile.TemporaryDirectory() as folder, Seams().installed() as seams, Shelf(Path(folder)) as shelf:
        killer = Killer()
        for name in stacks or STACKS:
            for scenario in scenarios or SCENARIOS:
                if name not in SCENARIOS[scenario].stacks:
                    continue
                found = broken(shelf.new(name), SCENARIOS[scenario], seams, killer)
                cases = list(found.cases())[::every]
                violations = [line for at, kind in cases for line in found.violations(at, kind)]
                print("\n".join(violations), file=sys.stderr, end="\n" if violations else "", flush=True)
                counts = {"operations": len(found.operations), "faults": len(cases)}
                values = {**counts, "violations": len(violations)}
                rows.append(Row(what=f"{name}: {scenario}", values=values, budget=0, budgeted="violations"))
        killer.close()
    return Report(name="faults", about=ABOUT, rows=rows)
