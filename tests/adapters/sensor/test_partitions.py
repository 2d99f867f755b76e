"""The sensor over every kind of partition: exactly what changed and what derives from it, in as few runs as can be."""

from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
from adapters_kit import Lab, table
from sensing_kit import Ticking

from jammi_dagster import result_table
from jammi_dagster.surfaces import file

letters = dg.StaticPartitionsDefinition(["c", "b", "a"])
days = dg.DailyPartitionsDefinition("2023-12-31", end_date="2024-01-14")
cities = dg.DynamicPartitionsDefinition(name="towns")
grid = dg.MultiPartitionsDefinition(
    {"day": dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-03"), "letter": letters}
)


def source(folder: Path, definition: dg.PartitionsDefinition[str], name: str, **more: Any) -> Any:
    """An asset that reads a file for each of its partitions."""

    def path(key: str) -> Path:
        return folder / f"{name}-{key.replace('|', '_')}"

    @result_table(
        name=name,
        partitions_def=definition,
        reads=lambda key: [file(path(key), name=f"{name}-{key}")],
        code_version="1",
        **more,
    )
    def read(context: dg.AssetExecutionContext) -> Any:
        if name == "ranged":
            return {key: table(path(key).read_text()) for key in context.partition_keys}
        return table(path(context.partition_key).read_text())

    return read


def fill(folder: Path, name: str, keys: list[str], text: str = "1") -> None:
    for key in keys:
        (folder / f"{name}-{key.replace('|', '_')}").write_text(text)


def filled(ticking: Ticking) -> Ticking:
    """A location whose every table was made by the sensor itself, which is at rest."""
    ticking.settle(40)
    assert ticking.tick() == [], ticking.said
    return ticking


def everything(lab: Lab, assets: list[Any], **options: Any) -> Ticking:
    options = {"missing": "materialize", "max_runs_per_tick": 50, **options}
    return filled(Ticking(lab, assets, **options))


def made(done: list[dict[str, Any]]) -> dict[str, str]:
    """What all of the runs did; no table twice."""
    tables = [name for run in done for name in run]
    assert len(tables) == len(set(tables)), tables
    return {name: outcome for run in done for name, outcome in run.items()}


def test_one_partition_and_what_derives_from_it_are_one_run(lab: Lab, tmp_path: Path) -> None:
    """Same partition and unpartitioned tables share a run; other partitions are untouched."""

    @result_table(partitions_def=letters, code_version="1")
    def same(part: pa.Table) -> pa.Table:
        return part

    @result_table(code_version="1")
    def whole(same: dict[str, pa.Table]) -> pa.Table:
        return table(*(t["x"][0].as_py() for t in same.values()))

    fill(tmp_path, "part", ["a", "b", "c"])
    ticking = everything(lab, [source(tmp_path, letters, "part"), same, whole])
    fill(tmp_path, "part", ["b"], "2")
    done = ticking.settle()
    assert len(done) == 1
    assert made(done) == dict.fromkeys(("part[b]", "same[b]", "whole"), "computed")
    fill(tmp_path, "part", ["a", "b"], "3")
    done = ticking.settle()
    assert [sorted(run) for run in done] == [["part[a]", "same[a]"], ["part[b]", "same[b]"], ["whole"]]


def test_days_under_weeks(lab: Lab, tmp_path: Path) -> None:
    """A day makes its own week stale, and no other."""
    weeks = dg.WeeklyPartitionsDefinition("2023-12-31", end_date="2024-01-14")

    @result_table(partitions_def=weeks, code_version="1")
    def week(day: dict[str, pa.Table]) -> pa.Table:
        return table(*(t["x"][0].as_py() for t in day.values()))

    fill(tmp_path, "day", list(days.get_partition_keys()))
    ticking = everything(lab, [source(tmp_path, days, "day"), week])
    fill(tmp_path, "day", ["2024-01-08"], "2")
    assert made(ticking.settle()) == {"day[2024-01-08]": "computed", "week[2024-01-07]": "computed"}


def test_multi_partitions_under_one_of_their_dimensions(lab: Lab, tmp_path: Path) -> None:
    """A cell makes its column stale."""

    @result_table(partitions_def=letters, code_version="1")
    def column(cell: dict[str, pa.Table]) -> pa.Table:
        return table(*(t["x"][0].as_py() for t in cell.values()))

    fill(tmp_path, "cell", [str(key) for key in grid.get_partition_keys()])
    ticking = everything(lab, [source(tmp_path, grid, "cell"), column])
    fill(tmp_path, "cell", ["2024-01-02|b"], "2")
    assert made(ticking.settle()) == {"cell[2024-01-02|b]": "computed", "column[b]": "computed"}


def test_dynamic_partitions_that_come_and_go(lab: Lab, tmp_path: Path) -> None:
    """One that comes is named as the reason; one that goes too, and its own table is reported, never requested."""

    @result_table(code_version="1")
    def gathered(town: dict[str, pa.Table]) -> pa.Table:
        return table(*town)

    lab.instance.add_dynamic_partitions("towns", ["oslo", "bern"])
    fill(tmp_path, "town", ["oslo", "bern", "rome"])
    ticking = everything(lab, [source(tmp_path, cities, "town"), gathered])
    lab.instance.add_dynamic_partitions("towns", ["rome"])
    first = ticking.tick()
    assert [request.partition_key for request in first] == ["rome"]
    assert ticking.execute(first[0]) == {"town[rome]": "computed"}
    (request,) = ticking.tick()
    assert "gathered is stale: inputs added: town[rome]." in ticking.said
    assert ticking.execute(request) == {"gathered": "computed"}
    assert ticking.tick() == []
    lab.instance.delete_dynamic_partition("towns", "bern")
    (request,) = ticking.tick()
    assert "gathered is stale: inputs removed: town[bern]." in ticking.said
    assert "town[bern] is left over: its partition no longer exists." in ticking.said
    assert ticking.execute(request) == {"gathered": "computed"}
    assert ticking.tick() == []


def test_a_partition_whose_file_arrives_later_is_made_then(lab: Lab, tmp_path: Path) -> None:
    """The sensor rests without it, and is woken by the file: it was never materialized, so nothing else tells."""
    fill(tmp_path, "part", ["a", "b"])
    ticking = Ticking(lab, [source(tmp_path, letters, "part")], missing="materialize")
    assert made(ticking.rest()) == dict.fromkeys(("part[a]", "part[b]"), "computed")
    assert "part[c] is missing: never materialized; it needs file:part-c, which is not there." in ticking.said
    fill(tmp_path, "part", ["c"])
    assert made(ticking.rest()) == {"part[c]": "computed"}


def test_a_table_of_its_own_past(lab: Lab, tmp_path: Path) -> None:
    """Each day waits for the one before it, and the last unchanged one ends the row."""
    few = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-05")
    yesterday = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)

    @result_table(
        partitions_def=few, ins={"largest": dg.AssetIn(partition_mapping=yesterday)}, code_version="1"
    )
    def largest(day: pa.Table, largest: pa.Table | None) -> pa.Table:
        before = 0 if largest is None else largest["x"][0].as_py()
        return table(max(before, int(day["x"][0].as_py())))

    keys = list(few.get_partition_keys())
    for size, key in enumerate(keys):
        fill(tmp_path, "day", [key], str(10 * size))
    ticking = everything(lab, [source(tmp_path, few, "day"), largest])
    fill(tmp_path, "day", [keys[0]], "15")
    assert made(ticking.settle()) == {
        f"day[{keys[0]}]": "computed",
        f"largest[{keys[0]}]": "computed",
        f"largest[{keys[1]}]": "computed",
        f"largest[{keys[2]}]": "computed",
    }


def test_neighbours_of_an_asset_that_makes_ranges_are_one_run(lab: Lab, tmp_path: Path) -> None:
    """A range from the first to the last, in the order of the partitions; what is not beside them runs apart."""
    many = dg.StaticPartitionsDefinition(list("abcdef"))
    ranged = source(tmp_path, many, "ranged", backfill_policy=dg.BackfillPolicy.single_run())
    fill(tmp_path, "ranged", list("abcdef"))
    assets = [ranged]
    for key in "abcdef":
        lab.run(assets, partition=key)
    ticking = filled(Ticking(lab, assets))
    fill(tmp_path, "ranged", list("abce"), "2")
    requests = ticking.tick()
    spans = [request.tags.get("dagster/asset_partition_range_start") for request in requests]
    assert sorted(
        (span or "", request.partition_key or "") for span, request in zip(spans, requests, strict=True)
    ) == [
        ("", "e"),
        ("a", ""),
    ]
    assert made([ticking.execute(request) for request in requests]) == dict.fromkeys(
        (f"ranged[{key}]" for key in "abce"), "computed"
    )
    assert ticking.tick() == []


def test_a_multi_asset_is_requested_whole(lab: Lab, tmp_path: Path) -> None:
    """Dagster does not make one output of it alone, unless it may be subset."""
    path = tmp_path / "raw"
    path.write_text("1")

    @result_table(reads=[file(path, name="raw")], code_version="1")
    def raw() -> pa.Table:
        return table(path.read_text())

    @dg.multi_asset(
        outs={"left": dg.AssetOut(), "right": dg.AssetOut()},
        ins={"raw": dg.AssetIn()},
    )
    def both(raw: pa.Table):
        return raw, raw

    assets = [raw, both]
    lab.run(assets)
    ticking = Ticking(lab, assets)
    ticking.settle()
    path.write_text("2")
    assert made(ticking.settle()) == dict.fromkeys(("raw", "left", "right"), "computed")


def test_an_upstream_elsewhere_and_an_external_one(lab: Lab, tmp_path: Path) -> None:
    """A new data version of an asset on another IO manager, or a new observation, makes what reads it stale."""
    lab.more = {"other": dg.FilesystemIOManager(base_dir=str(tmp_path / "other"))}
    version = ["1"]

    @dg.asset(io_manager_key="other")
    def elsewhere() -> dg.MaterializeResult[int]:
        return dg.MaterializeResult(value=1, data_version=dg.DataVersion(version[0]))

    outside = dg.AssetSpec("outside")

    @result_table(code_version="1")
    def over(elsewhere: int) -> pa.Table:
        return table(elsewhere)

    @result_table(deps=["outside"], reads=[], code_version="1")
    def beyond() -> pa.Table:
        return table(1)

    def observe(of: str) -> None:
        tags = {"dagster/data_version": of}
        lab.instance.report_runless_asset_event(dg.AssetObservation("outside", tags=tags))

    observe("1")
    assets = [elsewhere, outside, over, beyond]
    lab.run([elsewhere, over, beyond, outside])
    ticking = filled(Ticking(lab, assets))
    version[0] = "2"
    lab.run([elsewhere])
    assert made(ticking.settle()) == {"over": "computed"}
    observe("2")
    assert made(ticking.settle()) == {"beyond": "computed"}
