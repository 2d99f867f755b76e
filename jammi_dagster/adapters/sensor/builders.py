"""The staleness sensor, and the schedule that does the same."""

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
    """A sensor that makes again what is stale among the target's result tables, and says why.

    Each tick compares every table with the definition and the inputs of now. One that is stale for certain is requested
    to be computed; under `cascade="downstream"` so is what derives from it, to be reused where its inputs turn out the
    same. `report_only` requests what changed itself (code, config, an external input, bytes that are gone), and only
    reports what derives from it. What cannot share a run is requested when what it waits for has landed.

    - `on_undecidable="materialize"` also requests tables of which nothing is known to have changed, but whose inputs
      have no version: at most every `retry_after_seconds`.
    - `missing="materialize"` also requests tables that are defined and were never materialized.
    - A request that failed, or left its table stale, is repeated after `retry_after_seconds`, then after twice that,
      and so on to a day, unless something changes before.
    - A tick that has not seen all tables after `max_seconds_per_tick`, about, requests what it found, and the next one
      goes on; Dagster ends one after 60. It has counted all of them when it says so, and rests when nothing moved.

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

    def evaluate(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        repository = context.repository_def
        assert repository is not None, "a sensor is evaluated in its code location"
        tick = ticker.tick(repository, context.instance, context.cursor)
        context.log.info(tick.said)
        return dg.SensorResult(
            run_requests=tick.requests,
            skip_reason=None if tick.requests else tick.said,
            cursor=tick.cursor.dump(),
        )

    return dg.SensorDefinition(
        name=name,
        evaluation_fn=evaluate,
        asset_selection=selection,
        minimum_interval_seconds=minimum_interval_seconds,
        default_status=default_status,
        description=description or "Makes again what is stale, and what derives from it.",
        tags=tags,
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
    """The same as `build_staleness_sensor`, at the times of a cron schedule.

    A schedule remembers nothing from one tick to the next: what failed is requested again at the next one, and what
    waits for an earlier run too. It begins with the first table each time, and comes further as long as its process
    lives, which keeps what it worked out: for a catalog that one tick does not get through, prefer the sensor. Raises
    `InvalidTarget`.
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
        tick = ticker.tick(repository, context.instance)
        context.log.info(tick.said)
        if not tick.requests:
            yield dg.SkipReason(tick.said)
        # the keys of a schedule's runs are for one tick: what failed last time may run again
        at = context.scheduled_execution_time.isoformat()
        for request in tick.requests:
            yield request._replace(run_key=f"{at} {request.run_key}")

    return dg.ScheduleDefinition(
        name=name,
        cron_schedule=cron_schedule,
        execution_fn=evaluate,
        target=selection,
        execution_timezone=execution_timezone,
        default_status=default_status,
        description=description or "Makes again what is stale, and what derives from it.",
    )
