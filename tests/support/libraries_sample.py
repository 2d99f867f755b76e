"""Imported by a test: a function of a module that imports libraries and Dagster."""

from typing import Any

import dagster as dg
import numpy as np
import yaml


def f(context: dg.AssetExecutionContext) -> Any:
    return np.array(yaml.safe_load("1"))
