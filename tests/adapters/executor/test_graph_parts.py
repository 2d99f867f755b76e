"""A run of a part of a graph's assets: each table has the definition that it has in a run of all (DESIGN 4)."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, raw, table, values
from executor_kit import definitions, launch
from sensing_kit import Ticking, evaluate

from jammi_dagster import InputAnchor, result_table
from jammi_dagster.adapters.assets.graph import graph_spec


@result_table(reads=[])
def more() -> pa.Table:
    return table(7)


class Step(dg.Config):
    step: int = 1


@dg.op
def first(config: Step, data: pa.Table) -> pa.Table:
    note("first")
    return table(*(x + config.step for x in values(data)))


@dg.op
def counted(data: pa.Table):
    note("counted")
    return len(data)


@dg.op
def second(config: Step, count, more: pd.DataFrame) -> pd.DataFrame:
    note("second")
    return more.assign(x=count + config.step)


@dg.op
def third(a: pa.Table) -> pa.Table:
    note("third")
    return table(sum(values(a)))


@dg.graph
def inner(data, more):
    return second(counted(data), more)


@dg.graph(out={"a": dg.GraphOut(), "b": dg.GraphOut(), "c": dg.GraphOut()})
def ops(data, more):
    a = first(data)
    return {"a": a, "b": inner(data, more), "c": third(a)}


def graph(*, is_declared: bool) -> dg.AssetsDefinition:
    """A graph of three assets; an op of `c` reads `a`, which is declared or is not."""
    keys = {name: dg.AssetKey(name) for name in ("raw", "more", "a")}
    deps = {"a": {keys["raw"]}, "b": {keys["raw"], keys["more"]}, "c": {keys["a"]}}
    return dg.AssetsDefinition.from_graph(
        ops,
        keys_by_input_name={"data": keys["raw"], "more": keys["more"]},
        internal_asset_deps=deps if is_declared else None,
        can_subset=True,
    )


def test_a_part_has_the_definition_of_the_whole(lab: Lab) -> None:
    """A table is made by the ops that reach its output: after runs of parts nothing is stale, and all is reused."""
    assets = [raw, more, graph(is_declared=True)]
    found = []
    for selections in ([None], [["a"], ["c", "b"]]):
        for select in selections:
            launch(lab, definitions(lab, assets, select=select), tags={"jammi/cache": "bypass"})
        found.append([lab.store.current(one).definition_hash for one in "abc"])

    assert found[0] == found[1]
    assert len(set(found[0])) == 3
    assert evaluate(lab, assets).tables == {}
    for names in ("a", "abc"):
        ran = launch(lab, definitions(lab, assets, select=list(names)))
        assert ran.outcomes == dict.fromkeys(names, "reused")
        assert ran.calls == []


@dg.op(out={"a": dg.Out(is_required=False), "b": dg.Out(is_required=False)})
def either(context: dg.OpExecutionContext, data: pa.Table):
    for number, name in enumerate("ab"):
        if name in context.selected_output_names:
            note(name)
            yield dg.Output(table(*values(data), number), name)


@dg.graph_multi_asset(outs={"a": dg.AssetOut(), "b": dg.AssetOut()}, can_subset=True)
def pair(raw):
    a, b = either(raw)
    return {"a": a, "b": b}


def test_an_op_may_ask_which_outputs_are_wanted(lab: Lab) -> None:
    """It tells nothing about the data: the tables are pinned, and reused by one part or another, from one op."""
    for select in ("a", "ab"):
        ran = launch(lab, definitions(lab, [raw, pair], select=["raw", *select]))
        assert ran.calls == list(select)
        assert not any(map(ran.why_unpinned, select))
    ran = launch(lab, definitions(lab, [raw, pair], select=["raw", "b"]))
    assert ran.outcomes["b"] == "reused"


@pytest.mark.slow
def test_a_sibling_that_nothing_declares_unpins_a_part(lab: Lab) -> None:
    """The whole is made from one state of its inputs; a part reads a table of which the graph says nothing."""
    assets = [raw, more, graph(is_declared=False)]
    ran = launch(lab, definitions(lab, assets))
    assert not any(map(ran.why_unpinned, "abc"))

    for _ in range(2):
        ran = launch(lab, definitions(lab, assets, select=["b", "c"]))
        assert ran.outcomes == {"b": "computed", "c": "computed"}
        assert "an op reads a, which the run does not make: select it too, or name it in" in ran.why_unpinned(
            "c"
        )
        assert "retry" not in ran.why_unpinned("c")


def test_a_sibling_is_anchored_as_the_op_read_it(lab: Lab) -> None:
    """Its name may have moved on before the table is recorded."""

    @dg.op
    def moved(a: pa.Table):
        lab.store.materialize("a", table(7), descriptor={"producer": "test"}, env={}, inputs=[])
        return a

    @dg.graph(out={"a": dg.GraphOut(), "c": dg.GraphOut()})
    def moving(data):
        a = first(data)
        return {"a": a, "c": third(moved(a))}

    made = dg.AssetsDefinition.from_graph(
        moving,
        keys_by_input_name={"data": dg.AssetKey("raw")},
        internal_asset_deps={"a": {dg.AssetKey("raw")}, "c": {dg.AssetKey("a")}},
        can_subset=True,
    )
    launch(lab, definitions(lab, [raw, made], select=["raw", "a"]))
    read = str(lab.store.current("a").artifact_digest)
    launch(lab, definitions(lab, [raw, made], select=["c"]))

    assert lab.anchors("c")["a"] == InputAnchor.result_digest("a", read)


class Needed(dg.Config):
    number: int


@dg.op
def numbered(config: Needed, data: pa.Table) -> pa.Table:
    return table(config.number)


@dg.graph_multi_asset(
    outs={"d": dg.AssetOut(), "e": dg.AssetOut()}, ins={"data": dg.AssetIn("raw")}, can_subset=True
)
def configured(data):
    return {"d": numbered.alias("of_d")(data), "e": numbered.alias("of_e")(data)}


def numbers(**by_op: int) -> dict[str, Any]:
    ops = {name: {"config": {"number": number}} for name, number in by_op.items()}
    return {"ops": {"configured": {"ops": ops}}}


@pytest.mark.slow
def test_each_table_keeps_the_config_of_its_own_ops(lab: Lab) -> None:
    """Dagster refuses config of ops that a run leaves out: nobody asks for it, nor gives it to a run of a part."""
    assets = [raw, configured]
    launch(lab, definitions(lab, assets), config=numbers(of_d=1, of_e=2))
    launch(lab, definitions(lab, assets, select=["d"]), config=numbers(of_d=7))
    assert evaluate(lab, assets).tables == {}

    lab.store.drop("e")
    launch(lab, definitions(lab, assets, select=["e"]), config=numbers(of_e=3))

    @result_table(name="raw", reads=[])
    def other() -> pa.Table:
        return table(4)

    Ticking(lab, [other, configured]).settle()
    assert [values(lab.store.read(name)) for name in "de"] == [[7], [3]]
    assert evaluate(lab, [other, configured]).tables == {}


@pytest.mark.slow
@pytest.mark.parametrize("can_subset", [True, False], ids=["parts", "whole"])
def test_an_input_that_no_asset_is_said_to_have_unpins(lab: Lab, can_subset: bool) -> None:
    """`internal_asset_deps=` replaces Dagster's own: it has to name each input that the ops of an asset load."""

    @dg.graph(out={"a": dg.GraphOut(), "c": dg.GraphOut()})
    def forgetful(data):
        a = first(data)
        return {"a": a, "c": third(a)}

    made = dg.AssetsDefinition.from_graph(
        forgetful,
        keys_by_input_name={"data": dg.AssetKey("raw")},
        internal_asset_deps={"c": {dg.AssetKey("a")}},
        can_subset=can_subset,
    )
    launch(lab, definitions(lab, [raw, made], select=["raw"]))
    ran = launch(lab, definitions(lab, [raw, made], select=["a", "c"]))

    said = "an op reads raw, which internal_asset_deps= does not name for a: name it there"
    assert said in ran.why_unpinned("a")
    assert not ran.why_unpinned("c")


SOURCE = """
    import dagster as dg, pyarrow as pa
    STATE = [1]

    @dg.op
    def first(data: pa.Table) -> pa.Table:
        return data

    @dg.op
    def shared(data: pa.Table):
        return len(data)

    @dg.op
    def second(count) -> pa.Table:
        return pa.table({"x": [count]})

    @dg.op
    def third(a: pa.Table) -> pa.Table:
        return a

    @dg.op(out={"of_first": dg.Out()})
    def checked(a: pa.Table):
        return dg.AssetCheckResult(asset_key="a", check_name="of_first", passed=True)

    @dg.graph(out={name: dg.GraphOut() for name in ("a", "b", "c", "a_of_first")})
    def ops(data):
        a = first(data)
        return {"a": a, "b": second(shared(data)), "c": third(a), "a_of_first": checked(a)}

    flow = dg.AssetsDefinition.from_graph(
        ops,
        keys_by_input_name={"data": dg.AssetKey("raw")},
        internal_asset_deps={"c": {dg.AssetKey("a")}},
        check_specs=[dg.AssetCheckSpec("of_first", asset="a")],
        can_subset=True,
    )
"""
EDITS = {
    "an op of one": ("return a\n", "return a.slice(0)\n", "c"),
    "an op that another reads": ("return data\n", "return data.slice(0)\n", "a"),
    "an op before an op": ("return len(data)", "return len(data) + 0", "b"),
    "an op of a check": ("passed=True", "passed=1 == 1", "a"),
    "the wiring of one": ("second(shared(data))", "second(shared.alias('other')(data))", "b"),
    "a name that no op has": ("STATE", "OTHER", ""),
}


@pytest.mark.parametrize(("old", "new", "moved"), EDITS.values(), ids=EDITS)
def test_an_edit_moves_the_tables_that_the_op_makes(
    module: Callable[[str, str], ModuleType], old: str, new: str, moved: str
) -> None:
    """Where a run may select a part; those of siblings stay, which derive from the table itself."""

    def digests(source: str) -> dict[str, str]:
        flow = module("flow", source).flow
        parts = [flow, *(flow.subset_for({dg.AssetKey(name)}, None) for name in "abc")]
        found = {(key.path[0], graph_spec(part, key).code().digest) for part in parts for key in part.keys}
        assert len(found) == 3, "a part has the definition of the whole"
        return dict(found)

    before, after = digests(SOURCE), digests(SOURCE.replace(old, new, 1))

    assert {name for name in before if before[name] != after[name]} == set(moved)


def test_an_op_of_another_asset_that_changes_state_is_told(
    module: Callable[[str, str], ModuleType],
) -> None:
    """It may run before, in the same process: the same is said of a part, in which it does not run."""
    source = SOURCE.replace("return a\n", "STATE.append(2); return a\n", 1).replace(
        "len(data)", "len(data) + STATE[0]"
    )
    flow = module("flow", source).flow
    part = flow.subset_for({dg.AssetKey("b")}, None)

    for one in (flow, part):
        assert "changed by op third" in str(graph_spec(one, dg.AssetKey("b")).code().unresolved)
