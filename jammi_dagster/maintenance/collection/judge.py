"""Judge which materializations stay: roots, inputs of roots, and those that a policy keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from jammi_dagster.catalog import Candidate, ClockReading, CollectionRows, Moment
from jammi_dagster.maintenance.collection.clock import machine_clock, moment_of
from jammi_dagster.maintenance.collection.policy import RetentionPolicy
from jammi_dagster.maintenance.collection.report import WhyAlive

_ID_DIGITS_OF_TIME = 12


class Judged(NamedTuple):
    """A materialization, the words of the rule or computation that keeps it, and the one that was made over it."""

    row: Candidate
    words: str | None
    input_of: str | None

    @property
    def stays(self) -> bool:
        """Tell if anything keeps the materialization."""
        return self.row.root is not None or self.words is not None or self.input_of is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """The judgement of one tenant's rows by a policy, at a moment."""

    rows: CollectionRows
    policy: RetentionPolicy
    moment: Moment

    @classmethod
    def now(cls, rows: CollectionRows, policy: RetentionPolicy) -> Judge:
        """Judge at this moment."""
        clock, seconds = machine_clock()
        now, earlier = rows.clocks()
        return cls(rows=rows, policy=policy, moment=moment_of(earlier, ClockReading(clock, seconds, now)))

    def judged(self, table: str | None = None) -> Iterator[list[Judged]]:
        """Yield all rows, or those of a table, in pages."""
        inputs = self.rows.inputs(self.moment) if self.policy.keep_inputs else {}
        places = _Places(self.policy, self.moment.now)
        for page in self.rows.pages(self.moment, table=table):
            flights = self.rows.flying(self.moment)
            yield [
                Judged(
                    row,
                    flights.get((row.table, str(row.artifact_digest))) or places.words(row),
                    inputs.get(row.materialization_id),
                )
                for row in page
            ]

    def kept(self) -> Iterator[WhyAlive]:
        """Yield all materializations that stay."""
        for page in self.judged():
            yield from self._explained([one for one in page if one.stays])

    def why(self, materialization_ids: Sequence[str]) -> list[WhyAlive]:
        """Say why each of these stays, or that nothing keeps it."""
        wanted = set(materialization_ids)
        return [
            one
            for table in sorted(self.rows.tables_of(materialization_ids))
            for one in self.of_table(table, wanted)
        ]

    def of_table(self, table: str, wanted: Collection[str] | None = None) -> list[WhyAlive]:
        """Say of each materialization of a table, or of the wanted ones, why it stays; the latest start first."""
        return [
            why
            for page in self.judged(table)
            for why in self._explained(
                [one for one in page if wanted is None or one.row.materialization_id in wanted]
            )
        ]

    def _explained(self, judged: Iterable[Judged]) -> Iterator[WhyAlive]:
        some = list(judged)
        reasons = self.rows.reasons([one.row.materialization_id for one in some if one.row.root], self.moment)
        inputs = self.rows.inputs(self.moment) if any(one.input_of for one in some) else {}
        for one in some:
            identity = one.row.materialization_id
            path = tuple(reasons.get(identity, ())) or ((one.words,) if one.words else ())
            if not path and one.input_of:
                path = self._path(identity, inputs)
            yield WhyAlive(materialization_id=identity, table=one.row.table, path=path)

    def _path(self, identity: str, inputs: Mapping[str, str]) -> tuple[str, ...]:
        """Follow the inputs to a root."""
        path = list[str]()
        while identity in inputs:
            identity = inputs[identity]
            is_own = bool(self.rows.tables_of([identity]))
            path.append(f"an input of {identity if is_own else 'another tenant'}")
        return (*path, *self.rows.reasons([identity], self.moment).get(identity, ())[:1])


@dataclass(slots=True)
class _Places:
    """The places of rows among those that a deployment made of a table; rows come the latest first, table by table."""

    policy: RetentionPolicy
    now: float
    _table: str = ""
    _counts: Counter[str] = field(default_factory=Counter)

    def words(self, row: Candidate) -> str | None:
        """Say which rule keeps the row; None for no rule."""
        if row.table != self._table:
            self._table = row.table
            self._counts.clear()
        place = None
        if row.status != "failed":  # a lost one has no bytes
            self._counts[row.deployment] += 1
            place = self._counts[row.deployment]
        return self.policy.rule_for(row.table).why_kept(
            place=place, age_seconds=self.now - _made_at(row), table=row.table, deployment=row.deployment
        )


def _made_at(row: Candidate) -> float:
    """Tell when a row was made, in seconds: by its writer's clock or the database's, the later one."""
    try:
        written = int(row.materialization_id[:_ID_DIGITS_OF_TIME], 16)
    except ValueError:
        written = 0
    return max(written, row.start_sequence) / 1000
