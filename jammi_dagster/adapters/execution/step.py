"""A running Dagster step, as the contract needs it: the one place that knows Dagster's execution contexts."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.data_versions import EventVersion, last_versions
from jammi_dagster.adapters.assets.declaration import (
    DeclaredAsset,
    Dependency,
    in_order,
    maps_config,
    original,
    raw_config_of,
    reuses_first,
)
from jammi_dagster.adapters.assets.run_tags import tags_of_launch
from jammi_dagster.adapters.recipe.pins import check_pins
from jammi_dagster.contract import TableName
from jammi_dagster.errors import InvalidOutput


def tags_of_step(context: Any) -> Mapping[str, str]:
    """Return the tags of a step's run, the pins of its run config among them: see `tags_of_launch`."""
    config = context.resolved_run_config.original_config_dict
    return tags_of_launch(context.dagster_run.tags, config, context.job_def.resource_defs)


class Step(DeclaredAsset):
    """A view of Dagster's step context for one asset that the step makes."""

    def __init__(self, context: Any, asset_key: dg.AssetKey, partitions: Sequence[str] | None) -> None:
        """Take a step execution context: `get_step_execution_context()` of the context that a body gets.

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
        self.tags: Mapping[str, str] = tags_of_step(context)

    @property
    def reuses_first(self) -> bool:
        """True if the executor of the run reuses whole steps before any of them runs."""
        return reuses_first(self._context.job_def)

    def check_pins(self) -> None:
        """Raise `InvalidField` for a pin of the run that is no input of its assets, or a table that the step makes."""
        graph = self._context.job_def.asset_layer.asset_graph
        check_pins(self.tags, graph, self.instance, self.tables)

    def resource(self, key: str) -> Any:
        """Return a resource of the step as it was configured; its IO managers are among them."""
        return original(self._context.resources, key)

    @functools.cached_property
    def assets_def(self) -> dg.AssetsDefinition:
        """The definition that the step runs."""
        found = self._context.job_def.asset_layer.get_assets_def_for_node(self._context.node_handle)
        assert isinstance(found, dg.AssetsDefinition), "a step that makes an asset has one"
        return found

    @property
    def node_name(self) -> str:
        """The name of the asset's node in the job: two assets that one op or graph makes have two."""
        return str(self._context.node_handle.path[0])

    @property
    def partition_keys(self) -> tuple[str | None, ...]:
        """The partitions that the step makes, or None for the whole."""
        return (None,) if self.partitions is None else self.partitions

    @functools.cached_property
    def tables(self) -> tuple[str, ...]:
        """The names of the result tables that the step makes, one per partition."""
        return tuple(str(TableName.of(self.asset_key.path, key)) for key in self.partition_keys)

    def added_metadata(self, partition: str | None) -> dict[str, Any]:
        """Return the metadata that the function gave its context: for the output, the asset, or this partition."""
        output = self.assets_def.get_output_name_for_asset_key(self.asset_key)
        return {
            **(self._context.get_output_metadata(output) or {}),
            **(self._context.get_asset_metadata(self.asset_key) or {}),
            **((partition and self._context.get_asset_metadata(self.asset_key, partition)) or {}),
        }

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
        return raw_config_of(self.assets_def, ops.get(self.node_name))

    @property
    def has_mapped_config(self) -> bool:
        return maps_config(self._context.job_def)

    def data_version_at_start(self, asset_key: dg.AssetKey) -> str | None:
        """Return the data version of the asset's last event when the step started."""
        info = self._at_start(asset_key)
        return None if info is None or info.data_version is None else info.data_version.value

    def data_versions(self, dependency: Dependency) -> list[EventVersion | None]:
        """Return the dependency's last event now, one per partition or one for the whole; None where there is none."""
        key = dependency.asset_key
        found = last_versions(
            self.instance, key, dependency.partitions, observable=dependency.is_observable, dbt=dependency.dbt
        )
        return [
            version
            and replace(version, after_start=self._is_after_start(key, version.storage_id, version.run_id))
            for version in map(found.get, dependency.keys)
        ]

    def made_since_start(self, dependency: Dependency) -> frozenset[str | None]:
        """Return the dependency's partitions, or None for the whole, that were materialized after the step began."""
        key, kind = dependency.asset_key, dg.DagsterEventType.ASSET_MATERIALIZATION
        last: dict[str | None, int] = {}
        if dependency.partitions is None:
            for record in self.instance.fetch_materializations(key, limit=1).records:
                last[None] = record.storage_id
        else:
            wanted = set(dependency.partitions)
            last.update(self.instance.get_latest_storage_id_by_partition(key, kind, partitions=wanted))
        return frozenset(made for made, storage_id in last.items() if self._is_after_start(key, storage_id))

    def _is_after_start(self, key: dg.AssetKey, storage_id: int, run_id: str = "") -> bool:
        at_start = self._at_start(key)
        return at_start is None or storage_id > at_start.storage_id

    def _at_start(self, asset_key: dg.AssetKey) -> Any:
        """Return the asset's last event of any partition when the step started, before inputs were loaded."""
        records = self._context.input_asset_records
        return None if records is None else records.get(asset_key)

    def node(self, key: dg.AssetKey) -> Any:
        """Return the node of any asset in Dagster's asset graph."""
        return self._context.job_def.asset_layer.asset_graph.get(key)

    def declared_node(self, key: dg.AssetKey) -> Any:
        return self._context.job_def.asset_layer.asset_graph.source_asset_graph.get(key)

    def upstream_partitions(self, key: dg.AssetKey, input_name: str | None) -> tuple[str, ...] | None:
        """Return the partitions of a dependency; within a multi-asset, the partitions that the step makes."""
        if input_name is None:
            return self.partitions
        if not self._context.has_asset_partitions_for_input(input_name):
            return None
        keys = list(self._context.asset_partitions_subset_for_input(input_name).get_partition_keys())
        return tuple(in_order(self.node(key).partitions_def, keys, self.instance))
