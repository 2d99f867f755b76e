"""The one place that builds run requests: assets, partition or range, config, cache policy and tags of a run."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import dagster as dg

from jammi_dagster.adapters import metadata_keys
from jammi_dagster.adapters.assets.declaration import entry_of
from jammi_dagster.adapters.launching.runs import PlannedRun
from jammi_dagster.adapters.recipe.graph_config import joined_config
from jammi_dagster.contract import CachePolicy


def run_request(
    run: PlannedRun,
    *,
    cache: str | None = CachePolicy.USE.value,
    run_key: str | None = None,
    tags: Mapping[str, str] | None = None,
    run_config: Mapping[str, Any] | None = None,
) -> dg.RunRequest:
    """Return the request that Dagster launches a run by: each table is given the config of its node.

    `cache` is the policy for all of the run's assets, or the text of `policies_of`; `run_config` is all other config,
    also of ops whose nodes have none.
    """
    partition = next((node.partition for node in run.nodes if node.partition is not None), None)
    others = dict(run_config or {})
    ops: dict[str, Any] = dict(others.pop("ops", None) or {})
    of_nodes: dict[str, Any] = {}
    for node in run.nodes:
        if node.replay.config is not None:
            entry = entry_of(node.replay.config, is_whole=node.takes_entry)
            before = of_nodes.get(node.op, {}) if node.takes_entry else {}
            of_nodes[node.op] = joined_config(before, entry)
    ops |= of_nodes
    policy = {} if cache is None else {metadata_keys.CACHE_TAG: cache}
    ranged = {} if run.span is None else dict(zip(metadata_keys.RANGE_TAGS, run.span, strict=True))
    return dg.RunRequest(
        run_key=run_key,
        run_config={**others, **({"ops": ops} if ops else {})},
        tags={**policy, **ranged, **(tags or {})},
        asset_selection=sorted({key for node in run.nodes for key in node.selected}),
        partition_key=partition if run.span is None else None,
    )


def policies_of(run: PlannedRun, *, left: Collection[str] = (), bypassed: Collection[str] = ()) -> str | None:
    """Return the cache policies of a run's assets, as a tag; None where no asset needs one.

    Tables that are `left` follow their decorator and IO manager, `bypassed` ones are computed in any case; of an asset
    with several tables the strictest counts. The other tables are reused where their inputs come out the same.
    """
    policies = {node.asset_key.to_user_string(): CachePolicy.USE.value for node in run.nodes}
    for node in run.nodes:
        if node.table in left:
            policies.pop(node.asset_key.to_user_string(), None)
    for node in run.nodes:
        if node.table in bypassed:
            policies[node.asset_key.to_user_string()] = CachePolicy.BYPASS.value
    return json.dumps(policies, sort_keys=True) if policies else None
