"""The op's function of an asset under `@result_table`: from Dagster's context to the step of the contract."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.formats import may_be_none
from jammi_dagster.adapters.assets.signature import code_of, is_subclass, name_of
from jammi_dagster.adapters.assets.spec import TableSpec, spec_of
from jammi_dagster.adapters.execution import input_ledger
from jammi_dagster.adapters.execution.materialize import materialize
from jammi_dagster.adapters.execution.narrowed_context import narrowed
from jammi_dagster.adapters.execution.outputs import BodyOutput, Receiver, direct_result, produce
from jammi_dagster.adapters.execution.step import Step
from jammi_dagster.adapters.execution.step_result import StepResult, is_left_out
from jammi_dagster.adapters.execution.table_step import TableStep
from jammi_dagster.adapters.execution.tables_compute import Function, materialize_members
from jammi_dagster.adapters.execution.tables_step import Member
from jammi_dagster.adapters.handoff.kinds import convert, lenient_type
from jammi_dagster.adapters.handoff.references import AnyReference
from jammi_dagster.adapters.handoff.store_resource import StoreBacked, is_store_backed
from jammi_dagster.errors import InvalidOutput, WrongIOManager
from jammi_dagster.planning.siblings import in_order

_running_bodies: ContextVar[tuple[object, ...]] = ContextVar("running_bodies", default=())


def body_of(spec: TableSpec) -> Callable[..., Any]:
    """Return the op's function: it has the parameters of the user's function, and runs the step of the contract.

    Its inputs are annotated with types that let a reference through. Outside of its own step, as in a unit test, it
    calls the user's function with the values that Dagster's direct invocation gives it.
    """

    def body(*context: Any, **arguments: Any) -> Any:
        given: dict[str, Any] = dict(arguments)
        if context:
            given[str(spec.shape.context)] = context[0]
        running = _running(body)
        if running is None:
            return direct_result(_called(spec, given))
        token = _running_bodies.set((*_running_bodies.get(), body))
        try:
            if not spec.outputs:
                return _run(spec, running, given)
            if not running.selected_asset_keys:  # checks alone: Dagster takes their results as they are
                return _called(spec, given)
            return _run_tables(spec, running, given)
        finally:
            _running_bodies.reset(token)

    parameters = [
        one.replace(annotation=_seen(spec, one.name)) if one.name in spec.shape.inputs else one
        for one in spec.shape.parameters
    ]
    annotations = {p.name: p.annotation for p in parameters if p.annotation is not inspect.Parameter.empty}
    body.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # a function takes any
    body.__annotations__ = annotations
    body.__name__ = name_of(spec.function)
    body.__qualname__ = getattr(spec.function, "__qualname__", body.__name__)
    code = code_of(spec.function)
    body.__module__, body.__doc__ = code.__module__, code.__doc__
    body.result_table = spec  # type: ignore[attr-defined]  # a function takes any
    return body


def _seen(spec: TableSpec, parameter: str) -> Any:
    """Return the annotation of an input as Dagster sees it, which has rules for its own config and resource classes."""
    annotation = spec.shape.inputs[parameter]
    if is_subclass(annotation, dg.Config, dg.ResourceDefinition):
        return annotation
    return lenient_type(annotation, may_miss=spec.allow_missing)


def _running(body: object) -> dg.AssetExecutionContext | None:
    """Return the context of the step that runs this body; None for a direct call, also within another step."""
    try:
        context = dg.AssetExecutionContext.get()
    except dg.DagsterInvariantViolationError:
        return None
    function = getattr(context.op_def.compute_fn, "decorated_fn", None)
    return context if function is body and body not in _running_bodies.get() else None


def _called(spec: TableSpec, values: Mapping[str, Any]) -> Any:
    """Call the user's function with values by name."""
    named = dict(values)
    positional = [named.pop(name) for name in spec.shape.positional_only if name in named]
    return spec.function(*positional, **named)


def _run(
    spec: TableSpec, context: dg.AssetExecutionContext, values: Mapping[str, Any]
) -> dg.MaterializeResult[Any]:
    (tables,), manager = _tables_of(spec, context, values, [context.asset_key])
    result = materialize(tables, lambda: _output(tables, context, values), manager.policy)
    return _result(context, tables.step.asset_key, result)


def _run_tables(
    spec: TableSpec, context: dg.AssetExecutionContext, values: Mapping[str, Any]
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Make the selected assets of the step, and give their results in the order that Dagster wants: upstream first."""
    selected = sorted(context.selected_asset_keys)
    steps, manager = _tables_of(spec, context, values, selected)
    members = {one.step.asset_key.to_user_string(): Member.of(one, selected) for one in steps}
    above = {
        name: [key.to_user_string() for key in (*one.inside, *one.given)] for name, one in members.items()
    }

    @contextmanager
    def calling(keys: Collection[dg.AssetKey]) -> Iterator[Callable[[], Any]]:
        with narrowed(context, keys) as seen:
            given = dict(values)
            if spec.shape.context is not None:
                is_op = not isinstance(given[spec.shape.context], dg.AssetExecutionContext)
                given[spec.shape.context] = seen.op_execution_context if is_op else seen
            yield lambda: _called(spec, _converted(steps, given))

    function = Function(
        calling=calling,
        log=context.op_execution_context.log_event,
        can_subset=context.assets_def.can_subset,
        checks=sorted(one for one in context.selected_asset_check_keys if one.asset_key not in selected),
    )
    results = materialize_members([members[name] for name in in_order(above)], function, manager.policy)
    made = [_result(context, key, result) for key, result in results.items() if not is_left_out(result)]
    found: list[dg.MaterializeResult[Any] | dg.AssetCheckResult] = [*made, *function.check_results]
    return (result for result in found)  # of iterators Dagster takes generators alone


def _tables_of(
    spec: TableSpec,
    context: dg.AssetExecutionContext,
    values: Mapping[str, Any],
    keys: Sequence[dg.AssetKey],
) -> tuple[list[TableStep], StoreBacked]:
    """Return what the step makes of each asset, and the IO manager that they share. Raises `WrongIOManager`."""
    step_context, partitions = context.get_step_execution_context(), _partitions(context)
    steps = [Step(step_context, key, partitions) for key in keys]
    manager = steps[0].resource(steps[0].io_manager_key)
    if not is_store_backed(manager):
        key = steps[0].io_manager_key
        raise WrongIOManager(asset=keys[0].to_user_string(), key=key, found=type(manager).__name__)
    store = manager.result_store
    start = input_ledger.loading(step_context, store).start_sequence
    input_ledger.close(step_context, store)
    found = []
    for step in steps:
        names = {dependency.input_name for dependency in step.dependencies}
        inputs = names & spec.shape.inputs.keys() if spec.outputs else spec.shape.inputs
        tables = TableStep.of(
            step,
            store,
            spec_of(step.assets_def, step.asset_key) or spec,
            loaded={name: value for name, value in values.items() if name in inputs},
            start_sequence=start,
            config=values.get("config") if spec.shape.has_config else None,
            io_manager=manager.verification,
        )
        found.append(tables)
    return found, manager


def _partitions(context: dg.AssetExecutionContext) -> Sequence[str] | None:
    if context.assets_def.partitions_def is None:
        return None
    if not context.has_partition_key and not context.has_partition_key_range:
        raise InvalidOutput(
            asset=", ".join(sorted(key.to_user_string() for key in context.selected_asset_keys)),
            why="it has partitions, but the run has none",
            way_out="launch it for a partition, or for a range of them",
        )
    keys: Sequence[str] = context.partition_keys
    return keys


def _output(tables: TableStep, context: dg.AssetExecutionContext, given: Mapping[str, Any]) -> BodyOutput:
    """Call the user's function with the kinds of value that its annotations ask for."""
    spec, values = tables.spec, _converted([tables], given)
    receiver = Receiver(
        key=context.asset_key,
        takes_none=may_be_none(spec.shape.output, spec.format),
        stores_elsewhere=bool(spec.writes),
        output_name=context.assets_def.get_output_name_for_asset_key(context.asset_key),
        log=context.op_execution_context.log_event,
    )
    return produce(lambda: _called(spec, values), receiver)


def _converted(steps: Sequence[TableStep], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the function's values, each reference as the kind of value that its input has."""
    kinds = dict(steps[0].recipe.kinds)
    for one in steps:  # each knows the kinds of its own inputs
        kinds.update((name, one.recipe.kinds[name]) for name in one.recipe.inputs)
    values = dict(given)
    for name, kind in kinds.items():
        value = values.get(name)
        if isinstance(value, AnyReference):
            values[name] = convert(value, kind, parameter=name, reads=steps[0].reads)
    return values


def _result(
    context: dg.AssetExecutionContext, key: dg.AssetKey, result: StepResult
) -> dg.MaterializeResult[Any]:
    for partition, metadata in result.metadata.items():
        # that of the output would stand on its own event too, once more
        only = partition if len(result.metadata) > 1 else None
        context.add_asset_metadata(metadata, asset_key=key, partition_key=only)
    return dg.MaterializeResult(
        asset_key=key,
        value=result.value,
        data_version=result.data_version,
        tags=result.tags,
        check_results=[_of_asset(one, key) for one in result.check_results],
    )


def _of_asset(one: dg.AssetCheckResult, key: dg.AssetKey) -> dg.AssetCheckResult:
    """Return the result of a check with its asset, which Dagster wants where a step makes several."""
    return dg.AssetCheckResult(
        passed=one.passed,
        asset_key=key,
        check_name=one.check_name,
        metadata=one.metadata,
        severity=one.severity,
        description=one.description,
    )
