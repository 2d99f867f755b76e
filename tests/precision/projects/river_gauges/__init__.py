"""Levels of rivers at gauges, with limits that a file of the package holds."""

import os

import dagster as dg

from river_gauges import gauges, stations
from river_gauges.storage import LakeIOManager

EXTERNAL = ("readings", "catchments")


def required(name: str) -> str:
    value = os.getenv(name, "/tmp/rivers")
    if not value:
        raise ValueError(name)
    return value


defs = dg.Definitions(
    assets=[*dg.load_assets_from_modules([gauges]), *stations.assets, *map(dg.AssetSpec, EXTERNAL)],
    resources={"io_manager": LakeIOManager(required("RIVERS"))},
)
