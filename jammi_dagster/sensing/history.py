"""Tables as they were: the materialization that a name resolved to, by id, by sequence, or by time."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TypeAlias

from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.errors import NotInHistory
from jammi_dagster.sensing.rows import Rows

At: TypeAlias = "str | int | datetime"
_LARGEST = 2**63


def materialization_at(reader: Rows, table: str, at: At) -> MaterializationRecord:
    """Find the ready materialization that `at` names: by its id, or the current one at a sequence or an instant.

    A text is an id, else a number, else an instant (ISO 8601, UTC unless it says otherwise). Raises `NotInHistory`.
    """
    given = at
    record = reader.get(at) if isinstance(at, str) else None
    if record is None:
        record = _current_at(reader, table, given, _parsed(table, at))
    if record.table != table:
        raise _not(table, given, f"that is a materialization of {record.table}")
    if record.status != "ready":
        raise _not(table, given, f"materialization {record.materialization_id} is {record.status}, not ready")
    return record


def _parsed(table: str, at: At) -> int | datetime:
    """Read a sequence or an instant."""
    if isinstance(at, str):
        try:
            at = int(at) if at.isdecimal() else datetime.fromisoformat(at.replace("Z", "+00:00"))
        except ValueError:
            raise _not(table, at, "it has no such materialization, and that is no sequence or time") from None
        if isinstance(at, datetime) and at.tzinfo is None:
            at = at.replace(tzinfo=timezone.utc)
    if isinstance(at, datetime):
        if at.tzinfo is None:
            raise _not(table, at, "that time has no time zone, give one: datetime(…, tzinfo=timezone.utc)")
        return at
    if not isinstance(at, int) or isinstance(at, bool) or not 0 <= at < _LARGEST:
        raise _not(table, at, "give a materialization's id, a sequence of `moves`, or a datetime")
    return at


def _current_at(reader: Rows, table: str, given: At, at: int | datetime) -> MaterializationRecord:
    move = reader.move_at(table, at)
    if move is None:
        moves = reader.moves(table)
        begins = f"its history begins on {moves[-1].at[:19]}" if moves else "it has no history"
        raise _not(table, given, begins)
    if move.materialization_id is None:
        raise _not(table, given, f"it had no materialization then, it was {move.outcome} on {move.at[:19]}")
    record = reader.get(move.materialization_id)
    if record is None:
        raise _not(table, given, f"materialization {move.materialization_id} is no longer known")
    return record


def _not(table: str, at: At, why: str) -> NotInHistory:
    return NotInHistory(table=table, at=str(at), why=why)
