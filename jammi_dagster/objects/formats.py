"""Formats of objects: each a pair of functions, from an object to its bytes and back.

`json`, `bytes`, `file` and `folder` are exact: equal objects have equal bytes, and reading them runs no code.
`pickle`, `joblib` and a user's own pair promise neither, so that their bytes are read only where all of them match
their record, and a match that another deployment wrote is none.
"""

from __future__ import annotations

import importlib
import inspect
import io
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from jammi_dagster.errors import InvalidField, NotATable, ObjectUnreadable, OutputNotMade, UnstorableData
from jammi_dagster.objects import json_values
from jammi_dagster.objects.chunks import chunks_of, description_of, in_chunks, table_of
from jammi_dagster.objects.not_made import NOT_MADE

_JSON_TYPES = (dict, list, str, int, float, bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectFormat:
    """A format of objects.

    Attributes:
        name: the name in `format=`, in definitions and in the artifact; of the user's own the place of `load`.
        dump: the function from an object to its bytes.
        load: the function from bytes to the object; of the user's own a function at the top of a module.
        is_exact: True if equal objects have equal bytes and reading them runs no code.
    """

    name: str
    dump: Callable[[Any], bytes]
    load: Callable[[bytes], Any]
    is_exact: bool = False
    media_type: str = "application/octet-stream"

    @property
    def functions(self) -> tuple[Callable[..., Any], ...]:
        """The user's own functions, which count as code of the asset."""
        return () if self.name in _FORMATS else (self.dump, self.load)


def _joblib_dump(value: Any) -> bytes:
    import joblib

    target = io.BytesIO()
    joblib.dump(value, target)
    return target.getvalue()


def _joblib_load(data: bytes) -> Any:
    import joblib

    return joblib.load(io.BytesIO(data))


VERSIONS = ObjectFormat(
    name="versions",
    dump=json_values.dump,
    load=json_values.load,
    is_exact=True,
    media_type="application/vnd.jammi.versions+json",
)
"""The versions, by source, of the surfaces that a function wrote: the record of a result that lies elsewhere."""

_FORMATS = {
    one.name: one
    for one in (
        ObjectFormat(
            name="json",
            dump=json_values.dump,
            load=json_values.load,
            is_exact=True,
            media_type="application/json",
        ),
        ObjectFormat(name="bytes", dump=lambda value: value, load=lambda data: data, is_exact=True),
        ObjectFormat(
            name="pickle",
            dump=lambda value: pickle.dumps(value, protocol=5),
            load=pickle.loads,
            media_type="application/x-python-pickle",
        ),
        ObjectFormat(
            name="joblib", dump=_joblib_dump, load=_joblib_load, media_type="application/x-python-joblib"
        ),
        VERSIONS,
    )
}
ACCEPTED = (
    "a table (pyarrow, pandas, polars …, or an iterator of them); JSON (dict, list, str, int, float, bool, None); "
    "bytes; a pathlib.Path; any other object with format=, such as pickle"
)
_OF_PATHS = ("file", "folder")
FORMATS = tuple(name for name in _FORMATS if name != VERSIONS.name)
_registered: dict[type, ObjectFormat] = {}


def format_named(given: str | ObjectFormat | tuple[Any, Any], *, of: str) -> ObjectFormat:
    """Return the format that `format=` names: one of `FORMATS`, or a pair `(dump, load)` of functions.

    An `ObjectFormat` that is none of ours is taken as its pair, with its media type. Raises `InvalidField`.
    """
    if isinstance(given, ObjectFormat):
        own = given if given in _FORMATS.values() else own_format(given.dump, given.load, of=of)
        return replace(given, name=own.name)
    if isinstance(given, tuple) and len(given) == 2:
        return own_format(*given, of=of)
    found = _FORMATS[given] if isinstance(given, str) and given in FORMATS else None
    if found is None:
        expected = f"one of {', '.join(FORMATS)}, or a pair of functions (dump, load)"
        raise InvalidField(what=of, path="format", value=given, expected=expected)
    return found


def own_format(dump: Callable[[Any], bytes], load: Callable[[bytes], Any], *, of: str) -> ObjectFormat:
    """Return the format of a user's own pair of functions. Raises `InvalidField` unless `load` can be imported."""
    for name, function in (("dump", dump), ("load", load)):
        if not inspect.isfunction(function):
            expected = "a function written in Python, not a partial or a built-in one"
            raise InvalidField(what=of, path=f"format.{name}", value=function, expected=expected)
    path = f"{load.__module__}:{load.__qualname__}"
    if "<" in path or "." in load.__qualname__:
        expected = "a function at the top of a module, so that any process finds it"
        raise InvalidField(what=of, path="format.load", value=path, expected=expected)
    return ObjectFormat(name=path, dump=dump, load=load)


def register_format(type_: type, format: str | ObjectFormat | tuple[Any, Any]) -> None:
    """Store objects of a class, and of classes below it, in a format wherever an annotation names the class.

        jammi_dagster.register_format(BaseEstimator, "joblib")

    Call it before the assets are decorated. Raises `InvalidField`.
    """
    if not isinstance(type_, type):
        raise InvalidField(what="register_format", path="type_", value=type_, expected="a class")
    _registered[type_] = format_named(format, of="register_format")


def registered_format(annotation: Any) -> ObjectFormat | None:
    """Return the format that is registered for the class that an annotation names, or for the nearest above it."""
    if not isinstance(annotation, type):
        return None
    return next((_registered[one] for one in annotation.__mro__ if one in _registered), None)


def _format_of_value(value: Any) -> ObjectFormat | None:
    """Return the exact format that a value without a declared one has; None for any other, such as a table."""
    if type(value) in _JSON_TYPES or value is None:
        return _FORMATS["json"]
    return _FORMATS["bytes"] if type(value) is bytes else None


def encoded(
    value: Any, format: ObjectFormat | None, *, table: str, code: str | None = None
) -> pa.RecordBatchReader | None:
    """Return an object as the table of its bytes; None for a value that is not declared to be an object, and is none.

    `code` is the digest of a user's own `load`: an object that is read otherwise has another digest.
    Raises `UnstorableData`.
    """
    if isinstance(value, Path) and format is None:
        return _of_path(value, table)
    is_told = format is not None
    format = format or _format_of_value(value)
    if format is None:
        return None
    described = {"format": format.name, "media_type": format.media_type, **({"code": code} if code else {})}
    try:
        return table_of(in_chunks(_dumped(value, format, table)), described)
    except json_values.NotJson as error:
        if is_told:
            raise _refused(table, str(error), "convert it, or give another format=") from None
        got = f"a {type(value).__qualname__} ({error})"
        raise NotATable(table=table, got=got, accepted=ACCEPTED) from None


def _of_path(path: Path, table: str) -> pa.RecordBatchReader:
    from jammi_dagster.objects import files  # few assets need tar

    def chunks() -> Iterator[bytes]:
        try:
            yield from files.chunks(path)
        except files.NotAFile as error:
            raise _refused(table, str(error), "let the folder hold regular files") from None

    try:
        return table_of(chunks(), files.described(path))
    except files.NotAFile as error:
        raise _refused(table, str(error), "return the path of a file or a folder") from None


def _dumped(value: Any, format: ObjectFormat, table: str) -> bytes:
    try:
        data = format.dump(value)
    except json_values.NotJson:
        raise
    except Exception as error:
        why = (
            f"format {format.name} cannot write a {type(value).__qualname__}: {type(error).__name__}: {error}"
        )
        raise _refused(table, why, "install what it needs, or give another format=") from error
    if not isinstance(data, bytes):
        why = f"format {format.name} gave a {type(data).__qualname__} in place of bytes"
        raise _refused(table, why, "let its dump return bytes")
    return data


def _refused(table: str, why: str, way_out: str) -> UnstorableData:
    return UnstorableData(content="object", table=table, why=why, way_out=way_out)


def reads_code(schema: pa.Schema) -> bool:
    """Tell whether reading the object of this schema runs code, so that all its bytes are compared first."""
    name = (description_of(schema) or {}).get("format", "json")
    return name not in (*_OF_PATHS, NOT_MADE) and not (name in _FORMATS and _FORMATS[name].is_exact)


def load_object(table: pa.Table, *, of: str) -> Any:
    """Return the object that a table of bytes holds. Raises `ObjectUnreadable`, and `OutputNotMade`."""
    described = description_of(table.schema) or {}
    name = described["format"]
    if name == NOT_MADE:
        raise OutputNotMade(table=of)
    try:
        if name in _OF_PATHS:
            from jammi_dagster.objects import files

            return files.private_copy(described, chunks_of(table))
        return _loader(name)(b"".join(chunks_of(table)))
    except Exception as error:
        raise ObjectUnreadable(table=of, format=name, why=f"{type(error).__name__}: {error}") from error


def _loader(name: str) -> Callable[[bytes], Any]:
    if name in _FORMATS:
        return _FORMATS[name].load
    module, _, function = name.partition(":")
    loader: Callable[[bytes], Any] = getattr(importlib.import_module(module), function)
    return loader
