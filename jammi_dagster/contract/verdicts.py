"""Verdicts of the sensing layer. Each `to_dict()` is the engine's JSON (freshness.rs, serde's tagged enums).

Rules: `fresh` and `match` assert; an input that cannot be resolved never leads to either. A verdict is a result, not an
error. Not done here: judging (see `sensing.staleness` and `sensing.verify`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from jammi_dagster.contract.acceptance import DECLARED, Acceptance
from jammi_dagster.contract.anchors import AnchorKind
from jammi_dagster.contract.fields import Fields
from jammi_dagster.contract.pins import PinnedInput


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleReason:
    """One determinant that differs from its record: the definition, or one input.

    `recorded` and `current` are hashes for `definition_changed` and anchors for `input_advanced`; `source` is the input
    for `input_advanced` and `input_vanished`.

    >>> StaleReason.input_advanced("orders", "1f0c", "77aa").to_dict()
    {'reason': 'input_advanced', 'source': 'orders', 'recorded': '1f0c', 'current': '77aa'}
    """

    reason: Literal["definition_changed", "input_advanced", "input_vanished"]
    source: str | None = None
    recorded: str | None = None
    current: str | None = None

    @classmethod
    def definition_changed(cls, recorded: str, current: str) -> StaleReason:
        """Report that the current definition has another hash than the recorded one."""
        return cls(reason="definition_changed", recorded=str(recorded), current=str(current))

    @classmethod
    def input_advanced(cls, source: str, recorded: str, current: str) -> StaleReason:
        """Report that the input's present anchor is not the recorded one."""
        return cls(reason="input_advanced", source=source, recorded=recorded, current=current)

    @classmethod
    def input_vanished(cls, source: str) -> StaleReason:
        """Report that the input is gone, so the table can never be reproduced from it."""
        return cls(reason="input_vanished", source=source)

    @classmethod
    def from_dict(cls, value: object) -> StaleReason:
        """Read a reason. Raise `InvalidField`."""
        fields = Fields(value, "stale reason")
        match fields.take("reason", str):
            case "definition_changed":
                return cls.definition_changed(fields.take("recorded", str), fields.take("current", str))
            case "input_advanced":
                source = fields.take("source", str)
                return cls.input_advanced(source, fields.take("recorded", str), fields.take("current", str))
            case "input_vanished":
                return cls.input_vanished(fields.take("source", str))
            case _:
                raise fields.bad("reason", "definition_changed, input_advanced or input_vanished")

    def to_dict(self) -> dict[str, Any]:
        """Return the engine's JSON: the tag, then the fields of that variant."""
        fields = {"source": self.source, "recorded": self.recorded, "current": self.current}
        return {"reason": self.reason, **{k: v for k, v in fields.items() if v is not None}}


FRESH_FOR_NOW = "fresh_for_now"
"""The word for a fresh table below a stale one."""

_IN_WORDS = {
    "bytes_missing": "without bytes",
    "missing": "never materialized",
    "missing_manifest": "without a record",
    "not_replayable": "with an invalid config",
}


def in_words(kind: str) -> str:
    """Return a verdict, or another word for the state of a table, as people read it.

    >>> in_words("fresh_for_now"), in_words("missing_manifest")
    ('fresh for now', 'without a record')
    """
    return _IN_WORDS.get(kind, kind.replace("_", " "))


@dataclass(frozen=True, slots=True, kw_only=True)
class Staleness:
    """The verdict on a ready table: still the output of its definition over its inputs' present state, or not.

    Five attributes stand beside the verdict and do not count when verdicts are compared: `observed_at`,
    `stale_ancestor`, `accepted`, `pinned`, `declared`.

    Attributes:
        staleness: `fresh`, `stale`, `undecidable` or `missing_manifest`.
        reasons: every reason of a `stale` verdict; the certain ones of an `undecidable` verdict.
        unpinned: the sources whose present anchor could not be resolved.
        observed_at: by source, the instant (RFC 3339) at which a version surface observed it.
        stale_ancestor: after a sweep, the nearest stale table upstream. A table is fresh all the way up only without
            one.
        accepted: the acceptance by which a table counts as the output of code that did not make it; then the verdict is
            `fresh`, and its `grade` is `declared`.
        pinned: of the inputs that advanced, the ones that the table was made over by a pin, with their distance to the
            current materialization. Only `ResultStore.staleness` looks for them.
        declared: of a `fresh` verdict, the inputs whose version rests on the word of another system and not on their
            content: models of dbt, which have a new one with each run. Then its `grade` is `declared`.

    >>> verdict = Staleness.stale([StaleReason.input_vanished("orders")])
    >>> verdict.is_fresh
    False
    >>> verdict.to_dict()
    {'staleness': 'stale', 'reasons': [{'reason': 'input_vanished', 'source': 'orders'}]}
    """

    staleness: Literal["fresh", "stale", "undecidable", "missing_manifest"]
    reasons: tuple[StaleReason, ...] = ()
    unpinned: tuple[str, ...] = ()
    observed_at: Mapping[str, str] = field(default_factory=dict, compare=False)
    stale_ancestor: str | None = field(default=None, compare=False)
    accepted: Acceptance | None = field(default=None, compare=False)
    pinned: tuple[PinnedInput, ...] = field(default=(), compare=False)
    declared: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def fresh(cls, accepted: Acceptance | None = None, declared: Sequence[str] = ()) -> Staleness:
        """Judge fresh: every determinant was resolved and is equal, or differs in code that was `accepted`."""
        return cls(staleness="fresh", accepted=accepted, declared=tuple(declared))

    @classmethod
    def stale(cls, reasons: Sequence[StaleReason]) -> Staleness:
        """Judge stale: at least one determinant changed, and every one was resolved."""
        return cls(staleness="stale", reasons=tuple(reasons))

    @classmethod
    def undecidable(cls, unpinned: Sequence[str], decided_reasons: Sequence[StaleReason] = ()) -> Staleness:
        """Judge undecidable: at least one input has no reproducible present anchor."""
        return cls(staleness="undecidable", unpinned=tuple(unpinned), reasons=tuple(decided_reasons))

    @classmethod
    def missing_manifest(cls) -> Staleness:
        """Judge unknown: the table is from before the contract and has no recorded definition."""
        return cls(staleness="missing_manifest")

    @property
    def is_fresh(self) -> bool:
        """True if reuse is safe; no other verdict asserts that."""
        return self.staleness == "fresh"

    @property
    def grade(self) -> str | None:
        """The grade `declared` of a verdict that rests on somebody's word; None of one by comparison alone."""
        return DECLARED if self.accepted is not None or self.declared else None

    @classmethod
    def from_dict(cls, value: object) -> Staleness:
        """Read a verdict. Raise `InvalidField`."""
        fields = Fields(value, "staleness")
        match fields.take("staleness", str):
            case "fresh":
                return cls.fresh()
            case "missing_manifest":
                return cls.missing_manifest()
            case "stale":
                return cls.stale([StaleReason.from_dict(r) for r in fields.take("reasons", list)])
            case "undecidable":
                unpinned = fields.take_strings("unpinned")
                decided = [StaleReason.from_dict(r) for r in fields.take("decided_reasons", list)]
                return cls.undecidable(unpinned, decided)
            case _:
                raise fields.bad("staleness", "fresh, stale, undecidable or missing_manifest")

    def to_dict(self) -> dict[str, Any]:
        """Return the engine's JSON."""
        reasons = [reason.to_dict() for reason in self.reasons]
        match self.staleness:
            case "stale":
                return {"staleness": "stale", "reasons": reasons}
            case "undecidable":
                unpinned = list(self.unpinned)
                return {"staleness": "undecidable", "unpinned": unpinned, "decided_reasons": reasons}
            case _:
                return {"staleness": self.staleness}


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentAnchor:
    """The present state of one recorded input, to be compared with its recorded anchor.

    `value` is an artifact digest for `result_digest`, and a version surface's answer for `version`. `observed_at` is
    the instant (RFC 3339) at which a version surface looked, None if none was asked; it does not count in comparisons.

    >>> CurrentAnchor.version("sha256:1f0c").to_dict()
    {'current_anchor': 'version', 'value': 'sha256:1f0c'}
    """

    current_anchor: Literal["result_digest", "version", "undecidable", "vanished"]
    value: str | None = None
    observed_at: str | None = field(default=None, compare=False)

    @classmethod
    def result_digest(cls, digest: str) -> CurrentAnchor:
        """Report a result table with this artifact digest (hex)."""
        return cls(current_anchor="result_digest", value=digest)

    @classmethod
    def version(cls, version: str) -> CurrentAnchor:
        """Report the version that a version surface gave. The engine has no such variant: it has no surfaces."""
        return cls(current_anchor="version", value=version)

    @classmethod
    def undecidable(cls) -> CurrentAnchor:
        """Report that nothing can give the present version."""
        return cls(current_anchor="undecidable")

    @classmethod
    def vanished(cls) -> CurrentAnchor:
        """Report that the input no longer exists."""
        return cls(current_anchor="vanished")

    def observed(self, at: datetime) -> CurrentAnchor:
        """Return the same anchor with the instant at which a version surface saw it."""
        return replace(self, observed_at=at.isoformat())

    @classmethod
    def from_dict(cls, value: object) -> CurrentAnchor:
        """Read a current anchor. Raise `InvalidField`."""
        fields = Fields(value, "current anchor")
        match fields.take("current_anchor", str):
            case "result_digest":
                return cls.result_digest(fields.take("value", str))
            case "version":
                return cls.version(fields.take("value", str))
            case "undecidable":
                return cls.undecidable()
            case "vanished":
                return cls.vanished()
            case _:
                raise fields.bad("current_anchor", "result_digest, version, undecidable or vanished")

    def to_dict(self) -> dict[str, Any]:
        """Return the tag, and `value` if the variant has one."""
        tag = {"current_anchor": self.current_anchor}
        return tag if self.value is None else {**tag, "value": self.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivesFromEdge:
    """One edge of the lineage: `derived` recorded an anchor of `kind` on `input`.

    >>> DerivesFromEdge(input="orders", derived="turnover", kind=AnchorKind.RESULT_DIGEST).to_dict()
    {'input': 'orders', 'derived': 'turnover', 'kind': 'result_digest'}
    """

    input: str
    derived: str
    kind: AnchorKind

    @classmethod
    def from_dict(cls, value: object) -> DerivesFromEdge:
        """Read an edge. Raise `InvalidField`."""
        fields = Fields(value, "derives-from edge")
        source, derived, kind = (
            fields.take("input", str),
            fields.take("derived", str),
            fields.take("kind", str),
        )
        try:
            return cls(input=source, derived=derived, kind=AnchorKind(kind))
        except ValueError:
            raise fields.bad("kind", f"one of {', '.join(k.value for k in AnchorKind)}") from None

    def to_dict(self) -> dict[str, Any]:
        """Return the engine's JSON."""
        return {"input": self.input, "derived": self.derived, "kind": self.kind.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchVerdict:
    """The verdict of a verification: a table's bytes and definition are as its manifest says, or not.

    A `mismatch` shows both sides: `expected` and `found`, digests or definition hashes.

    >>> MatchVerdict.mismatch("1f0c", "77aa").to_dict()
    {'verdict': 'mismatch', 'expected': '1f0c', 'found': '77aa'}
    """

    verdict: Literal["match", "match_with_unpinned_inputs", "mismatch", "missing_manifest"]
    unpinned: tuple[str, ...] = ()
    expected: str | None = None
    found: str | None = None

    @classmethod
    def match(cls) -> MatchVerdict:
        """Report a match: bytes, and the definition if one was expected, are as recorded, over pinned inputs."""
        return cls(verdict="match")

    @classmethod
    def match_with_unpinned_inputs(cls, unpinned: Sequence[str]) -> MatchVerdict:
        """Report a match that was made over inputs without a reproducible version."""
        return cls(verdict="match_with_unpinned_inputs", unpinned=tuple(unpinned))

    @classmethod
    def mismatch(cls, expected: str, found: str) -> MatchVerdict:
        """Report a difference between the record and the table."""
        return cls(verdict="mismatch", expected=str(expected), found=str(found))

    @classmethod
    def missing_manifest(cls) -> MatchVerdict:
        """Report that there is nothing to verify against."""
        return cls(verdict="missing_manifest")

    @classmethod
    def from_dict(cls, value: object) -> MatchVerdict:
        """Read a verdict. Raise `InvalidField`."""
        fields = Fields(value, "match verdict")
        match fields.take("verdict", str):
            case "match":
                return cls.match()
            case "match_with_unpinned_inputs":
                return cls.match_with_unpinned_inputs(fields.take_strings("unpinned"))
            case "mismatch":
                return cls.mismatch(fields.take("expected", str), fields.take("found", str))
            case "missing_manifest":
                return cls.missing_manifest()
            case _:
                raise fields.bad("verdict", "match, match_with_unpinned_inputs, mismatch or missing_manifest")

    def to_dict(self) -> dict[str, Any]:
        """Return the engine's JSON."""
        match self.verdict:
            case "match_with_unpinned_inputs":
                return {"verdict": self.verdict, "unpinned": list(self.unpinned)}
            case "mismatch":
                return {"verdict": self.verdict, "expected": self.expected, "found": self.found}
            case _:
                return {"verdict": self.verdict}
