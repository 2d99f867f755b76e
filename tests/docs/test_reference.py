"""The reference is complete, and pages for contributors name files that exist."""

import re
from pathlib import Path

import pytest

import jammi_dagster
from jammi_dagster import ResultStoreResource, ResultTableIOManager, contract, surfaces, testing
from jammi_dagster.adapters import metadata_keys

PROJECT = Path(__file__).parents[2]
REFERENCE = PROJECT / "docs" / "reference"
FOR_CONTRIBUTORS = ["CONTRIBUTING.md", "docs/contributing/architecture.md", "docs/contributing/design.md"]


def test_every_public_name_is_in_the_api_reference() -> None:
    """And nothing else is, so that a name that goes takes its entry along."""
    shown = set(re.findall(r"^::: (\S+)$", (REFERENCE / "api.md").read_text(), re.MULTILINE))
    public = {f"jammi_dagster.{name}" for name in jammi_dagster.__all__}
    public |= {f"jammi_dagster.surfaces.{name}" for name in surfaces.__all__}
    public |= {
        f"jammi_dagster.testing.{name}" for name in (*testing.__all__, "pytest_plugin.result_table_tester")
    }
    public |= {
        "jammi_dagster.adapters.event_log_storage.BatchingSqliteEventLogStorage",
        "jammi_dagster.adapters.postgres_event_log_storage.BatchingPostgresEventLogStorage",
    }
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


def test_every_setting_of_the_resources_is_explained() -> None:
    """A field that a user can set can be looked up."""
    settings = (REFERENCE / "settings.md").read_text()
    fields = {*ResultStoreResource.model_fields, *ResultTableIOManager.model_fields}
    assert [name for name in sorted(fields) if f"| `{name}` |" not in settings] == []


@pytest.mark.parametrize("page", FOR_CONTRIBUTORS)
def test_the_paths_on_a_page_exist(page: str) -> None:
    """A newcomer who follows a page to a room finds it. `build/site/` is made."""
    text = (PROJECT / page).read_text()
    named = set(re.findall(r"`([\w/.]+/[\w.]*)`", text)) - {
        "jammi/cache",
        "build/site/",
    }
    places = (
        PROJECT,
        PROJECT / "jammi_dagster",
        PROJECT / "jammi_dagster/adapters",
        PROJECT / "jammi_dagster/fingerprint",
    )
    assert named
    assert [name for name in sorted(named) if not any((place / name).exists() for place in places)] == []
