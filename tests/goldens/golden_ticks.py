"""Recorded ticks of the staleness sensor and schedule: the runs that they request, and the outcomes of those."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from unittest import mock

import dagster as dg
import pyarrow as pa
from golden_kit import QUIET, Bench, by_range, failures, outcomes, surroundings

from jammi_dagster import (
    CachePolicy,
    ResultStoreResource,
    ResultTableIOManager,
    build_staleness_schedule,
    build_staleness_sensor,
    result_table,
)
from jammi_dagster.surfaces import file

letters = dg.StaticPartitionsDefinition(list("dcba"))
days = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-05")
dynamic = dg.DynamicPartitionsDefinition(name="golden_ticks")
TEXT = Path("golden.txt")


class Size(dg.Config):
    rows: int = 1


class Clock:
    """A clock that is ahead of the real one by as much as was waited."""

    def __init__(self) -> None:
        self._real, self._later = time.time, 0.0

    def __call__(self) -> float:
        return self._real() + self._later

    def wait(self, seconds: float) -> None:
        """Move the clock on, without waiting."""
        self._later += seconds


class Ticking:
    """A sensor on a bench, its cursor kept from tick to tick, and everything that it asked for noted."""

    def __init__(self, bench: Bench, clock: Clock) -> None:
        self.bench, self.clock = bench, clock
        self.seen: list[dict[str, Any]] = []
        self.cursor: str | None = None

    def watch(self, assets: Iterable[Any], **options: Any) -> None:
        """Load these assets as a new code location with a new sensor; the cursor stays."""
        self.sensor = build_staleness_sensor(**options)
        self.defs = self.bench.definitions(assets, sensors=[self.sensor])

    def tick(self, label: str) -> list[dg.RunRequest]:
        """Evaluate the sensor once; return and note its requests."""
        context = dg.build_sensor_context(
            instance=self.bench.instance, cursor=self.cursor, definitions=self.defs
        )
        result = self.sensor(context)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        requests = list(result.run_requests or ())
        assert bool(requests) is (result.skip_reason is None)
        self.seen.append({"tick": label, "requests": [self.shown(request) for request in requests]})
        return requests

    def execute(self, request: dg.RunRequest, *, ok: bool = True) -> None:
        """Run a request as the daemon would, and note the outcomes."""
        job = self.defs.get_repository_def().get_implicit_global_asset_job_def()
        result = job.execute_in_process(
            instance=self.bench.instance,
            asset_selection=list(request.asset_selection or ()),
            partition_key=request.partition_key,
            run_config={**request.run_config, **QUIET},
            tags=dict(request.tags),
            raise_on_error=False,
        )
        assert result.success is ok, failures(result)
        self.seen.append({"run": self.bench.names.of("key", request.run_key), "outcomes": outcomes(result)})

    def settle(self, label: str, most: int = 12) -> None:
        """Tick and run until nothing is requested."""
        for number in range(1, most + 1):
            requests = self.tick(f"{label}, {number}")
            if not requests:
                return
            for request in requests:
                self.execute(request)
        raise AssertionError(f"the sensor does not rest: {self.seen}")

    def in_flight(self, request: dg.RunRequest) -> str:
        """Start the request as a run that does not end; return its id."""
        job = self.defs.get_repository_def().get_implicit_global_asset_job_def()
        tags = dict(request.tags)
        if request.partition_key is not None:
            tags["dagster/partition"] = request.partition_key
        run = self.bench.instance.create_run_for_job(
            job,
            run_config=request.run_config,
            tags=tags,
            asset_selection=frozenset(request.asset_selection or ()),
            status=dg.DagsterRunStatus.STARTED,
        )
        return str(run.run_id)

    def shown(self, request: dg.RunRequest) -> dict[str, Any]:
        """Return a request without values that vary; the same run key has the same name."""
        tags = dict(request.tags)
        policies = json.loads(tags.pop("jammi/cache", "{}"))
        asked = tags.pop("jammi/request", None)
        return {
            "assets": [key.to_user_string() for key in request.asset_selection or ()],
            "partition": request.partition_key,
            "config": request.run_config,
            "cache": policies,
            "tags": tags,
            "key": self.bench.names.of("key", request.run_key),
            "request tag": self.bench.names.of("key", asked),
        }


def record(folder: Path) -> dict[str, Any]:
    """Return each scenario by its name."""
    found = {}
    with surroundings(folder) as instance:
        for scenario in SCENARIOS:
            found[scenario.__name__.strip("_")] = _recorded(scenario, folder, instance)
    return found


def _recorded(scenario: Callable[[Ticking], None], folder: Path, instance: dg.DagsterInstance) -> list[Any]:
    instance.wipe()
    clock = Clock()
    with mock.patch("time.time", clock):
        resources = {"elsewhere": dg.InMemoryIOManager()}  # type: ignore[no-untyped-call]
        bench = Bench(folder / f"ticks{scenario.__name__}", instance, resources=resources)
        ticking = Ticking(bench, clock)
        TEXT.write_text("abc")
        scenario(ticking)
        bench.store.close()
    return ticking.seen


def _diamond(version: str = "1", policy: CachePolicy | None = None) -> list[Any]:
    """Return assets over a file: a chain, a diamond below it, and a table apart."""

    @result_table(reads=[file(TEXT.absolute(), name="golden.txt")], code_version="1")
    def raw(config: Size) -> pa.Table:
        if TEXT.read_text() == "bad":
            raise ValueError("bad")
        return pa.table({"x": [TEXT.read_text()] * config.rows})

    @result_table(code_version=version)
    def first(raw: pa.Table) -> pa.Table:
        return pa.table({"x": [raw["x"][0].as_py()[0]]})

    @result_table(code_version="1", cache=policy)
    def left(first: pa.Table) -> pa.Table:
        return first

    @result_table(code_version="1")
    def right(first: pa.Table) -> pa.Table:
        return first

    @result_table(code_version="1", key_prefix=["deep"])
    def foot(left: pa.Table, right: pa.Table) -> pa.Table:
        return left

    @result_table(reads=[], code_version="1")
    def apart() -> pa.Table:
        return pa.table({"x": [0]})

    return [raw, first, left, right, foot, apart]


def _fresh(ticking: Ticking) -> None:
    ticking.bench.run(_diamond())
    ticking.watch(_diamond())
    for label in ("fresh", "again"):
        ticking.tick(label)


def _changed_code(ticking: Ticking) -> None:
    ticking.bench.run(_diamond())
    ticking.watch(_diamond("2"))
    ticking.tick("the same request twice")
    ticking.settle("changed")
    ticking.watch(_diamond("1"))
    ticking.settle("reverted")


def _changed_file(ticking: Ticking) -> None:
    ticking.bench.run(_diamond(), config={"raw": {"rows": 2}})
    ticking.watch(_diamond())
    ticking.tick("fresh")
    TEXT.write_text("axy")
    ticking.settle("what comes out is the same further down")
    TEXT.write_text("xyz")
    ticking.settle("everything differs")
    ticking.bench.run(_diamond(), select=["raw"], config={"raw": {"rows": 3}})
    ticking.settle("somebody made the first table otherwise")


def _bypass_of_the_author(ticking: Ticking) -> None:
    assets = _diamond(policy=CachePolicy.BYPASS)
    ticking.bench.run(assets)
    ticking.watch(assets)
    TEXT.write_text("axy")
    ticking.settle("changed")


def _report_only(ticking: Ticking) -> None:
    ticking.bench.run(_diamond())
    ticking.watch(_diamond(), cascade="report_only")
    TEXT.write_text("xyz")
    ticking.settle("report only")
    ticking.watch(_diamond(), cascade="downstream")
    ticking.settle("downstream")


def _target(ticking: Ticking) -> None:
    ticking.bench.run(_diamond())
    ticking.watch(_diamond(), target=["first", "left"])
    TEXT.write_text("xyz")
    ticking.settle("the change is above the target")
    ticking.watch(_diamond("2"), target=["first", "left"])
    ticking.settle("the change is in the target")


def _bytes_missing(ticking: Ticking) -> None:
    ticking.bench.run(_diamond())
    ticking.watch(_diamond())
    ticking.tick("fresh")
    (ticking.bench.root / ticking.bench.store.current("first").artifact_path).unlink()
    ticking.settle("gone")


def _missing(ticking: Ticking) -> None:
    ticking.watch(_diamond())
    ticking.tick("ignored")
    ticking.watch(_diamond(), missing="materialize")
    ticking.settle("materialized")


def _undecidable(ticking: Ticking) -> None:
    @result_table(code_version="1")
    def unpinned() -> pa.Table:
        return pa.table({"x": [1]})

    @result_table(code_version="1")
    def below(unpinned: pa.Table) -> pa.Table:
        return unpinned

    ticking.bench.run([unpinned, below])
    ticking.watch([unpinned, below])
    ticking.tick("reported")
    ticking.watch([unpinned, below], on_undecidable="materialize", retry_after_seconds=100)
    ticking.settle("materialized")
    ticking.clock.wait(50)
    ticking.tick("too early")
    ticking.clock.wait(51)
    ticking.settle("again")


def _failed_run(ticking: Ticking) -> None:
    ticking.bench.run(_diamond())
    ticking.watch(_diamond(), retry_after_seconds=1000)
    TEXT.write_text("bad")
    for request in ticking.tick("bad"):
        ticking.execute(request, ok=False)
    ticking.tick("at once")
    ticking.clock.wait(1001)
    for request in ticking.tick("after the first back-off"):
        ticking.execute(request, ok=False)
    ticking.clock.wait(1001)
    ticking.tick("before the second back-off is over")
    ticking.clock.wait(1001)
    ticking.tick("after the second back-off")
    TEXT.write_text("good")
    ticking.settle("mended")


def _in_flight(ticking: Ticking) -> None:
    ticking.bench.run(_diamond())
    ticking.watch(_diamond())
    TEXT.write_text("xyz")
    (request,) = ticking.tick("changed")
    run = ticking.in_flight(request)
    ticking.tick("in flight")
    ticking.bench.instance.delete_run(run)
    ticking.settle("the run is gone")


def _spread(version: str = "1") -> list[Any]:
    """Return assets of partitions, each over a file of its own, and two that gather them."""

    @result_table(
        partitions_def=letters,
        reads=lambda key: [file(Path(f"{key}.txt").absolute(), name=f"{key}.txt")],
        code_version="1",
    )
    def up(context: dg.AssetExecutionContext) -> pa.Table:
        return pa.table({"x": [Path(f"{context.partition_key}.txt").read_text()]})

    @result_table(partitions_def=letters, code_version=version)
    def down(up: pa.Table) -> pa.Table:
        return up

    @result_table(code_version="1")
    def gathered(down: dict[str, pa.Table]) -> pa.Table:
        return pa.concat_tables(down.values())

    @result_table(code_version="1")
    def last(gathered: pa.Table) -> pa.Table:
        return gathered

    return [up, down, gathered, last]


def _write(keys: Iterable[str], text: str) -> None:
    for key in keys:
        Path(f"{key}.txt").write_text(text)


def _waves(ticking: Ticking) -> None:
    _write("abcd", "1")
    ticking.watch(_spread(), missing="materialize")
    ticking.settle("cold")
    _write("bd", "2")
    ticking.settle("two files changed")


def _most_runs(ticking: Ticking) -> None:
    _write("abcd", "1")
    ticking.watch(_spread(), missing="materialize", max_runs_per_tick=2)
    ticking.settle("cold")


def _in_flight_partition(ticking: Ticking) -> None:
    _write("abcd", "1")
    ticking.watch(_spread(), missing="materialize")
    first, *_ = ticking.tick("cold")
    run = ticking.in_flight(first)
    ticking.tick("one is in flight")
    ticking.bench.instance.delete_run(run)


def _ranges(ticking: Ticking) -> None:
    ticking.bench.run(by_range(letters)[:1], span=("c", "c"))
    ticking.watch(by_range(letters), missing="materialize")
    ticking.settle("cold but for some")
    ticking.watch(by_range(letters, "2"))
    ticking.settle("changed")


def _running(ticking: Ticking) -> None:
    mapping = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)

    @result_table(partitions_def=days, reads=[], code_version="1")
    def daily(context: dg.AssetExecutionContext) -> pa.Table:
        return pa.table({"x": [context.partition_key]})

    @result_table(partitions_def=days, ins={"total": dg.AssetIn(partition_mapping=mapping)}, code_version="1")
    def total(daily: pa.Table, total: dict[str, pa.Table]) -> pa.Table:
        return pa.concat_tables([*total.values(), daily])

    ticking.watch([daily, total], missing="materialize")
    ticking.settle("cold")
    data = pa.table({"x": ["other"]})
    ticking.bench.store.materialize(
        "daily[2024-01-02]", data, descriptor={"producer": "library"}, env={}, inputs=[]
    )
    ticking.settle("a library made one day")


def _dynamic_partition(ticking: Ticking) -> None:
    @result_table(partitions_def=dynamic, reads=[], code_version="1")
    def grown(context: dg.AssetExecutionContext) -> pa.Table:
        return pa.table({"x": [context.partition_key]})

    @result_table(code_version="1")
    def gathered(grown: dict[str, pa.Table]) -> pa.Table:
        return pa.concat_tables(grown.values())

    instance = ticking.bench.instance
    instance.add_dynamic_partitions("golden_ticks", ["z"])
    ticking.watch([grown, gathered], missing="materialize")
    ticking.settle("one")
    instance.add_dynamic_partitions("golden_ticks", ["y"])
    ticking.settle("two")
    instance.delete_dynamic_partition("golden_ticks", "z")
    ticking.settle("one again")


def _outside(ticking: Ticking) -> None:
    @result_table(deps=["outside"], code_version="1")
    def of_outside() -> pa.Table:
        return pa.table({"x": [1]})

    @result_table(code_version="1")
    def below(of_outside: pa.Table) -> pa.Table:
        return of_outside

    assets = [dg.AssetSpec("outside"), of_outside, below]

    def report(version: str) -> None:
        event = dg.AssetMaterialization("outside", tags={"dagster/data_version": version})
        ticking.bench.instance.report_runless_asset_event(event)

    report("v1")
    ticking.bench.run(assets)
    ticking.watch(assets)
    ticking.tick("fresh")
    report("v1")
    ticking.tick("reported again")
    report("v2")
    ticking.settle("another version")


def _two_stores(ticking: Ticking) -> None:
    def made(version: str) -> list[Any]:
        @result_table(reads=[], code_version=version)
        def one() -> pa.Table:
            return pa.table({"x": [version]})

        @result_table(code_version="1", io_manager_key="second")
        def two(one: pa.Table) -> pa.Table:
            return one

        @result_table(code_version="1")
        def three(two: pa.Table) -> pa.Table:
            return two

        return [one, two, three]

    second = ResultStoreResource(root=f"{ticking.bench.root}_second")
    ticking.bench.resources["second"] = ResultTableIOManager(store=second)
    ticking.watch(made("1"), missing="materialize")
    ticking.settle("cold")
    ticking.watch(made("2"), missing="materialize")
    ticking.settle("changed")
    second.get().close()


def _other_io_manager(ticking: Ticking) -> None:
    @dg.asset(io_manager_key="elsewhere", code_version="1")
    def kept_elsewhere() -> int:
        return 3

    @dg.asset(code_version="1")
    def plain() -> pa.Table:
        return pa.table({"x": [1]})

    @result_table(code_version="1")
    def mixed(plain: pa.Table, kept_elsewhere: int) -> pa.Table:
        return plain

    ticking.watch([kept_elsewhere, plain, mixed], missing="materialize")
    for request in ticking.tick("cold"):
        assert dg.AssetKey("kept_elsewhere") not in (request.asset_selection or ())
    ticking.bench.run([kept_elsewhere, plain, mixed])
    ticking.tick("made")


def _schedule(ticking: Ticking) -> None:
    ticking.bench.run(_diamond())
    schedule = build_staleness_schedule("0 0 * * *")
    defs = ticking.bench.definitions(_diamond(), schedules=[schedule])
    repository = defs.get_repository_def()
    TEXT.write_text("xyz")
    with dg.instance_for_test() as instance:  # the context wants one that another process could open
        for day in (1, 2):
            at = datetime(2024, 1, day, tzinfo=timezone.utc)
            with dg.build_schedule_context(
                instance=instance, scheduled_execution_time=at, repository_def=repository
            ) as context:
                requests = schedule.evaluate_tick(context).run_requests or ()
            ticking.seen.append({"tick": f"day {day}", "requests": [ticking.shown(one) for one in requests]})


SCENARIOS = (
    _fresh,
    _changed_code,
    _changed_file,
    _bypass_of_the_author,
    _report_only,
    _target,
    _bytes_missing,
    _missing,
    _undecidable,
    _failed_run,
    _in_flight,
    _waves,
    _most_runs,
    _in_flight_partition,
    _ranges,
    _running,
    _dynamic_partition,
    _outside,
    _two_stores,
    _other_io_manager,
    _schedule,
)
