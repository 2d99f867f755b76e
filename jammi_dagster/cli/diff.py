"""`jammi-dagster diff`: two materializations compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jammi_dagster.cli.render import Output, Table, output, working
from jammi_dagster.cli.target import Target, target

if TYPE_CHECKING:
    from jammi_dagster.sensing import MaterializationDiff


@click.command()
@click.argument("before")
@click.argument("after")
@click.option("--keys", metavar="COLUMNS", help="Compare rows by these key columns, separated by commas.")
@target()
@output
def diff(before: str, after: str, keys: str | None, target: Target, out: Output) -> None:
    """Compare two materializations: definition, inputs, columns, row counts and, with --keys, rows.

    BEFORE and AFTER are ids of materializations, as `history` lists them, or tables for their current ones.
    """
    columns = [key.strip() for key in (keys or "").split(",") if key.strip()]
    store = target.open()
    with working("comparing"):
        found = store.diff(before, after, keys=columns)
    out.show(found.to_dict(), *_text(found))


def _text(found: MaterializationDiff) -> list[str | Table]:
    kinds = {"definition": found.definition, "inputs": found.inputs, "columns": found.columns}
    rows: list[tuple[str, str]] = [(kind, str(one)) for kind, listed in kinds.items() for one in listed]
    if not rows:
        rows.append(("definition", "the same, over the same inputs, with the same columns"))
    old, new = ("?" if count is None else f"{count:,}" for count in found.row_counts)
    rows.append(("rows", f"{old} -> {new}" if old != new else f"{old}, as before"))
    if found.rows is not None:
        counts = found.rows.to_dict()
        counts.pop("keys")
        said = ", ".join(
            f"{number:,} {name}" for name, number in counts.items() if number or name == "changed"
        )
        rows.append((f"by {', '.join(found.rows.keys)}", said))
    rows.append(("bytes", "the same" if found.same_bytes else "other ones"))
    return [Table(rows)]
