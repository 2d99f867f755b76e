"""The stale tables that a launch reads as they are, since it does not make them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

import dagster as dg

from jammi_dagster.adapters.assets.partitions import PartitionsGone
from jammi_dagster.adapters.code_location.current_asset import CurrentAsset
from jammi_dagster.adapters.judgement.evaluator import Evaluator
from jammi_dagster.adapters.judgement.wording import reasons
from jammi_dagster.planning.plan import PlannedTable

_MOST_EXPLAINED = 100  # each takes a read of a sidecar


def stale_inputs(evaluator: Evaluator, rows: Iterable[PlannedTable]) -> dict[str, list[str]]:
    """Return the tables that planned tables read and the launch does not make, if they are stale: with the reasons.

    One that is fresh below a stale one counts too: a run of it would make it anew.
    """
    launched: dict[str, dict[str | None, None]] = {}
    for row in rows:
        launched.setdefault(row.asset, {})[row.partition] = None
    keys = [dg.AssetKey.from_user_string(name) for name in launched]
    read = {
        table: above.key
        for asset in evaluator.assets(keys)
        for table, above in _read(evaluator, asset, launched)
    }
    if not read:
        return {}
    above = evaluator.assets(
        evaluator.location.select(dg.AssetSelection.assets(*set(read.values())).upstream())
    )
    states = evaluator.evaluate(above, seen=evaluator.observe(above)).tables
    stale = [
        states[table]
        for table in read
        if table in states and (states[table].verdict.reasons or states[table].verdict.stale_ancestor)
    ]
    return {
        state.table: reasons(state) if number < _MOST_EXPLAINED else [] for number, state in enumerate(stale)
    }


def _read(
    evaluator: Evaluator, asset: CurrentAsset, launched: Mapping[str, Collection[str | None]]
) -> Iterator[tuple[str, CurrentAsset]]:
    """Yield the tables that the launched tables of an asset read and the launch does not make, with their asset."""
    for upstream in asset.upstreams:
        above = evaluator.asset(upstream.dependency.asset_key)
        if above is None:
            continue
        made = launched.get(above.key.to_user_string(), ())
        others = {table for table, partition in above.tables().items() if partition not in made}
        if not others:
            continue
        for partition in launched[asset.key.to_user_string()]:
            try:
                names = [name for _, name in upstream.tables(None if partition is None else (partition,))]
            except PartitionsGone:
                continue
            yield from ((name, above) for name in names if name in others)
