"""Importing the package costs nothing that is not used."""

import pytest
from core_kit import run

import jammi_dagster


def test_every_public_name_resolves() -> None:
    """All names of `__all__` load, and `dir` shows them."""
    for name in jammi_dagster.__all__:
        assert getattr(jammi_dagster, name) is not None
    assert set(jammi_dagster.__all__) <= set(dir(jammi_dagster))
    assert jammi_dagster.__all__ == sorted(jammi_dagster.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As with any module."""
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        jammi_dagster.nonsense  # noqa: B018


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import jammi_dagster", ["dagster", "pyarrow", "sqlalchemy", "networkx", "alembic", "fsspec"]),
        ("from jammi_dagster import InputAnchor, Staleness", ["dagster", "pyarrow", "sqlalchemy", "alembic"]),
        ("import jammi_dagster.testing", ["dagster", "pyarrow", "sqlalchemy", "pytest"]),
        ("import jammi_dagster.testing.pytest_plugin", ["dagster", "pyarrow", "sqlalchemy"]),
        (
            "from jammi_dagster import ResultStore",
            ["dagster", "alembic", "pyarrow.dataset", "fsspec", "pandas"],
        ),
    ],
)
def test_imports_are_lazy(statement: str, absent: list[str]) -> None:
    """A process pays for what it touches: the contract needs no database, the store no Dagster."""
    loaded = run(f"{statement}\nimport sys\nprint(*sys.modules)").split()
    assert not set(absent) & set(loaded)
