"""Ticks name causes, not partitions: tables of one asset with one cause are one sentence."""

from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
from adapters_kit import Lab, table

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
    defs = dg.Definitions(assets=[unknown, read, outside], resources=lab.resources)
    sensor = build_staleness_sensor(name="s")
    with dg.build_sensor_context(lab.instance, repository_def=defs.get_repository_def()) as context:
        result = sensor(context)
    assert isinstance(result, dg.SensorResult)
    (request,) = result.run_requests or ()
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
