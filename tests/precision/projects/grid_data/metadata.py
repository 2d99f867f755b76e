"""Codes and column types shared by all transformations."""

from dataclasses import dataclass, field

import pandas as pd

STATES = {"tx": "Texas", "ca": "California", "ny": "New York"}
EMPTY_STRINGS = ("", ".", "n/a", "none", "not available")
PRIME_MOVERS = {
    "GT": "gas_turbine",
    "ST": "steam_turbine",
    "PV": "photovoltaic",
    "WT": "wind_turbine",
}
FUEL_ALIASES = {
    "gas": ["natural gas", "ng", *EMPTY_STRINGS[:1]],
    "coal": ["bituminous", "lignite"],
    "solar": ["sun"],
}
FUEL_OF_ALIAS = {alias: fuel for fuel, aliases in FUEL_ALIASES.items() for alias in aliases}
DTYPES = {"plant_id": "Int64", "capacity_mw": "Float64", "state": "string"}
TIMEZONE_OFFSETS = {"Texas": pd.Timedelta("-6h"), "California": pd.Timedelta("-8h")}


@dataclass(frozen=True)
class Resource:
    """A table, with its primary key and the types of its columns."""

    name: str
    primary_key: tuple[str, ...]
    columns: dict[str, str] = field(default_factory=dict)

    def enforce(self, df: pd.DataFrame) -> pd.DataFrame:
        kept = [name for name in self.columns if name in df.columns]
        typed = df[kept].astype({name: self.columns[name] for name in kept})
        if typed.duplicated(subset=list(self.primary_key)).any():
            raise ValueError(f"{self.name} has duplicates by {self.primary_key}")
        return typed.sort_values(list(self.primary_key), ignore_index=True)


PLANTS = Resource("plants", ("plant_id",), DTYPES)
