"""The sensor's memory from one tick to the next, as JSON in Dagster's cursor."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter

_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """A table that was requested: in which request, when, and how often for the same goal.

    `at` is in seconds since the epoch. `goal` stands for the definition and inputs that the table was to get; None for
    a descendant, which had none of its own.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    key: str
    at: float
    goal: str | None = None
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Round:
    """The findings of the ticks since the first table; the next tick goes on after the table `after`.

    `token` is that of all of these ticks; None where it moved, or one of them found something to do. `counts` are of
    tables by verdict, `lines` the first reasons, of `listed` tables that have any.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    after: str = ""
    token: str | None = None
    again_at: float | None = None
    counts: dict[str, int] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    listed: int = 0


@dataclass(frozen=True, slots=True)
class Cursor:
    """The whole memory.

    `token` stands for everything that a tick depends on, at a round that found nothing to do; None after another round.
    `said` is the text of that round, `again_at` the instant of a retry, `round` the round under way, and `bytes_after`
    the last table whose bytes were looked for.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    token: str | None = None
    said: str = ""
    again_at: float | None = None
    round: Round = field(default_factory=Round)
    bytes_after: str = ""
    bytes_missing: list[str] = field(default_factory=list)
    asked: Mapping[str, Asked] = field(default_factory=dict)
    version: Literal[1] = 1

    @classmethod
    def load(cls, text: str | None) -> Cursor:
        """Return the cursor in `text`; an empty one for a text of other fields or types: a cursor only spares work."""
        if not text or "\\u0000" in text:  # no name holds a NUL, and PostgreSQL refuses to look one up
            return cls()
        try:
            return _reader().validate_json(text)
        except ValueError:
            return cls()

    def dump(self) -> str:
        """Return the text for Dagster to keep."""
        return json.dumps(asdict(self), separators=(",", ":"))


@functools.cache
def _reader() -> TypeAdapter[Cursor]:
    return TypeAdapter(Cursor)
