"""Input anchors: one per input of a table, each the state in which the input was read.

Rules: a source occurs once in a list (`check_distinct`), the order of a list means nothing (`anchor_sets_equal`), and
an instant (`unpinned_at_instant`) equals nothing, itself included, when a cached table is looked for. A surface that a
function writes is anchored at its version after the function, under `written_source` of its name.

Not done here: finding an input's present state (see `sensing`) and storing sets of anchors (see `catalog`).
"""

from __future__ import annotations

import enum
import functools
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, TypeVar

from jammi_dagster.contract.canonical import canonical_json
from jammi_dagster.contract.fields import Fields
from jammi_dagster.errors import DuplicateInput, InvalidField

_WRITTEN = "written:"


def written_source(source: str) -> str:
    """Return the name under which a surface that a function writes is anchored.

    >>> written_source("file:out.csv"), in_words(written_source("file:out.csv")), in_words("orders")
    ('written:file:out.csv', 'file:out.csv, which it writes,', 'orders')
    """
    return _WRITTEN + source


def is_written(source: str) -> bool:
    """Tell the source of a surface that a function writes from that of an input."""
    return source.startswith(_WRITTEN)


def observed_source(source: str) -> str:
    """Return the name of the surface behind a source: that of an input, or of a surface that a function writes."""
    return source.removeprefix(_WRITTEN)


def in_words(source: str) -> str:
    """Return a source as the subject of a sentence."""
    return f"{observed_source(source)}, which it writes," if is_written(source) else source


class AnchorKind(str, enum.Enum):
    """Kinds of anchor: a table's digest, an input's version, or only the instant of the read."""

    RESULT_DIGEST = "result_digest"
    MUTABLE_VERSION = "mutable_version"
    SOURCE_VERSION = "source_version"
    UNPINNED_AT_INSTANT = "unpinned_at_instant"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputAnchor:
    """One input of a materialization and the state in which it was read: `(source, anchor, kind)`.

    `source` names the input: bare for a result table, with a scheme (`file:…`) for anything else.

    >>> InputAnchor.source_version("file:orders.csv", "sha256:1f0c").to_dict()
    {'source': 'file:orders.csv', 'anchor': 'sha256:1f0c', 'kind': 'source_version'}
    """

    source: str
    anchor: str
    kind: AnchorKind
    unknown: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    _line: bytes = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        line = f"\n{len(self.source)} {self.source}{len(self.anchor)} {self.anchor}{self.kind.value}"
        object.__setattr__(self, "_line", line.encode("utf-8", "surrogatepass"))

    @classmethod
    def result_digest(cls, source: str, digest: str) -> InputAnchor:
        """Anchor a result table by the SHA-256 (hex) of its artifact."""
        return cls._of(source, str(digest), AnchorKind.RESULT_DIGEST)

    @classmethod
    def mutable_version(cls, source: str, version: int) -> InputAnchor:
        """Anchor a mutable table by its monotonic version number."""
        return cls._of(source, str(version), AnchorKind.MUTABLE_VERSION)

    @classmethod
    def source_version(cls, source: str, version: str) -> InputAnchor:
        """Anchor an external source by the version id that its version surface gave."""
        return cls._of(source, version, AnchorKind.SOURCE_VERSION)

    @classmethod
    def unpinned_at_instant(cls, source: str, instant: datetime | str) -> InputAnchor:
        """Anchor an input that has no version by the instant of its read, which never hits and is never fresh."""
        if isinstance(instant, datetime):
            instant = (instant if instant.tzinfo else instant.replace(tzinfo=timezone.utc)).isoformat()
        return cls._of(source, instant, AnchorKind.UNPINNED_AT_INSTANT)

    @classmethod
    def _of(cls, source: str, anchor: str, kind: AnchorKind) -> InputAnchor:
        """Return an anchor of names that need no closer look; `from_dict` has it for any others."""
        is_plain = type(source) is type(anchor) is str and source.isascii() and anchor.isascii()
        if is_plain and source and "\0" not in source:
            return cls(source=source, anchor=anchor, kind=kind)
        return cls.from_dict({"source": source, "anchor": anchor, "kind": kind.value})

    @property
    def is_unpinned(self) -> bool:
        """True for an instant, which is not a reproducible id."""
        return self.kind is AnchorKind.UNPINNED_AT_INSTANT

    @classmethod
    def from_dict(cls, value: object, *, path: str = "input_anchor") -> InputAnchor:
        """Read an anchor from its JSON object. Raise `InvalidField`, with the path to the bad field."""
        fields = Fields(value, "input anchor", path)
        source, anchor, kind = (
            fields.take("source", str),
            fields.take("anchor", str),
            fields.take("kind", str),
        )
        if not source or "\0" in source:
            raise fields.bad("source", "a name that is not empty and holds no NUL")
        if not (source.isascii() and anchor.isascii()):  # a sweep reads 100,000 anchors; ASCII needs no check
            canonical_json([source, anchor], name=path)
        try:
            anchor_kind = AnchorKind(kind)
        except ValueError:
            raise fields.bad("kind", f"one of {', '.join(k.value for k in AnchorKind)}") from None
        return cls(source=source, anchor=anchor, kind=anchor_kind, unknown=fields.rest())

    def to_dict(self) -> dict[str, Any]:
        """Return the engine's JSON object."""
        return {"source": self.source, "anchor": self.anchor, "kind": self.kind.value, **self.unknown}


_Function = TypeVar("_Function", bound=Callable[..., Any])


def once_for_each_tuple(function: _Function) -> _Function:
    """Let a function remember its answer for the last tuple, by identity.

    The tables of one range share their anchors: n partitions over n others would ask n times about n anchors.

    >>> count = once_for_each_tuple(len)
    >>> count(())
    0
    """
    last: tuple[Any, Any] | None = None

    @functools.wraps(function)
    def remembering(anchors: Any) -> Any:
        nonlocal last
        known = last
        if known is not None and known[0] is anchors:
            return known[1]
        answer = function(anchors)
        if type(anchors) is tuple:  # a list can change
            last = anchors, answer
        return answer

    return remembering  # type: ignore[return-value]  # of the same signature


_AT_A_TIME = 500
_INSTANT = AnchorKind.UNPINNED_AT_INSTANT.value.encode()


def anchors_from_list(
    value: object, *, path: str = "input_anchors", distinct: bool = True
) -> tuple[InputAnchor, ...]:
    """Read the anchors of a JSON array.

    Raise `InvalidField` for anything but anchors and, if `distinct`, `DuplicateInput` for a repeated source.
    """
    if not isinstance(value, list):
        raise InvalidField(what="input anchors", path=path, value=value, expected="an array")
    anchors = tuple(InputAnchor.from_dict(item, path=f"{path}[{i}]") for i, item in enumerate(value))
    if distinct:
        check_distinct(anchors)
    return anchors


@once_for_each_tuple
def check_distinct(anchors: Sequence[InputAnchor]) -> None:
    """Raise `DuplicateInput` for a source that occurs more than once, `InvalidField` for an item that is no anchor."""
    for anchor in anchors:
        if not isinstance(anchor, InputAnchor):
            raise InvalidField(what="inputs", path="inputs", value=anchor, expected="an InputAnchor")
    sources = [anchor.source for anchor in anchors]
    if len(set(sources)) < len(sources):
        raise DuplicateInput(source=next(s for i, s in enumerate(sources) if s in sources[:i]))


@once_for_each_tuple
def has_unpinned(anchors: Iterable[InputAnchor]) -> bool:
    """Return True if any of the anchors is an instant."""
    return any(anchor.is_unpinned for anchor in anchors)


def anchor_sets_equal(a: Sequence[InputAnchor], b: Sequence[InputAnchor]) -> bool:
    """Compare two lists of anchors as sets: their order does not count (the reference's `anchor_sets_equal`)."""
    return len(a) == len(b) and set(a) == set(b)


def anchor_set_key(anchors: Iterable[InputAnchor]) -> str:
    """Return the SHA-256 (hex) of the sorted set: two keys are equal exactly if `anchor_sets_equal` holds."""
    return _folded(anchors)[0]


def pinned_set_key(anchors: Sequence[InputAnchor]) -> str | None:
    """Return the `anchor_set_key`, or None if an anchor is an instant, which equals nothing.

    Raise as `check_distinct` does, but only if the check costs nothing: a probe of 10,000 anchors has 2 ms.
    """
    try:
        key, may_hold_instant = _folded(anchors)
    except AttributeError:
        check_distinct(anchors)
        raise
    if may_hold_instant:
        check_distinct(anchors)
    return None if may_hold_instant and has_unpinned(anchors) else key


@once_for_each_tuple
def _folded(anchors: Iterable[InputAnchor]) -> tuple[str, bool]:
    """Return the key of the set, and True if the anchors' text holds the word for an instant, be it within a name.

    Every field stands behind its length, so that no two sets share an encoding. The encoding is flat rather than
    canonical JSON, and is hashed in portions rather than as one long text: both are faster.
    """
    lines = sorted([anchor._line for anchor in anchors])
    fold, names_instant = hashlib.sha256(b"jammi.anchor_set.v1"), False
    for start in range(0, len(lines), _AT_A_TIME):
        some = b"".join(lines[start : start + _AT_A_TIME])
        fold.update(some)
        names_instant = names_instant or _INSTANT in some
    return fold.hexdigest(), names_instant
