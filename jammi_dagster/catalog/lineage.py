"""The rows behind the lineage of materializations, read in pages: the statements do not grow with the nodes one by one.

The tables around one are found first, in one statement over all recorded inputs; then only their rows are read.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from jammi_dagster.catalog import models
from jammi_dagster.catalog.database import Database
from jammi_dagster.catalog.queries import chunks
from jammi_dagster.catalog.records import Scope, decode_answers
from jammi_dagster.contract import InputAnchor
from jammi_dagster.contract.anchors import anchors_from_list
from jammi_dagster.lineage.graph import walk
from jammi_dagster.lineage.materializations import MaterializationNode

_m, _edges, _sets = models.materializations, models.anchor_edges, models.anchor_sets
_READABLE: sa.BindParameter[str] = sa.bindparam("readable", expanding=True)
_WAS_READY = _m.c.completed_at.is_not(None)
_PAIRS = (
    sa.select(_m.c.table_name, _edges.c.source)
    .select_from(_m.join(_edges, _edges.c.anchor_set_id == _m.c.anchor_set_id))
    .where(_m.c.tenant.in_(_READABLE), _WAS_READY)
    .distinct()
)
_ROWS = sa.select(
    *(_m.c[name] for name in ("id", "table_name", "tenant", "status", "artifact_digest", "produced_by")),
    *(_m.c[name] for name in ("start_sequence", "created_at", "anchor_set_id", "answers_json")),
).where(
    _m.c.tenant.in_(_READABLE),
    _m.c.table_name.in_(sa.bindparam("tables", expanding=True)),
    _WAS_READY,
)
_SETS = sa.select(_sets.c.id, _sets.c.anchors_json).where(_sets.c.id.in_(sa.bindparam("ids", expanding=True)))

Anchors = Mapping[str, tuple[InputAnchor, ...]]


class LineageRows:
    """The materializations of one scope, as far as they may be above or below a table.

    `above` is the catalog of a parent in another store: its materializations are among the inputs.
    """

    def __init__(self, database: Database, scope: Scope, above: Database | None = None) -> None:
        self._databases = [database, *([] if above is None else [above])]
        self._scope = {"readable": scope.readable}

    def around(self, table: str) -> tuple[dict[str, MaterializationNode], Anchors]:
        """Return every materialization of the tables above and below a table, by id, and the anchors of each.

        Raises `InvalidField` for recorded inputs that cannot be read.
        """
        nodes: dict[str, MaterializationNode] = {}
        anchors: dict[str, tuple[InputAnchor, ...]] = {}
        with contextlib.ExitStack() as stack:
            snapshots = [stack.enter_context(database.snapshot()) for database in self._databases]
            connections = [stack.enter_context(reading()) for reading in snapshots]
            tables = sorted(self._tables(connections, table))
            for connection in connections:
                sets: dict[str, int] = {}
                for some in chunks(tables):
                    for row in connection.execute(_ROWS, {**self._scope, "tables": some}):
                        nodes[row.id] = _node(row)
                        if row.anchor_set_id is not None:
                            sets[row.id] = row.anchor_set_id
                stored = self._sets(connection, sets.values())
                anchors |= {one: stored[set_id] for one, set_id in sets.items() if set_id in stored}
        return nodes, anchors

    def _tables(self, connections: Iterable[sa.Connection], table: str) -> set[str]:
        """Return the tables above and below a table by any recorded input, and itself."""
        above: dict[str, list[str]] = {}
        below: dict[str, list[str]] = {}
        for connection in connections:
            for derived, source in connection.execute(_PAIRS, self._scope):
                above.setdefault(derived, []).append(source)
                below.setdefault(source, []).append(derived)
        return {table, *(visit.name for side in (above, below) for visit in walk(table, side))}

    def _sets(self, connection: sa.Connection, ids: Iterable[int]) -> dict[int, tuple[InputAnchor, ...]]:
        return {
            set_id: anchors_from_list(json.loads(text), path=f"anchor set {set_id}", distinct=False)
            for some in chunks(sorted(set(ids)))
            for set_id, text in connection.execute(_SETS, {"ids": some})
        }


def _node(row: Any) -> MaterializationNode:
    return MaterializationNode(
        materialization_id=row.id,
        table=row.table_name,
        tenant=row.tenant,
        status=row.status,
        artifact_digest=row.artifact_digest,
        produced_by=row.produced_by,
        start_sequence=row.start_sequence,
        created_at=row.created_at,
        answers=_answers(row.id, row.answers_json),
    )


def _answers(materialization_id: str, text: str | None) -> dict[str, str]:
    """Map the sources of a row that recorded the materialization behind them to its id."""
    if text is None:
        return {}
    found = decode_answers(json.loads(text), where=f"materialization {materialization_id}")
    return {source: answer.materialization_id for source, answer in found.items()}
