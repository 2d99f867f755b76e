"""The program: its commands, its exit codes, and its errors, which are one line each."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import Any

import click

from jammi_dagster import __version__
from jammi_dagster.cli.accept import accept
from jammi_dagster.cli.adopt import adopt
from jammi_dagster.cli.collect import collect, prune, why_alive
from jammi_dagster.cli.diff import diff
from jammi_dagster.cli.doctor import doctor
from jammi_dagster.cli.explain import explain
from jammi_dagster.cli.history import history
from jammi_dagster.cli.lineage import lineage
from jammi_dagster.cli.plan import plan
from jammi_dagster.cli.promote import promote
from jammi_dagster.cli.recover import recover
from jammi_dagster.cli.report import report
from jammi_dagster.cli.restore import restore
from jammi_dagster.cli.rollback import release, rollback
from jammi_dagster.cli.status import status
from jammi_dagster.cli.undrop import undrop
from jammi_dagster.cli.verify import verify
from jammi_dagster.cli.why import why
from jammi_dagster.contract.redaction import redacted_text
from jammi_dagster.contract.wording import one_line
from jammi_dagster.errors import JammiError

FAILED = 1

ABOUT = """Ask a result store, and the code that makes its tables: their state, the reasons, and the cost of a run.

Code is named as the `dagster` command names it (-f FILE, -m MODULE, -w WORKSPACE, or pyproject.toml in this folder),
a store by --store ROOT. Commands that need no code take either.

Exit codes: 0 nothing to do, 1 an error. `plan` and `status --exit-code` also exit with 2 for work to do, and with 3
where a table is undecidable, which wins.
"""


class Program(click.Group):
    """A group of commands that exits with the documented codes, and shows no error as a traceback."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command. With `standalone_mode`, exit the process; without, return the exit code."""
        given = sys.argv[1:] if args is None else list(args)
        code, path = FAILED, list(sys.path)
        try:
            _never_fail_to_print()
            code = int(super().main(given, prog_name, complete_var, standalone_mode=False, **extra) or 0)
        except click.ClickException as error:
            error.show()
        except (click.Abort, KeyboardInterrupt):
            _say("interrupted")
        except SystemExit as error:  # of a user's code: its 0 must not read as nothing to do
            _say(f"the code ended the process, with {error.code}")
        except Exception as error:
            if "--traceback" in given:
                raise
            _say(_worded(error))
        finally:
            sys.path[:] = path
        if standalone_mode:
            sys.exit(code)
        return code


def _worded(error: Exception) -> str:
    """Word any error as one line, without secrets."""
    text = redacted_text(str(error))
    if isinstance(error, JammiError):
        return text
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {first}; --traceback before the command shows all of it"


def _say(text: str) -> None:
    click.echo(f"Error: {one_line(text)}", err=True)


def _never_fail_to_print() -> None:
    """Print a name that the terminal's encoding lacks as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if callable(configure := getattr(stream, "reconfigure", None)):
            configure(errors="backslashreplace")


class _Stderr(logging.Handler):
    """A log handler that prints on the stderr of the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        click.echo(one_line(redacted_text(record.getMessage())), err=True)


def _log_to_stderr() -> None:
    """Show the package's warnings, and the progress of maintenance and launches."""
    log = logging.getLogger("jammi_dagster")
    if not any(isinstance(handler, _Stderr) for handler in log.handlers):
        log.addHandler(_Stderr())
        log.propagate = False
    for name in ("jammi_dagster.maintenance", "jammi_dagster.launching"):
        logging.getLogger(name).setLevel(logging.INFO)


@click.group(
    name="jammi-dagster",
    cls=Program,
    help=ABOUT,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="jammi-dagster", message="%(prog)s %(version)s")
@click.option("--traceback", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def program(context: click.Context, traceback: bool) -> int:
    """Run without a command: show the help, which is an error."""
    _log_to_stderr()
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        return FAILED
    return 0


_ASKING = (status, why, plan, report, diff, lineage, history, why_alive, verify)
_KEEPING = (
    *(accept, rollback, release, promote, undrop, restore),
    *(collect, prune, recover, adopt, explain, doctor),
)
for _command in (*_ASKING, *_KEEPING):
    program.add_command(_command)
