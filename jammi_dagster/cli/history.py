"""`jammi-dagster history`: the materializations of one table."""

from __future__ import annotations

import click

from jammi_dagster.cli.render import Output, Table, output
from jammi_dagster.cli.target import Target, target
from jammi_dagster.contract.wording import seconds, size


@click.command()
@click.argument("table")
@target()
@output
def history(table: str, target: Target, out: Output) -> None:
    """List the materializations of TABLE, the latest first, of every status and deployment."""
    store = target.open()
    records = store.history(table)
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
    out.show({"table": table, "materializations": data}, Table(rows, headings))
