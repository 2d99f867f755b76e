"""The identity of the code behind an asset, for people: pinned or not, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.bound_resources import bound_resources
from jammi_dagster.adapters.assets.declaration import function_of, has_upstream, is_graph
from jammi_dagster.adapters.assets.graph import graph_spec
from jammi_dagster.adapters.assets.reasons import place_of
from jammi_dagster.adapters.assets.signature import shape_of
from jammi_dagster.adapters.assets.spec import TableSpec, spec_of
from jammi_dagster.adapters.code_location.location import Definitions, Target, repository_of, select
from jammi_dagster.adapters.recipe.object_classes import ObjectClasses, is_config
from jammi_dagster.fingerprint import CodeIdentity as Identity
from jammi_dagster.fingerprint import Component, one_look
from jammi_dagster.garbage import uncollected


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityReason:
    """A reason why code is not pinned.

    IdentityReason(place="pipelines/text.py:12", path=("f", "clean"), finding="time.time (…)", way_out="pass …")
    """

    place: str
    """The file and line; empty for a reason about the asset as a whole."""
    path: tuple[str, ...]
    """The functions and statements by which the place is reached, from the asset's function on."""
    finding: str
    way_out: str

    def __str__(self) -> str:
        """Word the reason as one line."""
        return f"{self.reached_finding}: {self.way_out}"

    @property
    def reached_finding(self) -> str:
        """The finding, with the way by which its place is reached."""
        by = f" (reached by {' > '.join(self.path)})" if len(self.path) > 1 else ""
        return f"{self.finding}{by}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeIdentity:
    """The code on which the result of a function or an asset depends."""

    digest: str
    reasons: tuple[IdentityReason, ...]
    components: tuple[Component, ...]
    libraries: Mapping[str, str]

    @property
    def pinned(self) -> bool:
        """True if nothing stands against a reuse of what the code made."""
        return not self.reasons


def code_identity(function_or_asset: Callable[..., Any] | dg.AssetsDefinition) -> CodeIdentity:
    """Identify the code of a function, or of an asset with its declarations. Nothing runs, and no store is needed.

    The resources that an asset takes are known once `finalize` has seen its definitions.

    >>> identity = code_identity(orders)  # doctest: +SKIP
    >>> identity.pinned, [str(reason) for reason in identity.reasons]  # doctest: +SKIP
    (False, ['time.time (shop/flow.py:3) changes from run to run: pass the value in, …'])
    """
    if isinstance(function_or_asset, dg.AssetsDefinition):
        return _of_asset(function_or_asset)
    shape = shape_of(function_or_asset, is_plain=True)
    return _of_spec(TableSpec(function=function_or_asset, shape=shape), has_upstream=True)


def identity_of_table(assets_def: dg.AssetsDefinition, key: dg.AssetKey) -> CodeIdentity:
    """Identify the code of one asset of a definition as `code_identity` does."""
    is_of_many = (spec := spec_of(assets_def)) is not None and spec.is_of_many
    return _of_asset(assets_def, key if is_of_many else None)


def _of_asset(assets_def: dg.AssetsDefinition, key: dg.AssetKey | None = None) -> CodeIdentity:
    spec = spec_of(assets_def, key) or _plain_spec(assets_def)
    above = not set(assets_def.dependency_keys) <= set(assets_def.keys)
    if spec.is_of_many:
        above = all(has_upstream(assets_def, one) for one in ([key] if key else assets_def.keys))
    bound = bound_resources(assets_def)
    plain = [name for name in spec.resource_keys if is_config(bound.get(name), spec.members_of(name))]
    return _of_spec(spec, has_upstream=above, plain=plain, bound=bound)


def _of_spec(
    spec: TableSpec,
    *,
    has_upstream: bool,
    plain: Sequence[str] = (),
    bound: Mapping[str, Any] = MappingProxyType({}),
) -> CodeIdentity:
    code = _with_classes(spec, spec.code(), bound)
    reads = spec.undeclared_reads(code, has_upstream=has_upstream, config_resources=plain)
    said = [*code.unresolved, *reads]
    return CodeIdentity(
        digest=code.digest,
        reasons=tuple(_reason(text, code) for text in dict.fromkeys(said)),
        components=code.components,
        libraries=code.libraries,
    )


def _with_classes(spec: TableSpec, code: Identity, bound: Mapping[str, Any]) -> Identity:
    """Add the code of the classes of config and resources, as the identity of a table holds it."""
    if code.kind == "code_version":
        return code
    classes = ObjectClasses(identities=[])
    for name in spec.resource_keys:
        classes.note_resource(bound.get(name), spec.members_of(name))
    config = spec.shape.config_annotation
    if isinstance(config, type) and issubclass(config, dg.Config):
        classes.code_of(config)
    return classes.added_to(code)


def code_identities(defs: Definitions, selection: Target = None) -> dict[dg.AssetKey, CodeIdentity]:
    """Identify the code of every asset of a code location, or of some. Nothing runs.

    Raises `InvalidTarget` for a selection of assets that are not there.

    >>> [key for key, identity in code_identities(defs).items() if not identity.pinned]  # doctest: +SKIP
    [AssetKey(['rates'])]
    """
    graph = repository_of(defs).asset_graph
    found: dict[dg.AssetKey, CodeIdentity] = {}
    known: dict[int, CodeIdentity] = {}
    with uncollected(), one_look():
        for key in select("*" if selection is None else selection, graph):
            asset = graph.get(key).assets_def
            if (spec := spec_of(asset)) is not None and spec.is_of_many:
                found[key] = identity_of_table(asset, key)
                continue
            if id(asset) not in known:
                known[id(asset)] = code_identity(asset)
            found[key] = known[id(asset)]
    return found


def _plain_spec(assets_def: dg.AssetsDefinition) -> TableSpec:
    if is_graph(assets_def):
        return graph_spec(assets_def, min(assets_def.keys))
    function = function_of(assets_def)
    shape = shape_of(function, is_plain=True)
    managers = {output.io_manager_key for output in assets_def.op.output_defs}
    resources = (assets_def.op.required_resource_keys | set(shape.resources)) - managers
    return TableSpec(function=function, shape=shape, resource_keys=tuple(sorted(resources)))


def _reason(text: str, code: Identity) -> IdentityReason:
    finding, _, way_out = text.partition(": ")
    place = place_of(text)
    return IdentityReason(place=place, path=code.reached_by.get(place, ()), finding=finding, way_out=way_out)
