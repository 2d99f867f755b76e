"""`jammi-dagster rollback` and `release`: an earlier materialization made current and held, and let go again."""

from __future__ import annotations

import contextlib

import click

from jammi_dagster.cli.render import Output, output
from jammi_dagster.cli.target import Target, target


@click.command()
@click.argument("table")
@click.option(
    "--to", required=True, metavar="ID|SEQUENCE|TIME", help="A materialization, or when it was current."
)
@click.option("--reason", metavar="TEXT", help="Shown wherever the hold is.")
@click.option("--by", metavar="NAME", help="Whoever holds it; by default the user of this process.")
@target()
@output
def rollback(table: str, *, to: str, reason: str | None, by: str | None, target: Target, out: Output) -> None:
    """Make an earlier materialization of TABLE current, and hold it there until `release`.

    While TABLE is held, runs record new materializations of it without making them current; sensor, recompute and
    automation conditions do not request it. `history` lists materializations, sequences and times (UTC). With code,
    Dagster is told at once; else by the next tick of the staleness sensor.
    """
    with contextlib.ExitStack() as stack:
        store, tell = target.telling(stack)
        record = store.rollback(table, to, by=by, reason=reason)
        tell()
    hold = store.holds()[table]
    made = f"{table} is at materialization {record.materialization_id}, made on {record.created_at[:19]}, {hold}."
    way_out = f"Let runs move it again with: {target.again('release', table)}"
    out.show({"record": record.to_dict(), "hold": hold.to_dict()}, made, way_out)


@click.command()
@click.argument("table")
@target()
@output
def release(table: str, target: Target, out: Output) -> None:
    """Let runs move TABLE again. It stays where it is until the next run of it."""
    hold = target.open().release(table)
    said = f"{table} was not held." if hold is None else f"{table} is released; it was {hold}."
    out.show({"table": table, "hold": None if hold is None else hold.to_dict()}, said)
