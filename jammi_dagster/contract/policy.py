"""Cache policy and outcome: reuse is asked for and reported, never inferred. How inputs are verified, likewise.

Not done here: looking for a table to reuse (see `sensing.probe`), choosing among several policies (see
`adapters/assets/cache_policy.py`), and the verification itself (see `artifacts.verified`).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from jammi_dagster.contract.fields import Fields
from jammi_dagster.errors import InvalidField


class CachePolicy(str, enum.Enum):
    """The policy of a producer: `USE` probes for its exact definition and inputs before it computes, `BYPASS` computes.

    The default is `BYPASS`.
    """

    USE = "use"
    BYPASS = "bypass"


class Verification(str, enum.Enum):
    """The verification of bytes as they are read.

    `PAGES` compares the footer with its recorded digest and every page that is read with its checksum; an artifact
    without these is hashed. `FULL` compares the SHA-256 of all bytes too. `OFF` compares nothing.

    >>> Verification.parse("full", of="asset sales", field="verify_inputs")
    <Verification.FULL: 'full'>
    """

    PAGES = "pages"
    FULL = "full"
    OFF = "off"

    @classmethod
    def parse(cls, value: object, *, of: str, field: str) -> Verification:
        """Read a value in upper or lower case; `of` and `field` name its place. Raise `InvalidField`.

        >>> Verification.parse("FULL", of="run", field="verify_inputs").value
        'full'
        """
        try:
            return cls(value.lower() if isinstance(value, str) else value)
        except ValueError:
            expected = "one of: " + ", ".join(one.value for one in cls)
            raise InvalidField(what=of, path=field, value=value, expected=expected) from None


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
