"""What makes a definition another one, so that nothing stale is reused (DESIGN 2, 4.3)."""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, table, values

from jammi_dagster import result_table

Write = Callable[[str, str], ModuleType]


class Limit(dg.Config):
    k: int = 2


@result_table(reads=[])
def limited(config: Limit) -> pa.Table:
    return table(*range(config.k))


@result_table(reads=[])
def raw() -> pa.Table:
    return table(1, 2, 3)


@result_table(reads=[])
def other() -> pa.Table:
    return table(9)


def outcome(lab: Lab, asset: object, name: str, **more: Any) -> str:
    return str(lab.run(asset, **more).outcomes[name])


def test_a_changed_config_value_misses(lab: Lab) -> None:
    """Config is part of the definition, by value: what equals the default is the default."""
    assert outcome(lab, limited, "limited") == "computed"
    assert outcome(lab, limited, "limited", config={"limited": {"k": 2}}) == "reused"
    assert outcome(lab, limited, "limited", config={"limited": {"k": 3}}) == "computed"
    assert outcome(lab, limited, "limited", config={"limited": {"k": 3}}) == "reused"


def test_a_changed_default_of_config_misses(lab: Lab, module: Write) -> None:
    """Dagster's validated config counts, with defaults filled in: another default is another definition."""
    source = """
        import dagster as dg
        import pyarrow as pa
        class Limit(dg.Config):
            k: int = {}
    """
    for default, expected in ((1, "computed"), (1, "reused"), (2, "computed")):
        config_class = module("defaults", source.format(default)).Limit

        @result_table(reads=[], code_version="1")
        def counted(config: config_class) -> pa.Table:
            return table(config.k)

        assert outcome(lab, counted, "counted") == expected
    assert values(lab.store.read("counted")) == [2]


def test_changed_code_misses(lab: Lab, module: Write) -> None:
    """Other code is another definition; other comments and docstrings are not."""
    source = """
        import pyarrow as pa
        from jammi_dagster import result_table
        @result_table(reads=[])
        def made() -> pa.Table:
            {}
            return pa.table({{"x": [{}]}})
    """
    for comment, value, expected in (
        ("# one", 1, "computed"),
        ("# two", 1, "reused"),
        ("# two", 2, "computed"),
        ("# one", 1, "reused"),
    ):
        assert outcome(lab, module("coded", source.format(comment, value)).made, "made") == expected


def test_changed_code_of_a_helper_module_misses(lab: Lab, module: Write) -> None:
    """What the function's module imports is part of its code, at any depth."""
    helper, middle = "def value():\n    return {}\n", "from helper_deep import value\n"
    asset = """
        import pyarrow as pa
        from helper_mid import value
        from jammi_dagster import result_table
        @result_table(reads=[])
        def made() -> pa.Table:
            return pa.table({"x": [value()]})
    """
    for value, expected in ((1, "computed"), (2, "computed"), (1, "reused")):
        for name, source in (("helper_deep", helper.format(value)), ("helper_mid", middle)):
            module(name, source)
        assert outcome(lab, module("helped", asset).made, "made") == expected


def test_a_code_version_stands_for_the_code(lab: Lab) -> None:
    """With `code_version=` the code itself does not count, the version does."""

    def make(version: str, value: int) -> dg.AssetsDefinition:
        @result_table(reads=[], code_version=version)
        def versioned() -> pa.Table:
            return table(value)

        return versioned

    for version, value, expected in (("1", 1, "computed"), ("1", 2, "reused"), ("2", 2, "computed")):
        versioned = make(version, value)
        assert outcome(lab, versioned, "versioned") == expected
        assert versioned.specs_by_key[versioned.key].code_version == version


def test_a_value_in_a_closure_is_part_of_the_code(lab: Lab) -> None:
    """A factory's argument changes what the function does, though no syntax tree changes."""

    def make(value: int) -> object:
        @result_table(reads=[])
        def filled() -> pa.Table:
            return table(value)

        return filled

    for value, expected in ((1, "computed"), (1, "reused"), (2, "computed")):
        assert outcome(lab, make(value), "filled") == expected


def test_an_added_or_removed_dependency_misses(lab: Lab) -> None:
    """The names of the inputs are part of the definition: a new `deps=` changes it, and its anchors."""
    for deps, expected in (([], "computed"), (["other"], "computed"), ([], "reused"), (["other"], "reused")):

        @result_table(deps=deps, code_version="1")
        def derived(raw: pa.Table) -> pa.Table:
            return raw

        ran = lab.run([raw, other, derived])
        assert ran.outcomes["derived"] == expected
        assert set(lab.anchors("derived")) == {"raw", *deps}


def test_inputs_that_change_places_miss(lab: Lab) -> None:
    """Which parameter gets which asset is part of the definition, though names, anchors and code are equal."""
    for left, right, expected in (
        ("raw", "other", "computed"),
        ("raw", "other", "reused"),
        ("other", "raw", "computed"),
    ):

        @result_table(ins={"left": dg.AssetIn(left), "right": dg.AssetIn(right)}, code_version="1")
        def first(left: pa.Table, right: pa.Table) -> pa.Table:
            return left

        assert lab.run([raw, other, first]).outcomes["first"] == expected
    assert values(lab.store.read("first")) == [9]


def test_another_partition_mapping_misses(lab: Lab) -> None:
    """Which partitions a parameter gets is part of the definition, though no code changes."""
    letters = dg.StaticPartitionsDefinition(["a", "b"])

    @result_table(partitions_def=letters, reads=[])
    def part(context: dg.AssetExecutionContext) -> pa.Table:
        return table(context.partition_key)

    def make(key: str) -> dg.AssetsDefinition:
        mapping = dg.SpecificPartitionsPartitionMapping([key])

        @result_table(ins={"part": dg.AssetIn("part", partition_mapping=mapping)}, code_version="1")
        def one(part: pa.Table) -> pa.Table:
            return part

        return one

    for key in "ab":
        lab.run(part, partition=key)
    for key, expected in (("a", "computed"), ("a", "reused"), ("b", "computed")):
        one = make(key)
        assert lab.run([part, one], select=[one]).outcomes["one"] == expected
        assert values(lab.store.read("one")) == [key]


def test_another_kind_of_input_misses(lab: Lab) -> None:
    """What an input is converted to is part of the definition."""
    for kind, expected in ((pa.Table, "computed"), (pd.DataFrame, "computed"), (pa.Table, "reused")):

        @result_table(code_version="1")
        def typed(raw: kind) -> pa.Table:
            note(type(raw))
            return table(len(raw))

        ran = lab.run([raw, typed])
        assert ran.outcomes["typed"] == expected
        assert [call for call in ran.calls if call is not kind] == []


def test_a_changed_input_misses(lab: Lab) -> None:
    """Other bytes upstream are another input; the same bytes again are the same input again."""

    @result_table(code_version="1")
    def copied(raw: pa.Table) -> pa.Table:
        return raw

    def make(value: int) -> dg.AssetsDefinition:
        @result_table(reads=[], name="raw")
        def changing() -> pa.Table:
            return table(value)

        return changing

    for value, expected in ((1, "computed"), (2, "computed"), (1, "reused")):
        assert lab.run([make(value), copied]).outcomes["copied"] == expected
        assert values(lab.store.read("copied")) == [value]


def test_a_partition_whose_time_window_moves_misses(lab: Lab) -> None:
    """A partition's key does not tell its time zone; the function may see its window."""
    for zone, expected in (("UTC", "computed"), ("UTC", "reused"), ("America/New_York", "computed")):

        @result_table(
            partitions_def=dg.DailyPartitionsDefinition("2024-01-01", timezone=zone),
            reads=[],
            code_version="1",
        )
        def windowed(context: dg.AssetExecutionContext) -> pa.Table:
            return table(context.partition_time_window.start.isoformat())

        assert lab.run(windowed, partition="2024-01-01").outcomes["windowed[2024-01-01]"] == expected


def test_an_upgrade_of_this_plugin_moves_no_hash(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN 4.3: the plugin's version is in neither descriptor nor environment."""
    assert outcome(lab, limited, "limited") == "computed"

    for name, loaded in list(sys.modules.items()):
        if name.startswith("jammi_dagster") and "__version__" in vars(loaded):
            monkeypatch.setattr(loaded, "__version__", "99.0")

    assert outcome(lab, limited, "limited") == "reused"


def test_another_version_of_the_library_of_an_input_misses(
    lab: Lab, module: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function works on a pyarrow table that it is given: that version counts, imported by the code or not."""
    source = """
        from jammi_dagster import result_table
        @result_table
        def passed(raw):
            return raw.slice(1)
    """
    graph = [raw, module("imports_nothing", source).passed]
    assert [lab.run(graph).outcomes["passed"] for _ in range(2)] == ["computed", "reused"]

    monkeypatch.setattr(pa, "__version__", "0.0.0")

    assert lab.run(graph).outcomes["passed"] == "computed"


def test_what_another_loader_is_told_counts(lab: Lab) -> None:
    """Of an upstream elsewhere a loader may take a part: the metadata of the `AssetIn`, and which loader it is."""

    class Part(dg.IOManager):
        def handle_output(self, context: dg.OutputContext, obj: object) -> None:
            """Keeps nothing."""

        def load_input(self, context: dg.InputContext) -> object:
            return (context.definition_metadata or {}).get("part")

    lab.more = {"part": Part(), "other_part": Part()}

    @dg.asset(io_manager_key="part")
    def far():
        return dg.Output(1, data_version=dg.DataVersion("1"))

    outcomes = []
    for asset_in in (
        dg.AssetIn(metadata={"part": ["a"]}),
        dg.AssetIn(metadata={"part": ["a"]}),
        dg.AssetIn(metadata={"part": ["b"]}),
        dg.AssetIn(metadata={"part": ["b"]}, input_manager_key="other_part"),
        dg.AssetIn(metadata={"part": dg.MetadataValue.text("c")}),
        dg.AssetIn(metadata={"part": dg.MetadataValue.text("c")}),
    ):

        @result_table(ins={"far": asset_in}, code_version="1")
        def near(far: object) -> pa.Table:
            return table(str(type(far)))

        ran = lab.run([far, near])
        outcomes.append(ran.outcomes["near"])

    same = ["computed", "reused"]
    assert outcomes == [*same, "computed", "computed", *same]
