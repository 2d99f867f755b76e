"""Write the reference of the command line out of its own help: `python -m tools.cli_reference`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path

import click

from jammi_dagster.cli.program import program
from jammi_dagster.cli.target import Target

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "cli.md"

HEAD = """# Command line

<!-- written by `python -m tools.cli_reference`; a test compares -->

`jammi-dagster`, or `python -m jammi_dagster`, asks a result store and the code that makes its tables. A guide shows
it at work: [Plan, and see why](../guides/plan-and-why.md).

**The target.** Code is named as the `dagster` command names it: `-f FILE`, `-m MODULE`, `-w WORKSPACE`, else the
`pyproject.toml` (`[tool.dagster]` or `[tool.dg.project]`) or `workspace.yaml` of the present folder. A code
location that runs in another process, such as a gRPC server, cannot be loaded. Commands that need no code take
`--store ROOT` instead, and then start faster. With code, the Dagster instance is that of `DAGSTER_HOME`; without
that, it is an empty instance, which knows no dynamic partitions and no versions of other assets.

**Exit codes.**

| code | meaning | of |
|---|---|---|
| 0 | nothing to do, or an answer | every command |
| 1 | an error, a failed launch, a wrong usage, a broken table (`verify`) or line (`doctor`) | every command |
| 2 | work to do | `plan`, `status --exit-code` |
| 3 | a table is undecidable, or unknown until the run; wins over 2 | `plan`, `status --exit-code` |

The JSON of `plan` and `status` holds the same code as `exit_code`. That of `status` is there without `--exit-code` too,
where the command itself exits with 0: a program reads the state from the field, and takes any other code for an error.

**Reading makes nothing.** No question makes a folder, a catalog or a key. With code, a store that was never there is
one without tables: `plan` computes everything for the first time, the first run makes the store. With `--store`, it is
an error. A catalog that is gone while its root describes tables is named as lost by every question.

**Output.** Text in columns for people: with colours on a terminal unless `NO_COLOR` is set, never wrapped in a
pipe. With `--json`, stdout holds one JSON object. Its `format` is 1, and rises when a field goes or changes its
meaning, not when one is added; its `command` is the command. Errors and the progress of long work go to stderr, one
line each, with their secrets hidden.

## Options of the target
"""


def page() -> str:
    """Return the page."""
    of_target = {option.name: option for command in program.commands.values() for option in _options(command)}
    shared = [field.name for field in fields(Target) if field.init]
    parts = [HEAD, *_table([of_target[name] for name in shared])]
    for name, command in program.commands.items():
        parts += _command(name, command, shared)
    return "\n".join(parts)


def _command(name: str, command: click.Command, shared: Sequence[str]) -> Iterator[str]:
    own = [option for option in _options(command) if option.name not in shared]
    named = {option.name for option in _options(command)} & set(shared)
    arguments = " ".join(
        one.make_metavar(click.Context(command)) for one in command.params if _is_argument(one)
    )
    kind = "code" if "store" not in named else "code or a store"
    yield f"\n## {name}\n\n```text\njammi-dagster {name} [OPTIONS] {arguments}".rstrip() + "\n```\n"
    yield "\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n"))
    yield f"\nIts target is {kind}.\n"
    yield from _table(own)


def _table(options: Sequence[click.Option]) -> Iterator[str]:
    yield "| option | |\n|---|---|"
    for option in options:
        given = " ".join(filter(None, (", ".join(option.opts), "" if option.is_flag else option.metavar)))
        default = f" By default {option.default}." if option.show_default else ""
        yield f"| `{given}` | {option.help}{default} |"


def _options(command: click.Command) -> list[click.Option]:
    return [one for one in command.params if isinstance(one, click.Option) and not one.hidden]


def _is_argument(parameter: click.Parameter) -> bool:
    return isinstance(parameter, click.Argument)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
