"""The events of reused steps: as few as Dagster needs, in few transactions where the storage can.

Materializations of one level are stored before those of the next one, which point to them.
"""

from __future__ import annotations

import itertools
import logging
import os
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.events import DagsterEvent, StepMaterializationData
from dagster._core.events.log import EventLogEntry
from dagster._core.execution.plan.objects import StepSuccessData, TypeCheckData
from dagster._core.execution.plan.outputs import StepOutputData, StepOutputHandle
from dagster._core.execution.plan.step import ExecutionStep
from dagster._utils.interrupts import pop_captured_interrupt

from jammi_dagster.adapters.code_location.input_events import InputEvents
from jammi_dagster.adapters.event_log_storage import STEPS_AT_ONCE, BatchingStorage, together
from jammi_dagster.adapters.execution.reused_event import MARK, ReusedAsset, check_evaluations, is_marked
from jammi_dagster.adapters.executor.decision import Reused, ReusedStep
from jammi_dagster.adapters.metadata_keys import PARTITION_TAG, REUSED

_Kind = dg.DagsterEventType
_KINDS = {
    _Kind.STEP_START,
    _Kind.STEP_OUTPUT,
    _Kind.ASSET_MATERIALIZATION,
    _Kind.ASSET_CHECK_EVALUATION,
    _Kind.STEP_SUCCESS,
}


def told_before(instance: dg.DagsterInstance, run_id: str) -> Counter[tuple[str | None, str]]:
    """Count the events that an executor of ours stored for this run before it died, by step and kind."""
    told: Counter[tuple[str | None, str]] = Counter()
    for entry in instance.all_logs(run_id, of_type=_KINDS):
        event = entry.dagster_event
        if event is not None and is_marked(event):
            told[event.step_key, event.event_type_value] += 1
    return told


def stop_if_asked() -> None:
    """Raise `DagsterExecutionInterruptedError` where the run is asked to stop."""
    if pop_captured_interrupt():
        raise dg.DagsterExecutionInterruptedError()


class Emission:
    """The events of one run. `told` are those that are stored already, which are not stored again."""

    def __init__(self, run: dg.DagsterRun, instance: dg.DagsterInstance) -> None:
        self._run, self._instance = run, instance
        self._inputs = InputEvents(instance)
        self._told: Counter[tuple[str | None, str]] = Counter()
        storage = instance.event_log_storage
        self._batching = storage if isinstance(storage, BatchingStorage) else None

    def resume(self) -> set[str]:
        """Take note of the events that are stored already; return the steps that they finish."""
        self._told = told_before(self._instance, self._run.run_id)
        return {str(step) for step, kind in self._told if kind == _Kind.STEP_SUCCESS.value}

    def repair(self, run_id: str) -> None:
        """Let Dagster's index of assets catch up with the log of a run whose worker was killed."""
        if self._batching is not None:
            self._batching.mirror(run_id)

    def rehearse(self, step: ExecutionStep) -> None:
        """Make events of a step without storing them, to see if Dagster's parts are there."""
        self.beside(
            step,
            [one.get_dagster_event() for one in (self._entry(step, _Kind.STEP_START), self._success(step))],
        )

    def is_listed(self) -> bool:
        """Tell whether the event of the engine that lists the reused steps is stored."""
        entries = self._instance.all_logs(self._run.run_id, of_type=_Kind.ENGINE_EVENT)
        return any(REUSED in entry.get_dagster_event().engine_event_data.metadata for entry in entries)

    def emit(self, reused: Reused, levels: Sequence[Collection[str]]) -> Iterator[DagsterEvent]:
        """Store the events of the steps, a level of the plan after the other, and yield them as they are stored.

        Raises as `stop_if_asked` does between two transactions.
        """
        self._look_up(reused)
        level_of = {key: at for at, level in enumerate(levels) for key in level}
        steps = sorted(reused.steps, key=lambda one: (level_of[one.step.key], one.place))
        for start in range(0, len(steps), STEPS_AT_ONCE):
            if start:
                stop_if_asked()
            chunk = steps[start : start + STEPS_AT_ONCE]
            with together(self._batching, self._run.run_id):
                events = [
                    event
                    for level in _by_level(chunk, level_of)
                    for event in self._level(level, reused.overtaken)
                ]
            yield from events

    def beside(self, step: Any, told: Sequence[DagsterEvent]) -> list[DagsterEvent]:
        """Return the events of a reused step with its other outputs, for an executor that waits for them.

        Ops hand these to each other. They are not stored: nobody else asks for them.
        """
        named = {
            event.step_output_data.step_output_handle.output_name
            for event in told
            if event.is_successful_output
        }
        others = [one.name for one in step.step_outputs if not one.is_dynamic and one.name not in named]
        made = (self._output_event(step, name).get_dagster_event() for name in others)
        return [*told[:-1], *made, *told[-1:]]

    # --- levels ----------------------------------------------------------------------------------------

    def _level(self, steps: Sequence[ReusedStep], overtaken: Collection[str]) -> list[DagsterEvent]:
        """Store the events of steps that need nothing of each other."""
        first: list[EventLogEntry] = []
        made: dict[dg.AssetKey, tuple[ReusedStep, ReusedAsset, int]] = {}
        for one in steps:
            event = ReusedAsset(
                key=one.asset.key,
                partitions_def=one.asset.partitions_def,
                hits=one.hits,
                code_version=one.code_version,
                inputs=self._inputs.of(one.asset, one.partitions),
            )
            first += [self._entry(step, _Kind.STEP_START) for step in one.opened]
            first.append(self._output(one, check=None))
            for materialization in event.materializations(overtaken):
                data = StepMaterializationData(materialization)
                first.append(self._entry(one.step, _Kind.ASSET_MATERIALIZATION, data))
            made[one.asset.key] = one, event, len(first) - 1
            if not event.check_results:
                first += map(self._success, one.closed)
        numbers = self._store(first)
        if numbers is None:
            self._inputs.look_up(made, anew=True)
        else:
            for key, (_, event, at) in made.items():
                self._inputs.tell(key, list(event.hits), numbers[at], event.data_version)
        checked = [(one, event.check_results) for one, event, _ in made.values() if event.check_results]
        rest = [entry for one, results in checked for entry in self._end(one, results)]
        self._store(rest)
        return [entry.get_dagster_event() for entry in (*first, *rest)]

    def _end(self, one: ReusedStep, results: Iterable[dg.AssetCheckResult]) -> Iterator[EventLogEntry]:
        """Yield the recorded check results of a step, over the materialization just stored, and its success."""
        evaluations = check_evaluations(
            one.asset.key,
            one.asset.assets_def.check_specs,
            results,
            storage_id=self._inputs.last(one.asset.key).storage_id,
            run_id=self._run.run_id,
            partition=self._run.tags.get(PARTITION_TAG),
        )
        for data in evaluations:
            yield self._entry(one.step, _Kind.ASSET_CHECK_EVALUATION, data)
            yield self._output(one, check=data.check_name)
        yield from map(self._success, one.closed)

    # --- events ----------------------------------------------------------------------------------------

    def _output(self, one: ReusedStep, *, check: str | None) -> EventLogEntry:
        """Return the event of the step's output: the table, or the result of a check."""
        step, key = one.step, one.asset.key
        wanted = None if check is None else dg.AssetCheckKey(key, check)
        (name,) = (
            output.name
            for output in step.step_outputs
            if output.properties.asset_check_key == wanted
            and (check is not None or output.properties.asset_key == key)
        )
        return self._output_event(step, name)

    def _output_event(self, step: ExecutionStep, name: str) -> EventLogEntry:
        handle = StepOutputHandle(step.key, name)
        checked = TypeCheckData(success=True, label=name)  # type: ignore[no-untyped-call]  # Dagster's
        return self._entry(step, _Kind.STEP_OUTPUT, StepOutputData(handle, type_check_data=checked))

    def _success(self, step: ExecutionStep) -> EventLogEntry:
        data = StepSuccessData(0.0)  # type: ignore[no-untyped-call]  # Dagster's
        return self._entry(step, _Kind.STEP_SUCCESS, data)

    def _entry(self, step: ExecutionStep, kind: dg.DagsterEventType, data: Any = None) -> EventLogEntry:
        message = _MESSAGES.get(kind, "").format(step=step.key)
        event = DagsterEvent(
            event_type_value=kind.value,
            job_name=self._run.job_name,
            step_handle=step.handle,
            node_handle=step.node_handle,
            step_kind_value=step.kind.value,
            logging_tags=MARK,
            event_specific_data=data,
            message=message,
            pid=os.getpid(),
        )
        return EventLogEntry(  # type: ignore[no-untyped-call]  # Dagster's
            error_info=None,
            level=logging.DEBUG,
            user_message=message,
            run_id=self._run.run_id,
            timestamp=time.time(),
            step_key=step.key,
            job_name=self._run.job_name,
            dagster_event=event,
        )

    # --- the storage -----------------------------------------------------------------------------------

    def _store(self, entries: Sequence[EventLogEntry]) -> Sequence[int | None] | None:
        """Store events; return their ids, or None from a storage that is not known and gets one by one."""
        if self._batching is None:
            for entry in entries:
                key = entry.step_key, entry.get_dagster_event().event_type_value
                if self._told[key]:
                    self._told[key] -= 1
                else:
                    self._instance.handle_new_event(entry)
            return None
        if not entries:
            return []
        numbers = self._batching.store_numbered(entries)
        for listener in getattr(self._instance, "_subscribers", {}).get(self._run.run_id, ()):
            for entry in entries:
                listener(entry)
        return numbers

    def _look_up(self, reused: Reused) -> None:
        """Look up the last events of parents that are not among the reused, for all at once."""
        own = {one.asset.key for one in reused.steps}
        parents = (up.dependency.asset_key for one in reused.steps for up in one.asset.upstreams)
        self._inputs.look_up(key for key in parents if key not in own)


_MESSAGES = {
    _Kind.STEP_START: 'Reusing the tables of step "{step}".',
    _Kind.STEP_SUCCESS: 'Reused the tables of step "{step}" without running it.',
}


def _by_level(steps: Sequence[ReusedStep], level_of: Mapping[str, int]) -> Iterator[Sequence[ReusedStep]]:
    for _, level in itertools.groupby(steps, lambda one: (level_of[one.step.key], one.place)):
        yield list(level)
