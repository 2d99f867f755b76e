"""The sensor's memory from one tick to the next, packed into Dagster's cursor; its words stand in the tick's log."""

from __future__ import annotations

import base64
import functools
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter

_MOST_BYTES = 1 << 28  # a text may unpack to any size
_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """A table that was requested: in which request, when, and how often for the same goal.

    `at` is in seconds since the epoch. `goal` stands for the definition and inputs that the table was to get; None for
    a descendant, which had none of its own. `forgiven` tries were made before the code location was loaded again.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    key: str
    at: float
    goal: str | None = None
    tries: int = 1
    forgiven: int = 0

    def forgive(self) -> Asked:
        """Return the request without its back-off."""
        return replace(self, at=0.0, forgiven=self.tries)


@dataclass(frozen=True, slots=True)
class Round:
    """The findings of the ticks since the first table; the next tick goes on after the table `after`.

    `token` is that of all of these ticks; None where it moved, or one of them found something to do. `counts` are of
    tables by verdict. The ticks have named `told` of the `listed` tables that are not fresh. `is_outdated`: code was
    edited.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    after: str = ""
    token: str | None = None
    again_at: float | None = None
    counts: dict[str, int] = field(default_factory=dict)
    listed: int = 0
    told: int = 0
    is_outdated: bool = False


@dataclass(frozen=True, slots=True)
class Cursor:
    """The whole memory.

    `token` stands for everything that a tick depends on, at a round that found nothing to do; None after another round.
    `again_at` is the instant of a retry, `round` the round under way, and `bytes_after` the last table whose bytes were
    looked for. `process` is the one that loaded the code.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    token: str | None = None
    again_at: float | None = None
    round: Round = field(default_factory=Round)
    bytes_after: str = ""
    bytes_missing: list[str] = field(default_factory=list)
    asked: Mapping[str, Asked] = field(default_factory=dict)
    process: str = ""

    def loaded_by(self, process: str) -> Cursor:
        """Return the cursor for a process: one that has just loaded the code forgets all back-offs."""
        if process == self.process:
            return self
        asked = {table: one.forgive() for table, one in self.asked.items()}
        return replace(self, process=process, asked=asked)

    @classmethod
    def load(cls, text: str | None) -> Cursor:
        """Return the cursor in `text`; an empty one for a text of other fields or types: a cursor only spares work."""
        try:
            packed = _envelope().validate_json(text or "").state
            unpacking = zlib.decompressobj()
            data = unpacking.decompress(base64.urlsafe_b64decode(packed), _MOST_BYTES)
            # no name holds a NUL, and PostgreSQL refuses to look one up
            if not unpacking.eof or b"\\u0000" in data:
                return cls()
            return _reader().validate_json(data)
        except (ValueError, zlib.error):
            return cls()

    def dump(self) -> str:
        """Return the text for Dagster to keep: table names and run keys repeat, so it packs well."""
        data = json.dumps(asdict(self), separators=(",", ":")).encode()
        packed = base64.urlsafe_b64encode(zlib.compress(data)).decode()
        return json.dumps(asdict(Envelope(packed)), separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Envelope:
    """The text in Dagster's hands: JSON that shows a version and no more."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    state: str
    version: Literal[2] = 2


@functools.cache
def _envelope() -> TypeAdapter[Envelope]:
    return TypeAdapter(Envelope)


@functools.cache
def _reader() -> TypeAdapter[Cursor]:
    return TypeAdapter(Cursor)
