"""The wrapped executor for the rest of a run: it starts no process for a step that turns out to be reused."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

import dagster as dg
from dagster._core.events import DagsterEvent
from dagster._core.execution.context.system import IStepContext
from dagster._core.execution.plan import execute_plan
from dagster._core.executor import in_process, multiprocess
from dagster._core.executor.in_process import InProcessExecutor
from dagster._core.executor.multiprocess import MultiprocessExecutor
from dagster._core.executor.step_delegating import StepDelegatingExecutor, StepHandler

from jammi_dagster.adapters.execution.reused_event import is_marked

Settle = Callable[[Any, Any], list[DagsterEvent] | None]
"""Reuse a step that would be launched now, with the known state of the run; None where it has to be launched."""


def runs_here(inner: dg.Executor) -> bool:
    """Tell whether an executor runs its steps in the environment of the run's worker."""
    return type(inner) in (InProcessExecutor, MultiprocessExecutor)


def settling(inner: dg.Executor, settle: Settle) -> dg.Executor:
    """Return an executor like this one that first tries to settle each step.

    It hears of the steps that are reused from `settle` alone, and overlooks their events in the run's log.
    """
    if isinstance(inner, StepDelegatingExecutor):
        return _delegating(inner, settle)
    if type(inner) is MultiprocessExecutor:
        return _multiprocess(inner, settle)
    if type(inner) is InProcessExecutor:
        return _in_process(inner, settle)
    return inner


def _multiprocess(inner: MultiprocessExecutor, settle: Settle) -> dg.Executor:
    start = multiprocess.execute_step_out_of_process
    named = inspect.signature(start)

    def start_or_settle(*given: Any, **by_name: Any) -> Iterator[DagsterEvent | None]:
        arguments = named.bind(*given, **by_name).arguments
        events = settle(arguments["step"], arguments["known_state"])
        return iter(events) if events is not None else start(*given, **by_name)

    return _executing(inner, _calling(MultiprocessExecutor.execute, start, start_or_settle))


def _in_process(inner: InProcessExecutor, settle: Settle) -> dg.Executor:
    """Return the executor that settles graphs: here a step of one function reuses by itself, and an op does not."""
    start = execute_plan.dagster_event_sequence_for_step
    run_all = execute_plan.inner_plan_execution_iterator

    def start_or_settle(step_context: Any) -> Iterator[DagsterEvent]:
        step = step_context.step
        is_of_graph = step.node_handle.parent is not None
        events = settle(step, step_context.get_known_state()) if is_of_graph else None
        yield from start(step_context) if events is None else events  # Dagster asks for a generator

    within = _calling(run_all, start, start_or_settle)
    around = _calling(in_process.inprocess_execution_iterator, run_all, within)
    return _executing(
        inner, _calling(InProcessExecutor.execute, in_process.inprocess_execution_iterator, around)
    )


def _calling(function: Any, called: Any, other: Any) -> FunctionType:
    """Return a function like this one that calls another one in the place of a function of its module."""
    if function.__globals__[called.__name__] is not called:
        raise AttributeError(f"{function.__name__} does not call {called.__name__}")
    of_module = {**function.__globals__, called.__name__: other}
    made = FunctionType(
        function.__code__, of_module, function.__name__, function.__defaults__, function.__closure__
    )
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def _executing(inner: dg.Executor, execute: FunctionType) -> dg.Executor:
    of_run = copy.copy(inner)
    of_run.__dict__["execute"] = execute.__get__(of_run)
    return of_run


def _delegating(inner: StepDelegatingExecutor, settle: Settle) -> dg.Executor:
    of_run = copy.copy(inner)
    pop, handler = of_run._pop_events, _SettlingHandler(inner._step_handler, settle)

    def pop_others(*given: Any, **by_name: Any) -> list[DagsterEvent]:
        others = [event for event in pop(*given, **by_name) if not is_marked(event)]
        return [*handler.taken(), *others]

    of_run.__dict__["_pop_events"] = pop_others
    of_run._step_handler = handler
    return of_run


class _SettlingHandler(StepHandler):
    """A step handler that launches a step only where it cannot be settled, and keeps the events of those that are."""

    def __init__(self, inner: StepHandler, settle: Settle) -> None:
        self._inner, self._settle = inner, settle
        self._events: list[DagsterEvent] = []

    @property
    def name(self) -> str:
        return self._inner.name

    def taken(self) -> list[DagsterEvent]:
        """Return the events of the steps that were settled since this was last asked."""
        events, self._events = self._events, []
        return events

    def launch_step(self, step_handler_context: Any) -> Iterator[DagsterEvent]:
        (key,) = step_handler_context.execute_step_args.step_keys_to_execute
        context: IStepContext = step_handler_context.get_step_context(key)
        events = self._settle(context.step, step_handler_context.execute_step_args.known_state)
        if events is None:
            return self._inner.launch_step(step_handler_context)
        self._events += events
        return iter(())

    def check_step_health(self, step_handler_context: Any) -> Any:
        return self._inner.check_step_health(step_handler_context)

    def terminate_step(self, step_handler_context: Any) -> Iterator[DagsterEvent]:
        return self._inner.terminate_step(step_handler_context)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
