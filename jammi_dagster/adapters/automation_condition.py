"""`StaleMaterialization`, for those who use declarative automation."""

from __future__ import annotations

from typing import Any

import dagster as dg

from jammi_dagster.adapters.code_location.location import Location
from jammi_dagster.adapters.judgement.evaluator import Evaluator


class StaleMaterialization(dg.AutomationCondition[dg.AssetKey]):
    """True for the partitions of an asset whose result tables are stale for certain, as `ResultStore.staleness` says.

    Combine it: `StaleMaterialization() & ~dg.AutomationCondition.in_progress()`. Limits:

    - it needs `dg.AutomationConditionSensorDefinition(…, use_user_code_server=True)`, which is beta and takes at most
      500 assets: prefer `build_staleness_sensor`;
    - Dagster makes the runs: with the default config, not the recorded one, and without a policy, so that an asset
      which states none follows its IO manager; a failed run is asked for again at each evaluation;
    - only what is stale itself is true: what derives from it follows when that has landed;
    - tables that cannot be decided, or were never materialized, are false;
    - each evaluation looks at every table of the asset.
    """

    @property
    def name(self) -> str:
        return "stale_materialization"

    def evaluate(self, context: Any) -> dg.AutomationResult[dg.AssetKey]:
        """What Dagster asks."""
        view = context.asset_graph_view
        evaluator = Evaluator(Location.of(_definitions(view.asset_graph), view.instance))
        found = evaluator.evaluate(evaluator.assets([context.key]))
        stale = [state.partition for state in found.tables.values() if state.verdict.reasons]
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
    """The code location's assets, with the resources that they are bound to."""
    return dg.Definitions(assets=list(graph.assets_defs))
