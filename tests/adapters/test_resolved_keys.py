"""Assets as Dagster loads them from modules, folders and merged definitions: their resolved keys count."""

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg
import pytest
from adapters_kit import Lab

from jammi_dagster import LineageResource, build_staleness_sensor, finalize, recompute

PIPE = """
    import pyarrow as pa
    from jammi_dagster import result_table

    @result_table(reads=[], code_version="{version}")
    def top() -> pa.Table:
        return pa.table({{"x": ["{version}"]}})

    @result_table(code_version="1")
    def foot(top: pa.Table) -> pa.Table:
        return top
"""


def from_modules(lab: Lab, module: ModuleType) -> dg.Definitions:
    """All assets of a module, under a prefix and in a group that the loader gives."""
    assets = dg.load_assets_from_modules([module], key_prefix=["new", "place"], group_name="loaded")
    return dg.Definitions(assets, resources=lab.resources)


def merged(lab: Lab, module: ModuleType) -> dg.Definitions:
    """One asset from each of two definitions, the resources from the second."""
    top, foot = dg.load_assets_from_modules([module], key_prefix=["new", "place"])
    return dg.Definitions.merge(dg.Definitions([top]), dg.Definitions([foot], resources=lab.resources))


def tick(lab: Lab, defs: dg.Definitions, target: Any) -> tuple[list[str], str]:
    """The assets that a tick requests, and its message."""
    sensor = build_staleness_sensor(target=target)
    defs = dg.Definitions.merge(defs, dg.Definitions(sensors=[sensor]))
    done = sensor.evaluate_tick(dg.build_sensor_context(instance=lab.instance, definitions=defs))
    asked = [
        key.to_user_string() for request in done.run_requests or () for key in request.asset_selection or ()
    ]
    return sorted(asked), str(done.skip_message or "")


@pytest.mark.parametrize("load", [from_modules, merged])
def test_everything_is_asked_under_the_resolved_keys(
    lab: Lab, module: Callable[[str, str], ModuleType], load: Callable[[Lab, ModuleType], dg.Definitions]
) -> None:
    """A run, `finalize`, the sensor, recompute and lineage agree about the keys."""
    defs = finalize(load(lab, module("resolved_pipe", PIPE.format(version=1))))
    job = defs.resolve_implicit_global_asset_job_def()
    assert job.execute_in_process(instance=lab.instance).success
    assert sorted(lab.store.tables()) == ["new/place/foot", "new/place/top"]
    lineage = LineageResource(store=lab.store_resource)
    assert lineage.compare_with_assets(defs, instance=lab.instance).agrees
    assert [edge.derived for edge in lineage.derives_from(dg.AssetKey(["new", "place", "top"]))] == [
        "new/place/foot"
    ]
    report = recompute(lab.store, defs, "new/place/top", instance=lab.instance)
    assert report.downstream_stale == ()
    assert tick(lab, defs, "*") == ([], "2 fresh, 0 stale, 0 undecidable.")

    newer = finalize(load(lab, module("resolved_pipe", PIPE.format(version=2))))
    both = ["new/place/foot", "new/place/top"]
    assert tick(lab, newer, dg.AssetSelection.key_prefixes(["new", "place"]))[0] == both
    assert tick(lab, newer, "new/place/top*")[0] == both
    if load is from_modules:
        assert tick(lab, newer, dg.AssetSelection.groups("loaded"))[0] == both


def test_two_groups_over_two_prefixes(lab: Lab, module: Callable[[str, str], ModuleType]) -> None:
    """The same functions loaded twice are two pipelines with tables of their own."""

    def load(version: int) -> dg.Definitions:
        loaded = module("resolved_pipe", PIPE.format(version=version))
        assets = [
            asset
            for place in ("one", "two")
            for asset in dg.load_assets_from_modules([loaded], key_prefix=place, group_name=place)
        ]
        return dg.Definitions(assets, resources=lab.resources)

    assert load(1).resolve_implicit_global_asset_job_def().execute_in_process(instance=lab.instance).success
    assert sorted(lab.store.tables()) == ["one/foot", "one/top", "two/foot", "two/top"]
    assert tick(lab, load(2), dg.AssetSelection.groups("two"))[0] == ["two/foot", "two/top"]


def test_a_defs_folder(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Assets that `dg` finds in a project's folder."""
    project = tmp_path / "project"
    folder = project / "src" / "resolved_project" / "defs"
    folder.mkdir(parents=True)
    (project / "pyproject.toml").write_text(
        '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "resolved_project"\n'
    )
    (folder.parent / "__init__.py").write_text("")
    (folder / "__init__.py").write_text("")
    (folder / "pipe.py").write_text(textwrap.dedent(PIPE.format(version=1)))
    monkeypatch.syspath_prepend(str(project / "src"))
    found = dg.load_from_defs_folder(path_within_project=project)
    defs = finalize(dg.Definitions.merge(found, dg.Definitions(resources=lab.resources)))
    assert defs.resolve_implicit_global_asset_job_def().execute_in_process(instance=lab.instance).success
    assert sorted(lab.store.tables()) == ["foot", "top"]
    assert tick(lab, defs, "*") == ([], "2 fresh, 0 stale, 0 undecidable.")
    for name in [name for name in sys.modules if name.startswith("resolved_project")]:
        monkeypatch.delitem(sys.modules, name)


COMPONENT = """
import dagster as dg
import pyarrow as pa
from jammi_dagster import result_table

class Tables(dg.Component, dg.Model, dg.Resolvable):
    prefix: str
    version: str

    def build_defs(self, context):
        @result_table(key=[self.prefix, "top"], reads=[], code_version=self.version)
        def top() -> pa.Table:
            return pa.table({"x": [1]})

        @result_table(key_prefix=self.prefix, ins={"top": dg.AssetIn([self.prefix, "top"])}, code_version="1")
        def foot(top: pa.Table) -> pa.Table:
            return top

        return dg.Definitions([top, foot])
"""


def test_components(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two instances of one component, each by a `defs.yaml`: their tables have the resolved keys."""
    project = tmp_path / "project"
    root = project / "src" / "component_project"
    (root / "defs").mkdir(parents=True)
    (project / "pyproject.toml").write_text(
        '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "component_project"\n'
    )
    for folder in (root, root / "defs"):
        (folder / "__init__.py").write_text("")
    (root / "tables.py").write_text(COMPONENT)

    def load(version: str) -> dg.Definitions:
        for prefix in ("one", "two"):
            (root / "defs" / prefix).mkdir(exist_ok=True)
            given = version if prefix == "two" else "1"
            (root / "defs" / prefix / "defs.yaml").write_text(
                f"type: component_project.tables.Tables\nattributes:\n  prefix: {prefix}\n  version: v{given}\n"
            )
        found = dg.load_from_defs_folder(path_within_project=project)
        return finalize(dg.Definitions.merge(found, dg.Definitions(resources=lab.resources)))

    monkeypatch.syspath_prepend(str(project / "src"))
    defs = load("1")
    assert defs.resolve_implicit_global_asset_job_def().execute_in_process(instance=lab.instance).success
    assert sorted(lab.store.tables()) == ["one/foot", "one/top", "two/foot", "two/top"]
    assert tick(lab, defs, "*")[0] == []
    assert tick(lab, load("2"), "*")[0] == ["two/foot", "two/top"]
    for name in [name for name in sys.modules if name.startswith("component_project")]:
        monkeypatch.delitem(sys.modules, name)
