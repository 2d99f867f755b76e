"""The report of a launch of a plan: its runs, its reuses, and the tables that it left.

Role: the value that `adapters.materialize_plan` fills and returns, and that the command line prints.

>>> report = LaunchReport(runs=["r-1"], requested={"orders": "r-1"}, reused=["customers"])
>>> report.exit_code
0
>>> report.leave([("turnover", "an input is made first")], report.waiting)
>>> report.skipped, report.exit_code
({'turnover': 'an input is made first'}, 2)

Not done here: to launch anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from jammi_dagster.planning.plan import NOTHING_TO_DO, WORK_TO_DO

FORMAT = 1
FAILED = 1


@dataclass(slots=True, kw_only=True)
class LaunchReport:
    """The outcome of a launch.

    Attributes:
        runs: the ids of the runs that it launched, in order. `failed` are those that ended with a failure, and
            `why_failed` names their steps and errors.
        requested: the run of each table that it asked for.
        reused: the tables that needed no run. `moved` are those that were not current before, `told` those that Dagster
            was told of.
        skipped: every other table, with the reason.
        waiting: the skipped tables that a later launch of the plan makes, once a run is over.
        failing: the skipped tables that cannot be made.
    """

    runs: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    why_failed: dict[str, str] = field(default_factory=dict)
    requested: dict[str, str] = field(default_factory=dict)
    reused: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    failing: list[str] = field(default_factory=list)

    def leave(self, tables: Iterable[tuple[str, str]], kind: list[str] | None = None) -> None:
        """Enter tables that are not launched, each with its reason; `kind` is `waiting` or `failing`."""
        for table, why in tables:
            self.skipped[table] = why
            if kind is not None:
                kind.append(table)

    @property
    def exit_code(self) -> int:
        """1 if a run failed or a table cannot be made, 2 if tables wait for a run, else 0."""
        if self.failed or self.failing:
            return FAILED
        return WORK_TO_DO if self.waiting else NOTHING_TO_DO

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON, with the version of its format."""
        return {"format": FORMAT, **asdict(self)}
