"""`@result_table`: `@dagster.asset` whose step probes before it computes, and records its table."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, overload

import dagster as dg

from jammi_dagster.adapters.assets.cache_policy import policy_of
from jammi_dagster.adapters.assets.formats import Format, declared_format
from jammi_dagster.adapters.assets.signature import FunctionShape, code_of, name_of, shape_of
from jammi_dagster.adapters.assets.spec import Reads, TableSpec
from jammi_dagster.adapters.assets.writes import check_writes
from jammi_dagster.adapters.execution.body import body_of
from jammi_dagster.adapters.handoff.kinds import lenient_type, value_annotation
from jammi_dagster.adapters.handoff.results_of_runs import resolve_references
from jammi_dagster.adapters.metadata_keys import ALLOW_MISSING
from jammi_dagster.contract import CachePolicy, Verification
from jammi_dagster.errors import UnsupportedArgument
from jammi_dagster.fingerprint import check_dependencies, check_names, scoped_names
from jammi_dagster.objects import VERSIONS
from jammi_dagster.surfaces import VersionSurface

DEFAULT_KINDS = frozenset({"parquet", "jammi"})


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
    writes: Reads | Iterable[VersionSurface] | None = None,
    code_version: str | None = None,
    allow_missing_partitions: bool = False,
    single_flight: bool = True,
    depends_on: Iterable[Any] = (),
    ignore: Iterable[str] = (),
    allow_reads: Iterable[str] = (),
    verify_inputs: Verification | str | None = None,
    format: Format | None = None,
    trust_other_deployments: bool = False,
    **asset_arguments: Any,
) -> Callable[[Callable[..., Any]], ResultTableAsset]: ...
def result_table(
    function: Callable[..., Any] | None = None,
    /,
    *,
    cache: CachePolicy | str | None = None,
    reads: Reads | Iterable[VersionSurface] | None = None,
    writes: Reads | Iterable[VersionSurface] | None = None,
    code_version: str | None = None,
    allow_missing_partitions: bool = False,
    single_flight: bool = True,
    depends_on: Iterable[Any] = (),
    ignore: Iterable[str] = (),
    allow_reads: Iterable[str] = (),
    verify_inputs: Verification | str | None = None,
    format: Format | None = None,
    trust_other_deployments: bool = False,
    **asset_arguments: Any,
) -> ResultTableAsset | Callable[[Callable[..., Any]], ResultTableAsset]:
    """Declare an asset that is stored as a result table, and reused where nothing that it depends on has changed.

    Takes every argument of `@dagster.asset`, and:

    - `cache`: `CachePolicy.USE` reuses a materialization of the same definition over the same inputs; `BYPASS`
      always computes, whatever the run's tag says. By default the run tag `jammi/cache` decides, then the IO
      manager.
    - `reads`: the version surfaces of everything that the function reads besides its inputs, or a function from the
      partition key (None without) to them. `[]` says that it reads nothing else.
    - `writes`: the version surfaces of everything that the function writes, or a function from the partition key to
      them. The function returns None: its state is their version after it, and it is reused while they have it.
    - `code_version`: stands for the code, instead of an identity read from it.
    - `depends_on`: functions, classes, modules, files (paths, relative to the function's file) and plain values that
      count as if the function used them.
    - `ignore`: names that no result depends on (a cache, a name in an unresolved reason): they are left out.
    - `allow_reads`: reads of the outside world that do no harm, by the name that a reason gives (`os.environ`) or by
      path; `*` stands for anything.
    - `allow_missing_partitions`: upstream partitions that are not materialized are left out, not an error.
    - `single_flight`: under `USE`, a step that finds another one making the same waits for it and reuses the result.
    - `format`: how a result that is no table is stored: `json`, `bytes`, `pickle`, `joblib`, an `ObjectFormat`, or a
      pair of functions `(dump, load)`. Without it a dict, list, str, number, `bytes` or `pathlib.Path` (a file or a
      folder) is stored as what it is; `register_format` states the format of a class.
    - `trust_other_deployments`: reuse also a pickle, or the like, that another deployment wrote: reading it runs code.
    - `verify_inputs`: how bytes of inputs are compared with their record when the function runs: `pages` (footer and
      page checksums), `full` (SHA-256 too) or `off`. By default the run tag `jammi/verify_inputs` decides, then the IO
      manager.

    The annotation of the result names the kind of table for readers that ask for none.

    Raises `UnsupportedArgument` for arguments that cannot be combined, `InvalidPolicy`, and `InvalidField`.
    """
    declared: dict[str, Any] = {
        "cache": cache,
        "reads": reads,
        "writes": writes,
        "code_version": code_version,
        "allow_missing_partitions": allow_missing_partitions,
        "single_flight": single_flight,
        "depends_on": depends_on,
        "ignore": ignore,
        "allow_reads": allow_reads,
        "verify_inputs": verify_inputs,
        "format": format,
        "trust_other_deployments": trust_other_deployments,
    }
    if function is None:
        return lambda function: _decorated(function, asset_arguments=asset_arguments, **declared)
    return _decorated(function, asset_arguments=asset_arguments, **declared)


def _decorated(
    function: Callable[..., Any], *, asset_arguments: Mapping[str, Any], **declared: Any
) -> ResultTableAsset:
    """Make the asset: Dagster gets the arguments of its own, the spec keeps those of the contract."""
    asset_arguments, declared = repeatable(asset_arguments), repeatable(declared)
    name = str(asset_arguments.get("name") or asset_arguments.get("key") or name_of(function))
    _refuse(name, asset_arguments)
    shape = loading_shape(function, asset_arguments.get("ins"))
    format_, writes = declared.pop("format"), declared["writes"]
    spec = spec_from(
        function, f"@result_table on {name}", shape, asset_arguments.get("required_resource_keys"), **declared
    )
    spec = with_output(spec, name, shape.output, format_)
    if writes is not None:
        check_writes(
            name,
            writes,
            output=value_annotation(shape.output),
            has_format=format_ is not None,
            is_partitioned="partitions_def" in asset_arguments,
        )
        spec = replace(spec, format=VERSIONS)
    if not callable(spec.reads):
        spec.surfaces((None,))  # raises for a value that is no list of surfaces
    if not callable(spec.writes) and not callable(spec.reads):
        spec.written((None,))  # raises for a surface that is read as well
    resolve_references()
    asset = copy.copy(dg.asset(**_asset_arguments(spec, name, asset_arguments))(body_of(spec)))
    asset.__class__ = ResultTableAsset
    assert isinstance(asset, ResultTableAsset)
    asset.result_table = spec
    return asset


def loading_shape(function: Callable[..., Any], ins: Mapping[str, dg.AssetIn] | None) -> FunctionShape:
    """Return the shape of a function with these inputs, of which those of type Nothing are never loaded."""
    return shape_of(function, ins=[name for name, one in (ins or {}).items() if not _is_nothing(one)])


def repeatable(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments, each generator as a list: they are gone through more than once."""
    return {name: list(value) if isinstance(value, Iterator) else value for name, value in arguments.items()}


def spec_from(
    function: Callable[..., Any],
    place: str,
    shape: FunctionShape,
    own_keys: Iterable[str] | None,
    *,
    cache: CachePolicy | str | None,
    allow_missing_partitions: bool,
    depends_on: Sequence[Any],
    ignore: Sequence[str],
    allow_reads: Sequence[str],
    verify_inputs: Verification | str | None,
    writes: Reads | None = None,
    **others: Any,
) -> TableSpec:
    """Check the arguments of the contract, as given at `place`. Raises `InvalidPolicy` and `InvalidField`."""
    verification = None
    if verify_inputs is not None:
        verification = Verification.parse(verify_inputs, of=place, field="verify_inputs")
    return TableSpec(
        function=function,
        shape=shape,
        resource_keys=tuple(sorted({*(own_keys or ()), *shape.resources})),
        cache=None if cache is None else policy_of(cache, where=place),
        verify_inputs=verification,
        allow_missing=allow_missing_partitions,
        depends_on=check_dependencies(depends_on),
        ignore=scoped_names(ignore),
        allow_reads=check_names("allow_reads", allow_reads),
        writes=writes,
        **others,
    )


def with_output(spec: TableSpec, name: str, annotation: Any, format: Format | None) -> TableSpec:
    """Return the declaration of a table that the function returns under this annotation, in a format.

    Raises `InvalidField` and `UnsupportedArgument` for a format or an annotation that names none.
    """
    found = declared_format(name, annotation, format)
    functions = () if found is None else check_dependencies(found.functions)
    shape = replace(spec.shape, output=annotation)
    return replace(spec, shape=shape, format=found, depends_on=(*spec.depends_on, *functions))


def _asset_arguments(spec: TableSpec, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments for `@dagster.asset`: the given ones, and those that follow from the function."""
    return {
        "name": None if given.get("key") else name_of(spec.function),
        # Dagster refuses the two together
        "kinds": None if given.get("compute_kind") else set(DEFAULT_KINDS),
        "description": inspect.getdoc(code_of(spec.function)),
        **given,
        "ins": ins_of(name, spec, given.get("ins") or {}, given.get("deps") or ()),
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


def ins_of(
    name: str, spec: TableSpec, given: Mapping[str, dg.AssetIn], deps: Iterable[Any]
) -> dict[str, dg.AssetIn]:
    """Return the given `AssetIn`s, and the permission for missing partitions as IO managers read it.

    A parameter that `deps=` names too is left to Dagster, which takes no properties of it from both.
    """
    listed = {key for dep in deps for key in _keys_of(dep)}
    ins = dict(given)
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
