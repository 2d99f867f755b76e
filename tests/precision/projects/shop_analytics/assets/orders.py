"""Orders, users, and the forecast of orders."""

from datetime import timedelta

import dagster as dg
import numpy as np
import pandas as pd
from pydantic import Field

from shop_analytics.api import EnrichmentAPI, RawDataAPI
from shop_analytics.model import bootstrap, days_since, fit, model_func, score

daily_partitions = dg.DailyPartitionsDefinition(start_date="2023-05-25")
COMPANIES = ("ShopMart", "SportTime", "FamilyLtd")


class ForecastConfig(dg.Config):
    horizon_days: int = Field(30, description="Days to forecast.")
    rounds: int = 20
    seed: int = 42


class SplitConfig(dg.Config):
    number_records_per_batch: int = Field(50, description="Number of records to use per batch")


def _daily_partition_seq(start, end):
    days = int((pd.to_datetime(end) - pd.to_datetime(start)) / timedelta(hours=24))
    return [str(pd.to_datetime(start) + timedelta(days=i)) for i in range(days)]


@dg.asset(partitions_def=daily_partitions, backfill_policy=dg.BackfillPolicy.single_run())
def orders(context, raw_api: dg.ResourceParam[RawDataAPI]) -> pd.DataFrame:
    """A table containing all orders of the partitions of the run."""
    window = context.partition_time_window
    return pd.concat([raw_api.get_orders(day) for day in _daily_partition_seq(window.start, window.end)])


@dg.asset(partitions_def=daily_partitions)
def days_of_run(context: dg.AssetExecutionContext, orders: pd.DataFrame) -> pd.DataFrame:
    start, end = context.partition_time_window
    context.log.info("%s to %s", start, end)
    return orders[orders["dt"].isin(_daily_partition_seq(start, end))]


@dg.asset
def orders_cleaned(orders: pd.DataFrame) -> pd.DataFrame:
    cleaned = orders.copy()
    cleaned["dt"] = pd.to_datetime(cleaned["dt"])
    cleaned.loc[cleaned["amount"] < 0, "amount"] = np.nan
    cleaned.dropna(subset=["amount"], inplace=True)
    return cleaned


@dg.asset(op_tags={"kind": "batch"})
def orders_augmented(orders_cleaned: pd.DataFrame, users: pd.DataFrame) -> pd.DataFrame:
    joined = orders_cleaned.merge(users, on="user_id", how="left", validate="m:1")
    return joined.query("company in @COMPANIES").assign(day=lambda df: df["dt"].dt.normalize())


@dg.asset
def users_by_company(users: pd.DataFrame) -> pd.DataFrame:
    unexpected = set(users["company"].unique()) - set(COMPANIES)
    if unexpected:
        raise dg.Failure(f"unexpected companies {sorted(unexpected)}", metadata={"count": len(unexpected)})
    return users["company"].value_counts().rename_axis("company").reset_index(name="users").sort_values("company")


@dg.multi_asset(outs={"coefficients": dg.AssetOut(), "fit_quality": dg.AssetOut()})
def order_forecast_model(orders_augmented: pd.DataFrame):
    x, y = days_since(orders_augmented["day"]), orders_augmented["amount"].to_numpy()
    found = fit(x, y)
    yield dg.Output(found._asdict(), "coefficients")
    yield dg.Output(score(y, model_func(x, *found))._asdict(), "fit_quality")


@dg.asset
def predicted_orders(config: ForecastConfig, coefficients: dict, orders_augmented: pd.DataFrame) -> pd.DataFrame:
    last = orders_augmented["day"].max()
    days = pd.date_range(last + pd.Timedelta(days=1), periods=config.horizon_days, freq="D")
    predicted = model_func(days_since(pd.Series(days)), coefficients["a"], coefficients["b"])
    return pd.DataFrame({"day": days, "amount": predicted})


@dg.asset
def forecast_interval(config: ForecastConfig, orders_augmented: pd.DataFrame) -> pd.DataFrame:
    means = bootstrap(orders_augmented["amount"].to_numpy(), config.rounds, config.seed)
    return pd.DataFrame({"low": [np.quantile(means, 0.05)], "high": [np.quantile(means, 0.95)]})


@dg.asset
def forecast_noise(orders_augmented: pd.DataFrame) -> pd.DataFrame:
    means = bootstrap(orders_augmented["amount"].to_numpy(), 10)
    return pd.DataFrame({"mean": means})


@dg.op(out=dg.DynamicOut())
def split_rows(raw: pd.DataFrame, config: SplitConfig):
    chunks = int(np.ceil(len(raw) / config.number_records_per_batch))
    for number, part in enumerate(np.array_split(raw, chunks)):
        yield dg.DynamicOutput(part, mapping_key=str(number))


@dg.asset
def order_centers(orders_cleaned: pd.DataFrame, enrichment_api: dg.ResourceParam[EnrichmentAPI]) -> pd.DataFrame:
    centers = [enrichment_api.get_order_details(int(order)) for order in orders_cleaned["order_id"]]
    return orders_cleaned.assign(order_center=centers)


@dg.asset
def top_orders(context: dg.AssetExecutionContext, orders_cleaned: pd.DataFrame) -> pd.DataFrame:
    top = orders_cleaned.nlargest(10, "amount")
    context.add_output_metadata(
        {"preview": dg.MetadataValue.md(top.head(3).to_markdown()), "rows": len(top), "tags": str(context.run.tags)}
    )
    return top


@dg.asset
def run_stamped(context: dg.AssetExecutionContext, orders_cleaned: pd.DataFrame) -> pd.DataFrame:
    return orders_cleaned.assign(run_id=context.run_id)


@dg.asset(metadata={"partition_expr": "day"})
def daily_totals(orders_augmented: pd.DataFrame) -> dg.MaterializeResult:
    totals = orders_augmented.groupby("day", as_index=False).agg(total=("amount", "sum"), n=("amount", "size"))
    return dg.MaterializeResult(value=totals, metadata={"dagster/row_count": len(totals)})
