"""What a body reads while it runs, and nothing declares, unpins its table by the path."""

import configparser
import fileinput
import functools
import linecache
import mmap
import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from adapters_kit import Lab, table

from jammi_dagster import result_table
from jammi_dagster.errors import InvalidField
from jammi_dagster.surfaces import file


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "outside" / "settings.ini"
    path.parent.mkdir()
    path.write_text("[a]\nb = 1\n")
    return path


def parsed(path: str) -> int:
    """Reads a file in a way that no reader's name shows."""
    parser = configparser.ConfigParser()
    parser.read(path)
    return parser.getint("a", "b")


def in_a_pool(path: str) -> int:
    with ThreadPoolExecutor(2) as pool:
        return next(iter(pool.map(parsed, [path])))


def in_a_thread(path: str) -> int:
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(parsed(path)))
    thread.start()
    thread.join()
    return found[0]


def linked(path: str) -> int:
    """Stage the file under a name in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(path, f"{folder}/staged.ini")
        return parsed(f"{folder}/staged.ini")


def linked_from_there(path: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(os.path.relpath(path, os.path.realpath(folder)), f"{folder}/staged.ini")
        return parsed(f"{folder}/staged.ini")


def hard_linked(path: str) -> int:
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as folder:
        os.link(path, f"{folder}/staged.ini")
        return parsed(f"{folder}/staged.ini")


def moved(path: str) -> int:
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as folder:
        os.rename(path, f"{folder}/staged.ini")
        found = parsed(f"{folder}/staged.ini")
        os.rename(f"{folder}/staged.ini", path)
        return found


def copied(path: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        return parsed(shutil.copy(path, folder))


def mapped(path: str) -> int:
    with open(path, "rb") as source, mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as found:
        return len(found)


def by_descriptor(path: str) -> int:
    descriptor = os.open(path, os.O_RDONLY)
    with os.fdopen(descriptor) as source:
        return len(source.read())


def by_line(path: str) -> int:
    linecache.clearcache()
    return len(linecache.getline(path, 2))


def by_lines(path: str) -> int:
    with fileinput.input([path]) as lines:
        return sum(map(len, lines))


STAGED = [linked, linked_from_there, hard_linked, moved, copied]
OPENED = [mapped, by_descriptor, by_line, by_lines]


def twice(lab: Lab, asset: Any) -> tuple[list[str], str]:
    runs = [lab.run(asset) for _ in range(2)]
    return [ran.outcomes["made"] for ran in runs], runs[-1].why_unpinned("made")


@pytest.mark.parametrize("how", [parsed, in_a_pool, in_a_thread, *STAGED, *OPENED])
def test_a_file_that_nothing_declares_unpins(lab: Lab, settings: Path, how: Any) -> None:
    """The anchor is named by the path; the reason gives the line and the declaration to add."""
    path = str(settings)

    @result_table(reads=[])
    def made() -> pa.Table:
        return table(how(path))

    outcomes, why = twice(lab, made)
    assert outcomes == ["computed", "computed"]
    assert lab.anchors("made")[f"file:{path}"].is_unpinned
    assert "test_read_watch.py:" in why
    assert f"declare reads=[file({path!r})], or allow_reads=[{path!r}]" in why


@pytest.mark.parametrize(("path", "is_noticed"), [("/etc/app.conf", True), ("/etc/ssl/cert.pem", False)])
def test_settings_of_the_system_are_files_like_others(lab: Lab, path: str, is_noticed: bool) -> None:
    """But for what Python itself and its libraries ask; whether the file is there does not matter."""

    @result_table(reads=[])
    def made() -> pa.Table:
        return table(len(configparser.ConfigParser().read(path)))

    lab.run(made)
    assert (f"file:{path}" in lab.anchors("made")) is is_noticed


def test_a_generator_is_watched_while_it_is_written(lab: Lab, settings: Path) -> None:
    """The body of a generator runs later than its call."""
    path = str(settings)

    @result_table(reads=[])
    def made() -> Iterator[pa.RecordBatch]:
        yield table(parsed(path)).to_batches()[0]

    assert twice(lab, made)[0] == ["computed", "computed"]
    assert f"file:{path}" in lab.anchors("made")


@pytest.mark.parametrize("allowed", ["the path", "its folder", "a pattern", "anything"])
def test_an_allowed_read_is_none(lab: Lab, settings: Path, allowed: str) -> None:
    """`allow_reads=` takes paths, folders and patterns."""
    path = str(settings)
    allow = {
        "the path": path,
        "its folder": str(settings.parent),
        "a pattern": "*.ini",
        "anything": "*",
    }[allowed]

    @result_table(reads=[], allow_reads=[allow])
    def made() -> pa.Table:
        return table(parsed(path))

    assert twice(lab, made) == (["computed", "reused"], "")


def test_a_declared_file_passes(lab: Lab, settings: Path) -> None:
    """What `reads=` names is an input; any other file beside it is not."""
    path, other = str(settings), settings.with_name("other.ini")
    other.write_text("[a]\nb = 2\n")

    @result_table(reads=[file(path, name="settings")])
    def made() -> pa.Table:
        return table(parsed(path))

    assert twice(lab, made) == (["computed", "reused"], "")
    settings.write_text("[a]\nb = 3\n")
    assert twice(lab, made) == (["computed", "reused"], "")

    @result_table(name="made", reads=[file(path, name="settings")])
    def more() -> pa.Table:
        return table(parsed(path) + parsed(str(other)))

    assert set(lab.anchors("made")) == {"file:settings"}
    assert twice(lab, more)[0] == ["computed", "computed"]
    assert {"file:settings", f"file:{other}"} <= set(lab.anchors("made"))


def test_its_own_files_and_pythons_are_none(lab: Lab, tmp_path: Path) -> None:
    """Files that the body wrote, imports and the log are no reads of the outside."""
    path = str(tmp_path / "scratch.ini")

    @result_table(reads=[])
    def made() -> pa.Table:
        import colorsys
        import zipapp

        configparser.ConfigParser().write(open_for_writing(path))
        return table(len(configparser.ConfigParser().read(path)), colorsys.ONE_SIXTH, zipapp.__name__ != "")

    lab.run(made)
    assert lab.anchors("made") == {}


def open_for_writing(path: str) -> Any:
    with open(path, "w") as stream:
        stream.write("[a]\n")
    return _Sink()


class _Sink:
    def write(self, text: str) -> None:
        """Takes nothing."""


@pytest.mark.parametrize("asks", ["a library", "the user"])
def test_a_library_that_looks_for_its_plugins_reads_no_input(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asks: str
) -> None:
    """It lists the folders of `sys.path`, once in a process. Where the user's own code asks, that is a read."""
    sys_path = [*sys.path, str(tmp_path / "code")]
    (tmp_path / "code").mkdir()
    monkeypatch.setattr(sys, "path", sys_path)
    names = {"__name__": "library.plugins" if asks == "a library" else "users_code"}
    file = (
        sqlite3.__file__.replace("sqlite3", "library") if asks == "a library" else str(tmp_path / "users.py")
    )
    source = (
        "import importlib.metadata\ndef found():\n    return len(importlib.metadata.entry_points(group='x'))"
    )
    exec(compile(source, file, "exec"), names)
    found: Any = names["found"]

    @result_table(reads=[], code_version="1")
    def made() -> pa.Table:
        return table(found())

    why = lab.run(made).why_unpinned("made")
    assert (str(tmp_path / "code") in why) is (asks == "the user")


def test_databases_and_processes_are_seen(lab: Lab, tmp_path: Path) -> None:
    """`sqlite3` and child processes are named for what they are; a database in memory is none."""
    database = tmp_path / "some.db"
    run, connect = subprocess.run, sqlite3.connect

    @result_table(reads=[], allow_reads=["run", "connect"], ignore=["run", "connect"])
    def made() -> pa.Table:
        run([sys.executable, "-c", ""], check=True)
        connect(":memory:").close()
        connect(database).close()
        return table(1)

    lab.run(made)
    assert set(lab.anchors("made")) >= {f"file:{database}", f"process:{Path(sys.executable).name}"}


def test_other_threads_are_not_watched(lab: Lab, settings: Path) -> None:
    """What runs beside the body, and was not started by it, is none of its reads."""
    path = str(settings)
    asked, done = threading.Event(), threading.Event()

    def beside() -> None:
        asked.wait(30)
        parsed(path)
        done.set()

    threading.Thread(target=beside).start()

    @result_table(reads=[], ignore=["asked", "done"])
    def made() -> pa.Table:
        asked.set()
        assert done.wait(30)
        return table(1)

    lab.run(made)
    assert lab.anchors("made") == {}


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("ignore", "name"),
        ("ignore", [3]),
        ("allow_reads", [""]),
        ("depends_on", "name"),
        ("depends_on", [object()]),
        ("depends_on", [[object()]]),
    ],
)
def test_misuse_is_an_error_at_decoration(argument: str, value: Any) -> None:
    """What makes no sense is refused where it is written."""
    arguments: dict[str, Any] = {argument: value}
    with pytest.raises(InvalidField):

        @result_table(**arguments)
        def made() -> pa.Table:
            return table(1)


@functools.lru_cache
def kept(path: str) -> int:
    return parsed(path)


def in_a_fork(path: str) -> int:
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.map(parsed, [path])[0]


def in_a_forked_pool(path: str) -> int:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
        return next(iter(pool.map(parsed, [path])))


def in_a_bare_fork(path: str) -> int:
    child = os.fork()
    if child == 0:
        parsed(path)
        os._exit(0)
    os.waitpid(child, 0)
    return 1


@pytest.mark.parametrize("how", [in_a_fork, in_a_forked_pool, in_a_bare_fork])
def test_a_forked_process_reports_its_reads(lab: Lab, settings: Path, how: Any) -> None:
    """A read in a child that the body forked unpins, as a read of the body itself does."""
    path = str(settings)

    @result_table(reads=[], ignore=["Pool", "os.fork"])
    def made() -> pa.Table:
        return table(how(path))

    outcomes, _ = twice(lab, made)
    assert outcomes == ["computed", "computed"]
    assert lab.anchors("made")[f"file:{path}"].is_unpinned


def test_a_result_that_an_earlier_step_kept_counts_with_its_reads(lab: Lab, settings: Path) -> None:
    """Where another step of the process has filled a cache, the file behind it unpins a table all the same."""
    path = str(settings)
    kept.cache_clear()

    @result_table(reads=[file(path, name="settings.ini")])
    def first() -> pa.Table:
        return table(kept(path))

    @result_table(reads=[])
    def second() -> pa.Table:
        return table(kept(path))

    @result_table(reads=[])
    def third() -> pa.Table:
        return table(len(path))

    lab.run([first, second, third])
    assert f"file:{path}" in lab.anchors("second")
    assert lab.anchors("second")[f"file:{path}"].is_unpinned
    assert f"file:{path}" not in lab.anchors("first")
    assert f"file:{path}" not in lab.anchors("third")


def test_an_own_file_under_another_name_is_its_own(lab: Lab, tmp_path: Path) -> None:
    """A file that the body wrote may be put in its place, and read there."""
    final = tmp_path / "final.csv"

    @result_table(reads=[])
    def made() -> pa.Table:
        final.with_suffix(".part").write_text("x\n1\n")
        os.replace(final.with_suffix(".part"), final)
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "a").write_text("1")
            os.rename(f"{folder}/a", f"{folder}/b")
            os.symlink(f"{folder}/b", f"{folder}/c")
            return table(len(final.read_text()) + int(Path(folder, "c").read_text()))

    assert twice(lab, made) == (["computed", "reused"], "")
