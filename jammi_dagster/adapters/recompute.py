"""Recompute: a recorded descriptor run again over the present state of its inputs, without reuse (DESIGN 5)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import dagster as dg

from jammi_dagster.adapters.assets.spec import TableSpec
from jammi_dagster.adapters.code_location.location import Definitions, Location
from jammi_dagster.adapters.code_location.named_tables import table_named
from jammi_dagster.adapters.judgement.evaluation import Evaluation
from jammi_dagster.adapters.judgement.evaluator import Evaluator
from jammi_dagster.adapters.judgement.table_state import TableState
from jammi_dagster.adapters.judgement.wording import expectation, sentence
from jammi_dagster.adapters.launching.in_process import compute_here, runs_again
from jammi_dagster.adapters.launching.nodes import Makers, makers_of, parents_of
from jammi_dagster.adapters.launching.runs import PlannedRun
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.errors import RecomputeRefused, TableHeld
from jammi_dagster.planning.waves import below
from jammi_dagster.store import ResultStore

RecomputeCascade = Literal["report_only", "downstream"]
RecomputeOutcome = Literal["reproduced", "diverged", "changed", "not_compared"]

_MOST_PLANNED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """One table that was made again: `original` and `materialization` are ids.

    `outcome` is `reproduced` for the same definition, inputs and bytes, `diverged` where only the bytes differ, and
    `changed` where the definition or an input differs. Bytes of an object in a format that is not exact, such as
    pickle, tell nothing where they differ: that is `not_compared`.
    """

    table: str
    original: str
    materialization: str
    outcome: RecomputeOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class RecomputeReport:
    """The tables that a recompute made, and the downstream tables that are stale and were not made again.

    `expected` words the plan of a run of the first downstream tables: reuse, compute, or undecidable, with the reason.
    """

    recomputed: tuple[Recomputed, ...]
    downstream_stale: tuple[str, ...]
    expected: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON."""
        made = [
            {
                "table": r.table,
                "original": r.original,
                "materialization": r.materialization,
                "outcome": r.outcome,
            }
            for r in self.recomputed
        ]
        stale = list(self.downstream_stale)
        return {"recomputed": made, "downstream_stale": stale, "expected": dict(self.expected)}


def recompute(
    store: ResultStore,
    defs: Definitions,
    table: Any,
    cascade: RecomputeCascade = "report_only",
    instance: dg.DagsterInstance | None = None,
) -> RecomputeReport:
    """Run the recorded asset, partition and config of `table` again, in this process, without reuse.

    `table` is the name of a table, or the key, spec or definition of an asset that has one table.

    With `report_only` the report names the tables downstream that became stale; with `downstream` they are made again
    too, each once, in topological order. A table of a range is made again with that range.

    Raises `InvalidTarget`; `UnknownTable`; `NotRecomputable` for a table without manifest, or whose record cannot be
    run any more; `TableHeld`; `DependencyCycle` for a recorded lineage that goes round; and any error of the asset's
    function.
    """
    table = table_named(store, table)
    record = store.current(table)
    store.producing_descriptor(table)  # raises where nothing says how it was made
    closure = [edge.derived for edge in store.derives_from_closure(table)]
    if instance is None:
        with dg.DagsterInstance.ephemeral() as own:
            return recompute(store, defs, table, cascade, own)
    evaluator = Evaluator(Location.of(defs, instance))
    return _Recompute(store, evaluator).run(record, list(dict.fromkeys(closure)), cascade)


class _Recompute:
    """One recompute: the tables that it made so far, in order."""

    def __init__(self, store: ResultStore, evaluator: Evaluator) -> None:
        self._store, self._evaluator = store, evaluator
        self._made: list[Recomputed] = []

    def run(
        self, record: MaterializationRecord, closure: Sequence[str], cascade: RecomputeCascade
    ) -> RecomputeReport:
        """Make the table of `record` again, then the tables of `closure`, all downstream of it, or report them.

        Tables that are held are not made, nor are tables that only derive from the table by way of one.
        """
        self._refuse_unless_made(record.table)
        self._make([record.table])
        if self._store.current(record.table).artifact_digest == record.artifact_digest:
            return RecomputeReport(recomputed=tuple(self._made), downstream_stale=())
        if cascade == "downstream":
            self._make(self._not_held(record.table, closure))
        states = self._stale(closure)
        planned = dict(itertools.islice(((t, s) for t, s in states.items() if s is not None), _MOST_PLANNED))
        return RecomputeReport(
            recomputed=tuple(self._made),
            downstream_stale=tuple(states),
            expected={table: sentence(expectation(state)) for table, state in planned.items()},
        )

    def _stale(self, closure: Sequence[str]) -> dict[str, TableState | None]:
        """Map downstream tables that are stale, or derive from a stale one, to their states, in the lineage's order."""
        found = self._evaluated(closure)
        stale = {table for table, state in found.tables.items() if _is_stale(state)}
        reached = below(stale, parents_of({table: state.asset for table, state in found.tables.items()}))
        return {t: found.tables.get(t) for t in closure if t in stale or t in reached}

    def _evaluated(self, tables: Sequence[str]) -> Evaluation:
        makers = (maker for table in tables if (maker := self._evaluator.maker(table)) is not None)
        return self._evaluator.evaluate(list(dict.fromkeys(makers)), only=frozenset(tables))

    def _refuse_unless_made(self, table: str) -> None:
        """Raise `RecomputeRefused` for a table that no asset makes, or whose recorded config is not valid.

        Raise `TableHeld` for one that is held.
        """
        if self._evaluator.maker(table) is None:
            raise RecomputeRefused(table=table, why="no asset of the definitions makes it")
        found = self._evaluated([table])
        state, hold = found.tables.get(table), found.holds.get(table)
        if state is not None and state.why_not is not None:
            raise RecomputeRefused(table=table, why=state.why_not)
        if hold is not None:
            raise TableHeld(table=table, deployment=hold.deployment, by=hold.by, since=hold.since)

    def _not_held(self, table: str, closure: Sequence[str]) -> list[str]:
        """Drop the tables that are held, and the tables that only derive from `table` by way of one."""
        holds = self._evaluated(closure).holds if self._store.holds() else {}
        parents: dict[str, list[str]] = {}
        for edge in self._store.derives_from_closure(table):
            if edge.derived not in holds:
                parents.setdefault(edge.derived, []).append(edge.input)
        reached = below([table], parents)
        return [one for one in closure if one in reached]

    def _make(self, tables: Sequence[str]) -> None:
        """Compute tables that an asset makes, in as many runs as it takes."""
        makers = makers_of(self._evaluator, tables)
        for run in runs_again(self._evaluator, makers):
            self._launch(run, makers, set(tables))

    def _launch(self, run: PlannedRun, makers: Makers, computed: set[str]) -> None:
        before = {table: makers[table].store.current(table) for table in run.tables}
        compute_here(self._evaluator, run, computed)
        for table in run.tables:
            self._made.append(
                _compared(before[table], makers[table].store.current(table), makers[table].spec)
            )


def _is_stale(state: TableState) -> bool:
    return bool(state.verdict.reasons) or state.verdict.stale_ancestor is not None


def _compared(before: MaterializationRecord, after: MaterializationRecord, spec: TableSpec) -> Recomputed:
    is_same_make = before.definition_hash == after.definition_hash and set(before.input_anchors) == set(
        after.input_anchors
    )
    is_same = before.artifact_digest == after.artifact_digest
    outcome: RecomputeOutcome = "changed"
    if is_same_make:
        outcome = "reproduced" if is_same else "diverged" if spec.is_exact else "not_compared"
    return Recomputed(
        table=before.table,
        original=before.materialization_id,
        materialization=after.materialization_id,
        outcome=outcome,
    )
