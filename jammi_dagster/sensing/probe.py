"""The cache probe: has exactly this definition over exactly these inputs been materialized, and is it intact?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jammi_dagster.artifacts import ArtifactRoot
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract import DefinitionHash, InputAnchor
from jammi_dagster.contract.anchors import check_distinct, pinned_set_key
from jammi_dagster.sensing.rows import Rows


def lookup_cached(
    reader: Rows, definition: DefinitionHash, inputs: Sequence[InputAnchor]
) -> Iterator[MaterializationRecord]:
    """Every ready materialization of this definition over this set of anchors, best first; bytes not looked at.

    An unpinned anchor never hits: equal instants do not prove equal inputs (freshness.rs, `lookup_cached`).
    Raises `DuplicateInput` for a source that occurs twice.
    """
    key = pinned_set_key(inputs)
    if key is None:
        return
    best = reader.matches(definition, key, only_best=True)
    if not best:
        check_distinct(inputs)  # what was recorded is
        return
    yield from best
    # where it will not do; of what is made again and again the same way there are many more
    yield from (other for other in reader.matches(definition, key) if other != best[0])


def probe_cache_record(
    reader: Rows,
    root: ArtifactRoot,
    definition: DefinitionHash,
    inputs: Sequence[InputAnchor],
    *,
    check_digest: bool = False,
) -> MaterializationRecord | None:
    """The best match whose bytes are there and of the recorded size; with `check_digest`, of the recorded digest.

    A match whose bytes are gone or altered is passed over for the next one (DESIGN 2.7).
    """
    for record in lookup_cached(reader, definition, inputs):
        size = root.size(record.artifact_path)
        if size is None or record.size_bytes not in (None, size):  # an engine's row records no size
            continue
        if check_digest and root.digest(record.artifact_path) != record.artifact_digest:
            continue
        return record.with_anchors(inputs)
    return None
