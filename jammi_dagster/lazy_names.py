"""Names of a package that load on first use (PEP 562): a run imports no more than it needs."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from jammi_dagster.garbage import uncollected


def loading(package: dict[str, Any], homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package, from its globals and the module of each name.

    __getattr__ = loading(globals(), {"Recovery": "jammi_dagster.maintenance.recovery"})
    """

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package['__name__']!r} has no attribute {name!r}")
        # modules stay: to look through them again and again takes a third of their import
        with uncollected():
            value = getattr(importlib.import_module(homes[name]), name)
        package[name] = value
        return value

    return load
