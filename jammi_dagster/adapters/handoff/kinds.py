"""Kinds of value: what annotations ask for, and how a reference becomes it.

A kind is a name in the descriptor. Whoever changes what a conversion means raises the number that `io_semantics`
gives for its kinds, which moves the definitions that use them.
"""

from __future__ import annotations

import functools
import sys
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
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

_TABLE = "pyarrow.Table"
_EXACT_SINCE_2 = ("pandas.DataFrame", "polars.DataFrame", "polars.LazyFrame")


@dataclass(frozen=True, slots=True)
class ValueKind:
    """A kind of table that an annotation asks for, or a dict of them by partition."""

    name: str
    by_partition: bool = False
    any_shape: bool = False

    def __str__(self) -> str:
        return f"dict[str, {self.name}]" if self.by_partition else self.name


def kind_of(annotation: Any) -> ValueKind:
    """Return the kind that an annotation asks for; none, and `Any`, ask for a `pa.Table` (or a dict of them).

    `kind_of(dict[str, pd.DataFrame])` is `dict[str, pandas.DataFrame]`.
    """
    if annotation is Any or annotation is None or annotation in (object, dict, typing.Dict):  # noqa: UP006
        # the deprecated alias is what a user may have written
        return ValueKind(_TABLE, by_partition=annotation in (dict, typing.Dict), any_shape=True)  # noqa: UP006
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Annotated, dg.Output, dg.MaterializeResult):
        return kind_of(arguments[0])
    if annotation in (dg.Output, dg.MaterializeResult):
        return kind_of(Any)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        inner = kind_of(arguments[1] if len(arguments) == 2 else Any)
        return ValueKind(inner.name, by_partition=True)
    if origin is not None and type(None) in arguments and len(arguments) == 2:
        return kind_of(next(a for a in arguments if a is not type(None)))
    # a frame that is typed by a schema, such as pandera's, is the frame below it
    base = origin if isinstance(origin, type) else annotation
    return ValueKind((isinstance(base, type) and _known_name(base)) or _name(annotation))


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
    """Load the value of a parameter. Raises `UnsupportedInput` where its annotation cannot be met."""
    read = _READERS.get(kind.name)
    if read is None:
        raise UnsupportedInput(parameter=parameter, annotation=kind.name, kinds=", ".join(_READERS))
    if isinstance(value, NoReference):
        return {} if kind.by_partition else None
    if isinstance(value, ResultReference):
        if kind.by_partition:
            raise UnsupportedInput(
                parameter=parameter,
                annotation=f"{kind}, but {value.table} has no partitions",
                kinds=kind.name,
            )
        return read(reads, value)
    if not kind.by_partition and not kind.any_shape:
        raise UnsupportedInput(
            parameter=parameter,
            annotation=f"{kind.name}, but there are {len(value.by_partition)} upstream partitions",
            kinds=f"dict[str, {kind.name}]",
        )
    return {key: read(reads, reference) for key, reference in value.by_partition.items()}


def loaded(value: AnyReference, kind: str | None = None, *, reads: VerifiedReads) -> Any:
    """Load the table of a reference, or of several by partition, in the kind that its function declares to return.

    `kind` is that kind where the reference does not say it. A kind that a table cannot become, such as an iterator of
    batches, gives a `pa.Table`.
    """
    if isinstance(value, PartitionReferences):
        return {key: loaded(one, kind, reads=reads) for key, one in value.by_partition.items()}
    if isinstance(value, NoReference):
        return None
    return _READERS.get(value.kind or kind or _TABLE, _table)(reads, value)


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


def _table(reads: VerifiedReads, reference: ResultReference) -> pa.Table:
    return reads.read_table(_recorded(reference))


def _pandas(reads: VerifiedReads, reference: ResultReference) -> Any:
    from jammi_dagster.artifacts.parquet.pandas_frames import pandas_of

    return pandas_of(_table(reads, reference))


def _geopandas(reads: VerifiedReads, reference: ResultReference) -> Any:
    from jammi_dagster.artifacts.parquet.geo_frames import geo_frame_of

    return geo_frame_of(_table(reads, reference))


def _polars(reads: VerifiedReads, reference: ResultReference) -> Any:
    from jammi_dagster.artifacts.parquet.polars_frames import polars_of

    return polars_of(_table(reads, reference))


def _duckdb(reads: VerifiedReads, reference: ResultReference) -> Any:
    """Return a relation of duckdb's default connection, so that relations can be joined."""
    import duckdb

    return duckdb.from_arrow(without_pandas_types(_table(reads, reference)))


def _ibis(reads: VerifiedReads, reference: ResultReference) -> Any:
    import ibis

    return ibis.memtable(without_pandas_types(_table(reads, reference)))


_READERS: dict[str, Callable[[VerifiedReads, ResultReference], Any]] = {
    _TABLE: _table,
    "pyarrow.RecordBatchReader": lambda reads, reference: _table(reads, reference).to_reader(),
    "pyarrow.dataset.Dataset": lambda reads, reference: reads.dataset(_recorded(reference)),
    "pandas.DataFrame": _pandas,
    "polars.DataFrame": _polars,
    "polars.LazyFrame": lambda reads, reference: _polars(reads, reference).lazy(),
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
