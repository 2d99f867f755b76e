"""The staleness sensor requests exactly what changed and what derives from it, once, and says why."""

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, table, taken
from sensing_kit import Ticking, definitions

from jammi_dagster import CachePolicy, build_staleness_schedule, build_staleness_sensor, result_table
from jammi_dagster.errors import InvalidTarget
from jammi_dagster.surfaces import file


def chain(folder: Path, *, version: str = "1", policy: CachePolicy | None = None) -> list[Any]:
    """A file, what is read of it, its first letter, and what is made of that: the last two may be cut off."""
    path = folder / "raw.txt"

    @result_table(reads=[file(path, name="raw.txt")], code_version="1")
    def raw() -> pa.Table:
        note("raw")
        return table(path.read_text())

    @result_table(code_version=version)
    def first(raw: pa.Table) -> pa.Table:
        note("first")
        return table(raw["x"][0].as_py()[0])

    @result_table(code_version="1", cache=policy)
    def last(first: pa.Table) -> pa.Table:
        note("last")
        return first

    @result_table(reads=[], code_version="1")
    def other() -> pa.Table:
        note("other")
        return table(0)

    return [raw, first, last, other]


def test_a_changed_file_is_read_again_and_what_comes_out_the_same_cuts_the_rest_off(
    lab: Lab, tmp_path: Path
) -> None:
    """One run for all three; the stale table computes, what derives from it is reused where its inputs are equal."""
    (tmp_path / "raw.txt").write_text("abc")
    assets = chain(tmp_path)
    lab.run(assets)
    ticking = Ticking(lab, assets)
    assert ticking.tick() == []
    assert "4 fresh, 0 stale, 0 undecidable, 0 without manifest" in ticking.said

    (tmp_path / "raw.txt").write_text("axy")
    (request,) = ticking.tick()
    assert {key.to_user_string() for key in request.asset_selection} == {"raw", "first", "last"}
    assert json.loads(request.tags["jammi/cache"]) == {"first": "use", "last": "use", "raw": "bypass"}
    taken()
    assert ticking.execute(request) == {"raw": "computed", "first": "computed", "last": "reused"}
    assert taken() == ["raw", "first"]
    assert ticking.tick() == []
    assert ticking.tick() == []
    assert ticking.said.endswith("Nothing changed since.")


def test_bypass_of_the_author_holds(lab: Lab, tmp_path: Path) -> None:
    """A descendant whose author said BYPASS is computed, equal inputs or not."""
    (tmp_path / "raw.txt").write_text("abc")
    assets = chain(tmp_path, policy=CachePolicy.BYPASS)
    lab.run(assets)
    ticking = Ticking(lab, assets)
    (tmp_path / "raw.txt").write_text("axy")
    assert ticking.settle() == [{"raw": "computed", "first": "computed", "last": "computed"}]


def test_changed_code_is_the_reason(lab: Lab, tmp_path: Path) -> None:
    """Only what has another definition, and what derives from it."""
    (tmp_path / "raw.txt").write_text("abc")
    lab.run(chain(tmp_path))
    ticking = Ticking(lab, chain(tmp_path, version="2"))
    (request,) = ticking.tick()
    assert "first is stale: code_version 1 -> 2." in ticking.said
    assert ticking.execute(request) == {"first": "computed", "last": "reused"}
    assert ticking.tick() == []


def test_report_only_makes_what_changed_and_reports_what_derives_from_it(lab: Lab, tmp_path: Path) -> None:
    """The source of a change is made again; its descendants stay stale until somebody makes them."""
    (tmp_path / "raw.txt").write_text("abc")
    assets = chain(tmp_path)
    lab.run(assets)
    ticking = Ticking(lab, assets, cascade="report_only")
    (tmp_path / "raw.txt").write_text("xyz")
    assert ticking.settle() == [{"raw": "computed"}]
    assert "first is stale: raw changed." in ticking.said


def test_bytes_that_are_gone_are_made_again(lab: Lab, tmp_path: Path) -> None:
    """A verdict does not look at a table's own bytes; the sensor does."""
    (tmp_path / "raw.txt").write_text("abc")
    assets = chain(tmp_path)
    lab.run(assets)
    ticking = Ticking(lab, assets)
    assert ticking.tick() == []
    lab.store.artifacts.delete(lab.store.current("first").artifact_path)
    assert ticking.settle() == [{"first": "computed", "last": "reused"}]
    assert ticking.tick() == []


def test_a_request_fires_once_and_a_run_in_flight_is_not_asked_for_again(lab: Lab, tmp_path: Path) -> None:
    """Until it has a run, a request is the same one; while it runs there is none."""
    (tmp_path / "raw.txt").write_text("abc")
    assets = chain(tmp_path)
    lab.run(assets)
    ticking = Ticking(lab, assets)
    (tmp_path / "raw.txt").write_text("xyz")
    (first,), (again,) = ticking.tick(), ticking.tick()
    assert first.run_key == again.run_key
    with ticking.in_flight(first):
        assert ticking.tick() == []
        assert "a run is making it" in ticking.said
    ticking.execute(first)
    assert ticking.tick() == []


def failing(folder: Path) -> list[Any]:
    path = folder / "raw.txt"

    @result_table(reads=[file(path, name="raw.txt")], code_version="1")
    def raw() -> pa.Table:
        if path.read_text() == "bad":
            raise ValueError("bad")
        return table(path.read_text())

    @result_table(code_version="1")
    def child(raw: pa.Table) -> pa.Table:
        return raw

    return [raw, child]


def test_a_failed_run_is_not_repeated_until_something_changes_or_time_has_passed(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The back-off doubles; a change asks at once."""
    now = [1_000_000.0]
    monkeypatch.setattr("jammi_dagster.adapters.ticking.time.time", lambda: now[0])
    (tmp_path / "raw.txt").write_text("good")
    assets = failing(tmp_path)
    lab.run(assets)
    ticking = Ticking(lab, assets, retry_after_seconds=100)
    (tmp_path / "raw.txt").write_text("bad")
    (first,) = ticking.tick()
    ticking.execute(first, ok=False)
    assert ticking.tick() == []
    assert "its run failed; again in 100 s" in ticking.said
    now[0] += 99
    assert ticking.tick() == []
    now[0] += 2
    (second,) = ticking.tick()
    assert second.run_key != first.run_key
    ticking.execute(second, ok=False)
    now[0] += 101
    assert ticking.tick() == []
    assert "again in 99 s" in ticking.said
    (tmp_path / "raw.txt").write_text("better")
    assert ticking.settle() == [{"raw": "computed", "child": "computed"}]


def test_what_cannot_be_decided_is_reported_or_made_at_intervals(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An input without a version is no reason to run, unless the author says so; then not at every tick."""
    now = [1_000_000.0]
    monkeypatch.setattr("jammi_dagster.adapters.ticking.time.time", lambda: now[0])

    @result_table(code_version="1")
    def unpinned() -> pa.Table:
        return table(1)

    lab.run(unpinned)
    reporting = Ticking(lab, [unpinned])
    assert reporting.tick() == []
    assert "0 fresh, 0 stale, 1 undecidable" in reporting.said
    making = Ticking(lab, [unpinned], on_undecidable="materialize", retry_after_seconds=100)
    assert making.settle() == [{"unpinned": "computed"}]
    now[0] += 50
    assert making.tick() == []
    now[0] += 51
    assert making.settle() == [{"unpinned": "computed"}]


def test_a_certain_change_of_an_undecidable_table_is_a_reason(lab: Lab) -> None:
    """New code is new code, whatever else cannot be told."""

    def made(version: str) -> list[Any]:
        @result_table(code_version=version)
        def unpinned() -> pa.Table:
            return table(1)

        return [unpinned]

    lab.run(made("1"))
    ticking = Ticking(lab, made("2"))
    assert ticking.settle() == [{"unpinned": "computed"}]
    assert ticking.tick() == []


def test_a_tick_requests_so_many_runs_at_most_and_the_next_goes_on(lab: Lab) -> None:
    """Nothing is asked for twice, nothing is forgotten."""

    @result_table(partitions_def=dg.StaticPartitionsDefinition(list("abcde")), reads=[], code_version="1")
    def part() -> pa.Table:
        return table(1)

    ticking = Ticking(lab, [part], missing="materialize", max_runs_per_tick=2)
    sizes, done = [], []
    while requests := ticking.tick():
        sizes.append(len(requests))
        done += [name for request in requests for name in ticking.execute(request)]
    assert (sizes, sorted(done)) == ([2, 2, 1], [f"part[{key}]" for key in "abcde"])


def test_a_tick_that_runs_out_of_time_says_so_and_the_next_goes_on(lab: Lab, tmp_path: Path) -> None:
    """It requests nothing on half of a picture."""
    (tmp_path / "raw.txt").write_text("abc")
    assets = chain(tmp_path)
    lab.run(assets)
    (tmp_path / "raw.txt").write_text("xyz")
    ticking = Ticking(lab, assets, max_seconds_per_tick=0)
    assert ticking.tick() == []
    assert ticking.said == "Looked at 0 tables in 0 s; the next tick goes on."


@pytest.mark.parametrize("cursor", ["", "nonsense", "[]", '{"version": 9}', '{"version": 1, "other": 2}'])
def test_a_cursor_that_is_none_is_forgotten(lab: Lab, tmp_path: Path, cursor: str) -> None:
    """What is in it only spares work."""
    (tmp_path / "raw.txt").write_text("abc")
    assets = chain(tmp_path)
    lab.run(assets)
    ticking = Ticking(lab, assets)
    ticking.cursor = cursor
    assert ticking.tick() == []
    assert ticking.said.startswith("4 fresh")


def test_a_step_that_never_reaches_what_the_sensor_expects_makes_no_loop(lab: Lab, tmp_path: Path) -> None:
    """A file that changes each time it is read is read again after a while, not at every tick."""
    path = tmp_path / "counter"
    path.write_text("0")

    @result_table(reads=[file(path, name="counter")], code_version="1")
    def restless() -> pa.Table:
        path.write_text("1" if path.read_text() == "0" else "0")
        return table(1)

    lab.run(restless)
    ticking = Ticking(lab, [restless])
    assert len(ticking.settle()) <= 3


def test_the_schedule_asks_for_the_same(lab: Lab, tmp_path: Path) -> None:
    """At its times, and with run keys of its own for each of them."""
    (tmp_path / "raw.txt").write_text("abc")
    assets = chain(tmp_path)
    lab.run(assets)
    schedule = build_staleness_schedule("0 * * * *")
    defs = definitions(lab, assets, schedules=[schedule])

    with dg.instance_for_test() as instance:  # a schedule's context wants one that another process could open

        def evaluated(hour: int) -> Any:
            with dg.build_schedule_context(
                instance=instance,
                scheduled_execution_time=datetime(2026, 11, 22, hour, tzinfo=timezone.utc),
                repository_def=defs.get_repository_def(),
            ) as context:
                return defs.resolve_schedule_def("staleness_schedule").evaluate_tick(context)

        assert evaluated(1).skip_message.startswith("4 fresh")
        (tmp_path / "raw.txt").write_text("xyz")
        (first,), (second,) = evaluated(2).run_requests, evaluated(3).run_requests
    assert {key.to_user_string() for key in first.asset_selection} == {"raw", "first", "last"}
    assert first.run_key != second.run_key


def test_a_target_that_names_nothing_is_an_error() -> None:
    """When the sensor is built, not at its first tick."""
    with pytest.raises(InvalidTarget, match="names no assets"):
        build_staleness_sensor(target="((")
    assert isinstance(build_staleness_sensor(target=["a", "b"]), dg.SensorDefinition)
