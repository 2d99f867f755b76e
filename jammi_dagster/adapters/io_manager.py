"""`ResultTableIOManager`: stores and reads result tables, and gives a step the store to probe and record in."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Annotated, Any

import dagster as dg
from pydantic import Field

from jammi_dagster.adapters.assets.cache_policy import policy_of
from jammi_dagster.adapters.assets.declaration import declared_annotation, in_order, is_graph
from jammi_dagster.adapters.assets.formats import may_be_none
from jammi_dagster.adapters.assets.graph import undecorated_spec
from jammi_dagster.adapters.assets.verification import effective_verification
from jammi_dagster.adapters.execution import input_ledger
from jammi_dagster.adapters.execution.graph_step import note_load, plain_step
from jammi_dagster.adapters.execution.inputs import missing_upstream
from jammi_dagster.adapters.execution.materialize import record
from jammi_dagster.adapters.execution.outputs import Receiver, produce
from jammi_dagster.adapters.execution.step import tags_of_step
from jammi_dagster.adapters.execution.table_step import TableStep
from jammi_dagster.adapters.handoff.kinds import (
    convert,
    declared_kind,
    input_kind,
    is_lenient,
    kind_of,
    loaded,
    may_miss,
)
from jammi_dagster.adapters.handoff.references import (
    AnyReference,
    NoReference,
    PartitionReferences,
    ResultReference,
)
from jammi_dagster.adapters.handoff.run_values import RunValues, remove_if_over, was_active
from jammi_dagster.adapters.handoff.store_resource import ResultStoreResource
from jammi_dagster.adapters.metadata_keys import ALLOW_MISSING
from jammi_dagster.adapters.recipe.config import config_of
from jammi_dagster.adapters.recipe.pins import check_pins, resolved_pins
from jammi_dagster.artifacts import VerifiedReads
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract import CachePolicy, TableName, Verification
from jammi_dagster.store import ResultStore

_log = logging.getLogger("jammi_dagster")


class ResultTableIOManager(dg.ConfigurableIOManager):
    """An IO manager that stores assets as result tables.

    Under `@result_table` inputs arrive as references, and the step itself probes and records. A plain
    `@dg.asset` gets its inputs loaded and its output recorded; its body cannot be skipped, so `USE` has no
    effect there. `cache` (`use` or `bypass`) is the policy of assets that state none, `verify_inputs` (`pages`,
    `full` or `off`) their verification of inputs. `pins` is for run config alone: a run with it takes each table there
    from the materialization that stands beside it, by id, sequence or time, as the run tag `jammi/pin` says it.

    `op_io_manager` (an IO manager, a definition of one, or a resource) takes the values that ops of a graph hand to
    each other. By default they lie as pickles below `runs/<run id>` in the store's root, are read by that run and its
    retries alone, and are removed when it ends.
    """

    store: ResultStoreResource
    # with factories, run config that gives one of them leaves the others as code has them
    cache: str = Field(default_factory=lambda: "bypass")
    verify_inputs: str = Field(default_factory=lambda: "pages")
    pins: dict[str, Any] = Field(default_factory=dict)
    # Dagster's mark of a field that takes any resource
    op_io_manager: Annotated[Any, "resource_dependency"] = None

    @property
    def policy(self) -> CachePolicy:
        """The policy of assets that state none. Raises `InvalidPolicy`."""
        return policy_of(self.cache, where="ResultTableIOManager(cache=…)")

    @property
    def verification(self) -> Verification:
        """The verification of inputs of assets that state none. Raises `InvalidField`."""
        return Verification.parse(self.verify_inputs, of="ResultTableIOManager", field="verify_inputs")

    @property
    def result_store(self) -> ResultStore:
        """The open store."""
        return self.store.get()

    @property
    def _op_values(self) -> Any:
        """The IO manager of values that ops hand to each other."""
        return RunValues(self.result_store) if self.op_io_manager is None else self.op_io_manager

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Remove the values that ops of the run handed to each other, once no step of it needs them any more."""
        if context.run is not None and context.instance is not None and was_active(context.run.run_id):
            try:
                remove_if_over(self.result_store, context.run, context.instance)
            except Exception as error:  # whatever a storage raises: the run has done its work
                _log.warning(
                    "run %s: its op values are left to a recovery: %s",
                    context.run.run_id,
                    type(error).__name__,
                )

    def load_input(self, context: dg.InputContext) -> Any:
        """Return a reference where the input's type is ours; otherwise a value of its annotation.

        Without an annotation it is of the kind that the upstream asset declares to return; where that declares none,
        the frame of pandas that was returned, or a `pa.Table`. Outside of a step, as for `load_asset_value`, the record
        tells the declared kind. An upstream with several partitions gives a dict, partition -> table, in the order of
        their definition. Raises `MissingUpstream`, `UnsupportedInput`, and `ArtifactCorrupt` for other bytes than the
        recorded ones.
        """
        if not context.has_asset_key:
            return self._op_values.load_input(context)
        store, kind = self.result_store, kind_of(context.dagster_type.typing_type)
        step_context = _step_context(context)
        is_internal = False
        now = None if step_context is None else input_ledger.loading(step_context, store)
        references = _references(context, store, step_context, by_partition=kind.by_partition)
        if now is not None:
            now.references[context.name] = references
            is_internal = note_load(step_context, store, context.name, now.start_sequence, references)
        if is_lenient(context.dagster_type):
            return references
        is_untyped = (step_context is None or is_internal) and kind.any_shape
        tags = {} if step_context is None else tags_of_step(step_context)
        verification = effective_verification(tags=tags, decorator=None, io_manager=self.verification)
        with VerifiedReads(verification) as reads:
            if is_untyped:
                return loaded(references, declared_kind(references), reads=reads)
            if step_context is not None:
                graph = step_context.job_def.asset_layer.asset_graph.source_asset_graph
                declared = declared_annotation(graph.get(context.asset_key))
                kind = input_kind(context.dagster_type.typing_type, declared)
            return convert(references, kind, parameter=_shown_name(context), reads=reads)

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Record the table of a plain asset. A reference was recorded already, by the step that hands it over.

        A virtual asset has nothing to be recorded.
        """
        if isinstance(obj, (ResultReference, PartitionReferences)):
            return
        if obj is None and _is_virtual(context):
            return
        if not context.has_asset_key:
            self._op_values.handle_output(context, obj)
            return
        store, partitions = self.result_store, None
        if context.has_asset_partitions:
            keys = list(context.asset_partition_keys)
            partitions = in_order(context.asset_partitions_def, keys, context.step_context.instance)
        step = plain_step(context.step_context, context.asset_key, partitions)
        spec = undecorated_spec(step)
        loads = step.loads(store, spec)
        tables = TableStep.of(
            step,
            store,
            spec,
            loaded=loads.references,
            start_sequence=loads.start_sequence,
            config=config_of(spec, step.op_config),
            is_plain=True,
            unsettled=loads.unsettled,
            siblings=loads.siblings,
        )
        policy = tables.policy(self.policy)
        if policy is CachePolicy.USE:
            step.tell_of_policy()
        takes_none = may_be_none(spec.shape.output, spec.format)
        receiver = Receiver(key=context.asset_key, takes_none=takes_none)
        result = record(tables, produce(lambda: obj, receiver), policy)
        for partition, metadata in result.metadata.items():
            only = partition if len(result.metadata) > 1 else None
            context.step_context.add_asset_metadata(metadata, step.asset_key, only)
        # the other outputs of a multi-asset still need the references
        if len(step.assets_def.keys) == 1 or is_graph(step.assets_def):
            input_ledger.close(context.step_context, store)
        # the one way to set it from an IO manager
        context.step_context.set_data_version(context.asset_key, result.data_version)


def _is_virtual(context: dg.OutputContext) -> bool:
    """Tell an asset that stores nothing by its definition: a view, or a table that another system keeps."""
    if not context.has_asset_key:
        return False
    spec = context.step_context.job_def.asset_layer.get(context.asset_key).assets_def.get_asset_spec(
        context.asset_key
    )
    return bool(getattr(spec, "is_virtual", False))  # since Dagster 1.13


def _step_context(context: dg.InputContext) -> Any:
    """Return the context of the step that loads, or None where a value is loaded outside of a run."""
    try:
        return context.step_context
    except dg.DagsterInvariantViolationError:
        return None


def _shown_name(context: dg.InputContext) -> str:
    """Return the parameter's name; the asset's key where a value is loaded outside of a step."""
    return context.name if context.has_input_name else context.asset_key.to_user_string()


def _references(
    context: dg.InputContext, store: ResultStore, step_context: Any, *, by_partition: bool
) -> AnyReference:
    """Return the upstream's tables: those that the run is pinned to, that it made, or the current ones."""
    key = context.asset_key
    partitions = _partitions(context)
    if partitions == []:
        return NoReference()
    wanted: Sequence[str | None] = [None] if partitions is None else partitions
    names = {str(TableName.of(key.path, partition)): partition for partition in wanted}
    found: dict[str, MaterializationRecord] = {}
    if step_context is not None:
        tags = tags_of_step(step_context)
        check_pins(tags, step_context.job_def.asset_layer.asset_graph, step_context.instance)
        found = store.reader.of_run(step_context.run_id, names)
        found |= resolved_pins(store, tags, names)
    if rest := [table for table in names if table not in found]:
        found = store.reader.current_of(rest) | found
    missing = [table for table in names if table not in found]
    several = partitions is not None and (by_partition or len(partitions) > 1)
    told = (context.definition_metadata or {}).get(ALLOW_MISSING) or may_miss(context.dagster_type)
    if missing and not (partitions is not None and told):
        raise missing_upstream(f"input {_shown_name(context)}", key, missing, store)
    references = {
        str(partition): ResultReference.of(store, found[table])
        for table, partition in names.items()
        if table in found
    }
    if several:
        return PartitionReferences(references)
    return next(iter(references.values()), NoReference())


def _partitions(context: dg.InputContext) -> list[str] | None:
    """Return the upstream partitions, in the order of their definition; None where the upstream has none."""
    if not context.has_asset_partitions:
        return None
    keys = list(context.asset_partition_keys)
    if len(keys) < 2:
        return keys
    return in_order(context.asset_partitions_def, keys, _instance(context))


def _instance(context: dg.InputContext) -> dg.DagsterInstance | None:
    """Return the instance; None where a value is loaded without one. Only dynamic partitions need it."""
    try:
        return context.instance
    except dg.DagsterInvariantViolationError:
        return None
