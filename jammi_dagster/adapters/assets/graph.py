"""The declaration of an asset that a graph of ops makes: its ops, the wiring between them, and the code of both.

Each op is identified as the function of an asset is. The wiring is everything else by which the graph tells what runs
on what: nodes, dependencies, fan-ins, dynamic outputs, nested graphs, kinds of value and IO managers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.declaration import (
    DeclaredAsset,
    author_version,
    graph_output,
    inputs_of_ops,
    is_graph,
    op_function,
    whole_graph,
)
from jammi_dagster.adapters.assets.formats import declared_format
from jammi_dagster.adapters.assets.graph_wiring import makers_of, wiring_of
from jammi_dagster.adapters.assets.signature import FunctionShape, shape_of
from jammi_dagster.adapters.assets.spec import TableSpec, plain_spec
from jammi_dagster.adapters.metadata_keys import READS
from jammi_dagster.contract import canonical_json
from jammi_dagster.errors import InvalidField
from jammi_dagster.fingerprint import CodeIdentity, OutsideRead, identify, is_of_the_run, joined, with_labels

_NOTHING_ELSE = f"metadata={{{READS!r}: []}} on the asset, where its graph reads nothing else"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpPart(TableSpec):
    """A function of a graph: that of an op, under all nodes that run it, or of a config mapping.

    `defaults` are the values of inputs that nothing is connected to.
    """

    label: str
    nodes: tuple[str, ...] = ()
    has_input: bool = True
    config_field: Any = None
    defaults: tuple[Any, ...] = ()

    def code(self) -> CodeIdentity:
        """Identify the code as it is in this process."""
        return self.code_after({})

    def code_after(self, changed: Mapping[tuple[str, str], str]) -> CodeIdentity:
        """Identify the code, beside other functions of the graph that change these names."""
        return identify(
            self.function, code_version=self.code_version, depends_on=self.defaults, changed=changed
        )

    def context_reasons(self, config_resources: Collection[str], way_out: str) -> list[str]:
        """List the uses of the context that may read anything but the run."""
        known = {f"{self.shape.context}.resources.{key}" for key in config_resources}
        uses = (use for use in self._context_uses() if not is_of_the_run(use) and use not in known)
        return [f"{use}: {way_out}" for use in uses]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphSpec(TableSpec):
    """The declaration of one asset of a graph: all functions of the graph, and its wiring.

    `function` is that of the op that gives the asset's value. `mapped` are the prefixes of the nodes whose config a
    config mapping makes. `beside` are the functions of other ops, which make other assets of the graph;
    `undeclared_inputs` the reasons why ops of `parts` read a table that is no declared input.
    """

    parts: tuple[OpPart, ...]
    wiring: str
    mapped: tuple[str, ...] = ()
    beside: tuple[OpPart, ...] = ()
    undeclared_inputs: tuple[str, ...] = ()

    def code(self) -> CodeIdentity:
        """Identify the code of all functions as it is in this process."""
        if self.code_version is not None:
            return identify(self.function, code_version=self.code_version)
        found = {part.label: part.code() for part in self.parts}
        every = [*found.items(), *((part.label, part.code()) for part in self.beside)]
        changes = {label: code.changes for label, code in every if code.changes}
        for part in self.parts if changes else ():
            changed = {
                name: label
                for label, names in changes.items()
                if label != part.label or self._repeats(part)
                for name in names
            }
            found[part.label] = part.code_after(changed)
        return joined(list(found.items()), self.wiring)

    def _repeats(self, part: OpPart) -> bool:
        """Tell whether several steps may run a part."""
        return len(part.nodes) > 1 or '"dynamic":true' in self.wiring

    def part_of(self, node: str) -> OpPart | None:
        """Return the part that an op's node runs."""
        return next((part for part in self.parts if node in part.nodes), None)

    def is_beside(self, node: str) -> bool:
        """Tell whether an op's node makes only other assets of the graph."""
        return any(node in part.nodes for part in self.beside)

    def disk_state(self) -> str:
        """Digest everything besides loaded code that the identity takes from disk; empty under a code version."""
        every = (*self.parts, *self.beside)
        return "" if self.code_version is not None else " ".join(part.disk_state() for part in every)

    def outdated(self, code: CodeIdentity, *, has_edits: bool) -> tuple[str, ...]:
        """List the places where the running code of any part differs from its file."""
        if self.code_version is not None and not has_edits:
            return code.outdated
        found = (place for part in self.parts for place in part.outdated(part.code(), has_edits=has_edits))
        return tuple(dict.fromkeys(found))

    def members_of(self, resource: str) -> frozenset[str] | None:
        """Return the members that all parts use of a resource; None where that is not known of one."""
        found: frozenset[str] = frozenset()
        for part in self.parts:
            if resource in part.resource_keys:
                members = part.members_of(resource)
                if members is None:
                    return None
                found |= members
        return found

    def undeclared_reads(
        self, code: CodeIdentity, *, has_upstream: bool, config_resources: Collection[str] = ()
    ) -> list[str]:
        """List the reasons why an op may read an undeclared input. One without inputs may, whatever the graph has."""
        reasons = [*self.undeclared_by_code(code), *self.undeclared_inputs]
        if self.reads is not None:
            return reasons
        by_part: dict[str, list[str]] = {}
        for part in self.parts:
            found = part.context_reasons(config_resources, _NOTHING_ELSE)
            if others := [key for key in part.resource_keys if key not in config_resources]:
                found.append(f"it takes resources ({', '.join(others)}): {_NOTHING_ELSE}")
            if not part.has_input:
                found.append(f"it has no input: {_NOTHING_ELSE}")
            by_part[part.label] = found
        return reasons + with_labels(_pairs(by_part))

    def undeclared_by_code(self, code: CodeIdentity) -> list[str]:
        """List the reasons in the code of the parts, and of the classes of their objects."""
        if self.code_version is not None:
            return []
        codes = {part.label: part.code() for part in self.parts}
        of_parts = {read for one in codes.values() for read in one.outside}
        rest = [self._undeclared_read(read) for read in code.outside if read not in of_parts]
        by_part = {
            part.label: [
                *(self._undeclared_read(read) for read in codes[part.label].outside),
                *(
                    f"{use} tells about the run, and no read stands for it: pass it as config, or {_VERSION}"
                    for use in part._context_uses()
                    if is_of_the_run(use) and part.code_version is None
                ),
            ]
            for part in self.parts
        }
        return [*rest, *with_labels(_pairs(by_part))]

    def _undeclared_read(self, read: OutsideRead) -> str:
        place = f"{read.what} ({read.where})"
        if read.is_declarable:
            return f"{place} reads an undeclared input: make it an upstream asset, or {_VERSION}"
        return f"{place} changes from run to run: pass the value in, or {_VERSION}"


_VERSION = "set code_version= on the op"
_LEFT_OUT = (
    "an op reads {name}, which the run does not make: select it too, or name it in internal_asset_deps= of "
    "AssetsDefinition.from_graph"
)
_UNNAMED = "an op reads {name}, which internal_asset_deps= does not name for {key}: name it there"


def _pairs(by_part: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    return ((label, reason) for label, reasons in by_part.items() for reason in reasons)


def graph_spec(assets_def: dg.AssetsDefinition, key: dg.AssetKey, *, is_stored: bool = True) -> GraphSpec:
    """Build the declaration of an asset that a graph makes. `is_stored`: the store keeps what it returns.

    Raises `UnsupportedArgument` for an op whose function is not written in Python, or whose output cannot be stored,
    and `InvalidField` for metadata that declares other reads than none.
    """
    graph = whole_graph(assets_def)
    output, makers = graph_output(assets_def, key), makers_of(assets_def, key)
    every = frozenset(name for name, _ in ops_of(graph))
    nodes = makers.nodes if assets_def.can_subset else every
    parts = parts_of(graph, nodes)
    annotation = output.definition.dagster_type.typing_type
    shown = key.to_user_string()
    return GraphSpec(
        function=op_function(output.op),
        shape=_shape(graph, nodes, annotation),
        resource_keys=tuple(sorted({name for part in parts for name in part.resource_keys})),
        code_version=author_version(assets_def, key),
        format=declared_format(f"{shown} (op {output.node})", annotation, None) if is_stored else None,
        reads=_reads(assets_def, key),
        is_plain=True,
        parts=parts,
        wiring=canonical_json(wiring_of(graph, nodes), name="wiring").decode(),
        mapped=tuple(prefix for prefix, one in _graphs(graph) if one.config_mapping is not None),
        beside=parts_of(graph, every - nodes),
        undeclared_inputs=(
            *(_LEFT_OUT.format(name=name) for name in makers.left_out),
            *(_UNNAMED.format(name=name, key=key.to_user_string()) for name in makers.unnamed),
        ),
    )


def undecorated_spec(asset: DeclaredAsset) -> TableSpec:
    """Build the declaration of an asset of Dagster's own: of a graph, or of a plain function."""
    return graph_spec(asset.assets_def, asset.asset_key) if is_graph(asset.assets_def) else plain_spec(asset)


def _shape(graph: Any, nodes: Collection[str], output: Any) -> FunctionShape:
    """Return ops as a function: the inputs that they load, with the annotation of the first op that each goes to."""
    inputs = {}
    for name in graph.input_dict:
        types = [one.dagster_type for node, one in inputs_of_ops(graph, name) if node in nodes]
        if types and not types[0].is_nothing:
            inputs[name] = types[0].typing_type
    return FunctionShape(
        context=None,
        context_annotation=Any,
        has_config=False,
        config_annotation=Any,
        resources=(),
        inputs=inputs,
        output=output,
    )


def _reads(assets_def: dg.AssetsDefinition, key: dg.AssetKey) -> tuple[()] | None:
    """Return the empty list of reads that the asset's metadata may declare. Raises `InvalidField`.

    Dagster adds the metadata of the last op's output, which can declare it for this op at most.
    """
    if READS in graph_output(assets_def, key).definition.metadata:
        return None
    given = assets_def.get_asset_spec(key).metadata.get(READS)
    value = getattr(given, "value", given)
    if value is None:
        return None
    if value != []:
        expected = "[], for a graph that reads nothing but its inputs"
        raise InvalidField(
            what=f"metadata of {key.to_user_string()}", path=READS, value=value, expected=expected
        )
    return ()


def ops_of(graph: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the ops of a graph at any depth, by the names of their nodes below it."""
    for above, one in _graphs(graph, prefix):
        for node in one.nodes:
            if not isinstance(node.definition, dg.GraphDefinition):
                yield f"{above}{node.name}", node.definition


def _graphs(graph: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield a graph and those within it, each with the prefix of the names of its nodes."""
    yield prefix, graph
    for node in sorted(graph.nodes, key=lambda node: str(node.name)):
        if isinstance(node.definition, dg.GraphDefinition):
            yield from _graphs(node.definition, f"{prefix}{node.name}.")


def has_mapping(graph: Any) -> bool:
    """Tell whether a function makes config of ops in a graph: Dagster drops it in a run of a part."""
    return any(one.config_mapping is not None for _, one in _graphs(graph))


def functions_of(graph: Any) -> list[Callable[..., Any]]:
    """Return the functions of a graph: that of each op, then those of config mappings."""
    ops = [op_function(op) for op, _ in _ops_with_nodes(graph)]
    return [*ops, *(function for _, function in _mappings(graph))]


def parts_of(graph: Any, nodes: Collection[str]) -> tuple[OpPart, ...]:
    """Return the parts of a graph that run at these nodes, with all that each declares: ops, then config mappings."""
    found = ((op, [node for node in of_op if node in nodes]) for op, of_op in _ops_with_nodes(graph))
    parts = [_op_part(op, of_op) for op, of_op in found if of_op]
    for name, function in _mappings(graph):
        if not any(node.startswith(f"{name}.") or name == graph.name for node in nodes):
            continue
        shape, label = shape_of(function, is_plain=True), f"the config mapping of {name}"
        parts.append(OpPart(function=function, shape=shape, label=label))
    return tuple(parts)


def _ops_with_nodes(graph: Any) -> list[tuple[Any, list[str]]]:
    """Return each op of a graph, with the names of the nodes that run it."""
    found: dict[int, tuple[Any, list[str]]] = {}
    for name, op in sorted(ops_of(graph), key=lambda pair: pair[0]):
        found.setdefault(id(op), (op, []))[1].append(name)
    return list(found.values())


def _mappings(graph: Any) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield the author's function of each config mapping, by the name of its graph."""
    for prefix, one in _graphs(graph):
        function = None if one.config_mapping is None else _author_of(one.config_mapping.config_fn)
        if function is not None:
            yield prefix.rstrip(".") or one.name, function


def _author_of(mapping: Callable[..., Any]) -> Callable[..., Any] | None:
    """Return the author's function of a config mapping; None for plain values, which count as the config of the ops."""
    if not str(mapping.__module__).startswith("dagster."):
        return mapping
    wrapped: Callable[..., Any] | None = inspect.getclosurevars(mapping).nonlocals.get("fn")
    return wrapped


def _op_part(op: Any, nodes: list[str]) -> OpPart:
    function = op_function(op)
    shape = shape_of(function, ins=list(op.input_dict), is_plain=True)
    return OpPart(
        function=function,
        shape=shape,
        resource_keys=tuple(sorted({*op.required_resource_keys, *shape.resources})),
        code_version=_version_of(op),
        is_plain=True,
        is_of_many=True,  # where a part of the graph runs, its ops may ask which outputs are wanted
        label=f"op {', '.join(nodes)}",
        nodes=tuple(nodes),
        has_input=bool(op.input_dict),
        config_field=op.config_schema,
        defaults=tuple(
            (name, one.default_value) for name, one in op.input_dict.items() if one.has_default_value
        ),
    )


def _version_of(op: Any) -> str | None:
    """Return the code version of an op, if its author gave one for each output."""
    versions = {name: one.code_version for name, one in op.output_dict.items()}
    if not versions or None in versions.values():
        return None
    only = set(versions.values())
    return str(only.pop()) if len(only) == 1 else canonical_json(versions).decode()
