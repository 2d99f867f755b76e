"""An input that was another one while the body ran pins nothing, though it is as before at the end."""

import os
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, table
from sensing_kit import evaluate, kinds

from jammi_dagster import result_table
from jammi_dagster.surfaces import file


def rewritten(path: Path, before: os.stat_result) -> None:
    """Write other content, then the first again, in place."""
    content = path.read_bytes()
    path.write_bytes(content[::-1])
    path.write_bytes(content)


def with_its_old_times(path: Path, before: os.stat_result) -> None:
    rewritten(path, before)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced(path: Path, before: os.stat_result) -> None:
    """Put another file into its place, with the same content and times."""
    other = path.with_suffix(".other")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


def untouched(path: Path, before: os.stat_result) -> None:
    path.read_bytes()


@pytest.mark.parametrize(
    ("move", "is_pinned"),
    [(untouched, True), (rewritten, False), (with_its_old_times, False), (replaced, False)],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_file_that_came_back_while_the_body_ran_pins_nothing(
    lab: Lab, tmp_path: Path, move: Any, is_pinned: bool
) -> None:
    path = tmp_path / "input.txt"
    path.write_text("ab")
    before = path.stat()
    source = f"file:{path}"

    @result_table(reads=[file(path)], code_version="1")
    def read() -> pa.Table:
        move(path, before)
        return table(path.read_text())

    ran = lab.run(read)
    assert lab.anchors("read")[source].is_unpinned is not is_pinned
    assert ("changed while it was read" in ran.why_unpinned("read")) is not is_pinned


def led_to(link: Path, target: str) -> None:
    other = link.with_suffix(".link")
    other.symlink_to(target)
    other.replace(link)


@pytest.mark.parametrize(
    ("link", "path"),
    [("v1.txt", "now"), ("v1", "now/input.txt"), ("v1", "through/input.txt"), ("v1", "file.txt")],
    ids=["a file", "a folder", "a link to the link", "a link through the link"],
)
def test_a_link_that_led_elsewhere_while_the_body_ran_pins_nothing(
    lab: Lab, tmp_path: Path, link: str, path: str
) -> None:
    """Neither the file before nor the one after has changed: the link between them has."""
    for name in ("v1", "v2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "input.txt").write_text(name)
        (tmp_path / f"{name}.txt").write_text(name)
    (tmp_path / "now").symlink_to(link)
    (tmp_path / "through").symlink_to("now")
    (tmp_path / "file.txt").symlink_to(tmp_path / "now" / "input.txt")

    @result_table(reads=[file(tmp_path / path)], code_version="1")
    def read() -> pa.Table:
        led_to(tmp_path / "now", link.replace("v1", "v2"))
        content = (tmp_path / path).read_text()
        led_to(tmp_path / "now", link)
        return table(content)

    ran = lab.run(read)
    assert lab.anchors("read")[f"file:{tmp_path / path}"].is_unpinned
    assert "changed while it was read" in ran.why_unpinned("read")


def by(*names: str) -> Any:
    """A table over two dimensions with these names and the same keys."""
    partitions = dg.MultiPartitionsDefinition(
        {name: dg.StaticPartitionsDefinition(["a", "b"]) for name in names}
    )

    @result_table(reads=[], code_version="1", partitions_def=partitions)
    def cells(context: dg.AssetExecutionContext) -> pa.Table:
        return table(str(context.partition_key))

    return cells


def test_a_renamed_dimension_is_another_definition(lab: Lab) -> None:
    """The keys are the same, but a function may ask for a dimension by its name."""
    lab.run(by("colour", "size"), partition="a|b")
    assert lab.run(by("colour", "size"), partition="a|b").outcomes == {"cells[a|b]": "reused"}
    found = evaluate(lab, [by("colour", "width")])
    assert list(kinds(found).values()) == ["stale"]
    assert lab.run(by("colour", "width"), partition="a|b").outcomes == {"cells[a|b]": "computed"}
