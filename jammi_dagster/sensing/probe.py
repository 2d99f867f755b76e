"""The cache probe: find an intact materialization of exactly this definition over exactly these inputs.

Rules: the row and its bytes are both needed for a hit; an unpinned input never hits. Not done here: deciding whether a
probe is wanted (see `contract.CachePolicy`) and moving pointers (see `recording`).
"""

from __future__ import annotations

import errno
import functools
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from jammi_dagster.artifacts import ArtifactRoot
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract import DefinitionHash, InputAnchor
from jammi_dagster.contract.anchors import check_distinct, pinned_set_key
from jammi_dagster.errors import ArtifactOutsideRoot, StorageFailed
from jammi_dagster.sensing.rows import Rows
from jammi_dagster.threads import Workers

# a path that no file can have: only a damaged row holds it
_NO_NAME = (errno.ENAMETOOLONG, errno.ELOOP)
# of a range that misses, no more rows than these are read in vain
_AT_ONCE = 500
_IN_FLIGHT = 64
_NONE_KNOWN: Mapping[tuple[str, str], MaterializationRecord] = {}
_NO_SET = ""  # the key of no anchors: an input without a version equals nothing
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
    found = _probe(reader, root, definition, inputs, check_digest=check_digest)
    return found.record.with_anchors(inputs) if found.record and found.has_bytes else None


class Answer(NamedTuple):
    """The answer of a probe: the best match with bytes. Without `has_bytes` the best match, whose bytes are gone."""

    record: MaterializationRecord | None
    has_bytes: bool


def probe_many(
    reader: Rows,
    root: ArtifactRoot,
    wanted: Sequence[tuple[str, Sequence[InputAnchor]]],
    known: Mapping[tuple[str, str], MaterializationRecord] = _NONE_KNOWN,
) -> Iterator[Answer]:
    """Yield the answer of `probe_cache_record` for each definition and inputs, and the match whose bytes are gone.

    `known` are the best matches of definitions and set keys that were read already; the others are read for many at
    once. Bytes on this machine are only looked at as the answers are taken; elsewhere those of many objects are asked
    for at once.
    """
    with Workers(_IN_FLIGHT, "jammi-probe", purpose="look at the bytes of stored tables") as pool:
        look = map if root.is_local else pool.map
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            keys = [(definition, pinned_set_key(inputs) or _NO_SET) for definition, inputs in some]
            rest = [key for key in keys if key not in known]
            best = reader.best_matches(rest) if len(rest) > 1 else {}
            records = [known.get(key) or best.get(key) for key in keys]
            there = look(functools.partial(has_bytes, root), records)
            for (definition, inputs), key, record, is_there in zip(some, keys, records, there, strict=True):
                if is_there:
                    yield Answer(record, has_bytes=True)
                elif record is not None or key in best or len(rest) == 1:
                    yield _probe(reader, root, DefinitionHash(definition), inputs)
                else:
                    check_distinct(inputs)
                    yield Answer(None, has_bytes=False)


def _probe(
    reader: Rows,
    root: ArtifactRoot,
    definition: DefinitionHash,
    inputs: Sequence[InputAnchor],
    *,
    check_digest: bool = False,
) -> Answer:
    best = None
    for record in lookup_cached(reader, definition, inputs):
        best = best or record
        if not has_bytes(root, record):
            continue
        if check_digest and root.digest(record.artifact_path) != record.artifact_digest:
            continue
        return Answer(record, has_bytes=True)
    return Answer(best, has_bytes=False)


def has_bytes(root: ArtifactRoot, record: MaterializationRecord | None) -> bool:
    """Return True if there are bytes in the recorded size. Log a path that no artifact can have."""
    if record is None:
        return False
    try:
        size = root.size(record.artifact_path)
    except (ArtifactOutsideRoot, StorageFailed) as error:
        if isinstance(error, StorageFailed) and getattr(error.__cause__, "errno", None) not in _NO_NAME:
            raise
        _log.warning("table %s: a recorded materialization is passed over, %s", record.table, error)
        return False
    return size is not None and record.size_bytes in (None, size)  # an engine's row has no size
