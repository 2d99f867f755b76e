"""`ResultStore`: the one façade, for people with and without Dagster."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jammi_dagster.artifacts import ArtifactRoot
from jammi_dagster.catalog import CatalogReader, CatalogWriter, Database, MaterializationRecord, Scope
from jammi_dagster.catalog.secret import StoreKey
from jammi_dagster.contract import (
    DefinitionHash,
    InputAnchor,
    MaterializationEnv,
    ProducingDescriptor,
    definition_hash,
)
from jammi_dagster.contract.tables import check_table
from jammi_dagster.errors import InvalidStore, UnknownTable
from jammi_dagster.recording import Attempt, Output, Recorder
from jammi_dagster.sensing import lookup_cached, probe_cache_record

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds

_CATALOG_FILE = "catalog.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreIdentity:
    """Where a table's name resolves and its bytes lie: stores with one identity see the same tables."""

    catalog_id: str
    root: str
    tenant: str
    deployment: str


class ResultStore:
    """Result tables under one root, with their catalog.

    `root` is a folder or an fsspec URL (`s3://bucket/prefix`, with `storage_options`). `catalog` is a path of an
    SQLite file or a URL (`sqlite:///…`, `postgresql://…`); for a local root it is `catalog.db` in the root unless
    given. `tenant` is whose tables are seen and written (None: the global ones), `deployment` the namespace of
    "current". Raises `InvalidStore`, `CatalogUnavailable`, `CatalogReadOnly` and `CatalogFromNewerVersion`.
    """

    def __init__(
        self,
        root: str,
        catalog: str | None = None,
        *,
        tenant: str | None = None,
        deployment: str = "default",
        storage_options: Mapping[str, Any] | None = None,
    ) -> None:
        if tenant == "" or not deployment:
            raise InvalidStore(root=root, why="tenant and deployment cannot be empty strings; leave them out")
        self.artifacts = ArtifactRoot(root, storage_options)
        if catalog is None:
            if self.artifacts.local_root is None:
                raise InvalidStore(root=root, why="a remote root needs catalog=… (a path or a database URL)")
            catalog = str(Path(self.artifacts.local_root) / _CATALOG_FILE)
        self.database = Database(catalog)
        self.scope = Scope(tenant=tenant or "", deployment=deployment)
        self.reader = CatalogReader(self.database, self.scope, self.artifacts.uri)
        self.writer = CatalogWriter(self.database, self.scope)
        self.key = StoreKey(self.database)

    @functools.cached_property
    def identity(self) -> StoreIdentity:
        """The store's identity, for whoever hands its tables on."""
        catalog_id, _ = self.reader.state()
        return StoreIdentity(
            catalog_id=catalog_id,
            root=self.artifacts.root,
            tenant=self.scope.tenant,
            deployment=self.scope.deployment,
        )

    # --- write ---------------------------------------------------------------------------------------

    def materialize(
        self,
        table: str,
        data: Any,
        *,
        descriptor: ProducingDescriptor | Mapping[str, Any],
        env: MaterializationEnv | Mapping[str, Any],
        inputs: Sequence[InputAnchor],
    ) -> MaterializationRecord:
        """Writes `data` as a new materialization of `table` and makes it current.

        `data` is a `pyarrow.Table` or reader, anything with `__arrow_c_stream__`, or an iterator of record
        batches. Raises `InvalidTableName`, `NotCanonical`, `DuplicateInput`, `NotATable`, `UnsupportedSchema`,
        and what the storage and the catalog raise; then nothing is published.
        """
        if not isinstance(descriptor, ProducingDescriptor):
            descriptor = ProducingDescriptor.from_dict(descriptor)
        if not isinstance(env, MaterializationEnv):
            env = MaterializationEnv.from_dict(env)
        output = Output(
            table=check_table(table),
            descriptor=descriptor,
            env=env,
            definition=definition_hash(descriptor, env),
            input_anchors=tuple(inputs),
        )
        with self.attempt([table], produced_by="library", owner="library") as attempt:
            attempt.write(table, data)
            return attempt.publish([output])[0].record

    def attempt(
        self, tables: Sequence[str], *, produced_by: str, owner: str, start_sequence: int | None = None
    ) -> Attempt:
        """Opens the funnel for `tables`, to be published together; see `recording.Recorder.attempt`."""
        recorder = Recorder(reader=self.reader, writer=self.writer, root=self.artifacts, scope=self.scope)
        return recorder.attempt(
            [check_table(table) for table in tables],
            produced_by=produced_by,
            owner=owner,
            start_sequence=start_sequence,
        )

    # --- sense ---------------------------------------------------------------------------------------

    def lookup_cached(self, definition: DefinitionHash | str, inputs: Sequence[InputAnchor]) -> str | None:
        """The id of the best ready materialization of this definition over these inputs; its bytes not looked at."""
        matches = lookup_cached(self.reader, DefinitionHash(definition), inputs)
        return matches[0].materialization_id if matches else None

    def probe_cache(self, definition: DefinitionHash | str, inputs: Sequence[InputAnchor]) -> str | None:
        """The id of the best match whose bytes are intact, or None for a miss."""
        record = self.probe_cache_record(definition, inputs)
        return None if record is None else record.materialization_id

    def probe_cache_record(
        self, definition: DefinitionHash | str, inputs: Sequence[InputAnchor], *, check_digest: bool = False
    ) -> MaterializationRecord | None:
        """The best match whose bytes are intact: present and of the recorded size, or digest if asked for."""
        definition = DefinitionHash(definition)
        return probe_cache_record(self.reader, self.artifacts, definition, inputs, check_digest=check_digest)

    # --- read ----------------------------------------------------------------------------------------

    def tables(self) -> list[str]:
        """The names of all tables that have a current materialization in this deployment, sorted."""
        return self.reader.tables()

    def current(self, table: str) -> MaterializationRecord:
        """What the table's name resolves to now. Raises `UnknownTable`."""
        record = self.reader.current(table)
        if record is None:
            close = difflib.get_close_matches(table, self.tables(), n=3)
            near = f" (near names: {', '.join(close)})" if close else ""
            raise UnknownTable(table=table, deployment=self.scope.deployment, near=near)
        return record

    def history(self, table: str) -> list[MaterializationRecord]:
        """Every materialization of the table, of whatever status, the latest start first."""
        return self.reader.history(table)

    def read(self, table: str) -> pa.Table:
        """The current materialization as a table in memory. Raises `UnknownTable`, and `StorageFailed`."""
        return self.artifacts.read_table(self.current(table).artifact_path)

    def dataset(self, table: str) -> ds.Dataset:
        """The current materialization as a dataset, read lazily. Raises `UnknownTable`."""
        return self.artifacts.dataset(self.current(table).artifact_path)

    def close(self) -> None:
        """Closes the database connections; the store opens new ones when it is used again."""
        self.database.close()
