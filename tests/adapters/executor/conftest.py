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


@pytest.fixture(params=["batching", "in memory"])
def any_lab(
    request: pytest.FixtureRequest, tmp_path: Path, instance_on_sqlite: dg.DagsterInstance
) -> Iterator[Lab]:
    taken()
    instance = (
        request.getfixturevalue("instance_in_memory") if request.param == "in memory" else instance_on_sqlite
    )
    instance.wipe()
    made = Lab(tmp_path / "store", instance)
    yield made
    made.store.close()
