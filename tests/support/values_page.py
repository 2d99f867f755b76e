"""Write `docs/reference/values.md` from the table of values: `python tests/support/values_page.py`."""

from __future__ import annotations

import itertools
from pathlib import Path

from values_table import ROWS, Row

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "values.md"

HEAD = """# Values: what comes back

A value that an asset returns comes back to the assets downstream as it was, or it is refused when it is written, with
an error that names table, column, type and the way out. Where Arrow or Parquet keep less than a library does, the table
carries a description of the frame: dtypes, categories, index, column labels, `attrs`. A function that asks for
`pyarrow.Table` gets plain Arrow columns.

Each row below is a test. *Equal* means type, dtypes, labels and values; *documented change* means that the value comes
back as the last column says. The column `asked for` is the annotation of the parameter that gets the value;
without one, that of its upstream's result counts, else `pa.Table`.

Some rules that the rows follow:

- A subclass of a frame, or a frame typed by a schema (`pandera.typing.DataFrame[Schema]`), is given as the frame below
  it. The schema is not checked here.
- What an iterator or a reader yields is copied before it goes on, so a buffer may be filled again.
- All frames that an iterator yields have the same dtypes, categories, labels and `attrs`; the range indexes of such
  frames are not kept.
- Columns of an Arrow table that was made of a frame, and that a function changed since, are read as Arrow.
"""


def page() -> str:
    """Return the page's text."""
    parts = [HEAD]
    for group, rows in itertools.groupby(ROWS, key=lambda row: row.group):
        of_group = list(rows)
        shown = of_group[0].frame.replace("…", "<value>")
        parts.append(f"\n## {group[0].upper()}{group[1:]}\n")
        if shown != "<value>":
            parts.append(f"Given as `{shown}`.\n")
        parts.append("| value | asked for | outcome | comes back as, or why not |\n|---|---|---|---|")
        parts.extend(map(_line, of_group))
    return "\n".join(parts) + "\n"


def _line(row: Row) -> str:
    code = row.code.replace("|", "\\|")
    return f"| `{code}` | `{row.kind}` | {row.outcome} | {row.note} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
