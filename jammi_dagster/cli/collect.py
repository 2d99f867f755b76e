"""`jammi-dagster collect`, `why-alive` and `prune`: deletion of what nothing keeps, and why the rest stays."""

from __future__ import annotations

import itertools
from typing import Any

import click

from jammi_dagster.cli.render import Output, Table, most_shown, output, working
from jammi_dagster.cli.target import Target, target
from jammi_dagster.contract.tables import TableName
from jammi_dagster.contract.wording import counted, size

_ONLY_REPORT = click.option(
    "--dry-run/--no-dry-run", default=True, show_default=True, help="Only report, or do it."
)
_WILL = "Nothing was changed; do it with --no-dry-run."


@click.command()
@click.option(
    "--keep-last", type=click.IntRange(0), default=0, metavar="N", help="Keep the last N of each table."
)
@click.option(
    "--keep-for-days",
    type=click.FloatRange(0),
    default=0.0,
    metavar="N",
    help="Keep those younger than N days.",
)
@click.option(
    "--table",
    "patterns",
    multiple=True,
    metavar="PATTERN=N",
    help="Keep the last N of tables that match, in place of --keep-last; the first match decides. Repeatable.",
)
@click.option(
    "--grace-seconds",
    type=click.FloatRange(0),
    metavar="N",
    help="Delete so long after nothing kept it any more. By default a day.",
)
@click.option("--keep-inputs", is_flag=True, help="Keep all that tables in use were made over.")
@most_shown(20, "List at most so many tables.")
@_ONLY_REPORT
@target()
@output
def collect(
    *,
    keep_last: int,
    keep_for_days: float,
    patterns: tuple[str, ...],
    grace_seconds: float | None,
    keep_inputs: bool,
    most: int,
    dry_run: bool,
    target: Target,
    out: Output,
) -> None:
    """Delete the materializations that nothing keeps, or say which ones.

    Whatever a deployment has as current stays, and all that is held, pinned, read or used by a live run. A first
    collection marks the rest, a later one deletes them after the grace period. `why-alive` explains one that stays.
    """
    rule: dict[str, Any] = {"keep_last": keep_last, "keep_for_days": keep_for_days}
    tables = {name: {**rule, "keep_last": number} for name, number in map(_pattern, patterns)}
    grace = {} if grace_seconds is None else {"grace_seconds": grace_seconds}
    store = target.open()
    with working("collecting"):
        report = store.collect({**rule, **grace, "keep_inputs": keep_inputs, "tables": tables}, dry_run)
    by_size = sorted(report.bytes_by_table.items(), key=lambda one: (-one[1], one[0]))
    blocks: list[str | Table] = []
    if by_size:
        blocks.append(Table([(size(count), table) for table, count in by_size[:most]], ("bytes", "table")))
    if len(by_size) > most:
        blocks.append(f"… and {len(by_size) - most:,} more tables")
    blocks += [f"{item}: {why}" for item, why in report.unreadable.items()]
    if report.unknown:
        unknown = counted(len(report.unknown), "object")
        blocks.append(
            f"{unknown} in the root that the catalog does not know: run `jammi-dagster adopt` or `recover`."
        )
    if report.clock_was_set:
        blocks.append(
            "The database's clock was set since the last collection: every grace period began anew."
        )
    waiting = len(report.marked) + len(report.waiting)
    verb = "would be deleted" if dry_run else "deleted"
    said = (
        f"{counted(len(report.collected), 'materialization')} {verb}, {waiting:,} in their grace period, "
        f"{len(report.kept):,} stay; {size(report.total_bytes)} go in all."
    )
    data = report.to_dict(kept=False)
    kept = {one.materialization_id: one.to_dict() for one in itertools.islice(report.kept.values(), most)}
    out.show(
        {"report": {**data, "kept": kept, "kept_count": len(report.kept)}}, *blocks, said, *[_WILL] * dry_run
    )


def _pattern(text: str) -> tuple[str, int]:
    pattern, found, number = text.rpartition("=")
    if not (found and pattern and number.isdecimal()):
        raise click.UsageError(f"--table {text}: write PATTERN=N, such as 'raw/*=2'")
    return pattern, int(number)


@click.command("why-alive")
@click.argument("name", metavar="TABLE|MATERIALIZATION")
@target()
@output
def why_alive(name: str, target: Target, out: Output) -> None:
    """Say why a materialization, or each one of a table, is not collected: a path to a root, the latest start first."""
    found = target.open().why_alive(name)
    rows = [(one.materialization_id, ", ".join(one.path) or "nothing keeps it") for one in found]
    blocks: list[str | Table] = (
        [Table(rows, ("materialization", "why"))] if rows else ["All of it was collected."]
    )
    out.show({"name": name, "materializations": [one.to_dict() for one in found]}, *blocks)


@click.command()
@click.option(
    "--keep", "more", multiple=True, metavar="ASSET", help="An asset of another code location. Repeatable."
)
@_ONLY_REPORT
@target(store=False)
@output
def prune(*, more: tuple[str, ...], dry_run: bool, target: Target, out: Output) -> None:
    """Drop the tables of assets that the code has no more, so that their names leave status, plan and sensor.

    Their materializations stay until a `collect`. Needs code; name the assets of other code locations on the same store
    with --keep.
    """
    with target.evaluator() as evaluator:
        store = target.checked(target.store_of(evaluator))
        assets = [str(TableName.of(key.path)) for key in evaluator.location.select("*")]
        report = store.prune([*assets, *more], dry_run)
    lines = [*((table, "dropped") for table in report.dropped), *report.held.items()]
    blocks: list[str | Table] = [Table(lines)] if lines else []
    said = f"{counted(len(report.dropped), 'table')} {'would be dropped' if dry_run else 'dropped'}."
    out.show({"report": report.to_dict()}, *blocks, said, *[_WILL] * dry_run)
