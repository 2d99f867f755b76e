"""Functions of every kind under the decorator: with code in Python they are assets, without it they are refused."""

import functools
import linecache
from collections.abc import Callable
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, table, values

from jammi_dagster import result_table
from jammi_dagster.errors import UnsupportedArgument


class Maker:
    """An object with state that makes a table."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __call__(self) -> pa.Table:
        """Make the table of the object."""
        return table(self.value)

    def make(self) -> pa.Table:
        return table(self.value)

    @staticmethod
    def constant() -> pa.Table:
        return table(3)


def made_of(value: int, factor: int) -> pa.Table:
    return table(value * factor)


@functools.cache
def cached() -> pa.Table:
    return table(3)


@result_table(reads=[])
def up() -> pa.Table:
    return table(1)


@result_table(reads=[])
def other() -> pa.Table:
    return table(2)


@result_table(reads=[])
def last() -> pa.Table:
    return table(3)


STATEFUL: dict[str, Callable[[int], Callable[..., Any]]] = {
    "callable object": Maker,
    "bound method": lambda value: Maker(value).make,
    "partial": lambda value: functools.partial(made_of, value, factor=1),
    "partial of a partial": lambda value: functools.partial(functools.partial(made_of, factor=1), value),
    "partial of a method": lambda value: functools.partial(Maker(value).make),
}


@pytest.mark.parametrize("kind", STATEFUL)
def test_the_state_of_a_callable_is_part_of_its_code(lab: Lab, kind: str) -> None:
    """An equal one is reused, another is computed, and going back to the first is a hit."""
    outcomes = [
        lab.run(result_table(reads=[], name="t")(STATEFUL[kind](value))).outcomes["t"]
        for value in (3, 3, 4, 3)
    ]
    assert outcomes == ["computed", "reused", "computed", "reused"]
    assert values(lab.store.read("t")) == [3]


@pytest.mark.parametrize("function", [Maker.constant, cached], ids=["staticmethod", "cached function"])
def test_a_wrapped_function_is_an_asset(lab: Lab, function: Callable[..., Any]) -> None:
    """Its name is the function's, and it is reused."""
    asset = result_table(reads=[])(function)
    assert asset.key.path[-1] == function.__name__
    assert [set(lab.run(asset).outcomes.values()) for _ in range(2)] == [{"computed"}, {"reused"}]


def test_an_object_lends_its_class_name_and_its_docstring() -> None:
    """A partial lends those of the function behind it, not the text of `functools.partial`."""
    by_object = result_table(reads=[])(Maker(1))
    assert (by_object.key.path, by_object.descriptions_by_key[by_object.key]) == (
        ["Maker"],
        "Make the table of the object.",
    )
    by_partial = result_table(reads=[])(functools.partial(made_of, 1, 2))
    assert by_partial.key.path == ["made_of"]
    assert "partial" not in str(by_partial.descriptions_by_key.get(by_partial.key))


@pytest.mark.parametrize("function", [dict, len, Maker], ids=["type", "builtin", "class"])
def test_a_callable_without_code_is_refused(function: Any) -> None:
    """When it is decorated, by the error that names it."""
    with pytest.raises(UnsupportedArgument, match="no function that is written in Python"):
        result_table(reads=[], name="t")(function)


def test_kwargs_stand_for_the_names_of_ins(lab: Lab) -> None:
    """As under `@dg.asset`; their annotation is that of each, and names beside them are parameters as ever."""

    nothing = dg.AssetIn("last", dagster_type=dg.Nothing)

    @result_table(ins={"first": dg.AssetIn("up"), "second": dg.AssetIn("other"), "third": nothing})
    def down(context: dg.AssetExecutionContext, *, first: pa.Table, **rest: pa.Table) -> pa.Table:
        assert set(rest) == {"second"}
        return table(*values(first), *values(rest["second"]))

    for outcome in ("computed", "reused"):
        ran = lab.run([up, other, last, down])
        assert ran.outcomes["down"] == outcome
    assert values(lab.store.read("down")) == [1, 2]
    assert set(lab.anchors("down")) == {"up", "other", "last"}
    assert down(dg.build_asset_context(), first=table(5), second=table(6)) == table(5, 6)


def test_a_plain_asset_may_take_kwargs(lab: Lab) -> None:
    """Our IO manager records its table like any other, and its inputs."""

    @dg.asset(ins={"up": dg.AssetIn(), "after": dg.AssetIn("other", dagster_type=dg.Nothing)})
    def down(**rest: pa.Table) -> pa.Table:
        return rest["up"]

    assert lab.run([up, other, down]).outcomes["down"] == "computed"
    assert set(lab.anchors("down")) == {"up", "other"}


def test_parameters_behind_a_star_may_have_defaults_in_any_order(lab: Lab) -> None:
    """Python allows it for parameters that are given by name alone."""

    @result_table
    def down(*, config: dict[str, Any] = {}, up: pa.Table) -> pa.Table:  # noqa: B006  # as users write it
        return up

    assert lab.run([up, down]).outcomes["down"] == "computed"


@pytest.mark.parametrize("in_linecache", [True, False], ids=["cell of a notebook", "exec"])
def test_a_function_that_was_typed_in_is_never_reused(lab: Lab, in_linecache: bool) -> None:
    """Cells may be run in any order, so their names tell nothing: the reason says so, and which way out there is."""
    source = "@result_table(reads=[])\ndef typed() -> pa.Table:\n    return pa.table({'x': [1]})\n"
    name = "<ipython-input-1-abc>"
    scope: dict[str, Any] = {"pa": pa, "result_table": result_table}
    if in_linecache:
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        scope["__name__"] = "__main__"  # the names that `exec` is given may have none
    exec(compile(source, name, "exec"), scope)
    for _ in range(2):
        ran = lab.run(scope["typed"])
        assert ran.outcomes == {"typed": "computed"}
        assert "define it in a module, or give code_version=" in ran.why_unpinned("typed")

    versioned = compile(source.replace("reads=[]", "reads=[], code_version='1'"), name, "exec")
    exec(versioned, scope)
    assert [lab.run(scope["typed"]).outcomes["typed"] for _ in range(2)] == ["computed", "reused"]
