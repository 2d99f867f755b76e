"""`jammi-dagster history`: the materializations of one table."""

from __future__ import annotations

import click

from jammi_dagster.cli.render import Output, Table, output
from jammi_dagster.cli.target import Target, target
from jammi_dagster.contract.wording import seconds, size

_MOVES = ("moved", "sequence", "outcome", "materialization", "deployment", "run", "reason")


@click.command()
@click.argument("table")
@target()
@output
def history(table: str, target: Target, out: Output) -> None:
    """List the materializations of TABLE, of every status and deployment, then the moves of its name; the latest first.

    Each move tells when the name came to resolve to a materialization, or to none, by which act, why, and by which run.
    """
    store = target.open()
    records, moves = store.history(table), store.moves(table)
    hold = store.holds().get(table)
    current = store.reader.current(table) if records else store.current(table)
    is_current = None if current is None else current.materialization_id
    data = [{**one.to_dict(), "is_current": one.materialization_id == is_current} for one in records]
    rows = [
        (
            "*" if one.materialization_id == is_current else "",
            one.materialization_id,
            one.status,
            one.created_at[:19],
            "" if one.row_count is None else one.row_count,
            size(one.size_bytes),
            seconds(one.compute_seconds),
            (one.artifact_digest or "")[:12],
            one.deployment,
            one.produced_by,
        )
        for one in records
    ]
    headings = (
        "",
        "materialization",
        "status",
        "made",
        "rows",
        "bytes",
        "seconds",
        "digest",
        "deployment",
        "run",
    )
    told = [
        (
            move.at[:19],
            move.sequence,
            move.outcome,
            move.materialization_id or "",
            move.deployment,
            move.run_id or "",
            move.reason or "",
        )
        for move in moves
    ]
    blocks: list[str | Table] = [Table(rows, headings)]
    if moves:
        blocks += ["", Table(told, _MOVES)]
    if hold is not None:
        blocks += ["", f"{table} is {hold}."]
    shown = {"materializations": data, "moves": [move.to_dict() for move in moves]}
    out.show({"table": table, **shown, "hold": None if hold is None else hold.to_dict()}, *blocks)
