"""The overview of a store, with the days of its runs from a Dagster instance."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import dagster as dg

from jammi_dagster.artifacts import read_manifest
from jammi_dagster.catalog import CatalogReader, CurrentCost, Outcomes
from jammi_dagster.errors import JammiError
from jammi_dagster.sensing.overview import MOST, Overview, Reuse, overview
from jammi_dagster.store import ResultStore

DAYS = 30
_MOST_RESULTS = 200_000  # each takes a look-up of its materialization: a second or two in all
_UNTOLD = "none on record: `jammi-dagster explain` reads the code for them"


def overview_of(
    store: ResultStore, instance: dg.DagsterInstance, *, days: int = DAYS, most: int = MOST
) -> Overview:
    """Make the overview of a store's current tables, and of reuse in the last `days`; lists end after `most`.

    An ephemeral instance knows no runs: then reuse is that of all runs on record, without days. Takes a number of
    statements that does not grow with the tables, and reads the sidecars of at most `most` tables.
    """
    deployment = store.scope.deployment
    with store.reader.frozen() as reader:
        assert isinstance(reader, CatalogReader), (
            "a store that a Dagster resource opens has a catalog of ours"
        )
        if instance.is_ephemeral:
            reuse = Reuse(total=reader.outcomes(most=_MOST_RESULTS))
        else:
            reuse = _by_day(reader, instance, days)
        return overview(
            reader.current_costs(),
            reuse,
            lambda cost: _reasons(store, cost),
            deployment=deployment,
            others=[name for name in reader.deployments() if name != deployment],
            most=most,
        )


def _by_day(reader: CatalogReader, instance: dg.DagsterInstance, days: int) -> Reuse:
    """Count the tables of the runs of each day, the last day first; of a busy store, of fewer days."""
    today = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    found: dict[str, Outcomes] = {}
    total = Outcomes()
    for day in (today - timedelta(days=ago) for ago in range(days)):
        # Dagster excludes both ends
        start, end = (instant - timedelta(microseconds=1) for instant in (day, day + timedelta(days=1)))
        runs = instance.get_run_ids(dg.RunsFilter(created_after=start, created_before=end))
        of_day = Outcomes.sum(reader.outcomes_of(runs).values())
        found[day.date().isoformat()] = of_day
        total = Outcomes.sum([total, of_day])
        if total.computed + total.reused > _MOST_RESULTS:
            break
    return Reuse(total=total, days=found)


def _reasons(store: ResultStore, cost: CurrentCost) -> list[str]:
    """Read the reasons why a table can never be reused; of one that a library call made, its inputs without version."""
    try:
        manifest = read_manifest(store.artifacts, cost.artifact_path)
    except JammiError as error:
        return [f"not to be read: {error}"]
    if manifest is None:
        return [_UNTOLD]
    own = (manifest.own or {}).get("unpinned")
    if isinstance(own, list) and own:
        return list(map(str, own))
    unpinned = [anchor.source for anchor in manifest.input_anchors if anchor.is_unpinned]
    return [f"input {source} has no version" for source in unpinned] or [_UNTOLD]
