"""Dagster's own verdicts, from the resolver behind its UI, which has no public name."""

import asyncio
from typing import Any

import dagster as dg
from dagster._core.definitions.data_version import CachingStaleStatusResolver
from dagster._core.loader import LoadingContextForTest


def of_dagster(
    defs: dg.Definitions, instance: dg.DagsterInstance, key: str, partition: str | None = None
) -> str:
    """`FRESH`, `STALE` or `MISSING`, as Dagster sees an asset now."""

    async def ask() -> Any:
        graph = defs.get_repository_def().asset_graph
        resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
        return resolver.get_status(dg.AssetKey(key), partition)

    return str(asyncio.run(ask()).value)
