"""The tables around the due ones, gathered from the lineage and the code location before a tick decides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jammi_dagster.adapters.judgement.evaluation import Evaluation
from jammi_dagster.adapters.judgement.evaluator import Evaluator
from jammi_dagster.adapters.launching.nodes import makers_of, nodes_of, parents_of
from jammi_dagster.adapters.sensor.requests_of_tick import MOST_DESCENDANTS, Options, Surroundings
from jammi_dagster.contract import DerivesFromEdge
from jammi_dagster.lineage.graph import edges_by_input
from jammi_dagster.planning.waves import nearest_below
from jammi_dagster.store import ResultStore

_ONE_BY_ONE = 100


def surroundings_of(
    evaluator: Evaluator,
    evaluation: Evaluation,
    options: Options,
    due: Iterable[str],
    waiting: Iterable[str],
) -> Surroundings:
    """Gather the nodes, descendants and parents of due tables, and the parents of waiting ones."""
    derived = DerivedTables(list(evaluation.stores.values()))
    own = makers_of(evaluator, due)
    reached: list[str] = []
    if options.cascade == "downstream":
        reached = nearest_below(
            own, lambda table: () if table in evaluation.holds else derived.of(table), MOST_DESCENDANTS
        )
    target = set(evaluator.location.select(options.target))
    candidates = {
        table: maker
        for table in sorted({*reached, *waiting})
        if (maker := evaluator.maker(table)) is not None and maker.key in target
    }
    hindered = evaluator.hindered(evaluation, candidates)
    allowed = candidates.keys() - hindered - evaluation.holds.keys()
    makers = {**own, **makers_of(evaluator, (table for table in reached if table in allowed))}
    waits = {table: candidates[table] for table in waiting if table in allowed}
    return Surroundings(
        nodes=nodes_of(evaluator, makers),
        barred=frozenset(reached) - allowed,
        derived=derived.known,
        parents=parents_of({**makers, **waits}),
    )


class DerivedTables:
    """The tables that recorded a table as an input, in any of the stores: asked one by one, and of many all at once."""

    def __init__(self, stores: Sequence[ResultStore]) -> None:
        self.known: dict[str, list[str]] = {}
        self._stores = stores
        self._edges: dict[str, list[DerivesFromEdge]] | None = None

    def of(self, table: str) -> list[str]:
        """Return the tables one hop downstream of a table."""
        if table not in self.known:
            self.known[table] = [edge.derived for edge in self._below(table)]
        return self.known[table]

    def _below(self, table: str) -> list[DerivesFromEdge]:
        names = [table, *{f"dagster:{store.scope.home}/{table}" for store in self._stores}]
        if self._edges is None and len(self.known) >= _ONE_BY_ONE:
            self._edges = edges_by_input(edge for store in self._stores for edge in store.reader.edges())
        if self._edges is not None:
            return [edge for name in names for edge in self._edges.get(name, ())]
        return [edge for store in self._stores for name in names for edge in store.reader.edges(name)]
