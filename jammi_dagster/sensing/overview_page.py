"""The overview as a page of Markdown, for a terminal, a file and Dagster's UI."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from jammi_dagster.catalog import Outcomes
from jammi_dagster.contract.wording import Amount, counted, is_amount, one_line, seconds, size
from jammi_dagster.sensing.overview import Costly, Overview, Reuse

_MARKS = str.maketrans({mark: f"\\{mark}" for mark in "\\`*<|"})
_REUSE = ("computed", "reused", "hit rate", "time spent", "time saved")


def page(found: Overview) -> list[str]:
    """Return the lines of the page."""
    said = (
        f"Deployment {_text(found.deployment)}: {counted(found.tables, 'table')}, {size(found.size_bytes)}."
    )
    if found.others:
        said += f" Other deployments: {_text(', '.join(found.others))}."
    return [
        "# Overview of tables",
        "",
        said,
        *_diverged(found),
        *_reuse(found.reuse),
        *_costly("slowest", found.slowest, seconds),
        *_never_reused(found),
        *_costly("biggest", found.biggest, lambda value: size(round(value))),
    ]


def _diverged(found: Overview) -> Iterator[str]:
    if not found.diverged_tables:
        return
    yield from _heading(f"Diverged: {counted(found.diverged_tables, 'table')}")
    yield (
        "Computed again by the same definition over the same inputs, these came out with other bytes: their code "
        "draws on something undeclared, such as a clock, a random number or an order."
    )
    rows = [(one.table, one.created_at[:19], one.produced_by) for one in found.diverged]
    yield from _table(("table", "made", "run"), rows)
    yield from _rest(found.diverged_tables - len(rows), "table")


def _reuse(reuse: Reuse) -> Iterator[str]:
    yield from _heading("Reuse")
    rows: list[tuple[object, ...]] = []
    if reuse.days is None:
        yield (
            "The hit rate by day takes the Dagster instance that the runs were on: the catalog holds no day of a "
            "reuse. Set DAGSTER_HOME."
        )
    else:
        yield f"Runs on this Dagster instance since {list(reuse.days)[-1]} (UTC)."
        rows += [(day, *_outcomes(one)) for day, one in reuse.days.items() if one.computed or one.reused]
    if reuse.total is not None:
        rows.append(("all on record" if reuse.days is None else "together", *_outcomes(reuse.total)))
    yield from _table(("runs", *_REUSE), rows)


def _never_reused(found: Overview) -> Iterator[str]:
    yield from _heading("Never reused")
    if not found.never_assets:
        yield "No table is on record as one that can never be reused."
        return
    yield "These tables are computed in each run, for the reasons that the last one recorded. Declare as they say:"
    rows = [
        (one.asset if not at else "", one.tables if not at else "", reason)
        for one in found.never_reused
        for at, reason in enumerate(one.reasons)
    ]
    yield from _table(("asset", "tables", "reason"), rows)
    yield from _rest(found.never_assets - len(found.never_reused), "asset")


def _costly(word: str, ranked: Sequence[Costly], shown: Callable[[float], str]) -> Iterator[str]:
    if not ranked:
        return
    yield from _heading(f"{word.capitalize()} tables")
    rows = [(one.asset, one.tables, shown(one.total), one.costliest, shown(one.cost)) for one in ranked]
    yield from _table(("asset", "tables", "together", word, "alone"), rows, is_first=True)


def _outcomes(found: Outcomes) -> tuple[object, ...]:
    rate = found.hit_rate
    share = Amount("" if rate is None else f"{math.floor(rate * 100)}%")  # 100% is not said of less
    return found.computed, found.reused, share, seconds(found.spent), seconds(found.saved)


def _heading(text: str) -> tuple[str, ...]:
    return "", f"## {text}", ""


def _rest(number: int, noun: str) -> Iterator[str]:
    if number:
        yield from ("", f"And {counted(number, noun)} more.")


def _table(
    headings: Sequence[str], rows: Sequence[Sequence[object]], *, is_first: bool = False
) -> Iterator[str]:
    """Yield the lines of a table, in columns that line up; numbers and amounts are set flush right."""
    if not rows:
        return
    if not is_first:
        yield ""
    cells = [[_text(cell) for cell in row] for row in (headings, *rows)]
    right = [all(is_amount(row[at]) for row in rows) for at in range(len(headings))]
    widths = [max(3, *(len(row[at]) for row in cells)) for at in range(len(headings))]
    rule = [
        "-" * (width - 1) + ":" if flush else "-" * width for width, flush in zip(widths, right, strict=True)
    ]
    for row in (cells[0], rule, *cells[1:]):
        set_cells = zip(row, widths, right, strict=True)
        yield f"| {' | '.join(cell.rjust(w) if flush else cell.ljust(w) for cell, w, flush in set_cells)} |"


def _text(value: object) -> str:
    """Return a text as Markdown shows it, which no table name or reason can turn into anything else."""
    return f"{value:,}" if isinstance(value, int) else one_line(value).translate(_MARKS)
