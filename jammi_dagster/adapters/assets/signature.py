"""Signature of an asset's function: which parameters are the context, the config, resources and inputs."""

from __future__ import annotations

import contextlib
import functools
import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from jammi_dagster.errors import UnsupportedArgument

_CONTEXTS = (dg.AssetExecutionContext, dg.OpExecutionContext)
_CONTEXT_NAMES = frozenset({"context", "_context", "context_", "_"})
_CONFIG_NAME = "config"
_RESOURCE_MARK = typing.get_args(dg.ResourceParam[int])[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionShape:
    """A function's parameters by role, with their annotations (`Any` for a missing one).

    `parameters` are those that Dagster sees: all may be given by name, and inputs have no annotation.
    """

    context: str | None
    context_annotation: Any
    has_config: bool
    config_annotation: Any
    resources: tuple[str, ...]
    inputs: Mapping[str, Any]
    output: Any
    parameters: tuple[inspect.Parameter, ...] = ()
    positional_only: tuple[str, ...] = ()


def shape_of(function: Callable[..., Any]) -> FunctionShape:
    """Sort the parameters of `function` into roles, by the rules of `@dagster.asset`.

    Raise `UnsupportedArgument` for annotations that cannot be resolved, for Dagster types, and for `*args` and
    `**kwargs`.
    """
    parameters = list(inspect.signature(function).parameters.values())
    hints = _hints(function)
    for parameter in parameters:
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            raise UnsupportedArgument(
                asset=function.__name__,
                argument=f"parameter {parameter.name}",
                why="takes any number of values, so its inputs have no names",
                way_out="name each input as a parameter",
            )
    for name, hint in hints.items():
        if isinstance(hint, dg.DagsterType):
            raise UnsupportedArgument(
                asset=function.__name__,
                argument=f"the annotation of {name}",
                why=f"is the Dagster type {hint.display_name}, which would check a reference instead of the table",
                way_out="annotate it with the kind of table",
            )
    context = _context(parameters, hints)
    others = [p.name for p in parameters if p.name != context]
    resources = tuple(name for name in others if _is_resource(hints.get(name)))
    inputs = {name: hints.get(name, Any) for name in others if name != _CONFIG_NAME and name not in resources}
    return FunctionShape(
        context=context,
        context_annotation=hints.get(context or "", Any),
        has_config=_CONFIG_NAME in others,
        config_annotation=hints.get(_CONFIG_NAME, Any),
        resources=resources,
        inputs=inputs,
        output=hints.get("return", Any),
        parameters=tuple(
            _context_seen(context, hints) if p.name == context else _seen(p, hints, is_input=p.name in inputs)
            for p in parameters
        ),
        positional_only=tuple(p.name for p in parameters if p.kind is inspect.Parameter.POSITIONAL_ONLY),
    )


def _seen(parameter: inspect.Parameter, hints: Mapping[str, Any], *, is_input: bool) -> inspect.Parameter:
    """Return the parameter as Dagster sees it: inputs have a lenient type of their own."""
    annotation = inspect.Parameter.empty if is_input else hints.get(parameter.name, inspect.Parameter.empty)
    return parameter.replace(kind=inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=annotation)


def _context_seen(name: str, hints: Mapping[str, Any]) -> inspect.Parameter:
    """Return the context's parameter as Dagster sees it: known by its name alone, and given by position."""
    annotation = hints.get(name)
    return inspect.Parameter(
        name if name in _CONTEXT_NAMES else "context",
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        annotation=annotation if annotation in _CONTEXTS else inspect.Parameter.empty,
    )


def name_of(function: Callable[..., Any]) -> str:
    """Return the name of a function; of a partial or a callable object that of the function or class behind it."""
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, "__name__", type(function).__name__))


def _context(parameters: list[inspect.Parameter], hints: Mapping[str, Any]) -> str | None:
    if not parameters:
        return None
    first = parameters[0].name
    return first if first in _CONTEXT_NAMES or hints.get(first) in _CONTEXTS else None


def _is_resource(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(
        annotation, (dg.ConfigurableResource, dg.ConfigurableIOManager)
    ):
        return True
    return typing.get_origin(annotation) is typing.Annotated and _RESOURCE_MARK in typing.get_args(annotation)


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the annotations as objects, also under `from __future__ import annotations`."""
    try:
        return typing.get_type_hints(function, localns=_nonlocals(function), include_extras=True)
    except NameError as error:
        raise UnsupportedArgument(
            asset=function.__name__,
            argument="an annotation",
            why=f"cannot be resolved ({error})",
            way_out="define or import it at module level, not under TYPE_CHECKING",
        ) from None


def _nonlocals(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the variables that the function closes over, as far as they are assigned yet."""
    inner: Any = inspect.unwrap(function)
    found = {}
    for name, cell in zip(inner.__code__.co_freevars, inner.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # the cell is still empty
            found[name] = cell.cell_contents
    return found
