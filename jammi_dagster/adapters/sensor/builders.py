"""Builders of the staleness sensor, and of the schedule that does the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import dagster as dg

from jammi_dagster.adapters.code_location.location import Target, selection_of
from jammi_dagster.adapters.sensor.requests_of_tick import Cascade, OnUndecidable, Options
from jammi_dagster.adapters.sensor.tick import Ticker


def build_staleness_sensor(
    *,
    name: str = "staleness_sensor",
    target: Target = "*",
    cascade: Cascade = "downstream",
    on_undecidable: OnUndecidable = "report",
    missing: Literal["ignore", "materialize"] = "ignore",
    max_runs_per_tick: int = 10,
    retry_after_seconds: float = 600.0,
    max_seconds_per_tick: float = 30.0,
    minimum_interval_seconds: int | None = None,
    default_status: dg.DefaultSensorStatus = dg.DefaultSensorStatus.STOPPED,
    description: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> dg.SensorDefinition:
    """Build a sensor that makes the target's stale result tables again, and says why.

    Each tick compares every table with the definition and the inputs of now. A stale table is requested under its own
    cache policy: with `use`, the stored result of a revert is reused. With `cascade="downstream"` the tables that
    derive from it are requested too, and reused where their inputs come out the same; with `report_only` they are only
    reported, and a request is made for a change of code, config, an external input, or for bytes that are gone. A table
    that cannot share a run with its inputs is requested after they landed.

    - `on_undecidable="materialize"` also requests tables with inputs that have no version, though no change is known,
      and computes them: at most every `retry_after_seconds`.
    - `missing="materialize"` also requests tables that are defined and were never materialized.
    - A request that failed, or left its table stale, is repeated after `retry_after_seconds`, then after twice that,
      and so on to a day, or as soon as something changes.
    - A tick that has not judged all tables after about `max_seconds_per_tick` makes its requests, and the next tick
      goes on; Dagster ends a tick after 60 seconds. The sensor rests when all tables were judged and nothing moved.

    Assets on other IO managers are never requested. Raises `InvalidTarget`, and `InvalidField` for no runs per tick.
    """
    selection = selection_of(target)
    options = Options(
        target=selection,
        cascade=cascade,
        on_undecidable=on_undecidable,
        missing=missing,
        max_runs=max_runs_per_tick,
        retry_after=retry_after_seconds,
        most_seconds=max_seconds_per_tick,
    )
    ticker = Ticker(name, options)
    return dg.SensorDefinition(
        name=name,
        evaluation_fn=lambda context: _evaluate(ticker, context),
        asset_selection=selection,
        minimum_interval_seconds=minimum_interval_seconds,
        default_status=default_status,
        description=description or "Makes stale result tables again, and the tables that derive from them.",
        tags=tags,
    )


def _evaluate(ticker: Ticker, context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Tick, and hand the outcome to Dagster."""
    repository = context.repository_def
    assert repository is not None, "a sensor is evaluated in its code location"
    tick = ticker.tick(repository, context.instance, context.cursor)
    context.log.info(tick.said)
    return dg.SensorResult(
        run_requests=tick.requests,
        skip_reason=None if tick.requests else tick.said,
        cursor=tick.cursor.dump(),
    )


def build_staleness_schedule(
    cron_schedule: str,
    *,
    name: str = "staleness_schedule",
    target: Target = "*",
    cascade: Cascade = "downstream",
    on_undecidable: OnUndecidable = "report",
    missing: Literal["ignore", "materialize"] = "ignore",
    max_runs_per_tick: int = 10,
    max_seconds_per_tick: float = 30.0,
    execution_timezone: str | None = None,
    default_status: dg.DefaultScheduleStatus = dg.DefaultScheduleStatus.STOPPED,
    description: str | None = None,
) -> dg.ScheduleDefinition:
    """Build a schedule that does the same as `build_staleness_sensor`, at the times of a cron schedule.

    A schedule remembers nothing from one tick to the next: a table whose run failed, or that waits for another run, is
    requested by the next tick. Each tick begins with the first table, so prefer the sensor for a catalog that is too
    large for one tick. Raises `InvalidTarget`, and `InvalidField` for no runs per tick.
    """
    selection = selection_of(target)
    options = Options(
        target=selection,
        cascade=cascade,
        on_undecidable=on_undecidable,
        missing=missing,
        max_runs=max_runs_per_tick,
        most_seconds=max_seconds_per_tick,
    )
    ticker = Ticker(name, options)

    def evaluate(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        repository = context.repository_def
        assert repository is not None, "a schedule is evaluated in its code location"
        # run keys of one tick alone: a run that failed may be requested again at the next
        at = context.scheduled_execution_time.isoformat()
        tick = ticker.tick(repository, context.instance, key_prefix=f"{at} ")
        context.log.info(tick.said)
        if not tick.requests:
            yield dg.SkipReason(tick.said)
        yield from tick.requests

    return dg.ScheduleDefinition(
        name=name,
        cron_schedule=cron_schedule,
        execution_fn=evaluate,
        target=selection,
        execution_timezone=execution_timezone,
        default_status=default_status,
        description=description or "Makes stale result tables again, and the tables that derive from them.",
    )
