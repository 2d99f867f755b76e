"""Targets: code as `dagster` names it, or a store; a target that is none is one line on stderr and exit code 1."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli_kit import PIPELINE, Project, ask

from jammi_dagster import ResultStore
from jammi_dagster.cli.loading import CodeLocation, of_pyproject, of_workspace


@pytest.fixture(autouse=True)
def _own_modules(ran: Project) -> Iterator[None]:
    """Modules of one test are not another's."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(ran.folder.parents[1])):
            del sys.modules[name]


WORKSPACE = (
    "load_from:\n  - python_file: {relative_path: pipeline.py, working_directory: ., location_name: shop}\n"
)
LAZY = """
import dagster as dg
import pipeline


@dg.definitions
def all_of():
    return pipeline.defs
"""
TARGETS = {
    "a file": (("-f", "pipeline.py"), {}),
    "a file and its attribute": (("-f", "pipeline.py", "-a", "defs"), {}),
    "a file from elsewhere": (("-f", "pipeline.py", "-d", "."), {}),
    "a module": (("-m", "shop.definitions"), {"shop/definitions.py": PIPELINE, "shop/__init__.py": ""}),
    "a module elsewhere": (("-m", "flow", "-d", "lib"), {"lib/flow.py": PIPELINE}),
    "a workspace": (("-w", "workspace.yaml"), {"workspace.yaml": WORKSPACE}),
    "a workspace in the folder": ((), {"workspace.yaml": WORKSPACE}),
    "pyproject, one module": ((), {"pyproject.toml": '[tool.dagster]\nmodule_name = "pipeline"\n'}),
    "pyproject, a list": (
        (),
        {"pyproject.toml": '[tool.dagster]\nmodules = [{type = "module", name = "pipeline"}]\n'},
    ),
    "pyproject of dg": (
        (),
        {
            "pyproject.toml": '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "shop"\n',
            "src/shop/__init__.py": "",
            "src/shop/definitions.py": PIPELINE,
        },
    ),
    "a function of definitions": (
        ("-f", "lazy.py"),
        {"lazy.py": LAZY},
    ),
    "a workspace of two, one named": (
        ("-w", "two.yaml", "-l", "shop"),
        {"two.yaml": WORKSPACE + "  - python_module: other\n"},
    ),
}


@pytest.mark.parametrize("name", TARGETS)
def test_code_is_named_as_dagster_names_it(
    name: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of Dagster's ways to name a code location lead to the same assets."""
    monkeypatch.chdir(project.folder)
    options, files = TARGETS[name]
    for path, text in files.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)
    answer = ask("explain", *options, "--json")
    assert answer.err == ""
    assert set(answer.json["assets"]) == {"orders", "by_letter", "total", "clocked"}
    assert sys.path == [one for one in sys.path if one != os.fspath(project.folder)]


def test_a_project_without_a_module_of_definitions_loads_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project that `dg` made may autoload the folder `defs`."""
    monkeypatch.chdir(tmp_path)
    text = '[tool.dg.project]\nroot_module = "shop"\nautoload_defs = true\ncode_location_name = "east"\n'
    Path("pyproject.toml").write_text(text)
    assert of_pyproject() == [CodeLocation(kind="autoload", place="shop.defs", name="east")]


def test_workspace_paths_start_at_the_workspace(tmp_path: Path) -> None:
    """A relative path in a workspace is relative to its file."""
    file = tmp_path / "deep" / "workspace.yaml"
    file.parent.mkdir()
    file.write_text(
        "load_from:\n  - python_file: {relative_path: a.py, working_directory: src}\n  - python_package: b\n"
    )
    one, two = of_workspace(str(file))
    assert (one.place, one.working_directory) == (str(file.parent / "a.py"), str(file.parent / "src"))
    assert (two.kind, two.place) == ("module", "b")


USAGE = {
    "no command": (),
    "an unknown command": ("statsu",),
    "an unknown option": ("status", "--stor", "x"),
    "no target": ("status",),
    "two kinds of code": ("status", "-f", "pipeline.py", "-m", "pipeline"),
    "code and a store": ("status", "-f", "pipeline.py", "--store", "results"),
    "a catalog without a store": ("status", "-f", "pipeline.py", "--catalog", "x.db"),
    "a plan of a store": ("plan", "--store", "results"),
    "a missing argument": ("history", "--store", "results"),
    "a depth of nothing": ("lineage", "total", "--depth", "0", "--store", "results"),
    "options that are no JSON": ("status", "--store", "results", "--storage-options", "{key: 1"),
    "tags that are no JSON": ("plan", "-f", "pipeline.py", "--tags", "a=b"),
    "a range without an end": ("plan", "by_letter", "-f", "pipeline.py", "--partition-range", "a"),
    "a range and a partition": (
        *("plan", "by_letter", "-f", "pipeline.py", "--partition-range", "a...b", "--partition", "a"),
    ),
    "a config that is not there": ("plan", "-f", "pipeline.py", "--config", "none.yaml"),
    "a plan that is not there": ("plan", "-f", "pipeline.py", "--check", "none.json"),
    "a plan with a selection of its own": ("plan", "total", "-f", "pipeline.py", "--check", "plan.json"),
    "an attribute without code": ("status", "-a", "defs"),
    "an unknown location": ("status", "-w", "workspace.yaml", "-l", "nowhere"),
}


@pytest.mark.parametrize("name", USAGE)
def test_errors_of_usage_exit_with_one(name: str, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """2 means work to do, so that click's own code for a wrong usage must not be it."""
    monkeypatch.chdir(project.folder)
    Path("workspace.yaml" if "location" in name else "unused.yaml").write_text(WORKSPACE)
    answer = ask(*USAGE[name])
    assert answer.code == 1
    assert answer.out == ""
    assert "jammi-dagster" in answer.err
    assert "Traceback" not in answer.err


def broken(project: Project, text: str) -> tuple[str, ...]:
    (project.folder / "broken.py").write_text(text)
    return ("status", "-f", "broken.py")


FAULTS: dict[str, tuple[Callable[[Project], tuple[str, ...]], str]] = {
    "a module that fails to import": (
        lambda p: broken(p, "import dagster\n\nimport no_such_module\n"),
        "code broken.py: it cannot be loaded, ModuleNotFoundError: No module named 'no_such_module' (broken.py:3)",
    ),
    "a module with a slip": (
        lambda p: broken(p, "x = (1\n"),
        "SyntaxError: '(' was never closed (broken.py:1); correct the line",
    ),
    "a module whose message holds a secret": (
        lambda p: broken(p, "raise OSError('postgresql://me:hunter2@db/x')\n"),
        "OSError: postgresql://me:***@db/x (broken.py:1)",
    ),
    "a module that exits": (lambda p: broken(p, "raise SystemExit(0)\n"), "SystemExit: 0 (broken.py:1)"),
    "a module without definitions": (lambda p: broken(p, "x = 1\n"), "it holds no Definitions"),
    "two definitions": (
        lambda p: broken(p, "import dagster as dg\na, b = dg.Definitions(), dg.Definitions()\n"),
        "it holds 2 definitions: a, b; name one of them with --attribute",
    ),
    "a module that is not there": (
        lambda p: ("status", "-m", "no.such"),
        "code no.such: it cannot be loaded",
    ),
    "a file that is not there": (lambda p: ("status", "-f", "none.py"), "there is no such file"),
    "a workspace of another process": (
        lambda p: ("status", "-w", str(_written(p, "load_from:\n  - grpc_server: {port: 4266}\n"))),
        "it loads code from a grpc_server, which is another process",
    ),
    "a workspace that is no YAML": (
        lambda p: ("status", "-w", str(_written(p, "a: [\n"))),
        "it cannot be loaded",
    ),
    "an unmounted root": (
        lambda p: ("status", "--store", "gone"),
        "store gone: there is no such folder; check that it is mounted",
    ),
    "a wrong folder": (
        lambda p: ("verify", "--store", "."),
        "store .: there is no catalog catalog.db; check that",
    ),
    "a broken catalog": (lambda p: _damaged(p), "catalog"),
    "a remote root without a catalog": (
        lambda p: ("status", "--store", "memory://tables"),
        "a remote root needs catalog=",
    ),
    "an unknown table": (
        lambda p: ("history", "totla", "--store", "results"),
        "table totla does not exist in deployment default (near names: total)",
    ),
    "an unknown partition": (
        lambda p: ("verify", "by_letter[c]", "--store", "results"),
        "near names: by_letter[",
    ),
    "an unknown asset": (lambda p: ("plan", "totla", "-f", "pipeline.py"), "target totla names no assets"),
    "an unknown deployment": (
        lambda p: ("lineage", "nope", "--store", "results", "--deployment", "nope"),
        "results has no table in it; name one of default",
    ),
    "an unknown asset of a question": (
        lambda p: ("why", "totla", "-f", "pipeline.py"),
        "table totla does not exist in deployment default, and no asset has that name (near names: total)",
    ),
    "an asset that was never materialized": (
        lambda p: ("history", "never", "-f", _with_asset(p)),
        "table never does not exist in deployment default: its asset was not materialized there",
    ),
    "an asset of another IO manager": (
        lambda p: ("why", "other", "-f", _with_asset(p, "dg.asset(io_manager_key='files')", "other")),
        "table other does not exist in deployment default: its asset is on another IO manager, and so no result table",
    ),
    "an unknown asset to explain": (
        lambda p: ("explain", "totla", "-f", "pipeline.py"),
        "no asset is named totla (near names: total)",
    ),
    "a selection that fits nothing": (
        lambda p: ("plan", "key:totl*", "-f", "pipeline.py"),
        "target key:totl* names no assets: the code has none that fits it",
    ),
    "an unknown deployment of the code": (
        lambda p: ("status", "--deployment", "nope", "-f", "pipeline.py"),
        "has no table in it; name one of default",
    ),
    "an unknown deployment of a table of the code": (
        lambda p: ("rollback", "total", "--to", "2100-01-01", "--deployment", "nope", "-f", "pipeline.py"),
        "has no table in it; name one of default",
    ),
    "a catalog for a root": (
        lambda p: ("status", "--store", "results/catalog.db"),
        "store results/catalog.db: it is a file; give the folder of the tables",
    ),
    "a report into no folder": (
        lambda p: ("report", "--store", "results", "-o", "none/report.md"),
        "file none/report.md: it cannot be written, No such file or directory",
    ),
    "a report into a folder": (
        lambda p: ("report", "--store", "results", "-o", "results"),
        "file results: it cannot be written, Is a directory",
    ),
    "a plan saved into no folder": (
        lambda p: ("plan", "-f", "pipeline.py", "--save", "none/plan.json"),
        "file none/plan.json: it cannot be written",
    ),
    "a range of an asset that takes none": (
        lambda p: ("plan", "by_letter", "-f", "pipeline.py", "--partition-range", "a...b"),
        "a range of assets with BackfillPolicy.single_run(), which by_letter has not",
    ),
    "a slip that Dagster finds": (
        lambda p: broken(p, "import dagster as dg\n\n\n@dg.asset(name='ü')\ndef f():\n    return 1\n"),
        "(broken.py:4)",
    ),
    "an unknown partition of a plan": (
        lambda p: ("plan", "by_letter", "-f", "pipeline.py", "--partition", "z"),
        "field partitions is z",
    ),
    "an unknown op in the config": (lambda p: _config(p), "field ops is nope"),
    "a plan of another format": (lambda p: _plan(p), "make the plan again with this version"),
}


def _with_asset(project: Project, decorator: str = "result_table(reads=[])", name: str = "never") -> str:
    project.edit(
        "defs = finalize(\n    dg.Definitions([",
        f"@{decorator}\ndef {name}() -> pa.Table:\n    return pa.table({{'n': [1]}})\n\n\n"
        f"defs = finalize(\n    dg.Definitions([{name}, ",
    )
    project.edit('resources={"io_manager"', 'resources={"files": dg.FilesystemIOManager(), "io_manager"')
    return "pipeline.py"


def _written(project: Project, text: str) -> Path:
    (project.folder / "other.yaml").write_text(text)
    return project.folder / "other.yaml"


def _damaged(project: Project) -> tuple[str, ...]:
    for file in Path(project.root).glob("catalog.db*"):
        file.unlink()
    Path(project.root, "catalog.db").write_bytes(b"no database, only text " * 100)
    return ("status", "--store", "results")


def _config(project: Project) -> tuple[str, ...]:
    (project.folder / "run.yaml").write_text("ops: {nope: {config: {limit: 1}}}")
    return ("plan", "-f", "pipeline.py", "--config", "run.yaml")


def _plan(project: Project) -> tuple[str, ...]:
    (project.folder / "plan.json").write_text('{"format": 99, "rows": []}')
    return ("plan", "-f", "pipeline.py", "--check", "plan.json")


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_one_line_and_exit_code_one(
    name: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line names the value and the way out; there is no traceback, no secret, and nothing on stdout."""
    monkeypatch.chdir(project.folder)
    command, said = FAULTS[name]
    answer = ask(*command(project), "--json")
    assert answer.code == 1
    assert answer.out == ""
    assert said in answer.err
    assert answer.err.startswith("Error: ")
    assert answer.err.count("\n") == 1
    assert "hunter2" not in answer.err


def test_a_wrong_folder_stays_as_it_was(tmp_path: Path) -> None:
    """A question makes no catalog where there is none."""
    for command in ("status", "verify", "recover", "doctor"):
        assert ask(command, "--store", str(tmp_path)).code == 1
    assert list(tmp_path.iterdir()) == []


def test_a_code_location_with_two_stores_needs_a_choice(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question about a store names the stores of the code; `status` counts the tables of both."""
    other = str(tmp_path / "other")
    ResultStore(other).close()
    project.edit(
        "resources={",
        f"resources={{'second': ResultTableIOManager(store=ResultStoreResource(root={other!r})), ",
    )
    project.edit(
        '@result_table(cache="use")\ndef clocked', '@result_table(io_manager_key="second")\ndef clocked'
    )
    answer = ask("history", "total", "-f", project.file)
    assert answer.code == 1
    assert "the code has 2 stores" in answer.err
    assert other in answer.err
    assert ask("status", "-f", project.file, "--json").json["totals"]["missing"] == 1


def test_code_that_prints_does_not_disturb_the_answer(project: Project) -> None:
    """Stdout holds the JSON alone; the print of a module goes to stderr."""
    project.edit("import time", "import time\nprint('loaded')")
    answer = ask("status", "-f", project.file, "--json")
    assert answer.json["command"] == "status"
    assert answer.err == "loaded\n"


def test_the_traceback_of_an_error_is_there_for_the_asking(project: Project) -> None:
    project.write("raise RuntimeError('odd')")
    with pytest.raises(Exception, match="odd"):
        _raised("--traceback", "status", "-f", project.file)


def _raised(*arguments: str) -> None:
    from jammi_dagster.cli.program import program

    program.main(list(arguments), standalone_mode=False)
