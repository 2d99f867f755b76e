import os
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import requests
from dagster import AssetExecutionContext, Config, MaterializeResult, asset, file_relative_path

from ..resources import DuckDB, Scale

QUERY = Path(__file__).parents[1] / "queries" / "votes_by_project.sql"
FORUMS = {"grants": "https://gov.example.org", "projects": "https://forum.example.org"}


class MatchConfig(Config):
    cap: float = 0.1
    tokens: list[str] = ["ETH", "DAI"]


@asset
def forum_categories() -> pd.DataFrame:
    data = []
    for community, address in FORUMS.items():
        catalog = requests.get(f"{address}/categories.json").json()["category_list"]["categories"]
        for category in catalog:
            category["source"] = community
        data.extend(catalog)
    return pd.DataFrame(data).convert_dtypes()


@asset
def votes(raw_votes: pa.Table, scale: Scale) -> pa.Table:
    amounts = [scale.units(text) for text in raw_votes["amount"].to_pylist()]
    return raw_votes.drop_columns(["amount"]).append_column("amount", pa.array(amounts))


@asset
def votes_in_usd(votes: pa.Table, prices: pa.Table) -> pa.Table:
    joined = votes.join(prices, keys="token", join_type="inner").sort_by([("id", "ascending")])
    return joined.append_column("amount_usd", pc.multiply(joined["amount"], joined["price"]))


@asset
def votes_by_project(votes_in_usd: pa.Table) -> pa.Table:
    """Votes by project: a query of the package over a table in memory."""
    with duckdb.connect(":memory:") as connection:
        connection.register("votes", votes_in_usd)
        return connection.execute(QUERY.read_text()).arrow().read_all()


@asset
def top_projects(votes_by_project: pa.Table) -> pa.Table:
    relation = duckdb.sql("select * from votes_by_project order by amount_usd desc, project_id limit 10")
    return relation.arrow().read_all()


@asset
def quadratic_match(config: MatchConfig, votes_in_usd: pa.Table) -> pd.DataFrame:
    df = votes_in_usd.to_pandas()
    df = df[df["token"].isin(config.tokens)]
    roots = df.assign(root=df["amount_usd"] ** 0.5).groupby("project_id")["root"].sum() ** 2
    share = (roots / roots.sum()).clip(upper=config.cap)
    return share.rename("match").reset_index()


@asset(deps=["votes"])
def database_votes(duckdb: DuckDB) -> MaterializeResult:
    with duckdb.get_connection() as connection:
        count = connection.execute("select count(*) from votes").fetchone()[0]
    return MaterializeResult(value=count, metadata={"votes": count})


@asset
def local_overrides(votes_in_usd: pa.Table) -> pa.Table:
    """Votes without the ones of a list that lies beside the package, if somebody put it there."""
    path = file_relative_path(__file__, "../../overrides.txt")
    if not os.path.exists(path):
        return votes_in_usd
    with open(path) as file:
        banned = pa.array([line.strip() for line in file])
    return votes_in_usd.filter(pc.invert(pc.is_in(votes_in_usd["voter"], value_set=banned)))


@asset
def project_titles(context: AssetExecutionContext, raw_projects: pa.Table) -> pa.Table:
    titles = pc.utf8_trim_whitespace(pc.utf8_lower(raw_projects["title"]))
    context.log.info("%d titles", len(titles))
    return pa.table({"id": raw_projects["id"], "title": titles})


@asset
def voter_ranks(votes_in_usd: pa.Table) -> pa.Table:
    totals = votes_in_usd.group_by("voter").aggregate([("amount_usd", "sum"), ("project_id", "count_distinct")])
    return totals.sort_by([("amount_usd_sum", "descending"), ("voter", "ascending")])
