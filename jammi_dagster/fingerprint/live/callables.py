"""The Python functions within a callable: decorators, partials, methods, callable objects."""

from __future__ import annotations

from collections.abc import Iterator
from functools import _lru_cache_wrapper, partial
from types import FunctionType, MethodType

from jammi_dagster.fingerprint.known_names.wrappers import WRAPPERS, WRITTEN


def layers(fn: object) -> Iterator[FunctionType]:
    """Yield the Python functions that a call runs through, the outermost first.

    Of `functools.lru_cache(functools.partial(f))` that is `f`. A decorator is followed through `__wrapped__`.
    """
    seen: set[int] = set()
    while fn is not None and id(fn) not in seen:
        seen.add(id(fn))
        if isinstance(fn, FunctionType):
            yield fn
            fn = fn.__dict__.get("__wrapped__")
        elif isinstance(fn, MethodType):
            fn = fn.__func__
        elif isinstance(fn, partial):
            fn = fn.func
        elif isinstance(fn, _lru_cache_wrapper):
            fn = fn.__wrapped__
        else:
            kinds = [vars(kind) for kind in type(fn).__mro__]
            fn = next((members["__call__"] for members in kinds if "__call__" in members), None)


def wrapper_of(function: FunctionType) -> str | None:
    """Return the library whose known decorator put a function around one of a module; None for another function."""
    wrapped = function.__dict__.get("__wrapped__")
    inner = innermost(wrapped) if wrapped is not None else None
    if inner is None or "<locals>" in inner.__qualname__:
        return None  # the decorator's arguments may be values of the function around it
    code = function.__code__
    for beginning, module in WRITTEN.items():
        if code.co_filename.startswith(beginning):
            return module
    top = str(function.__globals__.get("__name__")).partition(".")[0]
    return top if code.co_name in WRAPPERS.get(top, ()) else None


def innermost(fn: object) -> FunctionType | None:
    """Return the function that the user wrote; None if there is no Python function."""
    return next(reversed(list(layers(fn))), None)
