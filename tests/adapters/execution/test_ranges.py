"""A single-run backfill makes a range of partitions in one step: all of them, or none (DESIGN 4.7)."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, table, values

from jammi_dagster import result_table

days = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-11")
letters = dg.StaticPartitionsDefinition(["c", "b", "a"])


class Keys(dg.Config):
    returned: list[str] = ["a", "b", "c"]  # noqa: RUF012  # a pydantic field


def ranged(*, partitions_def: dg.PartitionsDefinition = letters, **more: Any) -> Any:
    """`@result_table` for a function that makes a range."""
    policy = dg.BackfillPolicy.single_run()
    return result_table(partitions_def=partitions_def, backfill_policy=policy, reads=[], **more)


def make_part(version: str = "1") -> Any:
    @ranged(code_version=version)
    def part(context: dg.AssetExecutionContext) -> dict[str, pa.Table]:
        note(list(context.partition_keys))
        return {key: table(key, version) for key in sorted(context.partition_keys)}

    return part


def combined(lab: Lab, names: Sequence[str]) -> str:
    pairs = [[name.partition("[")[2][:-1], lab.store.current(name).artifact_digest] for name in sorted(names)]
    return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()


def test_a_range_makes_a_table_for_each_partition(lab: Lab) -> None:
    """The function runs once and returns a dict, in any order; each partition is its own materialization."""
    ran = lab.run(make_part(), span=("c", "a"))

    assert ran.calls == [["c", "b", "a"]]
    assert ran.outcomes == {f"part[{key}]": "computed" for key in "abc"}
    assert [values(lab.store.read(f"part[{key}]")) for key in "abc"] == [["a", "1"], ["b", "1"], ["c", "1"]]
    assert len({ran.said(f"part[{key}]")["jammi/materialization"] for key in "abc"}) == 3


def test_each_partition_has_its_own_metadata(lab: Lab) -> None:
    """Rows, digest and table name are the partition's; the one data version of the event is over all digests."""

    @ranged()
    def part(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        tables = {key: table(*range(i)) for i, key in enumerate(context.partition_keys)}
        return dg.MaterializeResult(value=tables, metadata={"author": "me"}, tags={"team": "blue"})

    runs = [lab.run(part, span=("c", "a")) for _ in range(2)]

    assert [set(ran.outcomes.values()) for ran in runs] == [{"computed"}, {"reused"}]
    version = combined(lab, ["part[a]", "part[b]", "part[c]"])
    for ran in runs:
        for rows, key in enumerate("cba"):
            name, said = f"part[{key}]", ran.said(f"part[{key}]")
            assert said["dagster/partition_row_count"] == rows
            assert said["dagster/table_name"] == name
            assert said["jammi/artifact_digest"] == lab.store.current(name).artifact_digest
            assert said["author"] == "me"
            assert ran.events[name].tags["team"] == "blue"
            assert ran.data_version(name) == version


def test_a_range_is_reused_as_a_whole_or_not_at_all(lab: Lab) -> None:
    """Any miss computes all of it: the function cannot be called for a part."""
    part = make_part()
    assert lab.run(part, span=("c", "a")).calls == [["c", "b", "a"]]
    assert lab.run(part, span=("c", "a")).calls == []

    (lab.root / lab.store.current("part[b]").artifact_path).unlink()
    ran = lab.run(part, span=("c", "a"))

    assert ran.calls == [["c", "b", "a"]]
    assert set(ran.outcomes.values()) == {"computed"}


def test_the_range_is_part_of_the_definition(lab: Lab) -> None:
    """The function sees all keys of the range, so another range, or a single partition, is another definition."""
    part = make_part()

    calls = [
        lab.run(part, span=span).calls
        for span in (("c", "a"), ("c", "b"), ("b", "b"), ("b", "b"), ("c", "b"))
    ]

    assert calls == [[["c", "b", "a"]], [["c", "b"]], [["b"]], [], []]


def test_a_range_of_one_is_that_partition(lab: Lab) -> None:
    """Launched as a range or as a partition: the same definition, the same data version as ever."""

    @ranged()
    def part(context: dg.AssetExecutionContext) -> pa.Table:
        return table(*context.partition_keys)

    first = lab.run(part, span=("b", "b"))
    second = lab.run(part, partition="b")

    assert first.outcomes == {"part[b]": "computed"}
    assert second.outcomes == {"part[b]": "reused"}
    assert first.data_version("part[b]") == lab.store.current("part[b]").artifact_digest


@pytest.mark.parametrize(
    ("returned", "complaint"),
    [
        (["a", "b"], "left out ['c']"),
        (["a", "b", "c", "d"], "added ['d']"),
        ([], "left out ['a', 'b', 'c']"),
    ],
)
def test_other_keys_than_those_of_the_range_are_an_error(
    lab: Lab, returned: list[str], complaint: str
) -> None:
    """Too few or too many partitions: nothing is published."""

    @ranged()
    def part(config: Keys) -> dict[str, pa.Table]:
        return {key: table(1) for key in config.returned}

    ran = lab.run(part, span=("c", "a"), config={"part": {"returned": returned}}, ok=False)

    assert complaint in ran.error
    assert lab.store.tables() == []


def test_one_table_for_a_range_is_an_error(lab: Lab) -> None:
    """It says what to return instead."""

    @ranged()
    def part() -> pa.Table:
        return table(1)

    ran = lab.run(part, span=("c", "a"), ok=False)

    assert "makes 3 partitions at once, but its function returned Table" in ran.error
    assert "return a dict, partition key -> table" in ran.error


def test_a_partition_that_is_no_table_publishes_none(lab: Lab) -> None:
    """All or nothing: two good tables of three are not published, and the old ones stay current."""
    lab.run(make_part("1"), span=("c", "a"))
    before = {name: lab.store.current(name).materialization_id for name in lab.store.tables()}

    @ranged(code_version="2")
    def part(context: dg.AssetExecutionContext) -> dict:
        return {key: table(1) if key != "a" else 1j for key in context.partition_keys}

    ran = lab.run(part, span=("c", "a"), ok=False)

    assert "NotATable" in ran.error
    assert {name: lab.store.current(name).materialization_id for name in lab.store.tables()} == before


def test_a_range_that_runs_backwards_is_an_error(lab: Lab) -> None:
    """Dagster takes it and gives the function no partitions at all."""
    ran = lab.run(make_part(), span=("a", "c"), ok=False)

    assert "InvalidOutput: asset part: the range of the run holds none of its partitions" in ran.error


def test_each_partition_of_a_range_has_the_anchors_of_all(lab: Lab) -> None:
    """The function saw every input of the range, so each of its tables derives from all of them."""
    upstream = make_part()

    @ranged(ins={"part": dg.AssetIn()})
    def below(context: dg.AssetExecutionContext, part: dict[str, pa.Table]) -> dict[str, pa.Table]:
        note(list(part))
        return {key: part[key] for key in context.partition_keys}

    lab.run(upstream, span=("c", "a"))
    first = lab.run([upstream, below], select=[below], span=("c", "b"))

    assert first.calls == [["c", "b"]]
    assert set(lab.anchors("below[b]")) == set(lab.anchors("below[c]")) == {"part[b]", "part[c]"}
    assert lab.run([upstream, below], select=[below], span=("c", "b")).calls == []

    lab.run(make_part("2"), span=("b", "b"))
    assert lab.run([upstream, below], select=[below], span=("c", "b")).calls == [["c", "b"]]


def test_a_range_of_days_and_what_is_below_it_in_one_run(lab: Lab) -> None:
    """Upstream and downstream of one run hand each other references, partition by partition."""

    @ranged(partitions_def=days)
    def daily(context: dg.AssetExecutionContext) -> dict[str, pa.Table]:
        return {key: table(key) for key in reversed(context.partition_keys)}

    @ranged(partitions_def=days)
    def shouted(context: dg.AssetExecutionContext, daily: dict[str, pa.Table]) -> dict[str, pa.Table]:
        note(list(daily))
        return {key: table(values(one)[0] + "!") for key, one in daily.items()}

    for expected in ("computed", "reused"):
        ran = lab.run([daily, shouted], span=("2024-01-03", "2024-01-05"))
        assert set(ran.outcomes.values()) == {expected}
    assert values(lab.store.read("shouted[2024-01-04]")) == ["2024-01-04!"]


def test_cells_of_two_dimensions_make_a_range(lab: Lab) -> None:
    """The keys of a multi-partitioned range are those that the context gives."""
    shops = dg.StaticPartitionsDefinition(["y", "x"])

    @ranged(partitions_def=dg.MultiPartitionsDefinition({"day": days, "shop": shops}))
    def cell(context: dg.AssetExecutionContext) -> dict[str, pa.Table]:
        return {key: table(str(key)) for key in context.partition_keys}

    ran = lab.run(cell, span=("2024-01-01|y", "2024-01-02|x"))

    assert set(ran.outcomes) == {f"cell[2024-01-0{day}|{shop}]" for day in (1, 2) for shop in "xy"}
    assert set(lab.run(cell, span=("2024-01-01|y", "2024-01-02|x")).outcomes.values()) == {"reused"}


def test_a_plain_asset_makes_a_range_too(lab: Lab) -> None:
    """`handle_output` of a plain asset runs the same funnel: a dict, a table and metadata per partition."""

    @dg.asset(partitions_def=letters, backfill_policy=dg.BackfillPolicy.single_run())
    def plain(context: dg.AssetExecutionContext):
        return {key: table(*range(i)) for i, key in enumerate(context.partition_keys)}

    ran = lab.run(plain, span=("c", "a"))

    assert ran.outcomes == {f"plain[{key}]": "computed" for key in "abc"}
    assert [ran.said(f"plain[{key}]")["dagster/partition_row_count"] for key in "cba"] == [0, 1, 2]
    assert ran.data_version("plain[a]") == combined(lab, ["plain[a]", "plain[b]", "plain[c]"])
