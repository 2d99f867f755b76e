"""The upstream partitions that an asset reads, by Dagster's mapping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.declaration import in_order


class PartitionsGone(Exception):
    """A mapping to upstream partitions that do not exist; the message says of which asset."""


def mapped_partitions(
    graph: Any,
    instance: dg.DagsterInstance,
    key: dg.AssetKey,
    partitions: Sequence[str] | None,
    upstream: dg.AssetKey,
) -> tuple[str, ...] | None:
    """Return the partitions of `upstream` that these partitions of `key` read, in order; None where it has none.

    `graph` is Dagster's asset graph. Raises `PartitionsGone` where a step would be refused for them.
    """
    up: Any = graph.get(upstream).partitions_def
    if up is None:
        return None
    down: Any = graph.get(key).partitions_def
    mapping = graph.get_partition_mapping(key, upstream)
    subset = None if down is None else down.subset_with_partition_keys(list(partitions or ()))
    mapped = mapping.get_upstream_mapped_partitions_result_for_partitions(
        subset, down, up, dynamic_partitions_store=instance
    )
    if not mapped.required_but_nonexistent_subset.is_empty:
        raise PartitionsGone(f"{upstream.to_user_string()} does not have the partitions that it reads")
    return tuple(in_order(up, list(mapped.partitions_subset.get_partition_keys()), instance))
