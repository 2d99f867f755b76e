"""A store with a Dagster instance in memory; tests that need SQLite or processes make their own."""

import importlib
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import dagster as dg
import pytest
from adapters_kit import Lab, taken

_OF_DAGSTER = (
    # a resource within a resource makes Dagster use its own deprecated property
    "ignore:InitResourceContext.dagster_run is deprecated:DeprecationWarning",
    # Dagster asks a resource class without fields for pydantic's old name of them
    "ignore:The `__fields__` attribute is deprecated:DeprecationWarning",
    # and an observable source asset for its own old name of the code version
    "ignore:Property `OpDefinition.version` is deprecated:DeprecationWarning",
    # what users of Dagster take all the same: backfill policies, partition mappings
    "ignore:.*is currently in beta:dagster.BetaWarning",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            for warning in _OF_DAGSTER:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture(scope="session")
def instance_in_memory() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def lab(tmp_path: Path, instance_in_memory: dg.DagsterInstance) -> Iterator[Lab]:
    taken()
    instance_in_memory.wipe()  # as good as a new one, and a third of a test's time
    made = Lab(tmp_path / "store", instance_in_memory)
    yield made
    made.store.close()


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], ModuleType]]:
    """Writes a module and imports it anew: what a change of code is in a new process."""
    folder = tmp_path / "code"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    written = set()

    def write(name: str, source: str) -> ModuleType:
        (folder / f"{name}.py").write_text(textwrap.dedent(source))
        shutil.rmtree(folder / "__pycache__", ignore_errors=True)
        sys.modules.pop(name, None)
        written.add(name)
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield write
    for name in written:
        sys.modules.pop(name, None)
