"""Rendering: text for people, or one JSON object for programs."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO, TypeVar

import click

from jammi_dagster.contract.wording import is_amount, one_line
from jammi_dagster.errors import FileNotWritten

FORMAT = 1
"""The version of the JSON: it rises when a field goes or changes its meaning, not when one is added."""

STYLES = {
    "fresh": "green",
    "reuse": "green",
    "intact": "green",
    "ok": "green",
    "pinned": "green",
    "stale": "red",
    "missing": "red",
    "bytes missing": "red",
    "mismatch": "red",
    "fail": "red",
    "error": "red",
    "compute": "yellow",
    "compute or reuse": "yellow",
    "warn": "yellow",
    "not pinned": "yellow",
    "undecidable": "magenta",
    "unknown until run": "magenta",
    "not replayable": "magenta",
}
"""The colour of a word, on a terminal that has any."""

_LEAST_WIDTH = 8  # of a terminal, for each column of a table
_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings; a column of numbers is set flush right. Without headings, only the rows are shown."""

    rows: Sequence[Sequence[Any]]
    headings: Sequence[str] = ()
    indent: int = 0

    @property
    def columns(self) -> int:
        return max((len(row) for row in (self.headings, *self.rows)), default=0)


@dataclass(frozen=True, slots=True)
class Output:
    """The output of one command: `as_json` tells the way in which it is shown on `stream`."""

    command: str
    as_json: bool
    stream: TextIO

    def show(self, data: Mapping[str, Any], *blocks: str | Table) -> None:
        """Print the data as JSON, or the blocks as text. A reader that has seen enough ends the command, with 1."""
        try:
            if self.as_json:
                whole = {"format": FORMAT, "command": self.command, **data}
                click.echo(json.dumps(whole, indent=2, default=str), file=self.stream)
            else:
                _print(blocks, self.stream)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stream.fileno())  # for what is flushed at the end
            raise click.exceptions.Exit(1) from None


def output(function: _F) -> _F:
    """Add the option `--json`, and pass the function an `Output` as `out`.

    Anything that a user's code prints while it is loaded goes to stderr: stdout holds the answer alone.
    """

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for programs.")
    @functools.wraps(function)
    def run(*args: Any, as_json: bool, **given: Any) -> Any:
        name = click.get_current_context().info_name or ""
        out = Output(name, as_json, sys.stdout)
        with contextlib.redirect_stdout(sys.stderr):
            return function(*args, out=out, **given)

    return run  # type: ignore[return-value]  # click takes a function with one more argument


def most_shown(default: int, text: str) -> Callable[[_F], _F]:
    """Add the option `--most`: how many tables the text lists."""
    number = click.IntRange(min=0)
    return click.option("--most", type=number, metavar="N", default=default, show_default=True, help=text)


@contextlib.contextmanager
def working(text: str) -> Iterator[None]:
    """Show on a terminal's stderr that long work is under way; elsewhere, nothing."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(one_line(text)):
        yield


@contextlib.contextmanager
def written(file: str) -> Iterator[TextIO]:
    """Open a file for a command's output. Raise `FileNotWritten`."""
    try:
        with open(file, "w", encoding="utf-8") as stream:
            yield stream
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise FileNotWritten(file=file, why=why) from error


def _print(blocks: Iterable[str | Table], stream: TextIO) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=False)
    if not console.is_terminal:
        for block in blocks:
            for line in [one_line(block)] if isinstance(block, str) else _lines(block):
                click.echo(line, file=stream)
        return
    for block in blocks:
        if isinstance(block, str):
            console.print(Text(one_line(block)), soft_wrap=True)
        elif console.width < _LEAST_WIDTH * block.columns:  # folded, each column would be one of letters
            for line in _lines(block):
                console.print(Text(line), soft_wrap=True)
        else:
            console.print(_grid(block))


def _lines(table: Table) -> Iterator[str]:
    """Yield the lines of a table in a pipe: columns two spaces apart, nothing wrapped."""
    rows = [
        [one_line(cell) for cell in row]
        for row in (*((table.headings,) if table.headings else ()), *table.rows)
    ]
    right = _numeric(table)
    widths = [max(len(row[i]) for row in rows if i < len(row)) for i in range(table.columns)]
    for row in rows:
        cells = [cell.rjust(widths[i]) if right[i] else cell.ljust(widths[i]) for i, cell in enumerate(row)]
        yield (" " * table.indent + "  ".join(cells)).rstrip()


def _grid(table: Table) -> Any:
    """Build the table for a terminal, where long cells are folded."""
    from rich.padding import Padding
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid(
        box=None, pad_edge=False, show_header=bool(table.headings), header_style="bold", padding=(0, 2, 0, 0)
    )
    right = _numeric(table)
    for i, is_right in enumerate(right):
        heading = table.headings[i] if i < len(table.headings) else ""
        grid.add_column(heading, justify="right" if is_right else "left", overflow="fold")
    for row in table.rows:
        cells = [one_line(cell) for cell in row]
        grid.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in cells))
    return Padding(grid, (0, 0, 0, table.indent))


def _numeric(table: Table) -> list[bool]:
    """Tell for each column if it holds numbers alone."""
    return [all(i >= len(row) or is_amount(row[i]) for row in table.rows) for i in range(table.columns)]
