"""The code location."""

import dagster as dg

from shop_analytics.api import EnrichmentAPI, RawDataAPI
from shop_analytics.assets import orders

defs = dg.Definitions(
    assets=[*dg.load_assets_from_modules([orders]), dg.AssetSpec("users")],
    resources={"raw_api": RawDataAPI(), "enrichment_api": EnrichmentAPI()},
    jobs=[dg.define_asset_job("forecast", selection="*predicted_orders")],
)
