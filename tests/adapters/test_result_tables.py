"""`@result_tables`: one function, several tables, each with its own identity, reuse and place in the transaction."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
import pytest
from adapters_kit import Held, Lab, note, part, table, values
from result_tables_kit import CALLS, SPECS, Number, bypass, family, up

from jammi_dagster import ResultStoreResource, ResultTableIOManager, result_table, result_tables
from jammi_dagster.artifacts import read_manifest
from jammi_dagster.errors import OutputNotMade, UnsupportedArgument

K = dg.AssetKey


@pytest.mark.slow
def test_a_call_makes_what_is_missing_and_the_siblings_around_it(lab: Lab) -> None:
    """One call makes the missing outputs and the selected siblings below and above them; all else is reused."""
    lab.run([up, family])
    for select, changed, made in CALLS:
        ran = lab.run([up, family], select=list(select), tags=bypass(*changed))
        assert ran.calls == ([list(made)] if made else []), (select, changed)
        assert ran.outcomes == {name: "computed" if name in made else "reused" for name in select}


def test_all_contexts_agree_on_the_selection(lab: Lab) -> None:
    """A body that makes a part of its step's assets sees just these, wherever it asks."""

    @result_tables(
        specs=SPECS, can_subset=True, reads=[], allow_reads=["dagster.AssetExecutionContext.get", "*"]
    )
    def asks(context: dg.OpExecutionContext, up: pa.Table) -> Iterator[Any]:
        keys = set(context.selected_asset_keys)
        inner = dg.AssetExecutionContext.get()
        assert keys == set(inner.selected_asset_keys) == set(inner.op_execution_context.selected_asset_keys)
        names = {key.path[0] for key in keys}
        assert names == set(context.selected_output_names)
        assert names == set(inner.op_execution_context.selected_output_names)
        assert context.is_subset is inner.is_subset is (len(keys) < 4)
        note(sorted(names))
        for name in sorted(names):
            context.log_event(dg.AssetObservation(f"seen_{name}"))
            yield dg.Output(table(name), output_name=name)

    assert lab.run([up, asks]).calls == [["a", "b", "c", "d"]]
    ran = lab.run([up, asks], tags=bypass("d"))
    assert ran.calls == [["d"]]
    seen = [
        one.event_specific_data.asset_observation.asset_key.path[0]
        for one in ran.result.all_node_events
        if one.event_type == dg.DagsterEventType.ASSET_OBSERVATION
    ]
    assert seen == ["seen_d"]


def _returned() -> Any:
    return table("one"), table("two")


def _yielded() -> Iterator[dg.Output[Any]]:
    yield dg.Output(table("one"), "x")
    yield dg.Output(table("two"), "y")


def _one_of_two() -> Iterator[dg.Output[Any]]:
    yield dg.Output(table("one"), "x")


def _keys(**keys: str) -> dict[str, dg.AssetOut]:
    return {name: dg.AssetOut(key=key) for name, key in keys.items()}


_OPTIONAL = dg.AssetOut(key="b", is_required=False)


@pytest.mark.parametrize(
    ("function", "before", "after"),
    [
        (_returned, {"outs": _keys(x="a", y="b")}, {"outs": _keys(y="b", x="a")}),
        (_returned, {"outs": _keys(x="a", y="b")}, {"outs": _keys(x="b", y="a")}),
        (_yielded, {"outs": _keys(x="a", y="b")}, {"outs": _keys(x="b", y="a")}),
        (_returned, {"specs": [*map(dg.AssetSpec, "ab")]}, {"specs": [*map(dg.AssetSpec, "ba")]}),
        (_one_of_two, {"outs": _keys(x="a") | {"y": _OPTIONAL}}, {"outs": _keys(x="a", y="b")}),
    ],
    ids=["order of a tuple", "keys of a tuple", "keys of names", "order of specs", "left out before"],
)
def test_another_result_of_the_same_function_is_another_definition(
    lab: Lab, function: Callable[[], Any], before: dict[str, Any], after: dict[str, Any]
) -> None:
    """The decorator says which result becomes which table, so a change of that is never a reuse."""
    lab.run([result_tables(**before, reads=[])(function)])
    is_whole = function is not _one_of_two
    ran = lab.run([result_tables(**after, reads=[])(function)], ok=is_whole)
    assert ran.outcomes == ({"a": "computed", "b": "computed"} if is_whole else {})


@pytest.mark.slow
def test_each_table_has_its_own_identity(lab: Lab) -> None:
    """Tables share the code alone: asset key, inputs and definition are their own; a sibling is an anchor by digest."""
    ran = lab.run([up, family])
    definitions = {ran.said(name)["jammi/definition_hash"] for name in "abcd"}
    assert len(definitions) == 4
    assert {name: sorted(lab.anchors(name)) for name in "abcd"} == {
        "a": ["up"],
        "b": ["a"],
        "c": ["b"],
        "d": ["up"],
    }
    assert lab.anchors("b")["a"].anchor == lab.store.current("a").artifact_digest == ran.data_version("a")
    assert not any(ran.why_unpinned(name) for name in "abcd")
    found = [read_manifest(lab.store.artifacts, lab.store.current(name).artifact_path) for name in "abcd"]
    assert len({one.own["attempt"]["id"] for one in found if one is not None and one.own}) == 1


def test_an_input_of_one_table_leaves_the_others_alone(lab: Lab) -> None:
    """`internal_asset_deps` says which inputs each table has; a change of another input does not touch it."""

    @result_table(reads=[])
    def other(config: Number) -> pa.Table:
        return table(config.number)

    @result_tables(
        outs={name: dg.AssetOut(is_required=False) for name in ("left", "right")},
        internal_asset_deps={"left": {K("up")}, "right": {K("other")}},
        can_subset=True,
    )
    def pair(context, up: pa.Table, other: pa.Table):
        note(sorted(context.op_execution_context.selected_output_names))
        for name in sorted(context.op_execution_context.selected_output_names):
            yield dg.Output(up if name == "left" else other, name)

    lab.run([up, other, pair])
    ran = lab.run([up, other, pair], config={"other": {"number": 2}})
    assert ran.calls == [["right"]]
    assert ran.outcomes == {"up": "reused", "other": "computed", "left": "reused", "right": "computed"}
    assert sorted(lab.anchors("left")) == ["up"]


@pytest.mark.slow
def test_without_can_subset_all_are_made_together(lab: Lab) -> None:
    """A function that cannot make a part of its outputs makes them all, and its step must select them all."""

    @result_tables(outs={"one": dg.AssetOut(), "two": dg.AssetOut()})
    def both(up: pa.Table) -> tuple[pd.DataFrame, pa.Table]:
        note("both")
        return up.to_pandas(), up

    assert lab.run([up, both]).calls == ["both"]
    assert lab.run([up, both]).calls == []
    ran = lab.run([up, both], tags=bypass("two"))
    assert ran.calls == ["both"]
    assert ran.outcomes == {"up": "reused", "one": "computed", "two": "computed"}
    assert ran.said("one")["jammi/why"].startswith("two, which the same function makes, is computed")


def test_an_unselected_sibling_leaves_the_table_unpinned(lab: Lab) -> None:
    """What is computed without a sibling that the run did not select is never reused, and says what to select."""
    lab.run([up, family])
    ran = lab.run([up, family], select=["b"], tags=bypass("b"))
    assert "select a too" in ran.why_unpinned("b")
    again = lab.run([up, family], select=["b"])
    assert again.outcomes == {"b": "reused"}, "an earlier materialization of the same is still there"
    changed = lab.run([up, family], select=["up", "a"], config={"up": {"number": 2}})
    assert changed.outcomes == {"up": "computed", "a": "computed"}
    assert lab.run([up, family], select=["b"]).outcomes == {"b": "computed"}
    assert lab.run([up, family], select=["b"]).outcomes == {"b": "computed"}, "it is not pinned"
    assert lab.run([up, family], config={"up": {"number": 2}}).calls == [["a", "b", "c", "d"]]
    assert lab.run([up, family], config={"up": {"number": 2}}).calls == []


@pytest.mark.slow
def test_a_sibling_that_a_parameter_gets_is_read_as_it_is_stored(lab: Lab) -> None:
    """Where the function takes the sibling as an input, it need not be made in the same call."""

    @result_tables(
        outs={"first": dg.AssetOut(is_required=False), "second": dg.AssetOut(is_required=False)},
        internal_asset_deps={"first": {K("up")}, "second": {K("first")}},
        ins={"up": dg.AssetIn("up"), "first": dg.AssetIn("first")},
        can_subset=True,
    )
    def chain(context, up: pa.Table, first: pa.Table):
        note(sorted(context.op_execution_context.selected_output_names))
        if "first" in context.op_execution_context.selected_output_names:
            yield dg.Output(up, "first")
        if "second" in context.op_execution_context.selected_output_names:
            yield dg.Output(first, "second")

    @result_table(key="first", reads=[])
    def seed() -> pa.Table:
        return table(0)

    lab.run(seed)  # a parameter needs one to begin with
    ran = lab.run([up, chain])
    assert ran.calls == [["first", "second"]]
    assert "either may have been read" in ran.why_unpinned("second")
    assert lab.run([up, chain]).calls == [["second"]]
    assert values(lab.store.read("second")) == [1]
    assert lab.anchors("second")["first"].anchor == lab.store.current("first").artifact_digest
    assert lab.run([up, chain]).calls == []
    assert lab.run([up, chain], tags=bypass("second")).calls == [["second"]]


def test_what_was_left_out_is_recorded_and_reused(lab: Lab) -> None:
    """An optional output that was not made is not made again while nothing changes; who reads it is told."""

    @result_tables(
        specs=[dg.AssetSpec("sure", deps=["up"]), dg.AssetSpec("maybe", deps=["up"], skippable=True)]
    )
    def some(up: pa.Table) -> Iterator[Any]:
        note("some")
        yield dg.Output(up, output_name="sure")
        if values(up) == [2]:
            yield dg.Output(up, output_name="maybe")

    @result_table
    def reader(maybe: pa.Table) -> pa.Table:
        return maybe

    first = lab.run([up, some, reader])
    assert first.outcomes == {"up": "computed", "sure": "computed"}
    assert first.calls == ["some"]
    again = lab.run([up, some, reader])
    assert (again.outcomes, again.calls) == ({"up": "reused", "sure": "reused"}, [])
    alone = lab.run([up, some, reader], select=["reader"], ok=False)
    assert "table maybe: the function that makes it left it out" in alone.error
    with pytest.raises(OutputNotMade):
        lab.store.read("maybe")
    made = lab.run([up, some, reader], config={"up": {"number": 2}})
    assert made.outcomes == dict.fromkeys(["up", "sure", "maybe", "reader"], "computed")


def test_an_output_that_is_required_must_be_made(lab: Lab) -> None:
    """A function that forgets an output fails, and publishes nothing."""

    @result_tables(specs=[dg.AssetSpec("one"), dg.AssetSpec("two")], reads=[])
    def forgets() -> Iterator[Any]:
        yield dg.Output(table(1), output_name="one")

    assert "gave no output for two" in lab.run(forgets, ok=False).error
    assert list(lab.store.tables()) == []


def test_an_error_between_outputs_publishes_nothing(lab: Lab) -> None:
    """All tables of a call are published together, or none, whatever was written before the error."""

    @result_tables(specs=[dg.AssetSpec("one"), dg.AssetSpec("two")], reads=[])
    def fails() -> Iterator[Any]:
        yield dg.Output(table(1), output_name="one")
        raise ValueError("between outputs")

    assert "between outputs" in lab.run(fails, ok=False).error
    assert list(lab.store.tables()) == []
    assert not [path for path in lab.files() if path.suffix == ".parquet"]


async def later() -> Any:
    return table(1), table(2)


def results() -> tuple[Any, ...]:
    return (
        dg.MaterializeResult(asset_key="two", value=table(2), metadata={"of": "two"}, tags={"t": "2"}),
        dg.MaterializeResult(asset_key="one", value=table(1), metadata={"of": "one"}),
    )


def yields() -> Iterator[Any]:
    yield dg.Output(table(2), output_name="two", metadata={"of": "two"}, tags={"t": "2"})
    yield dg.AssetObservation("elsewhere")
    yield dg.MaterializeResult(asset_key="one", value=(pa.record_batch({"x": [n]}) for n in (1,)))


FORMS: dict[str, Callable[[], Any]] = {
    "a tuple": lambda: (table(1), table(2)),
    "a tuple of outputs": lambda: (dg.Output(table(1)), dg.Output(table(2), metadata={"of": "two"})),
    "results in any order": results,
    "a generator in any order": yields,
}


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_result_is_taken(lab: Lab, form: str) -> None:
    """Whatever Dagster takes as the results of a multi-asset is taken, with metadata and tags, also on reuse."""
    function = FORMS[form]

    @result_tables(specs=[dg.AssetSpec("one"), dg.AssetSpec("two")], reads=[], code_version="1")
    def both() -> Any:
        return function()

    for outcome in ("computed", "reused"):
        ran = lab.run(both)
        assert ran.outcomes == {"one": outcome, "two": outcome}
        assert ran.said("two").get("of", "two") == "two"
        if form in ("results in any order", "a generator in any order"):
            assert ran.events["two"].tags["t"] == "2"
    assert values(lab.store.read("one")) == [1]
    assert values(lab.store.read("two")) == [2]


@pytest.mark.slow
def test_an_async_function_and_one_of_objects(lab: Lab) -> None:
    """A function may be async, and its outputs may be objects, each in a format of its own."""

    @result_tables(
        outs={"model": dg.AssetOut(), "score": dg.AssetOut()}, format={"model": "pickle"}, reads=[]
    )
    async def train() -> tuple[Any, float]:
        note("train")
        return {1, 2}, 0.5

    @result_table
    def uses(model: Any, score: Any) -> dict:
        return {"size": len(model), "score": score}

    ran = lab.run([train, uses])
    assert ran.outcomes == dict.fromkeys(["model", "score", "uses"], "computed")
    again = lab.run([train, uses])
    assert again.outcomes == dict.fromkeys(["model", "score", "uses"], "reused")
    assert lab.store.read_object("uses") == {"size": 2, "score": 0.5}


def test_checks_of_each_asset_are_kept(lab: Lab) -> None:
    """Each asset keeps the results of its own checks, and a reuse tells them again."""

    @result_tables(
        specs=[dg.AssetSpec("one"), dg.AssetSpec("two")],
        check_specs=[dg.AssetCheckSpec("good", asset="one"), dg.AssetCheckSpec("good", asset="two")],
        reads=[],
    )
    def checked() -> Iterator[Any]:
        yield dg.MaterializeResult(
            asset_key="one", value=table(1), check_results=[dg.AssetCheckResult(passed=True)]
        )
        yield dg.Output(table(2), output_name="two")
        yield dg.AssetCheckResult(asset_key="two", check_name="good", passed=False, metadata={"why": "two"})

    for outcome in ("computed", "reused"):
        ran = lab.run(checked)
        assert ran.outcomes == {"one": outcome, "two": outcome}
        told = {
            one.asset_key.to_user_string(): one.passed for one in ran.result.get_asset_check_evaluations()
        }
        assert told == {"one": True, "two": False}


def test_a_run_without_the_checks_reuses_the_table_all_the_same(lab: Lab) -> None:
    """A run that selects a table without its checks takes the one that was checked, and tells of no check."""

    @result_tables(
        specs=[dg.AssetSpec("one")],
        check_specs=[dg.AssetCheckSpec("good", asset="one"), dg.AssetCheckSpec("nice", asset="one")],
        can_subset=True,
        reads=[],
    )
    def checked(context: dg.AssetExecutionContext) -> Iterator[Any]:
        yield dg.Output(table(1), output_name="one")
        for check in sorted(context.selected_asset_check_keys):
            yield dg.AssetCheckResult(asset_key="one", check_name=check.name, passed=True)

    keys = [dg.AssetCheckKey(K("one"), name) for name in ("good", "nice")]
    alone = dg.AssetSelection.assets("one").without_checks()
    selections = [
        (alone, "computed", 0),
        (None, "computed", 2),  # nobody has checked it yet
        (alone, "reused", 0),
        (alone | dg.AssetSelection.checks(keys[0]), "reused", 1),
        (None, "reused", 2),
    ]
    assert run_selections(lab, checked, selections) == [one[1:] for one in selections]


def run_selections(lab: Lab, checked: Any, selections: Iterable[Any]) -> list[tuple[str, int]]:
    """Run each selection of a function of one table; return its outcome, and how many checks Dagster was told of."""
    found = []
    for select, *_ in selections:
        result = dg.materialize([checked], selection=select, instance=lab.instance, resources=lab.resources)
        (made,) = result.get_asset_materialization_events()
        outcome = str(made.materialization.metadata["jammi/cache_outcome"].value)
        found.append((outcome, len(result.get_asset_check_evaluations())))
    return found


def test_a_result_of_a_check_that_is_not_selected_is_kept(lab: Lab) -> None:
    """A function that reports on each check in any case runs without them, and what it said is there for later."""

    @result_tables(
        outs={"one": dg.AssetOut()},
        check_specs=[dg.AssetCheckSpec("good", asset="one"), dg.AssetCheckSpec("nice", asset="one")],
        reads=[],
        can_subset=True,
    )
    def checked() -> Iterator[Any]:
        yield dg.MaterializeResult(asset_key="one", value=table(1))
        for name in ("good", "nice"):
            yield dg.AssetCheckResult(asset_key="one", check_name=name, passed=True)

    alone = dg.AssetSelection.assets("one").without_checks()
    assert run_selections(lab, checked, [(alone,), (None,)]) == [("computed", 0), ("reused", 2)]


def test_a_check_of_a_table_that_is_not_selected_is_run(lab: Lab) -> None:
    """A run that selects one table, and the check of another one of the same function, calls it for both."""

    @result_tables(
        specs=[dg.AssetSpec("one"), dg.AssetSpec("two")],
        check_specs=[dg.AssetCheckSpec("good", asset="one")],
        can_subset=True,
        reads=[],
    )
    def checked(context: dg.AssetExecutionContext) -> Iterator[Any]:
        for check in context.selected_asset_check_keys:
            yield dg.AssetCheckResult(asset_key=check.asset_key, check_name=check.name, passed=True)
        for key in context.selected_asset_keys:
            yield dg.Output(table(key.path[0]), output_name=key.path[0])

    lab.run(checked)
    other = dg.AssetSelection.checks(dg.AssetCheckKey(K("one"), "good"))
    for select, outcome in [(dg.AssetSelection.assets("two") | other, "computed"), (None, "reused")]:
        result = dg.materialize([checked], selection=select, instance=lab.instance, resources=lab.resources)
        made = [one.materialization for one in result.get_asset_materialization_events()]
        assert {one.metadata["jammi/cache_outcome"].value for one in made} == {outcome}
        (told,) = result.get_asset_check_evaluations()
        assert (told.asset_key, told.check_name) == (K("one"), "good")


letters = dg.StaticPartitionsDefinition(["a", "b", "c"])


@pytest.mark.slow
def test_partitions_ranges_and_their_inputs(lab: Lab) -> None:
    """Each partition is a table of each asset; a range makes a dict for each, and siblings match by partition."""
    parts = [dg.AssetSpec("raw_part", deps=["part"]), dg.AssetSpec("sum_part", deps=["raw_part"])]

    @result_tables(
        specs=parts,
        partitions_def=part.partitions_def,
        backfill_policy=dg.BackfillPolicy.single_run(),
        can_subset=True,
    )
    def parted(context: dg.AssetExecutionContext) -> Iterator[Any]:
        note(list(context.partition_keys))
        for name in ("raw_part", "sum_part"):
            if K(name) in context.selected_asset_keys:
                yield dg.Output({key: table(name + key) for key in context.partition_keys}, output_name=name)

    lab.run([part], partition="a")
    lab.run([part], partition="b")
    ran = lab.run([parted], span=("a", "b"))
    assert ran.calls == [["a", "b"]]
    assert sorted(lab.store.tables()) == sorted(
        f"{name}[{key}]" for name in ("part", "raw_part", "sum_part") for key in "ab"
    )
    assert sorted(lab.anchors("sum_part[a]")) == ["raw_part[a]", "raw_part[b]"], "the union of the range"
    assert lab.run([parted], span=("a", "b")).calls == []
    one = lab.run([parted], partition="a")
    assert one.calls == [["a"]], "a range is part of the definition"
    assert sorted(lab.anchors("sum_part[a]")) == ["raw_part[a]"]


@pytest.mark.slow
def test_retries_config_and_resources_work(lab: Lab) -> None:
    """Config is part of each definition, resources too, and a retry is a new attempt."""

    class Tool(dg.ConfigurableResource):
        factor: int

    tries: list[int] = []

    @result_tables(
        specs=[dg.AssetSpec("one"), dg.AssetSpec("two", deps=["one"])],
        reads=[],
        code_version="1",
        retry_policy=dg.RetryPolicy(max_retries=1),
        group_name="tools",
        op_tags={"t": "v"},
    )
    def tools(config: Number, tool: Tool) -> Iterator[Any]:
        yield dg.Output(table(config.number * tool.factor), output_name="one")
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("once")
        yield dg.Output(table(2), output_name="two")

    lab.more["tool"] = Tool(factor=3)
    assert lab.run(tools).outcomes == {"one": "computed", "two": "computed"}
    assert len(tries) == 2
    assert lab.run(tools).outcomes == {"one": "reused", "two": "reused"}
    assert lab.run(tools, config={"tools": {"number": 2}}).outcomes == {"one": "computed", "two": "computed"}
    assert values(lab.store.read("one")) == [6]


def test_specs_keep_what_they_say(lab: Lab) -> None:
    """Metadata, group, kinds, owners, tags and condition of a spec are kept; kinds and code version are added."""
    condition = dg.AutomationCondition.eager()
    spec = dg.AssetSpec(
        "one",
        metadata={"m": 1},
        group_name="g",
        owners=["a@b.co"],
        tags={"t": "v"},
        automation_condition=condition,
        code_version="7",
        description="One.",
    )

    @result_tables(specs=[spec, dg.AssetSpec("two", kinds={"csv"})], reads=[])
    def both() -> Any: ...

    one, two = (both.get_asset_spec(K(name)) for name in ("one", "two"))
    assert (one.group_name, list(one.owners), one.metadata["m"]) == ("g", ["a@b.co"], 1)
    assert (one.automation_condition, one.description, one.code_version) == (condition, "One.", "7")
    assert one.tags["t"] == "v"
    assert one.kinds == {"parquet", "jammi"}
    assert two.kinds == {"csv"}
    assert len(str(two.code_version)) == 64


def test_a_direct_call_is_dagsters_own(lab: Lab) -> None:
    """In a unit test the function is called through Dagster's invocation, and stores nothing."""

    @result_tables(outs={"one": dg.AssetOut(), "two": dg.AssetOut()})
    def both(up: pa.Table) -> tuple[pa.Table, int]:
        return up, 2

    @result_tables(specs=[dg.AssetSpec("one"), dg.AssetSpec("two")], reads=[])
    def yielded() -> Iterator[Any]:
        yield dg.Output(1, output_name="one")
        yield dg.Output(2, output_name="two")

    assert both(table(1)) == (table(1), 2)
    assert [one.value for one in yielded()] == [1, 2]


def typed() -> Any:
    return result_tables(outs={"one": dg.AssetOut(dagster_type=int)})


def managed() -> Any:
    return result_tables(outs={"one": dg.AssetOut(io_manager_key="x"), "two": dg.AssetOut()})


def spec_managed() -> Any:
    return result_tables(specs=[dg.AssetSpec("one").with_io_manager_key("x"), dg.AssetSpec("two")])


def formatted() -> Any:
    return result_tables(outs={"one": dg.AssetOut()}, format={"other": "json"})


def parted_apart() -> Any:
    other = dg.StaticPartitionsDefinition(["x"])
    return result_tables(
        specs=[dg.AssetSpec("one", partitions_def=letters), dg.AssetSpec("two", partitions_def=other)]
    )


def checks_of_others() -> Any:
    return result_tables(
        outs={"one": dg.AssetOut()}, check_specs=[dg.AssetCheckSpec("good", asset="elsewhere")]
    )


REFUSED = [
    (typed, "dagster_type"),
    (managed, "several IO managers"),
    (spec_managed, "several IO managers"),
    (formatted, "names other"),
    (parted_apart, "several partitions definitions"),
    (checks_of_others, "which the function does not make"),
    (lambda: result_tables(reads=[]), "both missing"),
]


@pytest.mark.parametrize(("declare", "why"), REFUSED, ids=[why for _, why in REFUSED])
def test_arguments_that_cannot_be_combined_are_refused_at_decoration(
    declare: Callable[[], Any], why: str
) -> None:
    """What the contract cannot keep is refused where it is written, with the reason."""

    def function() -> Any: ...

    with pytest.raises(UnsupportedArgument, match=why):
        declare()(function)


def test_annotations_must_match_the_outputs() -> None:
    """A tuple annotation with another number of items than there are outputs is refused."""

    def two() -> tuple[pa.Table, pa.Table]:
        return table(1), table(2)

    with pytest.raises(
        UnsupportedArgument, match=r"@result_tables on two: .* has 2 items, but there are 3 outputs"
    ):
        result_tables(outs={name: dg.AssetOut() for name in "abc"})(two)


ONE_VALUE = [pa.Table, pd.DataFrame | None, dict[str, pa.Table], set[str], list, bytes, Path]
SEVERAL = [Any, tuple, dg.MaterializeResult, Iterator[dg.Output[pa.Table]], tuple[pa.Table, ...]]


@pytest.mark.parametrize("annotation", [*ONE_VALUE, *SEVERAL], ids=str)
def test_one_value_for_several_outputs_is_told_at_decoration(annotation: Any) -> None:
    """Not after computing. Where a call may make one output alone, or yields them, it is taken."""

    def two() -> Any: ...

    two.__annotations__["return"] = annotation
    outs = {name: dg.AssetOut() for name in "ab"}
    result_tables(outs=outs, can_subset=True)(two)
    if annotation in SEVERAL:
        result_tables(outs=outs)(two)
    else:
        with pytest.raises(UnsupportedArgument, match=r"one value, but there are 2 outputs .* return tuple"):
            result_tables(outs=outs)(two)


WRONG: list[tuple[Callable[[], Any], str]] = [
    (lambda: {"one": table(1), "two": table(2)}, "returned one value of type dict, but makes 2 outputs"),
    (lambda: (table(1),), "returned a tuple of 1, but makes 2 outputs"),
    (lambda: (table(1), None), "gave None for two"),
    (lambda: iter(()), "returned one value"),
    (
        lambda: (dg.Output(table(1), "one"), dg.Output(table(2), "three")),
        "gave a Output for three, which this run does not make",
    ),
    (
        lambda: (dg.Output(table(1), "one", data_version=dg.DataVersion("1")), dg.Output(table(2), "two")),
        "sets a data version",
    ),
    (
        lambda: (dg.MaterializeResult(asset_key="one"), dg.Output(table(2), "two")),
        "gave no output for one",
    ),
    (
        lambda: (dg.Output(table(1), "one"), dg.Output(table(1), "one"), dg.Output(table(2), "two")),
        "more than one value",
    ),
]


@pytest.mark.parametrize(("result", "why"), WRONG, ids=[why for _, why in WRONG])
def test_other_results_are_refused(lab: Lab, result: Callable[[], Any], why: str) -> None:
    """A result that does not say which output it is, or is of none, fails the step and publishes nothing."""

    @result_tables(specs=[dg.AssetSpec("one"), dg.AssetSpec("two")], reads=[], code_version="1")
    def both() -> Any:
        return result()

    assert why in lab.run(both, ok=False).error
    assert list(lab.store.tables()) == []


def test_a_result_without_a_value_is_not_left_out(lab: Lab) -> None:
    """A table that may be left out, and that the function says it made elsewhere, is not recorded as left out."""

    @result_tables(specs=[dg.AssetSpec("maybe", skippable=True)], reads=[], code_version="1")
    def elsewhere() -> Any:
        yield dg.MaterializeResult(asset_key="maybe")

    assert "gave no output for maybe that has a value" in lab.run(elsewhere, ok=False).error
    assert list(lab.store.tables()) == []


def test_another_io_manager_is_refused_in_the_step(lab: Lab) -> None:
    """The tables of a function can only be stored by a store of ours."""
    lab.more["held"] = Held()

    @result_tables(outs={"one": dg.AssetOut(io_manager_key="held")}, reads=[])
    def both() -> Any: ...

    assert "held" in lab.run(both, ok=False).error


@pytest.mark.slow
def test_processes_hand_the_tables_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of several processes makes every table, and a run of this process reuses them."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("MULTIPROCESS_ROOT", str(tmp_path / "store"))
    with dg.instance_for_test(temp_dir=str(tmp_path / "home")) as instance:
        job = dg.reconstructable(multiprocess_job)
        with dg.execute_job(job, instance) as result:
            assert result.success
            assert _outcomes(result.all_events) == dict.fromkeys(["up", *"abcd"], "computed")
        again = job.get_definition().execute_in_process(instance=instance)
        assert _outcomes(again.all_events) == dict.fromkeys(["up", *"abcd"], "reused")


def _outcomes(events: Any) -> dict[str, Any]:
    made = [one.step_materialization_data.materialization for one in events if one.is_step_materialization]
    return {one.asset_key.to_user_string(): one.metadata["jammi/cache_outcome"].value for one in made}


def multiprocess_job() -> Any:
    """The family as a job; a job's process imports it from here."""
    manager = ResultTableIOManager(
        store=ResultStoreResource(root=dg.EnvVar("MULTIPROCESS_ROOT")), cache="use"
    )
    return dg.Definitions(
        assets=[up, family],
        jobs=[dg.define_asset_job("all", executor_def=dg.multiprocess_executor)],
        resources={"io_manager": manager},
    ).resolve_job_def("all")
