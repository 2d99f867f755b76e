"""The program in a process of its own: entry point, pipes, terminals, and imports; and its rendering."""

import os
import pty
import select
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import click
import pytest
from cli_kit import PACKAGE, Project, ask, ask_process

import jammi_dagster
from jammi_dagster.cli.program import program
from jammi_dagster.cli.render import Output, Table


def test_the_module_is_the_command(ran: Project) -> None:
    """`python -m jammi_dagster` answers a pipe without colours, in lines that are never wrapped."""
    answer = ask_process("history", "total", "--store", ran.root, folder=ran.folder)
    assert (answer.code, answer.err) == (0, "")
    assert "\x1b" not in answer.out
    headings = [
        line.split()[0] for line in answer.out.splitlines() if line and not line.startswith(("*", "20"))
    ]
    assert headings == ["materialization", "moved"]


def test_exit_codes_reach_the_shell(ran: Project) -> None:
    """2 is work to do, 1 a wrong usage and an error."""
    assert ask_process("plan", "-f", "pipeline.py", folder=ran.folder).code == 2
    wrong = ask_process("plan", "--nope", folder=ran.folder)
    assert (wrong.code, wrong.out) == (1, "")
    assert "No such option" in wrong.err
    gone = ask_process("status", "--store", "gone", folder=ran.folder)
    assert (gone.code, gone.out) == (1, "")
    assert gone.err.count("\n") == 1


WITHOUT_DAGSTER = """
import sys
from jammi_dagster.cli.program import program
for line in sys.argv[1:]:
    expected, *command = line.split()
    assert program.main(command, standalone_mode=False) == int(expected), line
    assert "dagster" not in sys.modules, line
    assert command[-1] != "--help" or not {"pyarrow", "sqlalchemy"} & set(sys.modules), line
"""


def test_dagster_is_imported_only_where_code_is_asked(ran: Project) -> None:
    """Help, a look at a store, and an error in the options or the name of the code take no second to start."""
    commands = program.list_commands(click.Context(program))
    asking = (
        "status",
        "history total",
        "lineage total",
        "why total",
        "verify",
        "doctor",
        "recover --dry-run",
    )
    no_code = ("-f gone.py", "-m gone", "-w gone.yaml", "-f a.py -m b")
    lines = [
        "0 --help",
        *(f"0 {command} --help" for command in commands),
        *(f"0 {command} --store {ran.root}" for command in asking),
        *(f"1 {command} --store gone" for command in ("status", "report")),
        *(f"1 {command} {code}" for command in ("plan", "status", "explain", "why x") for code in no_code),
        *(f"1 {command} --nope" for command in commands),
        "1 plan -f pipeline.py --partition-range 2013",
        "1 plan -f pipeline.py --tags no",
        "1 plan -f pipeline.py --config gone.yaml",
    ]
    answer = ask_process(*lines, folder=ran.folder, program=("-c", WITHOUT_DAGSTER))
    assert answer.code == 0, answer.err


@pytest.mark.parametrize(("plain", "has_colours"), [(False, True), (True, False)])
def test_colours_are_for_terminals_that_want_them(ran: Project, plain: bool, has_colours: bool) -> None:
    """A terminal gets colours, unless NO_COLOR is set."""
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE), "TERM": "xterm-256color", "COLUMNS": "200"}
    environment.pop("NO_COLOR", None)
    environment |= {"NO_COLOR": "1"} if plain else {}
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "jammi_dagster", "verify", "total", "--store", ran.root]
    with subprocess.Popen(command, stdout=slave, stderr=slave, env=environment, cwd=ran.folder) as process:
        os.close(slave)
        shown = b""
        while select.select([master], [], [], 60)[0]:
            try:
                shown += os.read(master, 10_000)
            except OSError:  # the other end is closed
                break
    os.close(master)
    assert process.returncode == 0
    assert b"intact" in shown
    assert (b"\x1b[32m" in shown) is has_colours


def test_the_entry_point_is_the_program() -> None:
    """An installed package has the command `jammi-dagster`."""
    home = "jammi_dagster.cli.program:program"
    assert f'[project.scripts]\njammi-dagster = "{home}"\n' in (PACKAGE / "pyproject.toml").read_text()
    assert metadata.EntryPoint("jammi-dagster", home, "console_scripts").load() is program


def test_version_and_help_are_no_errors() -> None:
    assert ask("--version").out == f"jammi-dagster {jammi_dagster.__version__}\n"
    for name, command in program.commands.items():
        answer = ask(name, "--help")
        assert answer.code == 0
        for option in command.params:
            assert not isinstance(option, click.Option) or option.help, (name, option.name)


def test_code_that_ends_the_process_is_an_error(project: Project) -> None:
    """The exit code 0 of a user's code is not the answer that there is nothing to do."""
    project.edit("store = ResultStoreResource", "raise SystemExit(0)\nstore = ResultStoreResource")
    answer = ask_process("status", "-f", "pipeline.py", "--exit-code", folder=project.folder)
    assert answer.code == 1
    assert "SystemExit: 0 (pipeline.py:" in answer.err


@pytest.mark.parametrize("command", [("status", "--json"), ("lineage", "total"), ("history", "total")])
def test_a_reader_that_has_seen_enough_is_no_error_of_the_program(
    ran: Project, command: tuple[str, ...]
) -> None:
    """`| head` closes the pipe early: nothing is said, neither a traceback nor that the code ended the process."""
    read, write = os.pipe()
    os.close(read)
    try:
        environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
        given = [sys.executable, "-m", "jammi_dagster", *command, "--store", "results"]
        done = subprocess.run(
            given, cwd=ran.folder, env=environment, stdout=write, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def test_names_cannot_move_the_cursor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A control character in a name is shown as an escape: neither colours nor lines of output can be forged."""
    out = Output("status", False, sys.stdout)
    out.show({}, "a\nb\x1b[31m", Table([("fresh\r", 1), ("\u202e", 22)], ("verdict", "n")))
    assert capsys.readouterr().out.splitlines() == [
        r"a\nb\x1b[31m",
        "verdict   n",
        r"fresh\r   1",
        r"\u202e   22",
    ]
