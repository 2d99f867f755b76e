from dagster import AssetSpec, Definitions, load_assets_from_modules

from . import assets
from .resources import Checklists, DuckDBResource, Sling

defs = Definitions(
    assets=[
        *load_assets_from_modules([assets]),
        *(AssetSpec(name) for name in ("checklist_csv", "checklist_zip", "species", "sites")),
    ],
    resources={
        "duckdb": DuckDBResource(database=assets.constants.DUCKDB_PATH),
        "sling": Sling(),
        "checklists": Checklists(minimum=2),
    },
)
