"""The op's function of an asset under `@result_table`: from Dagster's context to the step of the contract."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.signature import code_of, is_subclass, name_of
from jammi_dagster.adapters.assets.spec import TableSpec
from jammi_dagster.adapters.execution import input_ledger
from jammi_dagster.adapters.execution.materialize import materialize
from jammi_dagster.adapters.execution.outputs import BodyOutput, Receiver, direct_result, produce
from jammi_dagster.adapters.execution.step import Step
from jammi_dagster.adapters.execution.step_result import StepResult
from jammi_dagster.adapters.execution.table_step import TableStep
from jammi_dagster.adapters.handoff.kinds import convert, kind_of, lenient_type
from jammi_dagster.adapters.handoff.references import AnyReference
from jammi_dagster.adapters.handoff.store_resource import is_store_backed
from jammi_dagster.errors import InvalidOutput, WrongIOManager

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
            return _run(spec, running, given)
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
    step_context = context.get_step_execution_context()
    step = Step(step_context, context.asset_key, _partitions(context))
    manager = step.resource(step.io_manager_key)
    if not is_store_backed(manager):
        raise WrongIOManager(
            asset=step.asset_key.to_user_string(), key=step.io_manager_key, found=type(manager).__name__
        )
    store = manager.result_store
    loaded = {name: value for name, value in values.items() if name in spec.shape.inputs}
    start = input_ledger.loading(step_context, store).start_sequence
    input_ledger.close(step_context, store)
    tables = TableStep.of(
        step,
        store,
        spec,
        loaded=loaded,
        start_sequence=start,
        config=values.get("config") if spec.shape.has_config else None,
        io_manager=manager.verification,
    )
    return _result(context, materialize(tables, lambda: _output(tables, context, values), manager.policy))


def _partitions(context: dg.AssetExecutionContext) -> Sequence[str] | None:
    if context.assets_def.partitions_def is None:
        return None
    if not context.has_partition_key and not context.has_partition_key_range:
        raise InvalidOutput(
            asset=context.asset_key.to_user_string(),
            why="it has partitions, but the run has none",
            way_out="launch it for a partition, or for a range of them",
        )
    keys: Sequence[str] = context.partition_keys
    return keys


def _output(tables: TableStep, context: dg.AssetExecutionContext, given: Mapping[str, Any]) -> BodyOutput:
    """Call the user's function with the kinds of value that its annotations ask for."""
    spec, values = tables.spec, dict(given)
    for name, annotation in spec.shape.inputs.items():
        value = values.get(name)
        if isinstance(value, AnyReference):
            values[name] = convert(value, kind_of(annotation), parameter=name, reads=tables.reads)
    receiver = Receiver(
        key=context.asset_key,
        output_name=context.assets_def.get_output_name_for_asset_key(context.asset_key),
        log=context.op_execution_context.log_event,
    )
    return produce(lambda: _called(spec, values), receiver)


def _result(context: dg.AssetExecutionContext, result: StepResult) -> dg.MaterializeResult[Any]:
    metadata: Mapping[str, Any] = {}
    if len(result.metadata) == 1:
        metadata = next(iter(result.metadata.values()))
    else:
        for partition, of_partition in result.metadata.items():
            context.add_asset_metadata(of_partition, asset_key=context.asset_key, partition_key=partition)
    return dg.MaterializeResult(
        value=result.value,
        data_version=result.data_version,
        metadata=metadata,
        tags=result.tags,
        check_results=list(result.check_results),
    )
