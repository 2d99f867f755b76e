"""Staleness of every current table at once, in three queries however many there are."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping

from jammi_dagster.artifacts import ArtifactRoot
from jammi_dagster.catalog.records import decode_anchors
from jammi_dagster.contract import AnchorKind, CurrentAnchor, DefinitionHash, InputAnchor, Staleness
from jammi_dagster.sensing.rows import Rows
from jammi_dagster.sensing.staleness import Resolver, judge
from jammi_dagster.surfaces import VersionSurface

_SETS_KEPT = 4_096


def sweep(
    rows: Rows,
    root: ArtifactRoot,
    definitions: Mapping[str, DefinitionHash],
    surfaces: Iterable[VersionSurface] = (),
) -> Iterator[tuple[str, Staleness]]:
    """The verdict on each current table that `definitions` names, by name. Raises `InvalidField` for a bad row.

    A surface is asked once. A global row's inputs resolve among the global tables, whoever asks.
    """
    surfaces = list(surfaces)
    # fan-outs record one set many times
    decode = functools.lru_cache(_SETS_KEPT)(functools.partial(decode_anchors, where="recorded inputs"))
    resolvers: dict[str, Callable[[InputAnchor], CurrentAnchor]] = {}
    for row in rows.current_rows():
        definition = definitions.get(row.table)
        if definition is None:
            continue
        if row.tenant not in resolvers:
            resolvers[row.tenant] = _resolver(rows.for_tenant(row.tenant), root, surfaces)
        anchors = decode(row.anchors_json, row.anchor_order)
        yield row.table, judge(row.definition_hash, anchors, definition, resolvers[row.tenant])


def _resolver(
    rows: Rows, root: ArtifactRoot, surfaces: list[VersionSurface]
) -> Callable[[InputAnchor], CurrentAnchor]:
    """Resolves anchors from the digests of all tables, read at once where the catalog holds them."""
    one_by_one, digests = Resolver(rows, root, surfaces).current_anchor, rows.digests()
    if digests is None:
        return one_by_one

    def resolve(anchor: InputAnchor) -> CurrentAnchor:
        if anchor.kind is not AnchorKind.RESULT_DIGEST:
            return one_by_one(anchor)
        digest = digests.get(anchor.source)
        return CurrentAnchor.vanished() if digest is None else CurrentAnchor.result_digest(digest)

    return resolve
