"""The wheel: the package alone, and all that it needs to run in an environment that has nothing else."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[1]

_PIPELINE = """
import pyarrow as pa
from jammi_dagster import CachePolicy, result_table

@result_table(cache=CachePolicy.USE, reads=[])
def numbers() -> pa.Table:
    return pa.table({"n": [1, 2, 3]})
"""
_RUN = """
import sys
import dagster as dg
from jammi_dagster import ResultStoreResource, ResultTableIOManager
from pipeline import numbers

manager = ResultTableIOManager(store=ResultStoreResource(root=sys.argv[1]))
done = dg.materialize([numbers], resources={"io_manager": manager})
made = done.asset_materializations_for_node("numbers")[0]
print(made.metadata["jammi/cache_outcome"].value, made.metadata["dagster/row_count"].value)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the project."""
    folder = tmp_path_factory.mktemp("dist")
    _call(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, PROJECT)
    return next(folder.glob("*.whl"))


def _call(*command: object) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_the_wheel_holds_the_package_alone(wheel: Path) -> None:
    """Every file of the package, with what is no Python, and nothing of tests, demo or benchmarks."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = (path for path in (PROJECT / "jammi_dagster").rglob("*") if path.is_file())
    wanted = {str(path.relative_to(PROJECT)) for path in files if "__pycache__" not in path.parts}
    assert names == wanted
    assert {"jammi_dagster/py.typed", "jammi_dagster/catalog/migrations/script.py.mako"} <= names
    assert any(name.startswith("jammi_dagster/catalog/migrations/versions/") for name in names)


def test_an_asset_runs_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    """Installed with its own requirements and no more, an asset is computed, and reused in a new process."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    _call(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
    (tmp_path / "pipeline.py").write_text(_PIPELINE)
    (tmp_path / "run.py").write_text(_RUN)
    ran = [_call(python, tmp_path / "run.py", tmp_path / "root") for _ in range(2)]
    assert ran == ["computed 3", "reused 3"]
