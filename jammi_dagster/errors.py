"""Every error of the package: one base, subclasses that carry what went wrong as attributes.

A miss, a stale table and a mismatch are results, not errors. An error is misuse, corruption or a conflict;
its message names the value and the way out.
"""

from __future__ import annotations

import pickle
from typing import Any, ClassVar

_LONGEST_SHOWN = 200


class JammiError(Exception):
    """Base of all errors of this package.

    A subclass states its message as a `template`; the keyword arguments of the constructor fill it, stand as
    attributes of the error and survive pickling (a step's error crosses process borders in Dagster).
    """

    template: ClassVar[str] = "{message}"

    def __init__(self, **data: Any) -> None:
        self.__dict__.update(data)
        super().__init__(self.template.format(**{name: _shown(value) for name, value in data.items()}))

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), {name: _portable(value) for name, value in self.__dict__.items()})


def _rebuild(cls: type[JammiError], data: dict[str, Any]) -> JammiError:
    return cls(**data)


def _portable(value: object) -> object:
    """`value` where it can be pickled, otherwise as a message shows it."""
    try:
        pickle.dumps(value)
    except Exception:  # whatever a value's own way of pickling raises
        return _shown(value)
    return value


def _shown(value: object) -> str:
    """A value as it stands in a message: one line, printable whatever it holds, of bounded length."""
    try:
        text = value if isinstance(value, str) else repr(value)
    except Exception:  # too deep, an integer with too many digits, or the value's own fault
        text = f"a value of type {type(value).__qualname__}"
    start = text[:_LONGEST_SHOWN].encode("utf-8", "backslashreplace").decode("utf-8")
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in start)
    if max(len(text), len(shown)) <= _LONGEST_SHOWN:
        return shown
    return f"{shown[:_LONGEST_SHOWN]}… ({len(text)} characters)"


# --- values that the contract refuses -----------------------------------------------------------------


class NotCanonical(JammiError):
    """A value that has no canonical JSON, so no hash could stand for it."""

    path: str
    value: object
    template = "{path}: {value} has no canonical JSON ({why}); {way_out}"


class InvalidField(JammiError):
    """A field of a stored or given structure is missing, of the wrong type or out of range."""

    path: str
    value: object
    template = "{what}: field {path} is {value}, expected {expected}"


class InvalidTableName(JammiError):
    """A string that is not the name of a result table."""

    table: str
    template = "{table!s} is not the name of a result table: {why}"


class DuplicateInput(JammiError):
    """A source that occurs more than once among the inputs of one materialization."""

    source: str
    template = "input {source} occurs more than once; name each input of a materialization once"


class UnknownManifestVersion(JammiError):
    """A sidecar of a version that this package cannot read."""

    version: object
    template = (
        "{where}: manifest version {version} is not known to this package (it reads {supported}); "
        "upgrade jammi-dagster, or read the table with the version that wrote it"
    )


class InvalidManifest(JammiError):
    """A sidecar that is not a materialization manifest."""

    where: str
    template = "{where}: not a materialization manifest ({why}); re-materialize the table"


# --- catalog ------------------------------------------------------------------------------------------


class CatalogUnavailable(JammiError):
    """The catalog's database cannot be opened, read or written."""

    catalog: str
    template = "catalog {catalog}: {why}; check that it exists, is reachable and has room, then try again"


class CatalogReadOnly(JammiError):
    """A write on a catalog that cannot be written."""

    catalog: str
    template = "catalog {catalog} is read-only: {why}; {way_out}"


class CatalogFromNewerVersion(JammiError):
    """A catalog whose schema a newer version of this package made."""

    catalog: str
    revision: str
    template = (
        "catalog {catalog} has schema {revision}, newer than this package knows ({newest}); "
        "upgrade jammi-dagster"
    )


class ForeignCatalog(JammiError):
    """An SQLite file that holds another program's tables, given as a catalog."""

    catalog: str
    template = (
        "catalog {catalog} is another program's database, and nothing was written to it; give catalog= a file of "
        "its own, or open a jammi engine's catalog with ResultStore.attach_engine"
    )


class NameTooLong(JammiError):
    """A name of a table or input that is longer than a PostgreSQL catalog can index; SQLite takes any."""

    name: str
    catalog: str
    template = (
        "{name} is too long a name for catalog {catalog}: PostgreSQL indexes 2,600 bytes of table, tenant and "
        "deployment together, and as many of an input; shorten the asset key, the partition or the input's name, or "
        "keep the catalog in SQLite"
    )


class LeaseLost(JammiError):
    """A writer whose lease another one took over: what it wrote is not published."""

    materialization_id: str
    table: str
    template = (
        "table {table}: materialization {materialization_id} is no longer ours to finish, its lease was taken over; "
        "nothing was published, run the step again"
    )


# --- surfaces -----------------------------------------------------------------------------------------


class SurfaceUnavailable(JammiError):
    """A version surface that cannot say which version its input has."""

    source: str
    template = "input {source} cannot be observed: {why}"


class InputMissing(JammiError):
    """An input that a step declares and that does not exist."""

    source: str
    template = "input {source} of {table} does not exist; {way_out}"


# --- store --------------------------------------------------------------------------------------------


class UnknownTable(JammiError):
    """A table that has no current materialization in the store's tenant and deployment."""

    table: str
    template = "no table {table} in deployment {deployment}{near}; materialize it first"


class NotRecomputable(JammiError):
    """A table without a manifest: there is no recorded descriptor to run again (freshness.rs)."""

    table: str
    template = (
        "table {table} has no manifest, so nothing says how it was made; materialize it from its source"
    )


class RecomputeRefused(NotRecomputable):
    """A table whose record says how it was made, but that cannot be made so any more."""

    template = "table {table} cannot be made again as it was: {why}; materialize its asset as it is now"


class DependencyCycle(JammiError):
    """A table that is its own ancestor in the recorded lineage (freshness.rs)."""

    table: str
    template = (
        "the recorded lineage has a cycle through {table}; compare it with the declared dependencies, and "
        "materialize the tables on it again"
    )


class ObjectsMissing(JammiError):
    """A recovery that finds none, or too few, of the objects that the catalog names: it may be looking elsewhere."""

    root: str
    missing: int
    total: int
    template = (
        "store {root}: {missing} of {total} ready materializations have no bytes or no sidecar there; recovery changed "
        "nothing; check that the root is mounted, can be reached and belongs to this catalog; if the objects are "
        "lost for good, drop() their tables and run recover() again"
    )


class RootNotThere(JammiError):
    """A root that lacks the identity of the root that a catalog's rows name, or has another's."""

    root: str
    catalog: str
    template = (
        "store {root}: it is not the root whose objects {catalog} names: {why}; nothing was changed; check that the "
        "root is mounted, can be reached and is spelt as before; if the objects are here all the same, bind the "
        "catalog to this root with store.adopt(take_over=True)"
    )


class RootOfAnotherCatalog(JammiError):
    """A root that another catalog writes to and maintains."""

    root: str
    catalog: str
    other: str
    template = (
        "store {root}: it belongs to the catalog {other}, not to {catalog}; nothing was changed; open the store with "
        "that catalog or another root, or hand the root over to this one with store.adopt(take_over=True)"
    )


class MaintainedElsewhere(JammiError):
    """A root with the mark of a maintenance pass that its catalog never made."""

    root: str
    catalog: str
    template = (
        "store {root}: another copy of the catalog {catalog} maintains this root, or the catalog was restored from a "
        "backup; nothing was changed; stop the other copy, then let this one go on with store.adopt(take_over=True)"
    )


class InvalidStore(JammiError):
    """A store that cannot be opened as asked."""

    template = "store {root}: {why}"


# --- Dagster ------------------------------------------------------------------------------------------


class UnsupportedInput(JammiError):
    """A parameter whose annotation asks for something that a result table cannot become."""

    parameter: str
    annotation: str
    template = (
        "parameter {parameter} asks for {annotation}, which a result table cannot become; use one of: {kinds}"
    )


class UnsupportedArgument(JammiError):
    """An argument of `@result_table` that cannot be combined with the contract."""

    argument: str
    template = "@result_table on {asset}: {argument} {why}; {way_out}"


class InvalidTarget(JammiError):
    """What a sensor, schedule, job or check is to look at, and that names no assets."""

    target: object
    template = "target {target} names no assets: {why}; give a selection, assets, keys or a selection string"


class WrongIOManager(JammiError):
    """An asset under `@result_table` whose IO manager is not a `ResultTableIOManager`."""

    asset: str
    template = (
        "asset {asset}: its IO manager {key} is {found}, but @result_table needs a ResultTableIOManager; "
        "put one under that key in the definitions' resources, or set io_manager_key="
    )


class MissingUpstream(JammiError):
    """A declared upstream table that has not been materialized."""

    asset: str
    template = (
        "{asset} needs {missing} of {upstream}, which {verb} not materialized in deployment {deployment}; "
        "materialize that first{partial}"
    )


class InvalidOutput(JammiError):
    """A result of an asset's function that cannot be stored as what the asset is."""

    asset: str
    template = "asset {asset}: {why}; {way_out}"


class InvalidPolicy(JammiError):
    """A cache policy that is none."""

    value: object
    template = "{where}: {value} is not a cache policy; use `use`, `bypass`, or JSON {{asset key: policy}}"


# --- artifacts ----------------------------------------------------------------------------------------


class ArtifactOutsideRoot(JammiError):
    """A path of an artifact that could leave the root: nothing is opened."""

    path: str
    template = (
        "artifact path {path} is refused: {why}; paths are relative to the root, made by `artifact_path`"
    )


class ArtifactExists(JammiError):
    """A write to a path that holds an object already: artifacts are never overwritten."""

    uri: str
    template = (
        "{uri} exists already and artifacts are never overwritten; write under a new materialization id"
    )


class ArtifactMissing(JammiError):
    """A read of an object that is not there."""

    uri: str
    template = "{uri} does not exist; materialize the table again"


class ArtifactTooLarge(JammiError):
    """An object that is longer than its reader takes."""

    uri: str
    limit: int
    template = (
        "{uri} is longer than {limit} bytes, so it is not what was asked for; materialize the table again"
    )


class ArtifactUnreadable(JammiError):
    """An object that is there but is not the Parquet file that it should be."""

    uri: str
    template = "{uri} is not a readable Parquet file ({why}); materialize the table again"


class StorageFailed(JammiError):
    """The storage below a root refused or failed. `cause` is its own message, `operation` what was tried."""

    root: str
    operation: str
    uri: str
    cause: str
    template = "cannot {operation} {uri}: {cause}; {way_out} (root {root})"


class NotATable(JammiError):
    """A value given as a table that is none."""

    table: str
    got: str
    template = "table {table}: got {got}, which is not a table; give one of: {accepted}"


class EmptyStream(JammiError):
    """An iterator of batches that yielded nothing, so that the schema is unknown."""

    table: str
    template = "table {table}: the iterator yielded nothing; yield at least one batch, which may have no rows"


class SchemaChanged(JammiError):
    """A batch whose schema is not that of the batches before it."""

    table: str
    column: str
    expected: str
    got: str
    template = (
        "table {table}: column {column} is {got} in a later batch, {expected} in the first; "
        "cast every batch to one schema"
    )


class UnsupportedSchema(JammiError):
    """A column that Parquet cannot hold, or not so that the same column is read back."""

    table: str
    column: str
    type: str
    template = "table {table}: column {column} of type {type} cannot be stored: {why}; {way_out}"


class UnstorableData(JammiError):
    """Rows that do not fit the schema they came with."""

    table: str
    template = "table {table}: its rows cannot be stored ({why}); {way_out}"
