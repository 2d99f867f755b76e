"""The measure of docstrings, and the texts that only hold on one machine."""

import subprocess
from pathlib import Path

import pytest

from tools import language

PLAIN = '"""A module."""\n\ndef f():\n    """Return the sum of both numbers."""\n'


def committed(root: Path, **files: str) -> Path:
    """A repository with these files, `__` standing for `/`."""
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    for name, text in files.items():
        path = root / (name.replace("__", "/") + (".py" if name != "README" else ""))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_docstrings_are_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Words and docstrings are counted; code, comments and names are not."""
    source = (
        '"""What is whatever."""\n\nwhat = 1  # what\n\nclass C:\n    """Of old, it does what it can."""\n'
    )
    root = committed(tmp_path, jammi_dagster__a=source, tests__b=PLAIN)
    found = language.measure(root, language.committed(root), "jammi_dagster")
    assert (found.docstrings, found.words, len(found.whats), len(found.openings)) == (2, 10, 2, 2)
    assert found.opening_percent == 100.0
    assert language.main([str(root)]) == 1
    assert "jammi_dagster/a.py:1: What is whatever." in capsys.readouterr().out


def test_plain_docstrings_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The figures are printed all the same."""
    assert language.main([str(committed(tmp_path, jammi_dagster__a=PLAIN, tests__b=PLAIN))]) == 0
    assert '"what" 0.0 per 1,000 (at most 1), openings 0.0 %' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("see /ho" + "me/ada/project", "/ho" + "me/ada"),
        ("cd /Us" + "ers/ada", "/Us" + "ers/ada"),
        ("index = https://py" + "pi.org/simple", "py" + "pi.org"),
        ("a registry.npm" + "js.org", "npm" + "js.org"),
        ("/tmp/x and data/home/x and https://example.com/home/x", None),
        ("a home/work balance, /data/orders.csv", None),
    ],
)
def test_texts_of_one_machine_are_refused(tmp_path: Path, text: str, named: str | None) -> None:
    """An absolute path below somebody's home, the host of a registry; anything else passes."""
    root = committed(tmp_path, jammi_dagster__a=PLAIN, tests__b=PLAIN, README=f"one\n{text}\n")
    found = list(language.machine_texts("README", (root / "README").read_text()))
    assert (found != []) == (named is not None)
    assert language.main([str(root)]) == (named is not None)
    if named is not None:
        assert found[0].startswith("README:2: ")
        assert named in found[0]
