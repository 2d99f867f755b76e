"""Functions that return a logger, and names that hold one: a method of it changes no table."""

from __future__ import annotations

import ast

from jammi_dagster.fingerprint.known_names.quiet import LOGGER_MAKERS
from jammi_dagster.fingerprint.sources.source import Source
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.scopes import FunctionScope, chain_of
from jammi_dagster.fingerprint.syntax.trees import nodes


def is_logger(source: Source, name: str) -> bool:
    """Return whether a module assigns to a name a logger that one of its functions returns."""
    written = source.written.get(name)
    if not (isinstance(written, ast.Call) and isinstance(written.func, ast.Name)):
        return False
    makers = [source.units[index] for index in source.by_name.get(written.func.id, ())]
    return bool(makers) and all(map(returns_logger, makers))


def returns_logger(unit: Unit) -> bool:
    """Return whether a function returns a logger, whatever it is given."""
    function = unit.statement.node if unit.statement else None
    if unit.statement is None or not isinstance(function, ast.FunctionDef):
        return False
    scope = FunctionScope(unit.statement.scope, function)
    returned = [one.value for one in nodes(function) if isinstance(one, ast.Return)]
    made = [scope.peek(chain_of(one.func) or ("",)) for one in returned if isinstance(one, ast.Call)]
    return (
        bool(made)
        and len(made) == len(returned)
        and all(one and LOGGER_MAKERS.issuperset(one) for one in made)
    )
