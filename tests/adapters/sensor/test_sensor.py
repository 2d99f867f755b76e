"""The staleness sensor requests exactly what changed and what derives from it, once, and says why."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, table, taken
from sensing_kit import Ticking, definitions, evaluate, kinds

from jammi_dagster import CachePolicy, build_staleness_schedule, build_staleness_sensor, result_table
from jammi_dagster.adapters.judgement.extent import Extent
from jammi_dagster.adapters.sensor.requests_of_tick import with_inputs
from jammi_dagster.errors import InvalidField, InvalidTarget
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
    assert "4 fresh, 0 stale, 0 undecidable" in ticking.said

    (tmp_path / "raw.txt").write_text("axy")
    (request,) = ticking.tick()
    assert {key.to_user_string() for key in request.asset_selection or ()} == {"raw", "first", "last"}
    assert json.loads(request.tags["jammi/cache"]) == {"first": "use", "last": "use"}
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
        assert "A run is making it." in ticking.said
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
    monkeypatch.setattr("jammi_dagster.adapters.sensor.tick.time.time", lambda: now[0])
    (tmp_path / "raw.txt").write_text("good")
    assets = failing(tmp_path)
    lab.run(assets)
    ticking = Ticking(lab, assets, retry_after_seconds=100)
    (tmp_path / "raw.txt").write_text("bad")
    (first,) = ticking.tick()
    ticking.execute(first, ok=False)
    assert ticking.tick() == []
    assert "Its last run failed: requested again in 100 s, or as soon as something changes." in ticking.said
    now[0] += 99
    assert ticking.tick() == []
    now[0] += 2
    (second,) = ticking.tick()
    assert second.run_key != first.run_key
    ticking.execute(second, ok=False)
    now[0] += 101
    assert ticking.tick() == []
    assert "requested again in 99 s" in ticking.said
    (tmp_path / "raw.txt").write_text("better")
    assert ticking.settle() == [{"raw": "computed", "child": "computed"}]


def test_what_cannot_be_decided_is_reported_or_made_at_intervals(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An input without a version is no reason to run, unless the author says so; then not at every tick."""
    now = [1_000_000.0]
    monkeypatch.setattr("jammi_dagster.adapters.sensor.tick.time.time", lambda: now[0])

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


letters = dg.StaticPartitionsDefinition(list("abcde"))


def spread(folder: Path, *, version: str = "1") -> list[Any]:
    """Two assets of five partitions, one below the other, each partition on a file of its own; and a third apart."""

    @result_table(partitions_def=letters, reads=lambda key: [file(folder / key, name=key)], code_version="1")
    def up(context: dg.AssetExecutionContext) -> pa.Table:
        text = (folder / context.partition_key).read_text()
        if text == "bad":
            raise ValueError("bad")
        return table(text)

    @result_table(partitions_def=letters, code_version="1")
    def down(up: pa.Table) -> pa.Table:
        return up

    @result_table(reads=[], code_version=version)
    def apart() -> pa.Table:
        return table(0)

    return [up, down, apart]


def made_of_spread(lab: Lab, folder: Path) -> None:
    for key in letters.get_partition_keys():
        (folder / key).write_text("1")
    Ticking(lab, spread(folder), missing="materialize").settle()


@pytest.fixture
def of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time is up whenever three tables were looked at."""
    monkeypatch.setattr("jammi_dagster.adapters.judgement.extent.AT_ONCE", 3)
    monkeypatch.setattr(
        "jammi_dagster.adapters.judgement.extent.is_over", lambda deadline: deadline is not None
    )


@pytest.mark.usefixtures("of_three")
def test_a_tick_that_runs_out_of_time_says_so_and_the_next_goes_on(lab: Lab, tmp_path: Path) -> None:
    """From the first table to the last; the sensor rests when all of them were found fresh in one state of things."""
    made_of_spread(lab, tmp_path)
    ticking = Ticking(lab, spread(tmp_path))
    said = []
    for _ in range(5):
        assert ticking.tick() == []
        said.append(ticking.said)
    assert said[0].startswith("Judged 3 tables, up to up[b]; the next tick goes on. So far: 3 fresh, ")
    assert [text.startswith("Judged") for text in said] == [True, True, True, False, False]
    assert said[3] == "11 fresh, 0 stale, 0 undecidable."
    assert said[4] == f"{said[3]}\nNothing changed since."


@pytest.mark.usefixtures("of_three")
@pytest.mark.parametrize("is_new", [False, True])
def test_what_is_stale_is_requested_by_the_tick_that_comes_to_it(
    lab: Lab, tmp_path: Path, is_new: bool
) -> None:
    """Whether one process looks at all, or each tick has its own: exactly that, once, and not before its inputs."""
    made_of_spread(lab, tmp_path)
    for key in "be":
        (tmp_path / key).write_text("2")
    stale = {f"{name}[{key}]" for name in ("up", "down") for key in "be"} | {"apart"}
    ticking = Ticking(lab, spread(tmp_path, version="2"))
    ran: list[str] = []
    for number in range(12):
        if is_new:
            ticking = ticking.restarted(spread(tmp_path, version="2"))
        requests = ticking.tick()
        is_seen = number >= 3  # four ticks come to all
        assert is_seen or ticking.said.startswith("Judged 3 tables")
        assert "Nothing changed" not in ticking.said or ran
        for request in requests:
            ran += [name for name, outcome in ticking.execute(request).items() if outcome == "computed"]
    assert sorted(ran) == sorted(stale)
    assert kinds(evaluate(lab, spread(tmp_path, version="2"))) == {}
    assert ("Nothing changed since" in ticking.said) is not is_new  # a new process looks again


@pytest.mark.usefixtures("of_three")
def test_what_changes_behind_a_round_is_found_by_the_next(lab: Lab, tmp_path: Path) -> None:
    """A table that was fresh when it was looked at, and is not any more when the last one is."""
    made_of_spread(lab, tmp_path)
    ticking = Ticking(lab, spread(tmp_path))
    assert ticking.tick() == []
    (tmp_path / "a").write_text("2")
    assert [ticking.tick() for _ in range(3)] == [[], [], []]
    assert "Nothing changed" not in ticking.said
    (request,) = ticking.tick()
    assert ticking.execute(request) == {"up[a]": "computed", "down[a]": "computed"}


@pytest.mark.usefixtures("of_three")
def test_bytes_that_go_behind_a_round_are_found_by_the_next(lab: Lab, tmp_path: Path) -> None:
    """Nothing else tells that they are gone: the sensor does not rest on that round."""
    made_of_spread(lab, tmp_path)
    ticking = Ticking(lab, spread(tmp_path))
    assert ticking.tick() == []
    lab.store.artifacts.delete(lab.store.current("up[a]").artifact_path)
    assert ticking.rest() == [{"up[a]": "computed", "down[a]": "reused"}]


@pytest.mark.usefixtures("of_three")
def test_a_failed_run_is_remembered_while_other_tables_are_looked_at(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is repeated after the back-off, not in each round, and the sensor rests until then."""
    now = [1_000_000.0]
    monkeypatch.setattr("jammi_dagster.adapters.sensor.tick.time.time", lambda: now[0])
    made_of_spread(lab, tmp_path)
    ticking = Ticking(lab, spread(tmp_path), retry_after_seconds=100)
    (tmp_path / "b").write_text("bad")
    (request,) = ticking.tick()
    ticking.execute(request, ok=False)
    assert ticking.rest() == []
    now[0] += 101
    again = [request for _ in range(4) for request in ticking.tick()]
    assert [request.partition_key for request in again] == ["b"]
    assert again[0].run_key != request.run_key


@pytest.mark.usefixtures("of_three")
def test_the_runs_of_one_look_are_all_asked_for_before_the_next_tables(lab: Lab, tmp_path: Path) -> None:
    """So what derives from a table that has to wait for its turn does not run before it."""
    made_of_spread(lab, tmp_path)
    for key in letters.get_partition_keys():
        (tmp_path / key).write_text("2")
    ticking = Ticking(lab, spread(tmp_path), max_runs_per_tick=1)
    ran = ticking.rest()
    assert [set(run) for run in ran] == [{f"up[{key}]", f"down[{key}]"} for key in "abcde"]
    assert all(set(run.values()) == {"computed"} for run in ran)


def test_a_look_ends_where_too_much_has_changed(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is decided in one tick is bounded, not only what is looked at."""
    made_of_spread(lab, tmp_path)
    monkeypatch.setattr("jammi_dagster.adapters.judgement.extent.MOST_STATES", 2)
    for key in letters.get_partition_keys():
        (tmp_path / key).write_text("2")
    ticking = Ticking(lab, spread(tmp_path, version="2"))
    first = ticking.tick()
    assert ticking.said.startswith("Judged 2 tables, up to up[a]; the next tick goes on. ")
    assert [request.partition_key for request in first] == [None, "a"]
    ran = [ticking.execute(request) for request in first] + ticking.rest()
    assert [set(run) for run in ran] == [{"apart"}, *({f"up[{key}]", f"down[{key}]"} for key in "abcde")]


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


@pytest.mark.parametrize("at_once", [500, 1])
def test_what_derives_from_a_failed_table_waits_whichever_tick_came_to_that(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """A changed table below one whose run failed is not made over what is stale; afterwards it is, once."""
    monkeypatch.setattr("jammi_dagster.adapters.judgement.extent.AT_ONCE", at_once)
    monkeypatch.setattr(
        "jammi_dagster.adapters.judgement.extent.is_over", lambda deadline: deadline is not None
    )

    def pair(above: str, below: str) -> list[Any]:
        @result_table(reads=[], code_version=above)
        def up() -> pa.Table:
            if above == "broken":
                raise ValueError("broken")
            return table(above)

        @result_table(code_version=below)
        def down(up: pa.Table) -> pa.Table:
            return table(f"{up['x'][0].as_py()} {below}")

        return [up, down]

    lab.run(pair("1", "1"))
    ticking = Ticking(lab, pair("broken", "1"), retry_after_seconds=3_600.0)
    failed = [ticking.execute(request, ok=False) for _ in range(3) for request in ticking.tick()]
    assert failed == [{}]
    ticking = ticking.restarted(pair("broken", "2"))
    assert [ticking.tick() for _ in range(4)] == [[]] * 4
    assert ticking.restarted(pair("2", "2")).rest() == [{"up": "computed", "down": "computed"}]


def test_many_tables_without_their_inputs_are_left_in_one_go() -> None:
    """Whether each lacks its own, or all are below one that does."""
    apart = {f"down[{i}]": SimpleNamespace(needs=(f"up[{i}]",)) for i in range(20_000)}
    chained = {f"day[{i}]": SimpleNamespace(needs=(f"day[{i - 1}]",)) for i in range(20_000)}
    there = {"up": SimpleNamespace(needs=()), "below": SimpleNamespace(needs=("up",))}
    wanted: Any = {**apart, **chained, **there}
    assert with_inputs(wanted) == there


def test_a_tick_waits_for_another_that_is_still_at_work(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the first saw before a change is not what the second rests on."""
    days = dg.StaticPartitionsDefinition(["1", "2"])

    @result_table(partitions_def=days, reads=[])
    def day(context: dg.AssetExecutionContext) -> pa.Table:
        return table(context.partition_key)

    @result_table(allow_missing_partitions=True)
    def total(day: dict[str, pa.Table]) -> pa.Table:
        return table(len(day))

    assets = [day, total]
    lab.run(assets, select=[day], partition="1")
    lab.run(assets, select=[total])
    ticking = Ticking(lab, assets)
    at_work, is_over, original = threading.Event(), threading.Event(), Extent.chunks

    def chunks(self: Extent, *arguments: Any) -> Any:
        if not at_work.is_set():
            at_work.set()
            assert is_over.wait(30)
        yield from original(self, *arguments)

    def tick() -> dg.SensorResult:
        context = dg.build_sensor_context(instance=lab.instance, definitions=ticking.defs)
        result = ticking.sensor(context)
        assert isinstance(result, dg.SensorResult)
        return result

    monkeypatch.setattr(Extent, "chunks", chunks)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(tick)
        assert at_work.wait(30)
        lab.run(assets, select=[day], partition="2")
        second = threads.submit(tick)
        assert not wait([second], timeout=1.0).done
        is_over.set()
        assert [len(done.result().run_requests or ()) for done in (first, second)] == [0, 1]


def test_a_sensor_that_may_request_nothing_is_refused() -> None:
    """With the way out."""
    with pytest.raises(InvalidField, match="max_runs_per_tick"):
        build_staleness_sensor(max_runs_per_tick=0)
