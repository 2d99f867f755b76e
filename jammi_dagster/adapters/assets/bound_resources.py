"""Resources that definitions bind to assets: known once `finalize` has seen the definitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import dagster as dg

from jammi_dagster.adapters.assets.declaration import function_of, is_graph
from jammi_dagster.adapters.assets.graph import functions_of

_bound: WeakKeyDictionary[Any, Mapping[str, Any]] = WeakKeyDictionary()


def bind(assets_def: dg.AssetsDefinition, resources: Mapping[str, Any]) -> None:
    """Note the resources of the definitions that an asset stands in."""
    if assets_def.is_executable:
        _bound[_place(assets_def)] = dict(resources)


def bound_resources(assets_def: dg.AssetsDefinition) -> Mapping[str, Any]:
    """Return the resources of the definitions that were last finalized with this asset; none before that."""
    return _bound.get(_place(assets_def), {})


def _place(assets_def: dg.AssetsDefinition) -> Any:
    """Return the object that all copies of an asset share: its function, or the first op of its graph."""
    return functions_of(assets_def.node_def)[0] if is_graph(assets_def) else function_of(assets_def)
