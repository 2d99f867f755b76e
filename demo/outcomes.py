"""What a run did to each table, read from Dagster's events, and printed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import dagster as dg

HEADINGS = ("result table", "outcome", "rows", "seconds", "saved", "digest")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one materialization event says, and how long its step took.

    `outcome` and `rows` are unknown for an asset on another IO manager, which says neither.
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
    """The outcome of every step of a run, in the order in which they ended."""
    made: dict[str, dg.AssetMaterialization] = {}
    ended = []
    for event in events:
        if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION and event.step_key:
            made[event.step_key] = event.step_materialization_data.materialization
        elif event.event_type == dg.DagsterEventType.STEP_SUCCESS and event.step_key in made:
            ended.append(outcome(made[event.step_key], event.step_success_data.duration_ms / 1000))
    return ended


def outcome(made: dg.AssetMaterialization, seconds: float) -> Outcome:
    """The outcome that a step reports of what it made."""
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
    """The outcomes as a table of aligned columns."""
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
