"""Definitions on the tester's store, whichever store their resources name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

from jammi_dagster.adapters.handoff.store_resource import ResultStoreResource, is_store_backed
from jammi_dagster.adapters.io_manager import ResultTableIOManager

Assets = dg.Definitions | dg.AssetsDefinition | Iterable[dg.AssetsDefinition | dg.AssetSpec]
"""The assets under test: complete definitions, or one asset, or several."""


def redirected(
    assets: Assets, store: ResultStoreResource, *, cache: str, resources: Mapping[str, Any]
) -> dg.Definitions:
    """Build definitions whose stores are all `store`.

    `resources` replace those of the definitions. An IO manager under the default key is added if there is none.
    """
    given: Mapping[str, Any] = {}
    checks: Iterable[Any] = ()
    if isinstance(assets, dg.Definitions):
        given, checks = assets.resources or {}, assets.asset_checks or ()
        assets = [
            asset for asset in assets.assets or () if isinstance(asset, (dg.AssetsDefinition, dg.AssetSpec))
        ]
    elif isinstance(assets, dg.AssetsDefinition):
        assets = [assets]
    bound = {name: _on(store, resource) for name, resource in {**given, **resources}.items()}
    bound.setdefault("io_manager", ResultTableIOManager(store=store, cache=cache))
    return dg.Definitions(assets=list(assets), asset_checks=list(checks), resources=bound)


def _on(store: ResultStoreResource, resource: Any) -> Any:
    """Replace a store, or the store of a resource that has one; leave any other resource alone."""
    if isinstance(resource, ResultStoreResource):
        return store
    fields = getattr(type(resource), "model_fields", {})
    if not is_store_backed(resource) or "store" not in fields:
        return resource
    return type(resource)(**{name: getattr(resource, name) for name in fields} | {"store": store})
