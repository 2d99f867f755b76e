"""Random edits of a graph asset: each table is that of a run from scratch, and an earlier state is reused."""

import random
from collections.abc import Callable
from types import ModuleType

import pytest
from adapters_kit import Lab, values
from executor_kit import definitions, launch

FLOW = """
    import dagster as dg, pyarrow as pa
    from jammi_dagster import result_table

    class Config(dg.Config):
        step: int = 1

    def scaled(x):
        return x * {scale}

    @result_table(reads=[])
    def raw() -> pa.Table:
        return pa.table({{"x": list(range({rows}))}})

    @dg.op(out=dg.DynamicOut())
    def split(data: pa.Table):
        for x in data["x"].to_pylist():
            yield dg.DynamicOutput(x, mapping_key=str(x))

    @dg.op
    def grow(config: Config, x):
        return scaled(x) + config.step

    @dg.op
    def total(xs):
        return sum(xs)

    @dg.op
    def count(data: pa.Table):
        return len(data)

    @dg.op
    def less(a, b) -> pa.Table:
        return pa.table({{"x": [a - b]}})

    @dg.graph
    def summed(data):
        return total(split(data).map(grow).collect())

    @dg.graph_asset(ins={{"data": dg.AssetIn("raw")}})
    def made(data):
        a, b = summed(data), count(data)
        return less({arguments})
"""


def expected(scale: int, rows: int, step: int, swapped: bool) -> int:
    """The value of a run from scratch."""
    total = sum(x * scale + step for x in range(rows))
    return rows - total if swapped else total - rows


@pytest.mark.parametrize(
    "seed",
    [pytest.param(1, marks=pytest.mark.slow), *(pytest.param(n, marks=pytest.mark.long) for n in (2, 3))],
)
def test_a_graph_is_reused_where_nothing_differs_and_nowhere_else(
    lab: Lab, module: Callable[[str, str], ModuleType], seed: int
) -> None:
    """Over edits of a helper, the wiring, the input and the config of an op, and reverts of these."""
    rng = random.Random(seed)
    seen: set[tuple[int, int, int, bool]] = set()
    reused = 0
    for _ in range(10):
        state = rng.choice([2, 3]), rng.choice([2, 3]), rng.choice([1, 5]), rng.random() < 0.5
        scale, rows, step, swapped = state
        flow = module("flow", FLOW.format(scale=scale, rows=rows, arguments="b, a" if swapped else "a, b"))
        config = {"ops": {"made": {"ops": {"summed": {"ops": {"grow": {"config": {"step": step}}}}}}}}
        ran = launch(lab, definitions(lab, [flow.raw, flow.made]), config=config)

        assert values(lab.store.read("made")) == [expected(*state)], state
        assert ran.outcomes["made"] == ("reused" if state in seen else "computed"), state
        reused += state in seen
        seen.add(state)
    assert reused
