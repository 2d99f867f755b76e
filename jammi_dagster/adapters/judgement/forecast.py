"""The forecast of a launch: the plan of each of its steps, upstream first, over the tables that earlier steps leave.

Each step is decided by `facts.plans_of`, the function that decides a real step. The tables that a step would leave
stand beside the current ones: a reuse leaves the digest of the stored artifact, a computation one that nobody knows
yet. A step below such a table is decided as far as that goes.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.partitions import PartitionsGone
from jammi_dagster.adapters.assets.run_tags import moves_of
from jammi_dagster.adapters.code_location.current_asset import CurrentAsset
from jammi_dagster.adapters.code_location.present import Present
from jammi_dagster.adapters.code_location.upstream import Upstream, upstream_partitions
from jammi_dagster.adapters.judgement.decided_step import (
    Above,
    DecidedStep,
    LaunchedStep,
    Look,
    made_first,
    table_of,
)
from jammi_dagster.adapters.judgement.facts import Known, plans_of
from jammi_dagster.adapters.judgement.families import Along, Family, Place, families_of
from jammi_dagster.adapters.judgement.pinned import refusal, stores_of_pins
from jammi_dagster.adapters.judgement.stored_assets import StoredAssets
from jammi_dagster.adapters.recipe.determinants import FIRST_TIME
from jammi_dagster.adapters.recipe.inputs import Role
from jammi_dagster.adapters.recipe.pins import check_pins, pinned_input, resolved_pins
from jammi_dagster.contract import CachePolicy, Difference, TableName
from jammi_dagster.contract.tables import table_names
from jammi_dagster.planning.plan import Action, PlannedTable
from jammi_dagster.planning.step_plan import NO_MATCH, StepPlan, TablePlan
from jammi_dagster.planning.waves import waves_of
from jammi_dagster.store import ResultStore, StoreIdentity

_MOST_EXPLAINED = 1_000  # each takes a read of a sidecar
_AT_ONCE = 500
_NOT_MOVED = "it is recorded, but does not become current"
_NO_NAME = "the run moves no name"
_ELSEWHERE = "it is no result table: Dagster runs it in any case"
_MADE = "made by this launch: {table}"  # as a digest it equals no recorded one
_OPEN: frozenset[Action] = frozenset({"compute", "compute or reuse"})
_WITHOUT_RUN: frozenset[Action] = frozenset({"reuse", "fail"})


class Forecast:
    """The outcomes of a launch, step after step.

    `plans` holds the plan of each step whose tables are reused, by asset and partitions. Without `explain` no reason is
    looked for, no place among the runs, and nothing below a table that is made first. `parents` are the tables of the
    launch that each table reads, `inputs` the digests of the other tables that it reads.
    """

    def __init__(self, assets: StoredAssets, tags: Mapping[str, str], *, explain: bool = True) -> None:
        self.planned: dict[str, PlannedTable] = {}
        self.plans: dict[tuple[dg.AssetKey, tuple[str, ...] | None], StepPlan] = {}
        self.looks: dict[StoreIdentity, Look] = {}
        self.parents: dict[str, set[str]] = {}
        self.inputs: dict[str, str | None] = {}
        self._assets, self._tags, self._explain = assets, tags, explain
        self._versions: dict[Any, Any] = {}
        self._others: dict[StoreIdentity, Mapping[str, str]] = {}
        self._explained = 0
        self._pinned: Mapping[str, ResultStore | None] = {}
        self._along: dict[Place, Along] = {}

    def run(self, steps: Sequence[LaunchedStep]) -> list[PlannedTable]:
        """Return the action of each table of the steps, which come upstream first, those of one asset together."""
        groups = [(key, list(some)) for key, some in itertools.groupby(steps, key=lambda step: step.key)]
        tables: dict[StoreIdentity, set[str]] = {}
        stores: dict[StoreIdentity, ResultStore] = {}
        for key, of_asset in groups:
            if (asset := self._assets.asset(key)) is not None:
                stores[asset.store.identity] = asset.store
                names = [asset.table(p) for step in of_asset for p in step.partitions or (None,)]
                tables.setdefault(asset.store.identity, set()).update(names)
        graph, instance = self._assets.location.graph, self._assets.location.instance
        check_pins(self._tags, graph, instance)
        self._pinned = stores_of_pins(self._assets, self._tags)
        self.looks = {identity: self._look(stores[identity], names) for identity, names in tables.items()}
        for store in self._pinned.values():  # also where no step of the launch writes
            if store is not None and store.identity not in self._others:
                self._look(store, set())
        while True:
            for key, of_asset in groups:
                self._of_asset(key, of_asset)
            along = self._taken_along([key for key, _ in groups], steps)
            if not along:
                break
            self._along |= along  # once more, over what this leaves
            self.planned, self.plans, self.parents, self.inputs, self._explained = {}, {}, {}, {}, 0
            self.looks = {one: self._look(stores[one], names) for one, names in tables.items()}
        if not self._explain:
            return list(self.planned.values())
        moves = moves_of(self._tags)
        if moves and not any(look.holds for look in self.looks.values()):
            return list(self._with_waves())
        return [self._with_hold(planned, moves=moves) for planned in self._with_waves()]

    def _of_asset(self, key: dg.AssetKey, steps: Sequence[LaunchedStep]) -> None:
        """Plan the steps of one asset."""
        asset = self._assets.asset(key)
        if asset is None:
            for step in steps:
                self._not_ours(step)
            return
        at_once, policy = 1 if asset.reads_itself else _AT_ONCE, self.policy_of(asset)
        for start in range(0, len(steps), at_once):
            self._steps(asset, steps[start : start + at_once], policy)

    def _taken_along(
        self, keys: Collection[dg.AssetKey], steps: Iterable[LaunchedStep]
    ) -> dict[Place, Along]:
        """Return the actions that tables get for the sake of others of their function, as far as they are new."""
        families = families_of(self._assets.assets(keys), keys, self._assets.location.graph)
        if not families:
            return {}
        actions: dict[tuple[str, ...] | None, dict[dg.AssetKey, Action]] = {}
        for step in steps:
            actions.setdefault(step.partitions, {})[step.key] = self.planned[step.tables[0]].action
        found: dict[Place, Along] = {}
        for family in families:
            for partitions, of_step in actions.items():
                members = [one for one in family.members if one.key in of_step]
                found |= Family(members).along(partitions, of_step) if len(members) > 1 else {}
        return {place: one for place, one in found.items() if self._along.get(place) != one}

    def _with_hold(self, planned: PlannedTable, *, moves: bool) -> PlannedTable:
        """Say of a table that is held, and of each table of a run that moves no name, that its run moves nothing."""
        asset = self._assets.asset(dg.AssetKey.from_user_string(planned.asset))
        if asset is None or planned.is_current or planned.action == "fail":
            return planned
        hold = self.looks[asset.store.identity].holds.get(planned.table)
        if hold is not None and hold.keeps(planned.definition):
            why = str(hold)
        elif moves:
            return planned
        else:
            why = _NO_NAME
        return replace(planned, reasons=(*planned.reasons, f"{_NOT_MOVED}: {why}"))

    def policy_of(self, asset: CurrentAsset) -> CachePolicy:
        """Return the cache policy of an asset under the launch's tags."""
        return asset.policy(self._tags)

    def _look(self, store: ResultStore, tables: set[str]) -> Look:
        store.binding.check_not_lost()
        with store.reader.frozen() as rows:
            digests, current = dict(rows.digests() or {}), rows.current_matches(tables)
            holds, acceptances = rows.holds(), rows.acceptances()
        mine = [t for t, of in self._pinned.items() if of is None or of.identity == store.identity]
        pinned = resolved_pins(store, self._tags, mine)
        digests.update((table, str(record.artifact_digest)) for table, record in pinned.items())
        pins = {table: pinned_input(store, table, one.materialization_id) for table, one in pinned.items()}
        self._others[store.identity] = digests
        present = Present(self._assets.location, store, digests, self._versions, self._others)
        known = Known(current.values(), acceptances)
        return Look(store, current, known, digests, present, holds, acceptances, pins)

    # --- the steps of one asset -----------------------------------------------------------------------

    def _steps(self, asset: CurrentAsset, steps: Sequence[LaunchedStep], policy: CachePolicy) -> None:
        """Plan steps that read no table of each other."""
        look = self.looks[asset.store.identity]
        all_above = [self._above(asset, step) for step in steps]
        if not self._explain and all(above.made or above.unknown for above in all_above):
            self._leave_open(asset, look, steps)
            return
        refused = [self._refused(asset, step, above) for step, above in zip(steps, all_above, strict=True)]
        begun = [
            (step.partitions, step.replay) for step, why in zip(steps, refused, strict=True) if why is None
        ]
        plans = plans_of(asset, begun, look.present, policy, look.known)
        stored = set[str]()
        if any(above.made for above in all_above):
            tables = [table for plan in plans for table in plan.tables if table.definition is not None]
            stored = {one.to_definition for one in look.acceptances.values()}
            stored |= asset.store.reader.stored_definitions({str(table.definition) for table in tables})
        rest = iter(plans)
        for step, above, why in zip(steps, all_above, refused, strict=True):
            if why is not None:
                self._fail(asset, step, *why)
            else:
                plan = next(rest)
                along = self._along.get((step.key, step.partitions))
                self._enter(DecidedStep(step, asset, look, above, plan, plan.reasons, stored, along))

    def _leave_open(self, asset: CurrentAsset, look: Look, steps: Iterable[LaunchedStep]) -> None:
        """Enter steps that read a table which this launch makes: nothing says now that they are reused."""
        for step in steps:
            for partition in step.partitions or (None,):
                table = asset.table(partition)
                self.planned[table] = PlannedTable(
                    table=table, asset=asset.shown, partition=partition, action="compute or reuse"
                )
                look.digests[table] = _MADE.format(table=table)

    def _refused(
        self, asset: CurrentAsset, step: LaunchedStep, above: Above
    ) -> tuple[str, tuple[str, ...]] | None:
        """Say why a step does not begin, and by way of which tables; None where it does."""
        if above.failing:
            cause = above.failing[0]
            return f"{cause}, which it reads, fails", (cause, *self.planned[cause].cause_path)
        why = refusal(asset, step.partitions, self._pinned)
        return (why, ()) if why else None

    def _enter(self, decided: DecidedStep) -> None:
        """Enter the outcome of one step."""
        action = decided.action()
        if action == "reuse":
            self.plans[decided.step.key, decided.step.partitions] = decided.plan
        for table, partition in zip(decided.plan.tables, decided.step.partitions or (None,), strict=True):
            if action == "reuse":
                planned = decided.reused(table, partition)
            else:
                planned = self._not_reused(decided, action, table, partition)
            self.planned[planned.table] = planned
            self._leave(decided.look, table, planned)

    def _not_reused(
        self, decided: DecidedStep, action: Action, table: TablePlan, partition: str | None
    ) -> PlannedTable:
        current = decided.look.current.get(table.table)
        first = self._first(decided, partition)
        said = [first.text] if first is not None else []
        said += [decided.along.reason] if decided.along is not None else []
        said += [
            reason for reason in table.reasons if reason not in said and (reason != NO_MATCH or not said)
        ]
        if action == "unknown until run" and not said:
            said = [
                f"{name} has a version only once the run has made it" for name in decided.above.unknown[:1]
            ]
        seconds, size = (
            decided.cost(None if current is None else current.record) if action in _OPEN else (None, None)
        )
        return PlannedTable(
            table=table.table,
            asset=decided.asset.shown,
            partition=partition,
            action=action,
            reasons=tuple(said),
            cause_path=self._path(first),
            before=None if first is None else _plain(first.before),
            after=None if first is None else _plain(first.after),
            definition=None if table.definition is None else str(table.definition),
            expected_seconds=seconds,
            expected_bytes=size,
        )

    def _first(self, decided: DecidedStep, partition: str | None) -> Difference | None:
        """Return the first determinant of a table that differs; None where none is known, or none decides."""
        if decided.along is not None and decided.plan.verdict == "reuse":
            return None
        if decided.plan.verdict == "reuse":  # over versions of now, of inputs that are made first
            return made_first((*decided.above.unknown, *decided.above.made)[0])
        if not self._explain or not decided.is_by_determinants():
            return None
        if decided.asset.table(partition) not in decided.look.current:
            return FIRST_TIME
        if self._explained >= _MOST_EXPLAINED:
            return None
        self._explained += 1
        found = decided.differences(partition)
        return decided.worded(found[0]) if found else None

    def _path(self, first: Difference | None) -> tuple[str, ...]:
        """Return the way from the input that differs first up to the table where the cause lies."""
        table = "" if first is None or first.kind != "input" else table_of(first.name)
        return (table, *self.planned[table].cause_path) if table in self.planned else ()

    # --- around it ------------------------------------------------------------------------------------

    def _above(self, asset: CurrentAsset, step: LaunchedStep) -> Above:
        """Gather the tables of the launch that the step reads."""
        above = Above()
        if not asset.upstreams:
            return above
        own = {asset.table(p) for p in step.partitions or (None,)}
        parents: set[str] = set()
        digests = self.looks[asset.store.identity].digests
        for upstream in asset.upstreams:
            try:
                tables = upstream.tables(step.partitions)
            except PartitionsGone:
                continue
            for partition, name in tables:
                planned = self.planned.get(name)
                if planned is None and name not in own and upstream.declared.role is not Role.EVENTS:
                    self.inputs[name] = digests.get(name)
                if planned is None or name in own:
                    continue
                parents.add(name)
                if planned.action == "fail" or self._blocks(upstream.dependency.asset_key, planned):
                    above.failing.append(name)
                elif planned.action == "unknown until run":
                    above.unknown.append(name)
                elif planned.action in _OPEN:
                    ours = self._assets.asset(upstream.dependency.asset_key) is not None
                    (above.made if ours else above.unknown).append(name)
                elif upstream.declared.role is Role.EVENTS and (
                    len(own) > 1 or self._is_told_anew(asset, upstream, partition, name)
                ):
                    above.unknown.append(name)
        self.parents.update(dict.fromkeys(own, parents))
        return above

    def _is_told_anew(
        self, asset: CurrentAsset, upstream: Upstream, partition: str | None, table: str
    ) -> bool:
        """Tell whether the event of a reused table has another version than the asset's last event has now."""
        maker = self._assets.asset(upstream.dependency.asset_key)
        present = self.looks[asset.store.identity].present
        told = present.events(upstream.declared, ((partition, table),)).get(partition)
        return maker is None or told != self.looks[maker.store.identity].digests.get(table)

    def _blocks(self, key: dg.AssetKey, planned: PlannedTable) -> bool:
        """Tell whether a recorded check of a reused table fails, and keeps Dagster from what is below."""
        asset = self._assets.asset(key) if planned.failed_checks else None
        return asset is not None and asset.is_blocked_by(planned.failed_checks)

    def _not_ours(self, step: LaunchedStep) -> None:
        why = self._assets.problems.get(step.key)
        action: Action = "compute" if why is None else "unknown until run"
        for partition in step.partitions or (None,):
            table = str(TableName.of(step.key.path, partition))
            self.parents[table] = self._read_by(step.key, partition) & self.planned.keys() - {table}
            self.planned[table] = PlannedTable(
                table=table,
                asset=step.key.to_user_string(),
                partition=partition,
                action=action,
                reasons=(_ELSEWHERE if why is None else f"its IO manager cannot be made: {why}",),
            )

    def _read_by(self, key: dg.AssetKey, partition: str | None) -> set[str]:
        """Return the tables that a partition of an asset reads by its declaration, whoever stores them."""
        found: set[str] = set()
        own = None if partition is None else (partition,)
        for above in self._assets.location.graph.get(key).parent_keys:
            with contextlib.suppress(PartitionsGone):
                keys = upstream_partitions(self._assets.location, key, own, above)
                found.update(table_names(above.path, keys or (None,)))
        return found

    def _fail(self, asset: CurrentAsset, step: LaunchedStep, why: str, cause_path: tuple[str, ...]) -> None:
        """Plan the tables of a step that does not begin, or that Dagster skips, for a table that is not made."""
        for partition in step.partitions or (None,):
            table = asset.table(partition)
            self.planned[table] = PlannedTable(
                table=table,
                asset=asset.shown,
                partition=partition,
                action="fail",
                reasons=(why,),
                cause_path=cause_path,
            )

    def _leave(self, look: Look, table: TablePlan, planned: PlannedTable) -> None:
        """Put the table that the step leaves in the place of the current one."""
        if planned.action == "reuse" and table.digest is not None:
            look.digests[table.table] = table.digest
        elif planned.action != "fail":
            look.digests[table.table] = _MADE.format(table=table.table)

    def _with_waves(self) -> Iterable[PlannedTable]:
        """Yield the actions, each computation with the place of its run."""
        launched = [table for table, one in self.planned.items() if one.action not in _WITHOUT_RUN]
        wave = waves_of(launched, self.parents, lambda table: self.planned[table].partition)
        for table, planned in self.planned.items():
            if table in wave:
                object.__setattr__(planned, "wave", wave[table])  # nobody has it yet
            yield planned


def _plain(value: Any) -> Any:
    """Return a determinant's value for JSON: a text or a number, else None."""
    return value if isinstance(value, (str, int, float, bool)) or value is None else None
