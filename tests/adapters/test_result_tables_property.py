"""Property: whatever the dependencies, selections, edits and errors, no table of a function is reused wrongly.

A small model of the rule says what each call makes; a function of the inputs says what each table must hold.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, table, values
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jammi_dagster import result_table, result_tables

INPUTS = ("x", "y")


class Value(dg.Config):
    value: int = 0


@result_table(reads=[], code_version="1")
def x(config: Value) -> pa.Table:
    return table(f"x{config.value}")


@result_table(reads=[], code_version="1")
def y(config: Value) -> pa.Table:
    return table(f"y{config.value}")


@dataclass(frozen=True)
class Shape:
    """The outputs of a function in order, with the inputs and earlier outputs that each derives from."""

    deps: Mapping[str, tuple[str, ...]]
    can_subset: bool

    def contents(self, output: str, given: Mapping[str, str], version: int) -> str:
        """What the table of an output holds when everything is made from scratch."""
        below = (
            given[one] if one in given else self.contents(one, given, version) for one in self.deps[output]
        )
        return f"{output}{version}({','.join(below)})"

    def siblings(self, output: str) -> list[str]:
        return [one for one in self.deps[output] if one not in INPUTS]


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    deps: dict[str, tuple[str, ...]] = {}
    for name in "abcd"[: draw(st.integers(2, 4))]:
        above = draw(st.sets(st.sampled_from([*INPUTS, *deps]), min_size=1, max_size=3))
        deps[name] = tuple(sorted(above))
    return Shape(deps, draw(st.booleans()))


@dataclass(frozen=True)
class Move:
    """One run: edits before it, the outputs that it selects, and the number of outputs after which it fails."""

    edits: Mapping[str, int]
    select: frozenset[int]
    fails_after: int | None


moves = st.builds(
    Move,
    edits=st.dictionaries(st.sampled_from([*INPUTS, "version"]), st.integers(0, 1), max_size=2),
    select=st.frozensets(st.integers(0, 3)),
    fails_after=st.sampled_from([None, None, None, 0, 1]),
)


@dataclass
class Model:
    """The rule: which outputs a run makes, given everything that earlier runs recorded."""

    shape: Shape
    pinned: dict[str, set[tuple[Any, ...]]] = field(default_factory=dict)
    current: dict[str, str] = field(default_factory=dict)

    def made(self, select: set[str], given: Mapping[str, str], version: int) -> set[str]:
        """The outputs that one call makes: the missing ones, and the selected siblings below and above."""
        found = {one for one in select if self._key(one, given, version) not in self.pinned.get(one, ())}
        if found and not self.shape.can_subset:
            return set(select)
        before: set[str] = set()
        while found != before:
            before = set(found)
            for one in select:
                above = set(self.shape.siblings(one)) & select
                if above & found:
                    found.add(one)
                if one in found:
                    found |= above
        return found

    def record(self, select: set[str], made: set[str], given: Mapping[str, str], version: int) -> None:
        for one in self.shape.deps:
            if one in made:
                self.current[one] = self.shape.contents(one, given, version)
            elif one in select:
                self.current[one] = self._key(one, given, version)[-1]
        for one in made:
            if set(self.shape.siblings(one)) <= select:
                self.pinned.setdefault(one, set()).add(self._key(one, given, version))

    def _key(self, one: str, given: Mapping[str, str], version: int) -> tuple[Any, ...]:
        """The identity of a table over its inputs now, and over the stored tables of its siblings."""
        above = tuple(given[d] if d in given else self.current.get(d, "") for d in self.shape.deps[one])
        return (version, *above, f"{one}{version}({','.join(above)})")


def function_of(shape: Shape, move: Move, version: int) -> Any:
    """The multi-asset of a shape, which fails after some outputs where the move says so."""

    @result_tables(
        name="family",
        specs=[dg.AssetSpec(name, deps=[*above, *INPUTS[:0]]) for name, above in shape.deps.items()],
        can_subset=shape.can_subset,
        code_version=str(version),
    )
    def family(context: dg.AssetExecutionContext) -> Iterator[Any]:
        selected = [name for name in shape.deps if dg.AssetKey(name) in context.selected_asset_keys]
        note(frozenset(selected))
        given = {name: values(STORE[0].read(name))[0] for name in INPUTS}
        for at, name in enumerate(reversed(selected)):
            if move.fails_after == at:
                raise ValueError("between outputs")
            yield dg.Output(table(shape.contents(name, given, version)), output_name=name)

    return family


STORE: list[Any] = []


@pytest.mark.slow
@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(shape=shapes(), played=st.lists(moves, min_size=2, max_size=5))
def test_no_table_of_a_function_is_reused_wrongly(shape: Shape, played: list[Move]) -> None:
    """A run makes just the outputs that the rule says, and leaves tables that equal those made from scratch."""
    with TemporaryDirectory() as folder, dg.DagsterInstance.ephemeral() as instance:
        lab = Lab(Path(folder) / "store", instance)
        STORE[:] = [lab.store]
        model, state = Model(shape), {"x": 0, "y": 0, "version": 0}
        whole = Move({}, frozenset(range(4)), None)
        for move in itertools.chain(played, [whole]):
            state |= move.edits
            given = {name: f"{name}{state[name]}" for name in INPUTS}
            names = list(shape.deps)
            select = {names[at] for at in move.select if at < len(names)}
            select = select if select and shape.can_subset else set(names)
            made = model.made(select, given, state["version"])
            fails = move.fails_after is not None and move.fails_after < len(made)
            tables = function_of(shape, move, state["version"])
            ran = lab.run(
                [x, y, tables],
                select=[*INPUTS, *sorted(select)],
                config={name: {"value": state[name]} for name in INPUTS},
                ok=not fails,
            )
            assert ran.calls == ([frozenset(made)] if made else [])
            if fails:
                assert not made & ran.outcomes.keys()
            else:
                model.record(select, made, given, state["version"])
                computed = {name for name, one in ran.outcomes.items() if one == "computed"}
                assert computed - set(INPUTS) == made
                assert not set(names) & {n for n in made if n not in ran.outcomes}
            for name, text in model.current.items():
                assert values(lab.store.read(name)) == [text]
        for name in shape.deps:
            assert values(lab.store.read(name)) == [shape.contents(name, given, state["version"])]
        lab.store.close()
