"""Whose a module is: first-party by its source, a library by its version, or neither."""

import os
import shutil
import sys
from importlib.machinery import ModuleSpec
from importlib.metadata import version
from importlib.util import spec_from_file_location

import pytest
from fingerprint_kit import Project, installed

from jammi_dagster.fingerprint import CodeIdentity, identify
from jammi_dagster.fingerprint.sources.distributions import owners


@pytest.fixture(params=["site-packages", "dist-packages", "target"])
def site(request: pytest.FixtureRequest, project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Return a folder that distributions are installed in; `pip install --target` gives it any name."""
    monkeypatch.syspath_prepend(project.root / request.param)
    return Project(project.root / request.param)


def importing(project: Project, statement: str) -> CodeIdentity:
    """Return the identity of a function that reaches all of a module with this statement."""
    project.write({"main.py": "import alone\ndef f(): return vars(alone)\n", "alone.py": statement + "\n"})
    return project.identity("main.f")


def places(identity: CodeIdentity) -> set[str]:
    """Return the files with reached code, besides the function's own."""
    return {component.where for component in identity.components} - {"main.py"}


@pytest.mark.parametrize(
    ("statement", "files", "expected"),
    [
        ("import lib", ["lib/__init__.py"], {"the-lib": "1.5"}),
        ("from lib.sub import K", ["lib/__init__.py", "lib/sub.py"], {"the-lib": "1.5"}),
        ("import lib", ["lib.py"], {"the-lib": "1.5"}),
        ("def g():\n    import lib.absent", ["lib/__init__.py"], {"the-lib": "1.5"}),
        ("import space.part", ["space/part/__init__.py"], {"the-lib": "1.5"}),
        ("import json, sys, os.path", ["lib.py"], {}),
    ],
)
def test_a_library_counts_by_its_version(
    project: Project, site: Project, statement: str, files: list[str], expected: dict[str, str]
) -> None:
    """Installed code is no component; its distribution counts by name and version, whatever its modules are called."""
    site.write(installed("The.Lib", "1.5", files))
    identity = importing(project, statement)
    assert identity.libraries == expected
    assert places(identity) == {"alone.py"}
    assert identity.unresolved == ()


def test_a_library_is_not_in_the_digest(project: Project, site: Project) -> None:
    """The digest is of first-party code; the libraries stand beside it, for the environment."""
    site.write(installed("lib", "1", ["lib.py"]))
    before = importing(project, "import lib")
    shutil.rmtree(site.root / "lib-1.dist-info")
    site.write(installed("lib", "2", ["lib.py"]))
    again = importing(project, "import lib")  # a process runs the version it imported, and asks for a restart
    assert (again.digest, again.libraries) == (before.digest, before.libraries)
    assert again.outdated
    owners.cache_clear()
    after = importing(project, "import lib")
    assert (before.libraries, after.libraries) == ({"lib": "1"}, {"lib": "2"})
    assert before.digest == after.digest


@pytest.mark.parametrize("files", [["lib/__init__.py", "lib/sub.py"], ["lib.py"]])
def test_a_project_below_an_installation_of_the_same_name_is_first_party(
    project: Project, monkeypatch: pytest.MonkeyPatch, files: list[str]
) -> None:
    """A distribution owns the modules that lie where it put them, not a module of that name in a folder below."""
    project.write(installed("lib", "1", files))
    project.write({"checkout/lib.py": "K = 1\n"})
    monkeypatch.syspath_prepend(project.root / "checkout")
    found = importing(project, "from lib import K")
    assert (found.libraries, places(found)) == ({}, {"alone.py", "lib.py"})


def test_a_loose_file_among_the_installed_is_first_party(project: Project, site: Project) -> None:
    """A file that no distribution brought has no version: its source counts."""
    site.write({**installed("lib", "1", ["lib.py"]), "loose.py": "K = 1\n"})
    assert places(importing(project, "from loose import K\nimport lib")) == {"alone.py", "loose.py"}


def test_the_function_s_own_distribution_is_first_party(site: Project) -> None:
    """A pipeline that is installed as a wheel is code like any other, other wheels are libraries."""
    flow = ["flow/__init__.py", "flow/text.py", "flow_extra.py"]
    site.write({**installed("flow", "1", flow), **installed("lib", "2", ["lib.py"])})
    site.write({"flow/text.py": "import lib, flow_extra\ndef f(): return flow_extra.K, lib.K\n"})
    identity = site.identity("flow.text.f")
    assert places(identity) == {"flow/text.py", "flow_extra.py"}
    assert identity.libraries == {"lib": "2"}


def test_a_wheel_has_the_identity_of_its_checkout(project: Project, site: Project) -> None:
    """Installed or from a source tree, the same code has the same identity."""
    code = {
        "flow/__init__.py": "",
        "flow/text.py": "from flow import base\ndef f(): pass\n",
        "flow/base.py": "",
    }
    site.write({**installed("flow", "1", list(code)), **code})
    wheel = site.identity("flow.text.f")
    site.forget()
    for file in code:
        (site.root / file).unlink()
    assert project.write(code).identity("flow.text.f") == wheel


def test_an_editable_install_is_first_party(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The finder of an editable install is asked where its source tree is, before anything of it is imported."""
    project.write({"checkout/src/flow/__init__.py": "K = 1\n"})
    place = project.root / "checkout/src/flow/__init__.py"

    class Finder:
        __module__ = "__editable___flow_1_0_finder"

        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
            return spec_from_file_location(name, place) if name == "flow" else None

    monkeypatch.setattr("sys.meta_path", [*sys.meta_path, Finder])
    identity = importing(project, "def g():\n    import flow\n    return flow.K")
    assert places(identity) == {"alone.py", "flow/__init__.py"}
    assert "flow" not in sys.modules


def test_distributions_that_share_a_namespace_all_count(project: Project, site: Project) -> None:
    """Which of them a name in a shared namespace comes from is not asked: all are told."""
    site.write({**installed("s-one", "1", ["space/one.py"]), **installed("s-two", "2", ["space/two.py"])})
    assert importing(project, "import space.one").libraries == {"s-one": "1", "s-two": "2"}


@pytest.mark.parametrize("name", ["dagster", "dagster-polars", "jammi-dagster"])
def test_orchestration_is_no_library(project: Project, site: Project, name: str) -> None:
    """An upgrade of Dagster or of this package alone moves no hash."""
    site.write(installed(name, "1", ["orchestra.py"]))
    identity = importing(project, "import orchestra")
    assert (identity.libraries, places(identity)) == ({}, {"alone.py"})


def test_orchestration_in_a_checkout_is_neither(project: Project) -> None:
    """`dagster` and `jammi_dagster` are never first-party, wherever they lie; a project may be called like them."""
    project.write({"dagster_tutorial.py": "K = 1\n"})
    text = "def g():\n    import dagster, dagster_tutorial, jammi_dagster.fingerprint\n    return dagster_tutorial.K"
    identity = importing(project, text)
    assert places(identity) == {"alone.py", "dagster_tutorial.py"}
    assert identity.libraries == {}


def test_real_libraries_are_found() -> None:
    """In a real environment, one library is called like its distribution and one is not."""
    import libraries_sample

    assert identify(libraries_sample.f).libraries == {
        "numpy": version("numpy"),
        "pyyaml": version("PyYAML"),
    }


def test_only_what_is_used_counts(project: Project, site: Project) -> None:
    """A library that only other code of the module uses does not count for the function.

    A library that no code uses counts: it may be imported for its side effects."""
    site.write({**installed("one", "1", ["one.py"]), **installed("two", "2", ["two.py"])})
    text = "import one\nfrom two import K\ndef f(): return {}\ndef g(): return one.K, K\n"
    assert project.of_source(text.format("1")).libraries == {}
    assert project.of_source(text.format("one.K")).libraries == {"one": "1"}
    assert project.of_source(text.format("K")).libraries == {"two": "2"}
    assert project.of_source("import one\ndef f(): return 1\n").libraries == {"one": "1"}


@pytest.mark.parametrize("how", ["replaced", "rewritten", "removed"])
def test_a_library_that_is_upgraded_under_a_running_process_asks_for_a_restart(
    project: Project, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The loaded library is the old one, and the version on disk the new one: neither stands for the other."""
    folder = project.root / "site-packages"
    name = f"upgradable-{how}"
    Project(folder).write(installed(name, "1.0", ["upgradable.py"]))
    monkeypatch.syspath_prepend(folder)
    project.write({"alone.py": "import upgradable\ndef f(): return upgradable.K\n"})
    f = project.load("alone").f
    assert not identify(f).unresolved
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    if how != "rewritten":
        shutil.rmtree(info)
    if how == "replaced":
        Project(folder).write(installed(name, "2.0", ["upgradable.py"]))
    if how == "rewritten":
        os.utime(info / "METADATA", (1, 1))
    assert [name in reason for reason in identify(f).outdated] == [True]


@pytest.mark.parametrize("kept", [False, True], ids=["new times", "old times"])
@pytest.mark.parametrize("name", ["late", "py-late-{}"], ids=["its own name", "another name"])
def test_a_library_that_was_upgraded_before_the_first_look_asks_for_a_restart(
    project: Project, monkeypatch: pytest.MonkeyPatch, name: str, kept: bool
) -> None:
    """The loaded module tells its version, however the distribution is called; an installer may keep old times."""
    top = f"late_{'kept' if kept else 'new'}_{'own' if name == 'late' else 'other'}"
    name = top if name == "late" else name.format(top)
    folder = project.root / "site-packages"
    Project(folder).write(
        {**installed(name, "1.0", [f"{top}.py"]), f"{top}.py": "__version__ = '1.0'\nK = 1\n"}
    )
    monkeypatch.syspath_prepend(folder)
    project.write({"alone.py": f"import {top}\ndef f(): return {top}.K\n"})
    f = project.load("alone").f
    shutil.rmtree(folder / f"{name.replace('-', '_')}-1.0.dist-info")
    Project(folder).write(installed(name, "2.0", [f"{top}.py"]))
    if kept:
        os.utime(folder / f"{name.replace('-', '_')}-2.0.dist-info" / "METADATA", (1, 1))
    assert any("another version" in reason for reason in identify(f).outdated)
