"""A lab on an instance on SQLite with our event log storage, beside the one in memory, whose storage is Dagster's."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from adapters_kit import Lab, taken
from executor_kit import batching


@pytest.fixture(scope="session")
def instance_on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    folder = tmp_path_factory.mktemp("batching")
    with dg.instance_for_test(temp_dir=str(folder), overrides=batching(folder)) as instance:
        yield instance


@pytest.fixture
def batching_lab(tmp_path: Path, instance_on_sqlite: dg.DagsterInstance) -> Iterator[Lab]:
    taken()
    instance_on_sqlite.wipe()
    made = Lab(tmp_path / "store", instance_on_sqlite)
    yield made
    made.store.close()


@pytest.fixture(params=["batching_lab", "lab"])
def any_lab(request: pytest.FixtureRequest) -> Lab:
    made: Lab = request.getfixturevalue(request.param)
    return made
