"""The reference is complete: each public name, metadata key, argument and setting has its place."""

import re
from pathlib import Path

import pytest

import jammi_dagster
from jammi_dagster import contract, surfaces
from jammi_dagster.adapters import metadata_keys

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def test_every_public_name_is_in_the_api_reference() -> None:
    """And nothing else is, so that a name that goes takes its entry along."""
    shown = set(re.findall(r"^::: (\S+)$", (REFERENCE / "api.md").read_text(), re.MULTILINE))
    public = {f"jammi_dagster.{name}" for name in jammi_dagster.__all__}
    public |= {f"jammi_dagster.surfaces.{name}" for name in surfaces.__all__}
    public |= {
        f"jammi_dagster.contract.{name}" for name in set(contract.__all__) - set(jammi_dagster.__all__)
    }
    assert shown == public


@pytest.mark.parametrize("name", [name for name in dir(metadata_keys) if name.isupper()])
def test_every_key_of_this_package_is_explained(name: str) -> None:
    """A key that a user meets in Dagster's UI can be looked up."""
    key = getattr(metadata_keys, name)
    if isinstance(key, str) and key.startswith("jammi/"):
        assert f"`{key}`" in (REFERENCE / "metadata-keys.md").read_text()
