"""Run Dagster's own tests with `@result_table` in the place of `@asset`, and hold the outcome against the list.

    python -m tools.conformance                  # all files, and the tests that fail once more, unmodified
    python -m tools.conformance --slice          # a few files, with result tables only: what `make slow` runs
    python -m tools.conformance --shorten        # also takes tests that pass by now off the list
    python -m tools.conformance --storage        # Dagster's tests of its event log, over ours: none may fail

Exits with 1 if a test fails that is not listed, if a listed one passes, or if one fails for another reason than the
list says. A version of Dagster other than the pinned one is only reported on.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from tools.conformance.known import Comparison, Plan, compare, written
from tools.conformance.running import Outcome, run
from tools.conformance.sdist import fetch

ROOT = Path(__file__).parents[2]
LIST = ROOT / "tests" / "conformance"
CACHE = ROOT / "build" / "conformance"


def main(arguments: list[str] | None = None) -> int:
    """Run, print the counts and the problems, and give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.conformance", description=__doc__.splitlines()[0])
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--slice", action="store_true", help="only the bounded slice, and nothing unmodified")
    ways.add_argument("--shorten", action="store_true", help="take tests that pass by now off the list")
    ways.add_argument("--storage", action="store_true", help="tests of the event log, over our storage")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="by default one a core")
    parser.add_argument("files", nargs="*", help="only these, below dagster_tests/")
    options = parser.parse_args(arguments)
    plan, shim, about = Plan.load(LIST), "shim", "with @result_table in the place of @asset"
    if options.storage:
        plan = replace(plan, files=plan.storage, reasons=())
        shim, about = "storage_shim", "of its event log on SQLite, over ours"
    installed = version("dagster")
    files = options.files or (plan.slice if options.slice else plan.files)
    home = fetch(installed, CACHE)
    processes = 0 if options.slice else options.processes
    ours = run(home, files, shim=shim, processes=processes)
    failed = [test for test, outcome in ours.items() if outcome.outcome == "failed"]
    unmodified = run(home, failed, processes=processes) if failed and not options.slice else {}
    found = compare(plan.reasons, ours, unmodified, files=files)
    found.problems += plan.grown()
    print(f"dagster {installed}, tests {about}\n{table(plan, found)}")
    for problem in found.problems:
        print(f"\n{problem}")
    if options.shorten:
        _shorten(plan, ours)
    if installed != plan.version:
        print(f"\nthe list is held against dagster {plan.version}; {installed} is only reported on")
        return 0
    return 1 if found.problems else 0


def table(plan: Plan, found: Comparison) -> str:
    """Return the counts by reason, each with its explanation."""
    lines = [f"{found.passed:5} pass"]
    for reason in plan.reasons:
        if reason.name in found.counts:
            lines.append(f"{found.counts[reason.name]:5} fail, {reason.name}: {reason.says}")
    if found.unmodified:
        lines.append(f"{len(found.unmodified):5} fail unmodified as well, so they say nothing")
    lines.append(f"{len(found.problems):5} differ from the list")
    if found.ticks:
        lines.append("ticks of the staleness sensor after the runs of these tests")
    lines += [f"{number:5} {what}" for what, number in sorted(found.ticks.items())]
    return "\n".join(lines)


def _shorten(plan: Plan, ours: dict[str, Outcome]) -> None:
    """Take tests off the list that ran and did not fail."""
    good = frozenset(name for name, outcome in ours.items() if outcome.outcome != "failed")
    kept = [replace(reason, tests=reason.tests - good) for reason in plan.reasons]
    (LIST / "known.toml").write_text(written([reason for reason in kept if reason.tests]), encoding="utf-8")
    listed = sum(len(reason.tests) for reason in kept)
    parts = (LIST / "parts.toml").read_text(encoding="utf-8")
    parts = re.sub(r"(?m)^most = \d+$", f"most = {min(listed, plan.most)}", parts)
    (LIST / "parts.toml").write_text(parts, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
