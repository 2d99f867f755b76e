"""Thousands of mechanical mutants of functions from an installed library, read as first-party code."""

from __future__ import annotations

import ast
import inspect
import os
from collections.abc import Iterator
from pathlib import Path

import networkx
import pytest

from benchmarks.mutations import OPERATORS, Undo, change, other_constant
from jammi_dagster.fingerprint.components import of_code
from jammi_dagster.fingerprint.reach import routes
from jammi_dagster.fingerprint.reach.graph import Graph
from jammi_dagster.fingerprint.reach.index import CodeIndex
from jammi_dagster.fingerprint.reach.reached import Root
from jammi_dagster.fingerprint.sources.modules import Module, file_names
from jammi_dagster.fingerprint.sources.source import Source, parse_source

ALGORITHMS = Path(inspect.getfile(networkx)).parent / "algorithms"
FUNCTIONS = {
    "boundary": "node_boundary",
    "core": "k_core",
    "cuts": "normalized_cut_size",
    "efficiency_measures": "efficiency",
    "euler": "eulerian_path",
    "hierarchy": "flow_hierarchy",
    "link_prediction": "adamic_adar_index",
    "reciprocity": "reciprocity",
    "richclub": "rich_club_coefficient",
    "swap": "connected_double_edge_swap",
    "tournament": "hamiltonian_path",
    "triads": "triads_by_type",
    "vitality": "closeness_vitality",
    "voronoi": "voronoi_cells",
    "wiener": "wiener_index",
}
LEAST = 2_000

_OPERATORS = {**OPERATORS, ast.USub: ast.UAdd, ast.Pow: ast.Mult}


class Code:
    """The statements of a module without their docstrings."""

    def __init__(self, name: str) -> None:
        self.path = os.path.join(os.sep, "checkout", f"{name}.py")
        tree = ast.parse((ALGORITHMS / f"{name}.py").read_text())
        for node in ast.walk(tree):
            if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node):
                node.body = node.body[1:] or [ast.Pass()]
        self.statements = [node for node in tree.body if not _lists_names(node)]
        self.texts = [ast.unparse(node) for node in self.statements]

    def only(self, kept: set[str]) -> None:
        """Keep the named functions and classes only: a small module is read fast."""
        pairs = zip(self.statements, self.texts, strict=True)
        left = [(node, text) for node, text in pairs if getattr(node, "name", None) in kept | {None}]
        self.statements, self.texts = [node for node, _ in left], [text for _, text in left]

    def reach(self, texts: list[str], function: str, patch: pytest.MonkeyPatch) -> tuple[str, set[str]]:
        """Return the components that a function reaches as text, and their names."""
        source: Source = parse_source("\n".join(texts).encode())
        patch.setattr(routes, "read", lambda path: source)
        graph = Graph(CodeIndex(frozenset()))
        graph.reach([Root(Module("library", self.path), function)])
        found = sorted(
            of_code(graph, file_names({path: one.node.root for path, one in graph.reached.items()}))
        )
        return repr(found), {name for component in found for name in component.name.split(", ")}


def _lists_names(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"


def mutants(statement: ast.stmt) -> Iterator[Undo]:
    """Change a statement in place, in one way after the other, and yield the undoing of each."""
    for node in list(ast.walk(statement)):
        for name, value in list(ast.iter_fields(node)):
            if type(value) in _OPERATORS:
                yield change(node, name, _OPERATORS[type(value)]())()
            elif isinstance(value, list) and value and type(value[0]) in _OPERATORS:
                yield change(node, name, [_OPERATORS[type(value[0])](), *value[1:]])()
            elif isinstance(value, list) and len(value) > 1 and isinstance(value[0], ast.stmt):
                for index, gone in enumerate(value):
                    if not isinstance(gone, (ast.Pass, ast.Global, ast.Nonlocal)):
                        yield change(node, name, value[:index] + value[index + 1 :])()
        if isinstance(node, ast.Constant):
            yield change(node, "value", other_constant(node.value))()
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield change(node, "id", node.id + "_")()
        elif isinstance(node, ast.Attribute):
            yield change(node, "attr", node.attr + "_")()
        elif isinstance(node, ast.Return) and node.value is not None:
            yield change(node, "value", None)()
        elif isinstance(node, (ast.If, ast.While)):
            yield change(node, "test", ast.UnaryOp(ast.Not(), node.test))()
        elif isinstance(node, ast.Call) and node.args:
            yield change(node, "args", node.args[1:])()


@pytest.mark.slow
def test_every_mutant_of_reached_code_moves_the_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changed operators, constants and comparisons, removed statements, renamed helpers: all are noticed.

    A rewritten layout and mutants of code that is not reached move nothing."""
    tried, missed, moved = 0, [], []
    for name, function in FUNCTIONS.items():
        code = Code(name)
        _, reached = code.reach(code.texts, function, monkeypatch)
        pairs = zip(code.statements, code.texts, strict=True)
        functions = {node.name: len(text) for node, text in pairs if isinstance(node, ast.FunctionDef)}
        unreached = sorted(set(functions) - reached, key=functions.__getitem__)[:1]
        code.only(reached | set(unreached))
        before, _ = code.reach(code.texts, function, monkeypatch)
        again = [ast.unparse(ast.parse(f"# a comment\n{text}  # another")) for text in code.texts]
        assert code.reach(again, function, monkeypatch)[0] == before
        for index, statement in enumerate(code.statements):
            if not isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
                continue
            for undo in mutants(statement):
                texts = [*code.texts[:index], ast.unparse(statement), *code.texts[index + 1 :]]
                undo()
                if texts[index] == code.texts[index]:
                    continue
                tried += 1
                same = code.reach(texts, function, monkeypatch)[0] == before
                if same and statement.name in reached:
                    missed.append((name, texts[index]))
                elif not same and statement.name not in reached:
                    moved.append((name, texts[index]))
    assert missed == []
    assert moved == []
    assert tried >= LEAST
