"""A tick observes each version surface once, whatever it finds."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
from adapters_kit import Lab, table
from sensing_kit import Ticking

from jammi_dagster import ResultStoreResource, ResultTableIOManager, result_table
from jammi_dagster.surfaces import file

letters = dg.StaticPartitionsDefinition(["a", "b"])
_observed: Counter[str] = Counter()


@dataclass(frozen=True)
class Counted:
    """A file's text as its version; each observation is counted."""

    source: str
    path: str

    def observe(self) -> str | None:
        _observed[self.source] += 1
        path = Path(self.path)
        return path.read_text() if path.exists() else None


def pipeline(folder: Path) -> list[Any]:
    """Two assets over one file, one of them in another store, and an asset with a file for each partition."""

    def surface(name: str) -> Counted:
        return Counted(f"counted:{name}", str(folder / name))

    @result_table(reads=[surface("shared")], code_version="1")
    def one() -> pa.Table:
        return table(1)

    @result_table(reads=[surface("shared")], code_version="1", io_manager_key="second")
    def two() -> pa.Table:
        return table(1)

    @result_table(partitions_def=letters, reads=lambda key: [surface(key)], code_version="1")
    def part(context: dg.AssetExecutionContext) -> pa.Table:
        return table(context.partition_key)

    @result_table(code_version="1")
    def last(part: dict[str, pa.Table], one: pa.Table) -> pa.Table:
        return one

    return [one, two, part, last]


def observed_by_a_tick(ticking: Ticking) -> tuple[dict[str, int], list[dg.RunRequest]]:
    _observed.clear()
    requests = ticking.tick()
    return dict(_observed), requests


def test_each_surface_is_observed_once_in_each_tick(lab: Lab, tmp_path: Path) -> None:
    """When all is new, when files changed, when a run has landed, and when nothing changed."""
    lab.more = {"second": ResultTableIOManager(store=ResultStoreResource(root=str(tmp_path / "second")))}
    for name in ("shared", "a", "b"):
        (tmp_path / name).write_text("1")
    ticking = Ticking(lab, pipeline(tmp_path), missing="materialize")
    ticking.settle()
    once = {"counted:shared": 1, "counted:a": 1, "counted:b": 1}
    assert observed_by_a_tick(ticking) == (once, [])
    assert ticking.said.endswith("Nothing changed since.")
    for name in ("shared", "a"):
        (tmp_path / name).write_text("2")
    seen, requests = observed_by_a_tick(ticking)
    assert (seen, len(requests)) == (once, 2)
    for request in requests:
        ticking.execute(request)
    assert observed_by_a_tick(ticking)[0] == once
    assert observed_by_a_tick(ticking.restarted(pipeline(tmp_path)))[0] == once


def test_a_table_made_during_the_tick_is_judged_by_a_new_observation(
    lab: Lab, tmp_path: Path, monkeypatch: Any
) -> None:
    """A run that read a newer file than the tick did is no reason to run again."""
    path = tmp_path / "file"

    @result_table(reads=[file(path, name="file")], code_version="1")
    def read() -> pa.Table:
        return table(path.read_text())

    path.write_text("1")
    lab.run(read)
    ticking = Ticking(lab, [read])
    assert ticking.tick() == []
    path.write_text("2")

    def meanwhile(*arguments: Any, **more: Any) -> tuple[set[str], str]:
        """Stand for the moment between observation and judgement."""
        path.write_text("3")
        lab.run(read)
        return set(), ""

    monkeypatch.setattr("jammi_dagster.adapters.sensor.tick.bytes_missing", meanwhile)
    assert ticking.tick() == []
    assert "1 fresh, 0 stale" in ticking.said
