"""An asset as its definitions declare it, the same for a running step and for a code location at rest.

`DeclaredAsset` has one child for each of the two: they differ in where config, resources and partitions come from.
"""

from __future__ import annotations

import abc
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dagster as dg

from jammi_dagster.adapters.metadata_keys import ALLOW_MISSING, FINALIZED, IO_MANAGER_KEY
from jammi_dagster.contract import TableName
from jammi_dagster.errors import InvalidOutput


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """One declared dependency of an asset.

    Attributes:
        asset_key: the upstream asset.
        input_name: the parameter that gets it; None for a dependency within a multi-asset.
        partitions: the upstream partitions after mapping, in the order of their definition; None if it has no
            partitions.
        io_manager_key: the key of the IO manager that stores it.
        is_nothing: True if its output is declared as Nothing, so that it is no table.
        is_materializable: True if something in Dagster materializes it.
    """

    asset_key: dg.AssetKey
    input_name: str | None
    partitions: tuple[str, ...] | None
    io_manager_key: str | None
    is_nothing: bool
    is_materializable: bool

    @property
    def is_observable(self) -> bool:
        """True if its observations count: nothing in Dagster materializes it."""
        return not self.is_materializable

    @property
    def keys(self) -> tuple[str | None, ...]:
        """The partitions, or a single None for the whole asset."""
        return (None,) if self.partitions is None else self.partitions

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of its result tables, one per partition."""
        return tuple(str(TableName.of(self.asset_key.path, key)) for key in self.keys)


def function_of(assets_def: dg.AssetsDefinition) -> Callable[..., Any]:
    """Return the function of an asset that one op makes."""
    compute: Any = assets_def.op.compute_fn
    function: Callable[..., Any] = getattr(compute, "decorated_fn", compute)
    return function


def op_name(assets_def: dg.AssetsDefinition) -> str:
    """Return the name of an asset's op in run config."""
    return str(assets_def.node_def.name)


def most_at_once(assets_def: dg.AssetsDefinition) -> int | None:
    """Return the number of neighbouring partitions that one run makes at most; None for any number."""
    policy = assets_def.backfill_policy
    return 1 if policy is None else policy.max_partitions_per_run


def original(resources: Any, key: str) -> Any:
    """Return a resource as it was configured, which is also the value that Dagster gives to a parameter.

    As an attribute of `resources` stands the object that it attaches to a context, which may be another one.
    """
    return resources.original_resource_dict[key] if hasattr(resources, key) else getattr(resources, key)


class DeclaredAsset(abc.ABC):
    """One asset as its author declared it: function, dependencies, partitions, checks, config schema."""

    asset_key: dg.AssetKey
    instance: dg.DagsterInstance

    @property
    @abc.abstractmethod
    def assets_def(self) -> dg.AssetsDefinition:
        """The definition that makes the asset."""

    @abc.abstractmethod
    def node(self, key: dg.AssetKey) -> Any:
        """Return the node of any asset in Dagster's asset graph."""

    @abc.abstractmethod
    def upstream_partitions(self, key: dg.AssetKey, input_name: str | None) -> tuple[str, ...] | None:
        """Return the partitions of a dependency in the order of their definition; None if it has no partitions."""

    @abc.abstractmethod
    def resource(self, key: str) -> Any:
        """Return a resource that the function takes, as it was configured."""

    @property
    @abc.abstractmethod
    def op_config(self) -> Any:
        """Dagster's validated config, with defaults filled in and values coerced."""

    @property
    @abc.abstractmethod
    def raw_op_config(self) -> Any:
        """The config before its validation; None if it cannot be seen."""

    @property
    def has_mapped_config(self) -> bool:
        """True if a function of the job made the raw config, so that its values no longer show their origin."""
        return False

    @property
    def io_manager_key(self) -> str:
        """The key of the asset's own IO manager."""
        return str(self.assets_def.get_io_manager_key_for_asset_key(self.asset_key))

    @property
    def function(self) -> Callable[..., Any]:
        """The function of the asset's op. Raises `InvalidOutput` for an asset that a graph makes."""
        if not isinstance(self.assets_def.node_def, dg.OpDefinition):
            raise InvalidOutput(
                asset=self.asset_key.to_user_string(),
                why="a graph of ops makes it, so no single function defines it",
                way_out="store it with another IO manager, or make it with one function",
            )
        return function_of(self.assets_def)

    @property
    def author_code_version(self) -> str | None:
        """The code version that the asset's author gave, not the one from `finalize`."""
        spec = self.assets_def.specs_by_key[self.asset_key]
        return None if spec.metadata.get(FINALIZED) else spec.code_version

    @functools.cached_property
    def dependencies(self) -> tuple[Dependency, ...]:
        """The asset's declared dependencies, loaded or not, sorted by asset key."""
        definition = self.assets_def
        keys = sorted(definition.asset_deps.get(self.asset_key, ()))
        names = {key: name for name, key in definition.keys_by_input_name.items()}
        return tuple(self._dependency(key, names.get(key)) for key in keys)

    def window_of(self, partition: str | None) -> list[str] | None:
        """Return the time window of a partition as two RFC 3339 instants; None if its definition has no time.

        A function may see the window, and a partition's key does not tell its time zone or offset.
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

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The names of the dimensions of multi-partitions, which a function may see; a key does not tell them."""
        partitions_def = self.assets_def.partitions_def
        if not isinstance(partitions_def, dg.MultiPartitionsDefinition):
            return ()
        return tuple(dimension.name for dimension in partitions_def.partitions_defs)

    @property
    def check_names(self) -> list[str]:
        """The names of the asset's declared checks."""
        return [spec.name for spec in self.assets_def.check_specs]

    @property
    def op_config_field(self) -> Any:
        """The schema of the op's config, with its defaults."""
        return self.assets_def.op.config_schema

    def loader_of(self, dependency: Dependency) -> tuple[str | None, dict[str, Any]]:
        """Return the key of the manager that loads an input from another IO manager, and the metadata that it gets."""
        assert dependency.input_name is not None, "an input has a name"
        definition = self.assets_def.op.input_dict[dependency.input_name]
        told = {key: value for key, value in (definition.metadata or {}).items() if key != ALLOW_MISSING}
        return definition.input_manager_key or dependency.io_manager_key, told

    def may_miss(self, dependency: Dependency) -> bool:
        """Tell if the metadata of the input allows missing partitions, as Dagster's own IO managers read it."""
        definition = self.assets_def.op.input_dict.get(dependency.input_name or "")
        return bool(definition is not None and (definition.metadata or {}).get(ALLOW_MISSING))

    def _dependency(self, key: dg.AssetKey, input_name: str | None) -> Dependency:
        node = self.node(key)
        definition = node.assets_def
        manager, nothing = node.metadata.get(IO_MANAGER_KEY), False
        if definition.is_executable and definition.is_materializable:
            manager = definition.get_io_manager_key_for_asset_key(key)
            output = definition.get_output_name_for_asset_key(key)
            nothing = definition.node_def.output_dict[output].dagster_type.is_nothing
        return Dependency(
            asset_key=key,
            input_name=input_name,
            partitions=self.upstream_partitions(key, input_name),
            io_manager_key=manager,
            is_nothing=nothing,
            is_materializable=node.is_materializable,
        )


def in_order(partitions_def: Any, keys: list[str], instance: dg.DagsterInstance | None) -> list[str]:
    """Sort partition keys into the order of their definition; Dagster gives a range's keys in any order."""
    if len(keys) < 2:
        return keys
    order = partitions_def.get_partition_keys(dynamic_partitions_store=instance)
    place = {key: i for i, key in enumerate(order)}
    return sorted(keys, key=lambda key: (place.get(key, len(place)), key))


def is_result_table(io_manager_key: str, dependency: Dependency) -> bool:
    """Test if a dependency that is not loaded is a table of the asset's own store: it has the same IO manager."""
    return dependency.io_manager_key == io_manager_key and not dependency.is_nothing
