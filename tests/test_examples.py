"""The examples in docstrings."""

import doctest
import importlib
from pathlib import Path

import pytest

import jammi_dagster
from jammi_dagster import contract

PACKAGE = Path(jammi_dagster.__file__).parent
MODULES = [
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted(PACKAGE.rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings_hold(name: str) -> None:
    """Every example in a docstring gives the output that stands below it."""
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_values_of_the_contract_have_an_example() -> None:
    """Every class of the contract that is more than a name, a digest or a list of fields shows one example."""
    plain = {
        "Acceptance",
        "AnchorKind",
        "ArtifactDigest",
        "CachePolicy",
        "DefinitionHash",
        "Difference",
        "Leaf",
    }
    values = [value for value in vars(contract).values() if isinstance(value, type)]
    assert {value.__name__ for value in values if ">>>" not in (value.__doc__ or "")} == plain
