"""What a name stands for at a place in a module, as far as imports and plain assignments tell."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from jammi_dagster.fingerprint.syntax.trees import children

CALLED = "()"

Chain = tuple[str, ...]

CLOSED = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_MOST_STEPS = 200  # variables that are assigned from each other in circles would give names without end
_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)


def joined(base: str, *parts: str) -> str:
    """A dotted name below another; `.` and `..` are bases too."""
    return ".".join((base, *parts)) if base.strip(".") else base + ".".join(parts)


def split(name: str) -> tuple[str, list[str]]:
    """The leading dots of a name, and its parts."""
    bare = name.lstrip(".")
    return name[: len(name) - len(bare)], bare.split(".") if bare else []


def import_base(node: ast.ImportFrom) -> str:
    return "." * node.level + (node.module or "")


def chain_of(node: ast.expr) -> Chain | None:
    """`a.b(x).c` as ("a", "b", "()", "c"); None if it does not start from a name."""
    parts: list[str] = []
    while True:
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Call):
            parts.append(CALLED)
            node = node.func
        elif isinstance(node, ast.Name):
            return (node.id, *reversed(parts))
        else:
            return None


def assigned_within(node: ast.AST) -> Sequence[ast.NamedExpr]:
    """What a comprehension binds in the scope around it; of a lambda, its defaults alone are read there."""
    todo = [node]
    for one in todo:
        todo += children(one.args if isinstance(one, ast.Lambda) else one)
    return [one for one in todo if isinstance(one, ast.NamedExpr)]


class Scope:
    """The names of a function, or of a module.

    A class body and a comprehension have no scope here: what they import counts for what surrounds them, and what
    they bind hides nothing. Both err towards reporting more.
    """

    def __init__(
        self, parent: Scope | None, body: Sequence[ast.AST], arguments: ast.arguments | None = None
    ) -> None:
        self.parent = parent
        self.imported: dict[str, dict[str, None]] = {}
        self.assigned: dict[str, dict[Chain, None]] = {}
        self.stars: dict[str, None] = {}
        self.bound: set[str] = set()
        self.parameters: set[str] = set()
        self.given_away: set[str] = set()  # what `global` and `nonlocal` say is not this scope's
        self._known: dict[str, tuple[str, ...]] = {}
        if arguments is not None:
            self._bind_arguments(arguments)
        self._bind_body(body)

    def resolve(self, chain: Chain) -> Iterable[str]:
        """The canonical names that a chain may stand for; none if its head is a variable of the program's own."""
        head, rest = chain[0], chain[1:]
        if head not in self._known:
            self._known[head] = tuple(dict.fromkeys(self._stands_for(head)))
        return [joined(name, *rest) for name in self._known[head]]

    def peek(self, chain: Chain) -> list[str]:
        """As `resolve`, before every scope is known."""
        return [joined(name, *chain[1:]) for name in dict.fromkeys(self._stands_for(chain[0]))]

    def owns(self, head: str) -> bool:
        """Whether a name may be one of the module's own: bound there, or by a function that says `global`."""
        scope = self
        while scope.parent is not None:
            if head in scope.bound:
                return False
            scope = scope.parent
        return head in scope.bound or head in scope.imported or head in scope.given_away

    def is_parameter(self, head: str) -> bool:
        """Whether a name is a parameter of this function or of one around it."""
        scope: Scope | None = self
        while scope is not None and head not in scope.bound:
            scope = scope.parent
        return scope is not None and head in scope.parameters

    def held(self, head: str) -> Iterator[str]:
        """The names of the module that a variable may be another name for; its own where it is one of them."""
        for scope, chain in self._steps(head):
            if scope.parent is None and CALLED not in chain and scope.owns(chain[0]):
                yield chain[0]

    def _stands_for(self, head: str) -> Iterator[str]:
        for scope, chain in self._steps(head):
            for target in scope.imported.get(chain[0], ()):
                yield joined(target, *chain[1:])
            if scope.parent is None and chain[0] not in scope.bound:
                yield from (joined(star, *chain) for star in scope.stars)
                yield joined("builtins", *chain)

    def _steps(self, head: str) -> Iterator[tuple[Scope, Chain]]:
        """The scopes that a name leads through, and what it is there."""
        steps: dict[tuple[Scope, Chain], None] = {(self, (head,)): None}
        todo = list(steps)
        for scope, chain in todo:  # the shortest ways first: the list grows while it is read
            yield scope, chain
            aliases = [alias for alias in scope.assigned.get(chain[0], ()) if alias[0] != chain[0]]
            further = [(scope, alias + chain[1:]) for alias in aliases]
            if chain[0] not in scope.bound and scope.parent is not None:
                further.append((scope.parent, chain))
            fresh = [step for step in further if step not in steps]
            if len(steps) < _MOST_STEPS:
                steps.update(dict.fromkeys(fresh))
                todo += fresh

    def _bind_arguments(self, arguments: ast.arguments) -> None:
        every = [
            *arguments.posonlyargs,
            *arguments.args,
            *arguments.kwonlyargs,
            arguments.vararg,
            arguments.kwarg,
        ]
        self.parameters.update(argument.arg for argument in every if argument is not None)
        self.bound |= self.parameters

    def _bind_body(self, body: Iterable[ast.AST]) -> None:
        elsewhere: set[str] = set()  # names that `global` and `nonlocal` give away
        todo = [(node, False) for node in body]
        while todo:
            node, in_class = todo.pop()
            if isinstance(node, ast.Name):
                if not (in_class or isinstance(node.ctx, ast.Load)):
                    self.bound.add(node.id)
                continue
            if isinstance(node, ast.expr) and not isinstance(node, ast.NamedExpr):
                within = assigned_within(node) if isinstance(node, CLOSED) else children(node)
                todo += [(child, in_class) for child in within]
                continue
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                self._bind_import(node, in_class)
            elif isinstance(node, (ast.Global, ast.Nonlocal)):
                elsewhere.update(node.names)
            elif not in_class:
                self._bind(node)
            below = children(node)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                below = [
                    child for child in below if not isinstance(child, ast.stmt)
                ]  # the body is a scope of its own
            is_class = isinstance(node, ast.ClassDef)
            todo += [(child, in_class or (is_class and isinstance(child, ast.stmt))) for child in below]
        self._give_away(elsewhere)

    def _bind_import(self, node: ast.Import | ast.ImportFrom, in_class: bool) -> None:
        for alias in node.names:
            if alias.name == "*" and isinstance(node, ast.ImportFrom):
                self.stars[import_base(node)] = None
                continue
            if isinstance(node, ast.ImportFrom):
                name, target = alias.asname or alias.name, joined(import_base(node), alias.name)
            elif alias.asname:
                name, target = alias.asname, alias.name
            else:
                name = target = alias.name.partition(".")[0]
            self.imported.setdefault(name, {})[target] = None
            if not in_class:
                self.bound.add(name)

    def _bind(self, node: ast.AST) -> None:
        if isinstance(node, _NAMED) and node.name:
            self.bound.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            self.bound.add(node.rest)
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                self._alias(target, node.value)

    def _alias(self, target: ast.expr, value: ast.expr) -> None:
        """`now = time.time`, and the same in parts: `a, b = c, d`, `a = b if c else d`, `a = b or c`."""
        if (
            isinstance(target, ast.Tuple)
            and isinstance(value, ast.Tuple)
            and len(target.elts) == len(value.elts)
        ):
            for part, held in zip(target.elts, value.elts, strict=True):
                self._alias(part, held)
        elif isinstance(value, (ast.IfExp, ast.BoolOp)):
            for choice in [value.body, value.orelse] if isinstance(value, ast.IfExp) else value.values:
                self._alias(target, choice)
        elif isinstance(target, ast.Name) and (chain := chain_of(value)):
            self.assigned.setdefault(target.id, {})[chain] = None

    def _give_away(self, names: set[str]) -> None:
        """Names that are assigned here for a surrounding scope; which one does not matter."""
        outer = self.parent
        if outer is None:
            return
        self.bound -= names
        self.given_away |= names
        while outer is not None:
            if outer.parent is None:
                outer.given_away |= names
            for name in names:
                outer.imported.setdefault(name, {}).update(self.imported.get(name, {}))
                outer.assigned.setdefault(name, {}).update(self.assigned.get(name, {}))
            outer = outer.parent
