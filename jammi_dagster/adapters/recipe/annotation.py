"""The annotation beside a materialization, read back: untrusted text, so a damaged one is a miss, never a failure."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from jammi_dagster.adapters.handoff.serialized_metadata import unpacked
from jammi_dagster.artifacts import read_manifest
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.errors import JammiError
from jammi_dagster.store import ResultStore

_log = logging.getLogger("jammi_dagster")


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """The metadata, tags and check results that a materialization recorded, for a reuse to emit again."""

    metadata: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    check_results: tuple[dg.AssetCheckResult, ...] = ()


_NOTHING = Annotation()


def read_annotation(
    store: ResultStore,
    record: MaterializationRecord,
    text: str | None,
    *,
    or_of_sidecar: bool = False,
    is_shared: bool = False,
) -> Annotation | None:
    """Read the text of an annotation of `record`: empty if it recorded none, None with a warning if it is damaged.

    With `or_of_sidecar` the copy in the sidecar is taken in place of a damaged one: for a table of a range, all of
    which would be computed for the sake of one. With `is_shared` equal texts are read once: a plan reads 100,000, and
    hands none of their values to code of a user.
    """
    if text is None:
        return _NOTHING
    try:
        return _shared(text) if is_shared else _annotation(json.loads(text))
    except Exception as error:  # Dagster's classes raise as they like over values that they do not know
        _warn(record.table, f"annotation of materialization {record.materialization_id}", error)
    if or_of_sidecar:
        with contextlib.suppress(Exception):
            manifest = read_manifest(store.artifacts, record.artifact_path)
            return None if manifest is None else _annotation((manifest.own or {})["annotation"])
    return None


@functools.lru_cache(maxsize=100)
def _shared(text: str) -> Annotation:
    return _annotation(json.loads(text), _shared_value)


_shared_value = functools.lru_cache(maxsize=1_000)(dg.deserialize_value)


def _annotation(
    value: Mapping[str, Any], deserialize: Callable[[str], Any] = dg.deserialize_value
) -> Annotation:
    return Annotation(
        metadata=unpacked(value["metadata"], deserialize),
        tags={_text(name): _text(tag) for name, tag in value["tags"].items()},
        check_results=tuple(_check_result(check, deserialize) for check in value["check_results"]),
    )


@contextlib.contextmanager
def passing_over_damage(table: str, record: str) -> Iterator[None]:
    """Log a record of the table that cannot be read, in place of the error that its reader raises."""
    try:
        yield
    except (JammiError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        _warn(table, record, error)


def _warn(table: str, found: str, error: BaseException) -> None:
    _log.warning(
        "table %s: the %s cannot be read (%s); it is taken for absent, and written anew when the table is made again",
        table,
        found,
        type(error).__name__,
    )


def _check_result(check: Mapping[str, Any], deserialize: Callable[[str], Any]) -> dg.AssetCheckResult:
    key, name = check["asset_key"], check["check_name"]
    return dg.AssetCheckResult(
        check_name=None if name is None else _text(name),  # the only check of an asset needs none
        asset_key=None if key is None else dg.AssetKey(key),
        passed=check["passed"],
        severity=dg.AssetCheckSeverity(check["severity"]),
        description=check["description"],
        metadata=unpacked(check["metadata"], deserialize),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} in the place of a text")
    return value
