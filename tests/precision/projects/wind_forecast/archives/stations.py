"""Two areas, with fetchers that differ in their units."""

import dataclasses as dc

import dagster as dg
import pandas as pd

from .factory import MakeOptions, make_definitions

partitions = dg.DailyPartitionsDefinition(start_date="2024-01-01")


@dc.dataclass(frozen=True)
class KnotsFetcher:
    factor: float = 0.514444

    def columns(self) -> list[str]:
        return ["u", "v"]

    def convert(self, raw: pd.DataFrame) -> pd.DataFrame:
        return raw.assign(u=raw["u"] * self.factor, v=raw["v"] * self.factor)


uk = make_definitions(MakeOptions(area="uk", fetcher=KnotsFetcher(), folder="/mnt/uk", partitions=partitions))
india = make_definitions(
    MakeOptions(area="india", fetcher=KnotsFetcher(factor=1.0), folder="/mnt/india", partitions=partitions)
)
assets = [*uk.list_assets(), *india.list_assets()]
