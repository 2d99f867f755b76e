"""Catalogs of earlier revisions, and the questions for them."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

from jammi_dagster import ResultStore
from jammi_dagster.catalog import CatalogWriter, MaterializationRecord

FOLDER = Path(__file__).parents[1] / "catalog" / "databases"


_KEPT = (
    "materialization_id",
    "table",
    "status",
    "tenant",
    "deployment",
    "artifact_path",
    "artifact_digest",
    "size_bytes",
    "row_count",
    "definition_hash",
    "input_anchors",
    "compute_seconds",
    "reproducibility",
    "produced_by",
    "start_sequence",
    "created_at",
    "completed_at",
)


def dump(file: Path) -> str:
    """The database as SQL."""
    with contextlib.closing(sqlite3.connect(file)) as database:
        return "\n".join(database.iterdump()) + "\n"


def restore(revision: str, file: Path) -> None:
    """Makes the database file of this revision again."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.executescript((FOLDER / f"{revision}.sql").read_text())
        database.execute("PRAGMA journal_mode=WAL")


def answers(store: ResultStore) -> dict[str, Any]:
    """All that can be asked of the catalog alone, without the artifacts, in each scope; closes the store."""
    scopes = {
        "default": store,
        "acme": store.beside(tenant="acme"),
        "branch": store.beside(deployment="branch"),
    }
    told = {name: _answers(scope) for name, scope in scopes.items()}
    store.close()
    return told


def _answers(store: ResultStore) -> dict[str, Any]:
    tables = store.tables()
    current = {table: store.current(table) for table in tables}
    definitions = {table: record.definition_hash or "" for table, record in current.items()}
    return {
        "state": list(store.reader.state())[:2],  # the mark is random
        "current": {table: _plain(record) for table, record in current.items()},
        "history": {
            table: [_plain(record) for record in store.history(table)]
            for table in [*tables, "dropped", "dead", "é[2026-01-01]"]
        },
        "annotations": {t: store.reader.annotation(r.materialization_id) for t, r in current.items()},
        "staleness": {t: store.staleness(t, definitions[t]).to_dict() for t in tables},
        "sweep": {t: verdict.to_dict() for t, verdict in store.sweep(definitions)},
        "edges": [edge.to_dict() for edge in store.reader.edges()],
        "closure": [edge.to_dict() for edge in store.derives_from_closure("up")],
        "lookups": {t: store.lookup_cached(definitions[t], r.input_anchors) for t, r in current.items()},
        "of the run": sorted(store.reader.of_run("run", tables)),
        "next start": CatalogWriter(store.database, store.scope).next_start(),
    }


def _plain(record: MaterializationRecord) -> dict[str, Any]:
    """The fields that an upgrade must not lose."""
    plain = record.to_dict()
    return {name: plain[name] for name in _KEPT}
