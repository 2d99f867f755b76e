"""Upkeep: collection, recovery and adoption."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from jammi_dagster import maintenance
from jammi_dagster.artifacts import tables_folder
from jammi_dagster.catalog import CollectionRows, MaterializationRecord, MoveRows, UndropRows
from jammi_dagster.contract import MaterializationManifest
from jammi_dagster.contract.fields import check_flags, check_number
from jammi_dagster.contract.tables import asset_of, check_table
from jammi_dagster.errors import InvalidField, NotInHistory
from jammi_dagster.recording import Attempt
from jammi_dagster.store.deploying import DeployedStore

_DAY_SECONDS = 86_400


class KeptStore(DeployedStore):
    """The part of a store that is run by whoever keeps it in order."""

    def prune_history(self, *, keep_last: int = 10, keep_for_days: float = 90) -> int:
        """Remove moves of the tenant's tables, in all deployments, and give their number; no materialization goes.

        Each table keeps its last `keep_last` moves in each deployment, and all that tell what its name resolved to
        within the last `keep_for_days`. Raises `InvalidField` for less than one move, or a negative time.
        """
        check_number("prune_history", "keep_last", keep_last, least=1)
        check_number("prune_history", "keep_for_days", keep_for_days, least=0)
        self.database.check_writable()
        rows = MoveRows(self.database, self.scope)
        return rows.prune(keep_last=keep_last, keep_seconds=keep_for_days * _DAY_SECONDS)

    def collect(
        self,
        policy: maintenance.RetentionPolicy | Mapping[str, Any],
        dry_run: bool = True,
        *,
        progress: Callable[[str], None] | None = None,
    ) -> maintenance.CollectionReport:
        """Delete the materializations of this tenant, in all deployments, that nothing keeps; or say which ones.

        Roots stay whatever the policy says: materializations that a pointer of any deployment resolves to, that are
        pinned, held or read, inputs of computations under way, and results of live runs. `policy` says which others
        stay, and for how long one stays after nothing kept it any more. A first collection marks, a later one deletes;
        a reuse in between unmarks. Global tables are collected only by a store without a tenant. Materializations
        that the catalog does not know are never deleted.

        `dry_run` (the default) only reports. `progress` gets a line every few seconds (default: the log).

        Raises `InvalidField` for a policy that is none; and, with nothing changed, `RootNotThere`,
        `RootOfAnotherCatalog` or `MaintainedElsewhere` where the root is not this catalog's alone.

            print(store.collect({"keep_last": 3, "keep_for_days": 30}).total_bytes)
            store.collect({"keep_last": 3, "keep_for_days": 30}, dry_run=False)
        """
        check_flags("collect", dry_run=dry_run)
        collection = maintenance.CollectionPass(
            database=self.database,
            root=self.artifacts,
            scope=self.scope,
            binding=self.binding,
            policy=maintenance.RetentionPolicy.of(policy),
            plan_id=secrets.token_hex(8),
            dry_run=dry_run,
            progress=maintenance.Progress() if progress is None else maintenance.Progress(tell=progress),
        )
        return collection.run()

    def why_alive(
        self, name: str, policy: maintenance.RetentionPolicy | Mapping[str, Any] | None = None
    ) -> list[maintenance.WhyAlive]:
        """Say of a materialization, or of each one of a table, why a collection would leave it: a path to a root.

        Without a policy only roots count. The latest start comes first; an empty path says that nothing keeps it.
        Raises `UnknownTable` for a name of neither, and `CatalogReadOnly` over an engine's catalog.

            print(*store.why_alive("prices"), sep="\n")    # prices 0190…: current in deployment prod
        """
        if self.database.is_foreign:
            self.database.check_writable()
        rows = CollectionRows(self.database, self.scope)
        judge = maintenance.Judge.now(rows, maintenance.RetentionPolicy.of({} if policy is None else policy))
        found = judge.why([check_table(name)]) or judge.of_table(name)
        if not found and not any(one.tenant == self.scope.tenant for one in self.reader.history(name)):
            raise self._not_own(name, "collects")
        return found

    def restore(
        self,
        table: str,
        make: Callable[[MaterializationManifest], Any],
        *,
        materialization: str | None = None,
    ) -> maintenance.Restoration:
        """Make a materialization again whose bytes were collected or lost; it is the same, or nothing is recorded.

        `make` gets the recorded manifest and gives the table. If its bytes have the recorded digest, they become a new
        materialization under the old start: a name that led to the old one, or lost it, leads to that. Else the outcome
        is `diverged`. Where a restored one is whole already, nothing is made: the outcome is `there`, with its id.
        Without `materialization` it is the table's last one. Raises `UnknownTable`, `NotInHistory` for
        the id of another table, and `NotRecomputable` without a manifest.

            store.restore("prices", lambda manifest: make_prices(manifest.descriptor)).outcome    # restored
        """
        self.binding.check()
        history = [one for one in self.reader.history(check_table(table)) if one.artifact_digest is not None]
        wanted = [one for one in history if materialization in (None, one.materialization_id)]
        if not history:
            raise self._not_own(table, "restores")
        if not wanted:
            why = "it has no such materialization"
            raise NotInHistory(table=table, at=str(materialization), why=why)
        record = wanted[0]
        names = UndropRows(self.database, self.scope, self.artifacts.uri)
        return maintenance.restore_record(
            self.artifacts,
            record,
            make,
            lambda: self._begin_again(record),
            partial(names.lead_on, table, record.materialization_id),
            copies=[one for one in history if one is not record],
        )

    def _begin_again(self, record: MaterializationRecord) -> Attempt:
        owner = f"restore/{secrets.token_hex(8)}"
        attempt = self.begin(
            [record.table], produced_by="restore", owner=owner, start_sequence=record.start_sequence
        )
        assert isinstance(attempt, Attempt), "without flights nobody is in the way"
        return attempt

    def prune(self, assets: Iterable[str], dry_run: bool = True) -> maintenance.PruneReport:
        """Drop the tables of this deployment whose asset is none of `assets`: their names leave every tick.

        Give the assets of all code locations on this store, as `a/b`; the partitions of one that is there stay. A held
        table stays. Raises `InvalidField` without any asset, for then all tables would go, and for one that is no name.

            store.prune([key.to_user_string() for key in defs.resolve_all_asset_keys()], dry_run=False)
        """
        check_flags("prune", dry_run=dry_run)
        given = list(assets) if isinstance(assets, Iterable) and not isinstance(assets, str) else [assets]
        if not given:
            expected = (
                "the assets of all code locations on this store; without any, all tables would be dropped"
            )
            raise InvalidField(what="prune", path="assets", value=[], expected=expected)
        for asset in given:
            if not isinstance(asset, str) or not asset:
                expected = "the name of an asset, such as 'a/b': that of a key is key.to_user_string()"
                raise InvalidField(what="prune", path="assets", value=asset, expected=expected)
        known = frozenset(given)
        self.database.check_writable()
        report, holds = maintenance.PruneReport(dry_run=dry_run), self.holds()
        for table in CollectionRows(self.database, self.scope).names():
            if asset_of(table) in known:
                continue
            if table in holds:
                report.held[table] = str(holds[table])
                continue
            if not dry_run:
                self.drop(table)
            report.dropped.append(table)
        return report

    def recover(
        self,
        *,
        dry_run: bool = False,
        grace_seconds: float = maintenance.GRACE_SECONDS,
        progress: Callable[[str], None] | None = None,
    ) -> maintenance.RecoveryReport:
        """Finish or clear away the leavings of crashed writers, in this tenant; live writers are never touched.

        A `building` row whose lease ran out is published if the bytes and sidecars of its whole attempt are whole and
        agree; otherwise the attempt is failed, and its bytes are removed. A ready row of which an object is missing is
        noted; it is lost if the object is still missing `grace_seconds` later, and comes back once both are whole.
        Materializations that the catalog does not know are adopted if their sidecars agree; one that was collected, as
        its tombstone says, is not ready any more. Other objects that no row names are removed once they are older than
        `grace_seconds`; those of a materialization that was ready at any time are only removed by `collect`. The
        lineage index is checked and rebuilt. An object that cannot be looked at is only reported.

        `dry_run` only reports. `progress` gets a line every few seconds (default: the log).

        Raises, with nothing changed, `RootNotThere`, `RootOfAnotherCatalog` or `MaintainedElsewhere` where the root is
        not this catalog's alone; and `ObjectsMissing` where none of the ready rows' objects is in the root, or more
        than 10 rows and 5 % of them lack one.
        """
        check_flags("recover", dry_run=dry_run)
        check_number("recover", "grace_seconds", grace_seconds)
        recovery = maintenance.Recovery(
            database=self.database,
            root=self.artifacts,
            scope=self.scope,
            binding=self.binding,
            random_hex=secrets.token_hex,
            grace_seconds=grace_seconds,
            dry_run=dry_run,
            progress=maintenance.Progress() if progress is None else maintenance.Progress(tell=progress),
        )
        return recovery.run()

    def adopt(self, *, take_over: bool = False, dry_run: bool = False) -> maintenance.AdoptionReport:
        """Add rows for the materializations in the root that the catalog does not know, from their sidecars.

        After the loss of a catalog, or its restore from a backup: tables, anchors, edges and history are back. Each
        table's name resolves to its last computed materialization, unless the catalog knows a later start; a pointer
        set so is one of `restored()`. Tables that were dropped stay dropped, and materializations that were collected
        stay gone, also in a catalog that was restored from before. Of a tenant, only its own.

        `take_over` first binds the root to this catalog, if it belonged to another one, to another copy of this one,
        or to none; the other one may then no longer write. `dry_run` only reports, and takes nothing over.

        Raises `RootNotThere`, `RootOfAnotherCatalog` and `MaintainedElsewhere` without `take_over`.

        Example:
            >>> ResultStore("results", "new.db").adopt(take_over=True).adopted  # doctest: +SKIP
        """
        check_flags("adopt", take_over=take_over, dry_run=dry_run)
        if self.database.is_foreign or not dry_run:
            self.database.check_writable()
        report, progress = maintenance.AdoptionReport(dry_run=dry_run), maintenance.Progress()
        if take_over and not dry_run:
            report.taken_over = self.binding.take_over()
            self.__dict__.pop("identity", None)
        elif not take_over:
            self.binding.check(dry_run=dry_run)
            self.binding.check_stamp()
            report.adopted = self.binding.take_restored()
        tenant = self.scope.tenant
        adoption = maintenance.Adoption(
            database=self.database, root=self.artifacts, tenant=tenant, dry_run=dry_run, progress=progress
        )
        adoption.run(
            maintenance.ListedObjects.below(self.artifacts, tables_folder(tenant or None), progress), report
        )
        return report
