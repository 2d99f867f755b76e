"""Pipelines as source files: like a user's code they are read from a file, and changed by writing it.

Each asset runs its body in `sys.audit("benchmarks.body")`, which the process that runs the pipeline counts.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from pathlib import Path
from types import ModuleType

BODY = "benchmarks.body"


class Kind(str, Enum):
    """Kinds of pipeline, by their assets.

    `EMPTY`: the same graph in Dagster, with the same imports and each value handed on by Dagster's own IO manager, but
    every body returns None. `BARE_STEPS`: no value handed on at all (`deps=`, `-> None`), and no pyarrow.
    """

    PYARROW = "pyarrow"
    JAMMI = "jammi"
    DAGSTER = "dagster"
    EMPTY = "empty"
    BARE_STEPS = "bare_steps"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One table. `body` is an expression over `table`, which is the upstream, or else `source`.

    `reads` are the files that `source` reads.
    """

    name: str
    body: str
    upstream: str | None = None
    source: str = ""
    reads: tuple[str, ...] = ()


_PYARROW = "import sys\nimport pyarrow as pa\nimport pyarrow.compute as pc\nimport pyarrow.parquet as pq\n"
_DAGSTER = "import dagster as dg\n"
_IMPORTS = {
    Kind.PYARROW: "",
    Kind.JAMMI: "from jammi_dagster import result_table\nfrom jammi_dagster.surfaces import file\n",
    Kind.DAGSTER: _DAGSTER,
    Kind.EMPTY: _DAGSTER,
    Kind.BARE_STEPS: _DAGSTER,
}


def write(folder: Path, kind: Kind, assets: Sequence[Asset], *, one_file: str = "") -> None:
    """Write the pipeline: a module for each asset, named like it, or one module of the given name for all."""
    folder.mkdir(parents=True, exist_ok=True)
    imports = _IMPORTS[kind] + ("" if kind is Kind.BARE_STEPS else _PYARROW)
    sources = {asset.name: _source(kind, asset) for asset in assets}
    modules = {one_file: "".join(sources.values())} if one_file else sources
    for name, source in modules.items():
        (folder / f"{name}.py").write_text(imports + source)


def load(folder: Path) -> list[ModuleType]:
    """Import every module of a pipeline, in the order of their names."""
    sys.path.insert(0, str(folder))
    try:
        return [import_module(file.stem) for file in sorted(folder.glob("*.py"))]
    finally:
        sys.path.remove(str(folder))


def count_bodies() -> list[str]:
    """Return a list that grows by a name with every body that runs in this process."""
    ran: list[str] = []
    sys.addaudithook(lambda event, arguments: ran.append(str(arguments[0])) if event == BODY else None)
    return ran


def _source(kind: Kind, asset: Asset) -> str:
    parameter = asset.upstream or ""
    if kind is Kind.BARE_STEPS:
        deps = f'"{asset.upstream}"' if asset.upstream else ""
        return f"\n\n@dg.asset(deps=[{deps}])\ndef {asset.name}() -> None:\n    return None\n"
    if kind is Kind.EMPTY:
        return f"\n\n@dg.asset\ndef {asset.name}({parameter}):\n    return None\n"
    audit = f'sys.audit("{BODY}", "{asset.name}")'
    body = f"    {audit}\n    table = {asset.upstream or asset.source}\n    return {asset.body}\n"
    if kind is Kind.JAMMI:
        reads = "" if asset.upstream else f", reads=[{', '.join(f'file({path!r})' for path in asset.reads)}]"
        typed = f"{parameter}: pa.Table" if parameter else ""
        return f'\n\n@result_table(cache="use"{reads})\ndef {asset.name}({typed}) -> pa.Table:\n{body}'
    decorator = "@dg.asset\n" if kind is Kind.DAGSTER else ""
    return f"\n\n{decorator}def {asset.name}({parameter}):\n{body}"
