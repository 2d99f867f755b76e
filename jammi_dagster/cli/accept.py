"""`jammi-dagster accept`: tables taken for the output of the present code, which did not make them."""

from __future__ import annotations

from typing import Any

import click

from jammi_dagster.cli.render import Output, Table, output, working
from jammi_dagster.cli.target import Target, target


@click.command()
@click.argument("table")
@click.option("--partition", metavar="KEY", help="The partition of TABLE that is meant.")
@click.option(
    "--reason", required=True, metavar="TEXT", help="Why the change of code changes no table; shown."
)
@click.option("--by", metavar="NAME", help="Whoever says so; by default the user of this process.")
@click.option(
    "--proof",
    type=click.Choice(["recompute"]),
    help="Run the present code for these tables first, which moves no name, and compare the bytes.",
)
@click.option(
    "--sample", type=click.IntRange(min=1), metavar="N", help="Recompute only so many of them, at random."
)
@target(store=False)
@output
def accept(
    table: str,
    *,
    partition: str | None,
    reason: str,
    by: str | None,
    proof: Any,
    sample: int | None,
    target: Target,
    out: Output,
) -> None:
    """Take the current materialization of TABLE for the output of the present code, where only code differs.

    TABLE may also be an asset: then all of its stale tables are meant. An accepted table is fresh, with the grade
    "declared", and is reused: in its deployment, until its name moves or its definition changes again.
    """
    import jammi_dagster

    defs = target.load()
    with target.instance() as instance, working("comparing it with the code"):
        accepted = jammi_dagster.accept(
            defs,
            table,
            partition,
            reason=reason,
            by=by,
            proof=proof,
            sample=sample,
            deployment=target.deployment,
            instance=instance,
        )
    rows = [(one.table, one.materialization_id, str(one)) for one in accepted]
    out.show(
        {"accepted": [one.to_dict() for one in accepted]}, Table(rows, ("table", "materialization", "why"))
    )
