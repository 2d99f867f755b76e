"""The examples in the docstrings of the package."""

import doctest
import importlib
import pkgutil

import pytest

from jammi_dagster import fingerprint

MODULES = [
    module.name
    for module in pkgutil.walk_packages(fingerprint.__path__, f"{fingerprint.__name__}.")
    if not module.ispkg
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_true(name: str) -> None:
    """Every example runs as it is written."""
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples() -> None:
    """The rooms that read syntax trees have one example for each of their values at least."""
    runs = [doctest.testmod(importlib.import_module(name)) for name in MODULES]
    assert sum(run.attempted for run in runs) >= 20
