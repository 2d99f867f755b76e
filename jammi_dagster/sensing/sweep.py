"""Staleness of every current table at once, in a few queries however many there are.

Rules: all verdicts belong to one state of the catalog; a sweep gives each table the verdict that `judge` gives it
alone. Equal strings answer for most tables without decoding their anchors: 2 µs rather than 50.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeAlias

from jammi_dagster.artifacts import ArtifactRoot
from jammi_dagster.catalog import CurrentRow
from jammi_dagster.catalog.records import decode_anchors
from jammi_dagster.contract import (
    Acceptance,
    AnchorKind,
    CurrentAnchor,
    DefinitionHash,
    InputAnchor,
    Staleness,
)
from jammi_dagster.errors import InvalidField, JammiError
from jammi_dagster.lineage.graph import nearest_above
from jammi_dagster.sensing.observations import Observations
from jammi_dagster.sensing.rows import Rows
from jammi_dagster.sensing.staleness import Resolver, judge

# tables of one fan-out record the same set one after another; a fan-in's set is large
_SETS_KEPT = 16
Damaged: TypeAlias = Callable[[str, JammiError], Staleness]
_DIGEST = AnchorKind.RESULT_DIGEST.value
_raw_decode = json.JSONDecoder().raw_decode


def sweep(
    rows: Rows,
    root: ArtifactRoot,
    definitions: Mapping[str, DefinitionHash | str],
    observations: Observations,
    *,
    damaged: Damaged | None = None,
) -> Iterator[tuple[str, Staleness]]:
    """Yield the verdict on each current table that `definitions` names, sorted by name, with its stale ancestor.

    All tables are judged before the first verdict is yielded. A table that `definitions` does not name counts as an
    ancestor too, judged by its inputs alone if it can be judged at all. Raise `InvalidField` for a bad row or
    definition, and as storage and surfaces do.

    Args:
        rows: the catalog's rows, in one scope.
        root: the root of the artifacts.
        definitions: the current definition of each table in question.
        observations: the present versions of external inputs.
        damaged: gives the verdict on a table whose recorded inputs cannot be read, instead of `InvalidField`.
    """
    with rows.frozen() as frozen:
        judged = _judge_all(frozen, root, definitions, observations, damaged)
    stale = sorted(table for table, verdict in judged.others.items() if verdict.staleness == "stale")
    above = nearest_above(stale, judged.derived()) if stale else {}
    fresh = functools.cache(functools.partial(replace, Staleness.fresh()))
    for table in sorted(judged.asked):
        verdict, top = judged.others.get(table), above.get(table)
        if verdict is None:
            yield table, fresh(stale_ancestor=top)
        else:
            yield table, verdict if top is None else replace(verdict, stale_ancestor=top)


def sweep_inputs(
    rows: Rows, root: ArtifactRoot, observations: Observations
) -> Iterator[tuple[str, Staleness | None]]:
    """Yield the verdict on the inputs of each current table, as if its definition stood still, in no order.

    None means that all inputs are as recorded. Nothing is known of the code: such a table may be stale all the same.
    """
    with rows.frozen() as frozen:
        judged = _judge_all(frozen, root, None, observations, None)
    for table in judged.asked:
        yield table, judged.others.get(table)


@dataclass(slots=True)
class _Judgement:
    """The result of a pass over all current tables.

    Attributes:
        asked: the tables that the caller asked for.
        others: the verdict on every table that is not plainly fresh, asked for or not.
        hiding: the names of a tenant's own tables that hide global ones.
        inputs: each table with its recorded sources; True if those are names of global tables.
    """

    asked: list[str] = field(default_factory=list)
    others: dict[str, Staleness] = field(default_factory=dict)
    hiding: set[str] = field(default_factory=set)
    inputs: list[tuple[str, Sequence[str], bool]] = field(default_factory=list)

    def derived(self) -> dict[str, list[str]]:
        """Map each input that is not hidden to the tables one hop downstream of it."""
        derived: dict[str, list[str]] = collections.defaultdict(list)
        for table, sources, are_global in self.inputs:
            for source in sources:
                if not (are_global and source in self.hiding):
                    derived[source].append(table)
        return derived


def _judge_all(
    rows: Rows,
    root: ArtifactRoot,
    definitions: Mapping[str, DefinitionHash | str] | None,
    observations: Observations,
    damaged: Damaged | None,
) -> _Judgement:
    """Judge every current table; without `definitions`, each is asked for with the one that it recorded."""
    scopes: dict[str, _Scope] = {}
    judged, acceptances = _Judgement(), rows.acceptances()
    with contextlib.closing(rows.current_rows()) as current:
        for row in current:
            if row.tenant not in scopes:
                scopes[row.tenant] = _Scope(rows.for_tenant(row.tenant), root, observations)
            scope = scopes[row.tenant]
            definition = row.definition_hash if definitions is None else definitions.get(row.table)
            recorded = scope.recorded(row.anchors_json)
            if recorded.sources:
                judged.inputs.append((row.table, recorded.sources, scope.rows is not rows))
            if row.hides:
                judged.hiding.add(row.table)
            is_fresh = recorded.are_current and row.definition_hash is not None
            if definition is not None or definitions is None:
                judged.asked.append(row.table)
                if not is_fresh or row.definition_hash != definition:
                    judged.others[row.table] = _judged(
                        scope, row, definition, acceptances.get(row.table), damaged
                    )
            elif not is_fresh:
                with contextlib.suppress(JammiError):  # not asked for: its faults are not the caller's
                    judged.others[row.table] = scope.judge(row, row.definition_hash)
    return judged


def _judged(
    scope: _Scope,
    row: CurrentRow,
    definition: str | None,
    accepted: Acceptance | None,
    damaged: Damaged | None,
) -> Staleness:
    try:
        return scope.judge(row, definition, accepted)
    except InvalidField as error:
        if damaged is None:
            raise
        return damaged(row.table, error)


class _AnchorFacts(NamedTuple):
    """The facts about a list of anchors that comparing strings shows."""

    sources: Sequence[str]
    are_current: bool  # each equals the digest of today; False also if strings cannot tell


_NOTHING = _AnchorFacts((), False)


class _Scope:
    """A judge of one tenant's rows. A global row's inputs resolve among the global tables, whoever asks."""

    def __init__(self, rows: Rows, root: ArtifactRoot, observations: Observations) -> None:
        self.rows = rows
        self._digests = rows.digests()
        self._one_by_one = Resolver(rows, root, observations).current_anchor
        self._decode = functools.lru_cache(_SETS_KEPT)(
            functools.partial(decode_anchors, where="recorded inputs")
        )
        self._one_string: dict[str, str] = {}  # many lists hold the same name: they share one string
        self.recorded = functools.lru_cache(_SETS_KEPT)(self._recorded)

    def _recorded(self, anchors_json: str | None) -> _AnchorFacts:
        """Compare recorded anchors with the digests of today; know nothing if there is no list."""
        if anchors_json is None:
            return _NOTHING
        sources, are_current = list[str](), self._digests is not None
        digests, one = self._digests or {}, self._one_string
        try:
            anchors, end = _raw_decode(anchors_json)
            for anchor in anchors:
                source = anchor["source"]
                digest = digests.get(source)
                sources.append(one.setdefault(source, source))
                if digest is None or digest != anchor["anchor"] or anchor["kind"] != _DIGEST:
                    are_current = False
        except (ValueError, TypeError, LookupError, RecursionError):
            return _NOTHING
        if not isinstance(anchors, list) or end != len(anchors_json):
            return _NOTHING
        return _AnchorFacts(tuple(sources), are_current)

    def judge(self, row: CurrentRow, definition: str | None, accepted: Acceptance | None = None) -> Staleness:
        """Judge one row, as `staleness.judge` does a single table."""
        if row.definition_hash is None or row.anchors_json is None or definition is None:
            return Staleness.missing_manifest()
        are_current = self.recorded(row.anchors_json).are_current
        anchors = () if are_current else self._decode(row.anchors_json, row.anchor_order)
        return judge(row.definition_hash, anchors, DefinitionHash(definition), self._resolve, accepted)

    def _resolve(self, anchor: InputAnchor) -> CurrentAnchor:
        if self._digests is None or anchor.kind is not AnchorKind.RESULT_DIGEST:
            return self._one_by_one(anchor)
        digest = self._digests.get(anchor.source)
        if digest is None:  # no such table, or one from before the contract: then its bytes tell
            return self._one_by_one(anchor) if anchor.source in self._digests else CurrentAnchor.vanished()
        return CurrentAnchor.result_digest(digest)
