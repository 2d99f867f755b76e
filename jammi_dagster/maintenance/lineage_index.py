"""The lineage index: recorded anchor sets, and the edges that are derived from them, mended where they are damaged."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from jammi_dagster.artifacts import ArtifactRoot
from jammi_dagster.catalog import RecoveryRows
from jammi_dagster.contract import InputAnchor, anchor_set_key
from jammi_dagster.errors import JammiError
from jammi_dagster.maintenance.sidecars import fetch_manifest


def mend_index(rows: RecoveryRows, root: ArtifactRoot, *, dry_run: bool) -> tuple[list[str], list[str]]:
    """Restore sets that cannot be read from sidecars, and make edges anew that do not match.

    Gives the keys of the sets whose edges did not match, and of those that were restored. A set that no sidecar tells
    stays as it is: its tables are undecidable.
    """
    wrong, unreadable = rows.faulty_sets()
    restored = list[str]()
    for set_key in unreadable:
        anchors = _recorded(rows, root, set_key)
        if anchors is not None:
            restored.append(set_key)
            if not dry_run:
                rows.restore_set(set_key, anchors)
    if not dry_run:
        for set_key in (*wrong, *restored):
            rows.rebuild_edges(set_key)
    return wrong, restored


def _recorded(rows: RecoveryRows, root: ArtifactRoot, set_key: str) -> Sequence[InputAnchor] | None:
    """Read the anchors of a set from the sidecar of a table that was made over it."""
    for artifact in rows.artifacts_over(set_key):
        with contextlib.suppress(JammiError):
            anchors = fetch_manifest(root, artifact).input_anchors
            if anchor_set_key(anchors) == set_key:
                return anchors
    return None
