"""Costs of the cloud, by account and month."""

import json
import os
import zlib
from datetime import datetime
from io import BytesIO
from string import Template
from urllib.parse import urlparse

import dagster as dg
import pandas as pd
from dagster import AssetExecutionContext, MaterializeResult, MonthlyPartitionsDefinition, Output, asset

from cloud_costs.constants import (
    ACCOUNT_NAME,
    COPY_QUERY,
    CREDITS_PER_UNIT,
    CURRENCIES,
    GROUPS,
    ROLLUP_QUERY,
    SERVICE_NAMES,
)
from cloud_costs.resources import Rates, S3Client, WarehouseResource
from cloud_costs.utils.chunks import chunked, send_all
from cloud_costs.utils.environment_helpers import get_environment, get_schema_for_environment, join_parts

log = dg.get_dagster_logger()
monthly = MonthlyPartitionsDefinition(start_date="2023-01-01", end_offset=1)
BANNER = Template("$account: $rows rows")

usage_specs = [
    dg.AssetSpec(key=dg.AssetKey([ACCOUNT_NAME, group]), metadata={"schema": get_schema_for_environment("usage")})
    for group in GROUPS
]


@asset(partitions_def=monthly)
def usage_export(context: AssetExecutionContext, s3: S3Client) -> bytes:
    buffer = BytesIO()
    key = f"usage/{context.partition_key}.json.gz"
    s3.get_client().download_fileobj(Bucket="usage", Key=key, Fileobj=buffer)
    return buffer.getvalue()


@asset(partitions_def=monthly)
def usage_rows(context: AssetExecutionContext, usage_export: bytes) -> pd.DataFrame:
    """Rows of the export, whichever of two formats it has."""
    document = json.loads(zlib.decompress(usage_export).decode("utf-8"))
    if "rows" in document:
        found = document["rows"]
    elif "pages" in document:
        found = [row for page in document["pages"] for row in page["rows"]]
    else:
        raise ValueError(f"unknown structure, top level keys {sorted(document)}")
    log.info(f"{len(found)} rows in {context.partition_key}")
    return pd.DataFrame(found)


@asset
def usage_by_group(usage_rows: pd.DataFrame) -> pd.DataFrame:
    df = usage_rows.assign(group=usage_rows["service"].map(SERVICE_NAMES).fillna("other"))
    pivot = df.pivot_table(index="account", columns="group", values="units", aggfunc="sum", fill_value=0)
    for group in GROUPS:
        if group not in pivot.columns:
            pivot[group] = 0
    return pivot[GROUPS].reset_index()


@asset
def credits(usage_by_group: pd.DataFrame) -> pd.DataFrame:
    result = usage_by_group[["account"]].copy()
    result["credits"] = sum(usage_by_group[group] * CREDITS_PER_UNIT[group] for group in GROUPS)
    return result


@asset
def invoices(usage_rows: pd.DataFrame, rates: Rates) -> pd.DataFrame:
    usd = usage_rows.apply(lambda row: rates.to_usd(row["cost"], row["currency"]), axis=1)
    return usage_rows.assign(usd=usd)


@asset(partitions_def=monthly)
def rollup_statement(context: AssetExecutionContext, usage_rows: pd.DataFrame) -> str:
    """The text of the statement that a warehouse would run, and a banner for the log."""
    month = datetime.strptime(context.partition_key, "%Y-%m-%d").strftime("%Y-%m")
    columns = ", ".join(f"sum({name}_units) as {name}" for name in GROUPS)
    log.info(BANNER.substitute(account=ACCOUNT_NAME, rows=len(usage_rows)))
    return ROLLUP_QUERY.format(columns=columns, month=month)


@asset(partitions_def=monthly)
def copy_statement(context: AssetExecutionContext, usage_rows: pd.DataFrame) -> str:
    table = join_parts("aws", get_schema_for_environment("elephant"), "usage")
    return COPY_QUERY.format(table=table, location="s3://usage", month=context.partition_key)


@asset(partitions_def=monthly)
def warehouse_costs(context: AssetExecutionContext, warehouse: WarehouseResource) -> MaterializeResult:
    statement = ROLLUP_QUERY.format(columns="count(*)", month=context.partition_key)
    with warehouse.get_connection() as connection:
        (count,) = connection.exec_driver_sql(statement).one()
    return MaterializeResult(metadata={"rows": count}, value=count)


@asset
def locations(usage_rows: pd.DataFrame) -> pd.DataFrame:
    parsed = [urlparse(url) for url in usage_rows["location"]]
    return pd.DataFrame(
        {"bucket": [one.netloc for one in parsed], "key": [os.path.join("raw", one.path.lstrip("/")) for one in parsed]}
    )


@asset
def batches(usage_rows: pd.DataFrame) -> list[str]:
    """The rows as texts of at most three lines."""
    sent: list[str] = []
    records = usage_rows.to_dict("records")
    send_all(records, sent.append, preprocess=lambda row: json.dumps(row, sort_keys=True), chunk_size=3)
    return sent


@asset
def first_of_batches(usage_rows: pd.DataFrame) -> list[dict]:
    return [chunk[0] for chunk in chunked(usage_rows.to_dict("records"), 10)]


@asset
def deployment_costs(usage_rows: pd.DataFrame) -> pd.DataFrame:
    if get_environment() == "LOCAL":
        return usage_rows.head(100)
    return usage_rows


@asset
def anomalies(usage_rows: pd.DataFrame) -> pd.DataFrame:
    totals = usage_rows.groupby(["account", "month"])["cost"].sum().reset_index()
    mean = totals.groupby("account")["cost"].transform("mean")
    std = totals.groupby("account")["cost"].transform("std").fillna(0.0)
    return totals[(totals["cost"] - mean).abs() > 2 * std]


@dg.multi_asset(
    outs={currency: dg.AssetOut(key=["totals", currency], is_required=False) for currency in CURRENCIES},
    can_subset=True,
)
def currency_totals(context: AssetExecutionContext, usage_rows: pd.DataFrame):
    for currency in CURRENCIES:
        if currency in context.op_execution_context.selected_output_names:
            kept = usage_rows[usage_rows["currency"] == currency]
            yield Output(kept, output_name=currency, metadata={"rows": len(kept)})


@asset
def checked_usage(context: AssetExecutionContext, usage_rows: pd.DataFrame) -> pd.DataFrame:
    try:
        assert (usage_rows["units"] >= 0).all(), "negative units"
    except AssertionError as error:
        context.log.error(f"bad usage: {error}")
        raise
    return usage_rows.sort_values(["account", "month"], kind="stable", ignore_index=True)
