"""Checks of a graph asset when its definitions are loaded: a fault is told before the work of its ops is done."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.graph import GraphSpec, graph_spec, ops_of
from jammi_dagster.adapters.handoff.store_resource import OP_IO_MANAGER, is_store_backed

_log = logging.getLogger("jammi_dagster")
_told: set[tuple[dg.AssetKey, str]] = set()
_SEVERAL = (
    "%s: outputs of its graph are on several IO managers (%s), so the graph is never reused; "
    "give all one io_manager_key"
)
_IN_MEMORY = (
    "%s: values that its ops hand to each other are kept in memory (op_io_manager=%s), which other processes do not "
    "see: run it with dg.in_process_executor, or leave op_io_manager out"
)


def check_graph(
    assets_def: dg.AssetsDefinition, ours: Sequence[dg.AssetKey], resources: Mapping[str, Any]
) -> dict[dg.AssetKey, GraphSpec]:
    """Return the declaration of each asset of a graph that is on a result store; log what stands against it.

    Raises as `graph_spec` does.
    """
    found = {key: graph_spec(assets_def, key) for key in ours}
    if not found:
        return found
    managers = {assets_def.get_io_manager_key_for_asset_key(key) for key in assets_def.keys}
    if len(managers) > 1:
        _warn(min(ours), _SEVERAL, ", ".join(sorted(managers)))
    for key in {
        output.io_manager_key for _, op in ops_of(assets_def.node_def) for output in op.output_dict.values()
    }:
        manager = resources.get(key)
        values = getattr(manager, OP_IO_MANAGER, None) if is_store_backed(manager) else manager
        if values is dg.mem_io_manager or isinstance(values, dg.InMemoryIOManager):
            _warn(min(ours), _IN_MEMORY, "mem_io_manager")
    return found


def _warn(key: dg.AssetKey, text: str, named: str) -> None:
    """Log a warning about an asset, once in a process."""
    if (key, text) not in _told:
        _told.add((key, text))
        _log.warning(text, key.to_user_string(), named)
