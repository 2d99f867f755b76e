"""Results of a benchmark: rows of numbers, some of them with a budget. Measuring is elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Value = float | int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line: the measured thing, and its values by column. `budget` is the most that `value` may be."""

    what: str
    values: Mapping[str, Value]
    budget: float | None = None
    budgeted: str = ""

    @property
    def met(self) -> bool | None:
        """True if the value is within the budget; None without one."""
        if self.budget is None:
            return None
        value = self.values[self.budgeted]
        assert not isinstance(value, str), "a budget is for a number"
        return value <= self.budget

    def to_dict(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "values": dict(self.values),
            "budgeted": self.budgeted or None,
            "budget": self.budget,
            "met": self.met,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The rows of one benchmark. `about` says what is compared."""

    name: str
    about: str
    rows: Sequence[Row]

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "about": self.about, "rows": [row.to_dict() for row in self.rows]}

    def lines(self) -> Iterator[str]:
        """Yield the report as text: a table with the budget, and the result of the comparison, in the last columns."""
        yield f"{self.name}: {self.about}"
        columns = list(dict.fromkeys(column for row in self.rows for column in row.values))
        cells = [["", *columns, "budget", "met"], *(_cells(row, columns) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for line in cells:
            first, *rest = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            yield "  ".join([first, *(cell.strip().rjust(len(cell)) for cell in rest)]).rstrip()


def _cells(row: Row, columns: Sequence[str]) -> list[str]:
    values = [_shown(row.values[column]) if column in row.values else "" for column in columns]
    if row.budget is None:
        return [row.what, *values, "", ""]
    return [row.what, *values, f"<= {_shown(row.budget)} {row.budgeted}", "yes" if row.met else "NO"]


def _shown(value: Value) -> str:
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return str(value)
