"""An identity is the same in every process: as a script or imported, whatever the hash seed."""

import shutil
from pathlib import Path

import pytest
from fingerprint_kit import SHOP, Project, run, run_script

SHOW = """
import dataclasses, json
from jammi_dagster.fingerprint import identify
def show(*functions):
    print(json.dumps([dict(dataclasses.asdict(i), named=i.named) for i in map(identify, functions)]))
"""

SCRIPT = """
import enum
from show import show
from pipelines import steps
from pipelines.steps import first
SCALE = 2
class Colour(enum.Enum):
    RED = 1
def make(value):
    def g():
        return value
    return g
def f(x):
    return first.apply(x) * SCALE
def everything():
    return [f, make({"b", "a", "c"}), make(Colour.RED), make(f), make(Colour)]
if __name__ == "__main__":
    show(*everything())
"""

IMPORTED = "from show import show; from pipelines.script import everything; show(*everything())"


@pytest.fixture
def scripts(pipelines: Project) -> Path:
    pipelines.write({"pipelines/script.py": SCRIPT, "show.py": SHOW})
    return pipelines.root


def test_a_script_is_what_it_is_when_imported(scripts: Path) -> None:
    """A function of a script, run by path or by `-m`, has the identity of the imported module's function."""
    imported = run(IMPORTED, cwd=scripts, path=scripts, PYTHONHASHSEED="1")
    assert imported[0]["unresolved"] == []
    assert set(imported[0]["named"]) >= {
        "constant SCALE (pipelines/script.py)",
        "helper apply (pipelines/steps/third.py)",
    }
    by_path = run_script(["pipelines/script.py"], cwd=scripts, path=scripts, PYTHONHASHSEED="2")
    by_name = run_script(["-m", "pipelines.script"], cwd=scripts.parent, path=scripts, PYTHONHASHSEED="3")
    assert imported == by_path == by_name


def test_optimised_code_has_the_same_identity(scripts: Path) -> None:
    """Without assertions (`-O`) this package sees the imports that a later function makes for the module."""
    later = "global tool\n    from pipelines.steps.first import apply as tool\n"
    text = f"def f():\n    return tool()\ndef up():\n    {later}"
    (scripts / "later.py").write_text(f"from show import show\n{text}if __name__ == '__main__': show(f)\n")
    plain, optimised = (
        run_script([*flags, "later.py"], cwd=scripts, path=scripts)
        for flags in (
            (),
            ("-O",),
        )
    )
    assert plain == optimised
    assert any(name.startswith("helper apply") for name in plain[0]["named"])


def test_a_function_typed_in_is_unresolved(project: Project) -> None:
    """In a REPL, `-c` or standard input there is no file to read."""
    (identity,) = run(SHOW + "def f(): pass\nshow(f)\n", cwd=project.root, path=project.root)
    assert identity["unresolved"] == ["f has no source file: define it in a module, or give code_version="]
    assert identity["components"] == []


ORDERS = (
    "shop.flow",
    "shop.stats.core, shop.plugins, shop.flow",
    "shop.models, shop.text, shop.stats, shop.flow",
)


def test_the_sample_has_one_identity_everywhere(tmp_path: Path) -> None:
    """Hash seed, folder and order of imports mean nothing."""
    found = []
    for number, order in enumerate(ORDERS):
        folder = tmp_path / f"place {number}"
        shutil.copytree(SHOP, folder / "shop", ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "show.py").write_text(SHOW)
        code = f"import {order}; from show import show; show(shop.flow.report)"
        found += run(code, cwd=tmp_path, path=folder, PYTHONHASHSEED=str(number))
    assert found[0] == found[1] == found[2]
    assert found[0]["unresolved"] == []
