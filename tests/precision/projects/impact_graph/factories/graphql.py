"""Assets that fetch every page of a GraphQL query."""

from collections.abc import Callable
from typing import Any

import dagster as dg
import requests
from pydantic import BaseModel


class GraphQLConfig(BaseModel):
    name: str
    endpoint: str
    target: str
    fields: list[str]
    page_size: int = 100
    transform_fn: Callable[[dict[str, Any]], dict[str, Any]] | None = None


def build_query(config: GraphQLConfig) -> str:
    fields = "\n    ".join(config.fields)
    return f"query ($offset: Int!) {{ {config.target}(limit: {config.page_size}, offset: $offset) {{\n    {fields}\n}} }}"


def graphql_factory(config: GraphQLConfig) -> dg.AssetsDefinition:
    @dg.asset(name=config.name, tags={"source": "graphql"})
    def _graphql_asset(context: dg.AssetExecutionContext) -> list[dict[str, Any]]:
        query, offset, found = build_query(config), 0, []
        while True:
            answer = requests.post(config.endpoint, json={"query": query, "variables": {"offset": offset}}).json()
            nodes = answer["data"][config.target]
            if not nodes:
                return found
            found += [config.transform_fn(node) if config.transform_fn else node for node in nodes]
            offset += config.page_size

    return _graphql_asset


def queries_asset(name: str, configs: list[GraphQLConfig]) -> dg.AssetsDefinition:
    """Make an asset that holds the texts of the queries that match an upstream list of names."""

    @dg.asset(name=name)
    def _queries(enabled: list[str]) -> dict[str, str]:
        return {config.name: build_query(config) for config in configs if config.name in enabled}

    return _queries
