"""Whether a producer may reuse a table, and which path it took: asked for and reported, never inferred."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from jammi_dagster.contract.fields import Fields


class CachePolicy(str, enum.Enum):
    """Whether a producer probes for its exact definition and inputs before it computes. Default: `BYPASS`."""

    USE = "use"
    BYPASS = "bypass"


@dataclass(frozen=True, slots=True)
class CacheOutcome:
    """Which path a producer took: it computed, or it reused `table`."""

    table: str | None = None

    @classmethod
    def computed(cls) -> CacheOutcome:
        """The producer ran."""
        return cls()

    @classmethod
    def reused(cls, table: str) -> CacheOutcome:
        """An exact hit on `table` stood in for the compute."""
        return cls(table)

    @property
    def is_reused(self) -> bool:
        """Whether the compute was skipped."""
        return self.table is not None

    @classmethod
    def from_dict(cls, value: object) -> CacheOutcome:
        """Raises `InvalidField`."""
        fields = Fields(value, "cache outcome")
        match fields.take("cache_outcome", str):
            case "computed":
                return cls.computed()
            case "reused":
                return cls.reused(fields.take("table", str))
            case _:
                raise fields.bad("cache_outcome", "computed or reused")

    def to_dict(self) -> dict[str, Any]:
        """The engine's JSON."""
        if self.table is None:
            return {"cache_outcome": "computed"}
        return {"cache_outcome": "reused", "table": self.table}
