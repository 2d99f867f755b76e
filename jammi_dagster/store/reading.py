"""Reading: tables, their history, their bytes, and pins that keep them."""

from __future__ import annotations

import difflib
import math
import secrets
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from jammi_dagster.artifacts import Recorded, VerifiedReads
from jammi_dagster.catalog import CatalogReader, Hold, MaterializationRecord, Move, PinRecord, ReadLeaseRows
from jammi_dagster.catalog.read_leases import PINNED
from jammi_dagster.contract import Verification
from jammi_dagster.contract.tables import check_source, check_table
from jammi_dagster.errors import InvalidField, OutputNotMade, UnknownTable
from jammi_dagster.objects import NOT_MADE_TYPE, is_object, load_object, media_type_of, reads_code
from jammi_dagster.parent_store import is_of_parent
from jammi_dagster.recording import Pin, ReadLease
from jammi_dagster.sensing import At, Rows, materialization_at
from jammi_dagster.store.opened import OpenedStore
from jammi_dagster.store.user import user_name

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds

NEIGHBOURS = 100
_Kept = TypeVar("_Kept")


class ReadStore(OpenedStore):
    """The part of a store that gives tables, their history and their bytes."""

    def tables(self) -> list[str]:
        """List the names of all tables that have a current materialization in this deployment, sorted."""
        return self.reader.tables()

    def current(self, table: str) -> MaterializationRecord:
        """Find the table's current materialization. Raises `UnknownTable`, and `InvalidTableName` for no name."""
        return self._current(self.reader, table)

    def _current(self, reader: Rows, table: str) -> MaterializationRecord:
        record = reader.current(check_source(table))
        if record is None:
            raise self._gone(table) or self._unknown(table, reader.neighbours(table, most=NEIGHBOURS))
        return record

    def _gone(self, table: str) -> UnknownTable | None:
        """Build the error for a table that a pinned parent had, and that is gone since; None for any other."""
        at = self.scope.parent_at
        if at is None or not isinstance(self.reader, CatalogReader):
            return None
        move = self.reader.move_at(table, at)
        if move is None or move.materialization_id is None:
            return None
        had = f"{move.materialization_id} of {self.scope.parent} at sequence {at}"
        near = (
            f" (it was {had}, which was collected or lost before the branch wrote anything; pin a later one)"
        )
        return UnknownTable(table=table, deployment=self.scope.deployment, near=near)

    def _unknown(self, name: str, neighbours: Sequence[str]) -> UnknownTable:
        partitions = [one for one in neighbours if one.startswith(f"{name}[")]
        if partitions:
            near = f" as a whole: it has partitions, such as {', '.join(partitions[:3])}"
            return UnknownTable(table=name, deployment=self.scope.deployment, near=near)
        # of all names, comparing would take seconds; a slip mostly leaves a name near where it belongs
        close = difflib.get_close_matches(name, dict.fromkeys(neighbours), n=3)
        near = f" (near names: {', '.join(close)})" if close else ""
        return UnknownTable(table=name, deployment=self.scope.deployment, near=near)

    def restored(self) -> list[str]:
        """List the tables whose names adoption resolved, and no run has confirmed since, sorted."""
        return self.reader.restored() if isinstance(self.reader, CatalogReader) else []

    def history(self, table: str) -> list[MaterializationRecord]:
        """List every materialization of the table, of whatever status and deployment, the latest start first.

        The `moves` of each tell when it became current, by which act, run and reason, and in which deployment.
        """
        moves = defaultdict[str | None, list[Move]](list)
        for move in self.moves(table):
            moves[move.materialization_id].append(move)
        records = self.reader.history(check_table(table))
        return [replace(record, moves=tuple(moves[record.materialization_id])) for record in records]

    def moves(self, table: str) -> list[Move]:
        """List the moves of the table's name in every deployment, the latest first.

        Each tells which materialization the name resolved to from then on. A catalog of an earlier version begins its
        history when it is upgraded. An engine's catalog keeps none: the list is empty.

            print(store.moves("clean_trips")[0].reason)    # helper clean (…) changed
        """
        return self.reader.moves(check_table(table))

    def holds(self) -> dict[str, Hold]:
        """Map each of the own tables that is held in this deployment to its hold; see `rollback`."""
        return self.reader.holds()

    def _materialization(self, name: str) -> MaterializationRecord:
        """Find a materialization by its id, or the current one of a table."""
        found = self.reader.get(name)
        return self.current(name) if found is None else found

    def read(self, table: str, *, at: At | None = None, verify: Verification | str = "pages") -> pa.Table:
        """Read the current materialization as a table in memory, compared with its record (see `Verification`).

        `at` asks for an earlier one: a materialization's id, or the one that was current in this deployment at a
        sequence (of `moves`, or of a start) or at an instant (a `datetime`, or ISO 8601). Raises `UnknownTable`,
        `NotInHistory`, `ArtifactCorrupt`, `InvalidField` for another `verify` or an object, `OutputNotMade`, and
        `StorageFailed`.
        """
        record, lease = self._leased(table, at, "read")
        with lease, self._verified(verify) as reads:
            found = reads.read_table(self.recorded(record))
        if is_object(found.schema):
            if media_type_of(found.schema) == NOT_MADE_TYPE:
                raise OutputNotMade(table=table)
            expected = "a table; it holds an object, which read_object() reads"
            raise InvalidField(what="read", path="table", value=table, expected=expected)
        return found

    def read_object(self, table: str, *, at: At | None = None) -> Any:
        """Read the object that the current materialization holds: JSON, bytes, a path to a private copy, a pickle.

        All bytes are compared with their record before code of theirs runs, as of a pickle. Takes `at` and raises as
        `read` does; also `InvalidField` for a table, and `ObjectUnreadable`.
        """
        record, lease = self._leased(table, at, "read_object")
        with lease, self._verified("pages") as reads:
            recorded = self.recorded(record)
            found = reads.read_table(recorded)
            if not is_object(found.schema):
                expected = "a table that holds an object; read() reads any other"
                raise InvalidField(what="read_object", path="table", value=table, expected=expected)
            if reads_code(found.schema):
                found = reads.read_checked(recorded)
        return load_object(found, of=table)

    def dataset(
        self, table: str, *, at: At | None = None, verify: Verification | str = "pages"
    ) -> ds.Dataset:
        """Open the current materialization as a dataset, read lazily; each page is verified when a query reads it.

        An artifact without page checksums is hashed first, once per process. Takes `at` and raises as `read` does. No
        collection takes the materialization while the dataset is in use.
        """
        record, lease = self._leased(table, at, "dataset")
        with self._verified(verify) as reads:
            dataset = reads.dataset(self.recorded(record))
        return lease.held_by(dataset)

    def pin(
        self, table: str, at: At | None = None, *, seconds: float = math.inf, reason: str | None = None
    ) -> Pin:
        """Keep a materialization from any collection for so long, or until the pin is released or `unpin`ned.

        `at` is as in `read`. The pin outlives this process. Raises `UnknownTable`, `NotInHistory` and `InvalidField`.

            with store.pin("prices") as pin:
                store.read("prices", at=pin.materialization_id)
        """
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not seconds > 0:
            raise InvalidField(what="pin", path="seconds", value=seconds, expected="a number above 0")
        self.binding.check()
        rows, pin_id = ReadLeaseRows(self.database, self.scope), secrets.token_hex(16)
        by = user_name(reason=reason)
        purpose = f"by {by}" if reason is None else reason

        def take(one: str) -> bool:
            return rows.take(pin_id, one, owner=PINNED, purpose=purpose, seconds=seconds)

        record, is_pinned = self._found_and_kept(table, at, take)
        if is_pinned:
            return Pin(record, pin_id, lambda: rows.release([pin_id]))
        why = f"its materialization {record.materialization_id} is not ready"
        if is_of_parent(record):
            why = "that is one of the parent's store; pin it there"
        raise UnknownTable(table=table, deployment=self.scope.deployment, near=f" ({why})")

    def pins(self) -> list[PinRecord]:
        """List the pins of this tenant, by table."""
        return ReadLeaseRows(self.database, self.scope).pins()

    def unpin(self, pin_id: str) -> bool:
        """End a pin of this tenant; False where there is none with this id."""
        self.binding.check()
        return ReadLeaseRows(self.database, self.scope).release([pin_id]) == 1

    def _leased(self, table: str, at: At | None, purpose: str) -> tuple[MaterializationRecord, ReadLease]:
        """Find a materialization, and keep it from any collection as long as the lease is held.

        One that cannot be kept is read without a lease.
        """
        record, lease = self._found_and_kept(
            table, at, lambda one: self._readers.take(self.scope, one, purpose)
        )
        return record, lease or self._readers.nominal()

    def _found_and_kept(
        self, table: str, at: At | None, keep: Callable[[str], _Kept]
    ) -> tuple[MaterializationRecord, _Kept | None]:
        """Find a materialization that `keep` keeps, and give it with the answer of `keep`.

        One that was collected since it was found is looked for again. Nothing keeps one of a parent's store, nor one
        that a name still leads to though it is not ready: its row is damaged, as a collection empties the name.
        """
        refused = None
        while True:
            record = self._at(table, at)
            if is_of_parent(record):
                return record, None
            kept = keep(record.materialization_id)
            if kept or record.materialization_id == refused:
                return record, kept
            refused = record.materialization_id

    def _at(self, table: str, at: At | None) -> MaterializationRecord:
        return self.current(table) if at is None else materialization_at(self.reader, check_table(table), at)

    def recorded(self, record: MaterializationRecord) -> Recorded:
        """Return the artifact of a materialization, for `VerifiedReads`."""
        return Recorded(
            root=self.artifacts, table=record.table, path=record.artifact_path, digest=record.artifact_digest
        )

    def _verified(self, verify: Verification | str) -> VerifiedReads:
        return VerifiedReads(Verification.parse(verify, of="store", field="verify"))
