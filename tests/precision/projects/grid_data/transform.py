"""Transformers of the filings, one class a table, with parameters apart from code."""

import abc
import enum
from collections import defaultdict
from typing import ClassVar

import pandas as pd
from pydantic import BaseModel

from grid_data.helpers import clean_strings, simplify_columns


class TableId(enum.Enum):
    FUEL = "fuel"
    STEAM = "steam"


class UnitConversion(BaseModel):
    multiplier: float = 1.0
    from_unit: str
    to_unit: str


class TableParams(BaseModel):
    rename: dict[str, str] = {}
    strings: list[str] = []
    conversions: dict[str, UnitConversion] = {}
    drop_below: float | None = None


PARAMS = {
    TableId.FUEL: TableParams(
        rename={"fuel_burned_mmbtu": "fuel_mmbtu"},
        strings=["fuel_type"],
        conversions={"cost_per_kg": UnitConversion(multiplier=0.4536, from_unit="kg", to_unit="lb")},
    ),
    TableId.STEAM: TableParams(strings=["plant_name"], drop_below=0.0),
}


class Transformer(abc.ABC):
    """The steps that every table goes through."""

    table_id: ClassVar[TableId]

    def __init__(self, params: TableParams | None = None) -> None:
        self.params = params or PARAMS[self.table_id]

    def transform(self, raw: pd.DataFrame) -> pd.DataFrame:
        return raw.pipe(self.start).pipe(self.main).pipe(self.end)

    def start(self, df: pd.DataFrame) -> pd.DataFrame:
        return simplify_columns(df).rename(columns=self.params.rename)

    @abc.abstractmethod
    def main(self, df: pd.DataFrame) -> pd.DataFrame: ...

    def end(self, df: pd.DataFrame) -> pd.DataFrame:
        return clean_strings(df, self.params.strings)

    def convert_units(self, df: pd.DataFrame) -> pd.DataFrame:
        for column, conversion in self.params.conversions.items():
            new = column.replace(conversion.from_unit, conversion.to_unit)
            df[new] = df.pop(column) * conversion.multiplier
        return df


class FuelTransformer(Transformer):
    table_id = TableId.FUEL

    def main(self, df: pd.DataFrame) -> pd.DataFrame:
        return self.convert_units(df)


class SteamTransformer(Transformer):
    table_id = TableId.STEAM

    def main(self, df: pd.DataFrame) -> pd.DataFrame:
        return df[df["capacity_mw"] > self.params.drop_below].reset_index(drop=True)


def by_state(df: pd.DataFrame) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for plant, state in zip(df["plant_id"], df["state"]):
        found[state].append(plant)
    return dict(found)
