"""The recipe of a Dagster step: descriptor and environment of its tables (DESIGN 4.3)."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.declaration import (
    DeclaredAsset,
    Dependency,
    graph_output,
    inputs_of_ops,
    whole_graph,
)
from jammi_dagster.adapters.assets.graph import GraphSpec
from jammi_dagster.adapters.assets.spec import TableSpec
from jammi_dagster.adapters.handoff.kinds import ValueKind, input_kind, io_semantics, kind_of, libraries_of
from jammi_dagster.adapters.handoff.references import AnyReference
from jammi_dagster.adapters.handoff.serialized_metadata import packed
from jammi_dagster.adapters.recipe.config import (
    NO_KEY,
    Keyed,
    NotRecordable,
    config_object,
    described_config,
    described_resource,
)
from jammi_dagster.adapters.recipe.graph_config import codes_of, described_ops
from jammi_dagster.adapters.recipe.object_classes import ObjectClasses
from jammi_dagster.contract import (
    DefinitionHash,
    MaterializationEnv,
    ProducingDescriptor,
    canonical_json,
    definition_hash,
)
from jammi_dagster.contract.anchors import once_for_each_tuple
from jammi_dagster.contract.definition import fold_encoded
from jammi_dagster.errors import NotCanonical
from jammi_dagster.fingerprint import CodeIdentity
from jammi_dagster.store import ResultStore

PRODUCER = "dagster_asset"

# in the order of canonical JSON
_VARYING = ("input_names", "partition_key", "partition_range", "partition_window")

_NO_SOURCE = "its text stands in no source that the function reaches, so it may come from the environment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The way in which a step makes its tables, whatever the partition and the inputs.

    `components` are the digests of the code's components by name; where the code shows a slot, an HMAC of its texts.
    `raw_config` is validated anew by a replay; it is no part of the definition. `unrecordable` are the reasons
    why the definition cannot be known, and so why the tables are never reused. `config_resources` are the keys of
    resources that are config alone: their code reads nothing. `kinds` are the kinds of value that the inputs become.
    `place` tells which of the results of a function, or graph, that makes several tables is this one.
    """

    asset_key: dg.AssetKey
    code: CodeIdentity
    components: Mapping[str, str]
    inputs: Mapping[str, Any]
    output: ValueKind
    raw_config: Any
    config: Any
    config_object: Any
    resources: Mapping[str, Any]
    libraries: Mapping[str, str]
    unrecordable: tuple[str, ...]
    config_resources: frozenset[str]
    window_of: Callable[[str | None], list[str] | None]
    dimensions: tuple[str, ...] = ()
    place: Mapping[str, Any] | None = None
    kinds: Mapping[str, ValueKind] = field(default_factory=dict)

    def descriptor(
        self,
        partition: str | None,
        partitions: Sequence[str],
        input_names: Sequence[str],
        orders: Mapping[str, Sequence[str]],
    ) -> ProducingDescriptor:
        """Return the descriptor of one table. `partitions` is the range that the step makes, `input_names` its inputs.

        A range of more than one is part of how each of its tables is made: the function sees all of it. `orders` are
        the tables behind each input in the order in which they come. It counts only where it is not that of the
        names: it can change without a change of code, where partitions are dynamic, and the function sees it.
        """
        return ProducingDescriptor(
            {
                "producer": PRODUCER,
                "asset_key": list(self.asset_key.path),
                "partition_key": partition,
                "partition_range": _range(partitions),
                "partition_window": self.window_of(partition),
                **({"partition_dimensions": list(self.dimensions)} if self.dimensions else {}),
                "code": {
                    "kind": self.code.kind,
                    "digest": self.code.digest,
                    "components": dict(self.components),
                },
                "input_names": _of_names(input_names),
                "io_semantics": io_semantics(
                    self.output, [described["kind"] for described in self.inputs.values()]
                ),
                "inputs": {
                    name: {**described, "order": _order(orders.get(name, ()))}
                    for name, described in self.inputs.items()
                },
                "output_kind": str(self.output),
                **({"output": dict(self.place)} if self.place else {}),
                "config": self.config,
                "config_object": self.config_object,
                "resources": dict(self.resources),
            }
        )

    def definition(
        self,
        partition: str | None,
        partitions: Sequence[str],
        input_names: Sequence[str],
        orders: Mapping[str, Sequence[str]],
    ) -> TableDefinition:
        """Return the definition of one table, for the arguments of `descriptor`."""
        descriptor, env = self.descriptor(partition, partitions, input_names, orders), self.env()
        return TableDefinition(descriptor=descriptor, env=env, hash=definition_hash(descriptor, env))

    def definitions(
        self,
        partitions: Sequence[str | None],
        input_names: Sequence[str],
        orders: Mapping[str, Sequence[str]],
    ) -> list[TableDefinition]:
        """Return the definition of each partition that one step makes, or of the whole under None."""
        env, group = self.env(), tuple(partition for partition in partitions if partition is not None)
        input_names = tuple(input_names)
        encoded = canonical_json(env.fields, name="env")
        found = []
        for partition in partitions:
            descriptor = self.descriptor(partition, group, input_names, orders)
            text = canonical_json(descriptor.fields, name="descriptor")
            folded = DefinitionHash(fold_encoded(text, encoded))
            found.append(TableDefinition(descriptor=descriptor, env=env, hash=folded))
        return found

    def env(self) -> MaterializationEnv:
        """Return everything else that affects the output: Python, and the libraries that the code reaches."""
        major, minor, _ = platform.python_version_tuple()
        return MaterializationEnv(
            {"python": f"{major}.{minor}", "libraries": dict(self.libraries), "device": "cpu"}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDefinition:
    """The definition of one table: descriptor, environment, and the hash of the two."""

    descriptor: ProducingDescriptor
    env: MaterializationEnv
    hash: DefinitionHash


class DefinitionHashes:
    """Definition hashes of many tables of one recipe: all but four fields is the same, and encoded once."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe, self._env = recipe, canonical_json(recipe.env().fields, name="env")
        fields = recipe.descriptor(None, (), (), {}).to_dict()
        marks = {name: _digest(["mark", name]) for name in _VARYING}
        rest = canonical_json({**fields, **marks}, name="descriptor")
        self._template = b""
        for name in _VARYING:
            head, _, rest = rest.partition(canonical_json(marks[name]))
            self._template += head.replace(b"%", b"%%") + b"%b"
        self._template += rest.replace(b"%", b"%%")

    def of(
        self,
        partition: str | None,
        partitions: Sequence[str],
        input_names: Sequence[str],
        orders: Mapping[str, Sequence[str]],
    ) -> str:
        """Return the `definition_hash` of the descriptor for the same arguments, in hex."""
        if orders and any(_order(tables) is not None for tables in orders.values()):
            descriptor = self._recipe.descriptor(partition, partitions, input_names, orders)
            return fold_encoded(canonical_json(descriptor.fields, name="descriptor"), self._env)
        window = self._recipe.window_of(partition)
        varying = [
            b"null" if value is None else canonical_json(value, name="descriptor")
            for value in (_of_names(input_names), partition, _range(partitions), window)
        ]
        return fold_encoded(self._template % tuple(varying), self._env)


def recipe_of(
    spec: TableSpec, asset: DeclaredAsset, store: ResultStore, *, config: Any, loaded: Mapping[str, Any]
) -> Recipe:
    """Return the recipe of the asset's tables with this config, and with inputs that were `loaded` like these."""
    code = spec.code()
    inputs = {name: kind_of(annotation) for name, annotation in spec.shape.inputs.items()}
    classes = ObjectClasses(identities=None if code.kind == "code_version" else [])
    reasons: list[str] = []
    described, seen, raw = None, None, None
    resources: dict[str, Any] = {}
    plain: set[str] = set()
    try:
        described, seen = _described_config(spec, asset, config, store.key)
        raw = asset.raw_op_config
    except NotRecordable as error:
        reasons.append(f"config: {error}")
    for key in sorted(spec.resource_keys):
        try:
            resource, members = asset.resource(key), spec.members_of(key)
            resources[key] = described_resource(resource, store.key, classes.code_of, members)
            if classes.is_config(resource, members):
                plain.add(key)
        except NotRecordable as error:
            reasons.append(f"{key}: {error}")
    described_inputs = _described_inputs(spec, asset, inputs, loaded)
    if isinstance(spec, GraphSpec):
        config_code: Any = codes_of(spec, config, classes)
    else:
        config_code = classes.code_of(type(config))
    code = classes.added_to(code)
    components, without_key = _components(code, store.key.hmac)
    return Recipe(
        asset_key=asset.asset_key,
        code=code,
        components=components,
        inputs=described_inputs,
        kinds=inputs,
        output=_output_kind(spec),
        raw_config=raw,
        config=described,
        config_object={"code": config_code, "value": seen} if seen or config_code else None,
        resources=resources,
        config_resources=frozenset(plain),
        libraries=_libraries(code, inputs.values()),
        unrecordable=(*code.unresolved, *reasons, *without_key),
        window_of=asset.window_of,
        dimensions=asset.dimensions,
        place=_place(spec, asset),
    )


def _place(spec: TableSpec, asset: DeclaredAsset) -> dict[str, Any] | None:
    """Describe which result of a function, or of a graph, the table gets: decorators are no part of the code."""
    if isinstance(spec, GraphSpec) and len(whole_graph(asset.assets_def).output_defs) > 1:
        found = graph_output(asset.assets_def, asset.asset_key)
        return {"node": found.node, "name": found.definition.name}
    if spec.output is None:
        return None
    return {"name": spec.output, "order": list(spec.output_order), "is_optional": spec.is_optional}


def _output_kind(spec: TableSpec) -> ValueKind:
    kind = kind_of(spec.shape.output)
    return kind if spec.format is None else replace(kind, name=f"{kind.name} as {spec.format.name}")


def _components(code: CodeIdentity, keyed: Keyed) -> tuple[dict[str, str], list[str]]:
    """Return the digest of each component, an HMAC where it has slots; and the reasons if there is no key.

    A text that stands in no reached source may come from the environment (DESIGN 2.13).
    """
    found, reasons = code.named, []
    for name, texts in code.slots.items():
        digest = keyed(f"slot {texts}")
        if digest is None:
            reasons.append(f"{name}: {_NO_SOURCE}; {NO_KEY}")
        else:
            found[name] = f"hmac_sha256:{digest}"
    return found, reasons


def _described_config(spec: TableSpec, asset: DeclaredAsset, config: Any, keyed: Keyed) -> tuple[Any, Any]:
    """Return the op's config as Dagster validated it, and as the function sees it where that is more; or each op's."""
    if asset.op_config is not None and asset.has_mapped_config:
        why = "a config mapping of the job made it, perhaps from values of the environment"
        raise NotRecordable(f"{why}; launch the asset with config of its own")
    described: Any
    seen: Any
    if isinstance(spec, GraphSpec):
        described, seen = described_ops(spec, config, asset.op_config or {}, asset.raw_op_config, keyed)
    else:
        described = described_config(asset.op_config, asset.raw_op_config, asset.op_config_field, keyed)
        seen = config_object(config, asset.op_config, keyed)
    try:
        canonical_json([described, asset.raw_op_config], name="config")
    except NotCanonical as error:
        raise NotRecordable(str(error)) from None
    return described, seen


def _libraries(code: CodeIdentity, kinds: Collection[ValueKind]) -> dict[str, str]:
    """Return the libraries that the code imports, and those whose tables the function gets."""
    if code.kind == "code_version":
        return dict(code.libraries)
    return {**libraries_of(kinds), **code.libraries}


def _described_inputs(
    spec: TableSpec, asset: DeclaredAsset, kinds: dict[str, ValueKind], loaded: Mapping[str, Any]
) -> dict[str, Any]:
    """Describe the inputs by parameter; `kinds` are those that annotations tell, and get those of the upstreams."""
    described: dict[str, Any] = {}
    for dependency in asset.dependencies:
        name, declared = dependency.input_name, dependency.annotation
        if name is None or name not in kinds:
            continue
        if isinstance(loaded.get(name), AnyReference):
            kinds[name] = input_kind(spec.shape.inputs[name], declared)
        described[name] = _described_input(asset, dependency, kinds[name], loaded.get(name))
        of_ops: set[str] = set()
        if isinstance(spec, GraphSpec):
            ops = inputs_of_ops(asset.assets_def.node_def, name)
            types = [one.dagster_type.typing_type for node, one in ops if not spec.is_beside(node)]
            of_ops = {str(input_kind(annotation, declared)) for annotation in types}
        if len(of_ops) > 1:  # each op gets the value in a kind of its own
            described[name]["kinds"] = sorted(of_ops)
    return described


def _described_input(
    asset: DeclaredAsset, dependency: Dependency, kind: ValueKind, value: Any
) -> dict[str, Any]:
    """Describe the input of a parameter: its asset, its kind of value, and the other IO manager that loads it."""
    loader = None
    if not isinstance(value, AnyReference):
        manager, told = asset.loader_of(dependency)
        loader = {"manager": manager, "metadata": packed(told)}
    return {"asset_key": list(dependency.asset_key.path), "kind": str(kind), "loader": loader}


@once_for_each_tuple  # the tables of one range have the same
def _range(partitions: Sequence[str]) -> str | None:
    return _digest(sorted(partitions)) if len(partitions) > 1 else None


@once_for_each_tuple
def _of_names(names: Sequence[str]) -> str:
    return _digest(sorted(names))


def _order(tables: Sequence[str]) -> str | None:
    return None if list(tables) == sorted(tables) else _digest(tables)


def _digest(names: Sequence[str]) -> str:
    return hashlib.sha256(canonical_json(list(names))).hexdigest()
