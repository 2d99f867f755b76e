"""A running Dagster step, as the contract needs it: the one place that knows Dagster's execution contexts."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from jammi_dagster.adapters.keys import (
    ALLOW_MISSING,
    DATA_VERSION_TAG,
    FINALIZED,
    IO_MANAGER_KEY,
    MATERIALIZATION,
    USER_PROVIDED_TAG,
)
from jammi_dagster.contract import TableName
from jammi_dagster.errors import InvalidOutput

_MOST_EVENTS = 500  # in one query: SQLite takes a limited number of parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """One declared dependency of the step's asset.

    `input_name` is None for a dependency within a multi-asset. `partitions` are the upstream partitions after
    mapping, in the order of their definition; None where the upstream has none. `is_nothing`: its own output is
    declared to be nothing, so it is no table.
    """

    asset_key: dg.AssetKey
    input_name: str | None
    partitions: tuple[str, ...] | None
    io_manager_key: str | None
    is_nothing: bool
    is_materializable: bool

    @property
    def keys(self) -> tuple[str | None, ...]:
        """The partitions, or None for the whole."""
        return (None,) if self.partitions is None else self.partitions

    @property
    def tables(self) -> tuple[str, ...]:
        """The names that its result tables have, one per partition."""
        return tuple(str(TableName.of(self.asset_key.path, key)) for key in self.keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventVersion:
    """The last event of an asset or partition: its place in the event log, and the data version given to it.

    `supplied` is None where nobody gave one; `after_start`: the event came after the step had started.
    """

    storage_id: int
    supplied: str | None
    after_start: bool


def function_of(assets_def: dg.AssetsDefinition) -> Callable[..., Any]:
    """The function behind an asset that one op makes."""
    compute: Any = assets_def.op.compute_fn
    function: Callable[..., Any] = getattr(compute, "decorated_fn", compute)
    return function


class Step:
    """A view of Dagster's step context for one asset that the step makes."""

    def __init__(self, context: Any, asset_key: dg.AssetKey, partitions: Sequence[str] | None) -> None:
        """`context` is a step execution context: `get_step_execution_context()` of the one that a body gets.

        `partitions` are those that the step makes, in the order of their definition; None for an asset without.
        Raises `InvalidOutput` where there are none: Dagster takes a range whose end is before its start.
        """
        if partitions is not None and not partitions:
            raise InvalidOutput(
                asset=asset_key.to_user_string(),
                why="the range of the run holds none of its partitions",
                way_out="launch it from the first partition to the last, in the order of the partitions definition",
            )
        self._context = context
        self.asset_key = asset_key
        self.partitions = None if partitions is None else tuple(str(key) for key in partitions)
        self.instance: dg.DagsterInstance = context.instance
        self.log = context.log
        self.run_id: str = context.run_id
        self.step_key: str = context.step.key
        self.tags: Mapping[str, str] = context.dagster_run.tags

    @property
    def resources(self) -> Any:
        """The step's resources, by key as attributes."""
        return self._context.resources

    @functools.cached_property
    def assets_def(self) -> dg.AssetsDefinition:
        """The definition that the step runs."""
        found = self._context.job_def.asset_layer.get_assets_def_for_node(self._context.node_handle)
        assert isinstance(found, dg.AssetsDefinition), "a step that makes an asset has one"
        return found

    @property
    def io_manager_key(self) -> str:
        """The key of the asset's own IO manager."""
        return self.assets_def.get_io_manager_key_for_asset_key(self.asset_key)

    @property
    def function(self) -> Callable[..., Any]:
        """The function that the asset's op calls. Raises `InvalidOutput` for an asset that a graph makes."""
        if not isinstance(self.assets_def.node_def, dg.OpDefinition):
            raise InvalidOutput(
                asset=self.asset_key.to_user_string(),
                why="a graph of ops makes it, so that no one function is its definition",
                way_out="store it with another IO manager, or make it with one function",
            )
        return function_of(self.assets_def)

    @property
    def author_code_version(self) -> str | None:
        """The code version that the asset's author gave; not the one that `finalize` put there."""
        spec = self.assets_def.specs_by_key[self.asset_key]
        return None if spec.metadata.get(FINALIZED) else spec.code_version

    @functools.cached_property
    def tables(self) -> tuple[str, ...]:
        """The names of the result tables that the step makes, one per partition."""
        keys: Sequence[str | None] = (None,) if self.partitions is None else self.partitions
        return tuple(str(TableName.of(self.asset_key.path, key)) for key in keys)

    @functools.cached_property
    def dependencies(self) -> tuple[Dependency, ...]:
        """The asset's declared dependencies, loaded or not, sorted by asset key."""
        definition = self.assets_def
        keys = sorted(definition.asset_deps.get(self.asset_key, ()))
        names = {key: name for name, key in definition.keys_by_input_name.items()}
        return tuple(self._dependency(key, names.get(key)) for key in keys)

    def window_of(self, partition: str | None) -> list[str] | None:
        """The time window of a partition, as two RFC 3339 instants; None where its definition has no time.

        A function may see it, and a partition's key does not tell its time zone or offset.
        """
        partitions_def: Any = self.assets_def.partitions_def
        if partition is None or not hasattr(partitions_def, "time_window_for_partition_key"):
            return None
        if isinstance(partitions_def, dg.MultiPartitionsDefinition) and not any(
            isinstance(d.partitions_def, dg.TimeWindowPartitionsDefinition)
            for d in partitions_def.partitions_defs
        ):
            return None
        window = partitions_def.time_window_for_partition_key(partition)
        return [window.start.isoformat(), window.end.isoformat()]

    def added_metadata(self, partition: str | None) -> dict[str, Any]:
        """What the function told its context of the output, or of the asset and this partition of it."""
        output = self.assets_def.get_output_name_for_asset_key(self.asset_key)
        return {
            **(self._context.get_output_metadata(output) or {}),
            **(self._context.get_asset_metadata(self.asset_key) or {}),
            **((partition and self._context.get_asset_metadata(self.asset_key, partition)) or {}),
        }

    @property
    def check_names(self) -> list[str]:
        """The names of the asset's declared checks."""
        return [spec.name for spec in self.assets_def.check_specs]

    @property
    def op_config(self) -> Any:
        """Dagster's validated config: defaults filled in, values coerced."""
        return self._context.op_config

    @property
    def raw_op_config(self) -> Any:
        """The config before it was validated, with the defaults of the job; None where there is none to be seen."""
        if self.has_mapped_config:
            return None
        ops = self._context.resolved_run_config.original_config_dict.get("ops") or {}
        return (ops.get(self._context.node_handle.name) or {}).get("config")

    @property
    def has_mapped_config(self) -> bool:
        """Whether a function of the job made the raw config, of values that no longer show where they came from."""
        mapping = self._context.job_def.config_mapping
        return mapping is not None and mapping.receive_processed_config_values is not False

    @property
    def op_config_field(self) -> Any:
        """The schema of the op's config, with its defaults."""
        return self._context.op_def.config_schema

    def data_version_at_start(self, asset_key: dg.AssetKey) -> str | None:
        """The asset's data version when the step started, of its last event."""
        info = self._at_start(asset_key)
        return None if info is None or info.data_version is None else info.data_version.value

    def data_versions(self, dependency: Dependency) -> list[EventVersion | None]:
        """What Dagster knows of the dependency now: one per partition, or one; None where it has no event."""
        found: dict[str | None, EventVersion] = {}
        for record in self._last_events(dependency):
            partition = None if dependency.partitions is None else record.partition_key
            version = self._version(dependency.asset_key, record)
            if partition not in found or found[partition].storage_id < version.storage_id:
                found[partition] = version
        return [found.get(key) for key in dependency.keys]

    def made_since_start(self, dependency: Dependency) -> frozenset[str | None]:
        """The partitions of the dependency, or None for the whole, that were materialized after the step began."""
        key, kind = dependency.asset_key, dg.DagsterEventType.ASSET_MATERIALIZATION
        last: dict[str | None, int] = {}
        if dependency.partitions is None:
            for record in self.instance.fetch_materializations(key, limit=1).records:
                last[None] = record.storage_id
        else:
            wanted = set(dependency.partitions)
            last.update(self.instance.get_latest_storage_id_by_partition(key, kind, partitions=wanted))
        return frozenset(made for made, storage_id in last.items() if self._is_after_start(key, storage_id))

    def last_stored_nothing(self, asset_key: dg.AssetKey) -> bool:
        """Whether the asset's last materialization, if it has one, put no result table into any store."""
        events = (
            record.event_log_entry.asset_materialization
            for record in self.instance.fetch_materializations(asset_key, limit=1).records
        )
        return any(event is not None and MATERIALIZATION not in event.metadata for event in events)

    def _last_events(self, dependency: Dependency) -> Iterator[Any]:
        """The last materialization, and for an external asset the last observation, of each partition or of all."""
        key, wanted = dependency.asset_key, dependency.partitions
        kinds = {dg.DagsterEventType.ASSET_MATERIALIZATION: self.instance.fetch_materializations}
        if not dependency.is_materializable:
            kinds[dg.DagsterEventType.ASSET_OBSERVATION] = self.instance.fetch_observations
        for kind, fetch in kinds.items():
            if wanted is None:
                yield from fetch(key, limit=1).records
                continue
            latest = self.instance.get_latest_storage_id_by_partition(key, kind, partitions=set(wanted))
            ids = sorted(latest.values())
            for start in range(0, len(ids), _MOST_EVENTS):
                chunk = ids[start : start + _MOST_EVENTS]
                only = dg.AssetRecordsFilter(asset_key=key, storage_ids=chunk)
                yield from fetch(only, limit=len(chunk)).records

    def _version(self, key: dg.AssetKey, record: Any) -> EventVersion:
        """A data version counts unless Dagster made it up from code and inputs: its own is no identity."""
        entry = record.event_log_entry
        tags = (entry.asset_observation or entry.asset_materialization).tags or {}
        supplied = entry.asset_observation or not record.run_id or tags.get(USER_PROVIDED_TAG) == "true"
        return EventVersion(
            storage_id=record.storage_id,
            supplied=tags.get(DATA_VERSION_TAG) if supplied else None,
            after_start=self._is_after_start(key, record.storage_id),
        )

    def _is_after_start(self, key: dg.AssetKey, storage_id: int) -> bool:
        at_start = self._at_start(key)
        return at_start is None or storage_id > at_start.storage_id

    def _at_start(self, asset_key: dg.AssetKey) -> Any:
        """The asset's last event of any partition when the step started, before inputs were loaded."""
        records = self._context.input_asset_records
        return None if records is None else records.get(asset_key)

    def partitions_of_input(self, input_name: str) -> tuple[str, ...] | None:
        """The upstream partitions of an input after mapping; None where the upstream has none."""
        if not self._context.has_asset_partitions_for_input(input_name):
            return None
        key = self.assets_def.keys_by_input_name[input_name]
        keys = list(self._context.asset_partitions_subset_for_input(input_name).get_partition_keys())
        return tuple(in_order(self._node(key).partitions_def, keys, self.instance))

    def loader_of(self, dependency: Dependency) -> tuple[str | None, dict[str, Any]]:
        """What loads an input that is no result table of ours: its manager's key, and the metadata it is told."""
        definition = self._context.op_def.input_dict[dependency.input_name]
        told = {key: value for key, value in (definition.metadata or {}).items() if key != ALLOW_MISSING}
        return definition.input_manager_key or dependency.io_manager_key, told

    def _dependency(self, key: dg.AssetKey, input_name: str | None) -> Dependency:
        node = self._node(key)
        definition = node.assets_def
        manager, nothing = node.metadata.get(IO_MANAGER_KEY), False
        if definition.is_executable and definition.is_materializable:
            manager = definition.get_io_manager_key_for_asset_key(key)
            output = definition.get_output_name_for_asset_key(key)
            nothing = definition.node_def.output_dict[output].dagster_type.is_nothing
        return Dependency(
            asset_key=key,
            input_name=input_name,
            partitions=self.partitions if input_name is None else self.partitions_of_input(input_name),
            io_manager_key=manager,
            is_nothing=nothing,
            is_materializable=node.is_materializable,
        )

    def _node(self, key: dg.AssetKey) -> Any:
        return self._context.job_def.asset_layer.asset_graph.get(key)


def in_order(partitions_def: Any, keys: list[str], instance: dg.DagsterInstance) -> list[str]:
    """Partition keys in the order of their definition: Dagster gives those of a range as they come."""
    if len(keys) < 2:
        return keys
    order = partitions_def.get_partition_keys(dynamic_partitions_store=instance)
    place = {key: i for i, key in enumerate(order)}
    return sorted(keys, key=lambda key: (place.get(key, len(place)), key))
