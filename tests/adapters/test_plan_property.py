"""A plan against the launch that follows, on random graphs, edits, partitions, policies, checks and broken inputs."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from adapters_kit import Lab
from graphs_kit import Graph, observed

from jammi_dagster import Plan, plan


def matches(planned: str, seen: str) -> bool:
    """Tell whether a table did as planned; `compute or reuse` is met either way, `unknown until run` by anything."""
    return {"compute or reuse": seen in ("compute", "reuse"), "unknown until run": True}.get(
        planned, seen == planned
    )


def below_failures(graph: Graph, ran: Any, planned: Plan) -> set[str]:
    """Return the tables below one that was computed as planned, and then failed a blocking check of its own."""
    failed = {
        one.table
        for one in planned.rows
        if graph.nodes[one.asset].check == "blocking"
        and not graph.nodes[one.asset].passes
        and observed(ran, one.table) == "compute"
    }
    for one in planned.rows:
        above = graph.nodes[one.asset].upstream
        if any(table.partition("[")[0] in above for table in failed):
            failed.add(one.table)
    return failed


def campaign(seed: int, lab: Lab, folder: Path, launches: int = 6) -> tuple[Counter[str], list[str]]:
    """Launch one random pipeline several times; return the planned outcomes, and all that went otherwise."""
    rng = random.Random(seed)
    graph = Graph(rng, folder)
    graph.grow(rng.randint(2, 6))
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for turn in range(launches):
        assets, names = graph.assets(), list(graph.nodes)
        select = names if turn == 0 else sorted(rng.sample(names, rng.randint(1, len(names))))
        partition = (
            rng.choice(["a", "b", "c"]) if any(graph.nodes[n].is_partitioned for n in select) else None
        )
        tags = {"jammi/cache": "bypass"} if rng.random() < 0.1 else {}
        defs = dg.Definitions(assets=assets, resources=lab.resources)
        planned = plan(defs, select, partition, tags=tags, instance=lab.instance)
        ran = lab.run(assets, select=select, partition=partition, tags=tags, ok=None)
        counts.update(planned.counts)
        excused = below_failures(graph, ran, planned)
        for one in planned.rows:
            seen = observed(ran, one.table)
            if not matches(one.action, seen) and not (one.table in excused and seen == "fail"):
                wrong.append(
                    f"{seed}/{turn}: {one.table} was planned {one.said} {one.reasons} and was {seen} {ran.errors}"
                )
        unplanned = set(ran.events) - {one.table for one in planned.rows}
        wrong += [f"{seed}/{turn}: {name} was not planned" for name in sorted(unplanned)]
        for _ in range(rng.randint(0, 2)):
            graph.edit()
    return counts, wrong


@pytest.mark.parametrize("seed", range(6))
def test_a_launch_does_what_its_plan_says(seed: int, lab: Lab, tmp_path: Path) -> None:
    """`reuse`, `compute` and `fail` happen as planned, `compute or reuse` either way, and nothing unplanned happens."""
    counts, wrong = campaign(seed, lab, tmp_path)
    assert not wrong, "\n".join(wrong)
    assert counts.total() > 5


@pytest.mark.long
def test_many_launches_do_as_planned(lab: Lab, tmp_path: Path) -> None:
    """Over many random pipelines each outcome occurs, and none differs from its plan."""
    counts: Counter[str] = Counter()
    for seed in range(100, 140):
        lab.instance.wipe()
        own = Lab(tmp_path / str(seed), lab.instance)
        (tmp_path / f"files{seed}").mkdir()
        found, wrong = campaign(seed, own, tmp_path / f"files{seed}")
        assert not wrong, "\n".join(wrong)
        counts += found
    assert set(counts) >= {"reuse", "compute", "compute or reuse", "fail"}
