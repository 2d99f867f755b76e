"""`@result_table`: `@dagster.asset` whose step probes before it computes, and records its table."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

import dagster as dg

from jammi_dagster.adapters.assets.cache_policy import policy_of
from jammi_dagster.adapters.assets.signature import FunctionShape, code_of, name_of, shape_of
from jammi_dagster.adapters.assets.spec import Reads, TableSpec
from jammi_dagster.adapters.execution.body import body_of
from jammi_dagster.adapters.handoff.kinds import lenient_type
from jammi_dagster.adapters.handoff.results_of_runs import resolve_references
from jammi_dagster.adapters.metadata_keys import ALLOW_MISSING
from jammi_dagster.contract import CachePolicy, Verification
from jammi_dagster.errors import UnsupportedArgument
from jammi_dagster.fingerprint import check_dependencies, check_names, scoped_names
from jammi_dagster.surfaces import VersionSurface

_DEFAULT_KINDS = frozenset({"parquet", "jammi"})


class ResultTableAsset(dg.AssetsDefinition):
    """An asset under `@result_table`. A direct call goes through Dagster, and calls the function."""

    result_table: TableSpec


@overload
def result_table(function: Callable[..., Any], /) -> ResultTableAsset: ...
@overload
def result_table(
    *,
    cache: CachePolicy | str | None = None,
    reads: Reads | Iterable[VersionSurface] | None = None,
    code_version: str | None = None,
    allow_missing_partitions: bool = False,
    single_flight: bool = True,
    depends_on: Iterable[Any] = (),
    ignore: Iterable[str] = (),
    allow_reads: Iterable[str] = (),
    verify_inputs: Verification | str | None = None,
    **asset_arguments: Any,
) -> Callable[[Callable[..., Any]], ResultTableAsset]: ...
def result_table(
    function: Callable[..., Any] | None = None,
    /,
    *,
    cache: CachePolicy | str | None = None,
    reads: Reads | Iterable[VersionSurface] | None = None,
    code_version: str | None = None,
    allow_missing_partitions: bool = False,
    single_flight: bool = True,
    depends_on: Iterable[Any] = (),
    ignore: Iterable[str] = (),
    allow_reads: Iterable[str] = (),
    verify_inputs: Verification | str | None = None,
    **asset_arguments: Any,
) -> ResultTableAsset | Callable[[Callable[..., Any]], ResultTableAsset]:
    """Declare an asset that is stored as a result table, and reused where nothing that it depends on has changed.

    Takes every argument of `@dagster.asset`, and:

    - `cache`: `CachePolicy.USE` reuses a materialization of the same definition over the same inputs; `BYPASS`
      always computes, whatever the run's tag says. By default the run tag `jammi/cache` decides, then the IO
      manager.
    - `reads`: the version surfaces of everything that the function reads besides its inputs, or a function from the
      partition key (None without) to them. `[]` says that it reads nothing else.
    - `code_version`: stands for the code, instead of an identity read from it.
    - `depends_on`: functions, classes, modules, files (paths, relative to the function's file) and plain values that
      count as if the function used them.
    - `ignore`: names that no result depends on (a cache, a name in an unresolved reason): they are left out.
    - `allow_reads`: reads of the outside world that do no harm, by the name that a reason gives (`os.environ`) or by
      path; `*` stands for anything.
    - `allow_missing_partitions`: upstream partitions that are not materialized are left out, not an error.
    - `single_flight`: under `USE`, a step that finds another one making the same waits for it and reuses the result.

    - `verify_inputs`: how bytes of inputs are compared with their record when the function runs: `pages` (footer and
      page checksums), `full` (SHA-256 too) or `off`. By default the run tag `jammi/verify_inputs` decides, then the IO
      manager.

    The annotation of the result is not checked: it names the kind of table for readers that ask for none.

    Raises `UnsupportedArgument` for arguments that cannot be combined, `InvalidPolicy`, and `InvalidField`.
    """
    declared: dict[str, Any] = {
        "cache": cache,
        "reads": reads,
        "code_version": code_version,
        "allow_missing_partitions": allow_missing_partitions,
        "single_flight": single_flight,
        "depends_on": depends_on,
        "ignore": ignore,
        "allow_reads": allow_reads,
        "verify_inputs": verify_inputs,
    }
    if function is None:
        return lambda function: _decorated(function, asset_arguments=asset_arguments, **declared)
    return _decorated(function, asset_arguments=asset_arguments, **declared)


def _decorated(
    function: Callable[..., Any], *, asset_arguments: Mapping[str, Any], **declared: Any
) -> ResultTableAsset:
    """Make the asset: Dagster gets the arguments of its own, the spec keeps those of the contract."""
    asset_arguments, declared = _repeatable(asset_arguments), _repeatable(declared)
    name = str(asset_arguments.get("name") or asset_arguments.get("key") or name_of(function))
    _refuse(name, asset_arguments)
    loaded = [each for each, one in (asset_arguments.get("ins") or {}).items() if not _is_nothing(one)]
    shape = shape_of(function, ins=loaded)
    spec = _spec(function, name, shape, asset_arguments.get("required_resource_keys") or (), **declared)
    resolve_references()
    asset = copy.copy(dg.asset(**_asset_arguments(spec, name, asset_arguments))(body_of(spec)))
    asset.__class__ = ResultTableAsset
    assert isinstance(asset, ResultTableAsset)
    asset.result_table = spec
    return asset


def _repeatable(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments, each generator as a list: they are gone through more than once."""
    return {name: list(value) if isinstance(value, Iterator) else value for name, value in arguments.items()}


def _spec(
    function: Callable[..., Any],
    name: str,
    shape: FunctionShape,
    own_keys: Iterable[str],
    *,
    cache: CachePolicy | str | None,
    allow_missing_partitions: bool,
    depends_on: Sequence[Any],
    ignore: Sequence[str],
    allow_reads: Sequence[str],
    verify_inputs: Verification | str | None,
    **others: Any,
) -> TableSpec:
    """Check the arguments of the contract. Raises `InvalidPolicy`, `InvalidField` and `UnsupportedArgument`."""
    place = f"@result_table on {name}"
    verification = None
    if verify_inputs is not None:
        verification = Verification.parse(verify_inputs, of=place, field="verify_inputs")
    return TableSpec(
        function=function,
        shape=shape,
        resource_keys=tuple(sorted({*own_keys, *shape.resources})),
        cache=None if cache is None else policy_of(cache, where=place),
        verify_inputs=verification,
        allow_missing=allow_missing_partitions,
        depends_on=check_dependencies(depends_on),
        ignore=scoped_names(ignore),
        allow_reads=check_names("allow_reads", allow_reads),
        **others,
    )


def _asset_arguments(spec: TableSpec, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments for `@dagster.asset`: the given ones, and those that follow from the function."""
    return {
        "name": None if given.get("key") else name_of(spec.function),
        # Dagster refuses the two together
        "kinds": None if given.get("compute_kind") else set(_DEFAULT_KINDS),
        "description": inspect.getdoc(code_of(spec.function)),
        **given,
        "ins": _ins(name, spec, given),
        "dagster_type": lenient_type(spec.shape.output),
        "code_version": spec.code_version or spec.code().digest,
    }


def _refuse(name: str, arguments: Mapping[str, Any]) -> None:
    """Raise `UnsupportedArgument` for arguments of `@dagster.asset` that the contract cannot keep."""
    refused = {
        "dagster_type": ("would check a reference, not the table", "annotate the function's result"),
        "output_required": ("could leave a run without a table", "return an empty table instead"),
        "is_virtual": ("means that nothing is stored", "use @dg.asset"),
    }
    for argument, (why, way_out) in refused.items():
        given = arguments.get(argument)
        if given is not None and given is not (argument == "output_required"):
            raise UnsupportedArgument(asset=name, argument=f"{argument}=", why=why, way_out=way_out)


def _ins(name: str, spec: TableSpec, given: Mapping[str, Any]) -> dict[str, dg.AssetIn]:
    """Return the given `AssetIn`s, and the permission for missing partitions as IO managers read it.

    A parameter that `deps=` names too is left to Dagster, which takes no properties of it from both.
    """
    listed = {key for dep in given.get("deps") or () for key in _keys_of(dep)}
    ins: dict[str, dg.AssetIn] = dict(given.get("ins") or {})
    named = {**{parameter: dg.AssetIn() for parameter in spec.shape.inputs}, **ins}
    for parameter, asset_in in named.items():
        if asset_in.resolve_key(parameter) in listed:
            continue
        _check_in(name, parameter, asset_in, spec.shape)
        if spec.allow_missing:
            ins[parameter] = asset_in._replace(metadata={**(asset_in.metadata or {}), ALLOW_MISSING: True})
    return ins


def _check_in(name: str, parameter: str, asset_in: dg.AssetIn, shape: FunctionShape) -> None:
    """Raise `UnsupportedArgument` for an input that the function does not take, or whose type would check a table."""
    given = asset_in.dagster_type
    if parameter not in shape.inputs:
        if _is_nothing(asset_in):  # it is never loaded
            return
        why = "names no parameter of the function"
        raise UnsupportedArgument(
            asset=name, argument=f"ins={[parameter]}", why=why, way_out="use deps= for those"
        )
    if given is not dg.AssetIn().dagster_type:
        raise UnsupportedArgument(
            asset=name,
            argument=f"AssetIn(dagster_type=…) for {parameter}",
            why="would check a reference, not the table",
            way_out="annotate the parameter",
        )


def _is_nothing(asset_in: dg.AssetIn) -> bool:
    return isinstance(asset_in.dagster_type, dg.DagsterType) and asset_in.dagster_type.is_nothing


def _keys_of(dep: Any) -> Collection[dg.AssetKey]:
    """Return the keys that an item of `deps=` names: several for a multi-asset."""
    if isinstance(dep, dg.AssetsDefinition):
        return dep.keys
    return [(dep if isinstance(dep, dg.AssetDep) else dg.AssetDep(dep)).asset_key]
