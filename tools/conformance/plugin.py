"""A pytest plugin for Dagster's tests: writes the outcome of each test, and stops a test that hangs.

First the module that `CONFORMANCE_SHIM` names replaces a part of Dagster. `dagster_test`, which is not on the index,
has a stand-in with the one name that tests of storages import.
"""

from __future__ import annotations

import contextvars
import functools
import importlib
import inspect
import json
import os
import signal
import sys
import types
from collections.abc import Generator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from tools.conformance import ticks

if name := os.environ.get("CONFORMANCE_SHIM"):
    importlib.import_module(f"tools.conformance.{name}").install()
for missing in ("dagster_test", "dagster_test.utils", "dagster_test.utils.data_factory"):
    sys.modules[missing] = types.ModuleType(missing)
setattr(sys.modules[missing], "dagster_run", dg.DagsterRun)  # noqa: B010  # a module has no such attribute for mypy

_SECONDS = 120  # for one test
_outcomes: dict[str, dict[str, Any]] = {}


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Run each test in a context of its own: Dagster leaves an instance's storage in a context variable."""
    function = pyfuncitem.obj
    if not inspect.iscoroutinefunction(function):
        pyfuncitem.obj = functools.partial(contextvars.copy_context().run, function)
    ticks.taken()
    try:
        result = yield
    finally:
        pyfuncitem.obj = function
        counts, faults = ticks.taken()
        pyfuncitem.user_properties.append(("ticks", counts))
    if faults:
        raise AssertionError("\n".join(["ticks of the staleness sensor:", *faults]))
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Interrupt a test that takes too long."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"not done after {_SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(_SECONDS)
    try:
        return (yield)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the outcome of a test: the first phase that fails counts."""
    if report.when == "call" or report.outcome != "passed":
        kept = _outcomes.get(report.nodeid)
        if kept is None or kept["outcome"] == "passed":
            counts = dict(report.user_properties).get("ticks", {})
            _outcomes[report.nodeid] = {"outcome": report.outcome, "error": _error(report), "ticks": counts}


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Keep a file that cannot be imported as one test that fails."""
    if report.outcome == "failed":
        _outcomes[report.nodeid] = {"outcome": "failed", "error": report.longreprtext}


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the outcomes, from the process that collects those of all workers."""
    if not hasattr(session.config, "workerinput"):
        Path(os.environ["CONFORMANCE_REPORT"]).write_text(json.dumps(_outcomes))


def _error(report: Any) -> str:
    return "" if report.outcome == "passed" else str(report.longreprtext)
