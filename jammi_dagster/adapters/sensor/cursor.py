"""What a sensor remembers from one tick to the next, as JSON in Dagster's cursor."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

_VERSION = 1


@dataclass(slots=True)
class Asked:
    """A table that was requested: what it was to become (`goal`), in which request, when, and how often for this.

    `goal` is None for a descendant, which had none of its own. `at` is in seconds since the epoch.
    """

    key: str
    at: float
    goal: str | None = None
    tries: int = 1


@dataclass(slots=True)
class Round:
    """What the ticks from the first table on have found so far, the next of which goes on after the table `after`.

    `token` is that of all of them, None where it was not the same throughout or one of them found something to do.
    `counts` are of tables by verdict, `lines` the first reasons, of `listed` tables that have any.
    """

    after: str = ""
    token: str | None = None
    again_at: float | None = None
    counts: dict[str, int] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    listed: int = 0


@dataclass(slots=True)
class Cursor:
    """`token` is of everything that a tick depends on, at a round that found nothing to do; None after others.

    `said` is what that round said, `again_at` when to look again all the same, `round` the one that is not at its end,
    and `bytes_after` the last table whose bytes were looked at.
    """

    token: str | None = None
    said: str = ""
    again_at: float | None = None
    round: Round = field(default_factory=Round)
    bytes_after: str = ""
    bytes_missing: list[str] = field(default_factory=list)
    asked: dict[str, Asked] = field(default_factory=dict)

    @classmethod
    def load(cls, text: str | None) -> Cursor:
        """The cursor in `text`; an empty one for none, and for one that this version does not know."""
        try:
            value = json.loads(text or "null")
            if not isinstance(value, dict) or value.pop("version", None) != _VERSION:
                return cls()
            asked = {table: Asked(**entry) for table, entry in value.pop("asked", {}).items()}
            begun = Round(**value.pop("round", {}))
            return cls(**value, asked=asked, round=begun)
        except (ValueError, TypeError, AttributeError):
            return cls()

    def dump(self) -> str:
        """The text for Dagster to keep."""
        return json.dumps({"version": _VERSION, **asdict(self)}, separators=(",", ":"))
