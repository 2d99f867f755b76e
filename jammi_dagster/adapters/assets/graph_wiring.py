"""The wiring of a graph of ops, all of it that is not their code; and the ops that make one of its assets.

Where a run may select a part of a graph's assets, an asset is made by the ops that reach its output. They end at a
sibling that the asset is declared to derive from, whose table is an input.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.declaration import (
    graph_output,
    inputs_of_ops,
    output_of,
    siblings_of,
    whole_graph,
)
from jammi_dagster.adapters.handoff.kinds import kind_of

Output = tuple[str, str]
"""An op's node below the graph, and its output."""

Sources = Mapping[str, Sequence[Output]]
"""The outputs that each input of a node gets its values from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Makers:
    """The nodes of the ops that make an asset and its checks.

    The asset is declared to derive from none of the assets that follow. `siblings` are those of the graph that these
    ops read, `left_out` the ones among them that the run does not make, `unnamed` inputs of the graph.
    """

    nodes: frozenset[str]
    siblings: frozenset[dg.AssetKey]
    left_out: tuple[str, ...]
    unnamed: tuple[str, ...]


@functools.lru_cache(maxsize=1_000)  # each table of a launch, and each look, asks for its asset's
def makers_of(assets_def: dg.AssetsDefinition, key: dg.AssetKey) -> Makers:
    """Return the ops that make an asset: a definition stays as it is."""
    graph = whole_graph(assets_def)
    feeds: dict[str, set[Output]] = defaultdict(set)
    for node, source in _feeds(graph, "", {}):
        feeds[node].add(source)
    assets = {
        (found.node, found.definition.name): one
        for name, one in assets_def.node_keys_by_output_name.items()
        for found in [output_of(graph, name)]
    }
    checks = assets_def.node_check_specs_by_output_name.items()
    rest = [output_of(graph, name).node for name, spec in checks if spec.asset_key == key]
    rest.append(graph_output(assets_def, key).node)
    derived = siblings_of(assets_def, key) | {key}
    nodes, passed = set(rest), set[dg.AssetKey]()
    while rest:
        for source in feeds[rest.pop()]:
            sibling = assets.get(source)
            if sibling in derived:
                continue
            if sibling is not None:
                passed.add(sibling)
            if source[0] not in nodes:
                nodes.add(source[0])
                rest.append(source[0])
    inputs = {
        given
        for name, given in assets_def.node_keys_by_input_name.items()
        if any(node in nodes for node, _ in inputs_of_ops(graph, name))
    }
    return Makers(
        nodes=frozenset(nodes),
        siblings=frozenset(passed),
        left_out=_shown(passed - assets_def.keys),
        unnamed=_shown(inputs - assets_def.asset_deps[key]),
    )


def _shown(keys: Iterable[dg.AssetKey]) -> tuple[str, ...]:
    return tuple(sorted(key.to_user_string() for key in keys))


def _feeds(graph: Any, prefix: str, given: Sources) -> Iterator[tuple[str, Output]]:
    """Yield each op's node below a graph with an output that it gets a value from; `given` are those of its inputs."""
    sources = {_name(node): inputs for node, inputs in graph.dependencies.items()}
    for node in graph.nodes:
        found: dict[str, list[Output]] = {
            name: [_output(graph, prefix, one) for one in dependency.get_node_dependencies()]
            for name, dependency in sources.get(node.name, {}).items()
        }
        for mapping in graph.input_mappings:
            if mapping.mapped_node_name == node.name:
                found.setdefault(mapping.mapped_node_input_name, []).extend(
                    given.get(mapping.graph_input_name, ())
                )
        below = f"{prefix}{node.name}"
        if isinstance(node.definition, dg.GraphDefinition):
            yield from _feeds(node.definition, f"{below}.", found)
        else:
            yield from ((below, source) for several in found.values() for source in several)


def _output(graph: Any, prefix: str, dependency: Any) -> Output:
    """Return the op's output that a dependency within a graph names."""
    node = graph.node_named(dependency.node)
    if not isinstance(node.definition, dg.GraphDefinition):
        return f"{prefix}{node.name}", str(dependency.output)
    found = output_of(node.definition, dependency.output)
    return f"{prefix}{node.name}.{found.node}", str(found.definition.name)


def _name(node: Any) -> Any:
    """Return the name of a node that a graph's dependencies spell as an invocation, or as a text."""
    return getattr(node, "alias", None) or getattr(node, "name", node)


def wiring_of(graph: Any, ops: Collection[str], prefix: str = "") -> dict[str, Any]:
    """Describe a graph for its identity, as far as these nodes of ops are concerned.

    Names of nodes count: a function may see them, and config is given by them.
    """
    nodes = {
        node.name: node.definition
        for node in graph.nodes
        if any(f"{op}.".startswith(f"{prefix}{node.name}.") for op in ops)
    }
    return {
        "nodes": {
            name: wiring_of(definition, ops, f"{prefix}{name}.")
            if isinstance(definition, dg.GraphDefinition)
            else _ports(definition)
            for name, definition in nodes.items()
        },
        "dependencies": {
            _name(node): {name: _source(one) for name, one in inputs.items()}
            for node, inputs in graph.dependencies.items()
            if _name(node) in nodes
        },
        "inputs": sorted(
            [m.graph_input_name, m.mapped_node_name, m.mapped_node_input_name, str(m.fan_in_index)]
            for m in graph.input_mappings
            if m.mapped_node_name in nodes
        ),
        "outputs": sorted(
            [m.graph_output_name, m.mapped_node_name, m.mapped_node_output_name]
            for m in graph.output_mappings
            if m.mapped_node_name in nodes
        ),
    }


def _ports(op: Any) -> dict[str, Any]:
    """Describe the inputs and outputs of an op."""
    return {
        "in": {
            name: {"kind": _kind(one.dagster_type), "manager": one.input_manager_key}
            for name, one in op.input_dict.items()
        },
        "out": {
            name: {
                "kind": _kind(one.dagster_type),
                "manager": one.io_manager_key,
                "dynamic": one.is_dynamic,
                "required": one.is_required,
            }
            for name, one in op.output_dict.items()
        },
    }


def _kind(dagster_type: Any) -> str:
    return "nothing" if dagster_type.is_nothing else str(kind_of(dagster_type.typing_type))


def _source(dependency: Any) -> Any:
    """Describe where an input's value comes from: one output, several, or all of a dynamic one."""
    if isinstance(dependency, dg.DependencyDefinition):
        return [dependency.node, dependency.output]
    if isinstance(dependency, dg.MultiDependencyDefinition):
        return {"fan_in": [_source(one) for one in dependency.dependencies]}
    if not hasattr(dependency, "get_node_dependencies"):
        return "mapped"  # an input of the graph, among those of a fan-in
    return {"collect": [_source(one) for one in dependency.get_node_dependencies()]}
