"""The op's function of an asset under `@result_table`: from Dagster's context to the step of the contract."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.spec import TableSpec
from jammi_dagster.adapters.execution import input_ledger
from jammi_dagster.adapters.execution.materialize import materialize
from jammi_dagster.adapters.execution.outputs import BodyOutput, produce
from jammi_dagster.adapters.execution.step import Step
from jammi_dagster.adapters.execution.step_result import StepResult
from jammi_dagster.adapters.execution.table_step import TableStep
from jammi_dagster.adapters.handoff.kinds import convert, kind_of
from jammi_dagster.adapters.handoff.references import AnyReference
from jammi_dagster.adapters.handoff.store_resource import is_store_backed
from jammi_dagster.errors import InvalidOutput, WrongIOManager


def body_of(spec: TableSpec) -> Callable[..., Any]:
    """Return the op's function: the signature that Dagster needs, in front of the step of the contract."""

    def body(context: Any, **arguments: Any) -> Any:
        return _run(spec, context, arguments)

    shape = spec.shape
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter("context", kind, annotation=dg.AssetExecutionContext)]
    if shape.has_config:
        parameters.append(inspect.Parameter("config", kind, annotation=shape.config_annotation))
    parameters.extend(inspect.Parameter(name, kind) for name in shape.inputs)
    annotations = {p.name: p.annotation for p in parameters if p.annotation is not inspect.Parameter.empty}
    body.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    body.__annotations__ = annotations
    body.__name__, body.__qualname__ = spec.function.__name__, spec.function.__qualname__
    body.__module__, body.__doc__ = spec.function.__module__, spec.function.__doc__
    body.result_table = spec  # type: ignore[attr-defined]
    return body


def _run(
    spec: TableSpec, context: dg.AssetExecutionContext, arguments: Mapping[str, Any]
) -> dg.MaterializeResult[Any]:
    step_context = context.get_step_execution_context()
    step = Step(step_context, context.asset_key, _partitions(context))
    manager = getattr(context.resources, step.io_manager_key)
    if not is_store_backed(manager):
        raise WrongIOManager(
            asset=step.asset_key.to_user_string(), key=step.io_manager_key, found=type(manager).__name__
        )
    store = manager.result_store
    loaded = {name: value for name, value in arguments.items() if name in spec.shape.inputs}
    start = input_ledger.loading(step_context, store).start_sequence
    input_ledger.close(step_context, store)
    tables = TableStep.of(
        step,
        store,
        spec,
        loaded=loaded,
        start_sequence=start,
        config=arguments.get("config"),
        io_manager=manager.verification,
    )
    return _result(context, materialize(tables, lambda: _call(tables, context, arguments), manager.policy))


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


def _call(tables: TableStep, context: dg.AssetExecutionContext, arguments: Mapping[str, Any]) -> BodyOutput:
    """Call the user's function with the kinds of value that its annotations ask for."""
    spec, values = tables.spec, dict(arguments)
    for name, annotation in spec.shape.inputs.items():
        value = values[name]
        if isinstance(value, AnyReference):
            values[name] = convert(value, kind_of(annotation), parameter=name, reads=tables.reads)
    for key in spec.shape.resources:
        values[key] = getattr(context.resources, key)
    if spec.shape.context is not None:
        wants_op = spec.shape.context_annotation is dg.OpExecutionContext
        values[spec.shape.context] = context.op_execution_context if wants_op else context
    return produce(lambda: spec.function(**values), asset=context.asset_key.to_user_string())


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
