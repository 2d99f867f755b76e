"""Pipelines as source files: like a user's code they are read from a file, and changed by writing it.

Each asset runs its body in `sys.audit("benchmarks.body")`, which the process that runs the pipeline counts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

BODY = "benchmarks.body"


class Kind(str, Enum):
    """Kinds of pipeline, by their assets.

    `EMPTY`: the same graph in Dagster, with the same imports and each value handed on by Dagster's own IO manager, but
    every body returns None. `BARE_STEPS`: no value handed on at all (`deps=`, `-> None`), and no pyarrow. The last
    three are run by `peers`.
    """

    PYARROW = "pyarrow"
    JAMMI = "jammi"
    DAGSTER = "dagster"
    EMPTY = "empty"
    BARE_STEPS = "bare_steps"
    REDUN = "redun"
    DVC = "dvc"
    HAMILTON = "hamilton"


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
_PROGRAM = """

if __name__ == "__main__":
    function, path, *upstream = sys.argv[1:]
    pq.write_table(globals()[function](*map(pq.read_table, upstream)), path)
"""
_DAGSTER = "import dagster as dg\n"
_IMPORTS = {
    Kind.REDUN: 'from redun import File, task\n\nredun_namespace = "benchmark"\n',
    Kind.JAMMI: "from jammi_dagster import result_table\nfrom jammi_dagster.surfaces import file\n",
    Kind.DAGSTER: _DAGSTER,
    Kind.EMPTY: _DAGSTER,
    Kind.BARE_STEPS: _DAGSTER,
}


def write(folder: Path, kind: Kind, assets: Sequence[Asset], *, one_file: str = "") -> None:
    """Write the pipeline: a module for each asset, named like it, or one module of the given name for all.

    For DVC with a `dvc.yaml`, and each module a program that writes one table.
    """
    folder.mkdir(parents=True, exist_ok=True)
    imports = _IMPORTS.get(kind, "") + ("" if kind is Kind.BARE_STEPS else _PYARROW)
    sources = {asset.name: _source(kind, asset) for asset in assets}
    modules = {one_file: "".join(sources.values())} if one_file else sources
    for name, source in modules.items():
        (folder / f"{name}.py").write_text(imports + source + (_PROGRAM if kind is Kind.DVC else ""))
    if kind is Kind.DVC:
        stages = _dvc_stages({asset.name: one_file or asset.name for asset in assets}, assets)
        (folder / "dvc.yaml").write_text(stages)


def load(folder: Path) -> list[ModuleType]:
    """Import every module of a pipeline, in the order of their names."""
    sys.path.insert(0, str(folder))
    try:
        return [import_module(file.stem) for file in sorted(folder.glob("*.py"))]
    finally:
        sys.path.remove(str(folder))


def values(modules: Sequence[ModuleType], type_: type[Any]) -> Iterator[Any]:
    """Yield the values of a type that the modules define, in the order of their definition: tasks, or functions."""
    for module in modules:
        yield from (value for value in vars(module).values() if isinstance(value, type_))


def parameters(function: FunctionType) -> tuple[str, ...]:
    """Return the names of a function's parameters, which are those of the tables that it takes."""
    return function.__code__.co_varnames[: function.__code__.co_argcount]


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
    if kind is Kind.REDUN:
        return _redun_task(asset, audit)
    body = f"    {audit}\n    table = {asset.upstream or asset.source}\n    return {asset.body}\n"
    if kind is Kind.JAMMI:
        reads = "" if asset.upstream else f", reads=[{', '.join(f'file({path!r})' for path in asset.reads)}]"
        typed = f"{parameter}: pa.Table" if parameter else ""
        return f'\n\n@result_table(cache="use"{reads})\ndef {asset.name}({typed}) -> pa.Table:\n{body}'
    if kind is Kind.HAMILTON:  # it sees no file that a body reads: the first step takes the digest of them
        typed = f"{parameter}: pa.Table" if parameter else "reads: str" if asset.reads else ""
        return f"\n\ndef {asset.name}({typed}) -> pa.Table:\n{body}"
    decorator = "@dg.asset\n" if kind is Kind.DAGSTER else ""
    return f"\n\n{decorator}def {asset.name}({parameter}):\n{body}"


def _redun_task(asset: Asset, audit: str) -> str:
    """Return a task from files to a file: `reads` or the upstream's table, and the path of its own."""
    source = f"pq.read_table({asset.upstream}.path)" if asset.upstream else asset.source
    given = [asset.upstream] if asset.upstream else [f"read_{number}" for number in range(len(asset.reads))]
    parameters = ", ".join([*(f"{name}: File" for name in given), "path: str"])
    body = (
        f"    {audit}\n    table = {source}\n    pq.write_table({asset.body}, path)\n    return File(path)\n"
    )
    return f"\n\n@task()\ndef {asset.name}({parameters}) -> File:\n{body}"


def _dvc_stages(module_of: Mapping[str, str], assets: Sequence[Asset]) -> str:
    """Return a `dvc.yaml` for the folder of the modules; `module_of` gives the name of each asset's module."""
    stages = {}
    for asset in assets:
        code, made = f"code/{module_of[asset.name]}.py", f"storage/{asset.name}.parquet"
        given = [f"storage/{asset.upstream}.parquet"] if asset.upstream else []
        command = " ".join(["$PYTHON", code, asset.name, made, *given])
        deps = [code, *given, *asset.reads]
        stages[asset.name] = {"wdir": "..", "cmd": command, "deps": deps, "outs": [made]}
    return json.dumps({"stages": stages})  # which is YAML
