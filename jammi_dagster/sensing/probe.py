"""The cache probe: find an intact materialization of exactly this definition over exactly these inputs.

Rules: the row and its bytes are both needed for a hit; an unpinned input never hits. Not done here: deciding whether a
probe is wanted (see `contract.CachePolicy`) and moving pointers (see `recording`).
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator, Sequence

from jammi_dagster.artifacts import ArtifactRoot
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract import DefinitionHash, InputAnchor
from jammi_dagster.contract.anchors import check_distinct, pinned_set_key
from jammi_dagster.errors import ArtifactOutsideRoot, StorageFailed
from jammi_dagster.sensing.rows import Rows

# a path that no file can have: only a damaged row holds it
_NO_NAME = (errno.ENAMETOOLONG, errno.ELOOP)
# of a range that misses, no more rows than these are read in vain
_AT_ONCE = 500
_log = logging.getLogger("jammi_dagster")


def lookup_cached(
    reader: Rows, definition: DefinitionHash, inputs: Sequence[InputAnchor]
) -> Iterator[MaterializationRecord]:
    """Yield every ready materialization of this definition over this set of anchors, best first.

    No bytes are looked at. An unpinned anchor never hits: equal instants do not prove equal inputs (freshness.rs,
    `lookup_cached`). Raise `DuplicateInput` for a source that occurs twice.
    """
    key = pinned_set_key(inputs)
    if key is None:
        return
    best = reader.matches(definition, key, only_best=True)
    if not best:
        check_distinct(inputs)  # a recorded set is distinct, so only a miss needs the check
        return
    yield from best
    # only if the best one fails: a table that is made again and again has many matches
    yield from (other for other in reader.matches(definition, key) if other != best[0])


def probe_cache_record(
    reader: Rows,
    root: ArtifactRoot,
    definition: DefinitionHash,
    inputs: Sequence[InputAnchor],
    *,
    check_digest: bool = False,
) -> MaterializationRecord | None:
    """Return the best match whose bytes exist in the recorded size, or None.

    A match whose bytes are gone or altered is passed over for the next one (DESIGN 2.7), and so is one whose path names
    no regular file below the root: it is never opened.

    Args:
        reader: the catalog's rows, in one scope.
        root: the root of the artifacts.
        definition: the definition to look for.
        inputs: the present anchors of its inputs.
        check_digest: compare the digest of the bytes too, not only their size.
    """
    for record in lookup_cached(reader, definition, inputs):
        if not _has_bytes(root, record):
            continue
        if check_digest and root.digest(record.artifact_path) != record.artifact_digest:
            continue
        return record.with_anchors(inputs)
    return None


def probe_cache_records(
    reader: Rows, root: ArtifactRoot, definitions: Sequence[DefinitionHash], inputs: Sequence[InputAnchor]
) -> Iterator[MaterializationRecord | None]:
    """Yield the result of `probe_cache_record` for each definition, over the same inputs.

    The rows are read for many definitions at once; bytes are only looked at as the answers are taken.
    """
    key = pinned_set_key(inputs)
    for start in range(0, len(definitions), _AT_ONCE):
        some = definitions[start : start + _AT_ONCE]
        best = {} if key is None or len(some) == 1 else reader.best_matches(map(str, some), key)
        for definition in some:
            record = best.get(str(definition))
            if record is not None and _has_bytes(root, record):
                yield record.with_anchors(inputs)
            else:
                yield probe_cache_record(reader, root, definition, inputs)


def _has_bytes(root: ArtifactRoot, record: MaterializationRecord) -> bool:
    """Return True if the bytes exist in the recorded size. Log a path that no artifact can have."""
    try:
        size = root.size(record.artifact_path)
    except (ArtifactOutsideRoot, StorageFailed) as error:
        if isinstance(error, StorageFailed) and getattr(error.__cause__, "errno", None) not in _NO_NAME:
            raise
        _log.warning("table %s: a recorded materialization is passed over, %s", record.table, error)
        return False
    return size is not None and record.size_bytes in (None, size)  # an engine's row has no size
