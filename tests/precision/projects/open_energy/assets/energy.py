import io
import json
import os
from functools import cache, singledispatch
from typing import Any

import dagster as dg
import polars as pl
import polars.selectors as cs
import pyarrow as pa
import yaml

from open_energy.models.carbon import Entry, Response
from open_energy.utils.bronze_factory import ETLBase, bronze_asset_factory, silver
from open_energy.utils.url_links import asset_urls

BANDS = pl.when(pl.col("forecast") > 250).then(pl.lit("high")).otherwise(pl.lit("low")).alias("band")
_RENAMES = yaml.safe_load("{from: start, to: end}")
_webhook = None


@singledispatch
def flat(value: Any) -> Any:
    return value


@flat.register
def _(value: dict) -> Any:
    return json.dumps(value, sort_keys=True)


@flat.register
def _(value: list) -> Any:
    return ";".join(map(str, value))


@cache
def region_names() -> dict[str, str]:
    return {"1": "North Scotland", "2": "South Scotland"}


def notify(text: str) -> None:
    global _webhook
    if _webhook is None:
        _webhook = os.environ.get("SLACK_WEBHOOK", "")
    if _webhook:
        import requests

        requests.post(_webhook, json={"text": text})



@dg.asset
@bronze_asset_factory("carbon_intensity", asset_urls, model=Response)
def carbon_bronze(context): ...


@dg.asset
@silver(model=Response, drop=("comment",))
def carbon_silver(context: dg.AssetExecutionContext, records: pl.DataFrame) -> pl.DataFrame:
    return records.rename(_RENAMES, strict=False)


@dg.asset
def carbon_entries(records: list) -> pl.DataFrame:
    entries = [Entry.model_validate(record) for record in records]
    return pl.DataFrame(
        {"start": [e.start for e in entries], "forecast": [e.intensity.forecast for e in entries]}
    )


@dg.asset
def carbon_bands(carbon_entries: pl.DataFrame) -> pl.DataFrame:
    return carbon_entries.with_columns(BANDS)


@dg.asset
def carbon_bytes(carbon_bands: pl.DataFrame) -> bytes:
    return ETLBase("", {}).to_parquet_bytes(carbon_bands)


@dg.asset
def carbon_again(carbon_bytes: bytes) -> pl.DataFrame:
    return pl.read_parquet(io.BytesIO(carbon_bytes))


@dg.asset
def charge_points(points: pa.Table) -> pl.DataFrame:
    df = pl.from_arrow(points)
    return df.with_columns(cs.string().str.strip_chars(), cs.float().round(2)).unique(
        subset=["id"], keep="first", maintain_order=True
    )


@dg.asset
def flat_records(records: list) -> pl.DataFrame:
    return pl.DataFrame([{key: flat(value) for key, value in record.items()} for record in records])


@dg.asset
def regions(carbon_entries: pl.DataFrame) -> pl.DataFrame:
    names = region_names()
    return carbon_entries.with_columns(pl.col("region").replace_strict(names, default=None).alias("name"))


@dg.asset
def band_counts(carbon_bands: pl.DataFrame) -> pl.DataFrame:
    context = pl.SQLContext(bands=carbon_bands)
    return context.execute("select band, count(*) as n from bands group by band order by band").collect()


@dg.asset
def reported_bands(carbon_bands: pl.DataFrame) -> pl.DataFrame:
    """The bands; a message about them goes to a channel, if there is one. The table does not depend on it."""
    notify(f"{len(carbon_bands)} entries")
    return carbon_bands


@dg.asset
def flood_areas(context: dg.AssetExecutionContext) -> pl.DataFrame:
    with open(os.path.expanduser("~/.flood_areas.json")) as file:
        return pl.DataFrame(json.load(file))


@dg.asset
def network_capacity(heat_networks: pl.DataFrame) -> pl.DataFrame:
    return (
        heat_networks.lazy()
        .filter(pl.col("status").eq("operational"))
        .group_by("operator")
        .agg(pl.col("capacity_kw").sum(), pl.len().alias("networks"))
        .sort("operator")
        .collect()
    )


@dg.asset
def instance_checked(context: dg.AssetExecutionContext, carbon_bands: pl.DataFrame) -> pl.DataFrame:
    event = context.instance.get_latest_materialization_event(dg.AssetKey("carbon_bands"))
    return carbon_bands.with_columns(pl.lit(event.run_id if event else None).alias("made_by"))
