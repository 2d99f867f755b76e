"""Runs as values: the tables that each makes, its place in the order of runs, and ranges of partitions."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from jammi_dagster.adapters.recipe.replay import Replay
from jammi_dagster.contract.tables import asset_of
from jammi_dagster.planning.waves import Parents, into_runs

_NO_REPLAY = Replay()


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A table that a run can make, and how Dagster is asked for it.

    `op` names the asset's op in run config, `replay` is how the table was launched last; with `takes_entry` the config
    in it is that of the ops of a graph. `selected` are the assets that a run of it selects, and `together` the tables
    that Dagster makes only with it: more than its own for a multi-asset that cannot be subset. Equal partition sets
    have the same number `partitions`; `place` is the partition's place in its set, which matters where one run may make
    several neighbours: `most_at_once`, or any number if that is None. Neighbours are joined only if they have the same
    `group`.
    """

    table: str
    asset_key: dg.AssetKey
    op: str
    partition: str | None = None
    partitions: int = 0
    place: int = -1
    most_at_once: int | None = 1
    group: Hashable = None
    selected: tuple[dg.AssetKey, ...] = ()
    together: tuple[str, ...] = ()
    replay: Replay = _NO_REPLAY
    takes_entry: bool = False


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One run: its tables, and its first and last partition where it makes a range.

    A run of a later `wave` reads a table that an earlier one makes.
    """

    wave: int
    nodes: tuple[Node, ...]
    span: tuple[str, str] | None = None

    @property
    def tables(self) -> tuple[str, ...]:
        """Return the names of its tables."""
        return tuple(node.table for node in self.nodes)


def plan_runs(nodes: Mapping[str, Node], parents: Parents) -> list[PlannedRun]:
    """Return the runs that make the tables, by wave; a range where assets make several partitions at once.

    `parents` are the tables that each table reads. Raises `DependencyCycle`.
    """

    def run_of(table: str) -> Hashable | None:
        node = nodes[table]
        return None if node.partition is None else (node.partitions, node.partition)

    groups = into_runs(list(nodes), parents, run_of)
    return _in_ranges([PlannedRun(group.wave, tuple(nodes[t] for t in group.tables)) for group in groups])


def _in_ranges(runs: Sequence[PlannedRun]) -> list[PlannedRun]:
    """Join runs of neighbouring partitions where each of their assets makes a range in a single run."""
    found: list[PlannedRun] = []
    alike: dict[Hashable, list[PlannedRun]] = {}
    for run in runs:
        if all(node.partition is not None and node.most_at_once != 1 for node in run.nodes):
            configs = sorted((asset_of(node.table), node.replay.key[0]) for node in run.nodes)
            groups = frozenset(node.group for node in run.nodes)
            alike.setdefault((run.wave, tuple(configs), groups), []).append(run)
        else:
            found.append(run)
    for similar in alike.values():
        found.extend(_ranges(similar))
    return sorted(found, key=lambda run: (run.wave, run.tables))


def _ranges(runs: Sequence[PlannedRun]) -> Iterable[PlannedRun]:
    most = min((n.most_at_once for run in runs for n in run.nodes if n.most_at_once), default=len(runs))
    row: list[PlannedRun] = []
    for run in sorted(runs, key=lambda one: one.nodes[0].place):
        if row and (run.nodes[0].place != row[-1].nodes[0].place + 1 or len(row) == most):
            yield _joined(row)
            row = []
        row.append(run)
    if row:
        yield _joined(row)


def _joined(row: Sequence[PlannedRun]) -> PlannedRun:
    if len(row) == 1:
        return row[0]
    first, last = row[0].nodes[0].partition, row[-1].nodes[0].partition
    nodes = tuple(node for run in row for node in run.nodes)
    return PlannedRun(row[0].wave, nodes, (str(first), str(last)))
