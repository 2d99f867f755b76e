"""The events of reused steps: as few as Dagster needs, in few transactions where the storage can.

Materializations of one level are stored before those of the next one, which point to them.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluation,
    AssetCheckEvaluationTargetMaterializationData,
)
from dagster._core.events import DagsterEvent, StepMaterializationData
from dagster._core.events.log import EventLogEntry
from dagster._core.execution.plan.objects import StepSuccessData, TypeCheckData
from dagster._core.execution.plan.outputs import StepOutputData, StepOutputHandle
from dagster._utils.interrupts import pop_captured_interrupt

from jammi_dagster.adapters.code_location.input_events import InputEvents
from jammi_dagster.adapters.event_log_storage import BatchingSqliteEventLogStorage
from jammi_dagster.adapters.execution.reused_event import ReusedAsset
from jammi_dagster.adapters.executor.decision import Reused, ReusedStep
from jammi_dagster.adapters.metadata_keys import OUTCOME_TAG, PARTITION_TAG

MARK: Mapping[str, str] = {OUTCOME_TAG: "reused"}
"""The logging tags of events that the executor stores for steps: a resumed run knows them by these."""

_AT_ONCE = 200  # steps in a transaction, so that other writers do not wait for long
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
        if event is not None and (event.logging_tags or {}).get(OUTCOME_TAG) == MARK[OUTCOME_TAG]:
            told[event.step_key, event.event_type_value] += 1
    return told


class Emission:
    """The events of one run. `told` are those that are stored already, which are not stored again."""

    def __init__(self, run: dg.DagsterRun, instance: dg.DagsterInstance) -> None:
        self._run, self._instance = run, instance
        self._inputs = InputEvents(instance)
        self._told: Counter[tuple[str | None, str]] = Counter()
        storage = instance.event_log_storage
        self._batching = storage if isinstance(storage, BatchingSqliteEventLogStorage) else None

    def resume(self) -> set[str]:
        """Take note of the events that are stored already; return the steps that they finish."""
        self._told = told_before(self._instance, self._run.run_id)
        return {str(step) for step, kind in self._told if kind == _Kind.STEP_SUCCESS.value}

    def emit(self, reused: Reused, levels: Sequence[Collection[str]]) -> Iterator[DagsterEvent]:
        """Store the events of the steps, a level of the plan after the other, and yield them as they are stored.

        Raises `DagsterExecutionInterruptedError` between two transactions where the run is asked to stop.
        """
        self._look_up(reused)
        level_of = {key: at for at, level in enumerate(levels) for key in level}
        steps = sorted(reused.steps, key=lambda one: level_of[one.step.key])
        for start in range(0, len(steps), _AT_ONCE):
            if pop_captured_interrupt():
                raise dg.DagsterExecutionInterruptedError()
            chunk = steps[start : start + _AT_ONCE]
            with self._together():
                events = [
                    event
                    for level in _by_level(chunk, level_of)
                    for event in self._level(level, reused.overtaken)
                ]
            yield from events

    # --- levels ----------------------------------------------------------------------------------------

    def _level(self, steps: Sequence[ReusedStep], overtaken: Collection[str]) -> list[DagsterEvent]:
        """Store the events of steps that need nothing of each other."""
        first: list[EventLogEntry] = []
        made: dict[dg.AssetKey, tuple[ReusedStep, str, list[int]]] = {}
        for one in steps:
            event = ReusedAsset(
                key=one.asset.key,
                partitions_def=one.asset.partitions_def,
                hits=one.hits,
                code_version=one.code_version,
                inputs=self._inputs.of(one.asset, one.partitions),
            )
            first += [self._entry(one, _Kind.STEP_START), self._output(one, check=None)]
            places = made[one.asset.key] = (one, event.data_version, [])
            for materialization in event.materializations(overtaken):
                places[2].append(len(first))
                data = StepMaterializationData(materialization)
                first.append(self._entry(one, _Kind.ASSET_MATERIALIZATION, data))
            if not _checks(one):
                first.append(self._success(one))
        numbers = self._store(first)
        if numbers is None:
            self._inputs.look_up(made, anew=True)
        else:
            for key, (one, version, places_of) in made.items():
                self._inputs.tell(key, list(one.hits), numbers[places_of[-1]], version)
        rest = [entry for one in steps if _checks(one) for entry in self._end(one)]
        self._store(rest)
        return [entry.get_dagster_event() for entry in (*first, *rest)]

    def _end(self, one: ReusedStep) -> Iterator[EventLogEntry]:
        """Yield the recorded check results of a step, over the materialization just stored, and its success."""
        specs = {spec.name: spec for spec in one.asset.assets_def.check_specs}
        stored = self._inputs.last(one.asset.key)
        target = None
        if stored.storage_id is not None:
            target = AssetCheckEvaluationTargetMaterializationData(
                storage_id=stored.storage_id, run_id=self._run.run_id, timestamp=time.time()
            )
        for result in _checks(one):
            name = result.check_name or next(iter(specs))
            data = AssetCheckEvaluation(
                asset_key=one.asset.key,
                check_name=name,
                passed=result.passed,
                metadata=result.metadata,
                target_materialization_data=target,
                severity=result.severity,
                description=result.description,
                blocking=specs[name].blocking,
                **self._check_partition(specs[name]),
            )
            yield self._entry(one, _Kind.ASSET_CHECK_EVALUATION, data)
            yield self._output(one, check=name)
        yield self._success(one)

    def _check_partition(self, spec: dg.AssetCheckSpec) -> dict[str, Any]:
        partition = self._run.tags.get(PARTITION_TAG)
        is_partitioned = getattr(spec, "partitions_def", None) is not None  # since Dagster 1.13
        return {"partition": partition} if is_partitioned and partition else {}

    # --- events ----------------------------------------------------------------------------------------

    def _output(self, one: ReusedStep, *, check: str | None) -> EventLogEntry:
        """Return the event of the step's output: the table, or the result of a check."""
        (name,) = (
            output.name
            for output in one.step.step_outputs
            if (output.properties.asset_check_key and output.properties.asset_check_key.name) == check
        )
        handle = StepOutputHandle(one.step.key, name)
        checked = TypeCheckData(success=True, label=name)  # type: ignore[no-untyped-call]  # Dagster's
        return self._entry(one, _Kind.STEP_OUTPUT, StepOutputData(handle, type_check_data=checked))

    def _success(self, one: ReusedStep) -> EventLogEntry:
        data = StepSuccessData(0.0)  # type: ignore[no-untyped-call]  # Dagster's
        return self._entry(one, _Kind.STEP_SUCCESS, data)

    def _entry(self, one: ReusedStep, kind: dg.DagsterEventType, data: Any = None) -> EventLogEntry:
        message = _MESSAGES.get(kind, "").format(step=one.step.key)
        event = DagsterEvent(
            event_type_value=kind.value,
            job_name=self._run.job_name,
            step_handle=one.step.handle,
            node_handle=one.step.node_handle,
            step_kind_value=one.step.kind.value,
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
            step_key=one.step.key,
            job_name=self._run.job_name,
            dagster_event=event,
        )

    # --- the storage -----------------------------------------------------------------------------------

    def _together(self) -> contextlib.AbstractContextManager[None]:
        return (
            contextlib.nullcontext() if self._batching is None else self._batching.together(self._run.run_id)
        )

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


def _checks(one: ReusedStep) -> Sequence[dg.AssetCheckResult]:
    """Return the recorded check results of a step: of a range those of its last table, as the step gives them."""
    return list(one.hits.values())[-1].output.check_results


def _by_level(steps: Sequence[ReusedStep], level_of: Mapping[str, int]) -> Iterator[Sequence[ReusedStep]]:
    for _, level in itertools.groupby(steps, lambda one: level_of[one.step.key]):
        yield list(level)
