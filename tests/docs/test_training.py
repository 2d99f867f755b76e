"""The training pipeline of the guide `objects`, with steps in processes of their own and over a restart."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from waiting_kit import MOST_SECONDS

pytestmark = pytest.mark.slow  # each step is a process

HERE = Path(__file__).parent
GUIDE = HERE.parents[1] / "docs" / "guides" / "objects.md"


def test_a_hyper_parameter_moves_model_predictions_and_metrics(tmp_path: Path) -> None:
    """Twice the same: all reused, by the processes of a second launch too; another `alpha`: exactly these three."""
    found = re.search(
        r'^```python title="training.py"\n(.*?)^```$', GUIDE.read_text(), re.DOTALL | re.MULTILINE
    )
    assert found is not None
    (tmp_path / "training.py").write_text(found[1])
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    path = os.pathsep.join([str(HERE), str(tmp_path), str(HERE.parents[1])])
    environment = {**os.environ, "PYTHONPATH": path, "DAGSTER_HOME": str(tmp_path)}

    def computed(*alphas: str) -> list[set[str]]:
        ended = subprocess.run(
            [sys.executable, str(HERE / "training_run.py"), *alphas],
            env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=MOST_SECONDS, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        return [set(tables) for tables in json.loads(ended.stdout.splitlines()[-1])]

    below = {"model", "predictions", "metrics"}
    assert computed("1") == [{"features", "split", *below}]
    assert computed("1", "10") == [set(), below]
