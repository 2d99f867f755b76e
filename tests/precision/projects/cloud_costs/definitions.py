"""The code location."""

import os

import dagster as dg

from cloud_costs.defs import assets
from cloud_costs.resources import Rates, S3Client, WarehouseResource

defs = dg.Definitions(
    assets=dg.load_assets_from_modules([assets]),
    resources={
        "s3": S3Client(region=os.environ.get("AWS_REGION", "us-west-2")),
        "warehouse": WarehouseResource(url=dg.EnvVar("WAREHOUSE_URL")),
        "rates": Rates(),
    },
    sensors=[],
)
