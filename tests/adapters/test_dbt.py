"""Models of dbt as upstreams: assets with the metadata of `dagster_dbt` over a manifest that is made by hand.

`make dbt` proves the same with dbt itself.
"""

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, table
from sensing_kit import Ticking, definitions, evaluate, kinds

from jammi_dagster import plan, result_table
from jammi_dagster.adapters.judgement.wording import reasons

MART = {
    "resource_type": "model",
    "raw_code": "select {{ doubled('x') }} from {{ ref('parts') }} where x >= {{ var('least') }}",
    "config": {"materialized": "table", "tags": [], "meta": {}},
    "depends_on": {"macros": ["macro.shop.doubled"], "nodes": ["model.shop.parts"]},
    "created_at": 1.5,
    "description": "",
}
PARTS = {
    "raw_code": "select x from {{ source('raw', 'numbers') }}",
    "config": {"materialized": "ephemeral"},
    "depends_on": {"macros": [], "nodes": ["source.shop.raw.numbers"]},
}
MANIFEST: dict[str, Any] = {
    "nodes": {
        "model.shop.mart": MART,
        "model.shop.parts": PARTS,
        "model.shop.other": {"raw_code": "select 1", "config": {"materialized": "table"}},
    },
    "macros": {
        "macro.shop.doubled": {
            "macro_sql": "{{ inner(c) }} * 2",
            "depends_on": {"macros": ["macro.shop.inner"]},
        },
        "macro.shop.inner": {"macro_sql": "{{ c }}", "depends_on": {"macros": []}},
        "macro.shop.unused": {"macro_sql": "1", "depends_on": {"macros": []}},
    },
}
PROJECT = "vars:\n  least: 1\n  unused: 1\n"


@dataclass(frozen=True)
class Wrapper:
    """The wrapper of a manifest in the metadata, as `dagster_dbt` has it."""

    manifest: dict[str, Any]


@dataclass(frozen=True)
class Project:
    project_dir: Path


def models(
    manifest: dict[str, Any], folder: Path, data_version: str | None = None, **names: list[str]
) -> Any:
    """The assets of `@dbt_assets`: `names` are models with the models that they read."""
    metadata = {"dagster_dbt/manifest": Wrapper(manifest), "dagster_dbt/project": Project(folder)}
    specs = [
        dg.AssetSpec(
            name,
            deps=deps,
            metadata={**metadata, "dagster_dbt/unique_id": f"model.shop.{name}"},
            skippable=True,
        )
        for name, deps in (names or {"mart": []}).items()
    ]

    @dg.multi_asset(specs=specs, can_subset=True, name="shop")
    def shop(context: dg.AssetExecutionContext) -> Any:
        for key in (spec.key for spec in specs if spec.key in context.selected_asset_keys):
            version = None if data_version is None else dg.DataVersion(data_version)
            yield dg.MaterializeResult(asset_key=key, data_version=version)

    return shop


@result_table(deps=["mart"], reads=[], code_version="1")
def below() -> pa.Table:
    note("below")
    return table(1)


def edited(*path: str, to: Any) -> dict[str, Any]:
    manifest = copy.deepcopy(MANIFEST)
    at = manifest
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = to
    return manifest


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "dbt_project.yml").write_text(PROJECT)
    return tmp_path


def test_each_run_of_dbt_is_a_version(lab: Lab, project: Path) -> None:
    """Without one the table below is reused; after one with unchanged SQL it is computed. The reason names it."""
    assets = [models(MANIFEST, project), below]
    assert lab.run(assets).calls == ["below"]
    assert lab.run(assets, select=[below]).outcomes == {"below": "reused"}
    assert not evaluate(lab, assets).tables
    lab.run(assets, select=["mart"])
    why = "dagster:default/mart changed: dbt model mart has run since"
    state = evaluate(lab, assets).tables["below"]
    assert (state.kind, reasons(state)) == ("stale", [why.removeprefix("dagster:default/")])
    (planned,) = plan(definitions(lab, assets), selection=below, instance=lab.instance).rows
    assert planned.reasons == (f"input {why}",)
    ran = lab.run(assets, select=[below])
    assert (ran.calls, ran.said("below")["jammi/why"]) == (["below"], f"input {why}")
    assert ran.said("below")["jammi/inputs"] == "1 input, 1 changed"


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "sql": (edited("nodes", "model.shop.mart", "raw_code", to="select 2"), PROJECT),
    "config": (edited("nodes", "model.shop.mart", "config", "materialized", to="incremental"), PROJECT),
    "macro": (edited("macros", "macro.shop.doubled", "macro_sql", to="3"), PROJECT),
    "macro_of_macro": (edited("macros", "macro.shop.inner", "macro_sql", to="3"), PROJECT),
    "ephemeral": (edited("nodes", "model.shop.parts", "raw_code", to="select 2 as x"), PROJECT),
    "var": (MANIFEST, PROJECT.replace("least: 1", "least: 2")),
    "computed_var": (
        edited("macros", "macro.shop.inner", "macro_sql", to="{{ var(name) }}"),
        PROJECT.replace("unused: 1", "unused: 2"),
    ),
}
NO_CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "unused_macro": (edited("macros", "macro.shop.unused", "macro_sql", to="3"), PROJECT),
    "unused_var": (MANIFEST, PROJECT.replace("unused: 1", "unused: 2")),
    "other_model": (edited("nodes", "model.shop.other", "raw_code", to="select 2"), PROJECT),
    "parsed_again": (edited("nodes", "model.shop.mart", "created_at", to=2.5), PROJECT),
    "words": (edited("nodes", "model.shop.mart", "description", to="about"), PROJECT),
    "tags": (edited("nodes", "model.shop.mart", "config", "tags", to=["nightly"]), PROJECT),
}


def test_changed_code_without_a_run_is_stale(lab: Lab, project: Path) -> None:
    """The closure counts: SQL, config, macros, vars, ephemeral models. Nothing else of the project does."""
    lab.run([models(MANIFEST, project), below])
    for case, (manifest, text) in {**CHANGES, **NO_CHANGES}.items():
        (project / "dbt_project.yml").write_text(text)
        found = evaluate(lab, [models(manifest, project), below])
        if case in NO_CHANGES:
            assert not found.tables, case
        else:
            assert kinds(found) == {"below": "stale"}, case
            (why,) = reasons(found.tables["below"])
            assert why.endswith(
                "vars or ephemeral models of dbt model mart changed, and it has not run since"
            ), case


def test_a_model_without_an_event_is_unpinned(lab: Lab, project: Path) -> None:
    """The reason names the model and the way out."""
    ran = lab.run([models(MANIFEST, project), below], select=[below])
    assert (
        "dbt model mart has no materialization from before it was read: run it in Dagster"
        in ran.why_unpinned("below")
    )


@pytest.mark.slow  # some runs more
def test_a_version_of_the_users_comes_first(lab: Lab, project: Path) -> None:
    """Another run with the same data version is the same version, whatever the code."""
    lab.run([models(MANIFEST, project, "v1"), below])
    assert lab.anchors("below")["dagster:default/mart"].anchor == "v1"
    again = [models(CHANGES["sql"][0], project, "v1"), below]
    assert lab.run(again).outcomes["below"] == "reused"


@pytest.mark.slow  # some runs more
@pytest.mark.parametrize(
    ("materialized", "kind"),
    [("view", {"below": "stale"}), ("table", {})],
)
def test_a_view_shows_the_tables_below_it(
    lab: Lab, project: Path, materialized: str, kind: dict[str, str]
) -> None:
    """What it shows changes when one of them is run, even if the view itself is not."""
    manifest = edited("nodes", "model.shop.mart", "config", "materialized", to=materialized)
    assets = [models(manifest, project, other=[], mart=["other"]), below]
    lab.run(assets)
    lab.run(assets, select=["other"])
    assert kinds(evaluate(lab, assets)) == kind


@pytest.mark.slow  # the tests above prove the same of the verdict
def test_the_sensor_asks_for_the_table_below(lab: Lab, project: Path) -> None:
    """After a run of dbt the tick requests it once, and rests."""
    assets = [models(MANIFEST, project), below]
    lab.run(assets)
    sensor = Ticking(lab, assets)
    assert sensor.settle() == []
    lab.run(assets, select=["mart"])
    assert sensor.settle() == [{"below": "computed"}]
