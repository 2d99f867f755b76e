"""The reason why a table's current materialization was made: as its writer recorded it, else found by comparison.

Not done here: the reason of a step that is about to run (`adapters.execution.why`), and of one that is planned
(`adapters.plan`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jammi_dagster.artifacts import ArtifactRoot, read_manifest
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.sensing.difference import difference

FIRST_TIME = "first time"
OWN_KEY = "why"
_NOTHING = "nothing differs from the one before: it was made without reuse, or the earlier bytes were gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The reasons why a materialization was made, the most telling first.

    `is_recorded` tells whether its writer recorded them; otherwise they are the differences from the materialization
    before it, `compared_with`. `produced_by` is the run that made it, `created_at` the instant (RFC 3339).
    """

    table: str
    materialization: str
    reasons: tuple[str, ...]
    produced_by: str
    created_at: str
    is_recorded: bool
    compared_with: str | None = None

    def __str__(self) -> str:
        """Word the reasons in one line."""
        return f"{self.table} was made by run {self.produced_by} on {self.created_at[:19]}: {'; '.join(self.reasons)}"

    def to_dict(self) -> dict[str, Any]:
        """Return the reasons as JSON."""
        return {
            "table": self.table,
            "materialization": self.materialization,
            "reasons": list(self.reasons),
            "produced_by": self.produced_by,
            "created_at": self.created_at,
            "is_recorded": self.is_recorded,
            "compared_with": self.compared_with,
        }


def cause(own: Mapping[str, Any] | None) -> str | None:
    """Word the reasons that a writer recorded, for the history of its table; None where it recorded none.

    >>> cause({"why": ["helper clean changed", "input trips advanced"]})
    'helper clean changed; input trips advanced'
    """
    return "; ".join(_recorded(own)) or None


def _recorded(own: Mapping[str, Any] | None) -> tuple[str, ...]:
    reasons = (own or {}).get(OWN_KEY)
    return tuple(map(str, reasons)) if isinstance(reasons, list) else ()


def why(root: ArtifactRoot, record: MaterializationRecord, history: Sequence[MaterializationRecord]) -> Why:
    """Return why `record` was made. `history` are the materializations of its table, the latest start first."""
    manifest = read_manifest(root, record.artifact_path)
    recorded = _recorded(None if manifest is None else manifest.own)
    before = None if recorded else _before(record, history)
    found = recorded
    if not recorded:
        found = (
            (FIRST_TIME,)
            if before is None
            else tuple(difference(root, before, record).reasons) or (_NOTHING,)
        )
    return Why(
        table=record.table,
        materialization=record.materialization_id,
        reasons=found,
        produced_by=record.produced_by,
        created_at=record.created_at,
        is_recorded=bool(recorded),
        compared_with=None if before is None else before.materialization_id,
    )


def _before(
    record: MaterializationRecord, history: Sequence[MaterializationRecord]
) -> MaterializationRecord | None:
    earlier = (r for r in history if r.status == "ready" and r.start_sequence < record.start_sequence)
    return next(earlier, None)
