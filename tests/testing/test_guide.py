"""The guide's examples, laid out as the files that they name and run by pytest as a user would."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "testing.md"


@pytest.mark.slow
def test_every_example_runs(tmp_path: Path) -> None:
    """Each Python block has the name of its file as title; together they are a suite that passes without a warning."""
    blocks = re.findall(r'```python title="(\w+\.py)"\n(.*?)```', GUIDE.read_text(), re.DOTALL)
    assert len(blocks) == GUIDE.read_text().count("```python")
    for name, source in blocks:
        (tmp_path / name).write_text(source)
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    tests = sum(source.count("\ndef test_") for _, source in blocks)
    assert f"{tests} passed" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0
