"""Anchor sets: equal ones are stored once, with their edges (ADR 1)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from jammi_dagster.catalog import statements
from jammi_dagster.contract import InputAnchor, anchor_set_key
from jammi_dagster.contract.anchors import once_for_each_tuple


def anchor_sets(connection: sa.Connection, listed: Sequence[Sequence[InputAnchor]]) -> list[int]:
    """Find the ids of the stored sets that equal these; store a new one, with its edges.

    Equal ones, as the tables of a range have them, are looked for once.
    """
    known: dict[str, int] = {}
    ids = []
    for anchors in listed:
        key = anchor_set_key(anchors)
        if key not in known:
            known[key] = _anchor_set(connection, key, anchors)
        ids.append(known[key])
    return ids


def _anchor_set(connection: sa.Connection, set_key: str, anchors: Sequence[InputAnchor]) -> int:
    known = connection.execute(statements.SET_ID, {"of_set_key": set_key}).scalar_one_or_none()
    if known is not None:
        return int(known)
    upserts = statements.upserts(connection.dialect.name)
    row = {"set_key": set_key, "anchors_json": anchors_json(anchors)}
    new = connection.execute(upserts.anchor_set, row).scalar_one_or_none()
    if new is None:  # another process stored it meanwhile
        return int(connection.execute(statements.SET_ID, {"of_set_key": set_key}).scalar_one())
    set_id = int(new)
    if anchors:
        edges = [{"source": a.source, "anchor_set_id": set_id, "kind": a.kind.value} for a in anchors]
        connection.execute(upserts.edges, sorted(edges, key=lambda edge: str(edge["source"])))
    return set_id


def anchors_json(anchors: Iterable[InputAnchor]) -> str:
    """Give the text of a stored set: its anchors in the order of their sources."""
    in_order = sorted(anchors, key=lambda anchor: anchor.source)
    return json.dumps([anchor.to_dict() for anchor in in_order], ensure_ascii=False)


@once_for_each_tuple
def recorded_order(anchors: Sequence[InputAnchor]) -> str | None:
    """Give the recorded order as indexes into the order by source, or None where it is that order."""
    by_source = {source: i for i, source in enumerate(sorted(anchor.source for anchor in anchors))}
    order = [by_source[anchor.source] for anchor in anchors]
    return None if order == list(range(len(order))) else json.dumps(order)
