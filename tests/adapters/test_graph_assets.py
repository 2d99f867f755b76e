"""Assets that a graph of ops makes: identity over all ops, values between them, records (DESIGN 4)."""

import pickle
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import dagster as dg
import pandas as pd
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, part, raw, table, taken, values
from graph_kit import loud
from sensing_kit import evaluate

from jammi_dagster import InputAnchor, ResultTableIOManager, code_identity, finalize
from jammi_dagster.adapters.handoff.run_values import read_value
from jammi_dagster.catalog import CollectionRows
from jammi_dagster.errors import InvalidField, OpValueUnreadable, UnsupportedArgument
from jammi_dagster.maintenance import RunFolders

SOURCE = """
    import dagster as dg, pandas as pd, pyarrow as pa
    RATE = 2

    def scaled(x):
        return x * RATE

    def unrelated():
        return 1

    class Config(dg.Config):
        step: int = 1

    @dg.op(out=dg.DynamicOut())
    def split(data: pa.Table):
        for x in data["x"].to_pylist():
            yield dg.DynamicOutput(x, mapping_key=str(x))

    @dg.op(tags={"team": "blue"})
    def grow(config: Config, x):
        return scaled(x) + config.step

    @dg.op
    def total(xs):
        return sum(xs)

    @dg.op
    def join(a, b, data: pa.Table) -> pa.Table:
        return data.append_column("t", [[a + b] * len(data)])

    @dg.op(code_version="1")
    def versioned(data):
        return 10

    @dg.graph
    def inner(data):
        return total(split(data).map(grow).collect())

    def mapping(given):
        return {"ops": {"grow": {"config": {"step": given["by"]}}}}

    @dg.graph(config=dg.ConfigMapping(config_fn=mapping, config_schema={"by": int}))
    def mapped(data):
        return total(split(data).map(grow).collect())

    @dg.graph_asset(ins={"data": dg.AssetIn("raw")})
    def graphed(data):
        return join(inner(data), versioned(data), data)
"""


def identified(module: Callable[[str, str], ModuleType], *edits: tuple[str, str]) -> Any:
    source = SOURCE
    for old, new in edits:
        assert old in source
        source = source.replace(old, new, 1)
    return code_identity(module("flow", source).graphed)


COUNTING = {
    "the body of an op": ("return sum(xs)", "return sum(xs) + 1"),
    "the body of an op in a nested graph": ("yield dg.DynamicOutput(x,", "yield dg.DynamicOutput(x + 1,"),
    "a helper that an op reaches": ("return x * RATE", "return x + RATE"),
    "a constant that a helper reaches": ("RATE = 2", "RATE = 3"),
    "the code version of an op": ('code_version="1"', 'code_version="2"'),
    "the order of dependencies": (
        "join(inner(data), versioned(data), data)",
        "join(versioned(data), inner(data), data)",
    ),
    "another source of an input": ("versioned(data), data)", "versioned(inner(data)), data)"),
    "one op more": ("join(inner(data),", "join(total.alias('sum')([inner(data), versioned(data)]),"),
    "an alias": ("total(split(data)", "total.alias('sum')(split(data)"),
    "an alias of a nested graph": ("join(inner(data),", "join(inner.alias('other')(data),"),
    "no collection of a dynamic output": (
        "return total(split(data).map(grow).collect())",
        "return total([versioned(data)])",
    ),
    "a config mapping": ("join(inner(data),", "join(mapped(data),"),
    "an output that is not required": (
        "@dg.op\n    def total",
        "@dg.op(out=dg.Out(is_required=False))\n    def total",
    ),
    "another IO manager": ("@dg.op\n    def total", "@dg.op(out=dg.Out(io_manager_key='m'))\n    def total"),
    "the kind of an input": ("b, data: pa.Table)", "b, data: pd.DataFrame)"),
}
NOT_COUNTING = {
    "the body of an op with a code version": ("return 10", "return 11"),
    "code that no op reaches": ("return 1\n", "return 2\n"),
    "a tag": ('"blue"', '"red"'),
    "a comment": ("return sum(xs)", "return sum(xs)  # all"),
    "a description": ('code_version="1"', 'code_version="1", description="x"'),
    "the name of a function that is no op": ("def unrelated", "def other"),
    "a retry policy": ('tags={"team": "blue"}', "retry_policy=dg.RetryPolicy(max_retries=1)"),
}


@pytest.mark.parametrize("edit", COUNTING.values(), ids=COUNTING)
def test_an_edit_of_ops_and_wiring_moves_the_identity(
    module: Callable[[str, str], ModuleType], edit: tuple[str, str]
) -> None:
    """Each op is read as an asset's function is, and the structure of the graph counts beside them."""
    assert identified(module).digest != identified(module, edit).digest


@pytest.mark.parametrize("edit", NOT_COUNTING.values(), ids=NOT_COUNTING)
def test_other_edits_leave_the_identity(
    module: Callable[[str, str], ModuleType], edit: tuple[str, str]
) -> None:
    """Tags, descriptions and unreached code are no part of it; a code version stands for the body of its op."""
    assert identified(module).digest == identified(module, edit).digest


LAST = ("@dg.op\n    def join", '@dg.op(code_version="3")\n    def join')
WHOLE = ("@dg.graph_asset(ins", '@dg.graph_asset(code_version="4", ins')


@pytest.mark.parametrize("edit", COUNTING.values(), ids=COUNTING)
def test_a_code_version_of_the_last_op_stands_for_this_op_alone(
    module: Callable[[str, str], ModuleType], edit: tuple[str, str]
) -> None:
    """Dagster gives it to the asset; the code of all other ops counts as before."""
    assert identified(module, LAST).digest != identified(module, edit, LAST).digest


def test_a_code_version_stands_for_what_it_is_given_to(module: Callable[[str, str], ModuleType]) -> None:
    """That of the last op for its body, and that of the asset for all of the graph."""
    body = ("return data.append_column", "return data.set_column")
    assert identified(module, LAST).digest == identified(module, body, LAST).digest
    assert identified(module, LAST).digest != identified(module, (LAST[0], LAST[1].replace("3", "5"))).digest
    for edit in COUNTING.values():
        assert identified(module, WHOLE).digest == identified(module, edit, WHOLE).digest
    assert (
        identified(module, WHOLE).digest != identified(module, (WHOLE[0], WHOLE[1].replace("4", "5"))).digest
    )


def test_the_code_of_a_config_mapping_counts(module: Callable[[str, str], ModuleType]) -> None:
    """Also where the mapping is that of a graph within the graph."""
    nested = ("join(inner(data),", "join(mapped(data),")
    edit = ('given["by"]', 'given["by"] + 1')

    assert identified(module, nested).digest != identified(module, nested, edit).digest


UNDECLARED = {
    "a clock": ("return sum(xs)", "import time; return time.time()", "in op inner.total, time.time"),
    "a file": ("return x * RATE", "return open('x').read()", "in op inner.grow, open"),
    "a kept file": (
        "return x * RATE",
        "import linecache; return linecache.getlines('x')",
        "in op inner.grow, linecache.getlines",
    ),
    "the run without a context": (
        "return sum(xs)",
        "return dg.OpExecutionContext.get().run_id",
        "in op inner.total, dagster.OpExecutionContext.get",
    ),
    "no input": ("versioned(data),", "dg.op(name='alone')(lambda: 1)(),", "in op alone, it has no input"),
    "the run": (
        "def total(xs):\n        return",
        "def total(context, xs):\n        return len(context.run_id) +",
        "in op inner.total, context.run_id",
    ),
    "a resource": (
        "@dg.op\n    def total",
        "@dg.op(required_resource_keys={'db'})\n    def total",
        "in op inner.total, it takes resources (db)",
    ),
    "state that another op changes": (
        "return sum(xs)\n",
        "global RATE; RATE = 5; return sum(xs)\n",
        "in op inner.grow, ",
    ),
}


@pytest.mark.parametrize(("old", "new", "said"), UNDECLARED.values(), ids=UNDECLARED)
def test_an_undeclared_read_names_its_op(
    module: Callable[[str, str], ModuleType], old: str, new: str, said: str
) -> None:
    """One op that may read the outside world unpins the whole, and the reason says which one."""
    assert identified(module).pinned
    found = identified(module, (old, new))

    assert not found.pinned
    assert [reason for reason in map(str, found.reasons) if said in reason], found.reasons


def test_a_reason_names_all_ops_that_have_it(module: Callable[[str, str], ModuleType]) -> None:
    """Not once for each: a helper may be reached from several, and so may code that cannot be identified."""
    edits = (("return x * RATE", "return x * eval('RATE')"), ("return sum(xs)", "return scaled(sum(xs))"))
    reasons = list(map(str, identified(module, *edits).reasons))

    assert len([reason for reason in reasons if "eval" in reason]) == 1, reasons
    assert "in op inner.grow and op inner.total, " in reasons[0]


def test_a_graph_may_declare_that_it_reads_nothing_else(module: Callable[[str, str], ModuleType]) -> None:
    """By metadata of the asset, as `reads=[]` does; anything else there is refused."""
    alone = ("versioned(data),", "dg.op(name='alone')(lambda: 1)(),")
    ins = '@dg.graph_asset(ins={"data": dg.AssetIn("raw")}'

    assert identified(module, alone, (ins, f'{ins}, metadata={{"jammi/reads": []}}')).pinned
    with pytest.raises(InvalidField, match="jammi/reads"):
        identified(module, (ins, f'{ins}, metadata={{"jammi/reads": ["x.csv"]}}'))


def test_the_last_op_declares_no_reads_of_the_others(module: Callable[[str, str], ModuleType]) -> None:
    """Dagster gives the metadata of its output to the asset."""
    alone = ("versioned(data),", "dg.op(name='alone')(lambda: 1)(),")
    of_op = ("@dg.op\n    def join", '@dg.op(out=dg.Out(metadata={"jammi/reads": []}))\n    def join')

    assert [str(one) for one in identified(module, alone, of_op).reasons if "in op alone" in str(one)]


# --- runs ------------------------------------------------------------------------------------------------


class Step(dg.Config):
    step: int = 1


@dg.op(out=dg.DynamicOut())
def split(data: pa.Table) -> Any:
    for x in values(data):
        yield dg.DynamicOutput(x, mapping_key=str(x))


@dg.op
def grow(config: Step, x):
    return x + config.step


@dg.op
def total(xs):
    return sum(xs)


@dg.op
def join(total, data: pd.DataFrame) -> pd.DataFrame:
    note("join")
    return data.assign(x=data.x + total)


@dg.graph
def inner(data):
    return total(split(data).map(grow).collect())


@dg.graph_asset(ins={"data": dg.AssetIn("raw")})
def graphed(data):
    return join(inner(data), data)


def runs(lab: Lab) -> dict[str, list[str]]:
    """The values that runs left in the store."""
    return RunFolders(lab.store.artifacts, None).runs()


def definition(lab: Lab, table: str = "graphed") -> str | None:
    return lab.store.current(table).definition_hash


def test_a_graph_is_recorded_as_an_asset_of_one_function(lab: Lab) -> None:
    """Dynamic and nested ops hand on their values; the table has identity, anchors and metadata, and nothing stays."""
    ran = lab.run([raw, graphed])
    record, said = lab.store.current("graphed"), ran.said("graphed")

    assert values(lab.store.read("graphed")) == [10, 11, 12]
    assert lab.anchors("graphed") == {"raw": InputAnchor.result_digest("raw", ran.data_version("raw"))}
    assert ran.data_version("graphed") == record.artifact_digest
    assert said["jammi/definition_hash"] == record.definition_hash
    assert not ran.why_unpinned("graphed")
    assert lab.store.producing_descriptor("graphed").to_dict()["output_kind"] == "pandas.DataFrame"
    assert not (lab.root / "runs").exists()


@pytest.mark.slow
def test_a_graph_under_use_says_once_that_it_runs(lab: Lab) -> None:
    """Without `reuse_first` its ops run, and the log names the way out; what is below is reused."""
    lab.run([raw, graphed])
    ran = lab.run([raw, graphed])

    assert ran.outcomes == {"raw": "reused", "graphed": "computed"}
    assert ran.said("graphed")["jammi/reproducibility"] == "reproduced"
    assert ran.said("graphed")["jammi/why"] == "only an executor under reuse_first skips the ops of a graph"
    (line,) = [line for line in ran.captured if line.startswith("graphed: the cache policy is `use`")]
    assert "finalize(defs, reuse_first=True)" in line


def test_config_of_ops_is_part_of_the_definition(lab: Lab) -> None:
    """Of an op at any depth; a default that is spelt out is the same config."""
    given = {"graphed": {"ops": {"inner": {"ops": {"grow": {"config": {"step": 1}}}}}}}
    lab.run([raw, graphed])
    first = definition(lab)
    lab.run([raw, graphed], ops=given)
    spelt = definition(lab)
    given["graphed"]["ops"]["inner"]["ops"]["grow"]["config"]["step"] = 2
    lab.run([raw, graphed], ops=given)

    assert spelt == first != definition(lab)
    assert values(lab.store.read("graphed")) == [13, 14, 15]
    assert lab.store.producing_descriptor("graphed").to_dict()["config"] == {"inner.grow": {"step": 2}}


@pytest.mark.slow
def test_mapped_config_is_part_of_the_definition(lab: Lab) -> None:
    """By what the ops get; as it may come from the environment, it lies behind the store's key."""

    def mapping(given):
        return {"inner": {"ops": {"grow": {"config": {"step": given["by"]}}}}}

    @dg.graph_asset(
        ins={"data": dg.AssetIn("raw")},
        config=dg.ConfigMapping(
            config_fn=mapping, config_schema={"by": int, "other": dg.Field(int, default_value=0)}
        ),
    )
    def mapped(data):
        return join(inner(data), data)

    found = []
    for config in ({"by": 1}, {"by": 1, "other": 2}, {"by": 2}):
        lab.run([raw, mapped], config={"mapped": config})
        found.append(definition(lab, "mapped"))

    assert found[0] == found[1] != found[2]
    assert list(lab.store.producing_descriptor("mapped").to_dict()["config"]["inner.grow"]) == ["hmac_sha256"]


class By(dg.Config):
    by: int = 1


@dg.config_mapping
def by_class(given: By):
    return {"inner": {"ops": {"grow": {"config": {"step": given.by}}}}}


@pytest.mark.slow
@pytest.mark.parametrize("form", ["values", "class"])
def test_dagsters_own_code_around_a_mapping_unpins_nothing(lab: Lab, form: str) -> None:
    """Plain values are a mapping of Dagster's own, and a config class is filled by it; what the ops get counts."""
    found = []
    for step in (1, 2, 1):
        values = {"inner": {"ops": {"grow": {"config": {"step": step}}}}}

        @dg.graph_asset(ins={"data": dg.AssetIn("raw")}, config=values if form == "values" else by_class)
        def mapped(data):
            return join(inner(data), data)

        ran = lab.run([raw, mapped], config={} if form == "values" else {"mapped": {"by": step}})
        assert not ran.why_unpinned("mapped")
        found.append(definition(lab, "mapped"))

    assert found[0] == found[2] != found[1]


class Rate(dg.ConfigurableResource[Any]):
    rate: int


@pytest.mark.parametrize(
    "is_last", [pytest.param(True, marks=pytest.mark.slow), False], ids=["last", "first"]
)
def test_resources_of_ops_are_part_of_the_definition(lab: Lab, is_last: bool) -> None:
    """By the fields of each that any op takes, also of one that the op which gives the table does not have."""

    @dg.op
    def rated(data: pa.Table, rate: Rate) -> pa.Table:
        return table(*(x * rate.rate for x in values(data)))

    @dg.op
    def same(data: pa.Table) -> pa.Table:
        return data

    @dg.graph_asset(ins={"data": dg.AssetIn("raw")})
    def made(data):
        return rated(data) if is_last else same(rated(data))

    found = []
    for rate in (1, 1, 2):
        lab.more = {"rate": Rate(rate=rate)}
        assert not lab.run([raw, made]).why_unpinned("made")
        found.append(definition(lab, "made"))

    assert found[0] == found[1] != found[2]
    assert evaluate(lab, [raw, made]).tables == {}
    lab.more = {"rate": Rate(rate=1)}
    assert evaluate(lab, [raw, made]).tables["made"].kind == "stale"


class _OnceOnly(dg.ConfigurableResource[Any]):
    _times: ClassVar[list[int]] = []

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        self._times.append(1)
        if len(self._times) > 1:
            raise RuntimeError("the port is taken")


def test_a_resource_that_cannot_be_set_up_again_unpins(lab: Lab) -> None:
    """The step that records has not the resources of other ops; the table is stored all the same."""

    @dg.op
    def first(data: pa.Table, once: _OnceOnly) -> pa.Table:
        return data

    @dg.op
    def last(data: pa.Table) -> pa.Table:
        return data

    @dg.graph_asset(ins={"data": dg.AssetIn("raw")})
    def made(data):
        return last(first(data))

    _OnceOnly._times.clear()
    lab.more = {"once": _OnceOnly()}
    ran = lab.run([raw, made])

    assert values(lab.store.read("made")) == values(lab.store.read("raw"))
    assert "once: it cannot be set up beside its own op" in ran.why_unpinned("made")


def test_each_output_of_a_graph_multi_asset_is_recorded(lab: Lab) -> None:
    """An output that another op of the graph takes comes as the kind that was returned."""

    @dg.op(out={"left": dg.Out(pd.DataFrame), "count": dg.Out(int)})
    def two(data: pd.DataFrame):
        return data, len(data)

    @dg.op
    def counted(left, count) -> pd.DataFrame:
        return left.assign(x=count)

    @dg.graph_multi_asset(outs={"a": dg.AssetOut(), "b": dg.AssetOut()}, ins={"data": dg.AssetIn("raw")})
    def several(data):
        left, count = two(data)
        return {"a": left, "b": counted(left, count)}

    ran = lab.run([raw, several])

    assert ran.outcomes == {"raw": "computed", "a": "computed", "b": "computed"}
    assert values(lab.store.read("b")) == [3, 3, 3]
    for name in ("a", "b"):
        assert lab.anchors(name)["raw"] == InputAnchor.result_digest("raw", ran.data_version("raw"))
        assert not ran.why_unpinned(name)


def test_swapped_keys_of_a_graph_move_the_definitions(lab: Lab) -> None:
    """The decorator says which output of a graph becomes which table, so a change of that is never a reuse."""

    @dg.op(out={"one": dg.Out(), "two": dg.Out()})
    def both() -> tuple[pa.Table, pa.Table]:
        return table(1), table(2)

    def graph() -> dict[str, Any]:
        one, two = both()
        return {"x": one, "y": two}

    definitions = []
    for x, y in ("ab", "ba"):
        outs = {"x": dg.AssetOut(key=x), "y": dg.AssetOut(key=y)}
        ran = lab.run([dg.graph_multi_asset(outs=outs)(graph)])
        definitions += [ran.said(name)["jammi/definition_hash"] for name in "ab"]
    assert len(set(definitions)) == 4


@pytest.mark.slow
def test_partitions_and_ranges_of_a_graph(lab: Lab) -> None:
    """A partition is a table with the anchor of its upstream partition; a range gives a dict, partition -> table."""
    for letter in ("a", "b"):
        lab.run(part, partition=letter)
    lab.run([part, loud], select=["loud"], partition="a")

    assert values(lab.store.read("loud[a]")) == ["A"]
    assert list(lab.anchors("loud[a]")) == ["part[a]"]

    lab.run([part, loud], select=["loud"], span=("a", "b"))

    assert values(lab.store.read("loud[b]")) == ["B"]
    assert list(lab.anchors("loud[b]")) == ["part[a]", "part[b]"]


def test_an_input_that_moves_between_two_steps_pins_nothing(lab: Lab) -> None:
    """The first op read one table, the second another: no digest is what the graph was made over."""

    @dg.op
    def first(data: pa.Table):
        lab.store.materialize("raw", table(7), descriptor={"producer": "test"}, env={}, inputs=[])
        return 1

    @dg.op
    def second(one, data: pa.Table) -> pa.Table:
        return data

    @dg.graph_asset(ins={"data": dg.AssetIn("raw")})
    def torn(data):
        return second(first(data), data)

    lab.run(raw)
    ran = lab.run([raw, torn], select=["torn"])

    assert "the input data changed between two steps of the graph that read it" in ran.why_unpinned("torn")


@pytest.mark.slow
def test_an_input_that_moves_after_the_first_step_keeps_its_anchor(lab: Lab) -> None:
    """The table is recorded over the one that was read, wherever its name has gone meanwhile."""

    @dg.op
    def first(data: pa.Table):
        lab.store.materialize("raw", table(7), descriptor={"producer": "test"}, env={}, inputs=[])
        return data

    @dg.op
    def second(data) -> pa.Table:
        return data

    @dg.graph_asset(ins={"data": dg.AssetIn("raw")})
    def steady(data):
        return second(first(data))

    before = lab.run(raw).data_version("raw")
    lab.run([raw, steady], select=["steady"])

    assert lab.anchors("steady")["raw"] == InputAnchor.result_digest("raw", before)


class Kept(dg.IOManager):
    """An IO manager of op values that says what it keeps."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        note(context.step_key)
        self.kept[context.step_key] = obj

    def load_input(self, context: dg.InputContext) -> Any:
        assert context.upstream_output is not None
        return self.kept[context.upstream_output.step_key]


@dg.io_manager
def kept_manager() -> Kept:
    return Kept()


@dg.op
def one(data: pa.Table):
    return data


@dg.op
def two(data) -> pa.Table:
    return data


@dg.graph_asset(ins={"data": dg.AssetIn("raw")})
def through(data):
    return two(one(data))


@pytest.mark.slow
@pytest.mark.parametrize("form", ["instance", "definition", "resource"])
def test_another_io_manager_takes_the_values_of_ops(lab: Lab, tmp_path: Path, form: str) -> None:
    """`op_io_manager=` takes an IO manager, a definition of one, or a resource."""
    given = {
        "instance": Kept(),
        "definition": kept_manager,
        "resource": dg.FilesystemIOManager(base_dir=str(tmp_path / "values")),
    }
    manager = ResultTableIOManager(store=lab.store_resource, op_io_manager=given[form])
    lab.more = {"io_manager": manager}

    ran = lab.run([raw, through])

    assert values(lab.store.read("through")) == [1, 2, 3]
    assert (tmp_path / "values").exists() if form == "resource" else ran.calls == ["through.one"]
    assert runs(lab) == {}


def test_a_value_that_cannot_be_pickled_is_told_with_a_way_out(lab: Lab) -> None:
    """The op that made it fails, before the next one begins."""

    @dg.op
    def opened(data: pa.Table):
        return lambda: data

    @dg.graph_asset(ins={"data": dg.AssetIn("raw")})
    def streamed(data):
        return two(opened(data))

    error = lab.run([raw, streamed], ok=False).error

    assert "op value streamed.opened.result" in error
    assert "op_io_manager=" in error


# --- values of runs ----------------------------------------------------------------------------------------

_left: list[str] = []


@dg.op(retry_policy=dg.RetryPolicy(max_retries=1))
def failing(data) -> pa.Table:
    if _left:
        raise RuntimeError(_left.pop())
    return data


@dg.graph_asset(ins={"data": dg.AssetIn("raw")})
def fragile(data):
    return failing(one(data))


@pytest.mark.slow
def test_a_step_that_is_tried_again_reads_the_same_values(lab: Lab) -> None:
    """Nothing is removed before the last step has succeeded."""
    _left[:] = ["once"]

    assert lab.run([raw, fragile]).outcomes["fragile"] == "computed"
    assert "raw" in lab.anchors("fragile")
    assert runs(lab) == {}


def test_values_of_a_failed_run_stay_until_its_lease_is_over(lab: Lab) -> None:
    """It may be tried again; a recovery or a collection removes them then, and nothing else."""
    for upkeep in (
        lambda: lab.store.recover(grace_seconds=0),
        lambda: lab.store.collect({"keep_last": 1}, False),
    ):
        _left[:] = ["twice", "once"]
        failed = lab.run([raw, fragile], ok=False).result.run_id
        other = lab.root / "runs" / failed / "notes.txt"
        other.write_text("mine")
        upkeep()
        assert list(runs(lab)) == [failed]

        CollectionRows(lab.store.database, lab.store.scope).end_runs([failed])
        upkeep()
        assert runs(lab) == {}
        assert other.read_text() == "mine"
        assert lab.store.tables() == ["raw"]


def _foreign(lab: Lab, run_id: str) -> None:
    """Replace the values of a run by what another run wrote under the same names."""
    other = lab.run([raw, fragile], ok=False).result.run_id
    for path in runs(lab)[run_id]:
        lab.store.artifacts.replace(path, lab.store.artifacts.fetch(path.replace(run_id, other)))


def _damaged(lab: Lab, run_id: str) -> None:
    for path in runs(lab)[run_id]:
        lab.store.artifacts.replace(path, lab.store.artifacts.fetch(path)[:-1] + b"x")


def _without_digest(lab: Lab, run_id: str) -> None:
    for path in runs(lab)[run_id]:
        lab.store.artifacts.replace(path, b"{}\n" + pickle.dumps(Exploding()))


def _gone(lab: Lab, run_id: str) -> None:
    RunFolders(lab.store.artifacts, None).remove(run_id)


class Exploding:
    def __reduce__(self) -> Any:
        return note, ("unpickled",)


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault", [_foreign, _damaged, _without_digest, _gone], ids=lambda fault: fault.__name__
)
def test_only_what_the_run_wrote_is_unpickled(lab: Lab, fault: Callable[[Lab, str], None]) -> None:
    """A value of another run, a damaged one and one without a record are refused before they are unpickled."""
    _left[:] = ["a", "b"] * 2
    run_id = lab.run([raw, fragile], ok=False).result.run_id
    assert read_value(lab.store, run_id, "fragile.one", "result").num_rows == 3
    fault(lab, run_id)
    taken()

    with pytest.raises(OpValueUnreadable, match=run_id):
        read_value(lab.store, run_id, "fragile.one", "result")
    assert taken() == []


# --- faults that are told when the definitions are loaded ----------------------------------------------------


def finalized(lab: Lab, *assets: Any) -> dg.Definitions:
    return finalize(dg.Definitions(assets=assets, resources=lab.resources))


def test_an_output_that_cannot_be_stored_is_told_at_load(lab: Lab) -> None:
    """Not by the run, after the work of its ops is done."""

    @dg.op
    def bad(data: pa.Table) -> Exploding:
        raise AssertionError("never runs")

    @dg.graph_asset(ins={"data": dg.AssetIn("raw")})
    def unstored(data):
        return bad(data)

    with pytest.raises(UnsupportedArgument, match=r"unstored \(op bad\).*Exploding"):
        finalized(lab, raw, unstored)


def test_values_in_memory_and_several_managers_are_told_at_load(lab: Lab, caplog: Any) -> None:
    """They may serve one process, so they are no error."""

    @dg.op(out={"a": dg.Out(pa.Table), "b": dg.Out(pa.Table, io_manager_key="other")})
    def both(data: pa.Table):
        return data, data

    @dg.graph_multi_asset(outs={"a": dg.AssetOut(), "b": dg.AssetOut()}, ins={"data": dg.AssetIn("raw")})
    def spread(data):
        a, b = both(data)
        return {"a": a, "b": b}

    manager = ResultTableIOManager(store=lab.store_resource, op_io_manager=dg.mem_io_manager)
    lab.more = {"io_manager": manager, "other": dg.FilesystemIOManager()}

    finalized(lab, raw, through, spread)

    assert "through: values that its ops hand to each other are kept in memory" in caplog.text
    assert "a: outputs of its graph are on several IO managers (io_manager, other)" in caplog.text
