"""Run requests are built in one place."""

import ast
from pathlib import Path

import jammi_dagster


def test_only_the_builder_constructs_run_requests() -> None:
    """No other module of the adapters calls `RunRequest`, or changes a request that it was given."""
    # `testing` runs what a user asks for, and requests nothing of Dagster
    package = Path(jammi_dagster.__file__).parent / "adapters"
    found = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) in {"RunRequest", "with_replaced_attrs"}:
                found.add(path.relative_to(package).as_posix())
    assert found == {"launching/run_requests.py"}


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""
