"""Readers of uploads, by their suffix."""

import io
from pathlib import PurePath

import pandas as pd

LOADERS = {
    ".csv": pd.read_csv,
    ".json": pd.read_json,
    ".parquet": pd.read_parquet,
}


def pandas_loader(data: io.BytesIO, filepath: str) -> pd.DataFrame:
    return LOADERS[PurePath(filepath).suffix.lower()](data)


class SchoolSchema:
    """Columns and types of a master table."""

    version = 2
    columns = {"school_id": "string", "latitude": "float64", "longitude": "float64", "students": "Int64"}

    @classmethod
    def conform(cls, df: pd.DataFrame) -> pd.DataFrame:
        for name in cls.columns:
            if name not in df:
                df = df.assign(**{name: pd.NA})
        return df[list(cls.columns)].astype(cls.columns)

    @staticmethod
    def country_of(filename: str) -> str:
        return filename.split("_")[1].upper()


class Changelog:
    """Counts of the loads of this process."""

    def __init__(self) -> None:
        self.version = 0

    def next(self) -> int:
        self.version += 1
        return self.version


changelog = Changelog()
