"""Definitions that also hold assets of others: finalize, sensor, checks and plans pass over them, and judge ours."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Held, Lab, Ran, table
from sensing_kit import Ticking

from jammi_dagster import (
    LineageResource,
    build_materialization_checks,
    finalize,
    plan,
    recompute,
    result_table,
)
from jammi_dagster.adapters.code_identity import code_identities
from jammi_dagster.testing import ResultTableTester

CONSOLE = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

pytestmark = [
    pytest.mark.filterwarnings("ignore:Class `SourceAsset` is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*is currently in beta:dagster.BetaWarning"),
    pytest.mark.filterwarnings("ignore:Virtual assets is currently in preview:dagster.PreviewWarning"),
]


@dg.op
def number() -> int:
    return 1


@dg.graph_asset
def graphed() -> int:
    return number()


@dg.multi_asset(
    specs=[dg.AssetSpec("model", kinds={"dbt"}), dg.AssetSpec("mart", deps=["model"], kinds={"dbt"})],
    can_subset=True,
)
def dbt_like(context: dg.AssetExecutionContext) -> Any:
    for key in sorted(context.selected_asset_keys, reverse=True):  # the model before the mart
        yield dg.MaterializeResult(asset_key=key)


@dg.graph_multi_asset(outs={"left": dg.AssetOut(), "right": dg.AssetOut()}, group_name="graphs")
def several_graphed() -> Any:
    return {"left": number(), "right": number()}


def others() -> list[Any]:
    """Assets that nothing of ours makes, or that another IO manager stores."""

    @dg.observable_source_asset
    def observed() -> dg.DataVersion:
        return dg.DataVersion("1")

    @dg.multi_observable_source_asset(specs=[dg.AssetSpec("watched")])
    def several_observed() -> Any:
        yield dg.ObserveResult(asset_key="watched", data_version=dg.DataVersion("1"))

    @dg.asset(is_virtual=True, deps=["alone"])
    def view() -> Any:
        return None

    return [
        observed,
        view,
        several_graphed,
        dg.SourceAsset("source", io_manager_key="memory"),
        dg.AssetSpec("external"),
        several_observed,
        dg.AssetsDefinition(specs=[dg.AssetSpec("specified")]),
        graphed,
        dbt_like,
    ]


def ours(version: str = "1") -> list[Any]:
    """A table over all of them, and a table below it."""

    @result_table(reads=[], code_version=version)
    def alone() -> pa.Table:
        return table(version)

    @result_table(
        deps=["observed", "source", "external", "watched", "specified", "mart", "model"],
        reads=[],
        code_version="1",
    )
    def below(alone: pa.Table) -> pa.Table:
        return alone

    return [alone, below]


def test_finalize_leaves_them_as_they_are(lab: Lab) -> None:
    """The graph has the same assets, and ours have their code versions."""
    defs = dg.Definitions([*ours(), *others()], resources={**lab.resources, "memory": dg.mem_io_manager})
    before, after = (each.get_repository_def().asset_graph for each in (defs, finalize(defs)))
    assert before.get_all_asset_keys() == after.get_all_asset_keys()
    kinds = [
        (graph.observable_asset_keys, graph.external_asset_keys, graph.materializable_asset_keys)
        for graph in (before, after)
    ]
    assert kinds[0] == kinds[1]


def test_the_sensor_judges_ours(lab: Lab) -> None:
    """Assets of others are no tables; one below them follows their versions, and is undecidable without."""
    lab.more["memory"] = dg.mem_io_manager
    lab.run(ours())
    ticking = Ticking(lab, [*ours("2"), *others()])
    (request, *more) = ticking.tick()
    assert more == []
    assert {key.to_user_string() for key in request.asset_selection or ()} == {"alone", "below"}
    assert "1 stale" in ticking.said
    assert "1 undecidable" in ticking.said
    assert "cannot be judged" in ticking.said or "graphed" not in ticking.said
    ticking.execute(request)
    assert ticking.tick() == []


def test_checks_and_plans_beside_them(lab: Lab) -> None:
    """A check of an asset that has no table says so; a plan has our tables alone."""
    lab.more["memory"] = dg.mem_io_manager
    lab.run(ours())
    defs = dg.Definitions([*ours(), *others()], resources=lab.resources)
    checks = build_materialization_checks(dg.AssetSelection.all(include_sources=True), defs=defs)
    assert {key.asset_key.to_user_string() for check in checks for key in check.check_keys} == {
        "alone",
        "below",
        "graphed",
        "left",
        "right",
        "view",
        "model",
        "mart",
    }
    lineage = LineageResource(store=lab.store_resource)
    assert lineage.downstream_plan("alone", defs, instance=lab.instance).tables == ["below"]
    assert lineage.compare_with_assets(defs, instance=lab.instance).agrees
    job = dg.define_asset_job("checks", selection=dg.AssetSelection.all_asset_checks())
    checked = dg.Definitions.merge(defs, dg.Definitions(asset_checks=checks, jobs=[job]))
    result = checked.resolve_job_def("checks").execute_in_process(instance=lab.instance)
    passed = {
        (e.asset_key.to_user_string(), e.check_name): e.passed for e in result.get_asset_check_evaluations()
    }
    assert passed["alone", "jammi_staleness"]
    assert not passed["model", "jammi_staleness"]


def test_a_run_of_all_but_graphs(lab: Lab) -> None:
    """Ours are made and reused beside the others; a virtual asset hands nothing over; the tester does the same."""
    lab.more["memory"] = dg.mem_io_manager
    defs = finalize(dg.Definitions([*ours(), *others()], resources=lab.resources))
    without_graphs = dg.AssetSelection.assets("alone", "below", "view", "model", "mart")
    job = dg.define_asset_job("all", selection=without_graphs)
    launched = dg.Definitions.merge(defs, dg.Definitions(jobs=[job])).resolve_job_def("all")
    for expected in ("computed", "reused"):
        result = launched.execute_in_process(instance=lab.instance, run_config=CONSOLE)
        outcomes = Ran(result, [], []).outcomes
        assert outcomes["alone"] == expected
        assert outcomes["model"] is outcomes["view"] is None
    assert sorted(lab.store.tables()) == ["alone", "below"]
    with ResultTableTester() as tester:
        ran = tester.materialize(defs, selection=without_graphs, resources={"memory": dg.mem_io_manager})
        assert set(ran.outcomes) == {"alone", "below"}


def test_plan_and_recompute_beside_them(lab: Lab) -> None:
    """A plan names the assets of others that a launch runs; a recompute makes ours alone."""
    lab.more["memory"] = dg.mem_io_manager
    lab.run(ours())
    defs = dg.Definitions([*ours(), *others()], resources=lab.resources)
    actions = {row.table: row.action for row in plan(defs, instance=lab.instance).rows}
    assert actions["alone"] == "reuse"
    assert set(actions) <= {"alone", "below", "view", "graphed", "left", "right", "model", "mart"}
    report = recompute(lab.store, defs, "alone", "downstream", lab.instance)
    assert [one.table for one in report.recomputed] == ["alone"]
    assert dg.AssetKey("alone") in code_identities(defs)


def test_a_graph_asset_on_our_manager_is_named(lab: Lab) -> None:
    """No single function makes it, so the sensor cannot judge it, and says why; the others are judged."""
    lab.run(ours()[:1])
    ticking = Ticking(lab, [*ours()[:1], graphed])
    assert ticking.tick() == []
    assert "1 fresh" in ticking.said


def test_an_observed_input_is_the_same_in_every_job(lab: Lab) -> None:
    """In one that observes it, in one that does not, in a plan, and for the sensor: its IO manager is its own."""

    @dg.observable_source_asset(io_manager_key="held")
    def feed() -> dg.DataVersion:
        return dg.DataVersion("1")

    @dg.multi_observable_source_asset(specs=[dg.AssetSpec("feeds")])
    def several() -> Iterator[dg.ObserveResult]:
        yield dg.ObserveResult(asset_key="feeds", data_version=dg.DataVersion("1"))

    @result_table(deps=["feeds"], reads=[])
    def from_feed(feed: pa.Table) -> pa.Table:
        return feed

    held = Held()
    held.held[feed.key] = table(1)
    lab.more["held"] = held
    ours = dg.AssetSelection.assets("from_feed")
    jobs = [
        dg.define_asset_job("observing", ours | dg.AssetSelection.assets("feed", "feeds")),
        dg.define_asset_job("alone", ours),
    ]
    defs = dg.Definitions([feed, several, from_feed], jobs=jobs, resources=lab.resources)
    for job, outcome in (("observing", "computed"), ("alone", "reused"), ("observing", "reused")):
        result = defs.resolve_job_def(job).execute_in_process(instance=lab.instance, run_config=CONSOLE)
        assert Ran(result, [], []).outcomes == {"from_feed": outcome}
    assert plan(defs, instance=lab.instance).counts == {"reuse": 1}
    ticking = Ticking(lab, [feed, several, from_feed])
    assert ticking.tick() == []
    assert "1 fresh" in ticking.said
