"""Durable folder entries, for artifacts and for an SQLite catalog alike, and the identity of an open file."""

from __future__ import annotations

import errno
import os

# errors of file systems that cannot fsync a folder; like SQLite, we go on without
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP}


def sync_folder(path: str | os.PathLike[str]) -> None:
    """Make the entries of a folder durable, where its system and file system can."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)


def identity_of(path: str | os.PathLike[str]) -> tuple[int, int] | None:
    """Give the device and number of the file at this path, or None if there is none.

    Raises `NotADirectoryError` where one of its folders is a file, and as `os.stat` does.
    """
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
