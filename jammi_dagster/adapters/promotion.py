"""Promotion into a deployment whose code is at hand: its definitions, external inputs, and Dagster's events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import dagster as dg

from jammi_dagster.adapters.code_location.current_asset import NotReplayable, Unknowable
from jammi_dagster.adapters.code_location.location import (
    Definitions,
    Location,
    instance_at_hand,
    repository_of,
)
from jammi_dagster.adapters.code_location.named_tables import tables_named
from jammi_dagster.adapters.code_location.present import Present
from jammi_dagster.adapters.judgement.context import KnownSurface, known_surfaces
from jammi_dagster.adapters.judgement.stored_assets import StoredAssets
from jammi_dagster.adapters.judgement.table_state import NO_REPLAY
from jammi_dagster.adapters.launching.outgoing_events import send_events
from jammi_dagster.adapters.recipe.replay import recorded_replays
from jammi_dagster.catalog.promotion import refuse
from jammi_dagster.planning.promotion import Promotion, PromotionPlan
from jammi_dagster.planning.step_plan import DISTRUSTED
from jammi_dagster.store import ResultStore

_UNKNOWN = "0" * 64  # no definition has this hash: one that is not known agrees with none


def promotion_plan(
    store: ResultStore,
    defs: Definitions,
    to: str,
    tables: Any = None,
    *,
    ahead_of_code: bool = False,
    create: bool = False,
    instance: dg.DagsterInstance | None = None,
) -> PromotionPlan:
    """Plan a promotion as `ResultStore.promotion_plan` does, with the definitions and external inputs of the target.

    `defs` are the target's code. `tables` may be assets, keys and selections, too. A table that `defs` do not make is
    that of another code location: its definition is not compared.

        promotion_plan(branch, defs, "prod", ["clean_trips+"]).refusals    # {}
    """
    with instance_at_hand(instance) as found:
        return _Target(store, defs, to, found).plan(tables, ahead_of_code=ahead_of_code, create=create)


def promote(
    store: ResultStore,
    defs: Definitions,
    to: str,
    tables: Any = None,
    plan: PromotionPlan | Mapping[str, Any] | None = None,
    *,
    ahead_of_code: bool = False,
    create: bool = False,
    by: str | None = None,
    reason: str | None = None,
    instance: dg.DagsterInstance | None = None,
) -> Promotion:
    """Promote as `ResultStore.promote` does, with the definitions and external inputs of the target.

    `defs` are the target's code. Where `to` is the deployment of its resources, `instance` is told at once; else the
    events wait for the next tick of the target's sensor.
    """
    with instance_at_hand(instance) as found:
        target = _Target(store, defs, to, found)
        options = {"ahead_of_code": ahead_of_code, "create": create, "by": by, "reason": reason}
        done = target.promote(tables, plan, **options)
        if found is instance or not found.is_ephemeral:  # one that was made here is gone at once
            target.tell()
    return done


class _Target:
    """A deployment that gets tables, with its code and its Dagster instance."""

    def __init__(self, source: ResultStore, defs: Definitions, to: str, instance: dg.DagsterInstance) -> None:
        self._source, self._to = source, to
        self._repository, self._instance = repository_of(defs), instance
        self._store = source.of_deployment(to)
        self._assets = StoredAssets(Location(self._repository, instance, deployment=to))
        self._unknown: dict[str, str] = {}
        self._distrusted: dict[str, str] = {}

    def plan(self, tables: Any, *, ahead_of_code: bool, create: bool) -> PromotionPlan:
        """Plan a promotion over the code."""
        named = self._named(tables)
        definitions, surfaces = self._asked(self._source.promotion_plan(self._to, named, create=create))
        plan = self._source.promotion_plan(
            self._to,
            named,
            definitions=definitions,
            surfaces=surfaces,
            ahead_of_code=ahead_of_code,
            create=create,
        )
        return self._explained(plan)

    def promote(
        self, tables: Any, plan: PromotionPlan | Mapping[str, Any] | None, **options: Any
    ) -> Promotion:
        """Promote over the code."""
        named = self._named(tables)
        if plan is None:
            plan = self._source.promotion_plan(self._to, named, create=options["create"])
        elif not isinstance(plan, PromotionPlan):
            plan = PromotionPlan.from_dict(plan)
        definitions, surfaces = self._asked(plan)
        ahead_of_code = plan.ahead_of_code or options["ahead_of_code"]
        refuse(plan, self._refusals(ahead_of_code=ahead_of_code))
        return self._source.promote(
            self._to, named, plan, definitions=definitions, surfaces=surfaces, **options
        )

    def tell(self) -> None:
        """Send the waiting events of the target, if that is the own deployment of the code's resources."""
        send_events(StoredAssets(Location(self._repository, self._instance)), self._store)

    def _named(self, tables: Any) -> list[str] | None:
        return None if tables is None else tables_named(self._source, tables, self._repository)

    def _asked(self, plan: PromotionPlan) -> tuple[dict[str, str], list[KnownSurface]]:
        """Ask the target's code for the definitions of a plan's tables, and for their external inputs.

        The inputs are those that the target has once the tables are there.
        """
        if plan.undoes is not None:
            return {}, []
        makers = {row.table: maker for row in plan.rows if (maker := self._assets.maker(row.table))}
        with self._store.reader.frozen() as rows:
            digests = dict(rows.digests() or {})
        promoted = self._source.reader.records(str(row.materialization) for row in plan.rows)
        records = {record.table: record for record in promoted.values()}
        digests.update((table, str(record.artifact_digest)) for table, record in records.items())
        present = Present(self._assets.location, self._store, digests)
        replays = recorded_replays(self._source, self._source.reader, makers)
        definitions = {}
        for table, asset in makers.items():
            record = records.get(table)
            if record is not None and (wrote := asset.spec.distrusted(record, self._store)):
                made = f"materialization {record.materialization_id} was written by deployment {wrote}"
                self._distrusted[table] = f"{made}, {DISTRUSTED}"
            try:
                replay = replays.get(table) or NO_REPLAY
                definitions[table], _ = asset.definition(asset.tables()[table], replay, present)
            except (NotReplayable, Unknowable) as error:
                definitions[table], self._unknown[table] = _UNKNOWN, str(error)
        for asset in dict.fromkeys(makers.values()):
            asset.outside(present)
        return definitions, known_surfaces(present)

    def _explained(self, plan: PromotionPlan) -> PromotionPlan:
        """Add the refusals that only the code tells."""
        why = self._refusals(ahead_of_code=plan.ahead_of_code)
        rows = (replace(row, refusal=row.refusal or why.get(row.table)) for row in plan.rows)
        return replace(plan, rows=tuple(rows))

    def _refusals(self, *, ahead_of_code: bool) -> dict[str, str]:
        """Map tables to refusals: objects that are code for their readers, and definitions that are not known."""
        if ahead_of_code:
            return self._distrusted
        unknown = f"its definition in the code of {self._to} is not known"
        return {**{table: f"{unknown}: {why}" for table, why in self._unknown.items()}, **self._distrusted}
