"""Random histories against a reference that fits on a page: staleness, lineage, closure, probe and verification."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from core_kit import make, numbers
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from store_kit import days_later, definition, expire, killed_before_the_flip, on

from jammi_dagster import DependencyCycle, ResultStore
from jammi_dagster.artifacts import sidecar_path
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.errors import ObjectsMissing, TableHeld

TABLES = st.sampled_from("abcde")
PARENTS = st.sets(TABLES, max_size=2)
COUNTS, STEPS = st.integers(0, 2), st.integers(1, 2)


@dataclass(frozen=True)
class Made:
    """A materialization as the reference knows it."""

    record: MaterializationRecord
    step: int
    inputs: dict[str, str]
    has_bytes: bool = True
    has_sidecar: bool = True

    @property
    def start(self) -> int:
        return self.record.start_sequence


class Reference:
    """The model's state: every ready materialization, and the one that each name resolves to since which start."""

    def __init__(self) -> None:
        self.made: dict[str, Made] = {}
        self.pointers: dict[str, tuple[int, str | None]] = {}
        self.held: set[str] = set()
        self.past: list[tuple[int, dict[str, str | None]]] = []

    def current(self, table: str) -> Made | None:
        return self.made.get(self.pointers.get(table, (0, None))[1] or "")

    def point(self, table: str, start: int, id: str | None) -> None:
        if start >= self.pointers.get(table, (0, None))[0] and table not in self.held:
            self.pointers[table] = (start, id)

    # the ten lines: what staleness, an edge, a closure and a hit are

    def staleness(self, table: str, step: int) -> list[tuple[str, str | None]]:
        made = self.current(table)
        assert made is not None
        changed: list[tuple[str, str | None]] = [("definition_changed", None)] if made.step != step else []
        parents = [(source, digest, self.current(source)) for source, digest in made.inputs.items()]
        gone: list[tuple[str, str | None]] = [
            ("input_vanished", s) if p is None else ("input_advanced", s)
            for s, d, p in parents
            if p is None or p.record.artifact_digest != d
        ]
        return changed + gone

    def children(self, source: str) -> list[str]:
        tables = [made for table in self.pointers if (made := self.current(table)) and source in made.inputs]
        return [made.record.table for made in sorted(tables, key=lambda made: made.start)]

    def closure(self, source: str, path: tuple[str, ...], walked: set[str]) -> Iterator[tuple[str, str]]:
        for child in self.children(source):
            if child in (*path, source):
                raise DependencyCycle(table=child)
            yield source, child
            if child not in walked:
                yield from self.closure(child, (*path, source), walked)
        walked.add(source)

    def hit(self, step: int, inputs: dict[str, str]) -> str | None:
        alike = [m for m in self.made.values() if (m.step, m.inputs, m.has_bytes) == (step, inputs, True)]
        best = max(alike, key=lambda m: (self.current(m.record.table) is m, m.start), default=None)
        return best.record.materialization_id if best else None


class Histories(RuleBasedStateMachine):
    """Drives a store and the reference alike, and compares their answers after every move."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = ResultStore(self.folder.name, "sqlite://")
        self.reference = Reference()
        self.crashed: list[tuple[Any, str, Made]] = []
        self.said: list[str] = []

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def _inputs(self, parents: set[str]) -> list[MaterializationRecord]:
        """The parents in an order that is not that of their names, as far as they are there."""
        return [
            made.record for table in sorted(parents, reverse=True) if (made := self.reference.current(table))
        ]

    @initialize(count=COUNTS)
    def begin(self, count: int) -> None:
        self.materialize("a", set(), count, 1)

    @rule(table=TABLES, parents=PARENTS, count=COUNTS, step=STEPS)
    def materialize(self, table: str, parents: set[str], count: int, step: int) -> None:
        """Makes a table over the parents' current materializations; possibly the same again."""
        inputs = on(*self._inputs(parents))
        record = make(self.store, table, numbers(count), step=step, inputs=inputs)
        self.reference.made[record.materialization_id] = Made(
            record, step, {i.source: i.anchor for i in inputs}
        )
        self.reference.point(table, record.start_sequence, record.materialization_id)

    @rule(table=TABLES, count=COUNTS, step=STEPS)
    def reuse(self, table: str, count: int, step: int) -> None:
        """Points a name at an older materialization of its own, as a hit does."""
        ids = [id for id, made in self.reference.made.items() if made.record.table == table]
        if ids:
            id, start = ids[count % len(ids)], self.store.writer.next_start()
            self.store.writer.point([(table, id)], start_sequence=start, run_id=None)
            self.reference.point(table, start, id)

    @rule(table=TABLES, count=COUNTS)
    def rollback(self, table: str, count: int) -> None:
        """Points a name at an older materialization of its own whose bytes are there, and holds it."""
        made = self.reference.made
        ids = [id for id, one in made.items() if one.record.table == table and one.has_bytes]
        if ids:
            id = ids[count % len(ids)]
            self.store.rollback(table, id)
            self.reference.pointers[table] = (self.store.writer.next_start() - 1, id)
            self.reference.held.add(table)

    @rule(table=TABLES)
    def release(self, table: str) -> None:
        """Lets runs move a held name again."""
        if table in self.reference.held:
            assert self.store.release(table) is not None
            self.reference.held.remove(table)

    @rule(back=st.integers(0, 30))
    def look_back(self, back: int) -> None:
        """Each name resolves as it did after an earlier move."""
        if back < len(self.reference.past):
            at, then = self.reference.past[-back - 1]
            for table, id in then.items():
                move = self.store.reader.move_at(table, at)
                assert (None if move is None else move.materialization_id) == id

    @rule(table=TABLES)
    def drop(self, table: str) -> None:
        """Takes a name away, not that of a held table; what was made under it stays a hit until it is collected."""
        if table in self.reference.held:
            with pytest.raises(TableHeld):
                self.store.drop(table)
        elif table in self.store.tables():
            self.store.drop(table)
            self.reference.pointers[table] = (self.store.writer.next_start() - 1, None)

    @rule(table=TABLES, with_sidecar=st.booleans())
    def tamper(self, table: str, with_sidecar: bool) -> None:
        """Removes the current bytes, or the sidecar beside them."""
        made = self.reference.current(table)
        if made is not None:
            path = made.record.artifact_path
            self.store.artifacts.delete(sidecar_path(path) if with_sidecar else path)
            left = replace(made, has_sidecar=False) if with_sidecar else replace(made, has_bytes=False)
            self.reference.made[made.record.materialization_id] = left

    @rule(table=TABLES, parents=PARENTS, count=COUNTS, step=STEPS)
    def crash(self, table: str, parents: set[str], count: int, step: int) -> None:
        """A writer dies before its flip."""
        inputs = on(*self._inputs(parents))
        attempt = killed_before_the_flip(self.store, table, numbers(count), step=step, inputs=inputs)
        id = attempt.rows[table].materialization_id
        record = self.store.reader.get(id)
        assert record is not None
        self.crashed.append((id, table, Made(record, step, {i.source: i.anchor for i in inputs})))

    @rule()
    def recover(self) -> None:
        """Publishes a row that died whole, and fails one without sidecar; refuses a root without any object."""
        expire(self.store)
        ready = self.reference.made.values()
        if ready and not any(made.has_bytes or made.has_sidecar for made in ready):
            with pytest.raises(ObjectsMissing):
                self.store.recover()
            return
        report = self.store.recover()
        assert sorted(report.promoted) == sorted(id for id, _, _ in self.crashed)
        for id, table, made in self.crashed:
            record = self.store.reader.get(id)
            assert record is not None
            self.reference.made[id] = replace(made, record=record)
            self.reference.point(table, made.start, id)
        self.crashed = []
        lost = {id for id, m in self.reference.made.items() if not (m.has_bytes and m.has_sidecar)}
        assert set(report.missing) == lost
        days_later(self.store)
        assert set(self.store.recover().lost) == lost
        self.reference.made = {id: m for id, m in self.reference.made.items() if id not in lost}
        assert not self.store.recover().promoted

    @invariant()
    def tables_agree(self) -> None:
        """The current materialization of each name, by the pointer and by its last move, and the held ones."""
        current = {t: self.reference.current(t) for t in sorted(self.reference.pointers)}
        ids = {t: None if made is None else made.record.materialization_id for t, made in current.items()}
        assert self.store.tables() == [table for table, id in ids.items() if id is not None]
        assert {t: moves[0].materialization_id for t in ids if (moves := self.store.moves(t))} == ids
        assert set(self.store.holds()) == self.reference.held
        self.reference.past.append((self.store.writer.next_start(), ids))

    @invariant()
    def verdicts_agree(self) -> None:
        """Staleness, one by one and swept."""
        tables = self.store.tables()
        for step in (1, 2):
            swept = dict(self.store.sweep(dict.fromkeys(tables, definition(step))))
            for table in tables:
                verdict = self.store.staleness(table, definition(step))
                assert [(r.reason, r.source) for r in verdict.reasons] == self.reference.staleness(
                    table, step
                )
                assert verdict.staleness == ("stale" if verdict.reasons else "fresh")
                assert swept[table] == verdict

    @invariant()
    def lineage_agrees(self) -> None:
        """One hop and the closure, or the cycle that is in it."""
        for table in self.store.tables():
            hop = [edge.derived for edge in self.store.derives_from(table)]
            assert hop == self.reference.children(table)
            answers: list[object] = []
            for walk in (self._closure, lambda t: list(self.reference.closure(t, (), set()))):
                try:
                    answers.append(walk(table))
                except DependencyCycle as error:
                    answers.append(error.table)
            assert answers[0] == answers[1]

    def _closure(self, table: str) -> list[tuple[str, str]]:
        return [(edge.input, edge.derived) for edge in self.store.derives_from_closure(table)]

    @invariant()
    def hits_agree(self) -> None:
        """For each table's own definition and inputs: the best intact match."""
        for table in self.store.tables():
            made = self.reference.current(table)
            assert made is not None
            inputs = self.store.current(table).input_anchors
            assert {i.source: i.anchor for i in inputs} == made.inputs
            hit = self.store.probe_cache(definition(made.step), inputs[::-1])
            assert hit == self.reference.hit(made.step, made.inputs)
            if made.has_bytes:
                verdict = "match" if made.has_sidecar else "missing_manifest"
                assert self.store.verify_materialization(table, definition(made.step)).verdict == verdict


class _Quick(Histories):
    """Without waiting for the disk."""

    def __init__(self) -> None:
        self._fsync, os.fsync = os.fsync, lambda fd: None
        super().__init__()

    def teardown(self) -> None:
        os.fsync = self._fsync
        super().teardown()


TestHistories = _Quick.TestCase
TestHistories.settings = settings(
    max_examples=13, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestHistories.__doc__ = "Whatever happens in whatever order, store and reference say the same."
