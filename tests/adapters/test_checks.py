"""Checks and the automation condition say of tables what staleness and verification say."""

import time
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pyarrow as pa
from adapters_kit import Lab, table
from sensing_kit import definitions

from jammi_dagster import (
    StaleMaterialization,
    build_materialization_checks,
    build_staleness_check_schedule,
    build_staleness_sensor,
    plan,
    result_table,
)

letters = dg.StaticPartitionsDefinition(["a", "b"])
CONSOLE = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def pipeline(version: str = "1", **more: Any) -> list[Any]:
    @result_table(reads=[], code_version=version, partitions_def=letters, **more)
    def part(context: dg.AssetExecutionContext) -> pa.Table:
        return table(context.partition_key, version)

    @result_table(code_version="1", **more)
    def whole(part: dict[str, pa.Table]) -> pa.Table:
        return table(*part)

    @result_table(code_version="1")
    def unpinned() -> pa.Table:
        return table(1)

    return [part, whole, unpinned]


def made(lab: Lab) -> list[Any]:
    assets = pipeline()
    for letter in "ab":
        lab.run(assets, select=[assets[0]], partition=letter)
    lab.run(assets, select=assets[1:])
    return assets


def checked(lab: Lab, assets: list[Any], **options: Any) -> dict[tuple[str, str], Any]:
    """The evaluation of each check, by asset and name."""
    made: list[dg.Definitions] = []  # in process Dagster does not say which definitions a run belongs to
    checks = build_materialization_checks(assets, defs=lambda: made[0], **options)
    job = dg.define_asset_job("checks", selection=dg.AssetSelection.all_asset_checks())
    made.append(definitions(lab, assets, asset_checks=checks, jobs=[job]))
    result = made[0].resolve_job_def("checks").execute_in_process(instance=lab.instance, run_config=CONSOLE)
    return {(e.asset_key.to_user_string(), e.check_name): e for e in result.get_asset_check_evaluations()}


def test_fresh_tables_pass_and_undecidable_ones_warn(lab: Lab) -> None:
    """All partitions count in one check; what has no version to compare is a warning, not an error."""
    found = checked(lab, made(lab))
    assert {key: e.passed for key, e in found.items()} == {
        ("part", "jammi_staleness"): True,
        ("part", "jammi_verification"): True,
        ("whole", "jammi_staleness"): True,
        ("whole", "jammi_verification"): True,
        ("unpinned", "jammi_staleness"): False,
        ("unpinned", "jammi_verification"): True,
    }
    assert found["unpinned", "jammi_staleness"].severity is dg.AssetCheckSeverity.WARN
    assert found["part", "jammi_staleness"].metadata["jammi/verdicts"].value == {"fresh": 2}


def test_stale_tables_fail_with_both_sides(lab: Lab) -> None:
    """Verdict, reasons, and the recorded beside the current value of each."""
    made(lab)
    assets = pipeline("2")
    found = checked(lab, assets)[("part", "jammi_staleness")]
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.ERROR)
    rows = [record.data for record in found.metadata["jammi/not_fresh"].records]
    assert [row["table"] for row in rows] == ["part[a]", "part[b]"]
    assert rows[0]["recorded"] == lab.store.current("part[a]").definition_hash != rows[0]["current"]


def test_altered_bytes_fail_the_verification(lab: Lab) -> None:
    """In full, every table is read; in a sample, as many as asked for."""
    assets = made(lab)
    path = lab.root / lab.store.current("part[b]").artifact_path
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    found = checked(lab, assets, verification="full")[("part", "jammi_verification")]
    assert (found.passed, list(found.metadata["jammi/not_as_recorded"].value)) == (False, ["part[b]"])
    sampled = checked(lab, assets, sample=1)[("part", "jammi_verification")]
    assert sampled.metadata["jammi/verified"].value == 1


def test_blocking_checks_run_with_the_asset_on_its_partition(lab: Lab) -> None:
    """What is downstream runs after they have passed."""
    assets = pipeline()
    checks = build_materialization_checks(assets[:1], blocking=True)
    result = dg.materialize(
        [*assets, *checks],
        selection=[assets[0]],
        instance=lab.instance,
        resources=lab.resources,
        partition_key="a",
        run_config=CONSOLE,
    )
    found = {e.check_name: e for e in result.get_asset_check_evaluations()}
    assert found["jammi_staleness"].passed
    assert found["jammi_staleness"].metadata["jammi/verdicts"].value == {"fresh": 1}
    assert found["jammi_staleness"].blocking


def test_a_check_says_when_it_looked_and_a_schedule_looks_again(lab: Lab) -> None:
    """Beside its own asset it says that a later change shows later; the schedule runs that check alone."""
    assets = pipeline()[:1]
    made: list[dg.Definitions] = []
    checks = build_materialization_checks(assets, defs=lambda: made[0])
    schedule = build_staleness_check_schedule("0 * * * *", assets)
    made.append(definitions(lab, assets, asset_checks=checks, schedules=[schedule]))
    began = time.time()

    def looked(result: Any) -> Any:
        assert result.success
        (found,) = [e for e in result.get_asset_check_evaluations() if e.check_name == "jammi_staleness"]
        assert began - 1 <= found.metadata["jammi/looked_at"].value <= time.time()
        return found

    whole = made[0].resolve_implicit_global_asset_job_def()
    beside = looked(whole.execute_in_process(instance=lab.instance, partition_key="a", run_config=CONSOLE))
    assert "UTC, in the run that made them; a later change shows once it looks again." in beside.description
    with dg.build_schedule_context(lab.instance, repository_def=made[0].get_repository_def()) as context:
        (request,) = schedule.evaluate_tick(context).run_requests or ()
    job = made[0].resolve_job_def("staleness_checks")
    result = job.execute_in_process(instance=lab.instance, run_config=CONSOLE, tags=dict(request.tags))
    again = looked(result)
    assert again.description.endswith(" UTC.")
    assert (len(result.get_asset_check_evaluations()), result.get_asset_materialization_events()) == (1, [])


def test_the_condition_is_true_for_stale_partitions(lab: Lab) -> None:
    """And for those only; nothing is asked of what is fresh."""
    made(lab)

    def requested(version: str) -> dict[str, int]:
        assets = pipeline(version, automation_condition=StaleMaterialization())
        result = dg.evaluate_automation_conditions(definitions(lab, assets), lab.instance)
        return {name: result.get_num_requested(dg.AssetKey(name)) for name in ("part", "whole")}

    assert requested("1") == {"part": 0, "whole": 0}
    assert requested("2") == {"part": 2, "whole": 0}


def test_a_check_over_several_assets_that_may_not_be_cut_is_no_obstacle(lab: Lab) -> None:
    """Each of its assets is judged and planned alone, with a config too; a tick does not touch the check."""

    class Size(dg.Config):
        rows: int = 1

    @result_table(reads=[], code_version="1")
    def first(config: Size) -> pa.Table:
        return table(config.rows)

    @result_table(reads=[], code_version="1")
    def second() -> pa.Table:
        return table(2)

    specs = [dg.AssetCheckSpec("one", asset="first"), dg.AssetCheckSpec("two", asset="second")]

    @dg.multi_asset_check(specs=specs)
    def both() -> Iterator[dg.AssetCheckResult]:
        yield dg.AssetCheckResult(asset_key="first", check_name="one", passed=True)
        yield dg.AssetCheckResult(asset_key="second", check_name="two", passed=True)

    lab.run([first, second])
    defs = dg.Definitions([first, second], asset_checks=[both], resources=lab.resources)
    assert plan(defs, "first", instance=lab.instance).counts == {"reuse": 1}
    sensor = build_staleness_sensor(name="s")
    with dg.build_sensor_context(lab.instance, repository_def=defs.get_repository_def()) as context:
        result = sensor(context)
    assert isinstance(result, dg.SensorResult)
    assert result.skip_reason is not None
    assert str(result.skip_reason.skip_message).startswith("2 fresh")
