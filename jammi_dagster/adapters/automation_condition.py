"""`StaleMaterialization`: staleness as a condition of Dagster's declarative automation."""

from __future__ import annotations

from typing import Any

import dagster as dg

from jammi_dagster.adapters.code_location.location import Location
from jammi_dagster.adapters.judgement.evaluator import Evaluator


class StaleMaterialization(dg.AutomationCondition[dg.AssetKey]):
    """Condition that is true for the partitions whose result tables are stale for certain (`ResultStore.staleness`).

    Combine it: `StaleMaterialization() & ~dg.AutomationCondition.in_progress()`. Limits:

    - it needs `dg.AutomationConditionSensorDefinition(…, use_user_code_server=True)`, which is beta and takes at most
      500 assets: prefer `build_staleness_sensor`;
    - Dagster builds the run requests: with the default config instead of the recorded one, without a cache policy (an
      asset without one follows its IO manager), and again at each evaluation after a failed run;
    - it is true for stale tables only: tables that derive from them follow when those have landed;
    - it is false for tables that cannot be decided, were never materialized, or are held;
    - each evaluation judges every table of the asset.
    """

    @property
    def name(self) -> str:
        return "stale_materialization"

    def evaluate(self, context: Any) -> dg.AutomationResult[dg.AssetKey]:
        """Return the stale partitions among the candidates."""
        view = context.asset_graph_view
        evaluator = Evaluator(Location.of(_definitions(view.asset_graph), view.instance))
        found = evaluator.evaluate(evaluator.assets([context.key]))
        stale = [
            state.partition for state in found.tables.values() if state.verdict.reasons and state.held is None
        ]
        if context.partitions_def is None:
            subset = context.candidate_subset if stale else context.get_empty_subset()
        else:
            keys = {str(partition) for partition in stale}
            of_keys = view.get_subset_from_partition_keys(
                key=context.key, partitions_def=context.partitions_def, partition_keys=keys
            )
            subset = context.candidate_subset.compute_intersection(of_keys)
        return dg.AutomationResult(context, true_subset=subset)


def _definitions(graph: Any) -> dg.Definitions:
    """Return the code location's assets, with the resources that they are bound to."""
    return dg.Definitions(assets=list(graph.assets_defs))
