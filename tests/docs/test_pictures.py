"""The pictures of the architecture page are up to date with the script that draws them."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"


@pytest.fixture(scope="module")
def draw() -> ModuleType:
    """The script, as a module."""
    spec = importlib.util.spec_from_file_location("draw", PICTURES / "draw.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pictures_are_up_to_date(draw: ModuleType) -> None:
    """The rooms come from the import contracts; after a change to them, run `python docs/pictures/draw.py`."""
    drawn = draw.pictures()
    assert {path.name for path in PICTURES.glob("*.svg")} == set(drawn)
    for name, picture in drawn.items():
        assert (PICTURES / name).read_text() == picture, f"{name}: run `python docs/pictures/draw.py`"
