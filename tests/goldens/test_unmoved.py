"""Moved code records the same: no descriptor, step, tick or plan differs from the golden.

Where a change is meant, `python tests/goldens/make.py` writes the goldens anew, and the commit says why.
"""

import contextlib
import difflib
import sys
from pathlib import Path

import pytest

from jammi_dagster import ResultStore

HERE = Path(__file__).parent
sys.path.insert(
    0, str(HERE)
)  # under any import mode, and as for make.py: names of modules are part of identities

from golden_kit import dumped  # noqa: E402
from make import GOLDENS, recorder  # noqa: E402

_SHOWN = 80


QUIET = pytest.mark.filterwarnings(
    "ignore:InitResourceContext.dagster_run is deprecated:DeprecationWarning",
    "ignore:The `__fields__` attribute is deprecated:DeprecationWarning",
    "ignore:.*is currently in beta:dagster.BetaWarning",
)


@pytest.mark.slow
@QUIET
@pytest.mark.parametrize("golden", GOLDENS)
def test_what_is_recorded_has_not_moved(golden: str, tmp_path: Path) -> None:
    """A hash, an outcome, an input, a requested run or a verdict that differs is shown, line by line."""
    _compare(golden, tmp_path)


@pytest.mark.slow
@QUIET
def test_a_branch_records_the_same_as_its_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every descriptor, environment and definition hash is that of production's golden."""
    monkeypatch.setenv("JAMMI_DEPLOYMENT", "branch")
    monkeypatch.setenv("JAMMI_PARENT", "default")
    _compare("descriptors", tmp_path)
    with contextlib.closing(ResultStore(str(tmp_path / "descriptors"))) as store:
        assert [(one.name, one.parent) for one in store.deployments()] == [("branch", "default")]


def _compare(golden: str, tmp_path: Path) -> None:
    before = (HERE / f"{golden}.json").read_text(encoding="utf-8")
    now = dumped(recorder(golden)(tmp_path))
    if now != before:
        lines = difflib.unified_diff(
            before.splitlines(), now.splitlines(), "recorded", "now", lineterm="", n=12
        )
        shown = list(lines)
        more = f"\n… and {len(shown) - _SHOWN} more lines" if len(shown) > _SHOWN else ""
        pytest.fail("\n".join(shown[:_SHOWN]) + more, pytrace=False)
