"""A branch of the code under Dagster: it reuses its parent's tables, and makes what it changed for itself alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from click.testing import CliRunner

import jammi_dagster
from jammi_dagster import (
    LineageResource,
    ResultStore,
    ResultStoreResource,
    ResultTableIOManager,
    build_materialization_checks,
    materialize_plan,
    result_table,
)
from jammi_dagster.adapters.recompute import recompute
from jammi_dagster.artifacts import read_manifest
from jammi_dagster.cli.program import program
from jammi_dagster.errors import InvalidDeployment, LaunchRefused
from jammi_dagster.testing import ResultTableTester

LETTERS = dg.StaticPartitionsDefinition(["a", "b"])


feed = dg.AssetSpec("feed")


def pipeline(step: int = 1) -> list[Any]:
    """An outside input, partitions, a fan-in, a table over a store, and one of each kind below; `step` changes `b`."""

    @result_table(deps=[feed])
    def raw() -> pa.Table:
        return pa.table({"n": [1, 2, 3]})

    @result_table(partitions_def=LETTERS)
    def letters(context: dg.AssetExecutionContext, raw: pa.Table) -> pa.Table:
        return raw.append_column("letter", [[context.partition_key] * 3])

    @result_table
    def total(letters: dict[str, pa.Table]) -> pa.Table:
        return pa.concat_tables(letters.values())

    @result_table(reads=[])
    def archived(archive: ResultStoreResource) -> pa.Table:
        return pa.table({"n": [4]})

    @result_table(code_version=str(step))
    def b(raw: pa.Table) -> pa.Table:
        return pa.table({"n": [step]})

    @result_table
    def foot(b: pa.Table, total: pa.Table) -> pa.Table:
        return b

    return [feed, raw, letters, total, archived, b, foot]


TABLES = ["archived", "b", "foot", "letters[a]", "letters[b]", "raw", "total"]


def opened(folder: Path, deployment: str, parent: str | None) -> ResultTableTester:
    archive = {"archive": ResultStoreResource(root=str(folder))}
    tester = ResultTableTester(folder, deployment=deployment, parent=parent, resources=archive)
    event = dg.AssetObservation("feed", tags={"dagster/data_version": "7"})
    tester.instance.report_runless_asset_event(event)
    return tester


def run_all(tester: ResultTableTester, assets: list[Any]) -> dict[str, str]:
    """Runs everything, partition by partition; the outcome of each table."""
    outcomes: dict[str, str] = {}
    for keys, partition in (
        ("raw archived b", None),
        ("letters", "a"),
        ("letters", "b"),
        ("total foot", None),
    ):
        run = tester.materialize(assets, selection=keys.split(), partition_key=partition)
        outcomes.update(run.outcomes)
    return outcomes


@pytest.fixture(scope="module")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ResultTableTester]:
    """Production, which has made everything once; no test leaves it otherwise."""
    with opened(tmp_path_factory.mktemp("production"), "prod", None) as tester:
        assert set(run_all(tester, pipeline()).values()) == {"computed"}
        yield tester


@pytest.fixture
def branch(prod: ResultTableTester) -> Iterator[ResultTableTester]:
    with opened(prod.folder, "branch", "prod") as tester:
        yield tester
    for one in prod.store.deployments():
        prod.store.drop_deployment(one.name)


def identities(store: ResultStore) -> dict[str, Any]:
    """The recorded identity of every table: definition, anchors, descriptor and env."""
    found = {}
    for table in store.tables():
        record = store.current(table)
        manifest = read_manifest(store.artifacts, record.artifact_path)
        assert manifest is not None
        made = manifest.descriptor.to_dict(), manifest.env.to_dict()
        found[table] = record.definition_hash, record.input_anchors, *made
    return found


@pytest.mark.slow
def test_a_branch_and_its_parent_hit_each_other(prod: ResultTableTester, branch: ResultTableTester) -> None:
    """Definitions, anchors, descriptors and envs are equal, over outside inputs, fan-ins and a store as a resource too.

    Each kind of input was answered by the deployment that the record names.
    """
    assert branch.store.tables() == TABLES
    assert set(run_all(branch, pipeline()).values()) == {"reused"}
    # made in the branch alone, and from nothing that production made
    with opened(prod.folder / "apart", "branch", "prod") as apart:
        assert set(run_all(apart, pipeline()).values()) == {"computed"}
        made = identities(apart.store)
        assert {
            table: answer.deployment for table, answer in apart.store.current("total").answers.items()
        } == {
            "letters[a]": "branch",
            "letters[b]": "branch",
        }
        # archived holds an HMAC under the key of its own store
        assert {table: made[table] for table in made if table != "archived"} == {
            table: identity for table, identity in identities(prod.store).items() if table != "archived"
        }
    new, changed = pipeline(step=9), ["b", "foot"]
    assert branch.materialize(new, selection=changed).outcomes == dict.fromkeys(changed, "computed")
    for again in (new, pipeline()):
        assert prod.materialize(again, selection=changed).outcomes == dict.fromkeys(changed, "reused")


def test_a_plan_says_what_is_reused_of_production(prod: ResultTableTester, branch: ResultTableTester) -> None:
    """For the branch's code; its launch writes names of the branch alone, and reads the parent's tables as they are."""
    resources = {
        "io_manager": ResultTableIOManager(store=branch._resource, cache="use"),
        "archive": branch._resource,
    }
    defs = dg.Definitions(assets=pipeline(step=2), resources=resources)
    before = identities(prod.store)
    plan = jammi_dagster.plan(defs, instance=branch.instance)
    assert {row.table: (row.action, row.deployment) for row in plan.rows} == {
        "b": ("compute", None),
        "foot": ("compute or reuse", None),
        **{table: ("reuse", "prod") for table in TABLES if table not in ("b", "foot")},
    }
    against = jammi_dagster.plan(defs, deployment="prod", instance=branch.instance)
    assert against.counts == plan.counts
    with pytest.raises(LaunchRefused, match="the plan is for deployment prod"):
        materialize_plan(against, defs, instance=branch.instance)
    report = materialize_plan(plan, defs, instance=branch.instance)
    assert sorted(report.requested) == ["b", "foot"]
    assert branch.store.beside(deployment="branch").tables() == ["b", "foot"]
    assert branch.store.current("foot").answers["total"].deployment == "prod"
    assert branch.store.current("foot").answers["b"].deployment == "branch"
    assert identities(prod.store) == before


def test_the_sensor_of_a_branch_asks_for_what_it_changed(
    prod: ResultTableTester, branch: ResultTableTester
) -> None:
    """A parent's fresh table is not requested; one over a changed table is, once that is there."""
    assert branch.tick(pipeline()).run_requests == []
    changed = pipeline(step=2)
    tick = branch.tick(changed)
    assert tick.requested == ["b", "foot"]
    assert all(run.success for run in tick.execute())
    assert branch.store.beside(deployment="branch").tables() == ["b", "foot"]
    assert branch.tick(changed).run_requests == []
    assert prod.tick(pipeline()).run_requests == []


def test_checks_lineage_and_recompute_of_a_branch(prod: ResultTableTester, branch: ResultTableTester) -> None:
    """Checks of tables that the branch only reads pass, lineage leads through them; a recompute is the branch's own."""
    assets = pipeline()
    checks = build_materialization_checks([asset for asset in assets if asset is not feed], defs=lambda: defs)
    io_manager = ResultTableIOManager(store=branch._resource, cache="use")
    resources = {"io_manager": io_manager, "archive": branch._resource}
    defs: dg.Definitions = dg.Definitions(assets=assets, asset_checks=checks, resources=resources)
    job = dg.define_asset_job("checks", selection=dg.AssetSelection.all_asset_checks())
    with_job = dg.Definitions.merge(defs, dg.Definitions(jobs=[job]))
    result = with_job.resolve_job_def("checks").execute_in_process(instance=branch.instance)
    evaluations = result.get_asset_check_evaluations()
    assert len(evaluations) >= 6
    assert all(one.passed for one in evaluations), evaluations
    lineage = LineageResource(store=branch._resource)
    assert lineage.closure("raw") == LineageResource(store=prod._resource).closure("raw")
    assert len(lineage.upstream("foot")) == 8
    report = recompute(branch.store, defs, "raw", instance=branch.instance)
    assert [one.table for one in report.recomputed] == ["raw"]
    assert branch.store.beside(deployment="branch").tables() == ["raw"]
    assert prod.store.current("raw").materialization_id != branch.store.current("raw").materialization_id


@pytest.mark.slow
def test_a_laptop_reuses_production_where_it_is(prod: ResultTableTester, tmp_path: Path) -> None:
    """A run over another store's tables reads and reuses them, and writes what changed into its own root alone."""
    resource = ResultStoreResource(
        root=str(tmp_path / "laptop"),
        deployment="laptop",
        parent="prod",
        parent_root=str(prod.folder / "results"),
    )
    io_manager = ResultTableIOManager(store=resource, cache="use")
    before = identities(prod.store)
    with opened(tmp_path / "other", "laptop", None) as events:
        defs = dg.Definitions(
            assets=pipeline(step=2),
            resources={"io_manager": io_manager, "archive": resource},
        )
        plan = jammi_dagster.plan(defs, ["raw", "b", "foot"], instance=events.instance)
        assert {row.table: (row.action, row.deployment) for row in plan.rows} == {
            "raw": ("reuse", "prod"),
            "b": ("compute", None),
            "foot": ("compute or reuse", None),
        }
        job = defs.resolve_implicit_global_asset_job_def()
        keys = [dg.AssetKey(name) for name in ("raw", "b", "foot")]
        assert job.execute_in_process(instance=events.instance, asset_selection=keys).success
    store = resource.get()
    assert {table: store.current(table).answered_by for table in ("raw", "b", "foot")} == {
        "raw": "prod",
        "b": "laptop",
        "foot": "laptop",
    }
    assert {one: answer.deployment for one, answer in store.current("foot").answers.items()} == {
        "b": "laptop",
        "total": "prod",
    }
    assert identities(prod.store) == before
    store.close()


def test_commands_see_a_branch(prod: ResultTableTester, branch: ResultTableTester) -> None:
    """`--deployment --parent` before it writes, and `--deployment` alone after: the row tells the parent."""
    root = str(branch.folder / "results")

    def said(*arguments: str) -> str:
        result = CliRunner().invoke(program, [*arguments, "--store", root])
        assert result.exit_code == 0, result.output
        return result.output

    assert "letters" in said("status", "--deployment", "branch", "--parent", "prod")
    assert "raw" in said("why", "raw", "--deployment", "branch", "--parent", "prod")
    branch.materialize(pipeline(step=2), selection=["b"])
    assert "letters" in said("status", "--deployment", "branch")
    every = said("status")
    assert "branch" in every
    assert "prod" in every
    result = CliRunner().invoke(
        program, ["status", "--store", root, "--deployment", "twig", "--parent", "branch"]
    )
    assert isinstance(result.exception, SystemExit | InvalidDeployment)
    assert result.exit_code != 0


@pytest.mark.slow
def test_two_code_locations_and_two_instances_share_a_deployment(
    prod: ResultTableTester, branch: ResultTableTester
) -> None:
    """A table that one location made is the other's input, on an instance that has no event of it."""

    @result_table
    def far(total: pa.Table) -> pa.Table:
        return total.slice(0, 1)

    for tester, answered in ((prod, "prod"), (branch, "prod")):
        with opened(prod.folder, tester.store.scope.deployment, tester.store.scope.parent) as other:
            run = other.materialize([dg.AssetSpec("total"), far], selection=["far"])
            assert run.success
            assert other.store.current("far").answers["total"].deployment == answered
            assert tester.store.current("far") == other.store.current("far")
