"""An overview of a store: diverged tables, reuse over time, slow and big tables, and tables that can never be reused.

Pure: the rows come from the catalog, the days of runs and the reasons on record from the caller. The numbers of
reuse are of the tenant's runs in every deployment, all others of one deployment's current tables.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jammi_dagster.catalog import CurrentCost, Outcomes
from jammi_dagster.contract.tables import asset_of

MOST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Costly:
    """An asset with what its current tables cost together, in seconds or bytes, and its costliest table."""

    asset: str
    tables: int
    total: float
    costliest: str
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NeverReused:
    """An asset with tables that can never be reused, and the reasons that its last one recorded, with the way out."""

    asset: str
    tables: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reuse:
    """Tables that runs computed and reused, by day (UTC, the last one first, days without runs too).

    `days` is None where no Dagster instance tells when runs were; `total` then counts all runs on record, and is None
    where these are too many to count.
    """

    total: Outcomes | None
    days: Mapping[str, Outcomes] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """An overview of the current tables of one deployment. Lists are cut at the most that was asked for.

    `others` are the other deployments. `diverged` are tables whose last computation gave other bytes than an earlier
    one of the same definition and inputs, `diverged_tables` is their number, `never_assets` that of `never_reused`.
    """

    deployment: str
    others: tuple[str, ...]
    tables: int
    size_bytes: int
    diverged: tuple[CurrentCost, ...]
    diverged_tables: int
    reuse: Reuse
    slowest: tuple[Costly, ...]
    never_reused: tuple[NeverReused, ...]
    never_assets: int
    biggest: tuple[Costly, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the overview as JSON."""
        total, days = self.reuse.total, self.reuse.days
        return {
            "deployment": self.deployment,
            "other_deployments": list(self.others),
            "tables": self.tables,
            "bytes": self.size_bytes,
            "diverged_tables": self.diverged_tables,
            "diverged": [
                {"table": one.table, "created_at": one.created_at, "produced_by": one.produced_by}
                for one in self.diverged
            ],
            "reuse": {
                "total": None if total is None else _outcomes(total),
                "days": None
                if days is None
                else [{"day": day, **_outcomes(one)} for day, one in days.items()],
            },
            "slowest": [_costly(one, "seconds") for one in self.slowest],
            "never_reused_assets": self.never_assets,
            "never_reused": [
                {"asset": one.asset, "tables": one.tables, "reasons": list(one.reasons)}
                for one in self.never_reused
            ],
            "biggest": [_costly(one, "bytes") for one in self.biggest],
        }


def overview(
    costs: Iterable[CurrentCost],
    reuse: Reuse,
    reasons_of: Callable[[CurrentCost], Sequence[str]],
    *,
    deployment: str,
    others: Sequence[str] = (),
    most: int = MOST,
) -> Overview:
    """Make the overview of current tables. `reasons_of` is asked for at most `most` tables, one of each asset."""
    by_asset: dict[str, list[CurrentCost]] = {}
    for cost in costs:
        by_asset.setdefault(asset_of(cost.table), []).append(cost)
    every = [cost for of_asset in by_asset.values() for cost in of_asset]
    diverged = [cost for cost in every if cost.reproducibility == "diverged"]
    never = {asset: found for asset, of in by_asset.items() if (found := [c for c in of if c.is_unpinned])}
    dearest = heapq.nlargest(most, never, key=lambda asset: sum(cost.seconds or 0 for cost in never[asset]))
    return Overview(
        deployment=deployment,
        others=tuple(others),
        tables=len(every),
        size_bytes=sum(cost.size_bytes or 0 for cost in every),
        diverged=tuple(heapq.nlargest(most, diverged, key=_made_at)),
        diverged_tables=len(diverged),
        reuse=reuse,
        slowest=_costliest(by_asset, lambda cost: cost.seconds, most),
        never_reused=tuple(
            NeverReused(
                asset=asset,
                tables=len(never[asset]),
                reasons=tuple(reasons_of(max(never[asset], key=_made_at))),
            )
            for asset in dearest
        ),
        never_assets=len(never),
        biggest=_costliest(by_asset, lambda cost: cost.size_bytes, most),
    )


def _costliest(
    by_asset: Mapping[str, Sequence[CurrentCost]], cost_of: Callable[[CurrentCost], float | None], most: int
) -> tuple[Costly, ...]:
    """Rank the assets by the cost of all their tables; those of a cost that is known."""
    found = []
    for asset, tables in by_asset.items():
        known = [(cost, one.table) for one in tables if (cost := cost_of(one)) is not None]
        if known:
            cost, table = max(known)
            total = sum(cost for cost, _ in known)
            found.append(Costly(asset=asset, tables=len(known), total=total, costliest=table, cost=cost))
    return tuple(heapq.nlargest(most, found, key=lambda one: one.total))


def _made_at(cost: CurrentCost) -> str:
    return cost.created_at


def _outcomes(found: Outcomes) -> dict[str, Any]:
    return {**found._asdict(), "hit_rate": found.hit_rate}


def _costly(found: Costly, unit: str) -> dict[str, Any]:
    return {
        "asset": found.asset,
        "tables": found.tables,
        unit: found.total,
        "costliest": {"table": found.costliest, unit: found.cost},
    }
