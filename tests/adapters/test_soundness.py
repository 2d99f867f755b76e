"""Changes after which neighbours give back an old result, or compute for nothing: each one, in real runs."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from adapters_kit import Lab

from jammi_dagster.contract import explain

FILES = {
    "shop_helpers.py": '''
"""Helpers."""


def deep(x):
    return x + 1


def unreached(x):
    return x
''',
    "shop_flow.py": '''
import pyarrow as pa
from pathlib import Path

from adapters_kit import note
from jammi_dagster import result_table
from jammi_dagster.surfaces import file
from shop_helpers import deep

LIMIT = 3
DATA = Path(__file__).parent / "data.txt"


def helper(x):
    return deep(x) * LIMIT


def make(offset):
    @result_table(reads=[file(DATA, name="data")])
    def made() -> pa.Table:
        """Makes it."""
        note("made")  # counts
        return pa.table({"x": [helper(1) + offset + int(DATA.read_text())]})

    return made


made = make(10)
''',
    "data.txt": "5",
}


class Shop:
    def __init__(self, root: Path, lab: Lab) -> None:
        self.root, self.lab = root, lab
        for name, text in FILES.items():
            (root / name).write_text(text)

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.root / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def run(self) -> list[Any]:
        """Runs the asset as a new process would import it; the calls of its body."""
        importlib.invalidate_caches()
        for name in ("shop_flow", "shop_helpers"):
            sys.modules.pop(name, None)
        ran = self.lab.run(importlib.import_module("shop_flow").made)
        assert ran.why_unpinned("made") == ""
        return ran.calls

    def descriptor(self) -> dict[str, Any]:
        return self.lab.store.producing_descriptor("made").to_dict()


@pytest.fixture
def shop(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    monkeypatch.syspath_prepend(root)
    yield Shop(root, lab)
    for name in ("shop_flow", "shop_helpers"):
        sys.modules.pop(name, None)


CHANGES: dict[str, tuple[Callable[[Shop], None], str]] = {
    "helper in the same module": (
        lambda shop: shop.edit("shop_flow.py", "deep(x) * LIMIT", "deep(x) - LIMIT"),
        "helper helper (shop_flow.py) changed",
    ),
    "helper in an imported module": (
        lambda shop: shop.edit("shop_helpers.py", "x + 1", "x + 2"),
        "helper deep (shop_helpers.py) changed",
    ),
    "module constant": (
        lambda shop: shop.edit("shop_flow.py", "LIMIT = 3", "LIMIT = 4"),
        "constant LIMIT (shop_flow.py) changed",
    ),
    "closure value": (
        lambda shop: shop.edit("shop_flow.py", "make(10)", "make(11)"),
        "closure variable 'offset' of make.<locals>.made changed",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_code_is_computed_again_and_told(shop: Shop, change: str) -> None:
    """Never an old result for changed code; the recorded components say what changed."""
    edit, told = CHANGES[change]
    assert (shop.run(), shop.run()) == (["made"], [])
    before = shop.descriptor()
    edit(shop)
    assert (shop.run(), shop.run()) == (["made"], [])
    differences = [str(difference) for difference in explain(before, {}, shop.descriptor(), {})]
    assert differences == [told]


def test_a_change_of_a_file_that_is_read_is_computed_again(shop: Shop) -> None:
    """A declared file counts by its content."""
    assert (shop.run(), shop.run()) == (["made"], [])
    (shop.root / "data.txt").write_text("6")
    assert (shop.run(), shop.run()) == (["made"], [])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  # counts", "  # is counted"),
        ('"""Makes it."""', '"""Makes it anew."""'),
        ("LIMIT = 3", "\n\nLIMIT = (\n    3\n)"),
        ("-> pa.Table:", "-> 'pa.Table':"),
        ("def helper(x):", "def helper(x: int) -> int:"),
    ],
)
def test_comments_docstrings_and_formatting_compute_nothing(shop: Shop, old: str, new: str) -> None:
    """Never again for nothing."""
    assert shop.run() == ["made"]
    shop.edit("shop_flow.py", old, new)
    shop.edit("shop_helpers.py", "    return x\n", "    return -x\n")
    assert shop.run() == []


def test_a_stored_result_that_was_cut_is_computed_again(shop: Shop) -> None:
    """A hit needs the bytes, of the recorded size."""
    assert (shop.run(), shop.run()) == (["made"], [])
    path = Path(shop.lab.store.current("made").artifact_uri.removeprefix("file://"))
    path.chmod(0o644)
    path.write_bytes(b"cut")
    assert shop.run() == ["made"]


def test_the_code_version_replaces_the_walk_and_is_recorded(shop: Shop) -> None:
    """With the author's word for it, an edit of the code changes nothing, and one of the word does."""
    shop.edit("shop_flow.py", 'name="data")]', 'name="data")], code_version="1"')
    assert shop.run() == ["made"]
    shop.edit("shop_flow.py", "LIMIT = 3", "LIMIT = 4")
    assert shop.run() == []
    before = shop.descriptor()
    assert before["code"]["kind"] == "code_version"
    shop.edit("shop_flow.py", 'code_version="1"', 'code_version="2"')
    assert shop.run() == ["made"]
    assert [str(found) for found in explain(before, {}, shop.descriptor(), {})] == ["code_version 1 -> 2"]
