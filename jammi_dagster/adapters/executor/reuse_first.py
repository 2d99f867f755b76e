"""`reuse_first`: wraps an executor, so that no run steps into a table that is unchanged."""

from __future__ import annotations

import functools
import logging
from typing import Any
from weakref import WeakKeyDictionary

import dagster as dg

from jammi_dagster.errors import InvalidField

_log = logging.getLogger("jammi_dagster")
_wrappers: WeakKeyDictionary[dg.ExecutorDefinition, dict[bool, dg.ExecutorDefinition]] = WeakKeyDictionary()


def reuse_first(inner: dg.ExecutorDefinition, *, same_environment: bool = False) -> dg.ExecutorDefinition:
    """Return an executor that reuses all unchanged result tables of a run at once, and runs the rest with `inner`.

    Name, config and requirements are those of `inner`. The run's worker decides before any step begins, by the function
    that decides a step and a plan. Whatever it cannot decide there is left to `inner`, as without the wrapper.

    Args:
        inner: the executor of the rest: `dg.in_process_executor`, `dg.multiprocess_executor`, or another one.
        same_environment: state for another one that its steps run where code, environment variables and files are those
            of the run's worker. Without it, steps that run elsewhere are left to `inner`.

    The same wrapper is returned for the same executor. Raises `InvalidField` for anything but an executor definition.

        defs = dg.Definitions(assets=[orders], executor=reuse_first(dg.multiprocess_executor))
    """
    if not isinstance(inner, dg.ExecutorDefinition) or inner.executor_creation_fn is None:
        raise InvalidField(
            what="reuse_first", path="inner", value=inner, expected="a dagster.ExecutorDefinition"
        )
    if getattr(inner.executor_creation_fn, "reuses_first", False):
        return inner
    made = _wrappers.setdefault(inner, {})
    if same_environment not in made:
        made[same_environment] = _wrapper(inner, same_environment)
    return made[same_environment]


def _wrapper(inner: dg.ExecutorDefinition, same_environment: bool) -> dg.ExecutorDefinition:
    create_inner: Any = inner.executor_creation_fn
    schema: Any = inner.config_schema  # one that was made already is taken as it is

    def create(context: dg.InitExecutorContext) -> dg.Executor:
        executor: dg.Executor = create_inner(context)
        return _around(executor, same_environment, context.executor_config)

    create.reuses_first = True  # type: ignore[attr-defined]  # a function takes any
    return dg.ExecutorDefinition(
        name=inner.name,
        config_schema=schema,
        requirements=inner.get_requirements,
        executor_creation_fn=create,
        description=inner.description,
    )


def _around(executor: dg.Executor, same_environment: bool, config: Any) -> dg.Executor:
    """Wrap the executor of a run; return it unchanged, with a warning, where parts of Dagster have moved."""
    try:
        from jammi_dagster.adapters.executor.run import ReuseFirstExecutor
    except (ImportError, AttributeError) as error:
        _warn(str(error))
        return executor
    return ReuseFirstExecutor(executor, same_environment=same_environment, config=config)


@functools.cache  # once in a process
def _warn(lacks: str) -> None:
    _log.warning(
        "reuse_first is without effect: this version of Dagster lacks a part that it needs (%s)", lacks
    )
