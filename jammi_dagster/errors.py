"""Errors of the package: one base, and a subclass for each kind of fault.

    JammiError
    ├── refused values       NotCanonical, InvalidField, InvalidTableName, DuplicateInput,
    │                        UnknownManifestVersion, InvalidManifest
    ├── catalog              CatalogUnavailable, CatalogReadOnly, CatalogReplaced, CatalogLost,
    │                        CatalogFromNewerVersion, ForeignCatalog, NameTooLong, InvalidKey, LeaseLost
    ├── processes            ThreadNotStarted, ForkedWriter
    ├── surfaces             SurfaceUnavailable, InputMissing, SurfaceInUse
    ├── store                UnknownTable, NotInHistory, NotDropped, TableHeld, PromotionRefused, NotAcceptable,
    │   │                    DependencyCycle,
    │   │                    ObjectsMissing, InvalidStore, RootNotThere, NoProjectFolder, RootOfAnotherCatalog,
    │   │                    MaintainedElsewhere, CatalogNotThere,
    │   │                    UnknownDeployment, InvalidDeployment, FileNotWritten
    │   └── NotRecomputable  RecomputeRefused
    ├── Dagster              UnsupportedInput, UnsupportedArgument, InvalidTarget, WrongIOManager,
    │                        MissingUpstream, OutputNotMade, InvalidOutput, InvalidPolicy, NotInRun, PlanOutdated,
    │                        LaunchRefused, CodeNotLoaded, InstanceNotOpened
    └── artifacts            ArtifactOutsideRoot, ArtifactExists, ArtifactMissing, ArtifactTooLarge,
                             ManifestTooLarge, ArtifactUnreadable, ArtifactCorrupt, StorageFailed, NotATable,
                             EmptyStream, SchemaChanged, UnsupportedSchema, UnstorableData, ObjectUnreadable,
                             OpValueUnreadable

The groups order this page; only `JammiError` and `NotRecomputable` are classes with subclasses.

Rules:

1. An error is misuse, corruption or a conflict. A miss, a stale table and a mismatch are results, never errors.
2. A message names the table or value first, then the reason, then the way out. It is one printable line.
3. Everything in the message is also an attribute of the error, and survives pickling.

Not done here: hiding secrets. Code that raises an error redacts its texts first (see `contract.redaction`).
"""

from __future__ import annotations

import pickle
from typing import Any, ClassVar

_LONGEST_SHOWN = 200


class JammiError(Exception):
    """Base of all errors of this package.

    A subclass states its message as a `template`. The keyword arguments of the constructor fill the template, become
    attributes of the error and survive pickling, since a step's error crosses process borders in Dagster.

    >>> error = InvalidStore(root="s3://bucket/tables", why="a remote root needs catalog=")
    >>> str(error)
    'store s3://bucket/tables: a remote root needs catalog='
    >>> error.root
    's3://bucket/tables'
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
    """Return `value` if it can be pickled, otherwise the text that a message shows."""
    try:
        pickle.dumps(value)
    except Exception:  # a value's own `__reduce__` may raise anything
        return _shown(value)
    return value


def _shown(value: object) -> str:
    """Return a value's text for a message: one printable line of bounded length, whatever the value is."""
    try:
        text = value if isinstance(value, str) else repr(value)
    except Exception:  # too deep, too many digits, or a faulty `__repr__`
        text = f"a value of type {type(value).__qualname__}"
    start = text[:_LONGEST_SHOWN].encode("utf-8", "backslashreplace").decode("utf-8")
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in start)
    if max(len(text), len(shown)) <= _LONGEST_SHOWN:
        return shown
    return f"{shown[:_LONGEST_SHOWN]}… ({len(text)} characters)"


class NotCanonical(JammiError):
    """A value that has no canonical JSON, so no hash could stand for it."""

    path: str
    value: object
    template = "{path}: {value} has no canonical JSON ({why}); {way_out}"


class InvalidField(JammiError):
    """A field that is missing, of the wrong type or out of range, in a stored or given structure."""

    path: str
    value: object
    template = "{what}: field {path} is {value}; expected {expected}"


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
        "{where}: this package cannot read manifest version {version}, only {supported}; "
        "upgrade jammi-dagster, or read the table with the version that wrote it"
    )


class InvalidManifest(JammiError):
    """A sidecar that is not a materialization manifest."""

    where: str
    template = "{where}: not a materialization manifest ({why}); re-materialize the table"


class CatalogUnavailable(JammiError):
    """A catalog whose database cannot be opened, read or written."""

    catalog: str
    template = "catalog {catalog}: {why}; check that it exists, is reachable and has room, then try again"


class CatalogReadOnly(JammiError):
    """A write to a catalog that can only be read."""

    catalog: str
    template = "catalog {catalog} is read-only: {why}; {way_out}"


class CatalogReplaced(JammiError):
    """A catalog whose file is no longer the one that this process opened; `found` is what happened to it."""

    catalog: str
    found: str
    template = (
        "catalog {catalog}: its file was {found} while this process had it open, so this write is not recorded; "
        "run it again, and restore a catalog only while nothing writes to it"
    )


class CatalogLost(JammiError):
    """A question about tables whose catalog was lost, and is empty until the next write rebuilds it from the root."""

    root: str
    catalog: str
    template = (
        "catalog {catalog} was lost and is empty; the root {root} still describes its tables: "
        "run `jammi-dagster adopt`, or materialize anything, and they are back"
    )


class CatalogFromNewerVersion(JammiError):
    """A catalog with a schema of a newer version of this package."""

    catalog: str
    revision: str
    template = (
        "catalog {catalog}: its schema {revision} is newer than this package, which knows {newest}; "
        "upgrade jammi-dagster"
    )


class ForeignCatalog(JammiError):
    """An SQLite file that holds another program's tables, given as a catalog."""

    catalog: str
    template = (
        "catalog {catalog}: the file is another program's database, nothing was written; give catalog= a file of its "
        "own, or open a jammi engine's catalog with ResultStore.attach_engine"
    )


class NameTooLong(JammiError):
    """A name of a table or input that is too long for a PostgreSQL index; SQLite takes any length."""

    name: str
    catalog: str
    template = (
        "{name}: the name is too long for catalog {catalog}; PostgreSQL indexes 2,600 bytes of table, tenant and "
        "deployment together, and 2,600 of an input; shorten the asset key, the partition or the input's name, or keep "
        "the catalog in SQLite"
    )


class InvalidKey(JammiError):
    """A key of the store that cannot be used; the message never holds the key."""

    source: str
    template = "the store's key from {source}: {why}; {way_out}"


class LeaseLost(JammiError):
    """A writer whose lease another writer took over: its table is not published."""

    materialization_id: str
    table: str
    template = (
        "table {table}: another writer took over the lease of materialization {materialization_id}, nothing was "
        "published; run the step again"
    )


class ThreadNotStarted(JammiError):
    """A thread that the system refuses."""

    purpose: str
    template = "cannot {purpose}: {why}; raise the limit of threads (`ulimit -u`), or run fewer steps at once"


class ForkedWriter(JammiError):
    """A forked child that goes on writing a table of its parent's."""

    target: str
    template = (
        "{target}: this process was forked from the one that writes it, and leaves it alone; write in the parent, or "
        "start processes by spawn"
    )


class SurfaceUnavailable(JammiError):
    """A version surface that cannot tell its input's version."""

    source: str
    template = "input {source}: its version cannot be observed; {why}"


class InputMissing(JammiError):
    """A declared input that does not exist."""

    source: str
    template = "table {table}: its input {source} does not exist; {way_out}"


class SurfaceInUse(JammiError):
    """A surface that another run has been writing for as long as this one may wait."""

    table: str
    source: str
    template = (
        "table {table}: another run is still writing {source}; run it again once that one has ended, or wait longer "
        "(run tag jammi/most_wait_seconds)"
    )


class UnknownTable(JammiError):
    """A table that has no current materialization in the store's tenant and deployment."""

    table: str
    deployment: str
    near: str
    template = (
        "table {table} does not exist in deployment {deployment}{near}; name another, or materialize it first"
    )


class NotInHistory(JammiError):
    """A materialization that a table did not have, or a time at which it had none that can be read."""

    table: str
    at: object
    template = "table {table} at {at}: {why}; `history` lists the materializations that it has had"


class NotDropped(JammiError):
    """A table that cannot be undropped: its name was not taken away, or nothing of it is left."""

    table: str
    template = "table {table} in deployment {deployment}: it cannot be undropped, {why}"


class TableHeld(JammiError):
    """A table whose pointer is held, and must not be moved before it is released."""

    table: str
    template = "table {table} in deployment {deployment}: it is held by {by} since {since}; release it first"


class NotAcceptable(JammiError):
    """A table that may not be accepted as the output of the present code."""

    table: str
    template = "table {table}: it cannot be accepted, {why}; materialize it, and it is the output of the present code"


class PromotionRefused(JammiError):
    """A promotion that would leave a table in its target that does not fit there; nothing was moved.

    `refusals` maps each table that refuses to the reason and the way out.
    """

    table: str
    refusals: dict[str, str]
    template = "table {table}: not promoted from {source} to {target}{more}: {why}"


class NotRecomputable(JammiError):
    """A table without a manifest, hence without a recorded descriptor to run again (freshness.rs)."""

    table: str
    template = (
        "table {table}: it has no manifest, so its definition is unknown; materialize it from its source"
    )


class RecomputeRefused(NotRecomputable):
    """A table with a recorded definition that can no longer be run."""

    template = "table {table}: its recorded definition cannot be run again, {why}; materialize its asset as it is now"


class DependencyCycle(JammiError):
    """A table that is its own ancestor in the recorded lineage (freshness.rs)."""

    table: str
    template = (
        "table {table}: the recorded lineage has a cycle through {table}; compare it with the declared dependencies, "
        "and materialize the tables of the cycle again"
    )


class ObjectsMissing(JammiError):
    """A recovery that finds too few of the objects that the catalog names, as under a wrong root."""

    root: str
    missing: int
    total: int
    template = (
        "store {root}: {missing} of {total} ready materializations lack their bytes or sidecar, recovery changed "
        "nothing; check that the root is mounted, can be reached and belongs to this catalog; if the objects are "
        "lost for good, drop() their tables, collect() them and run recover() again"
    )


class RootNotThere(JammiError):
    """A root without the identity that its catalog recorded, or with the identity of another root."""

    root: str
    catalog: str
    template = (
        "store {root}: this is not the root whose objects the catalog {catalog} recorded: {why}; nothing was changed; "
        "check that the root is mounted, can be reached and is spelt as before; if its objects are here all the same, "
        "bind the catalog to this root with store.adopt(take_over=True)"
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
    """A store that cannot be opened with these arguments."""

    template = "store {root}: {why}"


class NoProjectFolder(JammiError):
    """A relative path in code that lies in no project, so that nothing says where the path starts."""

    path: str
    template = "{what} {path}: it is relative, and {why}; give an absolute path{or_url}{or_project}{there}"


class UnsupportedInput(JammiError):
    """A parameter with an annotation that no result table can be converted to."""

    parameter: str
    annotation: str
    template = (
        "parameter {parameter} asks for {annotation}, which a result table cannot become; use one of: {kinds}"
    )


class UnsupportedArgument(JammiError):
    """An argument of `@result_table` or `@result_tables` that cannot be combined with the contract."""

    argument: str
    template = "{decorator} on {asset}: {argument} {why}; {way_out}"

    def __init__(self, *, decorator: str = "@result_table", **data: Any) -> None:
        super().__init__(decorator=decorator, **data)


class InvalidTarget(JammiError):
    """A target of a sensor, schedule, job or check that names no assets."""

    target: object
    template = "target {target} names no assets: {why}; give a selection, assets, keys or a selection string"


class WrongIOManager(JammiError):
    """An asset under `@result_table` on another IO manager than a `ResultTableIOManager`."""

    asset: str
    template = (
        "asset {asset}: its IO manager {key} is {found}, but @result_table needs a ResultTableIOManager; "
        "put one under that key into the resources of the definitions, or set io_manager_key=; "
        "in a test, materialize with jammi_dagster.testing.ResultTableTester, which brings one"
    )


class MissingUpstream(JammiError):
    """A declared upstream table that is not materialized."""

    asset: str
    template = (
        "{asset} needs {missing} of {upstream}, which {verb} not materialized in deployment {deployment}; "
        "materialize that first{partial}"
    )


class OutputNotMade(JammiError):
    """A table of a function with several outputs that left this one out when it last ran."""

    table: str
    template = (
        "table {table}: the function that makes it left it out when it last ran; "
        "materialize it again once it is made, or do not read it"
    )


class InvalidOutput(JammiError):
    """A result of an asset's function that cannot be stored as the asset's table."""

    asset: str
    template = "asset {asset}: {why}; {way_out}"


class OpValueUnreadable(JammiError):
    """A value that one op handed to another, and that this run cannot read."""

    value: str
    run_id: str
    template = "op value {value} of run {run_id}: {why}; {way_out}"


class InvalidPolicy(JammiError):
    """A value that is not a cache policy."""

    value: object
    template = "{where}: {value} is not a cache policy; use `use`, `bypass`, or JSON {{asset key: policy}}"


class NotInRun(JammiError):
    """A table that a test asks of a run which did not materialize it."""

    table: str
    tables: str
    run_id: str
    template = "table {table} was not materialized in run {run_id}; its result tables: {tables}"


class PlanOutdated(JammiError):
    """A plan whose basis has moved: what it says would no longer be done. `moved` names all that moved."""

    moved: str
    template = "plan: no longer as it was planned: {moved}; make the plan again"


class LaunchRefused(JammiError):
    """Runs that cannot be handed over to the Dagster instance."""

    why: str
    way_out: str
    template = "launch: {why}; {way_out}"


class CatalogNotThere(JammiError):
    """A root without the catalog that the command line was to open: it makes none by mistake."""

    root: str
    catalog: str
    template = (
        "store {root}: there is no catalog {catalog}; check that the root is mounted and spelt right, and --catalog; "
        "to make a new catalog of the materializations in a root, run `jammi-dagster adopt --take-over`"
    )


class UnknownDeployment(JammiError):
    """A deployment without a table, in a store that has tables in others."""

    deployment: str
    template = "deployment {deployment}: store {root} has no table in it; name one of {others}"


class InvalidDeployment(JammiError):
    """A deployment that cannot be the branch that it is to be, or is none where a branch is needed."""

    deployment: str
    template = "deployment {deployment}: {why}"


class FileNotWritten(JammiError):
    """A file for the output of a command that cannot be written."""

    file: str
    template = "file {file}: it cannot be written, {why}; name another one"


class InstanceNotOpened(JammiError):
    """A Dagster instance that `DAGSTER_HOME` names and Dagster does not open."""

    home: str
    template = (
        "Dagster instance {home}: it cannot be opened, {why}; set DAGSTER_HOME to the folder of an instance, or unset "
        "it to ask without one"
    )


class CodeNotLoaded(JammiError):
    """A code location that the command line cannot load: `place` is its file, module or workspace."""

    place: str
    why: str
    template = "code {place}: it cannot be loaded, {why}; {way_out}"


class ArtifactOutsideRoot(JammiError):
    """A path that could lead out of the root; nothing is opened."""

    path: str
    template = (
        "artifact path {path}: it is refused, {why}; use a path relative to the root, made by `artifact_path`"
    )


class ArtifactExists(JammiError):
    """A write to a path that already holds an object; artifacts are never overwritten."""

    uri: str
    template = (
        "{uri} exists already and artifacts are never overwritten; write under a new materialization id"
    )


class ArtifactMissing(JammiError):
    """A read of an object that does not exist."""

    uri: str
    template = "{uri} does not exist; materialize the table again"


class ArtifactTooLarge(JammiError):
    """An object that is longer than its reader accepts."""

    uri: str
    limit: int
    template = (
        "{uri} is longer than {limit} bytes, so it is damaged or another object; materialize the table again"
    )


class ManifestTooLarge(JammiError):
    """A table whose manifest is longer than its readers accept: nothing of it is published."""

    table: str
    size: int
    limit: int
    template = (
        "table {table}: its manifest would have {size} bytes, and {limit} are the most; record fewer inputs, or less "
        "metadata and config"
    )


class ArtifactUnreadable(JammiError):
    """An object that exists but is not a readable Parquet file."""

    uri: str
    why: str
    template = "{uri} is not a readable Parquet file ({why}); materialize the table again"


class ArtifactCorrupt(JammiError):
    """An artifact with other bytes than those that were recorded; nothing is computed from it."""

    table: str
    uri: str
    why: str
    template = (
        "table {table}: {uri} does not hold the recorded bytes, {why}; put the file back from a copy, or materialize "
        "the table again under the run tag jammi/cache=bypass"
    )


class StorageFailed(JammiError):
    """A refusal or failure of the storage below a root: `operation` was tried, `cause` is the storage's message."""

    root: str
    operation: str
    uri: str
    cause: str
    template = "cannot {operation} {uri}: {cause}; {way_out} (root {root})"


class NotATable(JammiError):
    """A value that is not a table, given as one."""

    table: str
    got: str
    template = "table {table}: got {got}, which is not a table; give one of: {accepted}"


class EmptyStream(JammiError):
    """An iterator that yielded no batch, so that the schema is unknown."""

    table: str
    template = "table {table}: the iterator yielded nothing; yield at least one batch, which may have no rows"


class SchemaChanged(JammiError):
    """A batch with another schema than the batches before it."""

    table: str
    column: str
    expected: str
    got: str
    template = (
        "table {table}: column {column} is {got} in a later batch, {expected} in the first; "
        "cast every batch to one schema"
    )


class UnsupportedSchema(JammiError):
    """A column that Parquet cannot hold, or cannot give back unchanged."""

    table: str
    column: str
    type: str
    template = "table {table}: column {column} of type {type} cannot be stored: {why}; {way_out}"


class UnstorableData(JammiError):
    """Rows that do not fit their own schema, or an object that its format cannot write."""

    table: str
    template = "table {table}: its {content} cannot be stored ({why}); {way_out}"

    def __init__(self, *, content: str = "rows", **data: Any) -> None:
        super().__init__(content=content, **data)


class ObjectUnreadable(JammiError):
    """An object whose bytes are the recorded ones, and which its format cannot read back."""

    table: str
    format: str
    template = (
        "table {table}: its object cannot be read as {format} ({why}); install the libraries that wrote it, or "
        "materialize it again"
    )
