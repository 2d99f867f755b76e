"""Jobs: recompute a table, clear away leftovers of crashed writers, and report on a store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dagster as dg
from pydantic import Field

from jammi_dagster.adapters.code_location.running_job import DefinitionsOf, location_of
from jammi_dagster.adapters.handoff.store_resource import is_store_backed
from jammi_dagster.adapters.judgement.evaluator import Evaluator
from jammi_dagster.adapters.overview import DAYS, overview_of
from jammi_dagster.adapters.recompute import RecomputeCascade, recompute
from jammi_dagster.errors import RecomputeRefused, WrongIOManager
from jammi_dagster.maintenance import GRACE_SECONDS
from jammi_dagster.sensing.overview import MOST
from jammi_dagster.sensing.overview_page import page
from jammi_dagster.store import ResultStore


def build_recompute_job(
    *, name: str = "recompute", defs: DefinitionsOf | None = None, description: str | None = None
) -> dg.JobDefinition:
    """Build a job that recomputes a table: its op's config takes `table` and `cascade`, its metadata is the report.

    `defs` are the complete definitions, or a function that returns them (`lambda: defs`); without it, they are those of
    the code location that the run belongs to, which Dagster knows of every run that it launches.
    """

    class RecomputeConfig(dg.Config):
        table: str
        cascade: RecomputeCascade = "report_only"

    def run(context: dg.OpExecutionContext, config: RecomputeConfig) -> None:
        location = location_of(context, defs)
        asset = Evaluator(location).maker(config.table)
        if asset is None:
            raise RecomputeRefused(table=config.table, why="no asset of this code location makes it")
        report = recompute(asset.store, location.repository, config.table, config.cascade, context.instance)
        made, stale = len(report.recomputed), len(report.downstream_stale)
        left = f"{stale:,} downstream are stale." if stale else "No table downstream is stale."
        context.log.info(f"{config.table}: recomputed with {made - 1:,} more tables. {left}")
        context.add_output_metadata({"report": dg.MetadataValue.json(report.to_dict())})

    return _job(f"{name}_table", name, run, RecomputeConfig, description=description)


def build_recovery_job(
    *, name: str = "recovery", io_manager_key: str = "io_manager", description: str | None = None
) -> dg.JobDefinition:
    """Build a job that runs `ResultStore.recover()` on the store of the IO manager under `io_manager_key`.

    Its op's config takes `dry_run` and `grace_seconds`; its metadata is the report. Schedule it at a quiet hour.
    """

    class RecoveryConfig(dg.Config):
        dry_run: bool = False
        grace_seconds: float = GRACE_SECONDS

    def run(context: dg.OpExecutionContext, config: RecoveryConfig) -> None:
        report = _store(context, name, io_manager_key).recover(
            dry_run=config.dry_run, grace_seconds=config.grace_seconds, progress=context.log.info
        )
        context.add_output_metadata({"report": dg.MetadataValue.json(report.to_dict())})

    return _job(f"{name}_store", name, run, RecoveryConfig, io_manager_key, description=description)


def build_overview_job(
    *, name: str = "overview", io_manager_key: str = "io_manager", description: str | None = None
) -> dg.JobDefinition:
    """Build a job that reports on the store of the IO manager under `io_manager_key`, as `jammi-dagster report` does.

    Diverged tables come first, then reuse by day, the slowest tables, tables that can never be reused, and the biggest.
    Its op's config takes `days` and `most`, the length of each list; its metadata is the `overview` as a page, and the
    same as the `report`.
    """

    class OverviewConfig(dg.Config):
        days: int = Field(DAYS, ge=1, le=366)
        most: int = Field(MOST, ge=0)

    def run(context: dg.OpExecutionContext, config: OverviewConfig) -> None:
        store = _store(context, name, io_manager_key)
        found = overview_of(store, context.instance, days=config.days, most=config.most)
        text = dg.MetadataValue.md("\n".join(page(found)))
        context.add_output_metadata({"overview": text, "report": dg.MetadataValue.json(found.to_dict())})

    return _job(f"{name}_of_store", name, run, OverviewConfig, io_manager_key, description=description)


def _store(context: dg.OpExecutionContext, job: str, io_manager_key: str) -> ResultStore:
    """Return the store of a job's IO manager. Raises `WrongIOManager`."""
    manager = getattr(context.resources, io_manager_key)
    if not is_store_backed(manager):
        raise WrongIOManager(asset=f"(job {job})", key=io_manager_key, found=type(manager).__name__)
    return manager.result_store


def _job(
    op: str,
    name: str,
    run: Callable[..., None],
    config: type[dg.Config],
    *resources: str,
    description: str | None,
) -> dg.JobDefinition:
    """Return a job of one op, whose function takes a context and a config of a class made just now."""
    annotations: dict[str, Any] = {"context": dg.OpExecutionContext, "config": config, "return": None}
    run.__annotations__ = annotations
    step = dg.op(name=op, required_resource_keys=set(resources))(run)
    return dg.GraphDefinition(name=name, node_defs=[step], description=description).to_job()
