"""Staleness of every current table at once, in four queries however many there are."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from jammi_dagster.artifacts import ArtifactRoot
from jammi_dagster.catalog import CurrentRow
from jammi_dagster.catalog.records import decode_anchors
from jammi_dagster.contract import AnchorKind, CurrentAnchor, DefinitionHash, InputAnchor, Staleness
from jammi_dagster.errors import JammiError
from jammi_dagster.lineage import edges_by_input, nearest_above
from jammi_dagster.sensing.observations import Observations
from jammi_dagster.sensing.rows import Rows
from jammi_dagster.sensing.staleness import Resolver, judge

# fan-outs record one set many times in a row, and a fan-in's is large
_SETS_KEPT = 16


def sweep(
    rows: Rows,
    root: ArtifactRoot,
    definitions: Mapping[str, DefinitionHash | str],
    observations: Observations,
) -> Iterator[tuple[str, Staleness]]:
    """The verdict on each current table that `definitions` names, by name, and whether an ancestor of it is stale.

    All are judged, in one state of the catalog, before the first is given. A table that `definitions` does not name
    counts as an ancestor too, by its inputs alone and where that can be said. Raises `InvalidField` for a bad row or
    definition, and what storage and surfaces raise.
    """
    with rows.frozen() as frozen:
        tables, others = _judge_all(frozen, root, definitions, observations)
        stale = [table for table, verdict in others.items() if verdict.staleness == "stale"]
        above = nearest_above(stale, edges_by_input(frozen.edges())) if stale else {}
    fresh = Staleness.fresh()
    for table in tables:
        verdict = others.get(table, fresh)
        yield table, replace(verdict, stale_ancestor=above[table]) if table in above else verdict


def _judge_all(
    rows: Rows,
    root: ArtifactRoot,
    definitions: Mapping[str, DefinitionHash | str],
    observations: Observations,
) -> tuple[list[str], dict[str, Staleness]]:
    """The names of the tables that are asked for, and the verdict on each table at all that is not fresh."""
    scopes: dict[str, _Scope] = {}
    asked, others = list[str](), dict[str, Staleness]()
    with contextlib.closing(rows.current_rows()) as current:
        for row in current:
            if row.tenant not in scopes:
                scopes[row.tenant] = _Scope(rows.for_tenant(row.tenant), root, observations)
            scope, definition = scopes[row.tenant], definitions.get(row.table)
            if definition is not None:
                asked.append(row.table)
                if not scope.is_plainly_fresh(row, definition):
                    others[row.table] = scope.judge(row, definition)
            elif not scope.is_plainly_fresh(row, row.definition_hash):
                with contextlib.suppress(JammiError):  # nobody asked for it
                    others[row.table] = scope.judge(row, row.definition_hash)
    asked.sort()
    return asked, others


class _Scope:
    """Judges the rows of one tenant: a global row's inputs resolve among the global tables, whoever asks."""

    def __init__(self, rows: Rows, root: ArtifactRoot, observations: Observations) -> None:
        self._digests = rows.digests()
        self._one_by_one = Resolver(rows, root, observations).current_anchor
        self._decode = functools.lru_cache(_SETS_KEPT)(
            functools.partial(decode_anchors, where="recorded inputs")
        )
        self._digests_in = functools.lru_cache(_SETS_KEPT)(_digests_in)

    def is_plainly_fresh(self, row: CurrentRow, definition: str | None) -> bool:
        """Whether equal strings show that the row is fresh, as of most tables they do: 5 µs rather than 50."""
        if self._digests is None or definition is None or row.definition_hash != definition:
            return False
        recorded = self._digests_in(row.anchors_json)
        return recorded is not None and all(
            self._digests.get(source) == digest for source, digest in recorded
        )

    def judge(self, row: CurrentRow, definition: str | None) -> Staleness:
        """The verdict, as of a single table."""
        if row.definition_hash is None or definition is None:
            return Staleness.missing_manifest()
        anchors = self._decode(row.anchors_json, row.anchor_order)
        return judge(row.definition_hash, anchors, DefinitionHash(definition), self._resolve)

    def _resolve(self, anchor: InputAnchor) -> CurrentAnchor:
        if self._digests is None or anchor.kind is not AnchorKind.RESULT_DIGEST:
            return self._one_by_one(anchor)
        digest = self._digests.get(anchor.source)
        return CurrentAnchor.vanished() if digest is None else CurrentAnchor.result_digest(digest)


def _digests_in(anchors_json: str | None) -> list[tuple[str, str]] | None:
    """Source and digest of each recorded anchor where all are digests, else None: then they are to be decoded."""
    try:
        anchors = json.loads(anchors_json or "[]")
        if all(anchor["kind"] == AnchorKind.RESULT_DIGEST.value for anchor in anchors):
            return [(anchor["source"], anchor["anchor"]) for anchor in anchors]
    except (ValueError, TypeError, LookupError, RecursionError):
        pass
    return None
