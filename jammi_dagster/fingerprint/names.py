"""Which dotted names a module imports and uses, read from its syntax tree.

A use is told by its canonical name: after `import numpy as np` and `rng = np.random`, `rng.rand()` uses
`numpy.random.rand`. The reading is lexical. Where it cannot decide (a name bound in several ways) it reports every
possibility: a name too many costs a reuse, a name missed costs a wrong result.

A name that a relative import made keeps its dots: `from .clock import now` makes `now` stand for `.clock.now`.
A call within a chain is written `()`: `EnvVar("X").get_value` is `dagster.EnvVar.().get_value`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

from jammi_dagster.fingerprint.scopes import Chain, Scope, chain_of, import_base, joined
from jammi_dagster.fingerprint.syntax import children


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments of a call. One that is no constant is given, with a value that is not known (`...`)."""

    positional: tuple[object, ...]
    named: dict[str, object]

    def gives(self, position: int, name: str | None) -> bool:
        """Whether an argument is given, and is not the constant None."""
        if position < len(self.positional):
            return self.positional[position] is not None
        return name is not None and self.named.get(name) is not None


@dataclass(frozen=True, slots=True)
class Use:
    """One place where a name is used; `call` if it is called there."""

    name: str
    line: int
    call: Call | None
    under_main: bool  # within `if __name__ == "__main__":`


@dataclass(slots=True)
class Names:
    imports: dict[str, None] = field(default_factory=dict)  # modules that are imported
    mentions: dict[str, None] = field(default_factory=dict)  # `from a import b`: a.b, a module or not
    stars: tuple[str, ...] = ()  # modules that are star-imported
    exports: dict[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # module-level aliases, what they stand for
    uses: list[Use] = field(default_factory=list)


def read(tree: ast.Module) -> Names:
    return _Reader(tree).names


class _Reader:
    def __init__(self, tree: ast.Module) -> None:
        self.names = Names()
        self._chains: list[tuple[Chain, Scope, int, Call | None, bool]] = []
        module = Scope(None, tree.body)
        self._walk(tree, module)
        # Only now: a function further down may have imported into the module's scope (`global`).
        self.names.stars = tuple(module.stars)
        self.names.exports = {
            name: tuple(module.resolve((name,))) for name in (*module.imported, *module.assigned)
        }
        for chain, scope, line, call, under_main in sorted(self._chains, key=lambda found: found[2]):
            for name in scope.resolve(chain):
                self.names.uses.append(Use(name, line, call, under_main))

    def _walk(self, tree: ast.Module, module: Scope) -> None:
        todo: list[tuple[ast.AST, Scope, bool]] = [(tree, module, False)]
        while todo:
            node, scope, under_main = todo.pop()
            rest: Iterable[ast.AST]
            if isinstance(node, ast.Lambda):
                todo.append((node.body, Scope(scope, [node.body], node.args), under_main))
                rest = [node.args]
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                inner = Scope(scope, node.body, node.args)
                todo += [(child, inner, under_main) for child in node.body]
                rest = [child for child in children(node) if not isinstance(child, ast.stmt)]
            elif isinstance(node, ast.If) and _asks_for_main(node.test):
                todo += [(child, scope, True) for child in node.body]
                rest = node.orelse
            else:
                rest = self._note(node, scope, under_main)
            todo += [(child, scope, under_main) for child in rest]

    def _note(self, node: ast.AST, scope: Scope, under_main: bool) -> Iterable[ast.AST]:
        """Take down what a node says; what is left to read of it."""
        if isinstance(node, (ast.Attribute, ast.Name)) and isinstance(node.ctx, ast.Load):
            if chain := chain_of(node):
                self._chains.append((chain, scope, node.lineno, None, under_main))
                return _innermost_call(node)
        elif isinstance(node, ast.Call) and (chain := chain_of(node.func)):
            self._chains.append((chain, scope, node.lineno, _call(node), under_main))
            return [*_innermost_call(node.func), *node.args, *node.keywords]
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load) and chain_of(node.value):
            return [node.slice, *_innermost_call(node.value)]  # `os.environ["X"] = …` reads nothing
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Subscript):
            return [node.target, node.target.value, node.value]
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            self._note_import(node)
        return children(node)

    def _note_import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.Import):
            self.names.imports.update(dict.fromkeys(alias.name for alias in node.names))
            return
        base = import_base(node)
        self.names.imports[base] = None
        found = (joined(base, alias.name) for alias in node.names if alias.name != "*")
        self.names.mentions.update(dict.fromkeys(found))


def _innermost_call(node: ast.expr) -> list[ast.expr]:
    """The call that a chain starts from, as in `f(x).y.z`; its arguments are still to be read."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return [node] if isinstance(node, ast.Call) else []


def _call(node: ast.Call) -> Call:
    def told(value: ast.expr) -> object:
        return value.value if isinstance(value, ast.Constant) else ...

    plain = []
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            break  # from here on, which argument is which is not known: it counts as not given
        plain.append(told(argument))
    return Call(tuple(plain), {word.arg: told(word.value) for word in node.keywords if word.arg})


def _asks_for_main(test: ast.expr) -> bool:
    """Whether a condition is `__name__ == "__main__"`."""
    if not (isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq)):
        return False
    sides = (test.left, test.comparators[0])
    named = any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides)
    return named and any(isinstance(side, ast.Constant) and side.value == "__main__" for side in sides)
