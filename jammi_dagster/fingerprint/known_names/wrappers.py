"""Wrappers of libraries around a function: the wrapped function and the library's version tell all of them.

The arguments of such a decorator stand in the source of the function that it decorates. A decorator that keeps results
is none of these.
"""

from __future__ import annotations

# Modules of libraries, with the names of the functions that their decorators put around another.
WRAPPERS: dict[str, frozenset[str]] = {
    "backoff": frozenset({"retry"}),
    "pandera": frozenset({"_wrapper", "_async_wrapper", "wrapper", "aio_wrapper"}),
    "pydantic": frozenset({"wrapper_function"}),
    "retry": frozenset({"retry_decorator"}),
    "retrying": frozenset({"wrapped_f"}),
    "stamina": frozenset({"async_inner", "retry_decorator", "sync_inner"}),
    "tenacity": frozenset({"async_wrapped", "wrapped_f"}),
    "typing_extensions": frozenset({"wrapper"}),
}

# Beginnings of the file names of functions that a decorator writes itself, with its module.
WRITTEN = {"<@beartype(": "beartype"}

# Decorators that compile the function anew: its running code is not that of the file.
RECOMPILERS = frozenset({"typeguard.typechecked"})
