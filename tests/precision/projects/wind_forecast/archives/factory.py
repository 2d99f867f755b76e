"""Assets for one archive: the list of its files, their values, and the mean of these."""

import dataclasses as dc
import datetime as dt
import pathlib
from typing import Protocol

import dagster as dg
import numpy as np
import pandas as pd


class Fetcher(Protocol):
    def columns(self) -> list[str]: ...

    def convert(self, raw: pd.DataFrame) -> pd.DataFrame: ...


@dc.dataclass
class MakeOptions:
    """Options of `make_definitions`."""

    area: str
    fetcher: Fetcher
    folder: str
    partitions: dg.PartitionsDefinition

    def key_prefix(self) -> list[str]:
        return ["nwp", self.area]


@dc.dataclass
class MakeOutputs:
    """Assets of `make_definitions`."""

    source: dg.AssetsDefinition
    values: dg.AssetsDefinition
    mean: dg.AssetsDefinition

    def list_assets(self) -> list[dg.AssetsDefinition]:
        return [self.source, self.values, self.mean]


def make_definitions(opts: MakeOptions) -> MakeOutputs:
    @dg.asset(name="source", key_prefix=opts.key_prefix(), partitions_def=opts.partitions)
    def _source(context: dg.AssetExecutionContext) -> list[str]:
        started = dt.datetime.now(tz=dt.timezone.utc)
        found = sorted(str(path) for path in pathlib.Path(opts.folder).glob(f"{context.partition_key}*.csv"))
        context.log.info("listed in %s", dt.datetime.now(tz=dt.timezone.utc) - started)
        return found

    @dg.asset(
        name="values", key_prefix=opts.key_prefix(), partitions_def=opts.partitions, ins={"raw": dg.AssetIn("raw_nwp")}
    )
    def _values(context: dg.AssetExecutionContext, raw: pd.DataFrame) -> dg.Output[pd.DataFrame]:
        started = dt.datetime.now(tz=dt.timezone.utc)
        converted = opts.fetcher.convert(raw)[opts.fetcher.columns()]
        elapsed = dt.datetime.now(tz=dt.timezone.utc) - started
        return dg.Output(
            converted,
            metadata={
                "inittime": dg.MetadataValue.text(context.partition_key),
                "elapsed_mins": dg.MetadataValue.float(elapsed / dt.timedelta(minutes=1)),
            },
        )

    @dg.asset(name="mean", key_prefix=opts.key_prefix(), ins={"values": dg.AssetIn([*opts.key_prefix(), "values"])})
    def _mean(values: dict[str, pd.DataFrame]) -> pd.DataFrame:
        stacked = np.stack([values[key].to_numpy() for key in sorted(values)])
        return pd.DataFrame(stacked.mean(axis=0), columns=opts.fetcher.columns())

    return MakeOutputs(source=_source, values=_values, mean=_mean)
