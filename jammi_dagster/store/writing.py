"""Writing: materializations, and the names that lead to them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from jammi_dagster import maintenance
from jammi_dagster.catalog import (
    AcceptanceRows,
    Busy,
    Flight,
    Hold,
    HoldRows,
    MaterializationRecord,
    UndropRows,
)
from jammi_dagster.contract import (
    Acceptance,
    InputAnchor,
    MaterializationEnv,
    ProducingDescriptor,
    TableName,
    definition_hash,
)
from jammi_dagster.contract.tables import check_table
from jammi_dagster.contract.wording import with_reason
from jammi_dagster.deployments import answers_of
from jammi_dagster.errors import NotDropped, NotInHistory, UnknownTable
from jammi_dagster.parent_store import RowsOverParent, is_of_parent
from jammi_dagster.recording import Attempt, Output, Recorder
from jammi_dagster.sensing import At, acceptance_of, has_bytes, materialization_at
from jammi_dagster.store.judging import JudgedStore
from jammi_dagster.store.user import user_name


class WrittenStore(JudgedStore):
    """The part of a store that writes tables and moves their names."""

    def materialize(
        self,
        table: str,
        data: Any,
        *,
        descriptor: ProducingDescriptor | Mapping[str, Any],
        env: MaterializationEnv | Mapping[str, Any],
        inputs: Sequence[InputAnchor],
    ) -> MaterializationRecord:
        """Write `data` as a new materialization of `table` and makes it current.

        `data` is a `pyarrow.Table` or reader, anything with `__arrow_c_stream__`, or an iterator of record
        batches. Raises `InvalidTableName`, `InvalidField`, `NotCanonical` and `DuplicateInput` before it reads any
        of it, `NotATable`, `UnsupportedSchema`, and the errors of storage and catalog; then nothing is
        published.
        """
        if not isinstance(descriptor, ProducingDescriptor):
            descriptor = ProducingDescriptor.from_dict(descriptor)
        if not isinstance(env, MaterializationEnv):
            env = MaterializationEnv.from_dict(env)
        output = Output(
            table=check_table(table),
            descriptor=descriptor,
            env=env,
            definition=definition_hash(descriptor, env),
            input_anchors=tuple(inputs),
            answers=answers_of(self.reader, self.scope, inputs),
        )
        attempt = self.begin([table], produced_by="library", owner=f"library/{secrets.token_hex(8)}")
        assert isinstance(attempt, Attempt), "without flights nobody is in the way"
        with attempt:
            attempt.write(table, data)
            return attempt.publish([output])[0].record

    def begin(
        self,
        tables: Sequence[str],
        *,
        produced_by: str,
        owner: str,
        start_sequence: int | None = None,
        flights: Mapping[str, Flight] | None = None,
    ) -> Attempt | Busy:
        """Open the funnel for `tables`, to be published together; see `recording.Recorder.begin`.

        Raises `RootNotThere` and `RootOfAnotherCatalog`, before anything is written, where root and catalog do not name
        each other.
        """
        self.binding.check()
        self.key.record()
        recorder = Recorder(
            reader=self.reader,
            writer=self.writer,
            root=self.artifacts,
            scope=self.scope,
            check_root=self.binding.check,
        )
        return recorder.begin(
            [check_table(table) for table in tables],
            produced_by=produced_by,
            owner=owner,
            start_sequence=start_sequence,
            flights=flights,
        )

    def drop(self, table: str) -> None:
        """Take the table's name away in this deployment. Tables recorded over it are then stale: input vanished.

        Nothing else changes: its materializations may be reused, and stay until `collect` finds that nothing keeps
        them. A branch that drops a table of its parent hides it, for itself alone. Raises `UnknownTable`, for a tenant
        also for a global table, and `TableHeld`.
        """
        self.binding.check()
        is_dropped = maintenance.drop_with_tombstone(
            self.writer, self.artifacts, self.scope, check_table(table)
        )
        if not is_dropped and not self._deployments.hide(self.current(table)):
            raise self._not_own(table, "drops")
        self._deployments.begin()

    def undrop(
        self, table: str, *, by: str | None = None, reason: str | None = None
    ) -> MaterializationRecord:
        """Give a dropped table its last intact materialization back, under a new start, and return that.

        In a branch, the parent's table shows again where it has one. A table whose materialization is lost gets the
        intact one before it. Raises `NotDropped`, also where none is intact, `UnknownTable`, and `TableHeld`.
        """
        self.binding.check()
        above, scope = None, self.scope
        if isinstance(self.reader, RowsOverParent):
            above, scope = self.reader.above(table), scope.without_parent
        rows = UndropRows(self.database, scope, self.artifacts.uri)
        before = rows.before(check_table(table))
        if before is None:
            self.current(table)
            raise NotDropped(table=table, deployment=self.scope.deployment, why="it is not dropped")
        records = self.reader.records(before)
        ready = (records[one] for one in before if one in records and records[one].status == "ready")
        intact = (record.materialization_id for record in ready if has_bytes(self.artifacts, record))
        cause = with_reason(f"by {user_name(by, reason)}", reason)
        over = None if above is None else above.materialization_id
        shown, sequence = rows.undrop(table, next(intact, None), cause=cause, above=over)
        maintenance.forget_drops(self.artifacts, self.scope, table, until=sequence)
        self._deployments.begin()
        record = self.reader.get(shown)
        assert record is not None, "a row is never deleted"
        return record

    def _not_own(self, table: str, act: str) -> UnknownTable:
        """Build the error for a table without a name in the own scope. Raises `UnknownTable` for one without any."""
        record = self.current(table)
        whose = "a global one, which no tenant"
        if record.answered_by not in (None, self.scope.deployment):
            whose = f"one of {record.answered_by}, which no branch"
        others = f" (that is {whose} {act})"
        return UnknownTable(table=table, deployment=self.scope.deployment, near=others)

    def rollback(
        self, table: str, to: At, *, by: str | None = None, reason: str | None = None
    ) -> MaterializationRecord:
        """Make an earlier materialization current, and hold the table there until `release`.

        `to` names it as in `read(at=…)`. While the table is held, runs still record new materializations, but do not
        move its name; sensor, recompute and automation conditions do not request it. Tables that were made over another
        one of its materializations become stale. `by` (default: the user of this process) and `reason` are shown with
        the hold.

        Raises `UnknownTable`, for a tenant also for a global table, and `NotInHistory` for a materialization that is
        not there, not ready, not of this table, or not whole.

            store.rollback("prices", "2026-03-01", reason="March has wrong units")
        """
        self.binding.check()
        record = materialization_at(self.reader, check_table(table), to)
        if is_of_parent(record):
            near = " (that is one of the parent's store; roll it back there)"
            raise UnknownTable(table=table, deployment=self.scope.deployment, near=near)
        if not has_bytes(self.artifacts, record):
            why = f"the bytes of materialization {record.materialization_id} are gone or altered"
            raise NotInHistory(table=table, at=str(to), why=why)
        by = user_name(by, reason)
        if not self._hold_rows.roll_back(table, record.materialization_id, by=by, reason=reason):
            raise self._not_own(table, "rolls back")
        self._deployments.begin()
        return record

    def release(self, table: str) -> Hold | None:
        """Let runs move the table's name again, and give the hold that was on it; None where it was not held.

        The name stays where it is until the next run. Raises `UnknownTable`.
        """
        self.binding.check()
        hold = self.holds().get(check_table(table))
        if not self._hold_rows.release(table):
            self.current(table)
            return None
        return hold

    def accept(
        self,
        table: str,
        partition: str | None = None,
        *,
        descriptor: ProducingDescriptor | Mapping[str, Any],
        env: MaterializationEnv | Mapping[str, Any],
        inputs: Sequence[InputAnchor],
        reason: str,
        by: str | None = None,
        proof: str | None = None,
    ) -> Acceptance:
        """Take the table's current materialization for the output of a definition that differs in its code alone.

        From then on it is fresh, and reused, under that definition: in this deployment, until its name moves or the
        definition changes again. `descriptor`, `env` and `inputs` are those that `materialize` would get now;
        `jammi_dagster.accept` finds them in the code of a pipeline. `partition` stands for `table[partition]`. `by`
        (default: the user of this process), `reason` and `proof` are shown wherever the table is judged.

        Raises `NotAcceptable` where more than code differs, an input has no version, or the bytes are gone;
        `UnknownTable`, for a tenant also for a global table, `InvalidManifest`, and `InvalidField` without a reason.
        """
        self.binding.check()
        if partition is not None:
            table = str(TableName.of(TableName.parse(table).asset_key, partition))
        offered = acceptance_of(
            self.artifacts,
            self.current(table),
            descriptor,
            env,
            inputs,
            scope=self.scope,
            by=user_name(by, reason),
            reason=reason,
            proof=proof,
        )
        accepted = AcceptanceRows(self.database, self.scope).add(offered)
        if accepted is None:
            raise self._not_own(table, "accepts")
        return accepted

    def acceptances(self) -> dict[str, Acceptance]:
        """Map each table whose current materialization is accepted in this deployment to its acceptance."""
        return self.reader.acceptances()

    @property
    def _hold_rows(self) -> HoldRows:
        self.binding.bind()
        return HoldRows(self.database, self.scope)
