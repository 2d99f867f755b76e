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
    from fault_runs_kit import Broken, Killer
    from fault_scenarios_kit import SCENARIOS
    from fault_stacks_kit import STACKS, Shelf
    from faults_kit import Seams
    from faults_s3_kit import on_s3

    logging.disable(logging.ERROR)  # the faults are expected
    rows = list[Row]()
    with (
        tempfile.TemporaryDirectory() as folder,
        Seams().installed() as seams,
        on_s3(seams),
        Shelf(Path(folder)) as shelf,
    ):
        killer = Killer()
        wanted = [(name, SCENARIOS[one]) for name in stacks or STACKS for one in scenarios or SCENARIOS]
        for name, scenario in wanted:
            if name not in scenario.stacks:
                continue
            found = Broken(shelf.new(name), scenario, seams, killer)
            cases = list(found.cases())[::every]
            violations = [line for at, kind in cases for line in found.violations(at, kind)]
            print("\n".join(violations), file=sys.stderr, end="\n" if violations else "", flush=True)
            counts = {
                "operations": len(found.operations),
                "faults": len(cases),
                "violations": len(violations),
            }
            rows.append(Row(what=f"{name}: {scenario.name}", values=counts, budget=0, budgeted="violations"))
            print(rows[-1].to_dict(), file=sys.stderr, flush=True)
        killer.close()
    return Report(name="faults", about=ABOUT, rows=rows)
