"""Power plants and generation of a country, from raw filings to analysis tables."""

import logging
import os

from grid_data import logging_helpers

logging_helpers.configure_root_logger()
logger = logging.getLogger(__name__)
logger.debug("the package lies in %s", os.path.dirname(__file__))

from grid_data.etl import defs  # noqa: E402
