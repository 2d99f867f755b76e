"""The folder of a process for private copies of files and folders; it goes when the process ends."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

_folders: dict[int, str] = {}  # by process: a forked child has one of its own


def copies_folder() -> str:
    """Return this process's folder; make it on first use."""
    pid = os.getpid()
    if pid not in _folders:
        _folders[pid] = os.path.realpath(tempfile.mkdtemp(prefix="jammi-objects-"))
        atexit.register(_remove, pid)
    return _folders[pid]


def _remove(pid: int) -> None:
    if pid == os.getpid():
        for path, _, _ in os.walk(_folders[pid]):
            os.chmod(path, 0o755)
        shutil.rmtree(_folders[pid], ignore_errors=True)
