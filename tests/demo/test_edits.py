"""Edits of the demo: the assets that become stale, with the reason."""

import pytest

from demo import edits

pytestmark = pytest.mark.slow


def test_edits_change_exactly_what_reaches_them() -> None:
    """A helper behind another changes one asset; a comment changes none."""
    assert [edits.stale(edit) for edit in edits.EDITS] == [
        {"route_neighbors": ["helper nearest (demo/graph.py) changed"]},
        {},
    ]
    lines = list(edits.report())
    assert "    route_neighbors is stale: helper nearest (demo/graph.py) changed" in lines
    assert lines[-1] == "    nothing is stale"
