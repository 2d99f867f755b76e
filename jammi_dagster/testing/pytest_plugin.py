"""A pytest fixture with a tester for each test.

Load it from the `conftest.py` beside your pytest configuration:

    pytest_plugins = ["jammi_dagster.testing.pytest_plugin"]
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from jammi_dagster.testing import ResultTableTester


@pytest.fixture
def result_table_tester(tmp_path: Path) -> Iterator[ResultTableTester]:
    """Give the test a `ResultTableTester` in its own temporary folder, and close it afterwards."""
    # imported here: pytest loads this module for every test of a suite
    from jammi_dagster.testing import ResultTableTester

    with ResultTableTester(tmp_path) as tester:
        yield tester
