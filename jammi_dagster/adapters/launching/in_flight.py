"""What runs are doing: which tables are being made just now, and how a request ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import dagster as dg

from jammi_dagster.adapters import metadata_keys
from jammi_dagster.adapters.code_location.location import Location
from jammi_dagster.contract.tables import table_names

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
    """The tables that any unfinished run of the code location is to make, whoever launched it."""
    unfinished = dg.RunsFilter(statuses=_UNFINISHED)
    records = location.instance.get_run_records(unfinished, limit=_MOST_RUNS)
    return {table for record in records for table in _tables(location, record.dagster_run)}


def statuses(instance: dg.DagsterInstance, requests: Iterable[str]) -> dict[str, dg.DagsterRunStatus]:
    """How the last run of each request stands, by the request's key; without those that have no run."""
    wanted = sorted(set(requests))
    found: dict[str, dg.DagsterRunStatus] = {}
    for start in range(0, len(wanted), _MOST_KEYS):
        chunk = wanted[start : start + _MOST_KEYS]
        for record in instance.get_run_records(
            dg.RunsFilter(tags={metadata_keys.REQUEST_TAG: chunk})
        ):  # newest first
            run = record.dagster_run
            found.setdefault(run.tags[metadata_keys.REQUEST_TAG], run.status)
    return found


def is_unfinished(status: dg.DagsterRunStatus) -> bool:
    """Whether a run may still make its tables."""
    return status in _UNFINISHED


def _tables(location: Location, run: dg.DagsterRun) -> list[str]:
    found: list[str] = []
    for key in _assets(location, run):
        if location.assets_def(key) is not None:
            partitions_def = location.graph.get(key).partitions_def
            partitions: Sequence[str | None] = [None]
            if partitions_def is not None:
                first, last = (run.tags.get(tag) for tag in metadata_keys.RANGE_TAGS)
                one = run.tags.get(metadata_keys.PARTITION_TAG)
                partitions = (
                    location.span(partitions_def, first, last) if first and last else [one] if one else []
                )
            found.extend(table_names(key.path, partitions))
    return found


def _assets(location: Location, run: dg.DagsterRun) -> Iterable[dg.AssetKey]:
    if run.asset_selection is not None:
        return run.asset_selection
    if not location.repository.has_job(run.job_name):
        return ()
    return location.repository.get_job(run.job_name).asset_layer.executable_asset_keys
