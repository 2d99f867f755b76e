"""Stores on real folders, closed after the test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from jammi_dagster import ResultStore

# a machine that is busy with other things is no failure
settings.register_profile("jammi", deadline=None)
settings.load_profile("jammi")


@pytest.fixture
def open_store(tmp_path: Path) -> Iterator[Callable[..., ResultStore]]:
    """Open a store, by default on the test's one root, and close all of them in the end."""
    opened = []

    def open_one(
        root: str | Path = tmp_path / "root", catalog: str | None = None, **options: Any
    ) -> ResultStore:
        store = ResultStore(str(root), catalog, **options)
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[..., ResultStore]) -> ResultStore:
    """A store on the test's root, which is empty."""
    return open_store()
