"""The executor of one run: reuses everything that can be reused, and hands the rest to the wrapped executor."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.events import DagsterEvent, EngineEventData
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.plan.inputs import StepInput
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.plan.step import ExecutionStep
from dagster._core.system_config.objects import ResolvedRunConfig

from jammi_dagster.adapters.code_location.dry_step import first_line
from jammi_dagster.adapters.execution.events import saved_line
from jammi_dagster.adapters.executor.decision import RunDecision
from jammi_dagster.adapters.executor.emission import Emission, stop_if_asked
from jammi_dagster.adapters.executor.inner import runs_here, settling
from jammi_dagster.adapters.executor.left import names_surroundings, why_run_is_left
from jammi_dagster.adapters.executor.units import Unit, graphs_of, units_of
from jammi_dagster.adapters.metadata_keys import REUSED
from jammi_dagster.catalog import RUN_LEASE_SECONDS
from jammi_dagster.errors import ThreadNotStarted
from jammi_dagster.garbage import left_alone
from jammi_dagster.recording import Heart

_RENEW_SECONDS = RUN_LEASE_SECONDS / 12
_log = logging.getLogger("jammi_dagster")


class ReuseFirstExecutor(dg.Executor):
    """An executor around another one. `decides` tells whether the environment of a step is that of the run's worker."""

    def __init__(self, inner: dg.Executor, *, same_environment: bool, config: Mapping[str, Any]) -> None:
        self.inner = inner
        self._is_here = runs_here(inner)
        self._decides = (same_environment or self._is_here) and not names_surroundings(config)

    @property
    def retries(self) -> Any:
        return self.inner.retries

    @property
    def step_dependency_config(self) -> Any:
        return self.inner.step_dependency_config

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[DagsterEvent]:
        """Reuse, say so, and run the rest."""
        with left_alone():  # the code location, and all that it imported
            yield from self._execute(plan_context, execution_plan)

    def _execute(self, plan_context: Any, execution_plan: Any) -> Iterator[DagsterEvent]:
        run = _Run(plan_context, execution_plan)
        inner = self.inner
        is_left = not self._decides or why_run_is_left(
            plan_context.dagster_run, execution_plan, self._is_here
        )
        if not is_left and run.open(inner):
            yield from run.reuse()
            inner = settling(inner, run.settle)
        rest = run.rest()
        if rest is not None:
            with run.kept():
                yield from inner.execute(run.context_of(inner, rest), rest)


class _Run:
    """One execution of a plan. `done` are the steps that are reused, with their events stored.

    `_graphs` are the graphs of which no step was launched, `_told` the events of steps that were reused with another
    one of their graph before the wrapped executor comes to them.
    """

    def __init__(self, plan_context: PlanOrchestrationContext, plan: ExecutionPlan) -> None:
        self.done: set[str] = set()
        self._context, self._plan = plan_context, plan
        self._emission = Emission(plan_context.dagster_run, plan_context.instance)
        self._decision: RunDecision | None = None
        self._graphs: dict[str, Unit] = {}
        self._told: dict[str, list[DagsterEvent]] = {}

    def open(self, inner: dg.Executor) -> bool:
        """Make ready to decide; return False, and say why, where that is not possible."""
        context = self._context
        job = context.job.get_definition()
        try:
            config = ResolvedRunConfig.build(job, context.run_config)
            self._decision = RunDecision(job, context.dagster_run, context.instance, config)
            self._rehearse(inner)
        except Exception as error:  # whatever it is, the steps will tell
            self._leave(error)
            return False
        return True

    def _rehearse(self, inner: dg.Executor) -> None:
        """Use each part of Dagster once: one that has moved is found before anything is stored."""
        settling(inner, self.settle)
        for key in self._plan.step_keys_to_execute[:1]:
            self.context_of(inner, self._subset([key]))
            step = self._plan.get_step_by_key(key)
            if isinstance(step, ExecutionStep):
                self._emission.rehearse(step)

    def reuse(self) -> Iterator[DagsterEvent]:
        """Reuse the steps of the plan, with one line in the log and one event of the engine."""
        run = self._context.dagster_run
        if self._context.resume_from_failure:
            self._emission.repair(run.run_id)
            self.done = self._emission.resume()  # the others are settled as they come up
            self._finish_graphs()
            if self.done and not self._emission.is_listed():
                yield self._said(
                    self.done, f"{len(self.done):,} steps were reused before the run was interrupted"
                )
            return
        if run.parent_run_id:
            self._emission.repair(run.parent_run_id)
        assert self._decision is not None, "it was opened"
        try:
            levels, needs = units_of(self._plan, self._context.job.get_definition())
            reused = self._decision.reused([unit for level in levels for unit in level], needs)
        except Exception as error:  # whatever it is, the steps run, and meet it themselves
            self._leave(error)
            return
        self._graphs = graphs_of(levels)
        if not reused.steps:
            return
        stop_if_asked()
        places = [[step.key for unit in level for step in unit.steps] for level in levels]
        yield from self._emission.emit(reused, places)
        self.done = set(reused.done)
        steps = self._plan.step_keys_to_execute
        records = [hit.record for one in reused.steps for hit in one.hits.values()]
        saved = sum(record.compute_seconds or 0.0 for record in records)
        text = f"reused {len(records):,} tables of {len(self.done):,} steps out of {len(steps):,}, {saved:.2f} s saved"
        yield self._said(self.done, text)

    def _finish_graphs(self) -> None:
        """Tell the rest of graphs that were told in part; one that cannot be reused any more runs as a whole."""
        levels, _ = units_of(self._plan, self._context.job.get_definition())
        for graph in graphs_of(levels).values():
            if graph.is_begun(self.done):
                self.done -= graph.keys
                self._reuse_now(graph, {})

    def settle(self, step: Any, known: Any) -> list[DagsterEvent] | None:
        """Reuse a step that would be launched now, where everything above it is done; None where it cannot be.

        The first step of a graph does so for all of them.
        """
        if step.key in self._told:
            return self._told.pop(step.key)
        unit = self._unit(step, known)
        if unit is None:
            return None
        events = self._reuse_now(unit, known.previous_retry_attempts if known else {})
        if events is None:
            return None
        for event in events:
            self._told.setdefault(str(event.step_key), []).append(event)
        for one in unit.resolved:
            self._told[one.key] = self._emission.beside(one, self._told[one.key])
        return self._told.pop(step.key)

    def _reuse_now(self, unit: Unit, attempts: Mapping[str, int]) -> list[DagsterEvent] | None:
        """Reuse a unit with everything above it done, and return its events; None where it cannot be."""
        assert self._decision is not None, "it was opened"
        try:
            reused = self._decision.reused_now(unit, attempts)
        except Exception as error:  # whatever it is, the step is launched, and meets it itself
            _log.debug("step %s is launched: %s", unit.key, first_line(error))
            return None
        if reused is None:
            return None
        for one in reused.steps:
            self._context.log.info(saved_line([hit.record for hit in one.hits.values()]))
        events = list(self._emission.emit(reused, [unit.keys]))
        self.done |= unit.keys
        return events

    def _unit(self, step: Any, known: Any) -> Unit | None:
        """Return the unit that a step decides on; None for one of a graph that cannot be decided any more, or yet."""
        if step.node_handle.parent is None:
            return Unit.of_step(step, self._context.job.get_definition())
        graph = self._graphs.pop(step.node_handle.path[0], None)
        if graph is None or graph.may_give_nothing:
            return None
        own = set(self._plan.step_keys_to_execute)
        waits = {handle for handle in graph.reads() if handle.step_key in own}
        return graph if waits <= set(known.ready_outputs) else None

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Keep the run's results from any collection, however long a step takes that renews nothing itself."""
        heart = Heart(self._renew, every=_RENEW_SECONDS)
        with contextlib.suppress(ThreadNotStarted):  # their lease is long
            heart.start()
        try:
            yield
        finally:
            heart.stop()

    def _renew(self) -> None:
        if self._decision is not None:
            self._decision.renew()

    def rest(self) -> ExecutionPlan | None:
        """Return the plan of the steps that are left, with the reused outputs there; None where none is left."""
        if not self.done or self._decision is None:
            return self._plan
        left = [key for key in self._plan.step_keys_to_execute if key not in self.done]
        return self._subset(left) if left else None

    def _subset(self, keys: Sequence[str]) -> ExecutionPlan:
        assert self._decision is not None, "it was opened"
        read = {
            handle
            for key in keys
            for step_input in self._plan.get_step_by_key(key).step_inputs
            if isinstance(step_input, StepInput)  # of dynamic outputs none is reused
            for handle in step_input.get_step_output_handle_dependencies()
            if handle.step_key in self.done
        }
        known = self._plan.known_state
        ready = known._replace(ready_outputs={*known.ready_outputs, *read})
        job = self._context.job.get_definition()
        plan = self._plan._replace(known_state=ready)
        rest = plan.build_subset_plan(keys, job, self._decision.config)
        # steps that dynamic outputs give are added to both: the result of the run is read by the whole plan
        return rest._replace(step_dict_by_key=plan.step_dict_by_key)

    def context_of(self, inner: dg.Executor, rest: ExecutionPlan) -> PlanOrchestrationContext:
        """Return the context of the rest, as if Dagster had called the wrapped executor with it."""
        context = self._context
        return PlanOrchestrationContext(
            plan_data=context.plan_data._replace(execution_plan=rest),
            log_manager=context.log,
            executor=inner,
            output_capture=context.output_capture,
            resume_from_failure=context.resume_from_failure,
        )

    def _said(self, steps: Iterable[str], text: str) -> DagsterEvent:
        """Say in the log and in an event of the engine that these steps were reused."""
        self._context.log.info(text)
        data = EngineEventData(metadata={REUSED: dg.MetadataValue.json(sorted(steps))})
        return DagsterEvent.engine_event(self._context, text, data)

    def _leave(self, error: Exception) -> None:
        self._context.log.warning(f"no step is reused before the run begins: {first_line(error)}")
