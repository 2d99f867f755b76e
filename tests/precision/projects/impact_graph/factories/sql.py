"""Assets that run a templated query over upstream frames, in memory."""

from typing import Any

import dagster as dg
import duckdb
import jinja2
import pandas as pd

ENVIRONMENT = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True)


def render(template: str, **variables: Any) -> str:
    return ENVIRONMENT.from_string(template).render(**variables)


def sql_assets(upstream: str, templates: dict[str, str], **variables: Any) -> list[dg.AssetsDefinition]:
    def build(name: str, template: str) -> dg.AssetsDefinition:
        @dg.asset(name=name, ins={"frame": dg.AssetIn(upstream)})
        def _sql(context: dg.AssetExecutionContext, frame: pd.DataFrame) -> pd.DataFrame:
            query = render(template, **variables)
            context.log.debug(query)
            with duckdb.connect() as connection:
                connection.register("frame", frame)
                return connection.sql(query).df()

        return _sql

    return [build(name, template) for name, template in templates.items()]
