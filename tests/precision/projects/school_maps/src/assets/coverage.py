"""Coverage of schools: raw upload, checks, merge."""

import io

import dagster as dg
import geopandas as gpd
import pandas as pd
import pandera.pandas as pa
import sqlalchemy
from shapely.geometry import Point

from ..quality import row_level_checks, split
from ..quality.geometry import haversine
from ..settings import constants, settings
from ..utils.loaders import SchoolSchema, changelog, pandas_loader


class FileConfig(dg.Config):
    filepath: str
    country_code: str
    metadata: dict = {}

    @property
    def destination(self) -> str:
        return f"{constants.dataset_prefix(self.country_code)}/{self.filepath.split('/')[-1]}"


STAGING = pa.DataFrameSchema(
    {"school_id": pa.Column("string"), "students": pa.Column("Int64", nullable=True, checks=pa.Check.ge(0))}
)


@dg.asset
def coverage_raw(config: FileConfig) -> bytes:
    with open(f"/mnt/{settings.STORAGE_ACCOUNT}/{config.filepath}", "rb") as file:
        return file.read()


@dg.asset
def coverage_rows(config: FileConfig, coverage_raw: bytes) -> pd.DataFrame:
    with io.BytesIO(coverage_raw) as buffer:
        buffer.seek(0)
        return pandas_loader(buffer, config.filepath)


@dg.asset
def coverage_quality(coverage_rows: pd.DataFrame) -> pd.DataFrame:
    return row_level_checks(coverage_rows)


@dg.asset
def coverage_passed(context: dg.AssetExecutionContext, coverage_quality: pd.DataFrame) -> dg.Output[pd.DataFrame]:
    passed, failed = split(coverage_quality)
    context.log.info(f"{len(failed)} rows failed")
    return dg.Output(passed, metadata={"failed": len(failed)})


@dg.asset
def coverage_bronze(config: FileConfig, coverage_passed: pd.DataFrame) -> dg.Output[pd.DataFrame]:
    df = SchoolSchema.conform(coverage_passed).assign(country=config.country_code)
    return dg.Output(df, metadata={**config.metadata, "destination": config.destination})


@dg.asset
def coverage_staging(coverage_bronze: pd.DataFrame) -> pd.DataFrame:
    return STAGING.validate(coverage_bronze)


@dg.asset
def coverage_version(coverage_staging: pd.DataFrame) -> pd.DataFrame:
    return coverage_staging.assign(version=changelog.next())


@dg.asset
def near_schools(schools: pd.DataFrame, towers: pd.DataFrame) -> pd.DataFrame:
    """Schools that have a tower within the distance that the settings allow."""
    pairs = schools.merge(towers, how="cross", suffixes=("", "_tower"))
    distance = pairs.apply(
        lambda row: haversine(row["latitude"], row["longitude"], row["latitude_tower"], row["longitude_tower"]), axis=1
    )
    return pairs[distance < settings.MAX_DISTANCE_KM]


@dg.asset
def nearest_tower(schools: pd.DataFrame, towers: pd.DataFrame) -> pd.DataFrame:
    def nearest(school):
        distances = [
            (haversine(school.latitude, school.longitude, tower.latitude, tower.longitude), tower.tower_id)
            for tower in towers.itertuples()
        ]
        return min(distances, default=(None, None))[1]

    return schools.assign(tower=[nearest(school) for school in schools.itertuples()])


@dg.asset
def school_points(schools: pd.DataFrame) -> gpd.GeoDataFrame:
    points = [Point(lon, lat) for lon, lat in zip(schools["longitude"], schools["latitude"])]
    return gpd.GeoDataFrame(schools, geometry=points, crs="EPSG:4326")


@dg.asset
def school_districts(school_points: gpd.GeoDataFrame, districts: gpd.GeoDataFrame) -> pd.DataFrame:
    joined = gpd.sjoin(school_points, districts, how="left", predicate="within")
    return pd.DataFrame(joined.drop(columns="geometry"))


@dg.asset
def upload_record(config: FileConfig, coverage_raw: bytes) -> dict:
    engine = sqlalchemy.create_engine("postgresql://portal/uploads")
    with engine.connect() as connection:
        row = connection.execute(sqlalchemy.text("select * from uploads where path = :p"), {"p": config.filepath})
        return dict(row.one()._mapping)


external = [dg.AssetSpec(name) for name in ("schools", "towers", "districts")]
defs = dg.Definitions(assets=dg.load_assets_from_current_module(include_specs=True))
