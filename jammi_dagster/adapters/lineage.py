"""`LineageResource`: recorded lineage as edges, as plans of the tables that a change reaches, and as pictures."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import dagster as dg

from jammi_dagster.adapters import metadata_keys
from jammi_dagster.adapters.assets.declaration import op_name
from jammi_dagster.adapters.code_location.location import Definitions, Location
from jammi_dagster.adapters.code_location.named_tables import table_named, tables_named
from jammi_dagster.adapters.handoff.store_resource import ResultStoreResource
from jammi_dagster.adapters.judgement.evaluator import Evaluator
from jammi_dagster.adapters.judgement.wording import reasons
from jammi_dagster.adapters.launching.nodes import parents_of
from jammi_dagster.adapters.launching.run_requests import run_request
from jammi_dagster.adapters.launching.runs import Node, plan_runs
from jammi_dagster.adapters.recipe.replay import Replay, recorded_replays
from jammi_dagster.contract import DerivesFromEdge, TableName
from jammi_dagster.contract.tables import is_table
from jammi_dagster.lineage import pictures
from jammi_dagster.lineage.graph import edges_by_input, generations
from jammi_dagster.store import ResultStore

NamedTable = Any
"""The name of a table, or the key, spec or definition of its asset."""


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
    """The tables that a change of the sources reaches, in topological generations: each after its inputs among them.

    `undeclared` are recorded edges that the declared graph does not have, where one was given: they order nothing.
    """

    sources: tuple[str, ...]
    generations: tuple[tuple[PlannedTable, ...], ...]
    parents: Mapping[str, frozenset[str]]
    undeclared: tuple[DerivesFromEdge, ...] = ()

    @property
    def tables(self) -> list[str]:
        """Return the names of all tables, in the order of the plan."""
        return [planned.table for generation in self.generations for planned in generation]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageComparison:
    """Recorded lineage against declared dependencies, as (input, derived) names.

    `undeclared` pairs are recorded and no longer declared; `unrecorded` pairs are declared, with both tables there, and
    were not recorded when the derived table was made.
    """

    agreeing: int
    undeclared: tuple[tuple[str, str], ...]
    unrecorded: tuple[tuple[str, str], ...]

    @property
    def agrees(self) -> bool:
        """Tell if recorded lineage and declared dependencies are the same."""
        return not self.undeclared and not self.unrecorded


class LineageResource(dg.ConfigurableResource):  # type: ignore[type-arg]  # gives itself, not another value
    """Questions about the recorded lineage of a store; nothing here writes.

    A table is named by its name, or by the key, spec or definition of an asset that has one table.
    """

    store: ResultStoreResource

    @property
    def result_store(self) -> ResultStore:
        """Return the open store."""
        return self.store.get()

    def derives_from(self, source: NamedTable) -> list[DerivesFromEdge]:
        """Return the tables that recorded `source` as an input; one hop. Raises `UnknownTable`."""
        return self.result_store.derives_from(table_named(self.result_store, source))

    def closure(self, source: NamedTable) -> list[DerivesFromEdge]:
        """Return everything downstream of `source`, depth first. Raises `UnknownTable` and `DependencyCycle`."""
        return self.result_store.derives_from_closure(table_named(self.result_store, source))

    def upstream(self, table: NamedTable) -> list[DerivesFromEdge]:
        """Return everything upstream of `table`: each edge once, nearest first. Raises `UnknownTable`."""
        store = self.result_store
        table = table_named(store, table)
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
        sources: NamedTable | Iterable[NamedTable],
        defs: Definitions | None = None,
        *,
        instance: dg.DagsterInstance | None = None,
    ) -> Plan:
        """Plan the tables that a change of `sources`, tables or other inputs, reaches; without the sources themselves.

        `sources` are one or many names, keys, specs, assets or, with `defs`, selections: an asset means all its tables.
        With `defs` the order is that of the dependencies declared now, and tables that no asset makes any more are left
        out; without, the order is the recorded one. Raises `UnknownTable` and `DependencyCycle`.
        """
        wanted = tuple(tables_named(self.result_store, sources, defs))
        edges = dict.fromkeys(edge for source in wanted for edge in self._below(source, defs is None))
        reached = dict.fromkeys(edge.derived for edge in edges if edge.derived not in wanted)
        recorded: dict[str, set[str]] = {}
        for edge in edges:
            recorded.setdefault(edge.derived, set()).add(edge.input)
        ops: dict[str, str] = {}
        parents: Mapping[str, set[str]] = recorded
        if defs is not None:
            ops, parents = _declared(defs, instance, reached)
            reached = dict.fromkeys(ops)
        above = {table: frozenset(parents.get(table, ())) for table in reached}

        def planned(table: str) -> PlannedTable:
            return _planned(table, recorded.get(table, set()) & {*wanted, *reached}, ops.get(table))

        return Plan(
            sources=wanted,
            generations=tuple(tuple(map(planned, layer)) for layer in generations(list(reached), parents)),
            parents=above,
            undeclared=tuple(
                edge
                for edge in edges
                if edge.derived in above and edge.input not in above[edge.derived] and is_table(edge.input)
            ),
        )

    def run_requests(self, plan: Plan) -> list[dg.RunRequest]:
        """Return the runs that make a plan's tables, in the order in which they are to run.

        Each run replays the recorded config, and reuses tables whose inputs come out the same. Config goes to the op
        that has the asset's name, unless the plan was made with the definitions. The tag `jammi/generation` numbers the
        waves: launch a run when all runs of the earlier waves have landed.
        """
        store = self.result_store
        replays = recorded_replays(store, store.reader, plan.tables)
        nodes = {
            planned.table: Node(
                table=planned.table,
                asset_key=planned.asset_key,
                op=planned.op,
                partition=planned.partition,
                selected=(planned.asset_key,),
                replay=replays.get(planned.table) or Replay(),
            )
            for generation in plan.generations
            for planned in generation
        }
        return [
            run_request(run, tags={metadata_keys.GENERATION_TAG: str(run.wave)})
            for run in plan_runs(nodes, plan.parents)
        ]

    def to_mermaid(
        self,
        table: NamedTable | None = None,
        *,
        hops: int | None = None,
        defs: Definitions | None = None,
        instance: dg.DagsterInstance | None = None,
        most: int = pictures.MOST_BOXES,
    ) -> str:
        """Draw the lineage around `table`, or all of it, as a Mermaid flowchart of at most so many boxes.

        `hops` bounds how far it goes up and down. The partitions of an asset are one box, except for `table` itself.
        With `defs`, each box has the colour of its most urgent verdict. Raises `UnknownTable`.
        """
        return pictures.mermaid(self._picture(table, hops, defs, instance), most=most)

    def to_svg(
        self,
        table: NamedTable | None = None,
        *,
        hops: int | None = None,
        defs: Definitions | None = None,
        instance: dg.DagsterInstance | None = None,
    ) -> str:
        """Draw the same as an SVG document, of any size."""
        return pictures.svg(self._picture(table, hops, defs, instance))

    def compare_with_assets(
        self, defs: Definitions, *, instance: dg.DagsterInstance | None = None
    ) -> LineageComparison:
        """Compare the inputs that current tables recorded with the dependencies that their assets declare now."""
        store = self.result_store
        there = set(store.tables())
        with _instance(instance) as on:
            evaluator = Evaluator(Location.of(defs, on))
            made = {table: maker for table in there if (maker := evaluator.maker(table)) is not None}
            above = parents_of(made)
        declared = {(parent, table) for table, parents in above.items() for parent in parents & there}
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
        """Return the edges below a source. A cycle of old definitions matters only for the recorded order."""
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
        table: NamedTable | None,
        hops: int | None,
        defs: Definitions | None,
        instance: dg.DagsterInstance | None,
    ) -> pictures.Picture:
        store = self.result_store
        edges = store.reader.edges()
        names = dict.fromkeys([*store.tables(), *(name for e in edges for name in (e.input, e.derived))])
        if table is not None:
            table = table_named(store, table)
            if table not in names:
                store.current(table)
            names = dict.fromkeys(pictures.around(table, edges, hops))
        verdicts = {} if defs is None else _verdicts(defs, instance, store, names)
        whole = pictures.Picture(
            names=tuple(names),
            edges=tuple(
                dict.fromkeys((e.input, e.derived) for e in edges if e.input in names and e.derived in names)
            ),
            verdicts=verdicts,
            centre=table,
        )
        return pictures.collapsed(whole)


def _declared(
    defs: Definitions, instance: dg.DagsterInstance | None, tables: Iterable[str]
) -> tuple[dict[str, str], dict[str, set[str]]]:
    """Return the op and the declared parents of each table that an asset makes now."""
    with _instance(instance) as on:
        evaluator = Evaluator(Location.of(defs, on))
        makers = {table: maker for table in tables if (maker := evaluator.maker(table)) is not None}
        return {table: op_name(maker.assets_def) for table, maker in makers.items()}, parents_of(makers)


def _verdicts(
    defs: Definitions, instance: dg.DagsterInstance | None, store: ResultStore, names: Collection[str]
) -> dict[str, tuple[str, str]]:
    """Return verdict and reasons of each of a store's tables."""
    with _instance(instance) as on:
        location = Location.of(defs, on)
        evaluator = Evaluator(location)
        assets = [a for a in evaluator.assets(location.select("*")) if a.store.identity == store.identity]
        verdicts = {name: ("fresh", "") for asset in assets for name in asset.tables()}
        for name, state in evaluator.evaluate(assets).tables.items():
            if name in names:
                verdicts[name] = state.word, "; ".join(reasons(state))
    return verdicts


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
    """Return the given instance, or one in memory without dynamic partitions and versions of other assets."""
    return contextlib.nullcontext(given) if given is not None else dg.DagsterInstance.ephemeral()
