"""Weather archives and what is derived from them for wind power."""

import os

import dagster as dg

from wind_forecast import archives, derived
from wind_forecast.archives import stations

env = os.getenv("ENVIRONMENT", "local")
LOCATIONS = {"local": "/tmp/archives", "leo": "/mnt/storage_b/archives"}

EXTERNAL = ("raw_nwp", "wind", "winds", "pv_archive")

defs = dg.Definitions(
    assets=[*dg.load_assets_from_modules([derived]), *stations.assets, *map(dg.AssetSpec, EXTERNAL)],
    resources={"archive": dg.ResourceDefinition.hardcoded_resource(LOCATIONS.get(env, "/tmp"))},
)
