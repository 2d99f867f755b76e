"""Definitions on the tester's store, whichever store their resources name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeGuard

import dagster as dg

from jammi_dagster.adapters.handoff.store_resource import ResultStoreResource, is_store_backed
from jammi_dagster.adapters.io_manager import ResultTableIOManager

_Asset = dg.AssetsDefinition | dg.AssetSpec | dg.SourceAsset
Assets = dg.Definitions | Callable[[], Any] | _Asset | Iterable[_Asset]
"""The assets under test: complete definitions, or a function that returns them; one asset, spec or source asset, or
several, with asset checks among them.
"""


def redirected(
    assets: Assets, store: ResultStoreResource, *, cache: str, resources: Mapping[str, Any]
) -> dg.Definitions:
    """Build definitions whose stores are all `store`.

    `resources` replace those of the definitions. An IO manager under the default key is added if there is none.
    """
    given: Mapping[str, Any] = {}
    checks: Sequence[Any] = ()
    found: Any = assets() if _is_function(assets) else assets
    if isinstance(found, dg.Definitions):
        given, checks = found.resources or {}, [*(found.asset_checks or ())]
        found = found.assets or ()
    several: list[Any] = [found] if isinstance(found, _Asset) else list(found)
    checks = [*checks, *(one for one in several if isinstance(one, dg.AssetChecksDefinition))]
    several = [one for one in several if not isinstance(one, dg.AssetChecksDefinition)]
    bound = {name: _on(store, resource) for name, resource in {**given, **resources}.items()}
    bound.setdefault("io_manager", ResultTableIOManager(store=store, cache=cache))
    return dg.Definitions(assets=several, asset_checks=checks, resources=bound)


def _is_function(assets: Any) -> TypeGuard[Callable[[], Any]]:
    """Tell a function that returns definitions, such as one under `@dg.definitions`, from an asset."""
    return callable(assets) and not isinstance(assets, _Asset)


def _on(store: ResultStoreResource, resource: Any) -> Any:
    """Replace a store, or the store of a resource that has one; leave any other resource alone."""
    if isinstance(resource, ResultStoreResource):
        return store
    fields = getattr(type(resource), "model_fields", {})
    if not is_store_backed(resource) or "store" not in fields:
        return resource
    return type(resource)(**{name: getattr(resource, name) for name in fields} | {"store": store})
