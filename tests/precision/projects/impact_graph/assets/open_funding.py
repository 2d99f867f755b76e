"""Transactions of an open funding platform."""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta

import dagster as dg
import pandas as pd
from pydantic import ValidationError

from ..factories import AssetFactoryResponse, GraphQLConfig, graphql_factory, sql_assets
from ..factories.common import early_resources_asset_factory
from ..factories.graphql import build_query, queries_asset
from ..utils.graph import build, trust
from ..utils.schema import Account, Transaction, nullable_columns
from ..utils.secrets import FileSecretResolver, LocalSecretResolver

EPOCH = "2015-01-23"
K8S_CONFIG = {"merge_behavior": "SHALLOW", "container_config": {"resources": {"limits": {"memory": "7168Mi"}}}}
weekly = dg.WeeklyPartitionsDefinition(start_date=EPOCH)
resolver = LocalSecretResolver(prefix="DAGSTER")
_client_cache = None

ACCOUNTS = GraphQLConfig(
    name="raw_accounts",
    endpoint="https://api.example.org/graphql",
    target="accounts",
    fields=["id", "slug", "name"],
    transform_fn=lambda node: {**node, "slug": node["slug"].lower()},
)
HOSTS = GraphQLConfig(name="raw_hosts", endpoint="https://api.example.org/graphql", target="hosts", fields=["id"])


def get_client():
    global _client_cache
    if _client_cache is None:
        import requests

        _client_cache = requests.Session()
        _client_cache.headers["Api-Key"] = resolver.resolve("open_funding_token")
    return _client_cache


def validated(nodes: list[dict]) -> Iterator[dict]:
    for node in nodes:
        try:
            yield Transaction.model_validate(node).model_dump(mode="json")
        except ValidationError:
            continue


@dg.asset(partitions_def=weekly, op_tags={"dagster-k8s/config": K8S_CONFIG})
def raw_transactions(context: dg.AssetExecutionContext) -> list[dict]:
    start = datetime.strptime(context.partition_key, "%Y-%m-%d")
    params = {"from": start.isoformat(), "to": (start + timedelta(weeks=1)).isoformat()}
    return get_client().get("https://api.example.org/transactions", params=params).json()


@dg.asset
def transactions(raw_transactions: list[dict]) -> pd.DataFrame:
    return pd.json_normalize(list(validated(raw_transactions)), sep="__")


@dg.asset
def transaction_schema(transactions: pd.DataFrame) -> dict[str, str]:
    """The column types of a model, without the columns that no row has."""
    columns = nullable_columns(Transaction)
    return {name: kind for name, kind in columns.items() if any(c.startswith(name) for c in transactions.columns)}


@dg.asset
def account_rows(raw_accounts: list[dict]) -> pd.DataFrame:
    accounts = [Account(**node) for node in raw_accounts]
    return pd.DataFrame([account.model_dump() for account in accounts if not account.archived])


@dg.asset
def trusted_accounts(edges: list[tuple], seeds: list[str]) -> pd.DataFrame:
    return pd.DataFrame(trust(build(edges), set(seeds)), columns=["account", "trust"])


@dg.asset(partitions_def=weekly)
def week_bounds(context: dg.AssetExecutionContext, transactions: pd.DataFrame) -> pd.DataFrame:
    start = datetime.strptime(context.partition_key, "%Y-%m-%d")
    end = start + timedelta(weeks=1)
    return transactions.assign(start=f"{start.isoformat()}Z", end=f"{end.isoformat()}Z")


@dg.asset
def backfill_weeks(transactions: pd.DataFrame) -> list[str]:
    """The weeks from the first transaction of all until today."""
    weeks = pd.date_range(EPOCH, datetime.today(), freq="W")
    return [str(week.date()) for week in weeks if len(transactions)]


@dg.asset
def signed_transactions(transactions: pd.DataFrame) -> pd.DataFrame:
    secret = FileSecretResolver("/run/secrets").resolve("signing")
    return transactions.assign(signature=[f"{secret[:4]}{number}" for number in transactions["id"]])


@dg.asset
def account_query(raw_accounts: list[dict]) -> str:
    return build_query(ACCOUNTS) if raw_accounts else ""


@dg.asset
def tagged_transactions(transactions: pd.DataFrame) -> pd.DataFrame:
    return transactions.assign(host=os.uname().nodename)


@early_resources_asset_factory
def funding_assets() -> AssetFactoryResponse:
    templates = {
        "totals_by_kind": "select kind, sum({{ column }}) as total from frame group by kind order by kind",
        "large_transactions": "select * from frame where {{ column }} > {{ limit }} order by id",
    }
    return AssetFactoryResponse(
        assets=[
            graphql_factory(ACCOUNTS),
            queries_asset("enabled_queries", [ACCOUNTS, HOSTS]),
            *sql_assets("transactions", templates, column="amount__value", limit=100),
        ]
    )
