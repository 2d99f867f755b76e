"""Importing the package costs nothing that is not used."""

from pathlib import Path

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
            [
                "dagster",
                "alembic",
                "pyarrow.dataset",
                "fsspec",
                "pandas",
                "jammi_dagster.maintenance.recovery",
            ],
        ),
    ],
)
def test_imports_are_lazy(statement: str, absent: list[str]) -> None:
    """A process pays for what it touches: the contract needs no database, the store no Dagster."""
    loaded = run(f"{statement}\nimport sys\nprint(*sys.modules)").split()
    assert not set(absent) & set(loaded)


PIPELINE = """
import pyarrow as pa
from jammi_dagster import result_table

@result_table(reads=[])
def orders() -> pa.Table:
    return pa.table({"x": [1]})

@result_table
def clean(orders: pa.Table) -> pa.Table:
    return orders
"""
RUN = """
import sys
import dagster as dg
import pyarrow

@dg.asset
def plain() -> None: ...

with dg.DagsterInstance.ephemeral() as instance:
    dg.materialize([plain], instance=instance)
before = set(sys.modules)

sys.path.insert(0, sys.argv[1])
from pipeline import clean, orders
from jammi_dagster import ResultStoreResource, ResultTableIOManager

manager = ResultTableIOManager(store=ResultStoreResource(root=f"{sys.argv[1]}/store"), cache="use")
with dg.DagsterInstance.ephemeral() as instance:
    run = dg.materialize([orders, clean], resources={"io_manager": manager}, instance=instance)
for made in run.get_asset_materialization_events():
    print(made.materialization.metadata["jammi/cache_outcome"].value)
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before} - sys.stdlib_module_names))
print(*set(sys.modules) - before)
"""


@pytest.mark.slow
def test_a_reuse_loads_no_library_that_a_run_of_dagster_has_not_loaded(tmp_path: Path) -> None:
    """No pyarrow.dataset, ORM or migrations: a worker that reuses pays for this package alone."""
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    for outcome in ("computed", "reused"):
        *outcomes, packages, modules = run(RUN, tmp_path).splitlines()
        assert outcomes == [outcome, outcome]
        assert ("pyarrow.parquet" in modules.split()) == (outcome == "computed")
    assert packages == "jammi_dagster pipeline"
    assert "pyarrow." not in modules
