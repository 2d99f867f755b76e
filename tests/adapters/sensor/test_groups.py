"""Ticks name causes, not partitions: tables of one asset with one cause are one sentence."""

from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, table
from sensing_kit import Ticking

from jammi_dagster import build_staleness_sensor, result_table
from jammi_dagster.surfaces import file

days = dg.StaticPartitionsDefinition([f"d{i:02}" for i in range(12)])


@dg.asset(partitions_def=days, io_manager_key="elsewhere")
def outside() -> int:
    return 1


def ticked(lab: Lab, assets: list[Any], **options: Any) -> str:
    """Tick once over assets, and return the message."""
    defs = dg.Definitions(assets=assets, resources=lab.resources)
    sensor = build_staleness_sensor(name="s", **options)
    with dg.build_sensor_context(lab.instance, repository_def=defs.get_repository_def()) as context:
        result = sensor(context)
    assert isinstance(result, dg.SensorResult)
    assert result.skip_reason is not None
    return str(result.skip_reason.skip_message)


@result_table(partitions_def=days, deps=["outside"])
def unknown() -> pa.Table:
    return table(1)


def test_partitions_behind_one_input_are_one_sentence(lab: Lab) -> None:
    """Twelve partitions are undecidable for one reason; the sentence names the first and the last."""
    lab.more["elsewhere"] = dg.mem_io_manager
    for partition in days.get_partition_keys()[:4]:
        lab.run([outside, unknown], partition=partition)
    said = ticked(lab, [unknown, outside], cascade="report_only")
    assert "unknown: 4 partitions (d00 … d03) are undecidable: " in said
    assert said.count("unknown[") == 0
    assert "8 defined tables have no materialization in this store." in said


def test_tables_with_different_causes_stay_apart(lab: Lab, tmp_path: Path) -> None:
    """A stale table stands before undecidable ones, however many those are."""
    lab.more["elsewhere"] = dg.mem_io_manager
    path = tmp_path / "x"
    path.write_text("1")

    @result_table(reads=[file(path)])
    def read() -> pa.Table:
        return table(path.read_text())

    lab.run(read)
    for partition in ("d00", "d01"):
        lab.run([outside, unknown], partition=partition)
    path.write_text("2")
    said = ticked(lab, [unknown, read, outside], cascade="report_only", target=["unknown"])
    assert "unknown: 2 partitions (d00 … d01)" in said
    ticking = Ticking(lab, [unknown, read, outside])
    (request,) = ticking.tick()
    lines = ticking.said.splitlines()
    assert [line.split(" ")[0] for line in lines[1:3]] == ["read", "unknown:"]
    assert request.tags["jammi/why"] == f"read: file:{path} changed"


def test_a_lost_store_is_said(lab: Lab) -> None:
    """Tables that are defined and not there are counted, also where the sensor does not ask for them."""

    @result_table(reads=[])
    def one() -> pa.Table:
        return table(1)

    @result_table(reads=[])
    def two() -> pa.Table:
        return table(1)

    assert "2 defined tables have no materialization in this store." in ticked(lab, [one, two])
    lab.run([one])
    assert "1 defined table has no materialization in this store." in ticked(lab, [one, two])
    lab.run([two])
    assert "no materialization" not in ticked(lab, [one, two])


def upstream(version: str, **more: Any) -> Any:
    """An asset whose code version makes each of its partitions stale."""

    @result_table(name="up", partitions_def=days, reads=[], code_version=version, **more)
    def made(context: dg.AssetExecutionContext) -> Any:
        keys = context.partition_keys
        return table(version) if len(keys) == 1 else dict.fromkeys(keys, table(version))

    return made


@result_table(partitions_def=days, code_version="1")
def below(up: pa.Table) -> pa.Table:
    return up


def test_a_fresh_table_below_a_stale_one_is_fresh_for_now(lab: Lab) -> None:
    """It is neither counted nor called fresh; the line names the table that it waits for."""
    for partition in ("d02", "d03"):
        lab.run([upstream("1"), below], partition=partition)
    ticking = Ticking(lab, [upstream("2"), below], cascade="report_only")
    assert len(ticking.tick()) == 2
    counts, *lines = ticking.said.splitlines()
    assert counts.startswith("0 fresh, 2 stale, 0 undecidable, 2 fresh for now.")
    assert lines[1].startswith("below: 2 partitions (d02 … d03) are fresh for now: wait for up.")
    one = Ticking(lab, [upstream("2"), below], max_runs_per_tick=1)
    (request,) = one.tick()
    one.execute(request)
    one.tick()
    assert "below[d03] is fresh for now: waits for up[d03]." in one.said
    assert "1 fresh for now" in one.said.splitlines()[0]


@pytest.mark.parametrize(
    ("policy", "runs"),
    [
        (None, 4),
        (dg.BackfillPolicy.multi_run(), 4),
        (dg.BackfillPolicy.multi_run(3), 2),
        (dg.BackfillPolicy.single_run(), 1),
    ],
    ids=["none", "one at a time", "three at a time", "all at once"],
)
def test_partitions_with_one_cause_take_as_few_runs_as_the_asset_allows(
    lab: Lab, policy: dg.BackfillPolicy | None, runs: int
) -> None:
    """The backfill policy bounds a range; where each partition takes a run, the message names the option."""
    keys = days.get_partition_keys()[:4]
    for partition in keys:
        lab.run([upstream("1")], partition=partition)
    ticking = Ticking(lab, [upstream("2", backfill_policy=policy)], max_runs_per_tick=20)
    requests = ticking.tick()
    assert len(requests) == runs
    count, line, *rest = ticking.said.splitlines()
    assert count.startswith("0 fresh, 4 stale")
    assert line.startswith("up: 4 partitions (d00 … d03) are stale: code_version 1 -> 2. 4 requested in ")
    option = "up: each partition takes a run of its own; backfill_policy=dg.BackfillPolicy.single_run()"
    assert any(line.startswith(option) for line in rest) is (runs == 4)
    if runs < 4:
        made = [table for request in requests for table in ticking.execute(request)]
        assert sorted(made) == [f"up[{key}]" for key in keys]
        assert ticking.tick() == []
        assert ticking.said.startswith("4 fresh, 0 stale")


def test_a_part_of_a_group_is_left_to_later_ticks(lab: Lab) -> None:
    """One cause is one line, however many of its runs a tick may request."""
    for partition in days.get_partition_keys()[:4]:
        lab.run([upstream("1")], partition=partition)
    ticking = Ticking(lab, [upstream("2")], max_runs_per_tick=3)
    assert len(ticking.tick()) == 3
    assert "up: 4 partitions (d00 … d03) are stale: " in ticking.said
    assert "3 requested in 3 runs, 1 to be requested by later ticks." in ticking.said
