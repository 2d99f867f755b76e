"""Roots in real runs: a relative one that comes with the run, and the log line that names the root."""

from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, table
from project_kit import Folders

from jammi_dagster import ResultStore, ResultStoreResource, result_table
from jammi_dagster.errors import NoProjectFolder

ENVIRONMENT = "store = ResultStoreResource(root=dg.EnvVar('ROOT_OF_TEST'))"
BY_DEFAULT = """
class Ours(ResultStoreResource):
    root: str = dg.EnvVar('ROOT_OF_TEST')
store = Ours()
"""
RUN_CONFIG = "store = ResultStoreResource.configure_at_launch(catalog='catalog.db')"
LAUNCH = "store = ResultStoreResource.configure_at_launch(root='results')"


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    return Folders(tmp_path, monkeypatch)


@dg.asset
def root_of_run(store: ResultStoreResource) -> str:
    opened = store.get()
    opened.database.make()
    return str(opened.artifacts.local_root)


def root_in_run(store: Any, root: str | None = None) -> str:
    """Run an asset that takes the store; Dagster makes the resource anew for it."""
    config = {} if root is None else {"resources": {"store": {"config": {"root": root}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        resources = {"store": store, "io_manager": dg.InMemoryIOManager()}
        ran = dg.materialize([root_of_run], instance=instance, resources=resources, run_config=config)
        return str(ran.output_for_node("root_of_run"))


@pytest.mark.parametrize("way", [ENVIRONMENT, BY_DEFAULT, RUN_CONFIG, LAUNCH])
def test_a_root_that_comes_with_the_run_starts_at_the_project(
    folders: Folders, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """A root from the environment, a default or run config starts at the project that constructed the resource."""
    monkeypatch.setenv("ROOT_OF_TEST", "results")
    store = folders.load("project/src/later.py", way).store
    root = "results" if way is RUN_CONFIG else None
    assert root_in_run(store, root) == str(folders.project / "results")
    assert (folders.project / "catalog.db").exists() is (way is RUN_CONFIG)


@pytest.mark.parametrize("way", [ENVIRONMENT, RUN_CONFIG])
def test_a_root_that_comes_with_the_run_needs_a_project_if_it_is_relative(
    folders: Folders, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """An absolute root runs anywhere; a relative one of code without a project fails, and says the way out."""
    store = folders.load("no_project/late.py", way.replace("catalog='catalog.db'", "")).store
    for root in ("results", str(folders.home / "absolute")):
        monkeypatch.setenv("ROOT_OF_TEST", root)
        given = root if way is RUN_CONFIG else None
        if Path(root).is_absolute():
            assert root_in_run(store, given) == root
            continue
        with pytest.raises(dg.DagsterError) as caught:
            root_in_run(store, given)
        assert isinstance(caught.value.__cause__, NoProjectFolder)
        assert "it is relative, and no pyproject.toml lies above the file" in str(caught.value.__cause__)


def test_an_io_manager_with_a_root_of_the_environment(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store within an IO manager keeps its project through each of the copies that Dagster makes of it."""
    monkeypatch.setenv("ROOT_OF_TEST", "results")
    text = f"{ENVIRONMENT}\nmanager = ResultTableIOManager(store=store)"
    manager = folders.load("project/src/within.py", text).manager

    @result_table(reads=[])
    def made() -> pa.Table:
        return table(1)

    assert dg.materialize([made], resources={"io_manager": manager}).success
    assert ResultStore(str(folders.project / "results")).tables() == ["made"]


def test_the_log_of_a_run_names_the_root_once(lab: Lab) -> None:
    """The first step says which store it is on, whether it computes or reuses; the next one does not repeat it."""

    @result_table(reads=[])
    def first() -> pa.Table:
        return table(1)

    @result_table
    def second(first: pa.Table) -> pa.Table:
        return first

    for beginning in ("computing first: first time", "reused first: "):
        lines = lab.run([first, second]).captured
        (line,) = [line for line in lines if line.endswith(f"(store {lab.root})")]
        assert line.startswith(beginning)


def test_a_definition_does_not_hold_the_project(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that takes the store is made the same way wherever the project folder was found from."""

    @result_table(reads=[])
    def asked(store: ResultStoreResource) -> pa.Table:
        return table(store.deployment)

    outcomes = []
    for folder in (None, "/one", "/another"):
        lab.more["store"] = ResultStoreResource(root=str(lab.root), project_folder=folder)
        outcomes.append(lab.run(asked).outcomes["asked"])
    assert outcomes == ["computed", "reused", "reused"]
