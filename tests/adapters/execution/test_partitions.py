"""Partitioned tables: fan-ins, mappings, partitions that come and go, and those that are missing (DESIGN 4.8)."""

from dataclasses import replace
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, table, values

from jammi_dagster import InputAnchor, result_table

days = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-21")
weeks = dg.WeeklyPartitionsDefinition("2024-01-07", end_date="2024-01-21")
letters = dg.StaticPartitionsDefinition(["b", "a", "c"])
names = dg.DynamicPartitionsDefinition(name="names")
cells = dg.MultiPartitionsDefinition({"day": days, "shop": dg.StaticPartitionsDefinition(["y", "x"])})
DAY = "2024-01-{:02}"


@result_table(partitions_def=letters, reads=[])
def part(context: dg.AssetExecutionContext) -> pa.Table:
    note(context.partition_key)
    return table(context.partition_key)


@result_table
def joined(part: dict[str, pa.Table]) -> pa.Table:
    note(list(part))
    return pa.concat_tables(part.values())


@result_table(partitions_def=names, reads=[])
def named(context: dg.AssetExecutionContext) -> pa.Table:
    return table(context.partition_key)


@result_table
def all_named(named: dict) -> pa.Table:
    note(list(named))
    return pa.concat_tables(named.values())


def make_daily() -> dg.AssetsDefinition:
    @result_table(partitions_def=days, reads=[], backfill_policy=dg.BackfillPolicy.single_run())
    def daily(context: dg.AssetExecutionContext) -> dict[str, pa.Table]:
        return {key: table(key) for key in context.partition_keys}

    return daily


@result_table(partitions_def=weeks)
def weekly(daily: dict[str, pa.Table]) -> pa.Table:
    note(list(daily))
    return pa.concat_tables(daily.values())


@result_table(
    partitions_def=days,
    ins={"whole": dg.AssetIn("daily", partition_mapping=dg.AllPartitionMapping())},
)
def against_all(whole: dict[str, pa.Table]) -> pa.Table:
    note(len(whole))
    return table(len(whole))


def test_each_partition_is_a_table_of_its_own(lab: Lab) -> None:
    """A result table per partition, reused one by one."""
    assert lab.run(part, partition="a").outcomes == {"part[a]": "computed"}
    assert lab.run(part, partition="b").outcomes == {"part[b]": "computed"}
    assert lab.run(part, partition="a").outcomes == {"part[a]": "reused"}
    assert lab.store.tables() == ["part[a]", "part[b]"]
    said = lab.run(part, partition="a").said("part[a]")
    assert said["dagster/partition_row_count"] == 1
    assert "dagster/row_count" not in said


def test_a_fan_in_is_in_the_order_of_the_definition(lab: Lab) -> None:
    """Whatever the order of materialization or of the alphabet is."""
    for key in "cab":
        lab.run(part, partition=key)

    ran = lab.run([part, joined], select=[joined])

    assert ran.calls == [["b", "a", "c"]]
    assert values(lab.store.read("joined")) == ["b", "a", "c"]
    assert list(lab.anchors("joined")) == ["part[a]", "part[b]", "part[c]"]
    assert lab.run([part, joined], select=[joined]).outcomes == {"joined": "reused"}


def test_another_order_of_the_same_partitions_misses(lab: Lab) -> None:
    """The function sees the order: equal anchors and equal code do not make it the same table."""

    def make(keys: list[str]) -> list[dg.AssetsDefinition]:
        @result_table(partitions_def=dg.StaticPartitionsDefinition(keys), reads=[], code_version="1")
        def piece(context: dg.AssetExecutionContext) -> pa.Table:
            return table(context.partition_key)

        @result_table(code_version="1")
        def pieces(piece: dict) -> pa.Table:
            return pa.concat_tables(piece.values())

        return [piece, pieces]

    for keys, expected in ((["a", "b"], "computed"), (["b", "a"], "computed"), (["a", "b"], "reused")):
        graph = make(keys)
        for key in keys:
            lab.run(graph, select=[graph[0]], partition=key)
        assert lab.run(graph, select=[graph[1]]).outcomes == {"pieces": expected}
        assert values(lab.store.read("pieces")) == keys


def test_an_added_partition_under_a_fan_in_misses(lab: Lab) -> None:
    """DESIGN 2.2, with dynamic partitions: added, missing, materialized, removed again, added in another order."""
    graph = [named, all_named]

    def all_of() -> str:
        return str(lab.run(graph, select=[all_named]).outcomes["all_named"])

    lab.instance.add_dynamic_partitions("names", ["b", "a"])
    for key in "ab":
        lab.run(named, partition=key)
    assert [all_of(), all_of()] == ["computed", "reused"]

    lab.instance.add_dynamic_partitions("names", ["c"])
    missing = lab.run(graph, select=[all_named], ok=False)
    assert "MissingUpstream: input named needs named[c] of named" in missing.error
    lab.run(named, partition="c")
    assert all_of() == "computed"
    assert values(lab.store.read("all_named")) == ["b", "a", "c"]

    lab.instance.delete_dynamic_partition("names", "c")
    assert all_of() == "reused"
    assert values(lab.store.read("all_named")) == ["b", "a"]

    lab.instance.delete_dynamic_partition("names", "b")
    lab.instance.add_dynamic_partitions("names", ["b"])
    assert all_of() == "computed"
    assert values(lab.store.read("all_named")) == ["a", "b"]


def test_weeks_over_days(lab: Lab) -> None:
    """A time window maps to the windows within it."""
    graph = [make_daily(), weekly]
    lab.run(graph[0], span=(DAY.format(7), DAY.format(13)))

    ran = lab.run(graph, select=[weekly], partition=DAY.format(7))

    assert ran.calls == [[DAY.format(day) for day in range(7, 14)]]
    assert set(lab.anchors("weekly[2024-01-07]")) == {f"daily[{DAY.format(day)}]" for day in range(7, 14)}
    again = lab.run(graph, select=[weekly], partition=DAY.format(7))
    assert again.outcomes == {"weekly[2024-01-07]": "reused"}

    partly = lab.run(graph, select=[weekly], partition=DAY.format(14), ok=False)
    assert "needs daily[2024-01-14]" in partly.error
    assert "and 2 more of daily, which are not materialized" in partly.error


def test_one_partition_over_all(lab: Lab) -> None:
    """`AllPartitionMapping` under a partitioned downstream: every upstream partition is an input."""
    graph = [make_daily(), against_all]
    lab.run(graph[0], span=(DAY.format(1), DAY.format(20)))

    ran = lab.run(graph, select=[against_all], partition=DAY.format(3))

    assert ran.calls == [20]
    assert len(lab.anchors("against_all[2024-01-03]")) == 20


def test_partitions_that_depend_on_the_day_before(lab: Lab) -> None:
    """A self-dependent table: the first partition gets None, each other the one before, by its digest."""
    before = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)

    @result_table(
        partitions_def=days, ins={"prior": dg.AssetIn("ledger", partition_mapping=before)}, reads=[]
    )
    def ledger(context: dg.AssetExecutionContext, prior: pa.Table | None) -> pa.Table:
        note(None if prior is None else values(prior))
        return table(*([] if prior is None else values(prior)), context.partition_key[-1])

    keys = [DAY.format(day) for day in (1, 2, 3)]
    calls = [call for key in keys for call in lab.run(ledger, partition=key).calls]

    assert calls == [None, ["1"], ["1", "2"]]
    assert lab.anchors("ledger[2024-01-01]") == {}
    digest = lab.store.current("ledger[2024-01-02]").artifact_digest
    assert lab.anchors("ledger[2024-01-03]") == {
        "ledger[2024-01-02]": InputAnchor.result_digest("ledger[2024-01-02]", str(digest))
    }
    assert {o for key in keys for o in lab.run(ledger, partition=key).outcomes.values()} == {"reused"}


def test_a_table_over_nothing_but_itself_has_no_upstream(lab: Lab) -> None:
    """What it adds each day comes from somewhere: it is not taken to be a function of its past."""
    before = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)

    @result_table(partitions_def=days, ins={"prior": dg.AssetIn("ledger", partition_mapping=before)})
    def ledger(prior: pa.Table | None) -> pa.Table:
        return table(1)

    ran = lab.run(ledger, partition=DAY.format(1))

    assert "it has no upstream" in ran.why_unpinned("ledger[2024-01-01]")


def test_cells_of_two_dimensions(lab: Lab) -> None:
    """Multi-partitions are tables by their key, and map to the dimension that a downstream shares."""

    @result_table(partitions_def=cells, reads=[])
    def cell(context: dg.AssetExecutionContext) -> pa.Table:
        note(dict(context.partition_key.keys_by_dimension))
        return table(str(context.partition_key))

    @result_table(partitions_def=days)
    def by_day(cell: dict[str, pa.Table]) -> pa.Table:
        note(list(cell))
        return pa.concat_tables(cell.values())

    for shop in "xy":
        key = dg.MultiPartitionKey({"day": DAY.format(1), "shop": shop})
        assert lab.run(cell, partition=key).calls == [{"day": DAY.format(1), "shop": shop}]
    runs = [lab.run([cell, by_day], select=[by_day], partition=DAY.format(1)) for _ in range(2)]

    assert runs[0].calls == [["2024-01-01|y", "2024-01-01|x"]]
    assert [ran.outcomes["by_day[2024-01-01]"] for ran in runs] == ["computed", "reused"]
    assert set(lab.anchors("by_day[2024-01-01]")) == {"cell[2024-01-01|x]", "cell[2024-01-01|y]"}


def test_missing_partitions_are_left_out_where_that_is_allowed(lab: Lab) -> None:
    """The dict holds those that are there; the definition and the anchors too, so that a later one misses."""

    @result_table(allow_missing_partitions=True)
    def some(part: dict[str, pa.Table]) -> pa.Table:
        note(list(part))
        return table(len(part))

    @result_table(ins={"part": dg.AssetIn("part", metadata={"allow_missing_partitions": True})})
    def some_by_dagsters_key(part: dict[str, pa.Table]) -> pa.Table:
        note(list(part))
        return table(len(part))

    @result_table(deps=[dg.AssetDep("part", metadata={"told": 1})], allow_missing_partitions=True)
    def some_of_deps(part: dict[str, pa.Table]) -> pa.Table:
        note(list(part))
        return table(len(part))

    for asset in (some, some_by_dagsters_key, some_of_deps):
        name = asset.key.to_user_string()
        lab = replace(lab, root=lab.root / name)
        seen = []
        for key in (None, "a", "b"):
            if key:
                lab.run(part, partition=key)
            ran = lab.run([part, asset], select=[asset])
            seen.append((ran.outcomes[name], ran.calls))

        assert seen == [("computed", [[]]), ("computed", [["a"]]), ("computed", [["b", "a"]])]
        assert lab.run([part, asset], select=[asset]).outcomes == {name: "reused"}


@pytest.mark.parametrize("annotation", [dict, dict[str, pa.Table], dict[str, Any]], ids=str)
def test_a_dict_of_an_upstream_without_partitions_is_refused(lab: Lab, annotation: Any) -> None:
    """There are no partitions to be its keys."""

    @result_table(reads=[])
    def whole() -> pa.Table:
        return table(1)

    @result_table
    def over(whole: annotation) -> pa.Table:
        return table(1)

    ran = lab.run([whole, over], ok=False)
    assert "parameter whole asks for dict[str, pyarrow.Table], but whole has no partitions" in ran.error


def test_a_single_missing_partition_is_none_where_that_is_allowed(lab: Lab) -> None:
    """One upstream partition that may be missing is None, as under Dagster's own IO managers."""

    @result_table(partitions_def=letters, allow_missing_partitions=True)
    def maybe(part: pa.Table | None) -> pa.Table:
        note(None if part is None else values(part))
        return table(1)

    first = lab.run([part, maybe], select=[maybe], partition="a")
    lab.run(part, partition="a")
    second = lab.run([part, maybe], select=[maybe], partition="a")

    assert (first.calls, second.calls) == ([None], [["a"]])
    assert second.outcomes == {"maybe[a]": "computed"}


def test_a_partitioned_asset_needs_a_partition(lab: Lab) -> None:
    """A run without one is an error that says so."""
    ran = lab.run(part, ok=False)

    assert "InvalidOutput: asset part: it has partitions, but the run has none" in ran.error


def test_an_unpartitioned_upstream_under_partitions(lab: Lab) -> None:
    """Every partition reads the one table."""

    @result_table(reads=[])
    def whole() -> pa.Table:
        return table(1)

    @result_table(partitions_def=letters)
    def split(context: dg.AssetExecutionContext, whole: pa.Table) -> pa.Table:
        return whole

    lab.run(whole)
    for key in "ab":
        assert lab.run([whole, split], select=[split], partition=key).outcomes == {
            f"split[{key}]": "computed"
        }
        assert set(lab.anchors(f"split[{key}]")) == {"whole"}


@pytest.mark.parametrize("key", ["a/b", "a b", "[x]", "ü…", "50%", "a:b"])
def test_partition_keys_of_any_text(lab: Lab, key: str) -> None:
    """A key that Dagster takes is a table's name by escaping, and comes back as it was."""
    lab.instance.add_dynamic_partitions("names", [key])

    lab.run(named, partition=key)
    ran = lab.run([named, all_named], select=[all_named])

    assert ran.calls == [[key]]
    assert values(lab.store.read("all_named")) == [key]
