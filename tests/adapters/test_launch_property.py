"""Launches of plans on random graphs, edits, policies, checks and broken inputs."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import dagster as dg
import pytest
from adapters_kit import Lab
from graphs_kit import Graph
from stale_kit import of_dagster

from jammi_dagster import LaunchReport, Plan, materialize_plan, plan

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def differences(graph: Graph, planned: Plan, report: LaunchReport) -> list[str]:
    """Return everything in which a launch is not as it was planned."""
    wrong = []
    for one in planned.rows:
        places = [one.table in found for found in (report.requested, report.reused, report.skipped)]
        node = graph.nodes[one.asset]
        if sum(places) != 1:
            wrong.append(f"{one.table} is reported {sum(places)} times")
        if one.action == "fail" and one.table not in report.failing:
            wrong.append(f"{one.table} fails, but is not named")
        if one.action == "reuse":
            must_run = bool(one.failed_checks) and node.check == "blocking"
            if (one.table in report.requested) != must_run:
                wrong.append(f"{one.table}: {one.said}, but requested is {not must_run}")
        if one.action == "compute" and not (
            one.table in report.requested or (report.failed and one.table in report.failing)
        ):
            wrong.append(f"{one.table} is to be computed, but was not requested")
    return wrong


def campaign(seed: int, lab: Lab, folder: Path, launches: int = 4) -> tuple[Counter[str], list[str]]:
    """Launch one random pipeline several times; return the actions, and all that went otherwise."""
    rng = random.Random(seed)
    graph = Graph(rng, folder)
    graph.grow(rng.randint(2, 5))
    first, names = dict(graph.nodes), list(graph.nodes)
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for turn in range(launches):
        select = names if turn == 0 else sorted(rng.sample(names, rng.randint(1, len(names))))
        defs = dg.Definitions(assets=graph.assets(), resources=lab.resources)

        def made(defs: dg.Definitions = defs, select: list[str] = select) -> Plan:
            return plan(defs, select, run_config=QUIET, instance=lab.instance)

        planned = made()
        report = materialize_plan(planned, instance=lab.instance)
        counts.update(planned.counts)
        counts["moved"] += len(report.moved)
        wrong += [f"{seed}/{turn}: {said}" for said in differences(graph, planned, report)]
        again = made()
        settled = [one.table for one in again.rows if one.action == "reuse" and one.table in report.reused]
        for table in settled:
            name, _, partition = table.rstrip("]").partition("[")
            if (seen := of_dagster(defs, lab.instance, name, partition or None)) != "FRESH":
                wrong.append(f"{seed}/{turn}: {table} is {seen} for Dagster")
        repeated = materialize_plan(again, instance=lab.instance)
        if repeated.told or repeated.moved:
            wrong.append(f"{seed}/{turn}: told again: {repeated.told}, moved again: {repeated.moved}")
        if turn % 2:
            graph.nodes = dict(first)  # a revert, after which pointers move
        for _ in range(0 if turn % 2 else rng.randint(1, 3)):
            graph.edit()
    return counts, wrong


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 14])
def test_launches_do_as_planned_and_leave_nothing_stale(seed: int, lab: Lab, tmp_path: Path) -> None:
    """Each table is reported once and as planned; a reused one is fresh for Dagster, and told once."""
    counts, wrong = campaign(seed, lab, tmp_path)
    assert not wrong, "\n".join(wrong)
    assert counts.total() > 5


@pytest.mark.long
def test_many_launches_do_as_planned(lab: Lab, tmp_path: Path) -> None:
    """The same over many seeds, among which every action occurs."""
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for seed in range(3, 63):
        folder = tmp_path / str(seed)
        folder.mkdir()
        some, said = campaign(seed, Lab(folder / "store", lab.instance), folder)
        counts += some
        wrong += said
        lab.instance.wipe()
    assert not wrong, "\n".join(wrong)
    assert {"reuse", "compute", "compute or reuse", "fail", "moved"} <= counts.keys()
