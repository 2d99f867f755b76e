"""`materialize_plan`: runs only for tables that compute, pointers and events for the others."""

import json
import pickle
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Held, Lab, note, table, taken
from stale_kit import of_dagster
from store_kit import collected

from jammi_dagster import (
    LaunchReport,
    Plan,
    build_staleness_sensor,
    materialize_plan,
    plan,
    result_table,
)
from jammi_dagster.adapters.launching.reuses import Reuses
from jammi_dagster.errors import InvalidField, LaunchRefused, PlanOutdated
from jammi_dagster.surfaces import file

letters = dg.StaticPartitionsDefinition(["a", "b"])
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}  # a quarter of a run's time
TABLES = ["source", "by_letter[a]", "by_letter[b]", "total"]


def pipeline(lab: Lab, version: str = "1", rows: int = 1) -> dg.Definitions:
    """A source, a table of it by letter, and a total over all letters."""

    @result_table(reads=[], code_version=version)
    def source() -> pa.Table:
        note("source")
        return table(rows)

    @result_table(partitions_def=letters, code_version="1")
    def by_letter(context: dg.AssetExecutionContext, source: pa.Table) -> pa.Table:
        note(context.partition_key)
        return source

    @result_table(code_version="1")
    def total(by_letter: dict[str, pa.Table]) -> pa.Table:
        note("total")
        return pa.concat_tables(by_letter.values())

    return dg.Definitions(assets=[source, by_letter, total], resources=lab.resources)


def pair(lab: Lab, version: str = "1") -> dg.Definitions:
    """A source and a table of it, which one run makes."""

    @result_table(reads=[], code_version=version)
    def source() -> pa.Table:
        return table(version)

    @result_table(code_version="1")
    def below(source: pa.Table) -> pa.Table:
        return source

    return dg.Definitions(assets=[source, below], resources=lab.resources)


def planned(lab: Lab, defs: dg.Definitions, *arguments: Any, **more: Any) -> Plan:
    return plan(defs, *arguments, instance=lab.instance, **{"run_config": QUIET, **more})


def launch(lab: Lab, defs: dg.Definitions, *arguments: Any, **more: Any) -> LaunchReport:
    return materialize_plan(planned(lab, defs, *arguments, **more), instance=lab.instance)


def seen_by_dagster(lab: Lab, defs: dg.Definitions) -> set[str]:
    """Dagster's own verdicts on the tables of the pipeline."""
    asked = [("source", None), ("by_letter", "a"), ("by_letter", "b"), ("total", None)]
    return {of_dagster(defs, lab.instance, key, partition) for key, partition in asked}


def test_a_first_launch_takes_its_turns_and_an_unchanged_one_is_not_even_a_run(lab: Lab) -> None:
    """Each run waits for the runs of its inputs. Then nothing runs, moves or is told."""
    defs = pipeline(lab)
    taken()
    report = launch(lab, defs)
    assert taken() == ["source", "a", "b", "total"]
    assert list(report.requested) == TABLES
    assert len(report.runs) == 4
    assert (report.exit_code, report.reused, report.skipped) == (0, [], {})
    before = lab.instance.get_runs_count(), lab.store.revision()
    again = launch(lab, defs)
    assert (again.runs, again.moved, again.told, again.reused) == ([], [], [], TABLES)
    assert (lab.instance.get_runs_count(), lab.store.revision()) == before
    assert seen_by_dagster(lab, defs) == {"FRESH"}


def test_a_revert_moves_pointers_and_tells_dagster(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a run, nothing is stale for Dagster. A launch that died in between is made good; nothing is told twice.

    Before it: a source that came out as before, so that the tables of later runs are reused without one.
    """
    first, second = pipeline(lab), pipeline(lab, "2")
    launch(lab, first)
    taken()
    cutoff = launch(lab, second)
    assert (taken(), list(cutoff.requested), cutoff.reused) == (["source"], ["source"], TABLES[1:])
    assert seen_by_dagster(lab, second) == {"FRESH"}

    launch(lab, pipeline(lab, "3", rows=2))
    runs = lab.instance.get_runs_count()
    report_event, left = lab.instance.report_runless_asset_event, iter([True, True])

    def die(event: Any) -> None:
        if next(left, None) is None:
            raise OSError("the process was killed")
        report_event(event)

    with monkeypatch.context() as patched:
        patched.setattr(lab.instance, "report_runless_asset_event", die)
        with pytest.raises(OSError, match="killed"):
            launch(lab, first)
    report = launch(lab, first)
    assert (report.runs, report.moved, report.told) == ([], [], TABLES[2:])
    assert report.reused == TABLES
    assert lab.instance.get_runs_count() == runs
    assert lab.store.read("total") == pa.concat_tables([table(1), table(1)])
    assert seen_by_dagster(lab, first) == {"FRESH"}
    assert launch(lab, first).told == []


def test_a_table_that_is_collected_before_it_is_told_is_not_told(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pointer had moved; the launch goes on, and the next one makes it again."""
    launch(lab, pair(lab))
    launch(lab, pair(lab, "2"))
    point = Reuses._point

    def point_and_drop(*given: Any) -> Any:
        stayed = point(*given)
        collected(lab.store, "source")
        return stayed

    with monkeypatch.context() as patched:
        patched.setattr(Reuses, "_point", point_and_drop)
        report = launch(lab, pair(lab))

    assert (report.runs, report.moved, report.told) == ([], ["source", "below"], ["below"])
    assert "source" in launch(lab, pair(lab)).requested


def days(lab: Lab, number: int, policy: dg.BackfillPolicy | None, version: str = "1") -> dg.Definitions:
    """A table for each of some days, and another one of it."""
    partitions = dg.StaticPartitionsDefinition([f"day-{i:03}" for i in range(number)])

    @result_table(partitions_def=partitions, reads=[], code_version=version, backfill_policy=policy)
    def day(context: dg.AssetExecutionContext) -> Any:
        made = {key: table(key) for key in context.partition_keys}
        return made if len(made) > 1 else made[context.partition_keys[0]]

    @result_table(partitions_def=partitions, code_version="1", backfill_policy=policy)
    def after(context: dg.AssetExecutionContext, day: Any) -> Any:
        return day

    return dg.Definitions(assets=[day, after], resources=lab.resources)


SINGLE, MULTI = dg.BackfillPolicy.single_run(), dg.BackfillPolicy.multi_run(4)


@pytest.mark.parametrize(("policy", "ranges"), [(SINGLE, [6]), (MULTI, [4, 2])], ids=["single", "multi"])
def test_ranges_are_as_the_backfill_policy_has_them(lab: Lab, policy: Any, ranges: list[int]) -> None:
    """One run a range, and afterwards none; a range that was made together is not cut."""
    defs = days(lab, 6, policy)
    report = launch(lab, defs)
    sizes = [sum(run == one for run in report.requested.values()) // 2 for one in report.runs]
    assert sizes == ranges
    again = launch(lab, defs)
    assert (again.runs, len(again.reused)) == ([], 12)
    part = launch(lab, defs, "day", ["day-001", "day-002"])
    assert list(part.requested) == ["day[day-001]", "day[day-002]"]
    assert len(part.runs) == 1


@pytest.mark.slow
def test_a_year_of_unchanged_days_is_no_run(lab: Lab) -> None:
    """365 days are one run, and none when nothing changed; an instance that does not know them is told."""
    defs = days(lab, 365, SINGLE)
    assert len(launch(lab, defs, "day").runs) == 1
    again = launch(lab, defs, "day")
    assert (again.runs, again.told, len(again.reused)) == ([], [], 365)
    with dg.DagsterInstance.ephemeral() as instance:
        other = Lab(lab.root, instance)
        assert len(launch(other, defs, "day").told) == 365
        assert launch(other, defs, "day").told == []
        assert of_dagster(defs, instance, "day", "day-364") == "FRESH"


def checked(lab: Lab, version: str, *, blocking: bool, passes: bool = True) -> dg.Definitions:
    """A table with a check of its own, and one below."""
    spec = dg.AssetCheckSpec("positive", asset="checked", blocking=blocking)

    @result_table(reads=[], code_version=version, check_specs=[spec], name="checked")
    def made() -> dg.MaterializeResult[pa.Table]:
        result = dg.AssetCheckResult(check_name="positive", passed=passes, description=f"seen in {version}")
        return dg.MaterializeResult(value=table(version), check_results=[result])

    @result_table(code_version="1")
    def below(checked: pa.Table) -> pa.Table:
        return checked

    return dg.Definitions(assets=[made, below], resources=lab.resources)


def last_check(lab: Lab) -> tuple[bool, str | None, bool]:
    """The last evaluation: passed, description, and if it is of the last materialization."""
    key = dg.AssetCheckKey(dg.AssetKey("checked"), "positive")
    record = lab.instance.get_latest_asset_check_evaluation_record(key)
    assert record is not None
    assert record.event is not None
    event = record.event.asset_check_evaluation
    assert event is not None
    last = lab.instance.fetch_materializations(key.asset_key, limit=1).records[0]
    of = event.target_materialization_data
    return event.passed, event.description, of is not None and of.storage_id == last.storage_id


def test_recorded_checks_are_told_with_the_materialization(lab: Lab) -> None:
    """A failed check that blocks nothing is told as it was."""
    launch(lab, checked(lab, "1", blocking=False, passes=False))
    launch(lab, checked(lab, "2", blocking=False))
    assert last_check(lab) == (True, "seen in 2", True)
    report = launch(lab, checked(lab, "1", blocking=False, passes=False))
    assert (report.runs, report.told) == ([], ["checked", "below"])
    assert last_check(lab) == (False, "seen in 1", True)


def test_a_failed_blocking_check_goes_to_a_run(lab: Lab) -> None:
    """The run fails it again, and nothing downstream is made."""
    bad = checked(lab, "1", blocking=True, passes=False)
    first = launch(lab, bad)
    assert (first.exit_code, first.failed, len(first.runs)) == (1, first.runs, 1)
    launch(lab, checked(lab, "2", blocking=True))
    below = lab.store.current("below").materialization_id
    report = launch(lab, bad)
    assert (list(report.requested), report.failed, report.moved) == (["checked"], report.runs, [])
    assert report.failing == ["below"]
    assert "checked" in report.skipped["below"]
    assert lab.store.current("below").materialization_id == below


def test_a_blocking_check_of_its_own_step_stands_between(lab: Lab) -> None:
    """It looks at each table that becomes current, and before anything downstream is made; else no run is needed."""
    passing = {"is": True}

    def definitions(version: str, after: str = "1") -> dg.Definitions:
        @result_table(reads=[], code_version=version)
        def first() -> pa.Table:
            return table(version)

        @result_table(code_version="1")
        def second(first: pa.Table) -> pa.Table:
            return first

        @result_table(code_version=after)
        def third(second: pa.Table) -> pa.Table:
            return second

        @dg.asset_check(asset=first, blocking=True)
        def guard() -> dg.AssetCheckResult:
            return dg.AssetCheckResult(passed=passing["is"])

        return dg.Definitions(assets=[first, second, third], asset_checks=[guard], resources=lab.resources)

    launch(lab, definitions("1"))
    assert launch(lab, definitions("1")).runs == []
    launch(lab, definitions("2"))
    assert list(launch(lab, definitions("1")).requested) == ["first"]
    report = launch(lab, definitions("1", after="2"))
    assert sorted(report.requested) == ["first", "second", "third"]
    made = lab.store.current("third").materialization_id
    passing["is"] = False
    failed = launch(lab, definitions("1", after="3"))
    assert failed.failed == failed.runs != []
    assert lab.store.current("third").materialization_id == made


def test_tables_that_a_run_is_making_are_left_to_it(lab: Lab) -> None:
    """No second run, no pointer below the first one's feet, and whatever reads them waits."""
    defs = pair(lab)
    job = defs.resolve_implicit_global_asset_job_def().get_subset(asset_selection={dg.AssetKey("source")})
    run = lab.instance.create_run_for_job(
        job, asset_selection={dg.AssetKey("source")}, status=dg.DagsterRunStatus.STARTED
    )
    report = launch(lab, defs)
    assert (report.runs, report.reused, report.waiting) == ([], [], ["below"])
    assert report.skipped["source"] == "a run that is under way makes it"
    assert report.exit_code == 2
    lab.instance.report_run_failed(run)
    assert sorted(launch(lab, defs).requested) == ["below", "source"]


def test_a_saved_plan_is_launched_once_and_goes_on_where_it_ended(lab: Lab) -> None:
    """Its own runs and reuses make it no other; anything else that moved is named."""
    defs = pair(lab)
    whole = planned(lab, defs)
    saved = json.loads(json.dumps(whole.to_dict()))
    with pytest.raises(InvalidField, match="definitions"):
        materialize_plan(saved, instance=lab.instance)
    assert len(materialize_plan(saved, defs, instance=lab.instance).runs) == 1
    again = materialize_plan(whole, instance=lab.instance)
    assert (again.runs, list(again.skipped), again.exit_code) == ([], ["source", "below"], 0)
    assert "of this plan" in again.skipped["below"]
    part = planned(lab, defs, "below")
    launch(lab, pair(lab, "2"), "source")
    with pytest.raises(PlanOutdated, match="table source"):
        materialize_plan(saved, defs, instance=lab.instance)
    with pytest.raises(PlanOutdated, match="input source"):
        materialize_plan(part, instance=lab.instance)
    revert = planned(lab, defs)
    assert materialize_plan(revert, instance=lab.instance).moved == ["source"]
    assert materialize_plan(revert, instance=lab.instance).told == []
    with pytest.raises(PlanOutdated, match="code source"):
        materialize_plan(revert, pair(lab, "3"), instance=lab.instance)
    assert pickle.loads(pickle.dumps(revert)) == revert


def test_a_plan_for_another_deployment_than_the_runs_write_to_is_refused(lab: Lab) -> None:
    with pytest.raises(LaunchRefused, match="deployment branch"):
        launch(lab, pair(lab), deployment="branch")


def test_assets_of_others_take_their_turn(lab: Lab) -> None:
    """An asset of another IO manager runs as planned, after the tables that it reads and before those that read it."""
    lab.more = {"memory": Held()}

    @result_table(reads=[], partitions_def=letters, code_version="1")
    def part(context: dg.AssetExecutionContext) -> pa.Table:
        note(context.partition_key)
        return table(1)

    @dg.op(config_schema={"add": int}, out=dg.Out(io_manager_key="memory"))
    def counted(context: dg.OpExecutionContext, part: dict[str, pa.Table]) -> int:
        note("other")
        return len(part) + context.op_config["add"]

    @dg.graph_asset
    def other(part) -> int:
        return counted(part)

    @result_table
    def last(other: int) -> pa.Table:
        note("last")
        return table(other)

    defs = dg.Definitions(assets=[part, other, last], resources=lab.resources)
    config = {**QUIET, "ops": {"other": {"ops": {"counted": {"config": {"add": 3}}}}}}
    taken()
    assert launch(lab, defs, run_config=config).exit_code == 0
    assert taken() == ["a", "b", "other", "last"]
    assert list(launch(lab, defs, run_config=config).requested) == ["other", "last"]


def test_a_failure_and_a_missing_input_keep_only_what_is_below(lab: Lab, tmp_path: Any) -> None:
    """The rest is made; both are named with their reason, and count as errors."""

    @result_table(reads=[file(tmp_path / "gone.csv")])
    def missing() -> pa.Table:
        return table(1)

    @result_table(reads=[], partitions_def=letters)
    def broken(context: dg.AssetExecutionContext) -> pa.Table:
        if context.partition_key == "b":
            raise ValueError("no such letter")
        return table(1)

    @result_table
    def below(broken: dict[str, pa.Table]) -> pa.Table:
        return table(2)

    @result_table(reads=[])
    def fine() -> pa.Table:
        return table(3)

    defs = dg.Definitions(assets=[missing, broken, below, fine], resources=lab.resources)
    report = launch(lab, defs)
    assert sorted(report.requested) == ["broken[a]", "broken[b]", "fine"]
    assert report.failed == [report.requested["broken[b]"]]
    assert sorted(report.failing) == ["below", "missing"]
    assert "gone.csv is not there" in report.skipped["missing"]
    assert report.exit_code == 1
    assert lab.store.current("fine")


def test_runs_get_their_part_of_the_config_and_the_tags(lab: Lab) -> None:
    """Config of ops and resources that a run does not have would be refused by Dagster."""

    class Scale(dg.ConfigurableResource):
        factor: int

    class Size(dg.Config):
        rows: int = 1

    @result_table(reads=[], code_version="1")
    def scaled(config: Size, scale: Scale) -> pa.Table:
        return table(*[scale.factor] * config.rows)

    @result_table(partitions_def=letters, code_version="1")
    def part(scaled: pa.Table) -> pa.Table:
        return scaled

    lab.more = {"scale": Scale.configure_at_launch()}
    defs = dg.Definitions(assets=[scaled, part], resources=lab.resources)
    config = {
        **QUIET,
        "ops": {"scaled": {"config": {"rows": 2}}},
        "resources": {"scale": {"config": {"factor": 3}}},
    }
    report = launch(lab, defs, run_config=config, tags={"team": "one", "jammi/cache": "bypass"})
    assert (len(report.runs), report.failed) == (3, [])
    assert lab.store.read("scaled") == table(3, 3)
    run = lab.instance.get_run_by_id(report.runs[0])
    assert run is not None
    assert run.tags["team"] == "one"
    assert run.tags["jammi/why"] == "scaled: cache=bypass"
    assert launch(lab, defs, run_config=config).runs == []


def test_a_tick_of_the_sensor_moves_no_pointer(lab: Lab) -> None:
    """It only requests: after a revert the run that it asks for is the one that reuses."""
    launch(lab, pair(lab))
    launch(lab, pair(lab, "2"))
    before = lab.store.revision(), lab.store.current("source").materialization_id
    sensor = build_staleness_sensor(target="*")
    repository = pair(lab).get_repository_def()
    with dg.build_sensor_context(instance=lab.instance, repository_def=repository) as context:
        asked = sensor(context)
    assert isinstance(asked, dg.SensorResult)
    assert asked.run_requests
    assert (lab.store.revision(), lab.store.current("source").materialization_id) == before


@pytest.fixture
def on_disk(lab: Lab) -> Iterator[Lab]:
    """The same on Dagster's SQLite storages."""
    with dg.instance_for_test() as instance:
        yield Lab(lab.root, instance)


def test_a_table_that_another_instance_made_is_told_to_this_one(lab: Lab, on_disk: Lab) -> None:
    """The store knows it, Dagster does not: no run, one event, and Dagster's verdict is fresh."""
    launch(lab, pair(lab))
    report = launch(on_disk, pair(on_disk))
    assert (report.runs, report.moved, report.told) == ([], [], ["source", "below"])
    assert {of_dagster(pair(on_disk), on_disk.instance, key) for key in ("source", "below")} == {"FRESH"}
    assert launch(on_disk, pair(on_disk)).told == []
