"""Cache policy and outcome: reuse is asked for and reported, never inferred.

Not done here: looking for a table to reuse (see `sensing.probe`), and choosing among several policies (see
`adapters/assets/cache_policy.py`).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from jammi_dagster.contract.fields import Fields


class CachePolicy(str, enum.Enum):
    """The policy of a producer: `USE` probes for its exact definition and inputs before it computes, `BYPASS` computes.

    The default is `BYPASS`.
    """

    USE = "use"
    BYPASS = "bypass"


@dataclass(frozen=True, slots=True)
class CacheOutcome:
    """The path that a producer took: it computed, or it reused `table`.

    >>> CacheOutcome.reused("flights/daily_delays").to_dict()
    {'cache_outcome': 'reused', 'table': 'flights/daily_delays'}
    """

    table: str | None = None

    @classmethod
    def computed(cls) -> CacheOutcome:
        """Report that the producer ran."""
        return cls()

    @classmethod
    def reused(cls, table: str) -> CacheOutcome:
        """Report that an exact hit on `table` stood in for the compute."""
        return cls(table)

    @property
    def is_reused(self) -> bool:
        """True if the compute was skipped."""
        return self.table is not None

    @classmethod
    def from_dict(cls, value: object) -> CacheOutcome:
        """Read an outcome. Raise `InvalidField`."""
        fields = Fields(value, "cache outcome")
        match fields.take("cache_outcome", str):
            case "computed":
                return cls.computed()
            case "reused":
                return cls.reused(fields.take("table", str))
            case _:
                raise fields.bad("cache_outcome", "computed or reused")

    def to_dict(self) -> dict[str, Any]:
        """Return the engine's JSON."""
        if self.table is None:
            return {"cache_outcome": "computed"}
        return {"cache_outcome": "reused", "table": self.table}
