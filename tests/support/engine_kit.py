"""Real engine catalogs (`engine_vectors`), copied, on SQLite and on PostgreSQL."""

import json
import shutil
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psycopg
from core_kit import VECTORS
from psycopg import sql

from jammi_dagster import ResultStore
from jammi_dagster.contract import canonical_json

SCENARIOS = sorted(path.name for path in (VECTORS / "catalogs").iterdir())


class Engine:
    """A scenario's catalog in `folder`, as an engine would have left it there; `url` is where it is now."""

    def __init__(self, scenario: str, folder: Path) -> None:
        shutil.copytree(VECTORS / "catalogs" / scenario, folder, dirs_exist_ok=True)
        self.folder = folder
        self.file = folder / "catalog.db"
        self.url = str(self.file)
        self.questions: list[dict[str, Any]] = json.loads((folder / "verdicts.json").read_text())
        self.execute(
            "UPDATE result_tables SET parquet_path = replace(parquet_path, '<root>', ?)", str(folder)
        )

    def to_postgres(self, url: str) -> None:
        """Moves the table of result tables into an empty PostgreSQL database."""
        with sqlite3.connect(self.file) as connection:
            columns = [(row[1], row[2]) for row in connection.execute("PRAGMA table_info(result_tables)")]
            rows = list(connection.execute("SELECT * FROM result_tables"))
        connection.close()
        kinds = {name: "BIGINT" if kind == "INTEGER" else "TEXT" for name, kind in columns}
        with psycopg.connect(url) as target:
            declared = sql.SQL(", ").join(
                sql.SQL("{} " + kind).format(sql.Identifier(name)) for name, kind in kinds.items()
            )
            target.execute(sql.SQL("CREATE TABLE result_tables ({})").format(declared))
            marks = sql.SQL(", ").join([sql.Placeholder()] * len(columns))
            for row in rows:
                target.execute(sql.SQL("INSERT INTO result_tables VALUES ({})").format(marks), row)
        self.url = url

    def execute(self, statement: str, *values: Any) -> None:
        """Changes the catalog as the engine would; `?` stands for a value."""
        if self.url != str(self.file):
            with psycopg.connect(self.url) as target:
                target.execute(statement.replace("?", "%s"), values)
            return
        connection = sqlite3.connect(self.file)
        try:
            # triggers of the engine's own guard its time stamps; nothing here writes those
            with connection:
                connection.execute(statement, values)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()

    def set_anchors(self, table: str, anchors: Iterable[Any]) -> None:
        """From here on the row has these anchors: written as the engine writes them."""
        text = json.dumps(list(anchors), separators=(",", ":"), ensure_ascii=False)
        self.execute("UPDATE result_tables SET input_anchors_json = ? WHERE table_name = ?", text, table)

    def add(self, table: str, anchors: Iterable[Any] | None, **fields: Any) -> None:
        """One more ready table, which has no bytes of its own unless `parquet_path` says where."""
        row = {
            "table_name": table,
            "source_id": "s",
            "kind": "model",
            "parquet_path": f"file://{self.folder}/tables/{table}.parquet",
            "status": "ready",
            "row_count": 0,
            "next_version": 0,
            "created_at": "2026-11-22T12:00:00.000000Z",
            "definition_hash": None if anchors is None else "ab" * 32,
            "input_anchors_json": None if anchors is None else json.dumps(list(anchors), ensure_ascii=False),
            **fields,
        }
        marks = ", ".join("?" * len(row))
        self.execute(f"INSERT INTO result_tables ({', '.join(row)}) VALUES ({marks})", *row.values())

    def attach(self) -> ResultStore:
        """The store over it."""
        return ResultStore.attach_engine(self.url, str(self.folder))

    def files(self) -> dict[str, bytes]:
        """Every file of it."""
        return {
            str(p.relative_to(self.folder)): p.read_bytes() for p in self.folder.rglob("*") if p.is_file()
        }


def plain(answer: Any) -> Any:
    """An answer as the engine's JSON."""
    if isinstance(answer, list):
        return [plain(item) for item in answer]
    value = answer.to_dict()
    assert json.loads(canonical_json(value)) == value
    return value
