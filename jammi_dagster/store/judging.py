"""Judging: matches, staleness, lineage and reasons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from jammi_dagster import sensing
from jammi_dagster.artifacts import read_manifest
from jammi_dagster.catalog import LineageRows, MaterializationRecord
from jammi_dagster.contract import (
    AnchorKind,
    CurrentAnchor,
    DefinitionHash,
    DerivesFromEdge,
    InputAnchor,
    MatchVerdict,
    ProducingDescriptor,
    Staleness,
)
from jammi_dagster.contract.tables import check_source
from jammi_dagster.errors import ArtifactMissing, InvalidField, InvalidStore, NotInHistory, NotRecomputable
from jammi_dagster.lineage.graph import closure, edges_by_input
from jammi_dagster.lineage.materializations import MaterializationLineage, edges_of, lineage_of
from jammi_dagster.sensing import (
    MaterializationDiff,
    Observations,
    Resolver,
    Why,
    judge,
    lookup_cached,
    pins_behind,
    probe_cache_record,
    sweep,
    verify_materialization,
)
from jammi_dagster.store.reading import NEIGHBOURS, ReadStore
from jammi_dagster.surfaces import VersionSurface


class JudgedStore(ReadStore):
    """The part of a store that judges its tables by their records."""

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
            is_recorded = record.definition_hash == definition
            accepted = None if is_recorded else frozen.acceptances().get(table)
            verdict = judge(
                record.definition_hash, record.input_anchors, definition, resolver.current_anchor, accepted
            )
            pinned = pins_behind(frozen, self.artifacts, self.scope, record, verdict)
            return replace(verdict, pinned=pinned) if pinned else verdict

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

    def lineage(self, materialization: str, *, depth: int | None = None) -> MaterializationLineage:
        """Find the materializations that one was made from, and those that were made from it, whether current or not.

        `materialization` is an id, or the name of a table for its current one; `depth` bounds the hops. Dropped tables,
        and tables of assets that are gone, are among them; in a branch over another store, also that one's. The rows
        are read in pages. Raises `UnknownTable`, `NotInHistory` for one that was never ready, and `InvalidStore` for an
        engine's catalog, which has no history.

            store.lineage("prices").to_dict()["upstream"]
        """
        if depth is not None and depth < 1:
            raise InvalidField(what="lineage", path="depth", value=depth, expected="a number from 1")
        if self.database.is_foreign:
            why = "an attached engine keeps no history; ask derives_from_closure"
            raise InvalidStore(root=self.artifacts.name, why=why)
        record = self._materialization(materialization)
        above = None if self._parent is None else self._parent.database
        nodes, anchors = LineageRows(self.database, self.scope, above).around(record.table)
        if record.materialization_id not in nodes:
            why = f"materialization {record.materialization_id} never was ready"
            raise NotInHistory(table=record.table, at=materialization, why=why)
        current = self.reader.current_of({node.table for node in nodes.values()}).values()
        return lineage_of(
            record.materialization_id,
            nodes,
            edges_of(nodes.values(), anchors),
            current=[one.materialization_id for one in current],
            depth=depth,
        )

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
            neighbours = self.reader.sources(source, most=NEIGHBOURS)
            raise self._unknown(source, [*self.reader.neighbours(source, most=NEIGHBOURS), *neighbours])

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
