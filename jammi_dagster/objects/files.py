"""Files and folders as objects: a folder is one tar, equal for equal files; a reader gets a private copy."""

from __future__ import annotations

import io
import os
import shutil
import stat
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from jammi_dagster.objects.chunks import CHUNK
from jammi_dagster.objects.copies import copies_folder


class NotAFile(ValueError):
    """A path that is no file and no folder, or a folder with something else in it."""


def described(path: Path) -> dict[str, str]:
    """Return the name of a file or folder, which of the two it is, and if a file is a program. Raises `NotAFile`."""
    if path.is_symlink():
        raise NotAFile(f"{path.name} is a link")
    if path.is_dir():
        return {"format": "folder", "media_type": "application/x-tar", "name": path.name}
    if path.is_file():
        program = {"mode": "executable"} if path.stat().st_mode & stat.S_IXUSR else {}
        return {"format": "file", "media_type": "application/octet-stream", "name": path.name, **program}
    raise NotAFile(
        f"{path.name} is not there" if not path.exists() else f"{path.name} is no file and no folder"
    )


def chunks(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file, or of a folder as a tar. Raises `NotAFile` for links and the like within it."""
    with path.open("rb") if path.is_file() else tempfile.TemporaryFile() as source:
        if path.is_dir():
            _write_tar(path, source)
            source.seek(0)
        while data := source.read(CHUNK):
            yield data


def _write_tar(folder: Path, target: io.BufferedIOBase) -> None:
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(folder.rglob("*"), key=lambda one: one.relative_to(folder).as_posix()):
            name, mode = path.relative_to(folder).as_posix(), path.lstat().st_mode
            entry = tarfile.TarInfo(name)  # no owner, and the first of times
            if stat.S_ISDIR(mode):
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(entry)
            elif stat.S_ISREG(mode):
                entry.mode = 0o755 if mode & stat.S_IXUSR else 0o644
                with path.open("rb") as file:
                    entry.size = os.fstat(file.fileno()).st_size
                    tar.addfile(entry, file)
            else:
                raise NotAFile(f"{name} in {folder.name} is a link or a special file")


def private_copy(described: Mapping[str, str], data: Iterable[bytes]) -> Path:
    """Write a file or folder to a place of its own, which only this process knows and which goes when it ends."""
    format_ = described["format"]
    target = Path(tempfile.mkdtemp(dir=copies_folder())) / (PurePosixPath(described["name"]).name or format_)
    if format_ == "file":
        with target.open("wb") as file:
            file.writelines(data)
        target.chmod(0o555 if described.get("mode") == "executable" else 0o444)
        return target
    target.mkdir()
    with tempfile.TemporaryFile() as file:
        file.writelines(data)
        file.seek(0)
        with tarfile.open(fileobj=file) as tar:
            _extract(tar, target)
    return target


def _extract(tar: tarfile.TarFile, target: Path) -> None:
    folders = [target]
    for entry in tar:
        parts = PurePosixPath(entry.name).parts
        if ".." in parts or PurePosixPath(entry.name).is_absolute() or not (entry.isfile() or entry.isdir()):
            raise NotAFile(f"{entry.name} has no place below a folder")
        path = target.joinpath(*parts)
        if entry.isdir():
            path.mkdir(parents=True)
            folders.append(path)
        else:
            content = tar.extractfile(entry)
            assert content is not None, "a regular file has content"
            with content, path.open("wb") as file:
                shutil.copyfileobj(content, file)
            path.chmod(0o555 if entry.mode & stat.S_IXUSR else 0o444)
    for folder in folders:
        folder.chmod(0o555)
