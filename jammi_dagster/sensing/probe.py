"""The cache probe: find an intact materialization of exactly this definition over exactly these inputs.

Rules: the row and its bytes are both needed for a hit; an unpinned input never hits. Where nothing else does, the
current materialization of a table hits that was accepted for just this definition over these inputs, and no other.
Not done here: deciding whether a probe is wanted (see `contract.CachePolicy`) and moving pointers (see `recording`).
"""

from __future__ import annotations

import errno
import functools
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from jammi_dagster.artifacts import ArtifactRoot
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract import Acceptance, DefinitionHash, InputAnchor
from jammi_dagster.contract.anchors import check_distinct, pinned_set_key
from jammi_dagster.errors import ArtifactOutsideRoot, JammiError, StorageFailed
from jammi_dagster.planning.step_plan import GONE
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
    """The answer of a probe: the best match with bytes. Without `has_bytes` the best match, whose bytes are gone.

    `accepted` is the acceptance by which the record matches; None where it has the definition itself.
    """

    record: MaterializationRecord | None
    has_bytes: bool
    accepted: Acceptance | None = None


class Wanted(NamedTuple):
    """A table that a materialization is looked for, with its definition and the anchors of its inputs."""

    table: str
    definition: str
    anchors: Sequence[InputAnchor]


def probe_tables(
    reader: Rows,
    root: ArtifactRoot,
    wanted: Sequence[Wanted],
    known: Mapping[tuple[str, str], MaterializationRecord] = _NONE_KNOWN,
    acceptances: Mapping[str, Acceptance] | None = None,
) -> Iterator[Answer]:
    """Yield the answer of `probe_many` for each table; where it has none, the materialization that was accepted for it.

    Unless they are given, the acceptances are only asked for where a table has no other answer.
    """
    accepted: Mapping[str, tuple[Acceptance, MaterializationRecord]] | None = None
    found = probe_many(reader, root, [(one.definition, one.anchors) for one in wanted], known)
    for one, answer in zip(wanted, found, strict=True):
        if not answer.has_bytes:
            if accepted is None:
                accepted = _accepted(reader, wanted, acceptances)
            answer = _of_acceptance(root, one, accepted) or answer
        yield answer


def _accepted(
    reader: Rows, wanted: Sequence[Wanted], acceptances: Mapping[str, Acceptance] | None
) -> dict[str, tuple[Acceptance, MaterializationRecord]]:
    """Read the accepted materializations of some tables, all at once."""
    every = reader.acceptances() if acceptances is None else acceptances
    mine = {one.table: every[one.table] for one in wanted if one.table in every}
    records = reader.records(accepted.materialization_id for accepted in mine.values())
    return {
        table: (accepted, records[accepted.materialization_id])
        for table, accepted in mine.items()
        if accepted.materialization_id in records
    }


def _of_acceptance(
    root: ArtifactRoot, wanted: Wanted, accepted: Mapping[str, tuple[Acceptance, MaterializationRecord]]
) -> Answer | None:
    """Return the accepted materialization of a table, if it was accepted for this definition over these inputs."""
    if wanted.table not in accepted:
        return None
    acceptance, record = accepted[wanted.table]
    if acceptance.anchor_set != pinned_set_key(wanted.anchors):
        return None
    if not acceptance.covers(record.definition_hash, wanted.definition):
        return None
    return Answer(record, has_bytes(root, record), acceptance)


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
    size = _size(root, record.artifact_path)
    if isinstance(size, JammiError):
        _log.warning("table %s: a recorded materialization is passed over, %s", record.table, size)
    return not _damage(size, record.size_bytes)


def damage(root: ArtifactRoot, path: str, recorded: int | None) -> str:
    """Say how the bytes of an artifact are: gone, or damaged if not of its recorded size; empty for neither."""
    return _damage(_size(root, path), recorded)


def _damage(size: int | JammiError | None, recorded: int | None) -> str:
    if not isinstance(size, int):
        return GONE
    # an engine's row has no size
    return "" if recorded in (None, size) else f"damaged: {size:,} B in place of {recorded} B"


def _size(root: ArtifactRoot, path: str) -> int | JammiError | None:
    """Return the size of an artifact, None if it is not there, the error for a path that no artifact can have."""
    try:
        return root.size(path)
    except ArtifactOutsideRoot as error:
        return error
    except StorageFailed as error:
        if getattr(error.__cause__, "errno", None) not in _NO_NAME:
            raise
        return error
