"""The response of a factory, and early registration of factories."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

_EARLY: list[Callable[[], "AssetFactoryResponse"]] = []


@dataclass
class AssetFactoryResponse:
    assets: list[dg.AssetsDefinition]
    jobs: list[Any] = field(default_factory=list)

    def __add__(self, other: "AssetFactoryResponse") -> "AssetFactoryResponse":
        return AssetFactoryResponse(assets=[*self.assets, *other.assets], jobs=[*self.jobs, *other.jobs])


def early_resources_asset_factory(function: Callable[[], AssetFactoryResponse]):
    _EARLY.append(function)
    return function


def load_all() -> AssetFactoryResponse:
    response = AssetFactoryResponse(assets=[])
    for factory in _EARLY:
        response = response + factory()
    return response
