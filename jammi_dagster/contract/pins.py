"""Pinned inputs: the materialization that a run took in place of the current one, and how it stands to that."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from jammi_dagster.contract.wording import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedInput:
    """An input that a run took from a named materialization.

    `behind` counts the moves of the table's name since it led to that one: 0 if it is the current one, None if it
    never was current in the deployment.

    >>> str(PinnedInput(table="orders", materialization_id="m-1", behind=2))
    'orders is pinned to materialization m-1, 2 moves behind the current one'
    """

    table: str
    materialization_id: str
    behind: int | None

    def __str__(self) -> str:
        """Word the pin for people."""
        distance = "never current in this deployment" if self.behind is None else "the current one"
        if self.behind:
            distance = f"{counted(self.behind, 'move')} behind the current one"
        return f"{self.table} is pinned to materialization {self.materialization_id}, {distance}"

    def to_dict(self) -> dict[str, Any]:
        """Return the pin as JSON."""
        return asdict(self)
