"""`ResultTableIOManager`: stores and reads result tables, and gives a step the store to probe and record in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.cache_policy import policy_of
from jammi_dagster.adapters.assets.declaration import in_order
from jammi_dagster.adapters.assets.spec import plain_spec
from jammi_dagster.adapters.assets.verification import effective_verification
from jammi_dagster.adapters.execution import input_ledger
from jammi_dagster.adapters.execution.inputs import missing_upstream
from jammi_dagster.adapters.execution.materialize import record
from jammi_dagster.adapters.execution.outputs import Receiver, produce
from jammi_dagster.adapters.execution.step import Step
from jammi_dagster.adapters.execution.table_step import TableStep
from jammi_dagster.adapters.handoff.kinds import convert, declared_kind, is_lenient, kind_of, loaded, may_miss
from jammi_dagster.adapters.handoff.references import (
    AnyReference,
    NoReference,
    PartitionReferences,
    ResultReference,
)
from jammi_dagster.adapters.handoff.store_resource import ResultStoreResource
from jammi_dagster.adapters.metadata_keys import ALLOW_MISSING
from jammi_dagster.adapters.recipe.config import config_of
from jammi_dagster.artifacts import VerifiedReads
from jammi_dagster.contract import CachePolicy, TableName, Verification
from jammi_dagster.errors import InvalidOutput
from jammi_dagster.store import ResultStore


class ResultTableIOManager(dg.ConfigurableIOManager):
    """An IO manager that stores assets as result tables.

    Under `@result_table` inputs arrive as references, and the step itself probes and records. A plain
    `@dg.asset` gets its inputs loaded and its output recorded; its body cannot be skipped, so `USE` has no
    effect there. `cache` (`use` or `bypass`) is the policy of assets that state none, `verify_inputs` (`pages`,
    `full` or `off`) their verification of inputs.
    """

    store: ResultStoreResource
    cache: str = "bypass"
    verify_inputs: str = "pages"

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

    def load_input(self, context: dg.InputContext) -> Any:
        """Return a reference where the input's type is ours; otherwise a value of its annotation, or a `pa.Table`.

        Outside of a step, as for `load_asset_value`, a value without a type is of the kind that the upstream asset
        declares to return. An upstream with several partitions gives a dict, partition -> table, in the order of
        their definition. Raises `MissingUpstream`, `UnsupportedInput`, and `ArtifactCorrupt` for other bytes than the
        recorded ones.
        """
        if not context.has_asset_key:
            raise _not_an_asset(context.name)
        store, kind = self.result_store, kind_of(context.dagster_type.typing_type)
        step_context = _step_context(context)
        now = None if step_context is None else input_ledger.loading(step_context, store)
        references = _references(context, store, step_context, by_partition=kind.by_partition)
        if now is not None:
            now.references[context.name] = references
        if is_lenient(context.dagster_type):
            return references
        is_untyped = step_context is None and kind.any_shape
        tags = {} if step_context is None else step_context.dagster_run.tags
        verification = effective_verification(tags=tags, decorator=None, io_manager=self.verification)
        with VerifiedReads(verification) as reads:
            if is_untyped:
                return loaded(references, declared_kind(references), reads=reads)
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
            raise _not_an_asset(context.name)
        store, partitions = self.result_store, None
        if context.has_asset_partitions:
            keys = list(context.asset_partition_keys)
            partitions = in_order(context.asset_partitions_def, keys, context.step_context.instance)
        step = Step(context.step_context, context.asset_key, partitions)
        now, spec = input_ledger.loading(context.step_context, store), plain_spec(step)
        tables = TableStep.of(
            step,
            store,
            spec,
            loaded=now.references,
            start_sequence=now.start_sequence,
            config=config_of(spec, step.op_config),
            is_plain=True,
        )
        if tables.policy(self.policy) is CachePolicy.USE:
            step.log.warning(_USE_ON_PLAIN.format(asset=context.asset_key.to_user_string()))
        result = record(tables, produce(lambda: obj, Receiver(key=context.asset_key)))
        for partition, metadata in result.metadata.items():
            only = partition if len(result.metadata) > 1 else None
            context.step_context.add_asset_metadata(metadata, step.asset_key, only)
        if len(step.assets_def.keys) == 1:  # the other outputs of a multi-asset still need the references
            input_ledger.close(context.step_context, store)
        # the one way to set it from an IO manager
        context.step_context.set_data_version(context.asset_key, result.data_version)


_USE_ON_PLAIN = (
    "{asset}: the cache policy is `use`, but Dagster runs the body of a plain @dg.asset in any case; "
    "decorate it with @result_table to reuse its table"
)


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
    """Return the upstream's tables that this run made, otherwise the current ones."""
    key = context.asset_key
    partitions = _partitions(context)
    if partitions == []:
        return NoReference()
    wanted: Sequence[str | None] = [None] if partitions is None else partitions
    names = {str(TableName.of(key.path, partition)): partition for partition in wanted}
    found = {} if step_context is None else store.reader.of_run(step_context.run_id, names)
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


def _not_an_asset(name: str) -> InvalidOutput:
    return InvalidOutput(
        asset=f"(op value {name})",
        why="a ResultTableIOManager stores assets, not values that ops hand to each other",
        way_out="give that op's output another io_manager_key",
    )
