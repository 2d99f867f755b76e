"""Jobs: recompute a table, clear away leftovers of crashed writers, promote a branch, and report on a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg
from pydantic import Field

from jammi_dagster.adapters.code_location.running_job import DefinitionsOf, location_of
from jammi_dagster.adapters.handoff.store_resource import is_store_backed
from jammi_dagster.adapters.judgement.evaluator import Evaluator
from jammi_dagster.adapters.judgement.stored_assets import StoredAssets
from jammi_dagster.adapters.launching.in_flight import state_of
from jammi_dagster.adapters.launching.outgoing_events import send_events
from jammi_dagster.adapters.overview import DAYS, overview_of
from jammi_dagster.adapters.promotion import promote, promotion_plan
from jammi_dagster.adapters.recompute import RecomputeCascade, recompute
from jammi_dagster.catalog import CollectionRows
from jammi_dagster.errors import RecomputeRefused, WrongIOManager
from jammi_dagster.maintenance import GRACE_SECONDS, RetentionPolicy
from jammi_dagster.sensing.overview import MOST
from jammi_dagster.sensing.overview_page import page
from jammi_dagster.store import ResultStore

_RUNS_AT_ONCE = 500


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
    *,
    name: str = "recovery",
    io_manager_key: str = "io_manager",
    defs: DefinitionsOf | None = None,
    description: str | None = None,
) -> dg.JobDefinition:
    """Build a job that runs `ResultStore.recover()` on the store of the IO manager under `io_manager_key`.

    Its op's config takes `dry_run` and `grace_seconds`; its metadata is the report. Schedule it at a quiet hour.
    Dagster is told of rollbacks and promotions that it has not heard of; `defs` are as for `build_recompute_job`.
    """

    class RecoveryConfig(dg.Config):
        dry_run: bool = False
        grace_seconds: float = GRACE_SECONDS

    def run(context: dg.OpExecutionContext, config: RecoveryConfig) -> None:
        store = _store(context, name, io_manager_key)
        if not config.dry_run:
            _settle_runs(store, context.instance)
        report = store.recover(
            dry_run=config.dry_run, grace_seconds=config.grace_seconds, progress=context.log.info
        )
        if not config.dry_run:
            send_events(StoredAssets(location_of(context, defs)), store)
        context.add_output_metadata({"report": dg.MetadataValue.json(report.to_dict())})

    return _job(f"{name}_store", name, run, RecoveryConfig, io_manager_key, description=description)


def build_promotion_job(
    *,
    name: str = "promotion",
    io_manager_key: str = "io_manager",
    defs: DefinitionsOf | None = None,
    description: str | None = None,
) -> dg.JobDefinition:
    """Build a job that promotes tables of another deployment to that of the IO manager under `io_manager_key`.

    Its op's config takes `source`, the other deployment, `tables` (all by default), `ahead_of_code`, `reason` and
    `dry_run`; its metadata is the `promotion`, or the `plan` of a dry run. The target's code is that of its own
    location: `defs` are as for `build_recompute_job`.
    """

    class PromotionConfig(dg.Config):
        source: str
        tables: list[str] | None = None
        ahead_of_code: bool = False
        reason: str | None = None
        dry_run: bool = False

    def run(context: dg.OpExecutionContext, config: PromotionConfig) -> None:
        target = _store(context, name, io_manager_key)
        source = target.of_deployment(config.source)
        to, repository = target.scope.deployment, location_of(context, defs).repository
        given: dict[str, Any] = {"ahead_of_code": config.ahead_of_code, "instance": context.instance}
        if config.dry_run:
            plan = promotion_plan(source, repository, to, config.tables, **given)
            context.add_output_metadata({"plan": dg.MetadataValue.json(plan.to_dict())})
            return
        by = f"run {context.run_id}"
        done = promote(source, repository, to, config.tables, by=by, reason=config.reason, **given)
        context.log.info(f"{len(done.plan.rows):,} tables promoted from {config.source} to {to}.")
        context.add_output_metadata({"promotion": dg.MetadataValue.json(done.to_dict())})

    return _job(f"{name}_of_tables", name, run, PromotionConfig, io_manager_key, description=description)


def build_collection_job(
    policy: RetentionPolicy | Mapping[str, Any],
    *,
    name: str = "collection",
    io_manager_key: str = "io_manager",
    description: str | None = None,
) -> dg.JobDefinition:
    """Build a job that runs `ResultStore.collect(policy)` on the store of the IO manager under `io_manager_key`.

    Its op's config takes `dry_run`; its metadata is the report. Runs that ended, as Dagster knows, keep their results
    no longer. Schedule it at a quiet hour: each run deletes what earlier ones marked. Raises `InvalidField` for a
    policy that is none.
    """
    checked = RetentionPolicy.of(policy)

    class CollectionConfig(dg.Config):
        dry_run: bool = False

    def run(context: dg.OpExecutionContext, config: CollectionConfig) -> None:
        store = _store(context, name, io_manager_key)
        if not config.dry_run:
            _settle_runs(store, context.instance)
        report = store.collect(checked, config.dry_run, progress=context.log.info)
        told = {**report.to_dict(kept=False), "kept_count": len(report.kept)}
        context.add_output_metadata({"report": dg.MetadataValue.json(told)})

    return _job(f"{name}_of_store", name, run, CollectionConfig, io_manager_key, description=description)


def _settle_runs(store: ResultStore, instance: dg.DagsterInstance) -> None:
    """Renew the leases of runs that Dagster knows to be under way, and end those of runs that succeeded.

    One that failed may be tried again over its results.
    """
    rows = CollectionRows(store.database, store.scope)
    known = rows.runs()
    for start in range(0, len(known), _RUNS_AT_ONCE):
        wanted = dg.RunsFilter(run_ids=known[start : start + _RUNS_AT_ONCE])
        states = {run.run_id: state_of(run.status) for run in instance.get_runs(wanted)}
        rows.renew_runs([run for run, state in states.items() if state == "under way"])
        rows.end_runs([run for run, state in states.items() if state == "succeeded"])


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
