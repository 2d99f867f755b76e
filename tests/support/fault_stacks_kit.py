"""Stores to break: files or a bucket, SQLite or PostgreSQL; each state can be kept, and made again in milliseconds."""

import contextlib
import hashlib
import itertools
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import psycopg
from postgres_kit import QUICK
from psycopg.rows import namedtuple_row
from s3_kit import bucket

from benchmarks.postgres import Server, server
from jammi_dagster import ResultStore
from jammi_dagster.catalog.models import METADATA

_CATALOG = "catalog.db"


@dataclass(frozen=True)
class Place:
    """The arguments of a store, for any process."""

    root: str
    catalog: str
    options: Mapping[str, Any] | None

    def open(self) -> ResultStore:
        """Open it in a state that knows nothing."""
        return ResultStore(self.root, self.catalog, storage_options=self.options)


@dataclass(frozen=True)
class Seen:
    """All that a store holds: rows, pointers with the end of each one's history, and the SHA-256 of each object."""

    rows: Mapping[str, Any]
    pointers: Mapping[tuple[str, str, str], str | None]
    told: Mapping[tuple[str, str, str], str | None]
    objects: Mapping[str, str]
    sidecars: Mapping[str, bytes]


class Files(Protocol):
    """The objects below a root."""

    root: str
    options: Mapping[str, Any] | None

    def keep(self) -> Any:
        """Copy all objects."""

    def reset(self, kept: Any) -> None:
        """Make the objects that were kept again, and no others."""

    def seen(self) -> tuple[dict[str, str], dict[str, bytes]]:
        """Give the digest of each object, and the sidecars."""


class Rows(Protocol):
    """A catalog."""

    url: str

    def keep(self) -> Any:
        """Copy it."""

    def reset(self, kept: Any) -> None:
        """Make the copy the catalog."""

    def all(self, table: str) -> list[Any]:
        """Give all rows of a table; none where there is no table."""


@dataclass(frozen=True)
class Stack:
    """Objects and a catalog."""

    name: str
    files: Files
    catalog: Rows

    @property
    def place(self) -> Place:
        """The arguments of the store."""
        return Place(self.files.root, self.catalog.url, self.files.options)

    def keep(self) -> tuple[Any, Any]:
        """Copy both."""
        return self.files.keep(), self.catalog.keep()

    def reset(self, kept: tuple[Any, Any]) -> None:
        """Make both again as they were."""
        self.files.reset(kept[0])
        self.catalog.reset(kept[1])

    def seen(self) -> Seen:
        """Look at everything, in a fresh state."""
        rows = {row.id: row for row in self.catalog.all("materializations")}
        pointers = {
            (row.tenant, row.deployment, row.table_name): row.materialization_id
            for row in self.catalog.all("pointers")
        }
        told = {
            (row.tenant, row.deployment, row.table_name): row.materialization_id
            for row in sorted(self.catalog.all("pointer_moves"), key=lambda row: row.sequence)
        }
        objects, sidecars = self.files.seen()
        return Seen(rows, pointers, told, objects, sidecars)


class LocalFiles:
    """A folder; an SQLite catalog in it is another's."""

    options: Mapping[str, Any] | None = None

    def __init__(self, folder: Path) -> None:
        self._folder, self.root = folder, str(folder)

    def keep(self) -> dict[str, bytes]:
        return {path: (self._folder / path).read_bytes() for path in self._paths()}

    def reset(self, kept: dict[str, bytes]) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        for path, data in kept.items():
            file = self._folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)

    def seen(self) -> tuple[dict[str, str], dict[str, bytes]]:
        found = self.keep()
        digests = {path: hashlib.sha256(data).hexdigest() for path, data in found.items()}
        return digests, {path: data for path, data in found.items() if path.endswith(".json")}

    def _paths(self) -> Iterator[str]:
        for path in self._folder.rglob("*"):
            if path.is_file() and not path.name.startswith(_CATALOG):
                yield str(path.relative_to(self._folder))


class BucketFiles:
    """A prefix of a bucket; only objects that were not seen before are read."""

    def __init__(self, url: str, options: Mapping[str, Any], prefix: str) -> None:
        import boto3  # type: ignore[import-untyped]

        self.root, self._prefix = f"{url}/{prefix}", f"{prefix}/"
        self.options: Mapping[str, Any] | None = options
        self._client = boto3.client(
            "s3",
            endpoint_url=options["endpoint_url"],
            region_name="us-east-1",
            aws_access_key_id=options["key"],
            aws_secret_access_key=options["secret"],
        )
        self._known = dict[str, bytes]()

    def keep(self) -> dict[str, bytes]:
        return {path: self._read(path, tag) for path, tag in self._listed().items()}

    def reset(self, kept: dict[str, bytes]) -> None:
        there = self._listed()
        tags = {
            path: f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"' for path, data in kept.items()
        }
        for path in there.keys() - kept.keys():
            self._client.delete_object(Bucket="bucket", Key=self._prefix + path)
        for path, data in kept.items():
            if there.get(path) != tags[path]:
                self._client.put_object(Bucket="bucket", Key=self._prefix + path, Body=data)

    def seen(self) -> tuple[dict[str, str], dict[str, bytes]]:
        found = self.keep()
        digests = {path: hashlib.sha256(data).hexdigest() for path, data in found.items()}
        return digests, {path: data for path, data in found.items() if path.endswith(".json")}

    def _listed(self) -> dict[str, str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket="bucket", Prefix=self._prefix)
        return {
            one["Key"].removeprefix(self._prefix): one["ETag"]
            for page in pages
            for one in page.get("Contents", [])
        }

    def _read(self, path: str, tag: str) -> bytes:
        if tag not in self._known:
            self._known[tag] = self._client.get_object(Bucket="bucket", Key=self._prefix + path)[
                "Body"
            ].read()
        return self._known[tag]


class SqliteRows:
    """A database file."""

    def __init__(self, file: Path) -> None:
        self._file, self.url = file, str(file)

    def keep(self) -> dict[str, bytes]:
        return {name: file.read_bytes() for name in ("", "-wal") if (file := self._beside(name)).exists()}

    def reset(self, kept: dict[str, bytes]) -> None:
        for name in ("", "-wal", "-shm"):
            self._beside(name).unlink(missing_ok=True)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        for name, data in kept.items():
            self._beside(name).write_bytes(data)

    def all(self, table: str) -> list[Any]:
        if not self._file.exists():  # to connect would make it
            return []
        with (
            contextlib.closing(sqlite3.connect(self._file)) as connection,
            contextlib.suppress(sqlite3.OperationalError),
        ):
            found = connection.execute(f"SELECT * FROM {table}")
            names = [column[0] for column in found.description]
            return [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in found]
        return []

    def _beside(self, name: str) -> Path:
        return self._file.with_name(self._file.name + name)


class PostgresRows:
    """A database of a server; a copy is a schema in it."""

    _numbers = itertools.count()

    def __init__(self, server: Server) -> None:
        self.url = server.new(f"faults_{next(self._numbers)}")
        self._connection = psycopg.connect(self.url, autocommit=True, row_factory=namedtuple_row)

    def keep(self) -> str | None:
        if not self._has("materializations"):
            return None
        name = f"kept_{next(self._numbers)}"
        copies = [f"CREATE TABLE {name}.{table} AS TABLE public.{table}" for table in _TABLES]
        self._run(f"CREATE SCHEMA {name}", *copies)
        return name

    def reset(self, kept: str | None) -> None:
        if kept is None:
            self._run("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
            return
        copies = [f"INSERT INTO public.{table} SELECT * FROM {kept}.{table}" for table in _TABLES]
        self._run(f"TRUNCATE {', '.join(f'public.{table}' for table in _TABLES)} CASCADE", *copies)

    def all(self, table: str) -> list[Any]:
        if not self._has(table):
            return []
        return self._connection.execute(f"SELECT * FROM public.{table}").fetchall()

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _has(self, table: str) -> bool:
        found = self._connection.execute("SELECT to_regclass(%s)", [f"public.{table}"]).fetchone()
        return found is not None and found[0] is not None

    def _run(self, *statements: str) -> None:
        self._connection.execute("; ".join(statements))


_TABLES = [table.name for table in METADATA.sorted_tables]
STACKS = ("local + SQLite", "local + PostgreSQL", "S3 + SQLite", "S3 + PostgreSQL")


class Shelf:
    """Gives new stacks below a folder. A server is started for the first stack that needs it."""

    _numbers = itertools.count()  # moto's servers of one process share their buckets

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._servers = contextlib.ExitStack()
        self._bucket: tuple[str, dict[str, Any]] | None = None
        self._postgres: Server | None = None

    def __enter__(self) -> "Shelf":
        return self

    def __exit__(self, *rest: Any) -> None:
        self._servers.close()

    def new(self, name: str) -> Stack:
        """Give an empty stack of the kind that is called so."""
        files, catalog = name.split(" + ")
        folder = self._folder / f"store{next(self._numbers)}"
        where: Files = LocalFiles(folder) if files == "local" else self._in_bucket(folder.name)
        if catalog == "SQLite":
            return Stack(name, where, SqliteRows(folder / _CATALOG))
        catalog_there = PostgresRows(self._server())
        self._servers.callback(catalog_there.close)
        return Stack(name, where, catalog_there)

    def _in_bucket(self, prefix: str) -> BucketFiles:
        if self._bucket is None:
            url, options = self._servers.enter_context(bucket())
            # one client for all stores of this process: to make one takes longer than a pass
            self._bucket = url, {**options, "skip_instance_cache": False}
            self._servers.callback(_close_clients)
        return BucketFiles(*self._bucket, prefix)

    def _server(self) -> Server:
        if self._postgres is None:
            self._postgres = self._servers.enter_context(server(**QUICK))
        return self._postgres


def _close_clients() -> None:
    """Close the clients of all stores, and forget them."""
    from s3fs import S3FileSystem  # type: ignore[import-untyped]

    for fs in list(S3FileSystem._cache.values()):
        if fs._s3 is not None:
            S3FileSystem.close_session(fs.loop, fs._s3)
    S3FileSystem.clear_instance_cache()
