"""`make demo`: run the pipeline of `definitions.py` three times, then its sensor, and check every claim.

Each act is a fresh process.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TextIO

from demo import edits, raw
from demo.outcomes import Outcome, lines

ROOT = raw.HOME.parent
PLAIN = {"planes", "airports"}  # Dagster runs the body of an asset that is not under @result_table
DAMPING = "0.6"
CONFIG = raw.HOME / "damping.json"


class BrokenClaim(Exception):
    """A difference between a run and the demo's claims about it."""


@dataclass(frozen=True)
class Act:
    """A run of the pipeline, and the claims about it.

    Attributes:
        title: the heading.
        computes: the assets that it computes, None for all of them.
        options: the arguments of `demo.run`.
        alike: computed assets whose bytes stay the same.
        touches: the only tables that may run, None for any.
        change: a change to make beforehand.
        plans: the arguments of `jammi-dagster plan` that are shown beforehand; it must name the assets to compute.
        why: the table that `jammi-dagster why` is asked about afterwards.
    """

    title: str
    computes: frozenset[str] | None
    options: Sequence[str] = ()
    alike: frozenset[str] = frozenset()
    touches: frozenset[str] | None = None
    change: Callable[[], object] | None = None
    plans: Sequence[str] = ()
    why: str | None = None

    def check_plan(self, code: int, shown: str) -> None:
        """Raise unless the plan exits with 2, for work to do, and names every asset that is claimed to be computed."""
        if code != 2 or not all(asset in shown for asset in self.computes or ()):
            raise BrokenClaim(f"{self.title}: its plan exits with {code}: {shown}")

    def check(self, outcomes: Sequence[Outcome], before: Sequence[Outcome]) -> None:
        """Raise unless exactly the claimed tables were computed and every other one kept its bytes."""
        digests = {found.table: found.digest for found in before}
        for found in outcomes:
            computed = self.computes is None or found.asset in self.computes
            if found.asset not in PLAIN and found.outcome != ("computed" if computed else "reused"):
                raise BrokenClaim(f"{self.title}: {found.table} was {found.outcome}")
            is_new = computed and found.asset not in self.alike
            if (self.computes is not None) and (found.digest == digests[found.table]) is is_new:
                raise BrokenClaim(f"{self.title}: {found.table} has digest {found.digest}")
        ran = {found.table for found in outcomes}
        if self.touches is not None and ran != self.touches:
            raise BrokenClaim(f"{self.title}: {', '.join(sorted(ran))} ran")


ACTS = (
    Act("First run: everything is new", None),
    Act("Second run: nothing changed", frozenset()),
    Act(
        f"Third run: expected_delays gets damping={DAMPING} in its run config",
        frozenset({"expected_delays", "route_surprises"}),
        ("--damping", DAMPING),
        plans=("route_neighbors*", "-f", "definitions.py", "--config", os.path.relpath(CONFIG, ROOT)),
        why="expected_delays",
    ),
    Act(
        "The sensor: one flight of March gets another plane, and one tick is evaluated",
        frozenset({"flights", "all_flights", "departures", "route_days", "fleet_delays"}),
        ("--tick",),
        alike=frozenset({"route_days"}),
        touches=frozenset(
            {"flights[2013-03]", "all_flights", "departures", "route_days", "fleet_delays"}
            | {"route_neighbors", "expected_delays", "route_surprises"}
        ),
        change=raw.change_a_tail_number,
    ),
)


_PLAIN_HEADING = (
    "Plain assets, which Dagster runs every time (equal bytes leave what derives from them reusable):"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the acts, print the outcomes, and return the exit code: 0 if all claims held."""
    parser = argparse.ArgumentParser(prog="python -m demo", description="Run the demo pipeline.")
    parser.add_argument(
        "--json", action="store_true", help="print the outcomes as JSON (the tables go to stderr)"
    )
    as_json = parser.parse_args(arguments).json
    out = sys.stderr if as_json else sys.stdout
    try:
        story = _perform(out)
        print("\nIn a copy of this project:\n", file=out)
        print("\n".join(edits.report()), file=out, flush=True)
    except (BrokenClaim, AssertionError, subprocess.CalledProcessError) as error:
        print(f"\nThe demo failed. {error}", file=sys.stderr)
        return 1
    if as_json:
        print(json.dumps(story, indent=2))
    print("\nThe same pipeline in Dagster's UI, with lineage, versions and metadata: make ui", file=out)
    return 0


def _perform(out: TextIO) -> list[dict[str, object]]:
    raw.write()
    config = {"ops": {"expected_delays": {"config": {"damping": float(DAMPING)}}}}
    CONFIG.write_text(json.dumps(config))
    if (results := raw.HOME / "results").exists():
        print(f"Clearing {os.path.relpath(results)}/, the result tables of an earlier demo.", file=out)
        shutil.rmtree(results)
    story, before = [], []
    for act in ACTS:
        print(f"\n{act.title}", file=out, flush=True)
        if act.change is not None:
            act.change()
        if act.plans:
            act.check_plan(*_asked("plan", *act.plans, out=out))
        start = time.perf_counter()
        before, earlier = _in_fresh_process(act.options), before
        seconds = time.perf_counter() - start
        print("\n".join(["", *_report(before), f"  The run took {seconds:.1f} s."]), file=out, flush=True)
        act.check(before, earlier)
        if act.why is not None:
            _asked("why", act.why, "--store", os.path.relpath(raw.HOME / "results", ROOT), out=out)
        story.append(
            {"title": act.title, "seconds": seconds, "outcomes": [asdict(found) for found in before]}
        )
    return story


def _in_fresh_process(options: Sequence[str]) -> list[Outcome]:
    command = [sys.executable, "-m", "demo.run", *options]
    run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return [Outcome(**found) for found in json.loads(run.stdout)]


def _asked(*arguments: str, out: TextIO) -> tuple[int, str]:
    """Show a command of `jammi-dagster` and its answer; return exit code and answer."""
    print(f"\n  $ jammi-dagster {shlex.join(arguments)}", file=out, flush=True)
    run = subprocess.run(
        [sys.executable, "-m", "jammi_dagster", *arguments],
        cwd=ROOT,
        env={**os.environ, "DAGSTER_HOME": str(raw.HOME)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    print(*(f"  {line}".rstrip() for line in run.stdout.splitlines()), sep="\n", file=out, flush=True)
    return run.returncode, run.stdout


def _report(outcomes: Sequence[Outcome]) -> list[str]:
    cached = [found for found in outcomes if found.asset not in PLAIN]
    plain = [found for found in outcomes if found.asset in PLAIN]
    heading, *rows = lines([*cached, *plain])
    reused = [found for found in cached if found.outcome == "reused"]
    saved = sum(found.saved or 0 for found in reused)
    return [
        f"  {line}".rstrip()
        for line in [
            heading,
            *rows[: len(cached)],
            f"{len(cached)} result tables: {len(cached) - len(reused)} computed, {len(reused)} reused, "
            f"{saved:.1f} s of computing saved",
            *(["", _PLAIN_HEADING, *rows[len(cached) :]] if plain else []),
        ]
    ]


if __name__ == "__main__":
    sys.exit(main())
