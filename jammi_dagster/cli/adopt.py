"""`jammi-dagster adopt`: rows for the materializations in the root that the catalog does not know."""

from __future__ import annotations

import click

from jammi_dagster.cli.recover import show_report
from jammi_dagster.cli.render import Output, output
from jammi_dagster.cli.target import Target, target


@click.command()
@click.option("--take-over", is_flag=True, help="First bind the root to this catalog, whosever it was.")
@click.option("--dry-run", is_flag=True, help="Only report.")
@target()
@output
def adopt(take_over: bool, dry_run: bool, target: Target, out: Output) -> None:
    """Add rows for the materializations in the root that the catalog does not know.

    For a catalog that was lost, or restored from a backup. With --take-over, a new catalog is made where there is none,
    and a catalog that the root belonged to before may no longer write.
    """
    store = target.open(may_make=take_over and not dry_run)
    show_report(out, store.adopt(take_over=take_over, dry_run=dry_run).to_dict())
