"""A graph asset with partitions, which makes a range of them at once: for tests of steps and of the executor."""

from typing import Any

import dagster as dg
from adapters_kit import letters, note, table, values


@dg.op
def upper(data: Any) -> Any:
    note("upper")
    if isinstance(data, dict):
        return {key: table(*(x.upper() for x in values(one))) for key, one in data.items()}
    return table(*(x.upper() for x in values(data)))


@dg.graph_asset(
    ins={"data": dg.AssetIn("part")},
    partitions_def=letters,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def loud(data: Any) -> Any:
    return upper(data)
