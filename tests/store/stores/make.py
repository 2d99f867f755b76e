"""Makes `<version>/` here: a small store as the release of that version writes it, with the answers it gave.

Run once when a version is released, with its own code, and never again for that one:
`PYTHONPATH=<its tree> python tests/store/stores/make.py <version>`.
"""

import contextlib
import json
import shutil
import sqlite3
import sys
from pathlib import Path
from unittest import mock

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parents[1] / "support"))

from stores_kit import answers, fill  # noqa: E402

from jammi_dagster import ResultStore  # noqa: E402
from jammi_dagster.catalog import CatalogWriter  # noqa: E402

if __name__ == "__main__":
    folder = FOLDER / sys.argv[1]
    shutil.rmtree(folder, ignore_errors=True)
    made = ResultStore(str(folder))
    # leaves the rows of a writer that dies `building`
    with mock.patch.object(CatalogWriter, "fail", return_value=frozenset()):
        fill(made)
    told = answers(made)
    made.close()
    with contextlib.closing(sqlite3.connect(folder / "catalog.db")) as database:
        (folder / "catalog.sql").write_text("\n".join(database.iterdump()) + "\n")
    for file in folder.glob("catalog.db*"):
        file.unlink()
    (folder / "answers.json").write_text(json.dumps(told, indent=1) + "\n")
