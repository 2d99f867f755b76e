"""A code location as projects write them: its package builds `defs`, with resources, a registry and a factory."""

from __future__ import annotations

from pathlib import Path

RESOURCES = '''
"""Resources."""
import os
from pathlib import Path

import dagster as dg

QUERY = (Path(__file__).parent / "query.sql").read_text()


class Lake(dg.ConfigurableResource):
    """A lake."""

    bucket: str = "lake"

    def write(self, rows):
        return os.path.join(self.bucket, os.environ["LAKE"])


class Client:
    def __init__(self, url):
        self.url = url
        self.session = None

    def fetch(self, path):
        import requests
        return requests.get(self.url + path).json()


CLIENT = Client("https://example.org")
RESOURCES = {"lake": Lake(), "io_manager": dg.FilesystemIOManager()}
'''

REGISTRY = '''
"""A registry that every domain fills."""
CLEANERS = {}
KINDS = []


def cleaner(name):
    def register(function):
        CLEANERS[name] = function
        return function
    return register


def add_kind(kind):
    KINDS.append(kind)
    return kind
'''

FACTORY = '''
"""Assets that a factory makes."""
import os
import dagster as dg

from {package}.common import scale


def make(name, limit):
    @dg.asset(name=name, group_name="made")
    def made(up):
        return scale(up, limit)

    @dg.asset_check(asset=name)
    def check(table) -> bool:
        return os.environ.get("STRICT") is None or len(table) > 0

    return made


MADE = [make(f"made_{{i}}", i) for i in range({made})]
'''

COMMON = '''
"""Helpers."""
import logging

import pandas as pd

logging.basicConfig(level=logging.INFO)
pd.set_option("display.max_rows", 10)
LIMIT = 3
_CACHE = {}


def scale(table, by=LIMIT):
    kept = table[table["x"] > by]
    return kept.assign(y=kept["x"] * by)


def normalize(name):
    return name.strip().lower()
'''

DOMAIN = '''
"""The assets of a domain."""
import dagster as dg
import pandas as pd

from {package} import resources
from {package}.common import LIMIT, normalize, scale
from {package}.registry import CLEANERS, add_kind, cleaner

DAILY = dg.DailyPartitionsDefinition("2024-01-01")
COLUMNS = ["x", "y", "z{number}"]
KIND = add_kind("domain{number}")
assert len(COLUMNS) == 3, "three columns"

for _name in COLUMNS:
    if _name.startswith("z"):
        LAST = _name


@cleaner("clean{number}")
def clean(table):
    return table.rename(columns=normalize)


def per_day(table):
    return table.groupby("day").sum()


job = dg.define_asset_job("job_{number}")


@dg.sensor(job=job)
def changed(context):
    for row in resources.CLIENT.fetch("/changed"):
        yield dg.RunRequest(run_key=row)


@dg.op
def notify(context):
    resources.CLIENT.fetch("/done")
'''

ASSET = '''

@dg.asset(group_name="domain{number}", description="Asset {index}.")
def asset_{index}(context, up_{index}: pd.DataFrame) -> pd.DataFrame:
    """An asset."""
    context.log.info("making %s", context.asset_key)
    table = scale(up_{index}, LIMIT + {index})
    return per_day(table[COLUMNS])
'''

INIT = '''
"""The package: importing it builds everything."""
import dagster as dg

from {package} import {domains}, factory, resources

ALL = dg.load_assets_from_modules([{domains}])
defs = dg.Definitions(
    assets=[*ALL, *factory.MADE],
    jobs=[{jobs}],
    sensors=[{sensors}],
    resources=resources.RESOURCES,
)
'''


def write_location(
    folder: Path, *, package: str = "location", domains: int = 36, each: int = 5, made: int = 18
) -> None:
    """Write the package `package` with `domains` modules of `each` assets, and `made` assets of a factory."""
    root = folder / package
    root.mkdir()
    names = [f"domain_{number}" for number in range(domains)]
    files = {"resources": RESOURCES, "registry": REGISTRY, "common": COMMON}
    files["factory"] = FACTORY.format(package=package, made=made)
    for number, name in enumerate(names):
        files[name] = DOMAIN.format(package=package, number=number) + "".join(
            ASSET.format(number=number, index=number * each + index) for index in range(each)
        )
    files["__init__"] = INIT.format(
        package=package,
        domains=", ".join(names),
        jobs=", ".join(f"{name}.job" for name in names),
        sensors=", ".join(f"{name}.changed" for name in names),
    )
    for name, text in files.items():
        (root / f"{name}.py").write_text(text)
    (root / "query.sql").write_text("select 1\n")
