"""Is a table still the output of its definition over its inputs' present state? (freshness.rs, `staleness`)

`judge` decides and does no I/O; `Resolver` finds out what the inputs' present state is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from jammi_dagster.artifacts import ArtifactRoot, read_manifest
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract import (
    AnchorKind,
    CurrentAnchor,
    DefinitionHash,
    InputAnchor,
    Staleness,
    StaleReason,
)
from jammi_dagster.sensing.observations import Observations
from jammi_dagster.sensing.rows import Rows


def judge(
    recorded_definition: str | None,
    recorded_inputs: Iterable[InputAnchor],
    current_definition: DefinitionHash,
    resolve: Callable[[InputAnchor], CurrentAnchor],
) -> Staleness:
    """The verdict on a table: definition first, then its inputs in recorded order."""
    if recorded_definition is None:
        return Staleness.missing_manifest()
    decided: list[StaleReason] = []
    unpinned: list[str] = []
    observed: dict[str, str] = {}
    if recorded_definition != current_definition:
        decided.append(StaleReason.definition_changed(recorded_definition, current_definition))
    for anchor in recorded_inputs:
        now = resolve(anchor)
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
        verdict = Staleness.stale(decided) if decided else Staleness.fresh()
    return replace(verdict, observed_at=observed) if observed else verdict


class Resolver:
    """Resolves recorded anchors to the present, each source once for as long as it lives."""

    def __init__(self, reader: Rows, root: ArtifactRoot, observations: Observations) -> None:
        """`observations` answer for `source_version` and `mutable_version` anchors of the same source name."""
        self._reader, self._root, self._observations = reader, root, observations
        self._digests: dict[str, CurrentAnchor] = {}

    def current_anchor(self, anchor: InputAnchor) -> CurrentAnchor:
        """The present state-pointer of the anchor's input. Raises what storage and surfaces raise."""
        if anchor.is_unpinned:
            return CurrentAnchor.undecidable()
        if anchor.kind is not AnchorKind.RESULT_DIGEST:
            return self._observations.current_anchor(anchor.source)
        if anchor.source not in self._digests:
            self.look_up([anchor.source])
        return self._digests[anchor.source]

    def look_up(self, tables: Iterable[str]) -> None:
        """Resolves many tables at once, in a bounded number of queries."""
        wanted = dict.fromkeys(table for table in tables if table not in self._digests)
        found = self._reader.current_of(wanted)
        for table in wanted:
            parent = found.get(table)
            self._digests[table] = CurrentAnchor.vanished() if parent is None else self._digest(parent)

    def _digest(self, parent: MaterializationRecord) -> CurrentAnchor:
        """By its row; where that has none (an engine's), by its sidecar; where there is none, by its bytes."""
        if parent.artifact_digest is not None:
            return CurrentAnchor.result_digest(parent.artifact_digest)
        manifest = read_manifest(self._root, parent.artifact_path)
        if manifest is not None:
            return CurrentAnchor.result_digest(manifest.artifact)
        return CurrentAnchor.result_digest(self._root.digest(parent.artifact_path))
