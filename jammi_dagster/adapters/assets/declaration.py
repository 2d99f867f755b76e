"""An asset as its definitions declare it, the same for a running step and for a code location at rest.

`DeclaredAsset` has one child for each of the two: they differ in where config, resources and partitions come from.
"""

from __future__ import annotations

import abc
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.dbt_models import DbtModel
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
        is_sibling: True if the same function makes it, partition for partition, and no parameter gets it.
        annotation: the annotation of the value that its function returns; Any where none is known.
        dbt: the model of dbt that it is; None for any other asset.
    """

    asset_key: dg.AssetKey
    input_name: str | None
    partitions: tuple[str, ...] | None
    io_manager_key: str | None
    is_nothing: bool
    is_materializable: bool
    is_sibling: bool = False
    annotation: Any = Any
    dbt: DbtModel | None = None

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


def declared_annotation(node: Any) -> Any:
    """Return the annotation of the value that makes an asset, from its node in the graph of all assets; else Any."""
    definition = node.assets_def
    if not (definition.is_executable and definition.is_materializable):
        return Any
    output = definition.get_output_name_for_asset_key(node.key)
    declared = definition.node_def.output_dict[output].dagster_type
    return Any if declared.is_nothing else declared.typing_type


def function_of(assets_def: dg.AssetsDefinition) -> Callable[..., Any]:
    """Return the function of an asset that one op makes."""
    return op_function(assets_def.op)


def op_function(op: Any) -> Callable[..., Any]:
    """Return the function that the author of an op wrote."""
    function: Callable[..., Any] = getattr(op.compute_fn, "decorated_fn", op.compute_fn)
    return function


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphOutput:
    """The op within a graph that gives an asset's value: its node below the graph, and its output."""

    node: str
    op: Any
    definition: Any


def is_graph(assets_def: dg.AssetsDefinition) -> bool:
    """Tell whether a graph of ops makes the asset."""
    return assets_def.is_executable and isinstance(assets_def.node_def, dg.GraphDefinition)


def graph_around(job_def: Any, handle: Any) -> dg.AssetsDefinition | None:
    """Return the asset whose graph of ops holds a node of a job; None for a node in no such graph."""
    while handle.parent is not None:
        handle = handle.parent
    found: dg.AssetsDefinition | None = job_def.asset_layer.get_assets_def_for_node(handle)
    return found if found is not None and is_graph(found) else None


def reuses_first(job_def: Any) -> bool:
    """Tell whether the executor of a job reuses whole steps before any of them runs."""
    return bool(getattr(job_def.executor_def.executor_creation_fn, "reuses_first", False))


def maps_config(job_def: Any) -> bool:
    """Tell whether a function of a job makes the raw config of its ops: values no longer show where they came from."""
    mapping = job_def.config_mapping
    return mapping is not None and mapping.receive_processed_config_values is not False


def whole_graph(assets_def: dg.AssetsDefinition) -> Any:
    """Return the graph of an asset with all its ops, also in a run that selects a part of the graph's assets."""
    graph: Any = assets_def.node_def
    while (whole := getattr(graph, "parent_graph_def", None)) is not None:
        graph = whole
    return graph


def graph_output(assets_def: dg.AssetsDefinition, key: dg.AssetKey) -> GraphOutput:
    """Return the op within a graph that gives an asset's value."""
    return output_of(whole_graph(assets_def), assets_def.get_output_name_for_asset_key(key))


def output_of(graph: Any, name: str) -> GraphOutput:
    """Return the op within a graph that gives the value of one of the graph's outputs."""
    node = ""
    while isinstance(graph, dg.GraphDefinition):
        mapping: Any = graph.get_output_mapping(name)
        name, node = mapping.mapped_node_output_name, f"{node}.{mapping.mapped_node_name}"
        graph = graph.node_named(mapping.mapped_node_name).definition
    return GraphOutput(node=node[1:], op=graph, definition=graph.output_dict[name])


def inputs_of_ops(node_def: Any, name: str, node: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the definitions of the ops' inputs that an input of a graph goes to, by node; of an op, its own."""
    if not isinstance(node_def, dg.GraphDefinition):
        if name in node_def.input_dict:
            yield node, node_def.input_dict[name]
        return
    for mapping in node_def.input_mappings:
        if mapping.graph_input_name == name:
            below = f"{node}.{mapping.mapped_node_name}" if node else mapping.mapped_node_name
            definition = node_def.node_named(mapping.mapped_node_name).definition
            yield from inputs_of_ops(definition, mapping.mapped_node_input_name, below)


def author_version(assets_def: dg.AssetsDefinition, key: dg.AssetKey) -> str | None:
    """Return the code version that an asset's author gave, not the one from `finalize`.

    To an asset of a graph without one Dagster gives that of its last op, which stands for the code of this op alone.
    """
    spec = assets_def.specs_by_key[key]
    if spec.metadata.get(FINALIZED):
        return None
    if is_graph(assets_def) and spec.code_version == graph_output(assets_def, key).definition.code_version:
        return None
    return spec.code_version


def raw_config_of(assets_def: dg.AssetsDefinition, entry: Mapping[str, Any] | None) -> Any:
    """Return the raw config in the entry that run config has for an asset: of a graph without a mapping, all of it."""
    if takes_entry(assets_def):
        return {name: entry[name] for name in ("inputs", "ops") if entry and entry.get(name)} or None
    return (entry or {}).get("config")


def entry_of(raw: Any, *, is_whole: bool) -> dict[str, Any]:
    """Return the entry of run config that gives an asset a raw config; `is_whole` is its `takes_entry`."""
    return dict(raw) if is_whole and isinstance(raw, Mapping) else {"config": raw}


def takes_entry(assets_def: dg.AssetsDefinition) -> bool:
    """Tell whether config of an asset is that of the ops in its graph, with no config of its own."""
    graph: Any = assets_def.node_def
    return is_graph(assets_def) and graph.config_mapping is None


INPUTS = " (inputs)"
"""The end of the name under which `ops_config` has values for inputs of an op."""


def ops_config(ops: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """Return the validated config of the ops below the node of a graph, by the names of their nodes below it.

    `ops` is that of a whole run, as Dagster resolves it. Config of inputs that nothing is connected to is an op's, too.
    """
    found: dict[str, Any] = {}
    for path, one in ops.items():
        if path.startswith(f"{name}."):
            node = path.removeprefix(f"{name}.")
            entry = one if isinstance(one, Mapping) else {"config": one.config, "inputs": one.inputs}
            found |= {node: entry["config"]} if entry.get("config") is not None else {}
            found |= {f"{node}{INPUTS}": entry["inputs"]} if entry.get("inputs") else {}
    return found or None


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

    def declared_node(self, key: dg.AssetKey) -> Any:
        """Return the same node as its definitions have it: a run of some assets knows the others by name alone."""
        return self.node(key)

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
        return author_version(self.assets_def, self.asset_key)

    @functools.cached_property
    def dependencies(self) -> tuple[Dependency, ...]:
        """The asset's declared dependencies, loaded or not, sorted by asset key."""
        definition = self.assets_def
        keys = sorted(definition.asset_deps.get(self.asset_key, ()))
        names = {key: name for name, key in definition.keys_by_input_name.items()}
        siblings = siblings_of(definition, self.asset_key)
        return tuple(
            self._dependency(key, None if key in siblings else names.get(key), is_sibling=key in siblings)
            for key in keys
        )

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
        """The names of the asset's checks: the declared ones, as far as a step selects them."""
        return [spec.name for spec in self.assets_def.check_specs if spec.asset_key == self.asset_key]

    @property
    def declared_check_names(self) -> list[str]:
        """The names of the asset's declared checks, also where a step selects a part of them."""
        declared = self.assets_def.node_check_specs_by_output_name.values()
        return [spec.name for spec in declared if spec.asset_key == self.asset_key]

    @property
    def op_config_field(self) -> Any:
        """The schema of the op's config, with its defaults."""
        return self.assets_def.op.config_schema

    def loader_of(self, dependency: Dependency) -> tuple[str | None, dict[str, Any]]:
        """Return the key of the manager that loads an input from another IO manager, and the metadata that it gets."""
        assert dependency.input_name is not None, "an input has a name"
        _, definition = next(inputs_of_ops(self.assets_def.node_def, dependency.input_name))
        told = {key: value for key, value in (definition.metadata or {}).items() if key != ALLOW_MISSING}
        return definition.input_manager_key or dependency.io_manager_key, told

    def may_miss(self, dependency: Dependency) -> bool:
        """Tell if the metadata of the input allows missing partitions, as Dagster's own IO managers read it."""
        found = inputs_of_ops(self.assets_def.node_def, dependency.input_name or "")
        return any((definition.metadata or {}).get(ALLOW_MISSING) for _, definition in found)

    def _dependency(self, key: dg.AssetKey, input_name: str | None, *, is_sibling: bool) -> Dependency:
        node = self.node(key)
        definition = node.assets_def
        manager, nothing = node.metadata.get(IO_MANAGER_KEY), False
        if definition.is_executable:  # also one that a job only observes: another job has it as metadata
            manager = definition.get_io_manager_key_for_asset_key(key)
        if definition.is_executable and definition.is_materializable:
            output = definition.get_output_name_for_asset_key(key)
            nothing = definition.node_def.output_dict[output].dagster_type.is_nothing
        return Dependency(
            asset_key=key,
            input_name=input_name,
            partitions=self.upstream_partitions(key, input_name),
            io_manager_key=manager,
            is_nothing=nothing,
            is_materializable=node.is_materializable,
            is_sibling=is_sibling,
            annotation=declared_annotation(self.declared_node(key)),
            dbt=DbtModel.of(node, self.declared_node),
        )


def siblings_of(assets_def: dg.AssetsDefinition, key: dg.AssetKey) -> set[dg.AssetKey]:
    """Return the assets that one derives from, and that the same function makes together with it.

    Not among them are other partitions of an asset, and an asset that a parameter of the function gets.
    """
    family = set(assets_def.node_keys_by_output_name.values()) - {key}
    inputs = assets_def.op.input_dict if isinstance(assets_def.node_def, dg.OpDefinition) else {}
    given = {
        asset
        for name, asset in assets_def.node_keys_by_input_name.items()
        if name in inputs and not inputs[name].dagster_type.is_nothing
    }
    return {
        dep.asset_key
        for dep in assets_def.specs_by_key[key].deps
        if dep.asset_key in family - given and dep.partition_mapping is None
    }


def has_upstream(assets_def: dg.AssetsDefinition, key: dg.AssetKey) -> bool:
    """Tell whether an asset derives from one that its function does not make, if by way of siblings."""
    seen, rest = {key}, [key]
    while rest:
        one = rest.pop()
        above = set(assets_def.asset_deps[one])
        siblings = siblings_of(assets_def, one)
        if above - siblings - {one}:
            return True
        rest += siblings - seen
        seen |= siblings
    return False


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
