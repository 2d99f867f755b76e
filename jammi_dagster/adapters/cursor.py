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
class Cursor:
    """`token` is of everything that a tick depends on, at the last one that found nothing to do; None after others.

    `said` is what that tick said, `again_at` when it has to look again all the same, and `bytes_after` the last table
    whose bytes were looked at.
    """

    token: str | None = None
    said: str = ""
    again_at: float | None = None
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
            return cls(**value, asked=asked)
        except (ValueError, TypeError, AttributeError):
            return cls()

    def dump(self) -> str:
        """The text for Dagster to keep."""
        return json.dumps({"version": _VERSION, **asdict(self)}, separators=(",", ":"))
