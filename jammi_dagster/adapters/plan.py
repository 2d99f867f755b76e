"""`plan`: the outcome of a launch, before it is launched."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.declaration import is_graph, op_name, raw_config_of
from jammi_dagster.adapters.assets.run_tags import tags_of_launch
from jammi_dagster.adapters.assets.spec import made_along, spec_of
from jammi_dagster.adapters.code_location.current_asset import CurrentAsset, NotReplayable, Unknowable
from jammi_dagster.adapters.code_location.location import (
    Definitions,
    Location,
    Target,
    instance_at_hand,
    repository_of,
)
from jammi_dagster.adapters.judgement.decided_step import LaunchedStep
from jammi_dagster.adapters.judgement.evaluator import Evaluator
from jammi_dagster.adapters.judgement.forecast import Forecast
from jammi_dagster.adapters.judgement.stale_inputs import stale_inputs
from jammi_dagster.adapters.metadata_keys import PARTITION_TAG, RANGE_TAGS
from jammi_dagster.adapters.recipe.replay import Replay, recorded_replays
from jammi_dagster.contract import canonical_json
from jammi_dagster.errors import InvalidField, PlanOutdated
from jammi_dagster.garbage import uncollected
from jammi_dagster.planning.plan import Plan, PlannedTable

Partitions = str | Sequence[str] | dg.PartitionKeyRange | None
"""The partitions of a launch: a key, several, a range that one run makes, or None for all."""


def plan(
    defs: Definitions,
    selection: Target = None,
    partitions: Partitions = None,
    run_config: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    *,
    deployment: str | None = None,
    parent: str | None = None,
    recorded_config: bool = False,
    instance: dg.DagsterInstance | None = None,
) -> Plan:
    """Plan a launch: for each table, if it would be reused or computed, why, and at which cost.

    The plan is made by the function that decides real steps. Nothing is launched or written, and no data is read; as
    long as code, catalog and external inputs stand still, the launch does what the plan says.

    Args:
        defs: the complete definitions of the code location, or a function that returns them.
        selection: the assets, as `dg.materialize` takes them; all by default. Unselected assets count as they are.
        partitions: a partition key, several, or a `dg.PartitionKeyRange` that one run makes of assets with
            `BackfillPolicy.single_run()`; all by default.
        run_config: the run config of the launch.
        tags: the run tags of the launch, such as `{"jammi/cache": "bypass"}`.
        deployment: the exact name of the deployment whose tables count, in place of the one of the resources.
        parent: the deployment whose tables that one reads where it has none, in place of the one that it reads.
        recorded_config: give each table the config and the range that it was made with last, as the sensor does.
        instance: the Dagster instance; by default that of `DAGSTER_HOME`, or an empty one.

    Raises `InvalidTarget` for assets that are not there, `InvalidField` for partitions that no asset has and for a run
    config that does not fit, `InvalidPolicy`, `CatalogLost` where a run would first rebuild the catalog, and any error
    of catalog and storage.

        plan(defs, "clean_trips+", partitions="2013-03").counts    # {"reuse": 1, "compute": 2}
    """
    with instance_at_hand(instance) as found, uncollected():
        launch, planned = _planned(
            defs,
            found,
            selection=selection,
            partitions=partitions,
            run_config=run_config,
            tags=tags,
            deployment=deployment,
            parent=parent,
            recorded_config=recorded_config,
        )
        return replace(planned, stale_inputs=stale_inputs(launch.assets, planned.rows), definitions=defs)


def check_plan(
    saved: Plan | Mapping[str, Any], defs: Definitions, *, instance: dg.DagsterInstance | None = None
) -> Plan:
    """Return a saved plan, if everything that it depends on is as it was. Raise `PlanOutdated`, which names what moved.

    Raises also as `plan` does, and `InvalidField` for a text that is no plan.
    """
    before = saved if isinstance(saved, Plan) else Plan.from_dict(saved)
    with instance_at_hand(instance) as found, uncollected():
        _, now = _planned(defs, found, **arguments_of(before))
    moved = before.moved(now)
    if moved:
        raise PlanOutdated(moved=", ".join(moved))
    return before


def _planned(
    defs: Definitions,
    instance: dg.DagsterInstance,
    *,
    selection: Target = None,
    partitions: Partitions = None,
    run_config: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    deployment: str | None = None,
    parent: str | None = None,
    recorded_config: bool = False,
) -> tuple[Launch, Plan]:
    """Return a launch and its plan, without the stale tables that it reads as they are."""
    given, tags = run_config or {}, tags or {}
    location = Location(
        repository_of(defs),
        instance,
        deployment=deployment,
        parent=parent,
        resource_config=given.get("resources"),
    )
    if isinstance(partitions, dg.PartitionKeyRange):
        _check_one_run(location, selection, partitions, tags)
    launch = Launch(location, selection, partitions, given, tags)
    made = launch.forecast(recorded_config=recorded_config)
    return launch, launch.plan_of(made, deployment, parent, recorded_config=recorded_config)


def arguments_of(saved: Plan) -> dict[str, Any]:
    """Return the arguments of `plan` that a plan was made with."""
    given = dict(saved.arguments)
    span = given.pop("partition_range", None)
    if span is not None:
        given["partitions"] = dg.PartitionKeyRange(*span)
    keys = [dg.AssetKey.from_user_string(key) for key in given.pop("selection", ())]
    return {"selection": keys, **given}


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The steps of a launch, their forecast, and the outcome of each table."""

    steps: Sequence[LaunchedStep]
    forecast: Forecast
    rows: tuple[PlannedTable, ...]


class Launch:
    """The arguments of a launch, and its steps."""

    def __init__(
        self,
        location: Location,
        selection: Target,
        partitions: Partitions,
        run_config: Mapping[str, Any],
        tags: Mapping[str, str],
    ) -> None:
        self.location, self.config, self.tags = location, run_config, dict(tags)
        self.tags_and_pins = tags_of_launch(tags, run_config, location.every_resource)
        self.assets = Evaluator(location)
        self.keys = location.select("*" if selection is None else selection)
        along = {one for key in self.keys for one in self._along(key)}.difference(self.keys)
        self.keys = location.select([*self.keys, *along]) if along else self.keys
        self.span, self._wanted = self._partitions(partitions)
        self._check_config()

    def forecast(self, *, recorded_config: bool, only: Set[str] | None = None) -> Made:
        """Forecast the outcome of each table over the state of now, or that of the steps that make some tables."""
        steps = list(self._steps(recorded_config=recorded_config))
        if only is not None:
            steps = [step for step in steps if not only.isdisjoint(step.tables)]
        forecast = Forecast(self.assets, self.tags_and_pins)
        return Made(steps=steps, forecast=forecast, rows=tuple(forecast.run(steps)))

    def plan_of(
        self, made: Made, deployment: str | None, parent: str | None, *, recorded_config: bool
    ) -> Plan:
        """Return a forecast as a plan."""
        return Plan(
            rows=made.rows,
            arguments={
                "selection": [key.to_user_string() for key in self.keys],
                "partitions": None if self.span or self._wanted is None else sorted(self._wanted),
                **({"partition_range": list(self.span)} if self.span else {}),
                "run_config": dict(self.config),
                "tags": self.tags,
                "deployment": deployment,
                **({} if parent is None else {"parent": parent}),
                "recorded_config": recorded_config,
            },
            basis=self._basis(made.forecast, made.steps),
        )

    # --- the steps of the launch ----------------------------------------------------------------------

    def _steps(self, *, recorded_config: bool) -> Iterator[LaunchedStep]:
        """Yield the steps, upstream assets first, partitions in their order."""
        for key in self.keys:
            config, asset = self._config_of(key), self.assets.asset(key)
            partitions = self._of_asset(key)
            if recorded_config and asset is not None:
                yield from self._replayed(asset, partitions)
            elif partitions is None or self.span is not None:
                if partitions is None or partitions:
                    yield LaunchedStep(key=key, partitions=partitions, replay=_replay(config, partitions))
            else:
                groups = _one_by_one(partitions) if asset is None else _in_ranges(asset, partitions)
                for group in groups:
                    yield LaunchedStep(key=key, partitions=group, replay=_replay(config, group))

    def _replayed(self, asset: CurrentAsset, partitions: tuple[str, ...] | None) -> Iterator[LaunchedStep]:
        """Yield the steps that make an asset's tables with the config and ranges of their last runs."""
        for group, replay in _recorded(asset, partitions):
            yield LaunchedStep(key=asset.key, partitions=group, replay=_replay(replay.config, group))

    def _along(self, key: dg.AssetKey) -> set[dg.AssetKey]:
        """Return the other assets under `@result_tables`, or of a graph, that a run of this one is to select."""
        definition = self.location.assets_def(key)
        if definition is None:
            return set()
        spec = spec_of(definition)
        is_together = is_graph(definition) or (spec is not None and spec.is_of_many)
        return made_along(definition, key) if is_together else set()

    def _config_of(self, key: dg.AssetKey) -> Any:
        assets_def = self.location.assets_def(key)
        ops = self.config.get("ops") or {}
        return None if assets_def is None else raw_config_of(assets_def, ops.get(op_name(assets_def)))

    def _check_config(self) -> None:
        """Raise `InvalidField` for a run config with an op that the launch does not have."""
        ops = set(self.config.get("ops") or {})
        known = {op_name(found) for key in self.keys if (found := self.location.assets_def(key)) is not None}
        for op in sorted(ops - known):
            expected = f"the op of a selected asset: {', '.join(sorted(known)[:5])}"
            raise InvalidField(what="run config", path="ops", value=op, expected=expected)

    def _partitions(self, given: Partitions) -> tuple[tuple[str, str] | None, set[str] | None]:
        """Return the range of the launch, if it is one, and its partition keys; None for all."""
        if given is None and all(tag in self.tags for tag in RANGE_TAGS):
            given = dg.PartitionKeyRange(*(self.tags[tag] for tag in RANGE_TAGS))
        if given is None:
            given = self.tags.get(PARTITION_TAG)
        if isinstance(given, dg.PartitionKeyRange):
            return (str(given.start), str(given.end)), None
        if given is None:
            return None, None
        keys = [given] if isinstance(given, str) else list(given)
        wanted = {str(key) for key in keys}
        for key in sorted(wanted - {known for one in self.keys for known in self._keys_of(one) or ()}):
            raise InvalidField(
                what="plan", path="partitions", value=key, expected="a partition of a selected asset"
            )
        return None, wanted

    def _of_asset(self, key: dg.AssetKey) -> tuple[str, ...] | None:
        """Return the partitions of an asset that are launched; None for an asset without partitions."""
        keys = self._keys_of(key)
        if keys is None:
            return None
        if self.span is not None:
            found = self.location.span(self.location.graph.get(key).partitions_def, *self.span)
            if not found:
                shown = f"{self.span[0]}...{self.span[1]}"
                expected = f"a range of partitions of {key.to_user_string()}"
                raise InvalidField(what="plan", path="partitions", value=shown, expected=expected)
            return found
        return keys if self._wanted is None else tuple(one for one in keys if one in self._wanted)

    def _keys_of(self, key: dg.AssetKey) -> tuple[str, ...] | None:
        partitions_def = self.location.graph.get(key).partitions_def
        return None if partitions_def is None else self.location.keys_of(partitions_def)

    # --- the basis of the plan ------------------------------------------------------------------------

    def _basis(self, forecast: Forecast, steps: Sequence[LaunchedStep]) -> dict[str, dict[str, Any]]:
        """Return everything that the plan depends on, by kind and name."""
        basis: dict[str, dict[str, Any]] = {
            kind: {} for kind in ("code", "policy", "partitions", "input", "table", "deployment")
        }
        first: dict[dg.AssetKey, LaunchedStep] = {}
        for step in steps:
            first.setdefault(step.key, step)
        for key, step in first.items():
            name, asset = key.to_user_string(), self.assets.asset(key)
            partitions = self._keys_of(key)
            if partitions is not None:
                basis["partitions"][name] = hashlib.sha256(canonical_json(list(partitions))).hexdigest()
            if asset is not None:
                basis["policy"][name] = forecast.policy_of(asset).value
                basis["code"][name] = _code_of(asset, step.replay)
                scope = asset.store.scope
                basis["deployment"][name] = scope.deployment
                if scope.parent is not None:
                    basis.setdefault("parent", {})[name] = [scope.parent, scope.parent_at]
        basis["input"].update(forecast.inputs)
        for look in forecast.looks.values():
            basis["input"].update(look.present.observed)
            basis["input"].update({source: str(error) for source, error in look.present.failed.items()})
            for table, current in look.current.items():
                basis["table"][table] = [current.record.materialization_id, current.record.artifact_digest]
            for table, accepted in look.acceptances.items():
                planned = forecast.planned.get(table)
                if planned is not None and planned.materialization == accepted.materialization_id:
                    basis.setdefault("acceptance", {})[table] = str(accepted)
        return basis


def _check_one_run(
    location: Location, selection: Target, span: dg.PartitionKeyRange, tags: Mapping[str, str]
) -> None:
    """Raise `InvalidField` for a range over an asset of which Dagster does not make a range in one run.

    Dagster's own command refuses it too. The tags of a run are no question: such a run takes its range.
    """
    if (span.start, span.end) == tuple(map(tags.get, RANGE_TAGS)):
        return
    for key in location.select("*" if selection is None else selection):
        policy = location.graph.get(key).backfill_policy
        if policy is None or policy.max_partitions_per_run is not None:
            expected = (
                f"a range of assets with BackfillPolicy.single_run(), which {key.to_user_string()} has not; Dagster "
                "launches each of its partitions by itself: name them one by one"
            )
            shown = f"{span.start}...{span.end}"
            raise InvalidField(what="plan", path="partitions", value=shown, expected=expected)


def _recorded(
    asset: CurrentAsset, partitions: tuple[str, ...] | None
) -> Iterator[tuple[tuple[str, ...] | None, Replay]]:
    """Yield the partitions that were made together, with the replay of their last run."""
    tables = [asset.table(partition) for partition in partitions or (None,)]
    replays = recorded_replays(asset.store, asset.store.reader, tables)
    done: set[str] = set()
    for table, partition in zip(tables, partitions or (None,), strict=True):
        if table in done:
            continue
        replay = replays.get(table) or Replay()
        try:
            group = asset.group(partition, replay)
        except NotReplayable:
            group = None if partition is None else (partition,)
        done.update(asset.table(one) for one in group or (None,))
        yield group, replay


def _in_ranges(asset: CurrentAsset, partitions: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the partitions that one run makes: a range that was made together is kept where all of it is launched."""
    if asset.most_at_once == 1:
        yield from _one_by_one(partitions)
        return
    wanted = set(partitions)
    for group, _ in _recorded(asset, partitions):
        group = group or ()
        yield from (
            [group] if wanted.issuperset(group) else _one_by_one(tuple(one for one in group if one in wanted))
        )


def _one_by_one(partitions: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    return ((partition,) for partition in partitions)


def _replay(config: Any, partitions: tuple[str, ...] | None) -> Replay:
    """Return the replay of a step that makes these partitions together."""
    keys = partitions or ()
    return Replay(config=config, span=(keys[0], keys[-1]) if len(keys) > 1 else None)


def _code_of(asset: Any, replay: Replay) -> str | None:
    """Return the digest of an asset's code; None where it cannot be known."""
    try:
        return str(asset.recipe(replay).code.digest)
    except (Unknowable, NotReplayable):
        return None
