"""Outcomes of a run's tables, read from Dagster's events, and printed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import dagster as dg

HEADINGS = ("result table", "outcome", "rows", "seconds", "saved", "digest")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One materialization event, and the duration of its step.

    `outcome` and `rows` are unknown for an asset on another IO manager, which reports neither.
    """

    asset: str
    partition: str | None
    outcome: str | None
    rows: int | None
    seconds: float
    saved: float | None
    digest: str

    @property
    def table(self) -> str:
        return f"{self.asset}[{self.partition}]" if self.partition else self.asset


def outcomes(events: Iterable[dg.DagsterEvent]) -> list[Outcome]:
    """List the outcome of every step of a run, in the order in which the steps ended."""
    made: dict[str, dg.AssetMaterialization] = {}
    ended = []
    for event in events:
        if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION and event.step_key:
            made[event.step_key] = event.step_materialization_data.materialization
        elif event.event_type == dg.DagsterEventType.STEP_SUCCESS and event.step_key in made:
            ended.append(outcome(made[event.step_key], event.step_success_data.duration_ms / 1000))
    return ended


def outcome(made: dg.AssetMaterialization, seconds: float) -> Outcome:
    """Read the outcome from the materialization that a step reports."""
    said: dict[str, Any] = {key: value.value for key, value in made.metadata.items()}
    reused = said.get("jammi/cache_outcome") == "reused"
    return Outcome(
        asset=made.asset_key.to_user_string(),
        partition=made.partition,
        outcome=said.get("jammi/cache_outcome"),
        rows=said.get("dagster/partition_row_count", said.get("dagster/row_count")),
        seconds=seconds,
        saved=said["jammi/compute_seconds"] if reused else None,
        digest=(made.tags or {})["dagster/data_version"],
    )


def lines(found: Iterable[Outcome]) -> list[str]:
    """Lay the outcomes out as a table of aligned columns."""
    rows = [HEADINGS, *map(_cells, found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if heading in ("rows", "seconds", "saved") else cell.ljust(width)
            for heading, cell, width in zip(HEADINGS, row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _cells(found: Outcome) -> tuple[str, ...]:
    return (
        found.table,
        found.outcome or "ran",
        "" if found.rows is None else f"{found.rows:,}",
        f"{found.seconds:.2f}",
        "" if found.saved is None else f"{found.saved:.2f}",
        found.digest[:12],
    )
