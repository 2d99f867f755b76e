"""A tick of the staleness sensor, at any size of the catalog, against Dagster's own resolver where that can run."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa

from benchmarks.fresh import fresh
from benchmarks.report import Report, Row
from jammi_dagster import InputAnchor, ResultStoreResource, ResultTableIOManager, result_table
from jammi_dagster.adapters.code_location.location import Location
from jammi_dagster.adapters.code_location.present import Present
from jammi_dagster.adapters.judgement.evaluator import Evaluator
from jammi_dagster.adapters.recipe.replay import Replay
from jammi_dagster.adapters.sensor.cursor import Cursor
from jammi_dagster.adapters.sensor.requests_of_tick import Options
from jammi_dagster.adapters.sensor.tick import Ticker
from jammi_dagster.artifacts import DEFAULT_PROFILE
from jammi_dagster.contract import anchor_set_key, canonical_json

SIZES = (1_000, 100_000, 1_000_000)
_MOST_S = 40.0  # Dagster ends a tick after 60
STALE = 10
_ARTIFACT = "artifact.parquet"  # of every table
_SIZE = 4
_MOST_FOR_DAGSTER = 1_000
_AT = "2026-11-22T12:00:00+00:00"
_MATERIALIZATION = (
    "id, tenant, deployment, table_name, status, artifact_path, definition_hash, anchor_set_id, artifact_digest, "
    "size_bytes, row_count, writer_profile, compute_seconds, produced_by, start_sequence, created_at, completed_at"
)
_POINTER = (
    "tenant, deployment, table_name, materialization_id, start_sequence, made_by_tenant, made_at_sequence, "
    "definition_hash, anchor_set_id, artifact_digest"
)
ABOUT = (
    "seconds of the longest tick of a round, and how many ticks it takes to come to every table, over partitions of "
    "two assets on a local SQLite catalog, with the default time budget: in a new process, in a new process per tick, "
    "when nothing changed, and when ten upstream partitions have other bytes. Every artifact is there. `peak MB` is of "
    "the process that ticks. Dagster's is its own resolver, asked for each partition, on an instance in memory. A "
    "million tables take four minutes in all, half of it to write the catalog, and 1.3 GB of disk."
)


def run(*, sizes: Sequence[int] = SIZES) -> Report:
    """Measure catalogs of so many tables."""
    rows: list[Row] = []
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="jammi-bench-") as folder:
            loaded = fresh(load, size=size, root=f"{folder}/store")
            rows.append(Row(what=f"{size:,} tables: load", values={"s": loaded.seconds}))
            found = fresh(rounds, size=size, root=f"{folder}/store")
        measured: dict[str, dict[str, float]] = found.result
        measured["ten stale"]["peak MB"] = found.peak_mb
        for what, values in measured.items():
            most = _MOST_S
            if what == "unchanged":
                most = 0.05
            elif what == "ten stale" and size <= 100_000:
                most = 2.0
            rows.append(Row(what=f"{size:,} tables: {what}", values=values, budget=most, budgeted="s"))
        if size <= _MOST_FOR_DAGSTER:
            seconds = fresh(of_dagster, partitions=size // 2).result
            rows.append(Row(what=f"{size:,} tables: Dagster's resolver", values={"s": seconds}))
    return Report(name="tick", about=ABOUT, rows=rows)


def rounds(size: int, root: str) -> dict[str, dict[str, float]]:
    """Measure, in a fresh process, the longest tick of each kind of round, and the number of its ticks."""
    with dg.DagsterInstance.ephemeral() as instance:
        repository = definitions(Path(root), size // 2).get_repository_def()
        taken: dict[str, dict[str, float]] = {}
        cursor: str | None = None
        for what in ("first of new processes", "first", "unchanged", "ten stale"):
            if what == "ten stale":
                change(Path(root))
            seconds: list[float] = []
            while not seconds or Cursor.load(cursor).round.after:
                if what == "first of new processes" or (what == "first" and not seconds):
                    ticker = Ticker("bench", Options(target="*"))
                started = time.perf_counter()
                tick = ticker.tick(repository, instance, cursor)
                seconds.append(time.perf_counter() - started)
                cursor = tick.cursor.dump()
                assert Cursor.load(cursor) == tick.cursor
            stale = "10 stale" in tick.said
            assert stale == (what == "ten stale"), tick.said
            taken[what] = {"s": max(seconds), "ticks": len(seconds)}
        return taken


def load(size: int, root: str) -> None:
    """Write a catalog of so many tables."""
    with dg.DagsterInstance.ephemeral() as instance:
        repository = definitions(Path(root), size // 2).get_repository_def()
        _load(Location(repository, instance), Path(root))


def definitions(root: Path, partitions: int, version: str = "1") -> dg.Definitions:
    """Return two assets with so many partitions, one above the other; `version` is that of their code."""
    many = dg.StaticPartitionsDefinition([f"k{i:07}" for i in range(partitions)])

    @result_table(partitions_def=many, reads=[], code_version=version)
    def upstream() -> pa.Table:
        return pa.table({"x": [1]})

    @result_table(partitions_def=many, code_version=version)
    def downstream(upstream: pa.Table) -> pa.Table:
        return upstream

    manager = ResultTableIOManager(store=ResultStoreResource(root=str(root)), cache="use")
    return dg.Definitions(assets=[upstream, downstream], resources={"io_manager": manager})


def _load(location: Location, root: Path) -> None:
    """Write the rows that runs of every partition would have written, and one artifact for all."""
    evaluator = Evaluator(location)
    up, down = evaluator.assets(location.select("*"))
    store = up.store
    store.close()
    digests = {table: hashlib.sha256(table.encode()).hexdigest() for table in up.tables()}
    look = Present(location, store, digests)
    profile = canonical_json(DEFAULT_PROFILE.to_dict()).decode()
    store.database.make()
    (root / _ARTIFACT).write_bytes(bytes(_SIZE))
    sets: list[tuple[Any, ...]] = [(1, anchor_set_key([]), "[]")]
    edges: list[tuple[Any, ...]] = []
    made: list[tuple[Any, ...]] = []
    pointers: list[tuple[Any, ...]] = []
    for asset in (up, down):
        above = list(up.tables())
        for number, (table, partition) in enumerate(asset.tables().items()):
            definition, _ = asset.definition(partition, Replay(), look)
            start = len(made) + 1
            place = 1
            if asset is down:
                place = len(sets) + 1
                anchor = InputAnchor.result_digest(above[number], digests[above[number]])
                sets.append((place, anchor_set_key([anchor]), json.dumps([anchor.to_dict()])))
                edges.append((place, anchor.source, anchor.kind.value))
            digest = hashlib.sha256(table.encode()).hexdigest()
            identity = f"{start:012x}{digest[:20]}"
            made.append(
                (
                    *(identity, "", "default", table, "ready", _ARTIFACT, definition, place, digest),
                    *(_SIZE, 1, profile, 1.0, "bench", start, _AT, _AT),
                )
            )
            pointers.append(("", "default", table, identity, start, "", start, definition, place, digest))
    with sqlite3.connect(root / "catalog.db") as connection:
        for table, columns, rows in (
            ("anchor_sets", "id, set_key, anchors_json", sets),
            ("anchor_edges", "anchor_set_id, source, kind", edges),
            ("materializations", _MATERIALIZATION, made),
            ("pointers", _POINTER, pointers),
        ):
            marks = ", ".join("?" * len(columns.split(",")))
            connection.executemany(f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})", rows)
        connection.execute("UPDATE catalog_state SET revision = 1, start_sequence = ?", (len(made) + 1,))
    connection.close()


def change(root: Path) -> None:
    """Give ten upstream tables other bytes, as a run that makes them would leave the catalog."""
    with sqlite3.connect(root / "catalog.db") as connection:
        for number in range(STALE):
            name = f"upstream[k{number:07}]"
            for table in ("pointers", "materializations"):
                connection.execute(
                    f"UPDATE {table} SET artifact_digest = ? WHERE table_name = ?", (f"{number:064}", name)
                )
        connection.execute("UPDATE catalog_state SET revision = revision + 1")
    connection.close()


def of_dagster(partitions: int) -> float:
    """Measure the status of every downstream partition by the resolver behind Dagster's UI (no public name)."""
    from dagster._core.definitions.data_version import CachingStaleStatusResolver
    from dagster._core.loader import LoadingContextForTest

    defs = definitions(Path("unused"), partitions)
    with dg.DagsterInstance.ephemeral() as instance:
        keys = [f"k{i:07}" for i in range(partitions)]
        for key, asset in ((key, asset) for asset in ("upstream", "downstream") for key in keys):
            instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=key))

        async def ask() -> Iterator[Any]:
            graph = defs.get_repository_def().asset_graph
            resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
            return iter([resolver.get_status(dg.AssetKey("downstream"), key) for key in keys])

        started = time.perf_counter()
        asyncio.run(ask())
        return time.perf_counter() - started
