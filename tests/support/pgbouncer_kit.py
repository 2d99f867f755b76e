"""A pooler in front of a PostgreSQL server: transaction pooling, one connection to the server for all clients."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from debian_kit import program
from sqlalchemy.engine import make_url
from waiting_kit import until


@contextmanager
def pooled(url: str) -> Iterator[str]:
    """Give a URL of the database behind `url` that goes through a pooler. `url` names the socket's folder as `host`."""
    server = make_url(url)
    sockets = str(server.query["host"])
    owner = pwd.getpwuid(os.stat(sockets).st_uid)  # a pooler refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="jammi-pgb-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "users.txt").write_text(f'"{server.username}" ""\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={sockets} port={server.port or 5432} user={server.username}\n"
        f"[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port={port}\nunix_socket_dir=\nauth_type=any\n"
        f"auth_file={folder}/users.txt\npool_mode=transaction\ndefault_pool_size=1\nmax_client_conn=100\n"
        f"logfile={folder}/log\n"
    )
    for path in (folder, *folder.iterdir()):
        os.chown(path, owner.pw_uid, owner.pw_gid)
    command = [program("pgbouncer"), "-q", str(folder / "pgbouncer.ini")]
    identity = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
    pooler = subprocess.Popen(command, **identity)  # type: ignore[call-overload]
    through = f"postgresql://{server.username}@127.0.0.1:{port}/{server.database}"
    try:
        until(lambda: _answers(through), "the pooler does not answer")
        yield through
    finally:
        pooler.terminate()
        pooler.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True
