"""Tables of a branch made current in production with its code at hand: definitions, holds, and events."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, letters, table, values
from sensing_kit import Ticking, definitions, evaluate

from jammi_dagster import (
    ResultStore,
    build_promotion_job,
    build_recovery_job,
    plan,
    promote,
    promotion_plan,
    recompute,
    result_table,
)
from jammi_dagster.catalog import Outbox
from jammi_dagster.errors import PromotionRefused, TableHeld
from jammi_dagster.surfaces import file


def pipeline(folder: Path, version: str = "1") -> list[Any]:
    """A file, a table of it in this version, one below it, and one by letters below that."""
    path = folder / "raw.txt"

    @result_table(reads=[file(path, name="raw.txt")], code_version=version)
    def raw() -> pa.Table:
        return table(path.read_text(), version)

    @result_table(code_version="1")
    def low(raw: pa.Table) -> pa.Table:
        return raw

    @result_table(code_version="1", partitions_def=letters)
    def cut(context: dg.AssetExecutionContext, low: pa.Table) -> pa.Table:
        return low.append_column("letter", [[context.partition_key] * len(low)])

    return [raw, low, cut]


@pytest.fixture
def branch(lab: Lab, tmp_path: Path) -> Lab:
    """A branch whose code has another version of `raw`; production (`lab`) made its own. Both have all tables."""
    branch = Lab(lab.root, lab.instance, options={"deployment": "branch"})
    (tmp_path / "raw.txt").write_text("a")
    for one, version in ((lab, "1"), (branch, "2")):
        _run_all(one, pipeline(tmp_path, version))
    return branch


def _run_all(lab: Lab, assets: Sequence[Any]) -> None:
    lab.run(assets, select=["raw", "low"])
    for letter in "ab":
        lab.run(assets, select=["cut"], partition=letter)


def _ids(store: ResultStore) -> dict[str, str]:
    return {name: store.current(name).materialization_id for name in store.tables()}


def _events(lab: Lab, name: str) -> list[tuple[str, str]]:
    """The last materialization events of an asset: why, and the data version."""
    found = lab.instance.fetch_materializations(dg.AssetKey(name), limit=9).records
    made = [record.asset_materialization for record in found]
    return [
        (str(one.metadata["jammi/why"].value), (one.tags or {})["dagster/data_version"])
        for one in made
        if one is not None
    ]


def test_a_merged_branch_is_promoted_and_dagster_told_once(lab: Lab, branch: Lab, tmp_path: Path) -> None:
    """The definitions agree, nothing is held, and a run of production's reuses what it finds."""
    defs, before = definitions(lab, pipeline(tmp_path, "2")), len(_events(lab, "raw"))
    made = promotion_plan(branch.store, defs, "default", instance=lab.instance)
    assert made.refusals == {}
    assert all(row.code_definition == row.definition for row in made.rows)
    (surface,) = made["raw"].surfaces
    assert (surface.source, surface.observed) == ("file:raw.txt", surface.recorded)

    done = promote(branch.store, defs, "default", plan=made, by="ada", instance=lab.instance)

    assert [row.table for row in done.plan.rows] == ["cut[a]", "cut[b]", "low", "raw"]
    assert (_ids(lab.store), lab.store.holds()) == (_ids(branch.store), {})
    told = _events(lab, "raw")
    assert len(told) == before + 1
    assert told[0] == ("promoted from branch by ada", lab.store.current("raw").artifact_digest)
    assert len(Outbox(lab.store.database, lab.store.scope).pending()) == 0
    ticking = Ticking(lab, pipeline(tmp_path, "2"))
    assert ticking.tick() == []
    assert len(_events(lab, "raw")) == before + 1
    assert lab.run(pipeline(tmp_path, "2"), select=["raw", "low"]).outcomes == {
        "raw": "reused",
        "low": "reused",
    }


@pytest.mark.slow
def test_a_branchs_process_leaves_the_events_to_production(lab: Lab, branch: Lab, tmp_path: Path) -> None:
    """Its Dagster instance is another one; the next tick of production sends them, or a recovery there."""
    before = len(_events(lab, "raw"))
    promote(
        branch.store,
        definitions(branch, pipeline(tmp_path, "2")),
        "default",
        ["raw", "low"],
        instance=lab.instance,
    )
    assert len(_events(lab, "raw")) == before
    Ticking(branch, pipeline(tmp_path, "2")).tick()
    assert len(_events(lab, "raw")) == before
    Ticking(lab, pipeline(tmp_path, "2")).tick()
    assert len(_events(lab, "raw")) == before + 1
    branch.store.promote("default", plan=lab.store.promotions()[0].undo())
    assets = pipeline(tmp_path, "2")
    _run_job(lab, assets, build_recovery_job(defs=lambda: definitions(lab, assets)))
    assert len(_events(lab, "raw")) == before + 2


def test_production_that_has_other_code_refuses_or_holds(lab: Lab, branch: Lab, tmp_path: Path) -> None:
    """While it is held nobody asks for the table; once the code agrees it is as any other, without a release."""
    old, new = pipeline(tmp_path, "1"), pipeline(tmp_path, "2")
    defs = definitions(lab, old)
    made = promotion_plan(branch.store, defs, "default", instance=lab.instance)
    assert list(made.refusals) == ["raw"]
    with pytest.raises(PromotionRefused, match=r"table raw: .* use ahead_of_code"):
        promote(branch.store, defs, "default", instance=lab.instance)
    promote(branch.store, defs, "default", by="ada", ahead_of_code=True, instance=lab.instance)
    assert list(lab.store.holds()) == ["raw"]

    found = evaluate(lab, old)
    assert (found.tables["raw"].kind, list(found.holds)) == ("stale", ["raw"])
    assert Ticking(lab, old).tick() == []
    assert lab.run(old, select=["raw"]).said("raw")["jammi/is_current"] is False
    with pytest.raises(TableHeld):
        recompute(lab.store, defs, "raw", instance=lab.instance)
    assert "does not become current" in _planned(lab, old)

    (tmp_path / "raw.txt").write_text("b")
    assert "does not become current" not in _planned(lab, new)
    assert evaluate(lab, new).holds == {}
    ticking = Ticking(lab, new)
    assert ticking.settle()[0]["raw"] == "computed"
    assert lab.store.holds() == {}
    assert values(lab.store.read("raw")) == ["b", "2"]


def _planned(lab: Lab, assets: Sequence[Any]) -> str:
    (row,) = plan(definitions(lab, assets), "raw", instance=lab.instance).rows
    return row.reasons[-1] if row.reasons else ""


@pytest.mark.slow
def test_a_tick_ends_a_hold_when_the_code_agrees(lab: Lab, branch: Lab, tmp_path: Path) -> None:
    """Without a run: nothing else is stale. A recompute finds no hold either."""
    promote(
        branch.store,
        definitions(lab, pipeline(tmp_path)),
        "default",
        ahead_of_code=True,
        instance=lab.instance,
    )
    ticking = Ticking(lab, pipeline(tmp_path, "2"))
    assert ticking.tick() == []
    assert lab.store.holds() == {}


@pytest.mark.slow
def test_a_recompute_of_code_that_agrees_ends_a_hold(lab: Lab, branch: Lab, tmp_path: Path) -> None:
    """It computes the definition that the hold waits for."""
    promote(
        branch.store,
        definitions(lab, pipeline(tmp_path)),
        "default",
        ahead_of_code=True,
        instance=lab.instance,
    )
    merged = definitions(lab, pipeline(tmp_path, "2"))
    assert recompute(lab.store, merged, "raw", instance=lab.instance).recomputed[0].outcome == "reproduced"
    assert lab.store.holds() == {}


@pytest.mark.slow
def test_a_definition_that_cannot_be_known_refuses(lab: Lab, branch: Lab, tmp_path: Path) -> None:
    """The plan says why; the table may be promoted and held all the same."""

    class Config(dg.Config):
        rows: int

    @result_table(reads=[], code_version="1")
    def raw(config: Config) -> pa.Table:
        return table(*range(config.rows))

    defs = definitions(lab, [raw])
    made = promotion_plan(branch.store, defs, "default", ["raw"], instance=lab.instance)
    assert made.refusals["raw"].startswith("its definition in the code of default is not known: ")
    with pytest.raises(PromotionRefused, match="is not known"):
        promote(branch.store, defs, "default", ["raw"], plan=made, instance=lab.instance)
    promote(branch.store, defs, "default", ["raw"], ahead_of_code=True, instance=lab.instance)
    assert list(lab.store.holds()) == ["raw"]


@pytest.mark.slow
def test_tables_are_named_as_dagster_names_assets(lab: Lab, branch: Lab, tmp_path: Path) -> None:
    """Assets, keys and selections, as well as names and `asset@partition`; one of other code is not compared."""
    new = pipeline(tmp_path, "2")
    defs = definitions(lab, new)

    def planned(tables: Any, defs: dg.Definitions = defs) -> list[str]:
        made = promotion_plan(branch.store, defs, "default", tables, instance=lab.instance)
        return sorted(row.table for row in made.rows)

    assert planned(new[:2]) == ["low", "raw"]
    assert planned(dg.AssetKey("cut")) == ["cut[a]", "cut[b]"]
    assert planned("low+") == ["cut[a]", "cut[b]", "low"]
    assert planned(["cut@b", "low"]) == ["cut[b]", "low"]
    others = promotion_plan(branch.store, definitions(lab, new[:1]), "default", instance=lab.instance)
    assert [row.code_definition is None for row in others.rows] == [True, True, True, False]


@pytest.mark.slow
def test_a_fan_in_is_compared_over_the_tables_that_come_along(lab: Lab, tmp_path: Path) -> None:
    """Its definition names its inputs: partitions that the promotion brings are among them."""

    @result_table(reads=[], code_version="1", partitions_def=letters)
    def part(context: dg.AssetExecutionContext) -> pa.Table:
        return table(context.partition_key)

    @result_table(code_version="1")
    def whole(part: dict[str, pa.Table]) -> pa.Table:
        return pa.concat_tables(part.values())

    branch = Lab(lab.root, lab.instance, options={"deployment": "branch"})
    lab.run([part], partition="a")
    for letter in "ab":
        branch.run([part], partition=letter, tags={"jammi/cache": "bypass"})
    branch.run([part, whole], select=["whole"])
    defs = definitions(lab, [part, whole])
    made = promotion_plan(branch.store, defs, "default", instance=lab.instance)
    assert made.refusals == {}
    assert promotion_plan(branch.store, defs, "default", "whole", instance=lab.instance).refusals.keys() == {
        "whole"
    }
    promote(branch.store, defs, "default", plan=made, instance=lab.instance)
    assert evaluate(lab, [part, whole]).tables == {}


@pytest.mark.slow
def test_a_pickle_of_the_branch_is_promoted_only_where_it_is_trusted(lab: Lab) -> None:
    """Whoever reads it in production would run code that the branch wrote; no option but the asset's allows it."""

    @result_table(reads=[], code_version="1", format="pickle")
    def model() -> Any:
        return {"weights": [1, 2]}

    branch = Lab(lab.root, lab.instance, options={"deployment": "branch"})
    branch.run([model])
    defs = definitions(lab, [model])
    why = promotion_plan(branch.store, defs, "default", ahead_of_code=True, instance=lab.instance).refusals
    assert "was written by deployment branch, and reading its format runs code" in why["model"]
    with pytest.raises(PromotionRefused, match="trust_other_deployments=True in the decorator of its asset"):
        promote(branch.store, defs, "default", ahead_of_code=True, instance=lab.instance)
    trusting = result_table(
        reads=[], code_version="1", format="pickle", trust_other_deployments=True, name="model"
    )(model.result_table.function)
    promote(branch.store, definitions(lab, [trusting]), "default", instance=lab.instance)
    assert lab.store.tables() == ["model"]


@pytest.mark.slow
def test_a_branch_with_a_parent_gives_what_it_made(lab: Lab, tmp_path: Path) -> None:
    """Tables that it reads from production stay there; below its change production becomes stale."""
    (tmp_path / "raw.txt").write_text("a")
    lab.run(pipeline(tmp_path), select=["raw", "low"])
    branch = Lab(lab.root, lab.instance, options={"deployment": "branch", "parent": "default"})
    branch.run(pipeline(tmp_path, "2"), select=["raw"])
    defs = definitions(lab, pipeline(tmp_path, "2"))
    made = promotion_plan(branch.store, defs, "default", instance=lab.instance)
    assert [row.table for row in made.rows] == ["raw"]
    assert (made.refusals, made.becoming_stale) == ({}, ("low",))
    promote(branch.store, defs, "default", plan=made, instance=lab.instance)
    assert _ids(lab.store) == _ids(branch.store)
    assert {t: state.kind for t, state in evaluate(lab, pipeline(tmp_path, "2")).tables.items()} == {
        "low": "stale"
    }


def _run_job(lab: Lab, assets: Sequence[Any], job: Any, **config: Any) -> dict[str, Any]:
    """Run the job as Dagster does, and give the metadata of its op."""
    defs = definitions(lab, assets, jobs=[job])
    (op,) = (node.name for node in job.nodes)
    result = (
        defs.get_repository_def()
        .get_job(job.name)
        .execute_in_process(
            instance=lab.instance,
            run_config={
                "ops": {op: {"config": config}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
        )
    )
    output: Any
    (output,) = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
    return {key: value.value for key, value in output.event_specific_data.metadata.items()}


@pytest.mark.slow
def test_a_job_of_production_promotes_a_branch(lab: Lab, branch: Lab, tmp_path: Path) -> None:
    """Its dry run shows the plan; the record names the run; production's instance has the events."""
    assets = pipeline(tmp_path, "2")
    job = build_promotion_job(defs=lambda: definitions(lab, assets))
    dry = _run_job(lab, assets, job, source="branch", dry_run=True, tables=["cut@a", "low", "raw"])
    assert [row["table"] for row in dry["plan"]["rows"]] == ["cut[a]", "low", "raw"]
    assert lab.store.promotions() == []
    before = len(_events(lab, "low"))
    done = _run_job(lab, assets, job, source="branch", reason="release")["promotion"]
    assert _ids(lab.store) == _ids(branch.store)
    assert done["by"].startswith("run ")
    assert len(_events(lab, "low")) == before + 1
