"""A table below models of dbt; `make dbt` runs these, in an environment that has `dagster_dbt` and dbt on duckdb."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, table
from dagster_dbt import DbtCliResource, DbtProject, dbt_assets
from sensing_kit import Ticking, definitions, evaluate, kinds

from jammi_dagster import plan, result_table
from jammi_dagster.adapters.judgement.wording import reasons

FILES = {
    "dbt_project.yml": """
name: shop
version: "1.0"
config-version: 2
profile: shop
flags: {send_anonymous_usage_stats: false}
vars: {least: 1}
models: {shop: {+materialized: table}}
""",
    "profiles.yml": """
shop:
  target: dev
  outputs:
    dev: {type: duckdb, path: WAREHOUSE}
""",
    "models/sources.yml": """
version: 2
sources:
  - {name: raw, schema: main, tables: [{name: numbers}]}
""",
    "models/parts.sql": """
{{ config(materialized='ephemeral') }}
select x from {{ source('raw', 'numbers') }}
""",
    "models/mart.sql": "select {{ doubled('x') }} as x from {{ ref('parts') }} where x >= {{ var('least') }}",
    "macros/doubled.sql": "{% macro doubled(column) %}{{ column }} * 2{% endmacro %}",
}


class Shop:
    """A project of dbt on a warehouse of its own, and a table of ours below its model."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.warehouse = folder / "shop", folder / "warehouse.duckdb"
        for name, text in FILES.items():
            self.write(name, text.replace("WAREHOUSE", str(self.warehouse)))
        self.numbers(1, 2)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip())

    def numbers(self, *values: int) -> None:
        """Change the source."""
        with duckdb.connect(str(self.warehouse)) as connection:
            rows = ", ".join(f"({value})" for value in values)
            connection.execute(f"create or replace table numbers as select * from (values {rows}) t(x)")

    def assets(self) -> list[Any]:
        """Load the project as a code location does: dbt parses it."""
        project = DbtProject(project_dir=self.folder, profiles_dir=self.folder)
        project.preparer.prepare(project)

        manifest = json.loads(project.manifest_path.read_text())  # of a path, a process keeps the first one

        @dbt_assets(manifest=manifest, project=project)
        def shop(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Any:
            yield from dbt.cli(["build"], context=context).stream()

        warehouse = str(self.warehouse)

        @result_table(deps=["mart"], reads=[], allow_reads=["*"], code_version="1")
        def below() -> pa.Table:
            with duckdb.connect(warehouse, read_only=True) as connection:
                rows = connection.sql("select x from mart order by x").fetchall()
            note([x for (x,) in rows])
            return table(*(x for (x,) in rows))

        return [shop, below]


@pytest.fixture
def shop(tmp_path: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    made = Shop(tmp_path)
    lab.more["dbt"] = DbtCliResource(project_dir=str(made.folder), profiles_dir=str(made.folder))
    return made


def test_a_changed_source_reaches_the_table_by_a_run_of_dbt(lab: Lab, shop: Shop) -> None:
    """Unchanged SQL over a changed source: the run of dbt is a new version. Without one the table is reused."""
    assets = shop.assets()
    assert lab.run(assets).calls == [[2, 4]]
    shop.numbers(1, 2, 3)
    assert lab.run(assets, select=[assets[1]]).outcomes["below"] == "reused"
    assert not evaluate(lab, assets).tables
    lab.run(assets, select=["mart"])
    assert reasons(evaluate(lab, assets).tables["below"]) == ["mart changed: dbt model mart has run since"]
    rows = plan(definitions(lab, assets), selection=assets[1], instance=lab.instance).rows
    assert rows[0].reasons == ("input dagster:default/mart changed: dbt model mart has run since",)
    sensor = Ticking(lab, assets)
    assert sensor.settle() == [{"below": "computed"}]
    assert lab.store.read("below").column("x").to_pylist() == [2, 4, 6]


def test_changed_code_without_a_run_is_stale(lab: Lab, shop: Shop) -> None:
    """A changed var is seen at once, a changed macro once the code location is loaded again."""
    assets = shop.assets()
    lab.run(assets)
    assert not evaluate(lab, assets).tables
    shop.write("dbt_project.yml", FILES["dbt_project.yml"].replace("least: 1", "least: 2"))
    assert kinds(evaluate(lab, assets)) == {"below": "stale"}
    shop.write("dbt_project.yml", FILES["dbt_project.yml"])
    shop.write("macros/doubled.sql", "{% macro doubled(column) %}2 * {{ column }}{% endmacro %}")
    found = evaluate(lab, shop.assets())
    assert kinds(found) == {"below": "stale"}
    assert "changed, and it has not run since" in reasons(found.tables["below"])[0]


def test_a_model_that_never_ran_is_unpinned(lab: Lab, shop: Shop) -> None:
    """The reason names the model and the way out."""
    assets = shop.assets()
    with duckdb.connect(str(shop.warehouse)) as connection:
        connection.execute("create table mart as select 1 as x")
    ran = lab.run(assets, select=[assets[1]])
    assert "dbt model mart has no materialization" in ran.why_unpinned("below")
