"""Two assets of a job that one graph, or one op, makes: Dagster numbers the second node, and config goes by node."""

from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, raw, table, values
from executor_kit import definitions, launch

from jammi_dagster import result_table


class Step(dg.Config):
    step: int = 1


@dg.op
def add(config: Step, data: pa.Table) -> pa.Table:
    note(config.step)
    return table(*(x + config.step for x in values(data)))


@dg.graph
def grown(data):
    return add(data)


@result_table(name="one", ins={"data": dg.AssetIn("raw")})
def by_function(config: Step, data: pa.Table) -> pa.Table:
    note(config.step)
    return table(*(x + config.step for x in values(data)))


def by_graph(key: str, above: str) -> dg.AssetsDefinition:
    inputs, outputs = {"data": dg.AssetKey(above)}, {"result": dg.AssetKey(key)}
    return dg.AssetsDefinition.from_graph(grown, keys_by_input_name=inputs, keys_by_output_name=outputs)


def of_graph(step: int) -> dict[str, Any]:
    return {"ops": {"add": {"config": {"step": step}}}}


def of_function(step: int) -> dict[str, Any]:
    return {"config": {"step": step}}


KEYS = {dg.AssetKey("raw"): dg.AssetKey("one"), dg.AssetKey("one"): dg.AssetKey("two")}
CASES = {
    "graph": ("grown", [by_graph("one", "raw"), by_graph("two", "one")], of_graph),
    "function": (
        "one",
        [by_function, by_function.with_attributes(asset_key_replacements=KEYS)],
        of_function,
    ),
}


@pytest.mark.parametrize("kind", CASES)
def test_each_asset_has_the_config_and_the_inputs_of_its_own_node(lab: Lab, kind: str) -> None:
    """A new config of one node computes its asset, and the asset below; the former configs reuse the former tables."""
    node, assets, entry = CASES[kind]
    defs = definitions(lab, [raw, *assets])

    runs = [
        launch(lab, defs, config={"ops": {node: entry(one), f"{node}_2": entry(two)}})
        for one, two in ((1, 1), (1, 1), (1, 5), (2, 5), (1, 1))
    ]

    assert [ran.calls for ran in runs] == [[1, 1], [], [5], [2, 5], []]
    assert values(lab.store.read("one")) == [2, 3, 4]
    assert values(lab.store.read("two")) == [3, 4, 5]
