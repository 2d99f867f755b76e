"""Rows of a catalog as sensing reads them: our catalogs and an attached engine's answer the same questions."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from jammi_dagster.catalog import CatalogMark, CurrentMatch, CurrentRow, Hold, MaterializationRecord, Move
from jammi_dagster.contract import Acceptance, DerivesFromEdge


class Rows(Protocol):
    """Queries of a catalog in one scope: the rows that a tenant may read, the pointers of one deployment.

    Rules: nothing writes; a table of the tenant hides the global table of the same name. `catalog.CatalogReader` reads
    our catalogs, in a bounded number of statements per method; `catalog.EngineReader` reads an engine's.
    """

    def frozen(self) -> AbstractContextManager[Rows]:
        """Open a reader for which the catalog stands still, so that its answers agree with each other."""

    def for_tenant(self, tenant: str) -> Rows:
        """Return the reader in whose scope the anchors of a row of `tenant` resolve.

        Raise `InvalidField` for a tenant whose rows this scope does not show.
        """

    def state(self) -> CatalogMark:
        """Return the catalog's id, and its revision and mark: they change when a row gets ready or a pointer moves."""

    def get(self, materialization_id: str) -> MaterializationRecord | None:
        """Return the materialization with this id, whatever its status."""

    def records(self, materialization_ids: Iterable[str]) -> dict[str, MaterializationRecord]:
        """Map ids to materializations, whatever their status, without `input_anchors`; leave out unknown ids."""

    def current(self, table: str) -> MaterializationRecord | None:
        """Return the materialization that the table's name resolves to in the deployment, or None."""

    def current_of(self, tables: Iterable[str]) -> dict[str, MaterializationRecord]:
        """Map each of `tables` to its current materialization, without `input_anchors`; leave out tables with none."""

    def of_run(self, run_id: str, tables: Iterable[str]) -> dict[str, MaterializationRecord]:
        """Map each of `tables` to the materialization that the run made or reused, without `input_anchors`."""

    def current_rows(self) -> Generator[CurrentRow, None, None]:
        """Stream every current table with its recorded definition and anchors, in no order; on a frozen reader only."""

    def digests(self) -> Mapping[str, str] | None:
        """Map every current table to its artifact digest, on a frozen reader only; None if the rows hold no digests."""

    def current_matches(self, tables: Collection[str]) -> Mapping[str, CurrentMatch]:
        """Map each of `tables` to its current materialization as a probe needs it; leave out tables with none."""

    def tables(self) -> list[str]:
        """List the names of all current tables, sorted."""

    def neighbours(self, table: str, *, most: int) -> list[str]:
        """List up to `most` names of `tables()` before `table` in sorted order, and as many after it."""

    def sources(self, near: str, *, most: int) -> list[str]:
        """List up to `most` recorded inputs before `near` in sorted order, and as many after it."""

    def artifacts_after(self, table: str, *, most: int) -> list[tuple[str, str, int | None]]:
        """List up to `most` current tables after `table` in sorted order, each with its artifact's path and size."""

    def history(self, table: str) -> list[MaterializationRecord]:
        """List all materializations of the table, of every status and deployment, the latest start first."""

    def moves(self, table: str) -> list[Move]:
        """List all moves of the table's name, in every deployment, the latest first; none where no history is kept."""

    def move_at(self, table: str, at: int | datetime) -> Move | None:
        """Return the last move of the table's name in the deployment up to a sequence or an instant, or None."""

    def holds(self) -> dict[str, Hold]:
        """Map each of the tenant's own tables that is held in the deployment to its hold."""

    def acceptances(self) -> dict[str, Acceptance]:
        """Map each table whose current materialization is accepted in the deployment to the acceptance."""

    def matches(
        self, definition: str, set_key: str, *, only_best: bool = False
    ) -> list[MaterializationRecord]:
        """List the ready materializations of exactly this definition and set of anchors.

        The current one comes first, then the newest. Their `input_anchors` are not loaded: as a set they are the
        requested ones.
        """

    def stored_definitions(self, definitions: Iterable[str]) -> set[str]:
        """Return the definitions that any ready materialization has, over whichever inputs."""

    def edges(self, source: str | None = None) -> list[DerivesFromEdge]:
        """List every edge that current materializations record, or only the edges from `source`.

        Edges are ordered by the start of the derived table.
        """

    def best_matches(
        self, wanted: Collection[tuple[str, str]]
    ) -> dict[tuple[str, str], MaterializationRecord | None]:
        """Map each definition and set of anchors with `matches` to the first; to None where that row is damaged."""

    def annotation(self, materialization_id: str) -> str | None:
        """Return the JSON recorded beside a materialization, which a reuse emits again."""

    def annotations(self, materialization_ids: Iterable[str]) -> dict[str, str]:
        """Map ids to the JSON recorded beside these materializations; leave out those with none."""

    def annotations_of(self, tables: Iterable[str]) -> dict[str, str]:
        """Map each of `tables` to the JSON recorded beside its current materialization; leave out tables with none."""
