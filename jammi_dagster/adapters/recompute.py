"""Running a recorded descriptor again, over the present state of its inputs, always computing (DESIGN 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import dagster as dg

from jammi_dagster.adapters.code_location.location import Definitions, Location
from jammi_dagster.adapters.code_location.running_job import DefinitionsOf, location_of
from jammi_dagster.adapters.judgement.evaluator import Evaluator
from jammi_dagster.adapters.judgement.table_state import TableState
from jammi_dagster.adapters.launching.run_requests import (
    Node,
    Request,
    parents_of,
    replays_of,
    requests_for,
    run_request,
    together,
)
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.errors import NotRecomputable, RecomputeRefused
from jammi_dagster.planning.waves import below
from jammi_dagster.store import ResultStore

RecomputeCascade = Literal["report_only", "downstream"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """One table that was made again: `original` and `materialization` are ids.

    `outcome` is `reproduced` where definition and inputs were the same and so are the bytes, `diverged` where only the
    bytes are not, and `changed` where it was made of another definition or other inputs.
    """

    table: str
    original: str
    materialization: str
    outcome: Literal["reproduced", "diverged", "changed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecomputeReport:
    """What a recompute made, and what is stale downstream of it and was not made again."""

    recomputed: tuple[Recomputed, ...]
    downstream_stale: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        made = [
            {
                "table": r.table,
                "original": r.original,
                "materialization": r.materialization,
                "outcome": r.outcome,
            }
            for r in self.recomputed
        ]
        return {"recomputed": made, "downstream_stale": list(self.downstream_stale)}


def recompute(
    store: ResultStore,
    defs: Definitions,
    table: str,
    cascade: RecomputeCascade = "report_only",
    instance: dg.DagsterInstance | None = None,
) -> RecomputeReport:
    """Runs the recorded asset, partition and config of `table` again, in this process, without reuse.

    Under `report_only` what becomes stale downstream is named; `downstream` makes it again too, each table once, in
    topological order. A table that one run made in a range is made again with that range. Raises `UnknownTable`,
    `NotRecomputable` (no manifest, or what is recorded cannot be run any more), `DependencyCycle` for a recorded
    lineage that goes round, and what the asset's function raises.
    """
    record = store.current(table)
    store.producing_descriptor(table)  # raises where nothing says how it was made
    closure = [edge.derived for edge in store.derives_from_closure(table)]
    if instance is None:
        with dg.DagsterInstance.ephemeral() as own:
            return recompute(store, defs, table, cascade, own)
    evaluator = Evaluator(Location.of(defs, instance))
    return _Recompute(store, evaluator).run(record, list(dict.fromkeys(closure)), cascade)


class _Recompute:
    def __init__(self, store: ResultStore, evaluator: Evaluator) -> None:
        self._store, self._evaluator = store, evaluator
        self._made: list[Recomputed] = []

    def run(
        self, record: MaterializationRecord, closure: Sequence[str], cascade: RecomputeCascade
    ) -> RecomputeReport:
        node = self._node(record.table)
        self._make(together(self._evaluator, [node]), {record.table})
        if self._store.current(record.table).artifact_digest == record.artifact_digest:
            return RecomputeReport(recomputed=tuple(self._made), downstream_stale=())
        downstream = {t: found for t in closure if (found := self._evaluator.node(t)) is not None}
        nodes = {t: Node(t, asset, asset.tables()[t]) for t, asset in downstream.items()}
        if cascade == "downstream":
            self._make(together(self._evaluator, nodes.values()), set(nodes))
        return RecomputeReport(recomputed=tuple(self._made), downstream_stale=tuple(self._stale(closure)))

    def _stale(self, closure: Sequence[str]) -> list[str]:
        """What is stale of the tables downstream, or derives from what is: in the order of the lineage."""
        assets = [asset for table in closure if (asset := self._evaluator.node(table)) is not None]
        found = self._evaluator.evaluate(list(dict.fromkeys(assets)), only=frozenset(closure))
        stale = {table for table, state in found.tables.items() if _is_stale(state)}
        reached = below(stale, parents_of(Node(s.table, s.asset, s.partition) for s in found.tables.values()))
        return [table for table in closure if table in stale or table in reached]

    def _node(self, table: str) -> Node:
        asset = self._evaluator.node(table)
        if asset is None:
            raise RecomputeRefused(table=table, why="no asset of the definitions makes it")
        found = self._evaluator.evaluate([asset], only=frozenset({table}))
        state = found.tables.get(table)
        if state is not None and state.why_not is not None:
            raise RecomputeRefused(table=table, why=state.why_not)
        return Node(table, asset, asset.tables()[table])

    def _make(self, nodes: Mapping[str, Node], computed: set[str]) -> None:
        """Makes the tables, in as many runs as it takes."""
        replays = replays_of(nodes.values())
        for request in requests_for(nodes, parents_of(nodes.values()), replays):
            spans = {replays[t].span for t in request.tables if replays[t].span is not None}
            span = request.span or (spans.pop() if len(spans) == 1 and len(request.nodes) == 1 else None)
            self._launch(Request(request.wave, request.nodes, span), replays, computed)

    def _launch(self, request: Request, replays: Mapping[str, Any], computed: set[str]) -> None:
        before = {node.table: node.asset.store.current(node.table) for node in request.nodes}
        asked = run_request(request, replays, computed)
        location = self._evaluator.location
        location.repository.get_implicit_global_asset_job_def().execute_in_process(
            instance=location.instance,
            asset_selection=list(asked.asset_selection or ()),
            partition_key=asked.partition_key,
            run_config=dict(asked.run_config),
            tags=dict(asked.tags),
        )
        for node in request.nodes:
            now = node.asset.store.current(node.table)
            self._made.append(_compared(before[node.table], now))


def build_recompute_job(
    *, name: str = "recompute", defs: DefinitionsOf | None = None, description: str | None = None
) -> dg.JobDefinition:
    """A job that recomputes a table: its op's config takes `table` and `cascade`, its metadata is the report.

    `defs` gives the complete definitions (`lambda: defs`); without it, they are those of the code location that the
    run belongs to, which Dagster knows of every run that it launches.
    """

    class RecomputeConfig(dg.Config):
        table: str
        cascade: RecomputeCascade = "report_only"

    def run(context: dg.OpExecutionContext, config: RecomputeConfig) -> None:
        location = location_of(context, defs)
        asset = Evaluator(location).node(config.table)
        if asset is None:
            raise NotRecomputable(table=config.table)
        report = recompute(asset.store, location.repository, config.table, config.cascade, context.instance)
        context.log.info(
            f"recomputed {len(report.recomputed)} tables; {len(report.downstream_stale)} are stale"
        )
        context.add_output_metadata({"report": dg.MetadataValue.json(report.to_dict())})

    run.__annotations__ = {"context": dg.OpExecutionContext, "config": RecomputeConfig, "return": None}
    step = dg.op(name=f"{name}_table")(run)
    graph = dg.GraphDefinition(name=name, node_defs=[step], description=description)
    return graph.to_job()


def _is_stale(state: TableState) -> bool:
    return bool(state.verdict.reasons) or state.verdict.stale_ancestor is not None


def _compared(before: MaterializationRecord, after: MaterializationRecord) -> Recomputed:
    is_same_make = before.definition_hash == after.definition_hash and set(before.input_anchors) == set(
        after.input_anchors
    )
    is_same = before.artifact_digest == after.artifact_digest
    outcome: Literal["reproduced", "diverged", "changed"] = "changed"
    if is_same_make:
        outcome = "reproduced" if is_same else "diverged"
    return Recomputed(
        table=before.table,
        original=before.materialization_id,
        materialization=after.materialization_id,
        outcome=outcome,
    )
