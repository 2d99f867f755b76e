"""A plan: the outcome of a launch for each of its tables, before anything runs.

Role: the frozen value that `adapters.plan` builds, and that people, programs and the command line read.

1. `reuse`: the step takes a stored materialization. `failed_checks` are the checks that it fails again.
2. `compute`: the step runs its function.
3. `compute or reuse`: an input is made first; whether a stored result fits shows once it is there (early cutoff).
4. `fail`: the step does not begin, for a missing input, a broken surface, an invalid config, or a failure above.
5. `unknown until run`: an input has a version only once the run has loaded it, or the definition cannot be known.

A plan holds no data and no secrets besides the config and the tags that it was given.

>>> made = PlannedTable(table="orders", asset="orders", action="compute", reasons=("never materialized",))
>>> plan = Plan(rows=(made,))
>>> plan.counts, plan.exit_code
({'compute': 1}, 2)
>>> Plan.from_dict(plan.to_dict()) == plan
True

Not done here: to find the actions (`adapters.plan`), to order runs (`planning.waves`).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from jammi_dagster.errors import InvalidField

Action = Literal["reuse", "compute", "compute or reuse", "fail", "unknown until run"]

FORMAT = 1
NOTHING_TO_DO, WORK_TO_DO, UNDECIDABLE = 0, 2, 3

_ACTIONS = get_args(Action)
_TEXTS = ("reasons", "cause_path", "failed_checks")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTable:
    """The outcome of a launch for one table, and why.

    Attributes:
        table: the table's name. `asset` is its asset key as Dagster shows it, `partition` its partition.
        action: one of the five above.
        reasons: why, the first determinant that differs first.
        cause_path: the tables from this one's input up to the table where the cause lies; empty where it lies here.
        before, after: the recorded and the present value of that determinant, where they can be shown.
        definition: the `definition_hash` that the step would record, in hex; None where it is not known.
        materialization: the id that is reused; `is_current` tells whether it is the current one already.
        deployment: the one whose current table is reused, else the one that made it: a branch reuses its parent's.
        failed_checks: recorded checks that fail again with a reuse.
        wave: the place of its run among the runs of the launch, from 0; None for a reuse.
        expected_seconds, expected_bytes: cost of computing it, as recorded when it was last computed.
        saved_seconds: compute time that a reuse saves.
    """

    table: str
    asset: str
    action: Action
    partition: str | None = None
    reasons: tuple[str, ...] = ()
    cause_path: tuple[str, ...] = ()
    before: Any = None
    after: Any = None
    definition: str | None = None
    materialization: str | None = None
    is_current: bool = False
    deployment: str | None = None
    failed_checks: tuple[str, ...] = ()
    wave: int | None = None
    expected_seconds: float | None = None
    expected_bytes: int | None = None
    saved_seconds: float | None = None

    @property
    def said(self) -> str:
        """The action in words: `reuse, fails check positive`."""
        if not self.failed_checks:
            return self.action
        word = "check" if len(self.failed_checks) == 1 else "checks"
        return f"{self.action}, fails {word} {', '.join(self.failed_checks)}"

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> PlannedTable:
        """Read one entry. Raise `InvalidField`."""
        known = {one.name for one in fields(cls)}
        given = {name: value[name] for name in known & set(value)}
        for name, kind in (("table", str), ("asset", str), ("action", str)):
            if not isinstance(given.get(name), kind):
                raise InvalidField(what="plan", path=f"rows.{name}", value=given.get(name), expected="a text")
        if given["action"] not in _ACTIONS:
            expected = f"one of {', '.join(_ACTIONS)}"
            raise InvalidField(what="plan", path="rows.action", value=given["action"], expected=expected)
        for name in _TEXTS:
            given[name] = tuple(map(str, given.get(name) or ()))
        return cls(**given)

    def to_dict(self) -> dict[str, Any]:
        """Return the entry as JSON."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The outcome of a launch for each of its tables, upstream tables first.

    `basis` is everything that the actions depend on, by kind and name: a plan whose basis has moved is refused
    (`moved`). `arguments` are the selection, partitions, config, tags and deployment that it was made for, and
    `definitions` the code location; None for a plan that was read from a file.
    `stale_inputs` are the tables that the launch reads as they are, though they are stale, each with the reasons.
    """

    rows: tuple[PlannedTable, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    basis: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    stale_inputs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    definitions: Any = field(default=None, compare=False, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return Plan.from_dict, (self.to_dict(),)

    def __getitem__(self, table: str) -> PlannedTable:
        """Return the entry of a table. Raise `KeyError`."""
        for one in self.rows:
            if one.table == table:
                return one
        raise KeyError(table)

    @property
    def counts(self) -> dict[str, int]:
        """The number of tables by action."""
        counted = Counter(table.action for table in self.rows)
        return {action: counted[action] for action in _ACTIONS if counted[action]}

    @property
    def expected_seconds(self) -> float:
        """The seconds that the computations take at least, by their recorded durations."""
        return sum(t.expected_seconds or 0.0 for t in self.rows if t.action == "compute")

    @property
    def expected_bytes(self) -> int:
        """The bytes that the computations write at least, by their recorded sizes."""
        return sum(t.expected_bytes or 0 for t in self.rows if t.action == "compute")

    @property
    def saved_seconds(self) -> float:
        """The seconds that the reuses save."""
        return sum(t.saved_seconds or 0.0 for t in self.rows)

    @property
    def exit_code(self) -> int:
        """0 for nothing to do, 2 for work to do, 3 where a table is `unknown until run`, which wins."""
        found = self.counts.keys()
        if "unknown until run" in found:
            return UNDECIDABLE
        return WORK_TO_DO if found - {"reuse"} else NOTHING_TO_DO

    @property
    def digest(self) -> str:
        """A digest of the whole plan, the same after it was saved and read: the runs of its launches carry it."""
        whole = [self.basis, self.arguments, [row.to_dict() for row in self.rows]]
        text = json.dumps(whole, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def moved(self, now: Plan) -> list[str]:
        """List all that this plan depends on and that is not the same in a plan made now; empty if it still holds.

        >>> before = Plan(rows=(), basis={"table": {"orders": ["m-1", "1f0c"]}})
        >>> before.moved(Plan(rows=(), basis={"table": {"orders": ["m-2", "77aa"]}}))
        ['table orders']
        """
        moved = []
        for kind in sorted({*self.basis, *now.basis}):
            old, new = self.basis.get(kind, {}), now.basis.get(kind, {})
            moved += [f"{kind} {name}" for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
        return moved

    @classmethod
    def from_dict(cls, value: object) -> Plan:
        """Read a saved plan. Raise `InvalidField`, also for a format of a later version."""
        if not isinstance(value, Mapping):
            raise InvalidField(what="plan", path="plan", value=value, expected="a saved plan")
        if value.get("format") != FORMAT:
            expected = f"{FORMAT}; make the plan again with this version"
            raise InvalidField(what="plan", path="format", value=value.get("format"), expected=expected)
        if not isinstance(value.get("rows"), list):
            raise InvalidField(what="plan", path="rows", value=value.get("rows"), expected="a list")
        return cls(
            rows=tuple(PlannedTable.from_dict(one) for one in value["rows"]),
            arguments=dict(value.get("arguments") or {}),
            basis={kind: dict(names) for kind, names in (value.get("basis") or {}).items()},
            stale_inputs={table: list(why) for table, why in (value.get("stale_inputs") or {}).items()},
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as JSON, with the version of its format, counts and cost."""
        return {
            "format": FORMAT,
            "counts": self.counts,
            "expected_seconds": self.expected_seconds,
            "expected_bytes": self.expected_bytes,
            "saved_seconds": self.saved_seconds,
            "rows": [table.to_dict() for table in self.rows],
            "arguments": dict(self.arguments),
            "basis": {kind: dict(names) for kind, names in self.basis.items()},
            "stale_inputs": {table: list(why) for table, why in self.stale_inputs.items()},
        }
