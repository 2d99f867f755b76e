"""Moved code records the same: no descriptor, step, tick or plan differs from the golden.

Where a change is meant, `python tests/goldens/make.py` writes the goldens anew, and the commit says why.
"""

import difflib
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(
    0, str(HERE)
)  # under any import mode, and as for make.py: names of modules are part of identities

from golden_kit import dumped  # noqa: E402
from make import GOLDENS, recorder  # noqa: E402

_SHOWN = 80


@pytest.mark.filterwarnings(
    "ignore:InitResourceContext.dagster_run is deprecated:DeprecationWarning",
    "ignore:The `__fields__` attribute is deprecated:DeprecationWarning",
    "ignore:.*is currently in beta:dagster.BetaWarning",
)
@pytest.mark.parametrize("golden", GOLDENS)
def test_what_is_recorded_has_not_moved(golden: str, tmp_path: Path) -> None:
    """A hash, an outcome, an input, a requested run or a verdict that differs is shown, line by line."""
    before = (HERE / f"{golden}.json").read_text(encoding="utf-8")
    now = dumped(recorder(golden)(tmp_path))
    if now != before:
        lines = difflib.unified_diff(
            before.splitlines(), now.splitlines(), "recorded", "now", lineterm="", n=12
        )
        shown = list(lines)
        more = f"\n… and {len(shown) - _SHOWN} more lines" if len(shown) > _SHOWN else ""
        pytest.fail("\n".join(shown[:_SHOWN]) + more, pytrace=False)
