"""Pinned inputs as sidecars record them, and their distance to the current materializations of now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jammi_dagster.artifacts import ArtifactRoot, read_manifest
from jammi_dagster.catalog import MaterializationRecord, Move, Scope
from jammi_dagster.contract import Staleness
from jammi_dagster.contract.pins import PinnedInput
from jammi_dagster.sensing.rows import Rows

OWN_KEY = "pins"


def moves_behind(moves: Sequence[Move], scope: Scope, materialization_id: str) -> int | None:
    """Count the moves of a name in a deployment since it led to a materialization. `moves` are the latest first.

    Where a branch has moved nothing, those of its parent count.
    """
    here = [move for move in moves if move.deployment == scope.deployment]
    here = here or [move for move in moves if move.deployment == scope.parent]
    mine = [move for move in here if move.tenant == scope.tenant] or here
    return next((i for i, move in enumerate(mine) if move.materialization_id == materialization_id), None)


def pins_behind(
    rows: Rows, root: ArtifactRoot, scope: Scope, record: MaterializationRecord, verdict: Staleness
) -> tuple[PinnedInput, ...]:
    """Return the inputs of a verdict that moved on, where the table was made over a pinned one; reads its sidecar.

    Nothing is read for a verdict under which no input moved. Raises `InvalidManifest`.
    """
    advanced = {reason.source for reason in verdict.reasons if reason.reason == "input_advanced"}
    if not advanced:
        return ()
    manifest = read_manifest(root, record.artifact_path)
    recorded = {} if manifest is None else _recorded(manifest.own)
    return tuple(
        PinnedInput(table=table, materialization_id=one, behind=moves_behind(rows.moves(table), scope, one))
        for table, one in recorded.items()
        if table in advanced
    )


def _recorded(own: Mapping[str, Any] | None) -> dict[str, str]:
    """Map each input that a sidecar records as pinned to its materialization; nothing of a damaged record."""
    pins = (own or {}).get(OWN_KEY)
    found = [pin for pin in pins if isinstance(pin, dict)] if isinstance(pins, list) else []
    keys = ("table", "materialization_id")
    return {pin[keys[0]]: pin[keys[1]] for pin in found if all(isinstance(pin.get(key), str) for key in keys)}
