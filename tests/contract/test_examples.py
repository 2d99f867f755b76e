"""The examples in the docstrings of the contract."""

import doctest
import importlib
import pkgutil

import pytest

from jammi_dagster import contract

MODULES = ["jammi_dagster.contract"] + [
    f"jammi_dagster.contract.{module.name}" for module in pkgutil.iter_modules(contract.__path__)
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings_hold(name: str) -> None:
    """Every example in a docstring gives the output that stands below it."""
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_values_of_the_contract_have_an_example() -> None:
    """Every public class with more than a name and a digest shows one example."""
    plain = {"AnchorKind", "ArtifactDigest", "CachePolicy", "DefinitionHash", "Difference", "Leaf"}
    values = [value for name, value in vars(contract).items() if isinstance(value, type)]
    assert {value.__name__ for value in values if ">>>" not in (value.__doc__ or "")} == plain
