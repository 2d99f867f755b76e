"""An SQLite file as a catalog: how it is opened, and how its replacement under an open connection is noticed."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool, QueuePool

from jammi_dagster.durable import identity_of, sync_folder
from jammi_dagster.errors import CatalogReplaced, CatalogUnavailable

BUSY_SECONDS = 60.0
# the execution options that say how a transaction begins, and if its commit survives a loss of power
BEGIN, DURABLE = "jammi_begin", "jammi_durable"
_ARGUMENTS: dict[str, Any] = {"timeout": BUSY_SECONDS, "isolation_level": None, "check_same_thread": False}
# file systems that several machines mount, where the memory that WAL shares is not shared
_SHARED_BY_MACHINES = frozenset(
    {"nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "afs", "ncpfs", "lustre", "beegfs"}
    | {f"fuse.{name}" for name in ("sshfs", "glusterfs", "s3fs", "rclone", "gcsfuse", "ceph")}
)
_MOUNTS = Path("/proc/self/mountinfo")
# files with connections that this process inherited in use: SQLite's own notes on their locks are not ours
carried_over: set[tuple[int, int]] = set()
_told: set[Path] = set()
_log = logging.getLogger("jammi_dagster")


class FileConnection(sqlite3.Connection):
    """A connection that knows which file it opened, and which write-ahead log it wrote to."""

    identity: tuple[int, int] | None = None
    log_identity: tuple[int, int] | None = None
    is_durable: bool | None = None  # as the pragma was set last


class SqliteFile:
    """The file of a catalog. It makes connections, and holds none."""

    def __init__(self, path: str, name: str) -> None:
        self.path, self.name = Path(path), name
        self.read_only = not is_writable(self.path)
        self.may_make = False  # unless its absence is no error

    def engine(self) -> sa.Engine:
        """Create an engine on the file."""
        # with a writer of another user that comes and goes, each connection is opened as it finds the file
        pool: dict[str, Any] = {"poolclass": QueuePool, "max_overflow": -1}
        if self.read_only:
            pool = {"poolclass": NullPool}
        return new_engine(self.connect, **pool)

    def connect(self) -> sqlite3.Connection:
        """Open a connection. Raises `CatalogReplaced`, and as SQLite does."""
        before = self.identity()
        if before in carried_over:
            why = (
                "the process was forked while the catalog was in use; start processes by spawn or forkserver, "
                "or fork before any table is made"
            )
            raise CatalogUnavailable(catalog=self.name, why=why)
        if before is None and not (self.may_make or self.read_only):
            raise CatalogReplaced(catalog=self.name, found="removed")
        if self.read_only or (before is not None and not is_writable(self.path)):
            self.read_only = True
            reader: sqlite3.Connection
            reader = sqlite3.connect(f"{self.path.as_uri()}?{_read_mode(self.path)}", uri=True, **_ARGUMENTS)
            return reader
        if before is None:
            _make_folder(self.path.parent)
        mode = "rwc" if self.may_make else "rw"
        connection = sqlite3.connect(
            f"{self.path.as_uri()}?mode={mode}", uri=True, factory=FileConnection, **_ARGUMENTS
        )
        try:
            connection.identity = self.identity()
            if connection.identity != before and not (before is None and self.may_make):
                raise CatalogReplaced(catalog=self.name, found="replaced")
            for pragma in ("synchronous=NORMAL", "fullfsync=ON", "foreign_keys=ON", "cache_size=-65536"):
                connection.execute(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection

    def identity(self, suffix: str = "") -> tuple[int, int] | None:
        """Return the device and number of the file, or of the one beside it with a suffix; None if there is none.

        Raises `CatalogUnavailable` where the file system cannot tell.
        """
        try:
            return identity_of(f"{self.path}{suffix}")
        except OSError as error:
            raise CatalogUnavailable(catalog=self.name, why=str(error)) from error

    def fault(self, connection: sqlite3.Connection) -> str | None:
        """Tell how the path no longer names the connection's file: `removed` or `replaced`; None where it does."""
        if not isinstance(connection, FileConnection):
            return None
        found = self.identity()
        if found != connection.identity:
            return "removed" if found is None else "replaced"
        return None

    def fault_of_log(self, connection: sqlite3.Connection) -> str | None:
        """Tell how the path of the write-ahead log no longer names the connection's; asked after a commit."""
        if not isinstance(connection, FileConnection):
            return None
        found = self.identity("-wal")
        if connection.log_identity is None:
            connection.log_identity = found
        return None if found == connection.log_identity else "left without its write-ahead log"

    def warn_of_network(self) -> None:
        """Log a warning, once in a process, where several machines may open the file."""
        if self.path in _told:
            return
        _told.add(self.path)
        try:
            kind = network_file_system(os.path.realpath(self.path.parent), _MOUNTS.read_text())
        except (OSError, UnicodeError):  # no Linux
            return
        if kind is not None:
            _log.warning(
                "catalog %s lies on %s: SQLite is safe there only as long as one machine uses it; put the catalog "
                "on a local disk, or in PostgreSQL",
                self.name,
                kind,
            )


def new_engine(connect: Callable[[], sqlite3.Connection], **pool: Any) -> sa.Engine:
    """Create an engine on a database: each statement stands alone, except where `BEGIN` is an execution option."""
    engine = sa.create_engine("sqlite://", creator=connect, hide_parameters=True, **pool)
    # the driver never begins by itself (isolation_level None above), so this is the one place that does
    sa.event.listen(engine, "begin", _begin)
    return engine


def connect_to_memory() -> sqlite3.Connection:
    """Open a new database in memory."""
    connection: sqlite3.Connection = sqlite3.connect(":memory:", **_ARGUMENTS)
    return connection


def _begin(connection: sa.Connection) -> None:
    """Begin the transaction that the execution options ask for; SQLite takes the pragma only outside of one."""
    options = connection.get_execution_options()
    statement = options.get(BEGIN)
    if statement is None:
        return
    durable, driver = options.get(DURABLE), connection.connection.driver_connection
    if durable is not None and not (isinstance(driver, FileConnection) and driver.is_durable == durable):
        connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        if isinstance(driver, FileConnection):
            driver.is_durable = durable
    connection.exec_driver_sql(statement)


def is_writable(file: Path) -> bool:
    """Check that the database can be written, with its folder: WAL makes files beside it."""
    if os.path.exists(file):
        return os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)
    nearest = next(folder for folder in file.parents if os.path.exists(folder))
    return os.access(nearest, os.W_OK)


def network_file_system(folder: str, mounts: str) -> str | None:
    """Name the kind of the file system that several machines may share, if the folder lies on one.

    `mounts` is the text of Linux's `/proc/self/mountinfo`.
    """
    best, kind = "", ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not after:
            continue
        point = fields[4].encode().decode("unicode_escape")  # a space stands as \040
        inside = folder == point or folder.startswith(f"{point.rstrip('/')}/")
        if inside and len(point) >= len(best):  # of two mounts on one point the later one is seen
            best, kind = point, after.split()[0]
    return kind if kind in _SHARED_BY_MACHINES else None


def _read_mode(file: Path) -> str:
    """Choose how SQLite opens a database that is not to be written, so that it leaves no file behind.

    In WAL mode a reader needs an index beside the file. That of a writer at work serves, with the pages not
    yet in the file itself; with no writer there is neither, and the file alone is the database.
    """
    with file.open("rb") as database:
        in_wal_mode = database.read(20)[18:] == b"\2\2"  # the header's versions for writing and for reading
    alone = in_wal_mode and not file.with_name(f"{file.name}-wal").exists()
    return "immutable=1" if alone else "mode=ro"


def _make_folder(folder: Path) -> None:
    """Make the folder, with durable entries: SQLite makes the file's own entry durable, and no other."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        sync_folder(path.parent)
