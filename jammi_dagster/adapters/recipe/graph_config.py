"""The config of a graph's ops as it enters a descriptor, by the node of each op."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.declaration import INPUTS, is_graph, whole_graph
from jammi_dagster.adapters.assets.graph import GraphSpec, has_mapping
from jammi_dagster.adapters.assets.graph_wiring import makers_of
from jammi_dagster.adapters.recipe.config import Keyed, config_object, described_config, hidden
from jammi_dagster.adapters.recipe.object_classes import ObjectClasses


def described_ops(
    spec: GraphSpec, configs: Mapping[str, Any], validated: Mapping[str, Any], raw: Any, keyed: Keyed
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Describe the config of each op as Dagster validated it, and as its function sees it where that is more.

    Values that a config mapping made, and those of inputs, are behind the key: they no longer show if they came from
    the environment. Raises `NotRecordable`.
    """
    described: dict[str, Any] = {}
    seen: dict[str, Any] = {}
    for node, value in validated.items():
        if spec.is_beside(node.removesuffix(INPUTS)):
            continue
        part = spec.part_of(node)
        if part is None or node.startswith(spec.mapped):
            described[node] = hidden(value, keyed)
        else:
            schema = part.config_field
            described[node] = described_config(value, _raw_of(raw, node), schema, keyed)
        found = config_object(configs.get(node), value, keyed)
        if found is not None:
            seen[node] = found
    return described, seen


def codes_of(spec: GraphSpec, configs: Mapping[str, Any], classes: ObjectClasses) -> dict[str, str] | None:
    """Return the code of the class of each config object, unless the op has a code version; None for no code."""
    found = {
        node: classes.code_of(type(config))
        for node, config in sorted(configs.items())
        if (part := spec.part_of(node)) is not None and part.code_version is None
    }
    return {node: code for node, code in found.items() if code is not None} or None


def assets_made_along(assets_def: dg.AssetsDefinition, key: dg.AssetKey) -> set[dg.AssetKey]:
    """Return the assets whose ops have config of an asset: of a graph that runs in part, it and those that it reads."""
    if not _has_parts(assets_def):
        return set(assets_def.keys)
    return {key, *makers_of(assets_def, key).siblings}


def own_config(assets_def: dg.AssetsDefinition, key: dg.AssetKey, raw: Any) -> Any:
    """Return raw config without that of ops which make other assets alone: Dagster refuses it in a run of a part."""
    if not (isinstance(raw, Mapping) and _has_parts(assets_def)):
        return raw
    return _of_nodes(raw, makers_of(assets_def, key).nodes, "")


def joined_config(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of two assets of a graph as one: where both have a value, that of the other counts."""
    both = {
        name: joined_config(value, other[name])
        for name, value in one.items()
        if isinstance(value, Mapping) and isinstance(other.get(name), Mapping)
    }
    return {**one, **other, **both}


def _has_parts(assets_def: dg.AssetsDefinition) -> bool:
    return is_graph(assets_def) and assets_def.can_subset and not has_mapping(whole_graph(assets_def))


def _of_nodes(entry: Mapping[str, Any], nodes: Collection[str], prefix: str) -> dict[str, Any]:
    found = dict(entry)
    if isinstance(entry.get("ops"), Mapping):
        found["ops"] = {
            name: _of_nodes(one, nodes, f"{prefix}{name}.") if isinstance(one, Mapping) else one
            for name, one in entry["ops"].items()
            if any(f"{node}.".startswith(f"{prefix}{name}.") for node in nodes)
        }
    return found


def _raw_of(raw: Any, node: str) -> Any:
    """Return the raw config of one op's node within that of its graph."""
    for name in node.split("."):
        raw = ((raw or {}).get("ops") or {}).get(name)
    return (raw or {}).get("config")
