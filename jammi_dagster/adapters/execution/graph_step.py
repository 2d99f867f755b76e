"""Steps of a graph that makes assets: each op is a step of its own, and the one that gives an asset records its table.

What the other steps loaded for inputs of the graph is noted in the store, for the step that records.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.built_resources import built_resource
from jammi_dagster.adapters.assets.declaration import (
    graph_around,
    graph_output,
    inputs_of_ops,
    ops_config,
    siblings_of,
)
from jammi_dagster.adapters.assets.graph import ops_of
from jammi_dagster.adapters.assets.partitions import mapped_partitions
from jammi_dagster.adapters.assets.spec import TableSpec
from jammi_dagster.adapters.execution import input_ledger
from jammi_dagster.adapters.execution.reused_event import is_marked
from jammi_dagster.adapters.execution.step import Step
from jammi_dagster.adapters.handoff.references import ResultReference, references_in
from jammi_dagster.adapters.handoff.run_values import Load, loads_of, run_chain
from jammi_dagster.adapters.handoff.run_values import note_load as note
from jammi_dagster.adapters.recipe.config import NotRecordable
from jammi_dagster.contract import TableName
from jammi_dagster.contract.tables import asset_of
from jammi_dagster.errors import InvalidOutput
from jammi_dagster.store import ResultStore

_USE_ON_PLAIN = (
    "{asset}: the cache policy is `use`, but Dagster runs the body of a plain @dg.asset in any case; "
    "decorate it with @result_table to reuse its table"
)
_USE_ON_GRAPH = (
    "{asset}: the cache policy is `use`, but its graph of ops was run: only an executor under reuse_first skips the "
    "ops of a graph; give the definitions one with finalize(defs, reuse_first=True)"
)
_MOVED = "the input {name} changed between two steps of the graph that read it; the next run sees it settled"
_OF_ANOTHER_RUN = "another run made {name} anew before a step of this retry read it; run the graph again"
_WITHIN = ""  # the name under which a load of an asset of the graph itself is noted


@dataclass(frozen=True, slots=True, kw_only=True)
class Loads:
    """The references that a step's inputs were loaded from, by input name, and the place of the step among all starts.

    `unsettled` are the reasons why a reference may not be what was read. `siblings` are the digests of other tables of
    the graph that the run reads and does not make.
    """

    references: Mapping[str, Any]
    start_sequence: int
    unsettled: tuple[str, ...] = ()
    siblings: Mapping[str, str] = field(default_factory=dict)


class PlainStep(Step):
    """A step of a plain `@dg.asset`."""

    def loads(self, store: ResultStore, spec: TableSpec) -> Loads:
        """Return what the step loaded before its body ran."""
        now = input_ledger.loading(self._context, store)
        return Loads(references=now.references, start_sequence=now.start_sequence)

    def tell_of_policy(self) -> None:
        """Warn that a policy of reuse has no effect."""
        self.log.warning(_USE_ON_PLAIN.format(asset=self.asset_key.to_user_string()))


class GraphStep(PlainStep):
    """The step of a graph that gives the value of an asset, as if it were that of the whole graph."""

    @functools.cached_property
    def assets_def(self) -> dg.AssetsDefinition:
        """The definition of the graph."""
        found = graph_of(self._context)
        assert found is not None, "a step of a graph"
        return found

    def resource(self, key: str) -> Any:
        """Return a resource as it was configured; one of another op is set up once more, and closed.

        Raises `NotRecordable` where it cannot be set up.
        """
        if hasattr(self._context.resources, key):
            return super().resource(key)
        config = self._context.resolved_run_config.original_config_dict.get("resources") or {}
        try:
            return built_resource(
                self._context.job_def.resource_defs, key, instance=self.instance, config=config
            )
        except Exception as error:  # of the author's code
            raise NotRecordable(f"it cannot be set up beside its own op: {type(error).__name__}") from error

    def check_values(self) -> None:
        """Raise `InvalidOutput` where a dynamic op left no values, as the run that this one goes on with reused it.

        To Dagster it is an op that gave none, and what collects them gets an empty list.
        """
        steps = self._context.dagster_run.step_keys_to_execute
        if steps is None:
            return
        dynamic = {
            f"{self.node_name}.{node}"
            for node, op in ops_of(self._context.job_def.graph.node_named(self.node_name).definition)
            if any(output.is_dynamic for output in op.output_dict.values())
        }
        for step in sorted(dynamic - set(steps)):
            if run := self._reused_by(step):
                raise InvalidOutput(
                    asset=self.asset_key.to_user_string(),
                    why=f"run {run} reused its graph, so that op {step} gave no values to this run",
                    way_out="launch a new run, or re-execute all ops of the graph",
                )

    def _reused_by(self, step: str) -> str | None:
        """Return the last run above this one that did a step, where it reused it."""
        for run in self._runs[1:]:
            for entry in self.instance.all_logs(run, of_type=dg.DagsterEventType.STEP_SUCCESS):
                if entry.step_key == step:
                    return run if is_marked(entry.dagster_event) else None
        return None

    def loads(self, store: ResultStore, spec: TableSpec) -> Loads:
        """Return what the steps of the graph loaded for its inputs, in this run or in one that it retries."""
        self.check_values()
        own = input_ledger.loading(self._context, store)
        references: dict[str, Any] = {}
        within: list[ResultReference] = []
        unsettled: dict[str, None] = {}
        start, run = own.start_sequence, self._context.dagster_run
        for load in loads_of(store, run, self.instance, self.node_name):
            start = min(start, load.start_sequence)
            if load.input_name == _WITHIN:
                within += load.value
            elif load.input_name not in spec.shape.inputs:
                continue  # of ops that make other assets
            elif references.setdefault(load.input_name, load.value) != load.value:
                unsettled[_MOVED.format(name=load.input_name)] = None
        unsettled.update(dict.fromkeys(self._of_others(store, within)))
        derived = {str(TableName.of(key.path)) for key in siblings_of(self.assets_def, self.asset_key)}
        siblings: dict[str, str] = {}
        for one in (one for one in within if asset_of(one.table) in derived):
            if siblings.setdefault(one.table, one.artifact_digest) != one.artifact_digest:
                unsettled[_MOVED.format(name=one.table)] = None
        return Loads(
            references=references, start_sequence=start, unsettled=tuple(unsettled), siblings=siblings
        )

    def _of_others(self, store: ResultStore, within: Sequence[ResultReference]) -> Iterator[str]:
        """Yield the reasons for tables of the graph that the run makes, and of which a step read another run's."""
        selected = {str(TableName.of(key.path)) for key in self.assets_def.keys}
        records = store.reader.records(one.materialization_id for one in within)
        for one in within:
            record = records.get(one.materialization_id)
            is_own = record is not None and record.produced_by in self._runs
            if asset_of(one.table) in selected and not is_own:
                yield _OF_ANOTHER_RUN.format(name=one.table)

    def tell_of_policy(self) -> None:
        """Warn that a policy of reuse has no effect, once in a run."""
        if self.asset_key == min(self.assets_def.keys) and not self.reuses_first:
            self.log.warning(_USE_ON_GRAPH.format(asset=self.asset_key.to_user_string()))

    @property
    def op_config(self) -> Any:
        """Dagster's validated config of each op."""
        return ops_config(self._context.resolved_run_config.ops, self.node_name)

    def added_metadata(self, partition: str | None) -> dict[str, Any]:
        """Return the metadata that the op gave its context: for the output, the asset, or this partition."""
        output = graph_output(self.assets_def, self.asset_key).definition.name
        return {
            **(self._context.get_output_metadata(output) or {}),
            **super().added_metadata(partition),
        }

    def upstream_partitions(self, key: dg.AssetKey, input_name: str | None) -> tuple[str, ...] | None:
        """Return the partitions of a dependency of the graph; within it, the partitions that the step makes."""
        if input_name is None:
            return self.partitions
        graph = self._context.job_def.asset_layer.asset_graph
        return mapped_partitions(graph, self.instance, self.asset_key, self.partitions, key)

    def _is_after_start(self, key: dg.AssetKey, storage_id: int, run_id: str = "") -> bool:
        """Tell if an event may have come after a step of the graph read the asset.

        All steps began after the run was planned; a table that the run itself made was there before a step read it.
        """
        if run_id in self._runs:
            return False
        return self._planned is None or storage_id > self._planned

    @functools.cached_property
    def _runs(self) -> list[str]:
        """The run, and those that it retries."""
        return run_chain(self._context.dagster_run, self.instance)

    @functools.cached_property
    def _planned(self) -> int | None:
        """The place of the event by which the first of the runs planned the asset; None if a later run planned it."""
        storage = self.instance.event_log_storage
        for partition in (None, *self.partition_keys):
            planned = storage.get_latest_planned_materialization_info(self.asset_key, partition=partition)
            if planned is not None and planned.run_id == self._runs[-1]:
                return int(planned.storage_id)
        return None


def graph_of(step_context: Any) -> dg.AssetsDefinition | None:
    """Return the asset that the graph of a step makes; None for a step that is no part of one."""
    return graph_around(step_context.job_def, step_context.node_handle)


def plain_step(context: Any, key: dg.AssetKey, partitions: Sequence[str] | None) -> PlainStep:
    """Return the step that records an asset which runs in any case: a plain one, or that of a graph."""
    kind = PlainStep if graph_of(context) is None else GraphStep
    return kind(context, key, partitions)


def note_load(step_context: Any, store: ResultStore, name: str, start_sequence: int, references: Any) -> bool:
    """Note what a step of a graph loaded for an input of the graph; return True for an asset of the graph itself.

    One that the run did not make is noted: a retry, or a run without that asset, finds the latest under its name, which
    may come from other inputs.
    """
    graph = graph_of(step_context)
    if graph is None:
        return False
    name_of_graph, *below_it = step_context.node_handle.path
    node = ".".join(below_it)
    for given in graph.keys_by_input_name:
        if any(below == node and one.name == name for below, one in inputs_of_ops(graph.node_def, given)):
            load = Load(step_context.step.key, given, start_sequence, references)
            note(store, step_context.run_id, name_of_graph, load)
            return False
    found = references_in(references)
    made = store.reader.of_run(step_context.run_id, [one.table for one in found])
    others = [one for one in found if one.table not in made]
    if others:
        load = Load(step_context.step.key, _WITHIN, start_sequence, others)
        note(store, step_context.run_id, name_of_graph, load)
    return True
