"""The parameters of a function, as its definition writes them."""

from __future__ import annotations

import ast


def by_position(given: ast.arguments) -> list[ast.arg]:
    """Return the parameters that an argument reaches by its position."""
    return [*given.posonlyargs, *given.args]


def every(given: ast.arguments) -> list[ast.arg]:
    """Return all parameters, `*args` and `**words` at the end."""
    found = [*by_position(given), *given.kwonlyargs, given.vararg, given.kwarg]
    return [one for one in found if one is not None]


def defaults(given: ast.arguments) -> list[tuple[ast.arg, ast.expr]]:
    """Return the parameters that have a default, each with it.

    >>> function = ast.parse("def f(a, b=1, /, *, c, d=2): pass").body[0]
    >>> [(one.arg, ast.unparse(value)) for one, value in defaults(function.args)]
    [('b', '1'), ('d', '2')]
    """
    places = by_position(given)
    with_default = places[len(places) - len(given.defaults) :]
    words = zip(given.kwonlyargs, given.kw_defaults, strict=True)
    return [
        *zip(with_default, given.defaults, strict=True),
        *((one, value) for one, value in words if value is not None),
    ]
