"""`materialize_plan`: the launch of a plan, which asks Dagster only for runs that compute.

Tables that are reused get no run: their pointers move in one transaction, and Dagster is told by an event without a
run. Tables whose inputs are made by another run wait for it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import dagster as dg

from jammi_dagster.adapters import metadata_keys
from jammi_dagster.adapters.assets.run_tags import moves_of
from jammi_dagster.adapters.code_location.location import (
    Definitions,
    Location,
    instance_at_hand,
    repository_of,
)
from jammi_dagster.adapters.judgement.decided_step import LaunchedStep
from jammi_dagster.adapters.launching.failures import why_failed
from jammi_dagster.adapters.launching.in_flight import RunState, runs_of_plan, tables_in_flight, tables_of_run
from jammi_dagster.adapters.launching.in_process import run_here
from jammi_dagster.adapters.launching.nodes import OtherAsset, tables_by_store, with_replays
from jammi_dagster.adapters.launching.reuses import Reuses
from jammi_dagster.adapters.launching.run_requests import run_request
from jammi_dagster.adapters.launching.runs import Node, PlannedRun, plan_runs
from jammi_dagster.adapters.plan import Launch, Made, arguments_of
from jammi_dagster.contract.wording import counted
from jammi_dagster.errors import InvalidField, LaunchRefused, PlanOutdated
from jammi_dagster.garbage import uncollected
from jammi_dagster.planning.launch_report import LaunchReport
from jammi_dagster.planning.plan import Plan, PlannedTable
from jammi_dagster.planning.waves import above, below

_log = logging.getLogger("jammi_dagster.launching")

_LONGEST_WHY = 120
_NOW = {"under way": "submitted"}
_MADE_FIRST = "a run that is under way makes an input of it"
_HELD = "{table}, which it reads, is held and does not move; make a plan without that table"
_NO_NAME = "by its tags no name moves, and the runs of a plan read each other's tables by name"
_OF_PARTITIONS = (metadata_keys.PARTITION_TAG, *metadata_keys.RANGE_TAGS)  # each run has its own


class Launcher(Protocol):
    """A way to launch runs. One that `finishes` returns only when the run is over."""

    finishes: bool

    def launch(self, request: dg.RunRequest, job: dg.JobDefinition) -> tuple[str, RunState]:
        """Launch a run of assets of a job, and return its id and how it stands."""
        ...


class _Here:
    """Runs in this process, one after the other."""

    finishes = True

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance

    def launch(self, request: dg.RunRequest, job: dg.JobDefinition) -> tuple[str, RunState]:
        result = run_here(job, request, self._instance, raise_on_error=False)
        return result.run_id, "succeeded" if result.success else "failed"


def materialize_plan(
    plan: Plan | Mapping[str, Any],
    defs: Definitions | None = None,
    *,
    instance: dg.DagsterInstance | None = None,
    launcher: Launcher | None = None,
) -> LaunchReport:
    """Launch a plan: run only the tables that must compute, and make the reused ones current without a run.

    The plan is made again first, and refused if anything that it depends on has moved, except by an earlier launch of
    the same plan: a second launch goes on where the first one ended. Tables that any run is making just now are left to
    that run. The runs take place in this process, one after the other, each in its turn; a failed run keeps everything
    downstream of its tables from being made, and stands in `failed` of the report. A reuse whose recorded blocking
    check failed goes to a run, which fails it again.

    Args:
        plan: a plan, or the JSON of a saved one.
        defs: the complete definitions of the code location; by default the ones that the plan was made with.
        instance: the Dagster instance; by default that of `DAGSTER_HOME`, or an empty one.
        launcher: another way to launch runs. `jammi-dagster plan --launch` submits them to the instance.

    Raises `PlanOutdated`, `InvalidField` for a text that is no plan and for a saved plan without definitions, and
    everything that `plan` raises.

        materialize_plan(plan(defs, "clean_trips+")).to_dict()["runs"]
    """
    before = plan if isinstance(plan, Plan) else Plan.from_dict(plan)
    found = before.definitions if defs is None else defs
    if found is None:
        expected = "the definitions of the code location; a plan that was read from a file holds none"
        raise InvalidField(what="materialize_plan", path="defs", value=None, expected=expected)
    with instance_at_hand(instance) as at_hand:
        resources = before.arguments.get("run_config", {}).get("resources")
        location = Location(repository_of(found), at_hand, resource_config=resources)
        return _PlanLaunch(before, location, launcher or _Here(at_hand)).run()


class _PlanLaunch:
    """One launch of a plan: the tables that are still to be made, and everything that was done."""

    def __init__(self, before: Plan, location: Location, launcher: Launcher) -> None:
        given = arguments_of(before)
        self._before, self._location, self._launcher = before, location, launcher
        self._deployment, self._recorded = given.pop("deployment"), given.pop("recorded_config")
        self._parent = given.pop("parent", None)
        self._launch = Launch(location, **given)
        self._report = LaunchReport()
        self._parents: Mapping[str, set[str]] = {}
        self._checked: dict[dg.AssetKey, bool] = {}

    def run(self) -> LaunchReport:
        """Launch it."""
        for asset in self._launch.assets.assets(self._launch.keys):
            scope = asset.store.scope
            for word, asked, own in (
                ("for deployment", self._deployment, scope.deployment),
                ("for a branch of", self._parent, scope.parent),
            ):
                if asked not in (None, own):
                    why = f"the plan is {word} {asked}, and the resources name {own}, where runs write"
                    raise LaunchRefused(
                        why=why, way_out="name that deployment in the resources, and make the plan again"
                    )
        if not moves_of(self._launch.tags_and_pins):
            raise LaunchRefused(
                why=_NO_NAME, way_out=f"launch one run of it, or add the tag {metadata_keys.MOVES_TAG}: true"
            )
        reuses = Reuses(self._launch.assets, self._launch.keys)
        made = self._forecast()
        done = self._done()
        self._check(made, done)
        self._parents = made.forecast.parents
        report, tables = self._report, [row.table for row in made.rows]
        report.leave((t, f"run {done[t]} of this plan made it") for t in tables if t in done)
        rest = set(tables) - done.keys()
        while rest := self._round(made, rest, reuses):
            if not self._launcher.finishes:
                report.leave(((table, _MADE_FIRST) for table in sorted(rest)), report.waiting)
                break
            self._location.refresh()
            reuses = Reuses(self._launch.assets, self._launch.keys)
            made = self._forecast(only=rest)
        return report

    def _forecast(self, only: set[str] | None = None) -> Made:
        with uncollected():
            return self._launch.forecast(recorded_config=self._recorded, only=only)

    # --- a plan that was launched before --------------------------------------------------------------

    def _done(self) -> dict[str, str]:
        """Return the tables that earlier launches of this plan made, each with its run."""
        done: dict[str, str] = {}
        for run in reversed(runs_of_plan(self._location, self._before.digest)):
            tables = tables_of_run(self._location, run)
            makers = {t: maker for t in tables if (maker := self._launch.assets.maker(t)) is not None}
            if run.is_success:  # of another IO manager's tables, all that is known
                done.update((table, run.run_id) for table in tables if table not in makers)
            for store, names in tables_by_store(makers):
                current = store.reader.current_of(names)
                for table, made in store.reader.of_run(run.run_id, names).items():
                    if table in current and current[table].materialization_id == made.materialization_id:
                        done[table] = run.run_id
        return done

    def _check(self, made: Made, done: Mapping[str, str]) -> None:
        """Raise `PlanOutdated` if anything has moved, besides the tables that this plan itself has moved."""
        now = self._launch.plan_of(made, self._deployment, self._parent, recorded_config=self._recorded)
        reused = {row.table: row.materialization for row in self._before.rows if row.materialization}
        moved = []
        for one in self._before.moved(now):
            kind, _, name = one.partition(" ")
            if kind == "table":
                current = now.basis["table"].get(name) or [None]
                if name in done or current[0] == reused.get(name, ""):
                    continue
            if kind == "input" and name.startswith("dagster:") and name.partition("/")[2] in done:
                continue
            moved.append(one)
        if moved:
            raise PlanOutdated(moved=", ".join(moved))

    # --- a round: everything that waits for no run ----------------------------------------------------

    def _round(self, made: Made, rest: set[str], reuses: Reuses) -> set[str]:
        """Reuse, and launch the runs that wait for no other; return the tables of the later runs."""
        report = self._report
        steps = {table: step for step in made.steps for table in step.tables if table in rest}
        rows = {row.table: row for row in made.rows if row.table in rest}
        failing = {table: row.reasons[0] for table, row in rows.items() if row.action == "fail"}
        report.leave(failing.items(), report.failing)
        flying = _whole(steps, tables_in_flight(self._location) & rows.keys())
        report.leave((table, "a run that is under way makes it") for table in sorted(flying & rows.keys()))
        held = (below(flying, self._parents) & rows.keys()) - flying - failing.keys()
        report.leave(((table, _MADE_FIRST) for table in sorted(held)), report.waiting)
        rows = {table: row for table, row in rows.items() if table not in {*failing, *flying, *held}}
        holds = {table: hold for look in made.forecast.looks.values() for table, hold in look.holds.items()}
        again = {t for t in rows.keys() & holds if rows[t].action == "reuse" and not rows[t].is_current}
        kept = {t for t in again if holds[t].keeps(rows[t].definition)}
        apart = self._apart(kept, rows)
        report.leave(sorted(apart.items()))
        rows = {table: row for table, row in rows.items() if table not in apart}
        launched = self._to_launch(steps, rows, kept)
        reused = {table: row for table, row in rows.items() if table not in launched}
        reuses.take([step for step in made.steps if step.tables[0] in reused], reused, report)
        runs = plan_runs(self._nodes(steps, rows, launched), self._parents)
        failed: set[str] = set()
        now = [run for run in runs if run.wave == 0]
        for number, run in enumerate(now, 1):
            failed |= self._request(run, rows, f"run {number:,} of {len(now):,}")
        later = {table for run in runs if run.wave for table in run.tables}
        lost = below(failed, self._parents) & later
        report.leave(((table, "the run of an input failed") for table in sorted(lost)), report.failing)
        return later - lost

    def _to_launch(
        self, steps: Mapping[str, LaunchedStep], rows: Mapping[str, PlannedTable], kept: Collection[str]
    ) -> set[str]:
        """Return the tables that need a run: they compute, or a blocking check is to be evaluated.

        A blocking check in a step of its own belongs to each run of its asset: it looks at a table that was not current
        before, and stands between the asset and everything downstream that runs. A reuse of a table that is `kept`
        in its place is there for its own run alone, so it goes with everything downstream that runs.
        """
        launched = {table for table, row in rows.items() if row.action != "reuse" or self._fails(row)}
        checked = {table for table in rows if table not in launched and self._is_checked(steps[table].key)}
        launched |= {table for table in checked if not rows[table].is_current}
        if checked or kept:
            between = below({*checked, *kept}, self._parents) & above(launched, self._parents)
            launched |= between & rows.keys()
        return _whole(steps, launched) & rows.keys()

    def _apart(self, kept: Iterable[str], rows: Mapping[str, PlannedTable]) -> dict[str, str]:
        """Return the tables planned over a held table's reuse that no run of theirs reads, each with the reason."""
        found: dict[str, str] = {}
        for table in sorted(kept):
            own = self._place(rows[table])
            others = {t for t in below([table], self._parents) & rows.keys() if self._place(rows[t]) != own}
            found.update(dict.fromkeys(below(others, self._parents) & rows.keys(), _HELD.format(table=table)))
        return found

    def _place(self, row: PlannedTable) -> tuple[str | None, Any]:
        """Return the partition of a table and its definition: tables in one place may share a run."""
        return row.partition, self._location.graph.get(dg.AssetKey.from_user_string(row.asset)).partitions_def

    def _fails(self, row: PlannedTable) -> bool:
        """Tell whether a reused table failed a blocking check when it was made."""
        asset = self._launch.assets.maker(row.table) if row.failed_checks else None
        return asset is not None and asset.is_blocked_by(row.failed_checks)

    def _is_checked(self, key: dg.AssetKey) -> bool:
        """Tell whether an asset has a blocking check in a step of its own."""
        if key not in self._checked:
            graph = self._location.graph
            others = graph.get_check_keys_for_assets({key}) - set(graph.get(key).assets_def.check_keys)
            self._checked[key] = any(graph.get_check_spec(one).blocking for one in others)
        return self._checked[key]

    def _nodes(
        self, steps: Mapping[str, LaunchedStep], rows: Mapping[str, PlannedTable], launched: Collection[str]
    ) -> dict[str, Node]:
        """Return tables as nodes of runs. A range that was decided as one, and may be reused as one, stays whole."""
        makers = {
            table: self._launch.assets.asset(steps[table].key) or OtherAsset(self._location, steps[table].key)
            for table in rows
            if table in launched
        }
        nodes = with_replays(makers, {table: step.replay for table, step in steps.items()})
        for table, node in nodes.items():
            partitions = steps[table].partitions or ()
            if self._launch.span is not None or (len(partitions) > 1 and rows[table].action != "compute"):
                nodes[table] = replace(node, most_at_once=None, group=partitions)
        return nodes

    def _request(self, run: PlannedRun, rows: Mapping[str, PlannedTable], number: str) -> set[str]:
        """Launch a run; return its tables if it failed. `number` tells which one of this round it is."""
        tags = {name: tag for name, tag in self._launch.tags.items() if not name.startswith(_OF_PARTITIONS)}
        why = f"{run.tables[0]}: {'; '.join(rows[run.tables[0]].reasons)}"[:_LONGEST_WHY]
        request = run_request(
            run,
            cache=None,
            tags={**tags, metadata_keys.PLAN_TAG: self._before.digest, metadata_keys.WHY: why},
            run_config=self._location.config_of_run(
                self._launch.config,
                {key for node in run.nodes for key in node.selected},
                # a result table's node has the config that it was planned with
                {node.op for node in run.nodes if self._launch.assets.asset(node.asset_key) is None},
            ),
        )
        job = self._location.repository.get_implicit_global_asset_job_def()
        run_id, state = self._launcher.launch(request, job)
        _log.info("%s %s: %s", number, _NOW.get(state, state), _shown(run.tables))
        self._report.runs.append(run_id)
        self._report.requested.update(dict.fromkeys(run.tables, run_id))
        if state != "failed":
            return set()
        self._report.failed.append(run_id)
        self._report.why_failed[run_id] = why_failed(self._location.instance, run_id)
        return set(run.tables)


def _shown(tables: Sequence[str]) -> str:
    return tables[0] if len(tables) == 1 else f"{tables[0]} and {counted(len(tables) - 1, 'more table')}"


def _whole(steps: Mapping[str, LaunchedStep], tables: Iterable[str]) -> set[str]:
    """Add the tables that the same steps make."""
    each = {id(step): step for step in map(steps.__getitem__, tables)}
    return {table for step in each.values() for table in step.tables}
