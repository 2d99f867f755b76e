"""The wrapped executor for the rest of a run: it starts no process for a step that turns out to be reused."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from types import FunctionType
from typing import Any

import dagster as dg
from dagster._core.events import DagsterEvent
from dagster._core.execution.context.system import IStepContext
from dagster._core.executor import multiprocess
from dagster._core.executor.in_process import InProcessExecutor
from dagster._core.executor.multiprocess import MultiprocessExecutor
from dagster._core.executor.step_delegating import StepDelegatingExecutor, StepHandler

Settle = Callable[[Any, Mapping[str, int]], list[DagsterEvent] | None]
"""Reuse a step that would be launched now, after so many attempts; None where it has to be launched."""


def runs_here(inner: dg.Executor) -> bool:
    """Tell whether an executor runs its steps in the environment of the run's worker."""
    return type(inner) in (InProcessExecutor, MultiprocessExecutor)


def settling(inner: dg.Executor, settle: Settle, done: Collection[str]) -> dg.Executor:
    """Return an executor like this one that first tries to settle each step; it hears nothing of the `done` steps."""
    if isinstance(inner, StepDelegatingExecutor):
        return _delegating(inner, settle, frozenset(done))
    if type(inner) is MultiprocessExecutor:
        return _multiprocess(inner, settle)
    return inner


def _multiprocess(inner: MultiprocessExecutor, settle: Settle) -> dg.Executor:
    start = multiprocess.execute_step_out_of_process
    named = inspect.signature(start)

    def start_or_settle(*given: Any, **by_name: Any) -> Iterator[DagsterEvent | None]:
        arguments = named.bind(*given, **by_name).arguments
        known = arguments["known_state"]
        events = settle(arguments["step"], known.previous_retry_attempts if known else {})
        return iter(events) if events is not None else start(*given, **by_name)

    method: Any = MultiprocessExecutor.execute
    replaced = {**method.__globals__, start.__name__: start_or_settle}
    execute = FunctionType(
        method.__code__, replaced, method.__name__, method.__defaults__, method.__closure__
    )
    execute.__kwdefaults__ = method.__kwdefaults__
    of_run = copy.copy(inner)
    of_run.__dict__["execute"] = execute.__get__(of_run)
    return of_run


def _delegating(inner: StepDelegatingExecutor, settle: Settle, done: frozenset[str]) -> dg.Executor:
    of_run = copy.copy(inner)
    pop = of_run._pop_events

    def pop_others(*given: Any, **by_name: Any) -> list[DagsterEvent]:
        return [event for event in pop(*given, **by_name) if event.step_key not in done]

    of_run.__dict__["_pop_events"] = pop_others
    of_run._step_handler = _SettlingHandler(inner._step_handler, settle)
    return of_run


class _SettlingHandler(StepHandler):
    """A step handler that launches a step only where it cannot be settled; the executor reads the events in the log."""

    def __init__(self, inner: StepHandler, settle: Settle) -> None:
        self._inner, self._settle = inner, settle

    @property
    def name(self) -> str:
        return self._inner.name

    def launch_step(self, step_handler_context: Any) -> Iterator[DagsterEvent]:
        (key,) = step_handler_context.execute_step_args.step_keys_to_execute
        context: IStepContext = step_handler_context.get_step_context(key)
        known = step_handler_context.execute_step_args.known_state
        events = self._settle(context.step, known.previous_retry_attempts if known else {})
        return iter(events) if events is not None else self._inner.launch_step(step_handler_context)

    def check_step_health(self, step_handler_context: Any) -> Any:
        return self._inner.check_step_health(step_handler_context)

    def terminate_step(self, step_handler_context: Any) -> Iterator[DagsterEvent]:
        return self._inner.terminate_step(step_handler_context)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
