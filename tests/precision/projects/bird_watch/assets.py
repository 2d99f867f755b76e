import io
import os
import subprocess
import tempfile
import time
import zipfile

import dagster as dg
import duckdb
import pandas as pd
import requests
from dagster import AssetExecutionContext, asset, file_relative_path

from . import constants
from .resources import Checklists, DuckDBResource, Sling


def download_and_extract(context: AssetExecutionContext, url: str):
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        started = time.time()
        file.write(requests.get(url).content)
        file.seek(0)
        with zipfile.ZipFile(file.name) as archive:
            names = archive.namelist()
            archive.extractall(file_relative_path(__file__, "../data/raw"))
        context.log.info("Extracted in {:.1f} s".format(time.time() - started))
        return names


@asset(group_name="raw_data")
def checklist_2020(context: AssetExecutionContext) -> list:
    return download_and_extract(context, constants.CHECKLIST_2020)


@asset(group_name="raw_data")
def checklist_2023(context: AssetExecutionContext) -> list:
    return download_and_extract(context, constants.CHECKLIST_2023)


@asset(deps=[checklist_2020, checklist_2023], group_name="prepared")
def birds(context: AssetExecutionContext, duckdb: DuckDBResource) -> pd.DataFrame:
    with duckdb.get_connection() as connection:
        connection.execute("create or replace table birds as (select * from read_csv_auto('../data/raw/*.csv'))")
        count = connection.execute("select count(*) from birds").fetchone()[0]
        context.add_output_metadata({"num_rows": count})
        return connection.execute("select * from birds").df()


@asset(group_name="raw_data")
def bird_toots() -> pd.DataFrame:
    result = subprocess.run(["steampipe", "query", constants.TOOTS_QUERY, "--output", "csv"], stdout=subprocess.PIPE)
    return pd.read_csv(io.BytesIO(result.stdout))


@asset(group_name="raw_data")
def tickets_raw(context: AssetExecutionContext, sling: Sling) -> int:
    return sling.sync("tickets", "warehouse")


@asset(group_name="prepared")
def parsed_checklist(checklist_csv: bytes) -> pd.DataFrame:
    """A checklist from the bytes of a file, which an upstream asset holds."""
    return pd.read_csv(io.BytesIO(checklist_csv), dtype={"how_many": "Int64"})


@asset(group_name="prepared")
def unzipped_checklist(checklist_zip: bytes) -> pd.DataFrame:
    with zipfile.ZipFile(io.BytesIO(checklist_zip)) as archive:
        frames = [pd.read_csv(io.BytesIO(archive.read(name))) for name in sorted(archive.namelist())]
    return pd.concat(frames, ignore_index=True)


@asset(group_name="prepared")
def seasonal_birds(birds: pd.DataFrame) -> pd.DataFrame:
    return birds.assign(season=birds["month"].map(constants.SEASONS))


@asset(group_name="prepared")
def seen_birds(birds: pd.DataFrame, checklists: Checklists) -> pd.DataFrame:
    return checklists.seen(birds)


@asset(group_name="analysis")
def top_birds_by_year(birds: pd.DataFrame) -> pd.DataFrame:
    return duckdb.query(
        """
        select year, species, sum(how_many) as n
        from birds group by year, species
        qualify row_number() over (partition by year order by n desc, species) = 1
        order by year
        """
    ).df()


@asset(group_name="analysis")
def species_matrix(birds: pd.DataFrame, species: pd.DataFrame) -> pd.DataFrame:
    named = birds.join(species.set_index("species_code"), on="species_code")
    return pd.crosstab(named["site"], named["common_name"]).sort_index(axis=0).sort_index(axis=1)


@asset(group_name="analysis")
def packed_birds(birds: pd.DataFrame) -> bytes:
    """The table in a file of its own, by way of a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "birds.csv")
        birds.to_csv(path, index=False)
        with open(path, "rb") as file:
            return file.read()


@asset(group_name="analysis")
def bird_sites(context: AssetExecutionContext, sites: pd.DataFrame, birds: pd.DataFrame) -> dg.Output:
    started = time.perf_counter()
    merged = sites.merge(birds.groupby("site")["how_many"].sum().reset_index(), on="site")
    return dg.Output(merged, metadata={"seconds": time.perf_counter() - started, "rows": len(merged)})


@asset(group_name="analysis")
def bird_of_the_day(birds: pd.DataFrame) -> str:
    day = time.localtime().tm_yday
    names = sorted(birds["species"].unique())
    return names[day % len(names)]
