"""`jammi-dagster verify`: the bytes of tables against their recorded digests."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from jammi_dagster.cli.render import Output, Table, output
from jammi_dagster.cli.target import Target, target
from jammi_dagster.contract.wording import counted

if TYPE_CHECKING:
    from jammi_dagster.store import ResultStore

_FAILED = 1
_INTACT = ("match", "match_with_unpinned_inputs")
_progress = logging.getLogger("jammi_dagster.maintenance")


@click.command()
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
@target()
@output
def verify(tables: tuple[str, ...], target: Target, out: Output) -> int:
    """Read the bytes of each TABLE, by default of all, and compare them with the recorded digest.

    The name of an asset stands for all of its partitions. Exits with 1 if any table is not intact.
    """
    from jammi_dagster.maintenance import Progress

    store, progress = target.open(), Progress(tell=_progress.info)
    found = []
    for table in _named(store, tables):
        found.append((table, *_verdict(store, table)))
        progress.step("verified", 1)
    broken = [one for one in found if one[1] != "intact"]
    data = {
        "tables": [{"table": table, "verdict": verdict, "why": why} for table, verdict, why in found],
        "intact": len(found) - len(broken),
        "broken": len(broken),
    }
    rows = found if tables else broken
    total = f"{counted(len(found), 'table')}: {len(found) - len(broken):,} intact, {len(broken):,} not"
    out.show(
        data,
        *([Table([(verdict.replace("_", " "), table, why) for table, verdict, why in rows])] if rows else []),
        total,
    )
    return _FAILED if broken else 0


def _named(store: ResultStore, names: Iterable[str]) -> Iterator[str]:
    """Yield the tables that are named, and those of the assets that are."""
    every = store.tables()
    if not names:
        yield from every
    for name in names:
        partitions = [table for table in every if table.startswith(f"{name}[")]
        if name in every or not partitions:
            yield store.current(name).table
        yield from partitions


def _verdict(store: ResultStore, table: str) -> tuple[str, str]:
    """Return the verdict on the bytes of a table, and why they are not intact."""
    from jammi_dagster.errors import ArtifactMissing, InvalidManifest, JammiError

    try:
        verdict: dict[str, Any] = dict(store.verify_materialization(table).to_dict())
    except ArtifactMissing as error:
        return "bytes_missing", str(error)
    except InvalidManifest as error:
        return "mismatch", str(error)
    except JammiError as error:
        return "error", str(error)
    if verdict["verdict"] in _INTACT:
        return "intact", ""
    if verdict["verdict"] == "missing_manifest":
        return "missing_manifest", "it has no manifest to compare with"
    return "mismatch", f"recorded {str(verdict['expected'])[:12]}, found {str(verdict['found'])[:12]}"
