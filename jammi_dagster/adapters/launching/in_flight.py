"""Runs under way: the tables that they make, and how the run of each request stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import dagster as dg

from jammi_dagster.adapters import metadata_keys
from jammi_dagster.adapters.code_location.location import Location
from jammi_dagster.contract.tables import table_names

RunState = Literal["under way", "succeeded", "failed"]

_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_MOST_RUNS = 1_000
_MOST_KEYS = 200


def tables_in_flight(location: Location) -> set[str]:
    """Return the tables that any unfinished run of the code location makes, whoever launched it."""
    unfinished = dg.RunsFilter(statuses=_UNFINISHED)
    records = location.instance.get_run_records(unfinished, limit=_MOST_RUNS)
    return {table for record in records for table in tables_of_run(location, record.dagster_run)}


def runs_of_plan(location: Location, digest: str) -> list[dg.DagsterRun]:
    """Return the runs that launches of a plan requested, the newest first."""
    tagged = dg.RunsFilter(tags={metadata_keys.PLAN_TAG: digest})
    return [record.dagster_run for record in location.instance.get_run_records(tagged)]


def states_of_requests(instance: dg.DagsterInstance, requests: Iterable[str]) -> dict[str, RunState]:
    """Return how the last run of each request stands, by the request's key; nothing for a request without a run."""
    wanted = sorted(set(requests))
    found: dict[str, RunState] = {}
    for start in range(0, len(wanted), _MOST_KEYS):
        tags = {metadata_keys.REQUEST_TAG: wanted[start : start + _MOST_KEYS]}
        for record in instance.get_run_records(dg.RunsFilter(tags=tags)):  # newest first
            run = record.dagster_run
            found.setdefault(run.tags[metadata_keys.REQUEST_TAG], state_of(run.status))
    return found


def state_of(status: dg.DagsterRunStatus) -> RunState:
    """Return how a run stands."""
    if status in _UNFINISHED:
        return "under way"
    return "succeeded" if status is dg.DagsterRunStatus.SUCCESS else "failed"


def tables_of_run(location: Location, run: dg.DagsterRun) -> list[str]:
    """Return the tables that a run makes, by its selection and partitions."""
    found: list[str] = []
    for key in _assets(location, run):
        if location.assets_def(key) is not None:
            found.extend(table_names(key.path, _partitions(location, key, run)))
    return found


def _partitions(location: Location, key: dg.AssetKey, run: dg.DagsterRun) -> Sequence[str | None]:
    partitions_def = location.graph.get(key).partitions_def
    if partitions_def is None:
        return [None]
    first, last = (run.tags.get(tag) for tag in metadata_keys.RANGE_TAGS)
    if first and last:
        return location.span(partitions_def, first, last)
    one = run.tags.get(metadata_keys.PARTITION_TAG)
    return [one] if one else []


def _assets(location: Location, run: dg.DagsterRun) -> Iterable[dg.AssetKey]:
    if run.asset_selection is not None:
        return run.asset_selection
    if not location.repository.has_job(run.job_name):
        return ()
    return location.repository.get_job(run.job_name).asset_layer.executable_asset_keys
