"""`LineageResource`: what derives from what, as recorded; what a change reaches; and a picture of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import dagster as dg

from jammi_dagster.adapters import metadata_keys
from jammi_dagster.adapters.assets.declaration import op_name
from jammi_dagster.adapters.code_location.location import Definitions, Location
from jammi_dagster.adapters.handoff.store_resource import ResultStoreResource
from jammi_dagster.adapters.judgement.evaluator import Evaluator
from jammi_dagster.adapters.judgement.wording import reasons
from jammi_dagster.adapters.launching.run_requests import Node, parents_of
from jammi_dagster.adapters.recipe.replay import Replay, recorded_replays
from jammi_dagster.contract import CachePolicy, DerivesFromEdge, TableName
from jammi_dagster.contract.tables import is_table
from jammi_dagster.lineage import pictures
from jammi_dagster.lineage.graph import edges_by_input, generations
from jammi_dagster.planning.waves import into_runs
from jammi_dagster.store import ResultStore


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTable:
    """A table that a change reaches: which asset and partition make it, and why it is in the plan.

    `op` is the name under which run config speaks of the asset's op.
    """

    table: str
    asset_key: dg.AssetKey
    partition: str | None
    reason: str
    op: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a change of the sources reaches, in topological generations: each table after all its inputs among them.

    `undeclared` are recorded edges that the declared graph does not have, where one was given: they order nothing.
    """

    sources: tuple[str, ...]
    generations: tuple[tuple[PlannedTable, ...], ...]
    parents: Mapping[str, frozenset[str]]
    undeclared: tuple[DerivesFromEdge, ...] = ()

    @property
    def tables(self) -> list[str]:
        """The names of all tables, in the order of the plan."""
        return [planned.table for generation in self.generations for planned in generation]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageComparison:
    """Recorded lineage against declared dependencies, as (input, derived) names.

    `undeclared` is recorded and not declared any more; `unrecorded` is declared, with both tables there, and was not
    recorded when the derived one was made.
    """

    agreeing: int
    undeclared: tuple[tuple[str, str], ...]
    unrecorded: tuple[tuple[str, str], ...]

    @property
    def agrees(self) -> bool:
        """Whether the two say the same."""
        return not self.undeclared and not self.unrecorded


class LineageResource(dg.ConfigurableResource):  # type: ignore[type-arg]  # gives itself, not another value
    """Answers from the recorded lineage of a store; nothing here writes."""

    store: ResultStoreResource

    @property
    def result_store(self) -> ResultStore:
        """The open store."""
        return self.store.get()

    def derives_from(self, source: str) -> list[DerivesFromEdge]:
        """The tables that recorded `source` as an input; one hop. Raises `UnknownTable`."""
        return self.result_store.derives_from(source)

    def closure(self, source: str) -> list[DerivesFromEdge]:
        """Everything downstream of `source`, depth first. Raises `UnknownTable` and `DependencyCycle`."""
        return self.result_store.derives_from_closure(source)

    def upstream(self, table: str) -> list[DerivesFromEdge]:
        """Everything that `table` was made of, at any depth: each edge once, nearest first. Raises `UnknownTable`."""
        store = self.result_store
        store.current(table)
        above = _by_derived(store.reader.edges())
        edges: list[DerivesFromEdge] = []
        seen, layer = {table}, [table]
        while layer:
            found = [edge for name in layer for edge in above.get(name, ())]
            edges += found
            layer = [name for name in dict.fromkeys(edge.input for edge in found) if name not in seen]
            seen.update(layer)
        return edges

    def downstream_plan(
        self,
        sources: str | Iterable[str],
        defs: Definitions | None = None,
        *,
        instance: dg.DagsterInstance | None = None,
    ) -> Plan:
        """What a change of `sources`, tables or other inputs, reaches; the sources themselves are not in it.

        With `defs` the order is that of the dependencies declared now, and tables that nothing makes any more are left
        out; without, it is the recorded one. Raises `UnknownTable` and `DependencyCycle`.
        """
        wanted = (sources,) if isinstance(sources, str) else tuple(dict.fromkeys(sources))
        edges = dict.fromkeys(edge for source in wanted for edge in self._below(source, defs is None))
        reached = dict.fromkeys(edge.derived for edge in edges if edge.derived not in wanted)
        recorded: dict[str, set[str]] = {}
        for edge in edges:
            recorded.setdefault(edge.derived, set()).add(edge.input)
        ops: dict[str, str] = {}
        if defs is None:
            parents = recorded
        else:
            with _instance(instance) as on:
                evaluator = Evaluator(Location.of(defs, on))
                nodes = {table: evaluator.node(table) for table in reached}
                ops = {t: op_name(node.assets_def) for t, node in nodes.items() if node is not None}
                reached = dict.fromkeys(ops)
                parents = parents_of(
                    Node(table, node, node.tables()[table])
                    for table, node in nodes.items()
                    if node is not None
                )
        layers = generations(list(reached), parents)
        above = {table: frozenset(parents.get(table, ())) for table in reached}
        return Plan(
            sources=wanted,
            generations=tuple(
                tuple(
                    _planned(table, recorded.get(table, set()) & {*wanted, *reached}, ops.get(table))
                    for table in layer
                )
                for layer in layers
            ),
            parents=above,
            undeclared=tuple(
                edge
                for edge in edges
                if edge.derived in above and edge.input not in above[edge.derived] and is_table(edge.input)
            ),
        )

    def run_requests(self, plan: Plan) -> list[dg.RunRequest]:
        """The runs that make a plan's tables, in the order in which they are to run.

        Each replays the recorded config, to ops that are named after their assets unless the plan was made with the
        definitions, and reuses what turns out to have the same inputs. `jammi/generation` numbers the waves: a run is
        for when all of the earlier ones have landed.
        """
        tables = {planned.table: planned for generation in plan.generations for planned in generation}
        store = self.result_store
        replays = recorded_replays(store, store.reader, tables)
        requests = []
        for group in into_runs(list(tables), plan.parents, lambda table: tables[table].partition):
            made = [tables[table] for table in group.tables]
            replayed = [(planned.op, replays.get(planned.table) or Replay()) for planned in made]
            ops = {op: {"config": replay.config} for op, replay in replayed if replay.config is not None}
            requests.append(
                dg.RunRequest(
                    asset_selection=sorted({planned.asset_key for planned in made}),
                    partition_key=next((p.partition for p in made if p.partition is not None), None),
                    run_config={"ops": ops} if ops else {},
                    tags={
                        metadata_keys.CACHE_TAG: CachePolicy.USE.value,
                        metadata_keys.GENERATION_TAG: str(group.wave),
                    },
                )
            )
        return requests

    def to_mermaid(
        self,
        table: str | None = None,
        *,
        hops: int | None = None,
        defs: Definitions | None = None,
        instance: dg.DagsterInstance | None = None,
    ) -> str:
        """The lineage around `table`, or all of it, as a Mermaid flowchart.

        `hops` bounds how far it goes up and down. With `defs`, each table has the colour of its verdict. Raises
        `UnknownTable`.
        """
        return pictures.mermaid(self._picture(table, hops, defs, instance))

    def to_svg(
        self,
        table: str | None = None,
        *,
        hops: int | None = None,
        defs: Definitions | None = None,
        instance: dg.DagsterInstance | None = None,
    ) -> str:
        """The same as an SVG document."""
        return pictures.svg(self._picture(table, hops, defs, instance))

    def compare_with_assets(
        self, defs: Definitions, *, instance: dg.DagsterInstance | None = None
    ) -> LineageComparison:
        """What the current tables recorded as their inputs, against what their assets declare now."""
        with _instance(instance) as on:
            evaluator = Evaluator(Location.of(defs, on))
            store = self.result_store
            there = set(store.tables())
            made = {table: node for table in there if (node := evaluator.node(table)) is not None}
            declared = {
                (above, table)
                for table, parents in parents_of(
                    Node(table, node, node.tables()[table]) for table, node in made.items()
                ).items()
                for above in parents
                if above in there
            }
        recorded = {
            (edge.input, edge.derived)
            for edge in store.reader.edges()
            if edge.derived in made and is_table(edge.input)
        }
        return LineageComparison(
            agreeing=len(declared & recorded),
            undeclared=tuple(sorted(recorded - declared)),
            unrecorded=tuple(sorted(declared - recorded)),
        )

    def _below(self, source: str, must_be_acyclic: bool) -> list[DerivesFromEdge]:
        """The edges below a source. A cycle that old definitions left matters only where the recorded order counts."""
        if must_be_acyclic:
            return self.closure(source)
        self.derives_from(source)  # raises for a name that is none
        by_input = edges_by_input(self.result_store.reader.edges())
        edges: list[DerivesFromEdge] = []
        seen, rest = {source}, [source]
        while rest:
            for edge in by_input.get(rest.pop(), ()):
                edges.append(edge)
                if edge.derived not in seen:
                    seen.add(edge.derived)
                    rest.append(edge.derived)
        return edges

    def _picture(
        self,
        table: str | None,
        hops: int | None,
        defs: Definitions | None,
        instance: dg.DagsterInstance | None,
    ) -> pictures.Picture:
        store = self.result_store
        edges = store.reader.edges()
        names = dict.fromkeys([*store.tables(), *(name for e in edges for name in (e.input, e.derived))])
        if table is not None:
            if table not in names:
                store.current(table)
            names = dict.fromkeys(pictures.around(table, edges, hops))
        verdicts: dict[str, tuple[str, str]] = {}
        if defs is not None:
            with _instance(instance) as on:
                location = Location.of(defs, on)
                evaluator = Evaluator(location)
                assets = [
                    a for a in evaluator.assets(location.select("*")) if a.store.identity == store.identity
                ]
                found = evaluator.evaluate(assets)
                verdicts = {name: ("fresh", "") for asset in assets for name in asset.tables()}
                verdicts.update(
                    (name, (state.kind, "; ".join(reasons(state))))
                    for name, state in found.tables.items()
                    if name in names
                )
        return pictures.Picture(
            names=tuple(names),
            edges=tuple(
                dict.fromkeys((e.input, e.derived) for e in edges if e.input in names and e.derived in names)
            ),
            verdicts=verdicts,
            centre=table,
        )


def _planned(table: str, above: Iterable[str], op: str | None) -> PlannedTable:
    name = TableName.parse(table)
    return PlannedTable(
        table=table,
        asset_key=dg.AssetKey(name.asset_key),
        partition=name.partition,
        reason=f"derives from {', '.join(sorted(above))}",
        op=op or "__".join(name.asset_key),
    )


def _by_derived(edges: Sequence[DerivesFromEdge]) -> dict[str, list[DerivesFromEdge]]:
    found: dict[str, list[DerivesFromEdge]] = {}
    for edge in edges:
        found.setdefault(edge.derived, []).append(edge)
    return found


def _instance(given: dg.DagsterInstance | None) -> AbstractContextManager[dg.DagsterInstance]:
    """The given instance, or one in memory, which knows no dynamic partitions and no versions of other assets."""
    return contextlib.nullcontext(given) if given is not None else dg.DagsterInstance.ephemeral()
