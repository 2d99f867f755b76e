"""Signature of an asset's function: which parameters are the context, the config, resources and inputs."""

from __future__ import annotations

import contextlib
import functools
import inspect
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import dagster as dg

from jammi_dagster.errors import UnsupportedArgument
from jammi_dagster.fingerprint.live.callables import layers

_CONTEXTS = (dg.AssetExecutionContext, dg.OpExecutionContext)
_CONTEXT_NAMES = frozenset({"context", "_context", "context_", "_"})
_CONFIG_NAME = "config"
_ANY_NUMBER = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
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


def shape_of(
    function: Callable[..., Any], *, ins: Iterable[str] = (), is_plain: bool = False
) -> FunctionShape:
    """Sort the parameters of `function` into roles, by the rules of `@dagster.asset`.

    `ins` are the names that `**kwargs` stands for. Raise `UnsupportedArgument` for annotations that cannot be resolved
    and, unless the asset is a plain one of Dagster's, for Dagster types, `*args`, and `**kwargs` without names.
    """
    hints, parameters = _hints(function), _parameters(function)
    hints |= {one.name: hints[rest.name] for rest, one in _named(parameters, ins) if rest.name in hints}
    named = [one for _, one in _named(parameters, ins)]
    if not is_plain:
        _refuse(name_of(function), parameters, hints, has_names=bool(named))
    parameters = [p for p in parameters if p.kind not in _ANY_NUMBER] + named
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
        # all may be given by position, so that no default stands before a parameter without one
        parameters=tuple(
            _context_seen(context, hints) if p.name == context else _seen(p, hints, is_input=p.name in inputs)
            for p in sorted(parameters, key=lambda p: p.default is not inspect.Parameter.empty)
        ),
        positional_only=tuple(p.name for p in parameters if p.kind is inspect.Parameter.POSITIONAL_ONLY),
    )


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """List the parameters that are still to be given: a partial has some already. Raise `UnsupportedArgument`."""
    code_of(function)
    given = function.keywords if isinstance(function, functools.partial) else {}
    return [p for p in inspect.signature(function).parameters.values() if p.name not in given]


def _named(
    parameters: Iterable[inspect.Parameter], ins: Iterable[str]
) -> list[tuple[inspect.Parameter, inspect.Parameter]]:
    """Pair `**kwargs` with a parameter for each name of `ins` that it stands for."""
    names = {parameter.name for parameter in parameters}
    return [
        (rest, inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY))
        for rest in parameters
        if rest.kind is inspect.Parameter.VAR_KEYWORD
        for name in ins
        if name not in names
    ]


def _refuse(
    asset: str, parameters: Iterable[inspect.Parameter], hints: Mapping[str, Any], *, has_names: bool
) -> None:
    """Raise `UnsupportedArgument` for parameters without names, and for Dagster types."""
    for parameter in parameters:
        is_named = has_names and parameter.kind is inspect.Parameter.VAR_KEYWORD
        if parameter.kind in _ANY_NUMBER and not is_named:
            raise UnsupportedArgument(
                asset=asset,
                argument=f"parameter {parameter.name}",
                why="takes any number of values, so its inputs have no names",
                way_out="name each input as a parameter, or in ins= for **kwargs",
            )
    for name, hint in hints.items():
        for found in _dagster_types(hint):
            raise UnsupportedArgument(
                asset=asset,
                argument=f"the annotation of {name}",
                why=f"is the Dagster type {found.display_name}, which would check a reference instead of the table",
                way_out="annotate it with the kind of table",
            )


def _dagster_types(hint: Any) -> Iterator[dg.DagsterType]:
    """Yield the Dagster types in an annotation: that of `Output[Positive]` is `Positive`."""
    if isinstance(hint, dg.DagsterType):
        yield hint
    for argument in typing.get_args(hint):
        yield from _dagster_types(argument)


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


def code_of(function: Callable[..., Any]) -> FunctionType:
    """Return the outermost Python function of a callable: of a partial, a method or a callable object.

    Raise `UnsupportedArgument` for a class, and for a callable that is not written in Python.
    """
    found = None if isinstance(function, type) else next(layers(function), None)
    if found is None:
        raise UnsupportedArgument(
            asset=name_of(function),
            argument=f"its function, {function!r}",
            why="is no function that is written in Python",
            way_out="call it in one that is",
        )
    return found


def name_of(function: Callable[..., Any]) -> str:
    """Return the name of a function; of a partial or a callable object that of the function or class behind it."""
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, "__name__", type(function).__name__))


def is_subclass(annotation: Any, *bases: type) -> bool:
    """Tell whether an annotation is a class below one of these; for Python 3.10 `dict[str, int]` is a `type`, too."""
    return (
        typing.get_origin(annotation) is None
        and isinstance(annotation, type)
        and issubclass(annotation, bases)
    )


def _context(parameters: list[inspect.Parameter], hints: Mapping[str, Any]) -> str | None:
    if not parameters:
        return None
    first = parameters[0].name
    return first if first in _CONTEXT_NAMES or hints.get(first) in _CONTEXTS else None


def _is_resource(annotation: Any) -> bool:
    if is_subclass(annotation, dg.ConfigurableResource, dg.ConfigurableIOManager):
        return True
    return typing.get_origin(annotation) is typing.Annotated and _RESOURCE_MARK in typing.get_args(annotation)


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the annotations as objects, also under `from __future__ import annotations`."""
    function, name = code_of(function), name_of(function)
    try:
        return typing.get_type_hints(function, localns=_nonlocals(function), include_extras=True)
    except NameError as error:
        raise UnsupportedArgument(
            asset=name,
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
