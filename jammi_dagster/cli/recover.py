"""`jammi-dagster recover`: finish or clear away the leavings of crashed writers."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import click

from jammi_dagster.cli.render import Output, Table, output
from jammi_dagster.cli.target import Target, target
from jammi_dagster.contract.wording import counted


@click.command()
@click.option("--dry-run", is_flag=True, help="Only report.")
@click.option(
    "--grace-seconds",
    type=click.FloatRange(min=0),
    metavar="N",
    help="Keep objects without a row for so long: longer than anybody reads. By default a day.",
)
@target()
@output
def recover(dry_run: bool, grace_seconds: float | None, target: Target, out: Output) -> None:
    """Finish or clear away the leavings of crashed writers. Live writers are never touched.

    With code, Dagster is told of rollbacks and promotions that it has not heard of.
    """
    from jammi_dagster.maintenance import GRACE_SECONDS

    grace = GRACE_SECONDS if grace_seconds is None else grace_seconds
    with contextlib.ExitStack() as stack:
        store, tell = target.telling(stack)
        report = store.recover(dry_run=dry_run, grace_seconds=grace)
        if not dry_run:
            tell()
    show_report(out, report.to_dict())


def show_report(out: Output, report: Mapping[str, Any]) -> None:
    """Show a report of ids by what became of them."""
    found = {name: value for name, value in report.items() if isinstance(value, (list, dict)) and value}
    lines = [
        (name, item, value[item] if isinstance(value, dict) else "")
        for name, value in found.items()
        for item in value
    ]
    total = counted(sum(map(len, found.values())), "object")
    word = "would be changed or reported" if report["dry_run"] else "changed or reported"
    taken = report.get("taken_over")
    blocks: list[str | Table] = [Table(lines)] if lines else []
    if taken:
        blocks.append(f"The root belonged to {taken}.")
    out.show({"report": dict(report)}, *blocks, f"{total} {word}." if lines else "Nothing to do.")
