"""Staleness of one table: compare its record with the present definition and inputs (freshness.rs, `staleness`).

`judge` decides and does no I/O; `Resolver` looks up the present state of inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from jammi_dagster.artifacts import ArtifactRoot, read_manifest
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract import (
    Acceptance,
    AnchorKind,
    CurrentAnchor,
    DefinitionHash,
    InputAnchor,
    Staleness,
    StaleReason,
)
from jammi_dagster.contract.dbt_versions import is_dbt_version
from jammi_dagster.sensing.observations import Observations
from jammi_dagster.sensing.rows import Rows


def judge(
    recorded_definition: str | None,
    recorded_inputs: Iterable[InputAnchor],
    current_definition: DefinitionHash,
    resolve: Callable[[InputAnchor], CurrentAnchor],
    accepted: Acceptance | None = None,
) -> Staleness:
    """Judge a table: its definition first, then its inputs in recorded order.

    A definition that differs as the acceptance of the table covers is no reason.

    Args:
        recorded_definition: the recorded hash; None for a table from before the contract.
        recorded_inputs: the recorded anchors, in recorded order.
        current_definition: the hash of the definition as it is now.
        resolve: gives the present state of an anchor's input.
        accepted: the acceptance of the table's current materialization, if one is in force.
    """
    if recorded_definition is None:
        return Staleness.missing_manifest()
    decided: list[StaleReason] = []
    unpinned: list[str] = []
    observed: dict[str, str] = {}
    if accepted is not None and not accepted.covers(recorded_definition, current_definition):
        accepted = None
    if recorded_definition != current_definition and accepted is None:
        decided.append(StaleReason.definition_changed(recorded_definition, current_definition))
    declared: list[str] = []
    for anchor in recorded_inputs:
        now = resolve(anchor)
        if is_dbt_version(anchor.anchor):
            declared.append(anchor.source)
        if now.observed_at is not None:
            observed[anchor.source] = now.observed_at
        if now.current_anchor == "undecidable":
            unpinned.append(anchor.source)
        elif now.current_anchor == "vanished":
            decided.append(StaleReason.input_vanished(anchor.source))
        elif now.value is not None and now.value != anchor.anchor:
            decided.append(StaleReason.input_advanced(anchor.source, anchor.anchor, now.value))
    if unpinned:
        verdict = Staleness.undecidable(unpinned, decided)
    else:
        verdict = Staleness.stale(decided) if decided else Staleness.fresh(accepted, declared)
    return replace(verdict, observed_at=observed) if observed else verdict


class Resolver:
    """A resolver of recorded anchors to the present; it looks up each source once in its life."""

    def __init__(self, reader: Rows, root: ArtifactRoot, observations: Observations) -> None:
        """Keep the sources of answers: tables resolve through `reader`, versions through `observations`."""
        self._reader, self._root, self._observations = reader, root, observations
        self._digests: dict[str, CurrentAnchor] = {}

    def current_anchor(self, anchor: InputAnchor) -> CurrentAnchor:
        """Return the present state of the anchor's input. Raise as storage and surfaces do."""
        if anchor.is_unpinned:
            return CurrentAnchor.undecidable()
        if anchor.kind is not AnchorKind.RESULT_DIGEST:
            return self._observations.current_anchor(anchor.source)
        if anchor.source not in self._digests:
            self.look_up([anchor.source])
        return self._digests[anchor.source]

    def look_up(self, tables: Iterable[str]) -> None:
        """Resolve many tables at once, in a bounded number of queries."""
        wanted = dict.fromkeys(table for table in tables if table not in self._digests)
        found = self._reader.current_of(wanted)
        for table in wanted:
            parent = found.get(table)
            self._digests[table] = CurrentAnchor.vanished() if parent is None else self._digest(parent)

    def _digest(self, parent: MaterializationRecord) -> CurrentAnchor:
        """Return a parent's digest: from its row, else (an engine's row) from its sidecar, else from its bytes."""
        if parent.artifact_digest is not None:
            return CurrentAnchor.result_digest(parent.artifact_digest)
        manifest = read_manifest(self._root, parent.artifact_path)
        if manifest is not None:
            return CurrentAnchor.result_digest(manifest.artifact)
        return CurrentAnchor.result_digest(self._root.digest(parent.artifact_path))
