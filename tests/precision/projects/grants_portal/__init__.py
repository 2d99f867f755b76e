import os

import dagster as dg

from . import resources
from .assets import chains, projects

DATABASE_PATH = os.getenv("DATABASE_PATH", os.path.dirname(os.path.abspath(__file__)) + "/data/local.duckdb")

external = [dg.AssetSpec(key) for key in ("raw_allo_rounds", "raw_votes", "prices", "raw_projects")]
all_assets = dg.load_assets_from_modules([chains, projects])

resources = {
    "duckdb": resources.DuckDB(database=DATABASE_PATH),
    "covalent": resources.CovalentAPI(api_key=dg.EnvVar("COVALENT_KEY")),
    "scale": resources.Scale(decimals=18),
}

defs = dg.Definitions(assets=[*all_assets, *external], resources=resources)
