import os
from warnings import filterwarnings

import dagster as dg

from open_energy.assets import energy

filterwarnings("ignore", category=dg.BetaWarning)


def get_env():
    if os.getenv("DAGSTER_CLOUD_IS_BRANCH_DEPLOYMENT", "") == "1":
        return "BRANCH"
    return "PROD" if os.getenv("DAGSTER_CLOUD_DEPLOYMENT_NAME", "") == "prod" else "LOCAL"


external = [dg.AssetSpec(name) for name in ("records", "points", "heat_networks")]
defs = dg.Definitions(assets=[*dg.load_assets_from_modules([energy]), *external], metadata={"environment": get_env()})
