"""`ResultStore`: the one façade, for people with and without Dagster."""

from __future__ import annotations

import difflib
import functools
import getpass
import math
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jammi_dagster import sensing
from jammi_dagster.artifacts import (
    CATALOG_FILE,
    ArtifactRoot,
    Recorded,
    VerifiedReads,
    absolute_root,
    read_manifest,
    tables_folder,
)
from jammi_dagster.catalog import (
    Busy,
    CatalogReader,
    CatalogWriter,
    Database,
    EngineReader,
    Flight,
    Hold,
    HoldRows,
    MaterializationRecord,
    Move,
    MoveRows,
    Scope,
)
from jammi_dagster.catalog.secret import StoreKey
from jammi_dagster.catalog.urls import absolute_catalog
from jammi_dagster.contract import (
    AnchorKind,
    CurrentAnchor,
    DefinitionHash,
    DerivesFromEdge,
    InputAnchor,
    MatchVerdict,
    MaterializationEnv,
    ProducingDescriptor,
    Staleness,
    Verification,
    definition_hash,
)
from jammi_dagster.contract.tables import check_source, check_table
from jammi_dagster.errors import (
    ArtifactMissing,
    InvalidField,
    InvalidStore,
    InvalidTableName,
    NotInHistory,
    NotRecomputable,
    UnknownTable,
)
from jammi_dagster.lineage.graph import closure, edges_by_input
from jammi_dagster.maintenance import (
    GRACE_SECONDS,
    Adoption,
    AdoptionReport,
    ListedObjects,
    Progress,
    Recovery,
    RecoveryReport,
    RootBinding,
    drop_with_tombstone,
    restore_all,
)
from jammi_dagster.recording import Attempt, Output, Recorder
from jammi_dagster.sensing import (
    At,
    MaterializationDiff,
    Observations,
    Resolver,
    Rows,
    Why,
    has_bytes,
    judge,
    lookup_cached,
    materialization_at,
    probe_cache_record,
    sweep,
    verify_materialization,
)
from jammi_dagster.surfaces import VersionSurface

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds

_NEIGHBOURS = 100
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreIdentity:
    """The catalog, root and scope of a store: stores with one identity see the same tables."""

    catalog_id: str
    root: str
    tenant: str
    deployment: str


class ResultStore:
    """Result tables under one root, with their catalog.

    `root` is a folder or an fsspec URL (`s3://bucket/prefix`, with `storage_options`). `catalog` is a path of an
    SQLite file or a URL (`sqlite:///…`, `postgresql://…`); for a local root it is `catalog.db` in the root unless
    given. A relative path starts at the folder of the nearest `pyproject.toml` above the file that calls this. `tenant`
    owns the tables that are seen and written (None: the global ones); `deployment` is the namespace of "current".
    Raises `InvalidStore`, `NoProjectFolder`, `CatalogUnavailable`, `CatalogReadOnly` and `CatalogFromNewerVersion`.
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
        artifacts = ArtifactRoot(absolute_root(root, maker=self), storage_options)
        scope = _scope(artifacts, tenant, deployment)
        if catalog is None:
            if artifacts.local_root is None:
                why = "a remote root needs catalog=… (a path or a database URL)"
                raise InvalidStore(root=artifacts.name, why=why)
            catalog = str(Path(artifacts.local_root) / CATALOG_FILE)
        self._bind(artifacts, Database(absolute_catalog(catalog, maker=self)), scope)

    @classmethod
    def attach_engine(
        cls, catalog: str, root: str, *, storage_options: Mapping[str, Any] | None = None
    ) -> ResultStore:
        """Open a jammi engine's own catalog, read-only: `catalog` is its SQLite file or PostgreSQL URL.

        `root` is the folder (or URL) below which its artifacts lie; nothing outside is ever opened. Sees the tables
        without a tenant. Every question can be asked; a write raises `CatalogReadOnly`.
        """
        store = cls.__new__(cls)
        database = Database(absolute_catalog(catalog), foreign=True)
        store._bind(ArtifactRoot(absolute_root(root), storage_options), database, Scope())
        return store

    def beside(self, *, tenant: str | None = None, deployment: str = "default") -> ResultStore:
        """Open the same root and catalog as another tenant, or from another deployment.

        The two share their connections: closing one closes both. Raises `InvalidStore`, also for an engine's catalog,
        which is seen without a tenant.
        """
        if self.database.is_foreign:
            raise InvalidStore(root=self.artifacts.name, why="an attached engine's tables have one scope")
        store = type(self).__new__(type(self))
        store._bind(self.artifacts, self.database, _scope(self.artifacts, tenant, deployment))
        return store

    def _bind(self, artifacts: ArtifactRoot, database: Database, scope: Scope) -> None:
        self.artifacts, self.database, self.scope = artifacts, database, scope
        self.reader: Rows
        if database.is_foreign:
            self.reader = EngineReader(database, artifacts.local_root or artifacts.name)
        else:
            self.reader = CatalogReader(database, scope, artifacts.uri)
        self._edges_at: tuple[str, dict[str, list[DerivesFromEdge]]] | None = None

    @functools.cached_property
    def writer(self) -> CatalogWriter:
        """The write side of the catalog, once catalog and root name each other. Raises `RootOfAnotherCatalog`."""
        self.binding.bind()
        self.__dict__.pop("identity", None)  # a catalog that was not there had another id
        return CatalogWriter(self.database, self.scope)

    @functools.cached_property
    def binding(self) -> RootBinding:
        """The bond of catalog and root; the first write makes it."""
        return RootBinding(self.database, self.artifacts, self._restore)

    def _restore(self) -> list[str]:
        """Rebuild a catalog that was lost out of its own root, under the id that the root names."""
        report = restore_all(self.database, self.artifacts)
        self.__dict__.pop("identity", None)
        return report.adopted

    @functools.cached_property
    def key(self) -> StoreKey:
        """The store's key, for values that must not be recorded in the clear."""
        return StoreKey(self.database, root=self.artifacts.local_root)

    @functools.cached_property
    def identity(self) -> StoreIdentity:
        """The store's identity, for whoever hands its tables on."""
        catalog_id = self.reader.state().catalog_id
        return StoreIdentity(
            catalog_id=catalog_id,
            root=self.artifacts.name,
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
        """Write `data` as a new materialization of `table` and makes it current.

        `data` is a `pyarrow.Table` or reader, anything with `__arrow_c_stream__`, or an iterator of record
        batches. Raises `InvalidTableName`, `InvalidField`, `NotCanonical` and `DuplicateInput` before it reads any
        of it, `NotATable`, `UnsupportedSchema`, and the errors of storage and catalog; then nothing is
        published.
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
        attempt = self.begin([table], produced_by="library", owner=f"library/{secrets.token_hex(8)}")
        assert isinstance(attempt, Attempt), "without flights nobody is in the way"
        with attempt:
            attempt.write(table, data)
            return attempt.publish([output])[0].record

    def begin(
        self,
        tables: Sequence[str],
        *,
        produced_by: str,
        owner: str,
        start_sequence: int | None = None,
        flights: Mapping[str, Flight] | None = None,
    ) -> Attempt | Busy:
        """Open the funnel for `tables`, to be published together; see `recording.Recorder.begin`.

        Raises `RootNotThere` and `RootOfAnotherCatalog`, before anything is written, where root and catalog do not name
        each other.
        """
        self.binding.check()
        self.key.record()
        recorder = Recorder(
            reader=self.reader,
            writer=self.writer,
            root=self.artifacts,
            scope=self.scope,
            check_root=self.binding.check,
        )
        return recorder.begin(
            [check_table(table) for table in tables],
            produced_by=produced_by,
            owner=owner,
            start_sequence=start_sequence,
            flights=flights,
        )

    def drop(self, table: str) -> None:
        """Take the table's name away in this deployment. Tables recorded over it are then stale: input vanished.

        Its materializations are never reused again, unless another deployment still points at them; `recover()`
        reclaims their bytes after its grace period. Raises `UnknownTable`, for a tenant also for a global table, and
        `TableHeld`.
        """
        self.binding.check()
        is_dropped = drop_with_tombstone(self.writer, self.artifacts, self.scope, check_table(table))
        if not is_dropped:
            raise self._not_own(table, "drops")

    def _not_own(self, table: str, act: str) -> UnknownTable:
        """Build the error for a table without a name in the own scope. Raises `UnknownTable` for one without any."""
        self.current(table)
        others = f" (that is a global one, which no tenant {act})"
        return UnknownTable(table=table, deployment=self.scope.deployment, near=others)

    def rollback(
        self, table: str, to: At, *, by: str | None = None, reason: str | None = None
    ) -> MaterializationRecord:
        """Make an earlier materialization current, and hold the table there until `release`.

        `to` names it as in `read(at=…)`. While the table is held, runs still record new materializations, but do not
        move its name; sensor, recompute and automation conditions do not request it. Tables that were made over another
        one of its materializations become stale. `by` (default: the user of this process) and `reason` are shown with
        the hold.

        Raises `UnknownTable`, for a tenant also for a global table, and `NotInHistory` for a materialization that is
        not there, not ready, not of this table, or not whole.

            store.rollback("prices", "2026-03-01", reason="March has wrong units")
        """
        self.binding.check()
        record = self._at(table, to)
        if not has_bytes(self.artifacts, record):
            why = f"the bytes of materialization {record.materialization_id} are gone or altered"
            raise NotInHistory(table=table, at=str(to), why=why)
        by = _user() if by is None else by
        if not self._hold_rows.roll_back(table, record.materialization_id, by=by, reason=reason):
            raise self._not_own(table, "rolls back")
        return record

    def release(self, table: str) -> Hold | None:
        """Let runs move the table's name again, and give the hold that was on it; None where it was not held.

        The name stays where it is until the next run. Raises `UnknownTable`.
        """
        self.binding.check()
        hold = self.holds().get(check_table(table))
        if not self._hold_rows.release(table):
            self.current(table)
            return None
        return hold

    @property
    def _hold_rows(self) -> HoldRows:
        self.binding.bind()
        return HoldRows(self.database, self.scope)

    def prune_history(self, *, keep_last: int = 10, keep_for_days: float = 90) -> int:
        """Remove moves of the tenant's tables, in all deployments, and give their number; no materialization goes.

        Each table keeps its last `keep_last` moves in each deployment, and all that tell what its name resolved to
        within the last `keep_for_days`. Raises `InvalidField` for less than one move, or a negative time.
        """
        for name, value, least in (("keep_last", keep_last, 1), ("keep_for_days", keep_for_days, 0)):
            if not least <= value < math.inf:
                raise InvalidField(
                    what="prune_history", path=name, value=value, expected=f"a number from {least}"
                )
        self.database.check_writable()
        rows = MoveRows(self.database, self.scope)
        return rows.prune(keep_last=keep_last, keep_seconds=keep_for_days * _DAY_SECONDS)

    def recover(
        self,
        *,
        dry_run: bool = False,
        grace_seconds: float = GRACE_SECONDS,
        progress: Callable[[str], None] | None = None,
    ) -> RecoveryReport:
        """Finish or clear away the leavings of crashed writers, in this tenant; live writers are never touched.

        A `building` row whose lease ran out is published if the bytes and sidecars of its whole attempt are whole and
        agree; otherwise the attempt is failed, and its bytes are removed. A ready row of which an object is missing is
        noted; it is lost if the object is still missing `grace_seconds` later, and comes back once both are whole.
        Materializations that the catalog does not know are adopted if their sidecars agree. Other objects that no row
        names are removed once they are older than `grace_seconds`, which must outlast every reader of a reference. The
        lineage index is checked and rebuilt. An object that cannot be looked at is only reported.

        `dry_run` only reports. `progress` gets a line every few seconds (default: the log).

        Raises, with nothing changed, `RootNotThere`, `RootOfAnotherCatalog` or `MaintainedElsewhere` where the root is
        not this catalog's alone; and `ObjectsMissing` where none of the ready rows' objects is in the root, or more
        than 10 rows and 5 % of them lack one.
        """
        recovery = Recovery(
            database=self.database,
            root=self.artifacts,
            scope=self.scope,
            binding=self.binding,
            random_hex=secrets.token_hex,
            grace_seconds=grace_seconds,
            dry_run=dry_run,
            progress=Progress() if progress is None else Progress(tell=progress),
        )
        return recovery.run()

    def adopt(self, *, take_over: bool = False, dry_run: bool = False) -> AdoptionReport:
        """Add rows for the materializations in the root that the catalog does not know, from their sidecars.

        After the loss of a catalog, or its restore from a backup: tables, anchors, edges and history are back. Each
        table's name resolves to its last computed materialization, unless the catalog knows a later start; a pointer
        set so is one of `restored()`. Tables that were dropped stay dropped. Of a tenant, only its own.

        `take_over` first binds the root to this catalog, if it belonged to another one, to another copy of this one,
        or to none; the other one may then no longer write. `dry_run` only reports, and takes nothing over.

        Raises `RootNotThere`, `RootOfAnotherCatalog` and `MaintainedElsewhere` without `take_over`.

        Example:
            >>> ResultStore("results", "new.db").adopt(take_over=True).adopted  # doctest: +SKIP
        """
        if self.database.is_foreign or not dry_run:
            self.database.check_writable()
        report, progress = AdoptionReport(dry_run=dry_run), Progress()
        if take_over and not dry_run:
            report.taken_over = self.binding.take_over()
            self.__dict__.pop("identity", None)
        elif not take_over:
            self.binding.check(dry_run=dry_run)
            self.binding.check_stamp()
            report.adopted = self.binding.take_restored()
        tenant = self.scope.tenant
        adoption = Adoption(
            database=self.database, root=self.artifacts, tenant=tenant, dry_run=dry_run, progress=progress
        )
        adoption.run(ListedObjects.below(self.artifacts, tables_folder(tenant or None), progress), report)
        return report

    # --- sense ---------------------------------------------------------------------------------------

    def revision(self) -> str | None:
        """Return a token that changes whenever a row or a pointer changes; one query at any size.

        While it is equal, nothing became ready or ceased to be, and no name resolves to anything else, in any scope.
        Take it before you ask: a move meanwhile then shows in the next one. It says nothing of bytes and of
        external inputs. None for an engine's catalog, which counts no changes.
        """
        state = self.reader.state()
        return None if state.revision < 0 else f"{state.catalog_id}/{state.mark}/{state.revision}"

    def lookup_cached(self, definition: DefinitionHash | str, inputs: Sequence[InputAnchor]) -> str | None:
        """Find the id of the best ready materialization of this definition over these inputs, by its row alone."""
        best = next(lookup_cached(self.reader, DefinitionHash(definition), inputs), None)
        return None if best is None else best.materialization_id

    def probe_cache(self, definition: DefinitionHash | str, inputs: Sequence[InputAnchor]) -> str | None:
        """Find the id of the best match whose bytes are intact, or None for a miss."""
        record = self.probe_cache_record(definition, inputs)
        return None if record is None else record.materialization_id

    def probe_cache_record(
        self, definition: DefinitionHash | str, inputs: Sequence[InputAnchor], *, check_digest: bool = False
    ) -> MaterializationRecord | None:
        """Find the best match whose bytes are intact: present and of the recorded size, or digest if asked for."""
        definition = DefinitionHash(definition)
        return probe_cache_record(self.reader, self.artifacts, definition, inputs, check_digest=check_digest)

    def current_anchor(
        self,
        anchor: InputAnchor,
        *,
        surfaces: Iterable[VersionSurface] = (),
        max_observation_age: float | None = None,
    ) -> CurrentAnchor:
        """Resolve the present state of one recorded input; `surfaces` answer for inputs other than result tables."""
        observations = Observations(surfaces, max_age=max_observation_age)
        return Resolver(self.reader, self.artifacts, observations).current_anchor(anchor)

    def staleness(
        self,
        table: str,
        current_definition: DefinitionHash | str,
        *,
        surfaces: Iterable[VersionSurface] = (),
        max_observation_age: float | None = None,
    ) -> Staleness:
        """Judge the table: still the output of its definition over its inputs' present state, or stale, or undecidable.

        `surfaces` answer for `source_version` and `mutable_version` inputs; without one they are undecidable, and so
        are inputs that a surface observed more than `max_observation_age` seconds ago. Raises `UnknownTable`, and
        `InvalidField` for a definition that is no hash.
        """
        observations = Observations(surfaces, max_age=max_observation_age)
        with self.reader.frozen() as frozen:
            record = self._current(frozen, table)
            resolver = Resolver(frozen.for_tenant(record.tenant), self.artifacts, observations)
            definition = DefinitionHash(current_definition)
            if record.definition_hash is not None:
                digests = (a.source for a in record.input_anchors if a.kind is AnchorKind.RESULT_DIGEST)
                resolver.look_up(digests)
            return judge(record.definition_hash, record.input_anchors, definition, resolver.current_anchor)

    def sweep(
        self,
        definitions: Mapping[str, DefinitionHash | str],
        *,
        surfaces: Iterable[VersionSurface] = (),
        max_observation_age: float | None = None,
    ) -> Iterator[tuple[str, Staleness]]:
        """Judge every current table that `definitions` (table -> current definition) names, by name.

        Each verdict also says, as `stale_ancestor`, if a table upstream is stale.
        """
        observations = Observations(surfaces, max_age=max_observation_age)
        return sweep(self.reader, self.artifacts, definitions, observations)

    def verify_materialization(
        self, table: str, expected_definition: DefinitionHash | str | None = None
    ) -> MatchVerdict:
        """Compare the table's bytes, and its definition where one is expected, with its manifest.

        Reads all of the bytes. Raises `UnknownTable`, `ArtifactMissing` and `InvalidManifest`.
        """
        expected = None if expected_definition is None else DefinitionHash(expected_definition)
        return verify_materialization(self.artifacts, self.current(table), expected)

    def producing_descriptor(self, table: str) -> ProducingDescriptor:
        """Read how the table was made, for a recompute to run again. Raises `UnknownTable` and `NotRecomputable`."""
        manifest = read_manifest(self.artifacts, self.current(table).artifact_path)
        if manifest is None:
            raise NotRecomputable(table=table)
        return manifest.descriptor

    def derives_from(self, source: str) -> list[DerivesFromEdge]:
        """List the tables that recorded `source` as an input, in the order of their making; one hop.

        `source` is a table, or any other recorded input. Raises `UnknownTable` for a name that is neither.
        """
        edges = self.reader.edges(check_source(source))
        if not edges:
            self._check_known(source)
        return edges

    def derives_from_closure(self, source: str) -> list[DerivesFromEdge]:
        """List everything downstream of `source`, depth first; a diamond's subtree once.

        All edges are read at once, and kept until the catalog's revision rises. Raises `UnknownTable` and
        `DependencyCycle`.
        """
        revision = self.revision()
        if self._edges_at is not None and self._edges_at[0] == revision:
            by_input = self._edges_at[1]
        else:
            by_input = edges_by_input(self.reader.edges())
            self._edges_at = None if revision is None else (revision, by_input)
        if source not in by_input:
            self._check_known(source)
        return closure(source, by_input)

    def _check_known(self, source: str) -> None:
        """Raise `UnknownTable`, with near names of tables and of other inputs, unless `source` is a table."""
        if self.reader.current(check_source(source)) is None:
            neighbours = self.reader.sources(source, most=_NEIGHBOURS)
            raise self._unknown(source, [*self.reader.neighbours(source, most=_NEIGHBOURS), *neighbours])

    # --- read ----------------------------------------------------------------------------------------

    def tables(self) -> list[str]:
        """List the names of all tables that have a current materialization in this deployment, sorted."""
        return self.reader.tables()

    def current(self, table: str) -> MaterializationRecord:
        """Find the table's current materialization. Raises `UnknownTable`, and `InvalidTableName` for no name."""
        return self._current(self.reader, table)

    def _current(self, reader: Rows, table: str) -> MaterializationRecord:
        record = reader.current(check_source(table))
        if record is None:
            raise self._unknown(table, reader.neighbours(table, most=_NEIGHBOURS))
        return record

    def _unknown(self, name: str, neighbours: Sequence[str]) -> UnknownTable:
        partitions = [one for one in neighbours if one.startswith(f"{name}[")]
        if partitions:
            near = f" as a whole: it has partitions, such as {', '.join(partitions[:3])}"
            return UnknownTable(table=name, deployment=self.scope.deployment, near=near)
        # of all names, comparing would take seconds; a slip mostly leaves a name near where it belongs
        close = difflib.get_close_matches(name, dict.fromkeys(neighbours), n=3)
        near = f" (near names: {', '.join(close)})" if close else ""
        return UnknownTable(table=name, deployment=self.scope.deployment, near=near)

    def restored(self) -> list[str]:
        """List the tables whose names adoption resolved, and no run has confirmed since, sorted."""
        return self.reader.restored() if isinstance(self.reader, CatalogReader) else []

    def history(self, table: str) -> list[MaterializationRecord]:
        """List every materialization of the table, of whatever status and deployment, the latest start first.

        The `moves` of each tell when it became current, by which act, run and reason, and in which deployment.
        """
        moves = defaultdict[str | None, list[Move]](list)
        for move in self.moves(table):
            moves[move.materialization_id].append(move)
        records = self.reader.history(check_table(table))
        return [replace(record, moves=tuple(moves[record.materialization_id])) for record in records]

    def moves(self, table: str) -> list[Move]:
        """List the moves of the table's name in every deployment, the latest first.

        Each tells which materialization the name resolved to from then on. A catalog of an earlier version begins its
        history when it is upgraded. An engine's catalog keeps none: the list is empty.

            print(store.moves("clean_trips")[0].reason)    # helper clean (…) changed
        """
        return self.reader.moves(check_table(table))

    def holds(self) -> dict[str, Hold]:
        """Map each of the own tables that is held in this deployment to its hold; see `rollback`."""
        return self.reader.holds()

    def why(self, table: str) -> Why:
        """Say why the table's current materialization was made: as it was recorded, or by comparison with the last one.

        Raises `UnknownTable`, and `InvalidManifest` for a damaged sidecar.

            print(store.why("clean_trips"))    # clean_trips was made by run 1f0c… on …: helper clean (…) changed
        """
        record = self.current(table)
        return sensing.why(self.artifacts, record, self.reader.history(table))

    def diff(self, before: str, after: str, *, keys: Sequence[str] = ()) -> MaterializationDiff:
        """Compare two materializations: definition, inputs, columns, row counts and, with key columns, rows.

        `before` and `after` are ids of materializations, or names of tables for their current ones; data that is gone
        leaves columns and rows out. Rows are read in batches. Raises `UnknownTable`, `InvalidManifest`, and
        `InvalidField` for a key that is no column of both.

            store.diff("flights[2013-01]", "flights[2013-02]", keys=["flight"]).rows.changed
        """
        old, new = self._materialization(before), self._materialization(after)
        with self._verified("pages") as reads:
            try:
                data = reads.dataset(self.recorded(old)), reads.dataset(self.recorded(new))
            except ArtifactMissing:
                data = None
            return sensing.difference(self.artifacts, old, new, data, keys)

    def _materialization(self, name: str) -> MaterializationRecord:
        """Find a materialization by its id, or the current one of a table."""
        found = self.reader.get(name)
        return self.current(name) if found is None else found

    def read(self, table: str, *, at: At | None = None, verify: Verification | str = "pages") -> pa.Table:
        """Read the current materialization as a table in memory, compared with its record (see `Verification`).

        `at` asks for an earlier one: a materialization's id, or the one that was current in this deployment at a
        sequence (of `moves`, or of a start) or at an instant (a `datetime`, or ISO 8601). Raises `UnknownTable`,
        `NotInHistory`, `ArtifactCorrupt`, `InvalidField` for another `verify`, and `StorageFailed`.
        """
        with self._verified(verify) as reads:
            return reads.read_table(self.recorded(self._at(table, at)))

    def dataset(
        self, table: str, *, at: At | None = None, verify: Verification | str = "pages"
    ) -> ds.Dataset:
        """Open the current materialization as a dataset, read lazily; each page is verified when a query reads it.

        An artifact without page checksums is hashed first, once per process. Takes `at` and raises as `read` does.
        """
        with self._verified(verify) as reads:
            return reads.dataset(self.recorded(self._at(table, at)))

    def _at(self, table: str, at: At | None) -> MaterializationRecord:
        return self.current(table) if at is None else materialization_at(self.reader, check_table(table), at)

    def recorded(self, record: MaterializationRecord) -> Recorded:
        """Return the artifact of a materialization, for `VerifiedReads`."""
        return Recorded(
            root=self.artifacts, table=record.table, path=record.artifact_path, digest=record.artifact_digest
        )

    def _verified(self, verify: Verification | str) -> VerifiedReads:
        return VerifiedReads(Verification.parse(verify, of="store", field="verify"))

    def close(self) -> None:
        """Close the database connections; the store opens new ones when it is used again."""
        self.database.close()


def _user() -> str:
    """Name the user of this process, for people."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no name for the user's number, as in many containers
        return "unknown"


def _scope(artifacts: ArtifactRoot, tenant: str | None, deployment: str) -> Scope:
    """Build the scope. Raises `InvalidStore` for a name that is not text which every database can hold."""
    for name in (tenant, deployment):
        try:
            check_source("global" if name is None else name)
        except InvalidTableName:
            why = f"{name!r} cannot name a tenant or deployment; use text that is not empty, or leave it out"
            raise InvalidStore(root=artifacts.name, why=why) from None
    return Scope(tenant=tenant or "", deployment=deployment)
