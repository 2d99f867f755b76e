"""A promotion: tables of one deployment that another one is to have, without a run and without a copy.

Role: the frozen values that `ResultStore.promotion_plan` and `promote` give out, and that people and programs keep.

1. A plan names each pointer that it was made over, by materialization and sequence (that of its last move): a promotion
   takes place only while all of them are so.
2. A table of `refusals` keeps the whole plan from being promoted.
3. An undo is a plan back: its tables get the materializations that they had before, or none.

>>> row = PromotedTable(table="orders", materialization="m-2", source_sequence=9, target_materialization="m-1",
...                     target_sequence=4)
>>> plan = PromotionPlan(source="branch", target="prod", rows=(row,))
>>> PromotionPlan.from_dict(plan.to_dict()) == plan
True
>>> Promotion(sequence=12, at="2026-03-01T06:00:00+00:00", by="ada", plan=plan).undo().rows[0].materialization
'm-1'

Not done here: to find the facts and to move (`maintenance.promotion`, `catalog.promotion`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, TypeVar

from jammi_dagster.contract.fields import Fields
from jammi_dagster.errors import InvalidField

FORMAT = 1
_MERGE = "merge first, or use ahead_of_code"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedSurface:
    """An external input of a promoted table: its recorded version, and the one observed just before.

    `observed` is None for an input that is gone, and for one that nobody observed, which has no `observed_at` either.
    """

    source: str
    recorded: str
    observed: str | None = None
    observed_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotedTable:
    """A table of a promotion.

    Attributes:
        table: its name.
        materialization: the id that it gets in the target; None where an undo takes the name away.
        source_sequence: the last move of its pointer in the source; None in an undo, which reads no source.
        target_materialization, target_sequence: its pointer in the target before; None where there is none.
        definition: the `definition_hash` of the materialization.
        code_definition: the one that the target's code would record now; None where no code was given.
        surfaces: its external inputs.
        refusal: the reason that speaks against it, with the way out, as far as the plan knows.
    """

    table: str
    materialization: str | None
    source_sequence: int | None = None
    target_materialization: str | None = None
    target_sequence: int | None = None
    definition: str | None = None
    code_definition: str | None = None
    surfaces: tuple[ObservedSurface, ...] = ()
    refusal: str | None = None

    @property
    def is_ahead(self) -> bool:
        """Tell whether the target's code has another definition of it."""
        return self.code_definition is not None and self.code_definition != self.definition

    @property
    def moves(self) -> bool:
        """Tell whether the pointer in the target changes."""
        return self.materialization != self.target_materialization


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionPlan:
    """The tables that a deployment (`source`) gives to another one (`target`), of one tenant ("" for the global ones).

    `becoming_stale` are the tables of the target that lie below and are not promoted. With `ahead_of_code`, tables of
    which the target's code has another definition are promoted and held. `undoes` is the sequence of a promotion that
    the plan takes back.
    """

    source: str
    target: str
    rows: tuple[PromotedTable, ...]
    tenant: str = ""
    becoming_stale: tuple[str, ...] = ()
    ahead_of_code: bool = False
    undoes: int | None = None

    def __getitem__(self, table: str) -> PromotedTable:
        """Return the entry of a table. Raise `KeyError`."""
        for row in self.rows:
            if row.table == table:
                return row
        raise KeyError(table)

    @property
    def remedy(self) -> str:
        """The way out where a materialization cannot be promoted."""
        if self.undoes is not None:
            return "roll the table back to another one"
        return f"make the table in {self.source} again"

    @property
    def refusals(self) -> dict[str, str]:
        """The tables that keep the plan from being promoted, each with the reason and the way out."""
        return {row.table: why for row in self.rows if (why := row.refusal or self._ahead(row))}

    def _ahead(self, row: PromotedTable) -> str | None:
        if self.ahead_of_code or not row.is_ahead:
            return None
        both = f"{str(row.definition)[:12]}, not {str(row.code_definition)[:12]}"
        return f"materialization {row.materialization} is of definition {both} as the target's code; {_MERGE}"

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as JSON, with the version of its format and its refusals."""
        rows = [
            {**_plain(row), "surfaces": [_plain(surface) for surface in row.surfaces]} for row in self.rows
        ]
        lists = {"rows": rows, "becoming_stale": list(self.becoming_stale), "refusals": self.refusals}
        return {"format": FORMAT, **_plain(self), **lists}

    @classmethod
    def from_dict(cls, value: object) -> PromotionPlan:
        """Read a saved plan. Raise `InvalidField`, also for a format of a later version."""
        given = Fields(value, "promotion plan")
        if given.take("format", int) != FORMAT:
            raise given.bad("format", f"{FORMAT}; make the plan again with this version")
        return cls(
            source=given.take("source", str),
            target=given.take("target", str),
            tenant=given.take("tenant", str),
            rows=tuple(map(_row, given.take("rows", list))),
            becoming_stale=tuple(given.take_strings("becoming_stale")),
            ahead_of_code=given.take("ahead_of_code", bool),
            undoes=_number(given, "undoes"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A promotion that took place. `sequence` is that of its moves, and names it; `at` is by the database's clock."""

    sequence: int
    at: str
    by: str
    plan: PromotionPlan
    reason: str | None = None

    def undo(self) -> PromotionPlan:
        """Plan the way back: each table that was moved gets what it had in the target before."""
        rows = tuple(
            PromotedTable(
                table=row.table,
                materialization=row.target_materialization,
                target_materialization=row.materialization,
                target_sequence=self.sequence,
            )
            for row in self.plan.rows
            if row.moves
        )
        plan = self.plan
        return PromotionPlan(
            source=plan.source, target=plan.target, tenant=plan.tenant, rows=rows, undoes=self.sequence
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the promotion as JSON."""
        return {**_plain(self), "plan": self.plan.to_dict()}

    @classmethod
    def from_dict(cls, value: object) -> Promotion:
        """Read a recorded promotion. Raise `InvalidField`."""
        given = Fields(value, "promotion")
        return cls(
            sequence=given.take_natural("sequence"),
            at=given.take("at", str),
            by=given.take("by", str),
            plan=PromotionPlan.from_dict(given.take("plan", dict)),
            reason=_text(given, "reason"),
        )


def _plain(value: Any) -> dict[str, Any]:
    return {one.name: getattr(value, one.name) for one in fields(value)}


def _row(value: object) -> PromotedTable:
    given = Fields(value, "promotion plan", "rows")
    return PromotedTable(
        table=given.take("table", str),
        source_sequence=_number(given, "source_sequence"),
        target_sequence=_number(given, "target_sequence"),
        surfaces=tuple(map(_surface, given.take("surfaces", list))),
        **{name: _text(given, name) for name in _TEXTS},
    )


_TEXTS = ("materialization", "target_materialization", "definition", "code_definition", "refusal")


def _surface(value: object) -> ObservedSurface:
    given = Fields(value, "promotion plan", "rows.surfaces")
    observed = {name: _text(given, name) for name in ("observed", "observed_at")}
    return ObservedSurface(source=given.take("source", str), recorded=given.take("recorded", str), **observed)


def _text(given: Fields, name: str) -> str | None:
    return _or_none(given, name, str)


def _number(given: Fields, name: str) -> int | None:
    found = _or_none(given, name, int)
    return None if found is None else given.take_natural(name)


def _or_none(given: Fields, name: str, kind: type[_T]) -> _T | None:
    """Return a field that may be null."""
    try:
        given.take(name, type(None))
    except InvalidField:
        return given.take(name, kind)
    return None
