"""Random pipelines under random edits: after each launch, every table equals one that is computed from scratch.

A script draws a pipeline, then edits it again and again: code, constants, config, input files, partitions, reverts.
After each edit a fresh process runs everything, or a part and then the staleness sensor until it rests. Another
process computes all tables by calling the functions, without Dagster and without a store.

    python -m benchmarks oracle
    python -m benchmarks.oracle --scripts 50 --edits 8 --seed 100
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.fresh import fresh
from benchmarks.oracle_processes import from_scratch, launch
from benchmarks.oracle_project import Project, edit, random_project
from benchmarks.report import Report, Row

ABOUT = (
    "tables after each launch of random pipelines under random edits, compared with tables computed from scratch. The "
    "control identifies no code, so that an edit of code must give a wrong table"
)
COUNTS = ("launches", "ticks", "computed", "reused", "compared", "wrong")


def run(*, scripts: int = 50, edits: int = 6, seed: int = 1, control: int = 3) -> Report:
    """Play so many scripts, then the control until its fault is found, in at most `control` scripts."""
    found = [play(seed + number, edits) for number in range(scripts)]
    totals = {count: sum(one[count] for one in found) for count in COUNTS}
    rows = [Row(what=f"{scripts} scripts", values=totals, budget=0, budgeted="wrong")]
    if control:
        faulty = 0
        for number in range(control):
            faulty = faulty or play(seed + number, edits, fault=True)["wrong"]
        values = {"wrong": faulty, "fault overlooked": int(not faulty)}
        rows.append(
            Row(what="control: a planted fault", values=values, budget=0, budgeted="fault overlooked")
        )
    rows += [Row(what=text, values={}) for one in found for text in one["told"]]
    return Report(name="oracle", about=ABOUT, rows=rows)


def play(seed: int, edits: int, *, fault: bool = False) -> dict[str, Any]:
    """Play one script. `told` names each wrong table, with the edits and the launch that came before."""
    chance = random.Random(seed)
    project = random_project(chance)
    counts: dict[str, Any] = {**dict.fromkeys(COUNTS, 0), "told": []}
    with tempfile.TemporaryDirectory() as folder:
        project.write(Path(folder))
        _launch(project, folder, None, fault, counts)
        for _ in range(edits):
            made = [edit(project, chance) for _ in range(chance.choice((1, 1, 2)))]
            project.write(Path(folder))
            part = None  # config that is given to a run counts once a run has had it
            if not any(text.startswith("config") for text in made) and chance.random() < 0.6:
                part = chance.sample([node.name for node in project.nodes], chance.choice((0, 1)))
                if any(text.endswith("is new") for text in made):
                    part = []  # no asset has a new partition alone: those above it come first
            how = "a run of all" if part is None else f"a run of {', '.join(part) or 'nothing'}, and ticks"
            for text in _launch(project, folder, part, fault, counts):
                counts["told"].append(f"seed {seed}: {text}, after {'; '.join(made)}; {how}")
    return counts


def _launch(
    project: Project, folder: str, part: Sequence[str] | None, fault: bool, counts: dict[str, Any]
) -> list[str]:
    """Launch in a fresh process, compare in another, and return a text for each wrong table."""
    nodes = [
        {
            "name": node.name,
            "keys": project.keys if node.partitioned else [""],
            "parents": node.parents,
            "file": node.file,
            "default": node.default,
            "given": node.given,
        }
        for node in project.nodes
    ]
    did = fresh(launch, folder=folder, nodes=nodes, part=part, fault=fault).result
    expected = fresh(from_scratch, folder=folder, nodes=nodes).result
    for count in ("launches", "ticks", "computed", "reused"):
        counts[count] += did[count]
    counts["compared"] += len(expected)
    wrong = [name for name, values in expected.items() if did["tables"].get(name) != values]
    counts["wrong"] += len(wrong)
    return [f"{name} is {did['tables'].get(name)}, not {expected[name]}" for name in wrong]


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.oracle", description=__doc__)
    parser.add_argument("--scripts", type=int, default=50)
    parser.add_argument("--edits", type=int, default=6, help="launches of a script, besides the first")
    parser.add_argument(
        "--seed", type=int, default=1, help="of the first script; the others count on from it"
    )
    asked = parser.parse_args()
    print("\n".join(run(scripts=asked.scripts, edits=asked.edits, seed=asked.seed).lines()))


if __name__ == "__main__":
    main()
