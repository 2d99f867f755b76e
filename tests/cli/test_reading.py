"""A question makes nothing on disk, and a store that is gone is no store without tables."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from cli_kit import Project, ask, ask_process, new_project

import jammi_dagster
from jammi_dagster.cli.loading import CodeLocation

READING: dict[str, tuple[str, ...]] = {
    "status": (),
    "plan": (),
    "why": ("total",),
    "diff": ("orders", "total"),
    "lineage": ("total",),
    "history": ("total",),
    "verify": (),
    "explain": (),
    "doctor": (),
    "report": (),
    "recover": ("--dry-run",),
    "adopt": ("--dry-run",),
}
NO_STORE = {"plan", "explain"}
FIRST_TIME = {"why": 1, "diff": 1, "lineage": 1, "history": 1, "plan": 2}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that never ran."""
    return new_project(tmp_path_factory.mktemp("fresh") / "project", ran=False)


def tree(folder: Path) -> dict[str, float]:
    """Every file and folder, with the time of its last change; SQLite's own files beside a catalog come and go."""
    found = (path for path in folder.rglob("*") if "__pycache__" not in path.parts)
    return {
        str(path): path.stat().st_mtime
        for path in found
        if not path.name.endswith(("-wal", "-shm")) and not (path / "catalog.db").exists()
    }


@pytest.mark.parametrize("command", READING)
def test_a_question_about_code_makes_nothing(command: str, fresh: Project) -> None:
    """Where nothing was ever run, each question has an answer, and the folder stays as it was."""
    before = tree(fresh.folder)
    answer = ask(command, *READING[command], "-f", fresh.file)
    assert tree(fresh.folder) == before
    assert answer.code == FIRST_TIME.get(command, 0), answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("command", READING)
def test_a_question_about_a_store_makes_nothing(command: str, project: Project) -> None:
    """Neither where there are tables, nor where there is no store."""
    if command in NO_STORE:
        return
    for root in (project.root, str(project.folder / "none"), str(project.folder)):
        before = tree(project.folder)
        answer = ask(command, *READING[command], "--store", root)
        assert tree(project.folder) == before
        assert answer.code == (0 if root == project.root else 1), answer.err


def test_a_first_plan_says_what_there_is_to_do(fresh: Project) -> None:
    """A plan before the first run lists every table, for the first time; so do status and doctor."""
    planned = ask("plan", "orders", "-f", fresh.file)
    assert planned.code == 2
    assert "first time" in planned.out
    assert ask("status", "-f", fresh.file, "--json").json["totals"] == {"missing": 5}
    assert "none yet; the first run makes it" in ask("doctor", "-f", fresh.file).out


def test_questions_of_python_make_nothing(fresh: Project) -> None:
    """`plan` and a store that is opened to read."""
    before = tree(fresh.folder)
    location = CodeLocation(kind="file", place=fresh.file, working_directory=str(fresh.folder))
    with dg.DagsterInstance.ephemeral() as instance:
        planned = jammi_dagster.plan(location.load(), instance=instance)
    assert planned.counts == {"compute": 5}
    store = jammi_dagster.ResultStore(str(fresh.folder / "elsewhere"))
    assert (store.tables(), store.reader.edges(), store.history("t")) == ([], [], [])
    with pytest.raises(jammi_dagster.errors.UnknownTable):
        store.staleness("t", "0" * 64)
    assert tree(fresh.folder) == before


def lose_catalog(project: Project) -> None:
    for file in Path(project.root).glob("catalog.db*"):
        file.unlink()


def lose_root(project: Project) -> None:
    shutil.rmtree(Path(project.root, "tables"))
    Path(project.root, "jammi-root.json").unlink()


LOST: dict[str, tuple[Callable[[Project], None], dict[str, str]]] = {
    "the catalog": (lose_catalog, dict.fromkeys(READING, "was lost") | {"explain": ""}),
    "the root": (
        lose_root,
        {"doctor": "not the root", "verify": "0 intact", "recover": "not the root"},
    ),
}


@pytest.mark.parametrize("lost", LOST)
def test_a_store_that_is_gone_is_named(lost: str, project: Project) -> None:
    """No question takes a lost catalog for a store without tables, nor makes another one."""
    lose, expected = LOST[lost]
    lose(project)
    before = tree(project.folder)
    for command, said in expected.items():
        answer = ask(command, *READING[command], "-f", project.file)
        if command != "adopt":  # the way out
            assert said in answer.err + answer.out, command
            assert answer.code == (1 if said else 0), command
    assert tree(project.folder) == before


@pytest.mark.parametrize("command", [("rollback", "total", "--to", "2100-01-01"), ("release", "total")])
def test_a_lost_catalog_is_not_moved_in(command: tuple[str, ...], project: Project) -> None:
    """Neither by code nor by its root: it is named, and not made again for the sake of one table."""
    lose_catalog(project)
    before = tree(project.folder)
    for where, said in ((("-f", project.file), "was lost"), (("--store", project.root), "there is no")):
        answer = ask(*command, *where)
        assert (answer.code, answer.out) == (1, "")
        assert said in answer.err
    assert tree(project.folder) == before


def test_a_deleted_folder_is_no_hindrance(project: Project, tmp_path: Path) -> None:
    """An absolute root needs no present folder; a relative one is refused."""
    gone = tmp_path / "gone"
    gone.mkdir()
    script = (
        f"import os, runpy; os.rmdir({str(gone)!r}); runpy.run_module('jammi_dagster', run_name='__main__')"
    )
    for root, code in ((project.root, 0), ("results", 1)):
        gone.mkdir(exist_ok=True)
        answer = ask_process("status", "--store", root, folder=gone, program=("-c", script))
        assert answer.code == code, answer.err
        assert "Traceback" not in answer.err
    assert "the present folder is gone; give an absolute path" in answer.err


DAMAGE = {"text": "'soon'", "bytes": "x'00ff'", "nothing": "NULL"}


@pytest.mark.parametrize("value", DAMAGE)
def test_damaged_numbers_are_shown_and_not_counted(value: str, project: Project) -> None:
    """SQLite keeps any value in a column: no question about a store ends in an error for it."""
    with sqlite3.connect(Path(project.root, "catalog.db")) as connection:
        change = (
            f"UPDATE materializations SET compute_seconds = {DAMAGE[value]}, size_bytes = {DAMAGE[value]}"
        )
        connection.execute(f"{change} WHERE table_name = 'orders'")
    connection.close()
    for command in ("history", "report", "status", "verify", "lineage", "doctor"):
        arguments = ("orders",) if command in ("history", "lineage") else ()
        for form in ((), ("--json",)):
            answer = ask(command, *arguments, "--store", project.root, *form)
            assert answer.code == 0, (command, answer.err)


def test_damaged_bytes_are_told_from_bytes_that_are_gone(project: Project) -> None:
    """The plan says which of the two it is."""
    paths = [Path(project.root, project.store.current(table).artifact_path) for table in ("orders", "total")]
    paths[0].unlink()
    with paths[1].open("ab") as file:
        file.write(b"more")
    planned = ask("plan", "orders", "-f", project.file, "--json").json["plan"]["rows"]
    assert planned[0]["reasons"][0].endswith("are gone")
    planned = ask("plan", "total", "-f", project.file, "--json").json["plan"]["rows"]
    assert "are damaged: " in planned[0]["reasons"][0]


def test_a_plan_of_some_names_the_stale_tables_that_it_reads(project: Project) -> None:
    """Tables that are stale and not selected are read as they are: the plan says so, in words and in JSON."""
    assert ask("plan", "total", "-f", project.file, "--json").json["plan"]["stale_inputs"] == {}
    project.edit("return number * FACTOR", "return number * FACTOR + 1")
    planned = ask("plan", "by_letter", "-f", project.file, "--json").json["plan"]
    assert list(planned["stale_inputs"]) == ["orders"]
    assert "helper scaled" in planned["stale_inputs"]["orders"][0]
    assert (
        "It reads tables that are stale and not selected: orders ("
        in ask("plan", "by_letter", "-f", project.file).out
    )
    below = ask("plan", "total", "-f", project.file, "--json").json["plan"]["stale_inputs"]
    said = ["it derives from orders, which is stale"]
    assert below == {"by_letter[a]": said, "by_letter[b]": said}
    assert ask("plan", "-f", project.file, "--json").json["plan"]["stale_inputs"] == {}


@pytest.mark.parametrize("home", ["relative", "/nowhere/at/all"])
def test_an_instance_that_does_not_open_is_named(home: str, project: Project) -> None:
    for command in ("plan", "report", "status"):
        answer = ask(command, "-f", project.file, environment={"DAGSTER_HOME": home})
        assert answer.code == 1
        assert answer.err.startswith(f"Error: Dagster instance {home}: it cannot be opened")
        assert answer.err.count("\n") == 1
    assert not os.path.exists(home)


def test_a_store_alone_says_what_only_code_can_tell(project: Project) -> None:
    """A version that a surface gives is unknown without code, and no input without a version."""
    answer = ask("status", "--store", project.root)
    assert "only the code can tell the version of file:orders.csv" in answer.out
    assert "undeclared:clocked has no version to compare" in answer.out


def test_an_environment_variable_that_is_not_set_is_named(project: Project) -> None:
    """Not the end of Dagster's text about it, which is cut before the name."""
    project.edit('root=str(HERE / "results")', 'root=dg.EnvVar("NO_SUCH_ROOT")')
    told = "the environment variable NO_SUCH_ROOT is not set; set it for this process"
    planned = ask("plan", "orders", "-f", project.file)
    assert (planned.code, f"its IO manager cannot be made: {told}" in planned.out) == (3, True)
    assert f"store of asset orders: {told}" in ask("status", "-f", project.file).err
    assert told in ask("history", "orders", "-f", project.file).err


def test_a_catalog_that_cannot_be_reached_is_named(project: Project) -> None:
    """With what to look at, and not as the type of its driver's error alone."""
    catalog = "postgresql://user:hidden@127.0.0.1:1/none"
    project.edit('root=str(HERE / "results")', f'root=str(HERE / "results"), catalog="{catalog}"')
    for command in (("status",), ("history", "orders"), ("plan", "orders")):
        answer = ask(*command, "-f", project.file)
        said = answer.out + answer.err
        assert "127.0.0.1:1/none" in said, command
        assert "hidden" not in said, command
