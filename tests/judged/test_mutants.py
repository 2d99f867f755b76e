"""Mutants of real libraries: where the outcome of a function differs, its identity does."""

from __future__ import annotations

import ast

import pytest

from benchmarks import mutants
from benchmarks.mutations import mutations


def _holds(names: list[str], each: int) -> None:
    report = mutants.run(names=names, each=each)
    rows = {row.what: row for row in report.rows}
    assert rows["all"].met, "\n".join(report.lines())
    assert rows["control: a planted hole"].met, "\n".join(report.lines())
    assert int(rows["all"].values["changed"]) >= each / 4, "\n".join(report.lines())
    assert int(rows["all"].values["pinned"]) >= 1, "\n".join(report.lines())


@pytest.mark.slow
def test_no_mutant_of_small_libraries_is_reused() -> None:
    """Two libraries of one file: every mutant that changes the outcome has another identity; a hole is found."""
    _holds(["mergedeep", "jsonpointer"], each=15)


@pytest.mark.slow
def test_no_mutant_of_larger_libraries_is_reused() -> None:
    """The same of packages with classes, registries and tables of texts."""
    _holds(["tomli", "xmltodict", "parsy", "toposort", "docstring_parser", "packaging"], each=25)


def test_a_mutation_is_undone() -> None:
    """Each mutation changes the text of the tree, and its undoing brings the text back."""
    text = "def f(a, b=2):\n    if a < b and (not b):\n        g(a, b)\n        return a\n    return f'{a}x'"
    tree = ast.parse(text)
    kinds = set()
    for mutation in list(mutations(tree)):
        undo = mutation.with_change()
        assert ast.unparse(tree) != text, mutation
        undo()
        assert ast.unparse(tree) == text, mutation
        kinds.add(mutation.kind)
    assert kinds == {
        "operator",
        "comparison",
        "constant",
        "return",
        "condition",
        "arguments",
        "removed",
        "name",
    }
