"""`jammi-dagster undrop`: a dropped table given its last intact materialization back."""

from __future__ import annotations

import contextlib

import click

from jammi_dagster.cli.render import Output, output
from jammi_dagster.cli.target import Target, target


@click.command()
@click.argument("table")
@click.option("--reason", metavar="TEXT", help="Shown in the history.")
@click.option("--by", metavar="NAME", help="Whoever does it; by default the user of this process.")
@target()
@output
def undrop(table: str, *, reason: str | None, by: str | None, target: Target, out: Output) -> None:
    """Give TABLE, which was dropped, its last intact materialization back; in a branch, show the parent's again.

    With code, Dagster is told at once; else by the next tick of the staleness sensor.
    """
    with contextlib.ExitStack() as stack:
        store, tell = target.telling(stack)
        record = store.undrop(table, by=by, reason=reason)
        tell()
    made = f"{table} is at materialization {record.materialization_id}, made on {record.created_at[:19]}."
    out.show({"record": record.to_dict()}, made)
