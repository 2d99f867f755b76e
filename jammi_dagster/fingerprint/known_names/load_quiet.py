"""Modules whose functions read no file by themselves: their calls are harmless where nobody watched the loading."""

from __future__ import annotations

# Modules of the standard library that open files which they are told of.
READING_STDLIB = frozenset(
    [
        *(
            "configparser",
            "dbm",
            "fileinput",
            "gettext",
            "linecache",
            "mailbox",
            "mailcap",
            "netrc",
            "pkgutil",
        ),
        *("runpy", "shelve", "sqlite3", "xml", "zipapp", "zipimport"),
    ]
)

QUIET_LIBRARIES = frozenset(
    [
        *(
            "attr",
            "attrs",
            "blinker",
            "boto3",
            "botocore",
            "cattrs",
            "click",
            "dagster",
            "dagster_dbt",
            "dagster_aws",
        ),
        *(
            "dagster_shared",
            "dateutil",
            "duckdb",
            "geopandas",
            "httpx",
            "jammi_dagster",
            "marshmallow",
            "more_itertools",
        ),
        *(
            "msgspec",
            "networkx",
            "numpy",
            "orjson",
            "pandas",
            "pandera",
            "pendulum",
            "pluggy",
            "polars",
            "pyarrow",
        ),
        *("pydantic", "pydantic_core", "pytest", "pytz", "requests", "rich", "scipy", "shapely", "sklearn"),
        *(
            "sqlalchemy",
            "sqlglot",
            "statsmodels",
            "tenacity",
            "toolz",
            "torch",
            "tqdm",
            "typer",
            "typing_extensions",
        ),
        *("tzdata", "ujson", "urllib3", "xarray", "yaml"),
    ]
)
