"""Tools for the test suites of people who use this package.

`ResultTableTester` runs assets on a temporary store and instance, and hands back tables, outcomes and reasons.
The names below load on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jammi_dagster.testing.results import TableRun, TickResult
    from jammi_dagster.testing.tester import ResultTableTester

_HOMES = {
    "ResultTableTester": "jammi_dagster.testing.tester",
    "TableRun": "jammi_dagster.testing.results",
    "TickResult": "jammi_dagster.testing.results",
}

__all__ = ["ResultTableTester", "TableRun", "TickResult"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
