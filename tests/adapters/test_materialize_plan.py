"""`materialize_plan`: runs only for tables that compute, pointers and events for the others."""

from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, table, taken
from stale_kit import of_dagster

from jammi_dagster import (
    LaunchReport,
    Plan,
    materialize_plan,
    plan,
    result_table,
)
from jammi_dagster.errors import InvalidField, PlanOutdated

letters = dg.StaticPartitionsDefinition(["a", "b"])
DAYS = dg.DailyPartitionsDefinition("2023-01-01", end_date="2024-01-01")


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
        return table(*(rows for rows in by_letter))

    return dg.Definitions(assets=[source, by_letter, total], resources=lab.resources)


QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}  # a quarter of a run's time


def planned(lab: Lab, defs: dg.Definitions, *arguments: Any, **more: Any) -> Plan:
    return plan(defs, *arguments, instance=lab.instance, **{"run_config": QUIET, **more})


def launch(lab: Lab, defs: dg.Definitions, *arguments: Any, **more: Any) -> LaunchReport:
    return materialize_plan(planned(lab, defs, *arguments, **more), instance=lab.instance)


def statuses(lab: Lab, defs: dg.Definitions) -> set[str]:
    """Dagster's own view of all tables."""
    asked = [("source", None), ("by_letter", "a"), ("by_letter", "b"), ("total", None)]
    return {of_dagster(defs, lab.instance, key, partition) for key, partition in asked}


def test_a_first_launch_makes_everything_in_its_turn(lab: Lab) -> None:
    """Partitions need runs of their own, and each run waits for the runs of its inputs."""
    taken()
    report = launch(lab, pipeline(lab))
    assert taken() == ["source", "a", "b", "total"]
    assert len(report.runs) == 4
    assert report.requested.keys() == {"source", "by_letter[a]", "by_letter[b]", "total"}
    assert (report.exit_code, report.reused, report.skipped) == (0, [], {})
    assert statuses(lab, pipeline(lab)) == {"FRESH"}


def test_an_unchanged_launch_is_not_even_a_run(lab: Lab) -> None:
    """Nothing runs, moves or is told."""
    defs = pipeline(lab)
    launch(lab, defs)
    before = lab.instance.get_runs_count(), lab.store.revision()
    report = launch(lab, defs)
    assert (report.runs, report.moved, report.told) == ([], [], [])
    assert report.reused == ["source", "by_letter[a]", "by_letter[b]", "total"]
    assert (lab.instance.get_runs_count(), lab.store.revision()) == before


def test_a_revert_moves_pointers_and_tells_dagster(lab: Lab) -> None:
    """No run: after it, nothing of it is stale for Dagster; a second launch tells nothing."""
    first, second = pipeline(lab), pipeline(lab, "2", rows=2)
    launch(lab, first)
    old = lab.store.current("source").materialization_id
    launch(lab, second)
    runs = lab.instance.get_runs_count()
    report = launch(lab, first)
    assert (lab.instance.get_runs_count(), report.runs) == (runs, [])
    assert report.moved == report.told == report.reused == ["source", "by_letter[a]", "by_letter[b]", "total"]
    assert lab.store.current("source").materialization_id == old
    assert statuses(lab, first) == {"FRESH"}
    assert launch(lab, first).told == []


def daily(lab: Lab, version: str = "1", policy: dg.BackfillPolicy | None = None) -> dg.Definitions:
    """A year of days, and a table of each."""

    @result_table(partitions_def=DAYS, reads=[], code_version=version, backfill_policy=policy)
    def day(context: dg.AssetExecutionContext) -> Any:
        note(len(context.partition_keys))
        made = {key: table(key) for key in context.partition_keys}
        return made if len(made) > 1 else made[context.partition_keys[0]]

    return dg.Definitions(assets=[day], resources=lab.resources)


@pytest.mark.parametrize(
    ("policy", "most"), [(dg.BackfillPolicy.single_run(), 365), (dg.BackfillPolicy.multi_run(200), 200)]
)
def test_a_year_of_days_runs_in_ranges_and_then_not_at_all(
    lab: Lab, policy: dg.BackfillPolicy, most: int
) -> None:
    """One run a range, as the backfill policy allows; unchanged days are no run, one missing day is one."""
    defs = daily(lab, policy=policy)
    taken()
    launch(lab, defs)
    assert taken() == ([365] if most == 365 else [200, 165])
    assert len(launch(lab, defs).reused) == 365
    assert taken() == []
