"""Public names keep the module of their first release in every identity, wherever they move."""

import json
from pathlib import Path
from types import FunctionType

import jammi_dagster
from jammi_dagster.fingerprint.first_homes import first_home

FIRST = json.loads((Path(__file__).parent / "first_homes.json").read_text())


def test_public_names_keep_their_first_home() -> None:
    """Each class and function that users import is named as when it was first released."""
    named = {}
    for name in jammi_dagster.__all__:
        value = getattr(jammi_dagster, name)
        if isinstance(value, (type, FunctionType)) and name in FIRST:
            named[name] = f"{first_home(value.__module__, value.__qualname__)}.{value.__qualname__}"
    assert named == FIRST
