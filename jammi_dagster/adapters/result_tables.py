"""`@result_tables`: `@dagster.multi_asset` of whose tables each has an identity of its own, and is reused by itself."""

from __future__ import annotations

import copy
import inspect
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.formats import Format
from jammi_dagster.adapters.assets.signature import code_of, name_of
from jammi_dagster.adapters.assets.spec import Reads, TableSpec
from jammi_dagster.adapters.decorator import (
    DEFAULT_KINDS,
    ResultTableAsset,
    ins_of,
    loading_shape,
    repeatable,
    spec_from,
    with_output,
)
from jammi_dagster.adapters.execution.body import body_of
from jammi_dagster.adapters.handoff.kinds import is_table_kind, kind_of, lenient_type
from jammi_dagster.adapters.handoff.results_of_runs import resolve_references
from jammi_dagster.adapters.metadata_keys import IO_MANAGER_KEY
from jammi_dagster.contract import CachePolicy, Verification
from jammi_dagster.errors import UnsupportedArgument
from jammi_dagster.surfaces import VersionSurface

_DEFAULT_MANAGER = "io_manager"


def result_tables(
    *,
    outs: Mapping[str, dg.AssetOut] | None = None,
    specs: Sequence[dg.AssetSpec] | None = None,
    cache: CachePolicy | str | None = None,
    reads: Reads | Iterable[VersionSurface] | None = None,
    code_version: str | None = None,
    allow_missing_partitions: bool = False,
    single_flight: bool = True,
    depends_on: Iterable[Any] = (),
    ignore: Iterable[str] = (),
    allow_reads: Iterable[str] = (),
    verify_inputs: Verification | str | None = None,
    format: Format | Mapping[str, Format] | None = None,
    trust_other_deployments: bool = False,
    **asset_arguments: Any,
) -> Callable[[Callable[..., Any]], ResultTableAsset]:
    """Declare one function that makes several assets, each stored as a result table and reused by itself.

    Takes every argument of `@dagster.multi_asset`, and those of `result_table`. The identity of each table is the
    function's code, its own asset key, and its own inputs as far as `internal_asset_deps` or the `deps` of its spec
    say. A table that derives from a sibling is made together with it. One call of the function makes the tables that
    nothing stored stands in for, and the siblings below and above them; without `can_subset` all tables. All are
    published together, or none.

    - `format`: one for all outputs, or by the name of the output.
    - An output with `is_required=False`, or a spec with `skippable=True`, may be left out; this is reused too.

    A returned tuple, and the annotation `tuple[…]` of the result, are in the order of the outputs that the call makes.

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
        "trust_other_deployments": trust_other_deployments,
    }
    given = {**asset_arguments, "outs": outs, "specs": specs}
    return lambda function: _decorated(function, repeatable(given), format, repeatable(declared))


def _decorated(
    function: Callable[..., Any],
    given: Mapping[str, Any],
    format: Format | Mapping[str, Format] | None,
    declared: Mapping[str, Any],
) -> ResultTableAsset:
    """Make the assets: Dagster gets the arguments of its own, the spec keeps those of the contract."""
    name = str(given.get("name") or name_of(function))
    outs: Mapping[str, dg.AssetOut] = given["outs"] or {}
    specs: Sequence[dg.AssetSpec] = given["specs"] or ()
    _refuse(name, outs, specs, given)
    shape = loading_shape(function, given.get("ins"))
    shared = spec_from(
        function, f"@result_tables on {name}", shape, given.get("required_resource_keys"), **declared
    )
    shared = replace(shared, is_of_many=True)
    can_subset = bool(given.get("can_subset"))
    outputs = _outputs(name, shared, outs, specs, format, can_subset=can_subset)
    shared = replace(shared, outputs=outputs)
    arguments = {key: value for key, value in given.items() if key not in ("outs", "specs")}
    arguments.setdefault("name", name_of(function))
    arguments.setdefault("description", inspect.getdoc(code_of(function)))
    deps = [dep for spec in specs for dep in spec.deps] if specs else given.get("deps") or ()
    arguments["ins"] = ins_of(name, shared, given.get("ins") or {}, deps)
    if specs:
        key = _managers(outs, specs)[0]
        # an output without a manager is of type Nothing in Dagster, which refuses a value
        arguments["specs"] = [spec.with_io_manager_key(key) for spec in specs]
    else:
        arguments["outs"] = {
            key: _lenient(out, outputs[_name(key)], can_subset=can_subset) for key, out in outs.items()
        }
    resolve_references()
    made = dg.multi_asset(**arguments)(body_of(shared))
    made = copy.copy(made.map_asset_specs(_described(made, shared, has_kind=bool(given.get("compute_kind")))))
    made.__class__ = ResultTableAsset
    assert isinstance(made, ResultTableAsset)
    made.result_table = shared
    return made


def _outputs(
    name: str,
    shared: TableSpec,
    outs: Mapping[str, dg.AssetOut],
    specs: Sequence[dg.AssetSpec],
    format: Format | Mapping[str, Format] | None,
    *,
    can_subset: bool,
) -> dict[str, TableSpec]:
    """Return the declaration of each output by its name in Dagster."""
    versions = {_name(key): out.code_version for key, out in outs.items()}
    versions |= {spec.key.to_python_identifier(): spec.code_version for spec in specs}
    optional = {_name(key): not out.is_required for key, out in outs.items()}
    optional |= {spec.key.to_python_identifier(): spec.skippable for spec in specs}
    formats = _formats(name, format, list(versions), specs)
    function = shared.function
    yields = inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
    may_be_one = yields or can_subset
    annotations = _annotations(name, shared.shape.output, list(versions), may_be_one=may_be_one)
    return {
        one: replace(
            with_output(shared, f"{name}, output {one}", annotations[one], formats.get(one)),
            code_version=version or shared.code_version,
            is_optional=optional[one],
            output=one,
            output_order=() if yields else tuple(versions),
        )
        for one, version in versions.items()
    }


def _formats(
    name: str,
    given: Format | Mapping[str, Format] | None,
    outputs: Sequence[str],
    specs: Sequence[dg.AssetSpec],
) -> dict[str, Format]:
    """Return the declared format of each output that has one. Raises `UnsupportedArgument` for an unknown output."""
    if not isinstance(given, Mapping):
        return {} if given is None else dict.fromkeys(outputs, given)
    names = {spec.key.to_user_string(): spec.key.to_python_identifier() for spec in specs}
    found = {names.get(str(one), _name(str(one))): value for one, value in given.items()}
    if others := sorted(found.keys() - set(outputs)):
        why = f"names {', '.join(others)}, but the outputs are {', '.join(outputs)}"
        raise _unsupported(name, "format=", why, "name outputs alone")
    return found


def _is_one_value(annotation: Any) -> bool:
    """Tell a table or an object, which no call that makes several outputs may return, from all other annotations."""
    base = typing.get_origin(annotation) or annotation
    if not isinstance(base, type) or base in (object, type(None)):
        return False
    is_table = not (kind := kind_of(annotation)).any_shape and is_table_kind(kind)
    return (
        is_table
        or base in (dict, list, set, frozenset, bytes, str, int, float, bool)
        or issubclass(base, Path)
    )


def _annotations(name: str, annotation: Any, outputs: Sequence[str], *, may_be_one: bool) -> dict[str, Any]:
    """Return the annotation of each output: an item of `tuple[…]`, or the whole where there is one output.

    `may_be_one`: a call may return a single one of several.
    """
    if len(outputs) == 1:
        is_stream = inspect.isclass(typing.get_origin(annotation)) and annotation is not Any
        return {
            outputs[0]: Any if is_stream and typing.get_origin(annotation) is not dg.Output else annotation
        }
    items = typing.get_args(annotation) if typing.get_origin(annotation) is tuple else ()
    if len(items) == 2 and items[1] is Ellipsis:
        items = items[:1] * len(outputs)
    there = f"but there are {len(outputs)} outputs ({', '.join(outputs)})"
    if items and len(items) != len(outputs):
        why, way_out = f"has {len(items)} items, {there}", "annotate one item for each output, in their order"
        raise _unsupported(name, "the annotation of its result", why, way_out)
    if not may_be_one and _is_one_value(annotation):
        why, way_out = (
            f"is {inspect.formatannotation(annotation)}, one value, {there}",
            "return tuple[…], or yield them",
        )
        raise _unsupported(name, "the annotation of its result", why, way_out)
    return dict(zip(outputs, items or [Any] * len(outputs), strict=True))


def _unsupported(asset: str, argument: str, why: str, way_out: str) -> UnsupportedArgument:
    return UnsupportedArgument(
        decorator="@result_tables", asset=asset, argument=argument, why=why, way_out=way_out
    )


def _lenient(out: dg.AssetOut, spec: TableSpec, *, can_subset: bool) -> dg.AssetOut:
    """Return the output with a type that lets a reference through, and that Dagster takes as it may be left out."""
    found = copy.copy(out)
    found.dagster_type = lenient_type(spec.shape.output)
    # of the selected ones the step itself asks for each
    found.is_required = out.is_required and not can_subset
    return found


def _described(
    made: dg.AssetsDefinition, shared: TableSpec, *, has_kind: bool
) -> Callable[[dg.AssetSpec], dg.AssetSpec]:
    """Return a function that gives an asset its code version, and the kinds of a result table where it has none."""

    def described(spec: dg.AssetSpec) -> dg.AssetSpec:
        of_output = shared.outputs[made.get_output_name_for_asset_key(spec.key)]
        found = spec.replace_attributes(code_version=of_output.code_version or of_output.code().digest)
        return found if spec.kinds or has_kind else found.replace_attributes(kinds=set(DEFAULT_KINDS))

    return described


def _refuse(
    name: str, outs: Mapping[str, dg.AssetOut], specs: Sequence[dg.AssetSpec], given: Mapping[str, Any]
) -> None:
    """Raise `UnsupportedArgument` for arguments of `@dagster.multi_asset` that the contract cannot keep."""

    def refuse(argument: str, why: str, way_out: str) -> None:
        raise _unsupported(name, argument, why, way_out)

    if given.get("writes") is not None:
        refuse(
            "writes=",
            "is only for functions that make one result",
            "write elsewhere in a function under @result_table",
        )
    if not outs and not specs:
        refuse("outs= and specs=", "are both missing, so there is no table to make", "give one of them")
    if typed := [key for key, out in outs.items() if out.dagster_type is not dg.AssetOut().dagster_type]:
        why = "would check a reference, not the table"
        refuse(f"AssetOut(dagster_type=…) for {typed[0]}", why, "annotate the result: tuple[…]")
    if any(getattr(one, "is_virtual", False) for one in (*outs.values(), *specs)):
        refuse("is_virtual", "means that nothing is stored", "use @dg.multi_asset")
    if len(managers := _managers(outs, specs)) > 1:
        why = f"has several IO managers ({', '.join(managers)}), but one transaction publishes all tables"
        refuse("io_manager_key", why, "make tables of several stores with several functions")
    shared = given.get("partitions_def")
    partitions = {one.partitions_def for one in specs if one.partitions_def or not shared}
    if len(partitions) > 1:
        why = "has several partitions definitions, but one call makes the same partitions of all"
        refuse("AssetSpec(partitions_def=…)", why, "make them with several functions")
    keys = {spec.key for spec in specs} | {
        out.key or dg.AssetKey([*(out.key_prefix or ()), key]) for key, out in outs.items()
    }
    for check in given.get("check_specs") or ():
        if check.asset_key not in keys:
            why = f"has a check of {check.asset_key.to_user_string()}, which the function does not make"
            refuse("check_specs=", why, "check it with @dg.asset_check")


def _managers(outs: Mapping[str, dg.AssetOut], specs: Sequence[dg.AssetSpec]) -> list[str]:
    """Return the keys of the outputs' IO managers, each once."""
    found = [out.io_manager_key or _DEFAULT_MANAGER for out in outs.values()]
    found += [str(spec.metadata.get(IO_MANAGER_KEY, _DEFAULT_MANAGER)) for spec in specs]
    return list(dict.fromkeys(found))


def _name(output: str) -> str:
    """Return an output's name as Dagster writes it."""
    return output.replace("-", "_")
