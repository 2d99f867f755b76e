"""The code location: assets of modules, and of factories that are registered."""

import logging

import dagster as dg

from impact_graph.assets import open_funding
from impact_graph.factories.common import load_all

logging.basicConfig(format="%(asctime)s %(message)s")
logger = logging.getLogger(__name__)


def load_definitions() -> dg.Definitions:
    response = load_all()
    logger.debug("%d assets of factories", len(response.assets))
    external = [dg.AssetSpec(name) for name in ("edges", "seeds", "enabled")]
    assets = [*dg.load_assets_from_modules([open_funding]), *response.assets, *external]
    return dg.Definitions(assets=assets, jobs=response.jobs)


defs = load_definitions()
