"""Types and rates that all modules use, and the settings of this deployment."""

import os

import polars as pl

TIME = pl.Datetime("us", "UTC")
RATE = 5 / 100
QUALITIES = frozenset({"good", "estimated"})


def deployment() -> dict[str, str]:
    return {"stage": os.environ.get("STAGE", "local"), "folder": os.getcwd()}
