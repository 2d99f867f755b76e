"""Kinds of value: what annotations ask for, and how a reference becomes it.

A kind is a name in the descriptor. Whoever changes what a conversion means raises the number that `io_semantics`
gives for its kinds, which moves the definitions that use them.
"""

from __future__ import annotations

import functools
import importlib.metadata
import inspect
import sys
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import dagster as dg
import pyarrow as pa

from jammi_dagster.adapters.handoff.references import (
    AnyReference,
    NoReference,
    PartitionReferences,
    ResultReference,
)
from jammi_dagster.adapters.handoff.store_resource import open_store
from jammi_dagster.adapters.metadata_keys import ALLOW_MISSING
from jammi_dagster.artifacts import Recorded, VerifiedReads, read_manifest
from jammi_dagster.artifacts.parquet.stored_types import without_pandas_types
from jammi_dagster.errors import JammiError, UnsupportedInput
from jammi_dagster.objects import fits, is_object, load_object, reads_code

_TABLE, _DATASET = "pyarrow.Table", "pyarrow.dataset.Dataset"
_RETURNED = "the kind that was returned"
PATHS = ("pathlib.Path", "pathlib.PurePath", "os.PathLike")
_WRAPPERS = (typing.Annotated, dg.Output, dg.MaterializeResult)
DICTS = (dict, typing.Dict)  # noqa: UP006  # a user may have written the deprecated alias
_LIBRARIES = frozenset({"duckdb", "geopandas", "ibis", "pandas", "polars", "pyarrow"})
_EXACT_SINCE_2 = ("pandas.DataFrame", "polars.DataFrame", "polars.LazyFrame", _RETURNED)


@dataclass(frozen=True, slots=True)
class ValueKind:
    """A kind of table that an annotation asks for, or a dict of them by partition.

    `annotation` is the annotation itself: an object that a dict of objects may be has to fit it. `of_any`: values of
    a dict may be anything, as those of `dict[str, Any]`.
    """

    name: str
    by_partition: bool = False
    any_shape: bool = False
    annotation: Any = field(default=Any, compare=False)
    of_any: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return f"dict[str, {self.name}]" if self.by_partition else self.name


def kind_of(annotation: Any) -> ValueKind:
    """Return the kind that an annotation asks for; none, and `Any`, for a `pa.Table` (or a dict of them) of any shape.

    `kind_of(dict[str, pd.DataFrame])` is `dict[str, pandas.DataFrame]`.
    """
    annotation = value_annotation(annotation)
    if annotation is Any or annotation is None or annotation in (object, *DICTS):
        is_dict = annotation in DICTS
        return ValueKind(_TABLE, by_partition=is_dict, any_shape=True, annotation=dict if is_dict else Any)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        inner = kind_of(arguments[1] if len(arguments) == 2 else Any)
        return ValueKind(str(inner), by_partition=True, annotation=annotation, of_any=inner.any_shape)
    if origin is not None and type(None) in arguments and len(arguments) == 2:
        kind = kind_of(next(a for a in arguments if a is not type(None)))
        return replace(kind, annotation=annotation)
    # a frame that is typed by a schema, such as pandera's, is the frame below it
    base = origin if isinstance(origin, type) else annotation
    name = (isinstance(base, type) and _known_name(base)) or _name(annotation)
    return ValueKind(name, annotation=annotation)


def value_annotation(annotation: Any) -> Any:
    """Return the annotation of the value itself, within `Annotated`, `Output` and `MaterializeResult`."""
    while typing.get_origin(annotation) in _WRAPPERS:
        annotation = typing.get_args(annotation)[0]
    return Any if annotation in _WRAPPERS else annotation


def input_kind(annotation: Any, declared: Any) -> ValueKind:
    """Return the kind of an input; without an annotation it is the kind of table that its upstream `declared`.

    Where that declares none, it is the frame of pandas that was returned, or a `pa.Table`: the bytes tell, so equal
    ones become the same value. `input_kind(Any, pd.DataFrame)` is `pandas.DataFrame`, and any number of partitions may
    come.
    """
    kind, upstream = kind_of(annotation), kind_of(declared)
    if not kind.any_shape or kind.by_partition:
        return kind
    name = _RETURNED if upstream.any_shape else upstream.name
    return replace(kind, name=name) if name in _READERS else kind


def libraries_of(kinds: Iterable[ValueKind]) -> dict[str, str]:
    """Return the version of each installed library that one of these kinds of table may belong to."""
    names = {kind.name.partition(".")[0] for kind in kinds}
    if any(kind.name == _RETURNED for kind in kinds):
        names |= {"geopandas", "pandas"}
    found = {name: _version_of(name) for name in sorted(names & _LIBRARIES)}
    return {name: version for name, version in found.items() if version is not None}


def _version_of(library: str) -> str | None:
    if library in sys.modules:
        return str(sys.modules[library].__version__)
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


def is_table_kind(kind: ValueKind) -> bool:
    """Tell whether a kind, or that of its partitions, is one of tables."""
    return kind.name in _READERS


def io_semantics(output: ValueKind, inputs: Iterable[str]) -> int:
    """Return the number of the rules by which these kinds are converted: 2 where frames are exact, which 1 was not.

    A function without a return annotation may give a frame.
    """
    kinds = [str(output), *inputs]
    return 2 if output.any_shape or any(name in kind for kind in kinds for name in _EXACT_SINCE_2) else 1


def _name(annotation: Any) -> str:
    """Return an annotation by names alone: a `repr` may hold an address, which is never the same."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _name(arguments[0])
    if origin is not None:
        return f"{_name(origin)}[{', '.join(map(_name, arguments))}]"
    if isinstance(annotation, (str, int, bytes, type(None), type(...))):
        return repr(annotation)
    named = annotation if hasattr(annotation, "__qualname__") else type(annotation)
    return f"{named.__module__}.{named.__qualname__}"


def convert(value: AnyReference, kind: ValueKind, *, parameter: str, reads: VerifiedReads) -> Any:
    """Load the value of a parameter. Raises `UnsupportedInput` where its annotation cannot be met.

    Of one partition an object that fits an annotation such as `dict[str, float]` is that value, not one by partition.
    """
    if isinstance(value, NoReference):
        return {} if kind.by_partition else None
    by_partition = {"": value} if isinstance(value, ResultReference) else value.by_partition
    if isinstance(value, PartitionReferences) and not kind.by_partition and not kind.any_shape:
        asked = f"{kind.name}, but there are {len(by_partition)} upstream partitions"
        raise _unsupported(parameter, asked, f"dict[str, {kind.name}]")
    found = {key: _value(reads, reference, kind, parameter) for key, reference in by_partition.items()}
    only = next(iter(found.values())) if len(found) == 1 else None
    if isinstance(only, _Object) and kind.by_partition and fits(only.value, kind.annotation):
        return only.value
    plain = {key: one.value if isinstance(one, _Object) else one for key, one in found.items()}
    if isinstance(value, PartitionReferences):
        return plain
    if kind.by_partition and isinstance(only, _Object):
        raise _not_of(parameter, inspect.formatannotation(kind.annotation), value, only)
    if kind.by_partition:
        raise _unsupported(parameter, f"{kind}, but {value.table} has no partitions", kind.name)
    return plain[""]


@dataclass(frozen=True, slots=True)
class _Object:
    """An object that an artifact holds, in the place of a table."""

    value: Any


def _value(reads: VerifiedReads, reference: ResultReference, kind: ValueKind, parameter: str) -> Any:
    """Load the value of one reference: a table in the kind that is asked for, or an object."""
    is_table = kind.name in _READERS
    found = _stored(reads, reference, kind.name if is_table else _TABLE)
    if isinstance(found, _Object) and is_table and not (kind.any_shape or kind.of_any):
        raise _not_of(parameter, str(kind), reference, found)
    if not is_table and not isinstance(found, _Object):
        raise _unsupported(parameter, kind.name, ", ".join(_READERS))
    return found


def _not_of(parameter: str, asked: str, reference: ResultReference, found: _Object) -> UnsupportedInput:
    """Return the error for an object that is not of the kind that a parameter asks for."""
    return _unsupported(parameter, f"{asked}, but {reference.table} is an object", type(found.value).__name__)


def _unsupported(parameter: str, asked: str, kinds: str) -> UnsupportedInput:
    return UnsupportedInput(parameter=parameter, annotation=asked, kinds=kinds)


def loaded(value: AnyReference, kind: str | None = None, *, reads: VerifiedReads) -> Any:
    """Load the table of a reference, or of several by partition, in the kind that its function declares to return.

    `kind` is that kind where the reference does not say it; without both it is the kind that was returned. A kind that
    a table cannot become, such as an iterator of batches, gives a `pa.Table`.
    """
    if isinstance(value, PartitionReferences):
        return {key: loaded(one, kind, reads=reads) for key, one in value.by_partition.items()}
    if isinstance(value, NoReference):
        return None
    named = value.kind or kind or _RETURNED
    found = _stored(reads, value, named if named in _READERS else _TABLE)
    return found.value if isinstance(found, _Object) else found


def declared_kind(value: AnyReference) -> str | None:
    """Return the kind that the function behind a reference declared to return, from the manifest of its table."""
    if isinstance(value, PartitionReferences):
        return next(map(declared_kind, value.by_partition.values()), None)
    if isinstance(value, NoReference):
        return None
    try:
        manifest = read_manifest(open_store(value.store).artifacts, value.artifact_path)
    except JammiError:  # the reader of the table says what is wrong
        return None
    kind = None if manifest is None else manifest.descriptor.to_dict().get("output_kind")
    return kind.removeprefix("dict[str, ").removesuffix("]") if isinstance(kind, str) else None


def lenient_type(annotation: Any, *, may_miss: bool = False) -> dg.DagsterType:
    """Return a Dagster type that lets a reference through; other IO managers still see the annotation.

    Under `may_miss` it also tells our IO manager that partitions of the input may be missing.
    """
    if typing.get_origin(annotation) is typing.Annotated:  # what else it holds need not be hashable
        annotation = typing.get_args(annotation)[0]
    return _lenient_type(annotation, may_miss)


@functools.cache
def _lenient_type(annotation: Any, may_miss: bool) -> dg.DagsterType:
    # Dagster wants names of types to be unique
    name = f"JammiResult[{len(_named)}:{getattr(annotation, '__name__', annotation)}]"
    _named.append(name)
    return dg.DagsterType(
        type_check_fn=lambda context, value: True,
        name=name,
        typing_type=annotation,
        metadata={_LENIENT: True, **({ALLOW_MISSING: True} if may_miss else {})},
    )


def is_lenient(dagster_type: dg.DagsterType) -> bool:
    """Tell a type of ours, whose input may be a reference, from any other."""
    return _LENIENT in dagster_type.metadata


def may_miss(dagster_type: dg.DagsterType) -> bool:
    """Tell if partitions of an input of this type may be missing."""
    return ALLOW_MISSING in dagster_type.metadata


_LENIENT = "jammi/reference"
_named: list[str] = []


def _known_name(annotation: type) -> str | None:
    for base in annotation.__mro__:
        if base is pa.Table:
            return _TABLE
        for name, (module, attribute) in _OPTIONAL.items():
            loaded = sys.modules.get(module)  # an annotation of a module that is not loaded cannot be
            if loaded is not None and base is getattr(loaded, attribute, None):
                return name
    return None


def _recorded(reference: ResultReference) -> Recorded:
    return Recorded(
        root=open_store(reference.store).artifacts,
        table=reference.table,
        path=reference.artifact_path,
        digest=reference.artifact_digest,
    )


def _stored(reads: VerifiedReads, reference: ResultReference, kind: str) -> Any:
    """Read the table of a reference in a kind of `_READERS`, or the object that it is."""
    recorded = _recorded(reference)
    if kind == _DATASET and not is_object((dataset := reads.dataset(recorded)).schema):
        return dataset
    table = reads.read_table(recorded)
    if not is_object(table.schema):
        return _READERS[kind](table)
    if reads_code(table.schema):
        table = reads.read_checked(recorded)
    return _Object(load_object(table, of=reference.table))


def _pandas(table: pa.Table) -> Any:
    from jammi_dagster.artifacts.parquet.pandas_frames import pandas_of

    return pandas_of(table)


def _returned(table: pa.Table) -> Any:
    """Return the frame of pandas or geopandas that the table was, or the table: bytes say nothing of other frames."""
    return _pandas(table) if b"jammi:pandas" in (table.schema.metadata or {}) else table


def _geopandas(table: pa.Table) -> Any:
    from jammi_dagster.artifacts.parquet.geo_frames import geo_frame_of

    return geo_frame_of(table)


def _polars(table: pa.Table) -> Any:
    from jammi_dagster.artifacts.parquet.polars_frames import polars_of

    return polars_of(table)


def _duckdb(table: pa.Table) -> Any:
    """Return a relation of duckdb's default connection, so that relations can be joined."""
    import duckdb

    return duckdb.from_arrow(without_pandas_types(table))


def _ibis(table: pa.Table) -> Any:
    import ibis

    return ibis.memtable(without_pandas_types(table))


_READERS: dict[str, Callable[[pa.Table], Any]] = {
    _TABLE: lambda table: table,
    _RETURNED: _returned,
    "pyarrow.RecordBatchReader": lambda table: table.to_reader(),
    _DATASET: lambda table: table,  # read lazily, by `_stored`
    "pandas.DataFrame": _pandas,
    "polars.DataFrame": _polars,
    "polars.LazyFrame": lambda table: _polars(table).lazy(),
    "geopandas.GeoDataFrame": _geopandas,
    "duckdb.DuckDBPyRelation": _duckdb,
    "ibis.Table": _ibis,
}
_OPTIONAL = {
    "pyarrow.RecordBatchReader": ("pyarrow", "RecordBatchReader"),
    "pyarrow.dataset.Dataset": ("pyarrow.dataset", "Dataset"),
    "pandas.DataFrame": ("pandas", "DataFrame"),
    "polars.DataFrame": ("polars", "DataFrame"),
    "polars.LazyFrame": ("polars", "LazyFrame"),
    "geopandas.GeoDataFrame": ("geopandas", "GeoDataFrame"),
    "duckdb.DuckDBPyRelation": ("duckdb", "DuckDBPyRelation"),
    "ibis.Table": ("ibis.expr.types.relations", "Table"),
}
