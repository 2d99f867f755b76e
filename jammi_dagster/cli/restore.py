"""`jammi-dagster restore`: a materialization whose bytes are gone, made again by the code."""

from __future__ import annotations

import click

from jammi_dagster.cli.render import Output, output, working
from jammi_dagster.cli.target import Target, target

_SAID = {
    "there": "nothing to do: its bytes are there.",
    "again": "nothing to do: it was restored before, as materialization {restored_id}.",
    "restored": "restored, as materialization {restored_id}.",
    "diverged": "not restored: other bytes were made (recorded {expected_digest:.12}, found {found_digest:.12}).",
}
_DIVERGED = 1


@click.command()
@click.argument("table")
@click.option(
    "--materialization", metavar="ID", help="The materialization; by default the last one of TABLE."
)
@target(store=False, deployment=False)
@output
def restore(table: str, *, materialization: str | None, target: Target, out: Output) -> int:
    """Make a materialization of TABLE again whose bytes were collected or lost.

    Its asset runs in this process, with the recorded partition and config, over the recorded tables. Only the recorded
    bytes are restored. Exits with 1 if other ones are made. A name that moved on since stays where it is.
    """
    import jammi_dagster

    defs = target.load()
    with target.instance() as instance, working("making it again"):
        found = jammi_dagster.restore(defs, table, materialization, instance=instance)
    said = _SAID["again" if found.outcome == "there" and found.restored_id else found.outcome]
    said = said.format(**found.to_dict())
    out.show({"restoration": found.to_dict()}, f"{table} {found.materialization_id}: {said}")
    return _DIVERGED if found.outcome == "diverged" else 0
