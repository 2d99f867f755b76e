"""`jammi-dagster report`: an overview of a store, as Markdown."""

from __future__ import annotations

import dataclasses

import click

from jammi_dagster.cli.render import Output, most_shown, output, working, written
from jammi_dagster.cli.target import Target, target


@click.command()
@click.option("-o", "--output", "file", metavar="FILE", help="Write it to a file, not to stdout.")
@click.option(
    "--days",
    type=click.IntRange(1, 366),
    metavar="N",
    default=30,
    show_default=True,
    help="Show reuse by day for so many days.",
)
@most_shown(10, "List at most so many tables under each heading.")
@target()
@output
def report(file: str | None, days: int, most: int, target: Target, out: Output) -> None:
    """Write an overview of a store, as a page of Markdown.

    Diverged tables come first, then the hit rate and the time saved by day, the slowest tables, tables that can never
    be reused and the declaration that would help, and the biggest tables. Days are those of the Dagster instance of
    DAGSTER_HOME: the catalog alone knows how many tables were reused, and not when.
    """
    store = target.open()
    from jammi_dagster.adapters.overview import overview_of
    from jammi_dagster.sensing.overview_page import page

    with target.instance() as instance, working("reading the catalog"):
        found = overview_of(store, instance, days=days, most=most)
    data = {"overview": found.to_dict()}
    if file is None:
        out.show(data, *page(found))
        return
    with written(file) as stream:
        dataclasses.replace(out, stream=stream).show(data, *page(found))
