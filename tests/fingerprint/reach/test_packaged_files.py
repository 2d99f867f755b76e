"""Files of the own package that a module reads when it is loaded."""

import pytest
from fingerprint_kit import Project

from jammi_dagster.fingerprint import CodeIdentity

READS = {
    "a path of the module": "A = (Path(__file__).parent / 'q.sql').read_text()",
    "a resolved path": "A = Path(__file__).resolve().parent.joinpath('q.sql').read_text(encoding='utf-8')",
    "a folder in a variable": "HERE = Path(__file__).parent\nA = (HERE / 'q.sql').read_bytes()",
    "open": "with open(os.path.join(os.path.dirname(__file__), 'q.sql')) as h:\n    A = h.read()",
    "a resource": "A = importlib.resources.files('p').joinpath('q.sql').read_text()",
}
OUTSIDE = {
    "a computed name": "A = (Path(__file__).parent / str('q.sql')).read_text()",
    "a way out of the folder": "A = (Path(__file__).parent / '../p/q.sql').read_text()",
    "a folder that is bound twice": "H = Path(__file__).parent\nif A0: H = Path('p')\nA = (H / 'q.sql').read_text()",
    "a relative path": "A = Path('p/q.sql').read_text()",
    "a body": "def g(): return (Path(__file__).parent / 'q.sql').read_text()\nA = g()",
    "a mode to write": "with open(os.path.join(os.path.dirname(__file__), 'q.sql'), 'r+') as h:\n    A = h.read()",
}
HEAD = "import importlib.resources, os\nfrom pathlib import Path\nA0 = ''\n"


def of(project: Project, text: str) -> CodeIdentity:
    project.write({"p/__init__.py": "", "p/a.py": f"{HEAD}{text}\ndef f(): return A\n"})
    return project.identity("p.a.f")


@pytest.mark.parametrize("text", READS.values(), ids=READS)
def test_a_file_of_the_package_is_a_component(project: Project, text: str) -> None:
    """A constant path within the package is hashed with the code; a change of it asks for a restart."""
    project.write({"p/q.sql": "select 1"})
    found = of(project, text)
    assert (found.outside, found.unresolved) == ((), ())
    assert "file p/q.sql" in found.named
    project.write({"p/q.sql": "select 2"})
    assert any("restart" in reason for reason in project.identity("p.a.f").unresolved)


@pytest.mark.parametrize("text", OUTSIDE.values(), ids=OUTSIDE)
def test_any_other_path_is_a_read(project: Project, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that is computed, leaves the package or is read by a body is an undeclared read."""
    project.write({"p/q.sql": "select 1"})
    monkeypatch.chdir(project.root)
    assert of(project, text).outside
