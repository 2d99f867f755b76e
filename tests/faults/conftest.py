"""Stores that the tests of this folder break."""

import logging
from collections.abc import Iterator

import pytest
from fault_runs_kit import Killer
from fault_stacks_kit import Shelf
from faults_kit import Seams
from faults_s3_kit import on_s3


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Log nothing: the faults are expected, and there are thousands."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def seams() -> Iterator[Seams]:
    """Stand before each operation of this process."""
    with Seams().installed() as installed, on_s3(installed):
        yield installed


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    """Processes to kill."""
    started = Killer()
    yield started
    started.close()


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """New stores of every kind."""
    with Shelf(tmp_path_factory.mktemp("shelf")) as opened:
        yield opened
