"""Write the goldens anew: `python tests/goldens/make.py [descriptors] [steps] [ticks] [plans]`, by default all.

The commit that changes a golden says why.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from golden_kit import HERE, dumped

GOLDENS = ("descriptors", "steps", "ticks", "plans")


def recorder(golden: str) -> Callable[[Path], dict[str, Any]]:
    """Return the function that records a golden, given an empty folder to work in."""
    recorded: Callable[[Path], dict[str, Any]] = import_module(f"golden_{golden}").record
    return recorded


def main(wanted: list[str]) -> None:
    """Write the wanted goldens, or all of them."""
    unknown = sorted(set(wanted) - set(GOLDENS))
    if unknown:
        sys.exit(f"no such goldens: {', '.join(unknown)}; there are {', '.join(GOLDENS)}")
    logging.disable(logging.INFO)
    warnings.simplefilter("ignore")
    for golden in wanted or GOLDENS:
        with tempfile.TemporaryDirectory() as folder:
            (HERE / f"{golden}.json").write_text(dumped(recorder(golden)(Path(folder))), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
