"""The scopes of a module, and the dotted names that a name stands for in one of them.

Imports and plain assignments are followed. After `import numpy as np` and `rng = np.random`, the name `rng` stands
for `numpy.random`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from jammi_dagster.fingerprint.kept import kept
from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.syntax.parameters import defaults, every
from jammi_dagster.fingerprint.syntax.trees import children, nodes, parents_of
from jammi_dagster.fingerprint.syntax.visitor import Visitor

# Returns the names that a star import of a module brings; None where they are not known.
NamesOf = Callable[[str], frozenset[str] | None]
# The parts of a dotted name, with `CALL` for each call in it.
Chain = tuple[str, ...]

_COPIES = {("model_dump", CALL), ("deepcopy", CALL)}  # with copies of all lists and dicts within it
_IMPORT = "import "  # begins the name of a module that a call imports: no name of the program has a space
_MOST_STEPS = 200  # variables that are assigned from each other in circles would give names without end


def joined(base: str, *parts: str) -> str:
    """Return a dotted name below another; `.` and `..` are bases too."""
    return ".".join((base, *parts)) if base.strip(".") else base + ".".join(parts)


def split(name: str) -> tuple[str, list[str]]:
    """Split a dotted name into its leading dots and its parts."""
    bare = name.lstrip(".")
    return name[: len(name) - len(bare)], bare.split(".") if bare else []


def import_base(node: ast.ImportFrom) -> str:
    return "." * node.level + (node.module or "")


def imported_name(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> tuple[str, str]:
    """Return the name that an import binds, and the dotted name that it then stands for.

    `import a.b` binds `a`, `import a.b as c` binds `c` for `a.b`, `from .a import b as c` binds `c` for `.a.b`.
    """
    if isinstance(node, ast.ImportFrom):
        return alias.asname or alias.name, joined(import_base(node), alias.name)
    if alias.asname:
        return alias.asname, alias.name
    top = alias.name.partition(".")[0]
    return top, top


def chain_of(node: ast.expr) -> Chain | None:
    """Return the parts of a dotted name; None if the expression does not start from a name.

    >>> chain_of(ast.parse("a.b(x).c", mode="eval").body)
    ('a', 'b', '()', 'c')
    """
    parts: list[str] = []
    while True:
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Call):
            if module := _imported_module(node):
                return (f"{_IMPORT}{module}", *reversed(parts))
            parts.append(CALL)
            node = node.func
        elif isinstance(node, ast.Name):
            return (node.id, *reversed(parts))
        else:
            return None


def _imported_module(node: ast.Call) -> str | None:
    """Return the module that a call such as `import_module("a.b")` imports by its constant name."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name not in ("import_module", "__import__") or len(node.args) != 1 or node.keywords:
        return None
    given = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
    if not isinstance(given, str) or given.startswith("."):
        return None
    return given if name == "import_module" else given.partition(".")[0]


def is_none(node: ast.expr) -> bool:
    """Tell whether an expression is None in one case at least: `7 if fixed else None`, `seed or None`."""
    if isinstance(node, ast.IfExp):
        return is_none(node.body) or is_none(node.orelse)
    if isinstance(node, ast.BoolOp):
        return is_none(node.values[-1])
    return isinstance(node, ast.Constant) and node.value is None


def walrus_targets(node: ast.AST) -> Sequence[ast.NamedExpr]:
    """Return the `:=` within a comprehension or lambda that bind a name in the scope around it.

    The body of a lambda is a scope of its own: only its defaults belong to the scope around it.
    """
    todo = [node]
    for one in todo:
        todo += children(one.args if isinstance(one, ast.Lambda) else one)
    return [one for one in todo if isinstance(one, ast.NamedExpr)]


class Scope:
    """The names that a module or a function binds, and the meaning of the names that are used there.

    A class body and a comprehension have no scope here: their imports count for the scope around them, and their
    bindings hide nothing. Both err towards reporting more.

    >>> module = ModuleScope(ast.parse("import numpy as np; rng = np.random").body)
    >>> module.resolve(("rng", "rand"))
    ['numpy.random.rand']
    """

    around: Scope | None = None  # None for a module
    sets: Mapping[str, str] | None = None  # of a module: its names that are sets, once they are known
    faceless: frozenset[str] | None = (
        None  # of a module: functions and classes whose objects have no text of their own
    )
    may_name_files = True  # of a module: False where its text shows that it names no file of its own

    def __init__(self, body: Sequence[ast.AST]) -> None:
        self.body = body
        self.imported: dict[str, dict[str, None]] = {}
        self.assigned: dict[str, dict[Chain, None]] = {}
        self.stars: dict[str, None] = {}
        self.bound: set[str] = set()
        self.defined: set[str] = set()  # functions and classes
        self.texts: dict[str, list[str | None]] = {}  # what each name is bound to, None but for a text
        self.nones: set[str] = set()  # names to which None is bound
        self.managed: dict[str, Chain] = {}  # what `with` binds names to
        self.hidden: set[str] = set()  # names that a comprehension or a class body binds for itself
        self.shared: set[str] = set()  # names that `global` and `nonlocal` bind for another scope
        self._known: dict[str, tuple[str, ...]] = {}
        self._methods: dict[str, tuple[str, ...]] = {}
        bindings = _Bindings(self)
        bindings.walk(body, False)
        self._share(bindings.shared)

    @kept
    def every(self) -> list[ast.AST]:
        """All nodes of its body."""
        return [one for part in self.body for one in nodes(part)]

    @kept
    def parents(self) -> dict[int, ast.AST]:
        """The parents of these nodes, by the `id` of the child."""
        return parents_of(self.every)

    @property
    def module(self) -> Scope:
        """The scope of the module."""
        return self.around.module if self.around else self

    def lineage(self) -> Iterator[Scope]:
        """Yield this scope and those around it, the module's last."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.around

    def binder(self, head: str) -> Scope | None:
        """Return the innermost scope that binds a name."""
        scope: Scope | None = self
        while scope is not None and head not in scope.bound:
            scope = scope.around
        return scope

    def resolve(self, chain: Chain) -> list[str]:
        """Return the canonical names that a chain may stand for; none for a variable of the program's own.

        Keeps its answers: call it once every scope of the module is known.
        """
        head, rest = chain[0], chain[1:]
        if head not in self._known:
            self._known[head] = tuple(dict.fromkeys(self._stands_for(head)))
        return [joined(name, *rest) for name in self._known[head]]

    def methods(self, head: str) -> tuple[str, ...]:
        """Return the names of the methods that a variable may stand for: `query` after `ask = table.query`.

        Keeps its answers, as `resolve` does.
        """
        if head not in self._methods:
            found = (chain[-1] for _, chain in self._steps(head) if len(chain) > 1 and chain[-1] != CALL)
            self._methods[head] = tuple(dict.fromkeys(found))
        return self._methods[head]

    def peek(self, chain: Chain) -> list[str]:
        """Resolve a chain while other scopes of the module may still be unknown."""
        return [joined(name, *chain[1:]) for name in dict.fromkeys(self._stands_for(chain[0]))]

    def owns(self, head: str) -> bool:
        """Return whether a name may be bound by the module, also by a function of it that says `global`."""
        binder = self.binder(head)
        if binder is not None:
            return binder.around is None
        return head in self.module.imported or head in self.module.shared

    def is_parameter(self, head: str) -> bool:
        """Return whether a name is a parameter of this function or of one around it."""
        binder = self.binder(head)
        return isinstance(binder, FunctionScope) and head in binder.parameters

    @property
    def method(self) -> str:
        """The name of the outermost function, which is a method where the statement is a class."""
        functions = [scope.name for scope in self.lineage() if isinstance(scope, FunctionScope)]
        return functions[-1] if functions else ""

    def is_of_outer_function(self, head: str) -> bool:
        """Return whether a name is a variable of a function around this one."""
        binder = self.binder(head)
        return isinstance(binder, FunctionScope) and binder is not self

    def is_renewed(self, head: str, line: int) -> bool:
        """Return whether a parameter stands for a new value at a line: `rows = list(rows)` is before it."""
        binder = self.binder(head)
        return binder is not None and any(
            isinstance(one, ast.Assign)
            and one.lineno < line
            and not isinstance(one.value, (ast.Name, ast.Attribute, ast.Subscript, ast.BoolOp, ast.IfExp))
            and any(isinstance(target, ast.Name) and target.id == head for target in one.targets)
            for one in binder.body
        )

    def is_local(self, head: str) -> bool:
        """Return whether this function itself binds a name, and not as a parameter."""
        return self.around is not None and head in self.bound and not self.is_parameter(head)

    def may_be_argument(self, head: str) -> bool:
        """Return whether a variable may hold an argument of this function, or a part of one."""
        return self.around is not None and any(
            scope.is_parameter(chain[0]) and chain[-2:] not in _COPIES for scope, chain in self._steps(head)
        )

    def module_names(self, head: str) -> Iterator[str]:
        """Yield the module's own names that a variable may be another name for."""
        for scope, chain in self._steps(head):
            if scope.around is None and CALL not in chain and scope.owns(chain[0]):
                yield chain[0]

    def text_of(self, head: str) -> str | None:
        """Return the text that a variable always is; None for another, or where that is not known."""
        binder = self.binder(head)
        if binder is None or head in binder.shared or any(head in scope.hidden for scope in self.lineage()):
            return None
        texts = binder.texts.get(head, [])
        return texts[0] if len(texts) == 1 and head not in getattr(binder, "parameters", ()) else None

    def may_be_none(self, head: str) -> bool:
        """Return whether None is bound to a name, or is the default of a parameter to which nothing else is bound."""
        binder = self.binder(head)
        is_default = isinstance(binder, FunctionScope) and head in binder.none_by_default
        return binder is not None and (head in binder.nones or (is_default and head not in binder.texts))

    def origin_of(self, head: str) -> list[str]:
        """Return the canonical names of the one expression that a variable is bound to; none where there are more."""
        binder = self.binder(head)
        if binder is None or head in binder.shared or len(binder.texts.get(head, ())) != 1:
            return []
        chains = [binder.managed[head]] if head in binder.managed else list(binder.assigned.get(head, ()))
        is_given = head in getattr(binder, "parameters", ())
        return [] if is_given or len(chains) != 1 else binder.resolve(chains[0])

    def is_opened(self, head: str) -> bool:
        """Return whether a variable is the file that one `with x.open(…)` opens, which is looked at there."""
        binder = self.binder(head)
        if binder is None or head in binder.shared or len(binder.texts.get(head, ())) != 1:
            return False
        return binder.managed.get(head, ())[-2:] == ("open", CALL)

    def is_bound(self, head: str) -> bool:
        """Return whether this scope or one around it may bind a name."""
        return any(head in scope.bound or head in scope.imported or scope.stars for scope in self.lineage())

    def is_defined(self, head: str) -> bool:
        """Return whether a name is that of a function or a class of the module."""
        return any(head in scope.defined for scope in self.lineage())

    def unbound(self, chain: Chain) -> Iterator[str]:
        """Yield the names that a chain may stand for if no statement binds its head."""
        return iter(())

    def _stands_for(self, head: str) -> Iterator[str]:
        for scope, chain in self._steps(head):
            for target in scope.imported.get(chain[0], ()):
                yield joined(target, *chain[1:])
            yield from scope.unbound(chain)

    def _steps(self, head: str) -> Iterator[tuple[Scope, Chain]]:
        """Yield the scopes that a name leads through, with the chain that it stands for in each."""
        start: Scope = self
        while head not in start.assigned:  # of most names, one scope after the other
            yield start, (head,)
            if head in start.bound or start.around is None:
                return
            start = start.around
        steps: dict[tuple[Scope, Chain], None] = {(start, (head,)): None}
        todo = list(steps)
        for scope, chain in todo:  # the shortest ways first: the list grows while it is read
            yield scope, chain
            aliases = [alias for alias in scope.assigned.get(chain[0], ()) if alias[0] != chain[0]]
            further = [(scope, alias + chain[1:]) for alias in aliases]
            if chain[0] not in scope.bound and scope.around is not None:
                further.append((scope.around, chain))
            fresh = [step for step in further if step not in steps]
            if len(steps) < _MOST_STEPS:
                steps.update(dict.fromkeys(fresh))
                todo += fresh

    def _share(self, names: set[str]) -> None:
        """Bind the names of `global` and `nonlocal` statements in the scopes around this one."""


class ModuleScope(Scope):
    """The scope of a module. A name that it does not bind is a star import's or a built-in.

    >>> ModuleScope([]).resolve(("len",))
    ['builtins.len']
    """

    def __init__(self, body: Sequence[ast.AST], names_of: NamesOf = lambda star: None) -> None:
        self.names_of = cache(names_of)
        super().__init__(body)

    def unbound(self, chain: Chain) -> Iterator[str]:
        if chain[0] in self.bound:
            return
        if chain[0].startswith(_IMPORT):
            yield joined(chain[0].removeprefix(_IMPORT), *chain[1:])
            return
        for star in self.stars:
            if (names := self.names_of(star)) is None or chain[0] in names:
                yield joined(star, *chain)
        if chain[0] not in self.starred:
            yield joined("builtins", *chain)

    @kept
    def starred(self) -> frozenset[str]:
        """The names that star imports bring for certain."""
        return frozenset().union(*(self.names_of(star) or () for star in self.stars))

    @kept
    def open_stars(self) -> list[str]:
        """The star imports of which the names are not known."""
        return [star for star in self.stars if self.names_of(star) is None]


class FunctionScope(Scope):
    """The scope of a function or lambda within another scope.

    >>> module = ModuleScope([])
    >>> function = ast.parse("def f(x, *, y=1): z = x").body[0]
    >>> sorted(FunctionScope(module, function).bound)
    ['x', 'y', 'z']
    """

    def __init__(self, around: Scope, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        self.around: Scope = around
        self.name: str = getattr(node, "name", "<lambda>")
        self.node = node
        self.parameters = {argument.arg for argument in every(node.args)}
        self.none_by_default = {argument.arg for argument, value in defaults(node.args) if is_none(value)}
        super().__init__([node.body] if isinstance(node, ast.Lambda) else node.body)

    def _share(self, names: set[str]) -> None:
        """Bind these names in every scope around this one: which one is meant does not matter."""
        self.bound |= self.parameters
        self.bound -= names
        self.shared |= names
        for outer in self.around.lineage():
            if outer.around is None:
                outer.shared |= names
            for name in names:
                outer.imported.setdefault(name, {}).update(self.imported.get(name, {}))
                outer.assigned.setdefault(name, {}).update(self.assigned.get(name, {}))


class _Bindings(Visitor[bool]):
    """The visitor that binds the names of one scope. The context is True in a class body.

    >>> sorted(ModuleScope(ast.parse("for i in x: y = z = i").body).bound)
    ['i', 'y', 'z']
    """

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.shared: set[str] = set()
        self._scope = scope

    def visit_Name(self, node: ast.Name, in_class: bool) -> Sequence[ast.AST]:
        if in_class and not isinstance(node.ctx, ast.Load):
            self._scope.hidden.add(node.id)
        elif not isinstance(node.ctx, ast.Load):
            self._scope.bound.add(node.id)
            self._scope.texts.setdefault(node.id, []).append(None)
        return ()

    def visit_withitem(self, node: ast.withitem, in_class: bool) -> Sequence[ast.AST]:
        if isinstance(node.optional_vars, ast.Name) and (chain := chain_of(node.context_expr)):
            self._scope.managed[node.optional_vars.id] = chain
        return children(node)

    def visit_Lambda(self, node: ast.expr, in_class: bool) -> Sequence[ast.AST]:
        return walrus_targets(node)

    def visit_ListComp(
        self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, in_class: bool
    ) -> Sequence[ast.AST]:
        found = (
            one for one in ast.walk(node) if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load)
        )
        self._scope.hidden.update(one.id for one in found)
        return walrus_targets(node)

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp

    def visit_FunctionDef(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, in_class: bool
    ) -> Sequence[ast.AST]:
        self._define(node.name, in_class)
        return [child for child in children(node) if not isinstance(child, ast.stmt)]

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef, in_class: bool) -> Sequence[ast.AST]:
        self._define(node.name, in_class)
        for child in children(node):
            self.push([child], in_class or isinstance(child, ast.stmt))
        return ()

    def visit_Import(self, node: ast.Import | ast.ImportFrom, in_class: bool) -> Sequence[ast.AST]:
        for alias in node.names:
            if isinstance(node, ast.ImportFrom) and alias.name == "*":
                self._scope.stars[import_base(node)] = None
                continue
            name, target = imported_name(node, alias)
            self._scope.imported.setdefault(name, {})[target] = None
            self._bind(name, in_class)
        return ()

    visit_ImportFrom = visit_Import

    def visit_Global(self, node: ast.Global | ast.Nonlocal, in_class: bool) -> Sequence[ast.AST]:
        self.shared.update(node.names)
        return ()

    visit_Nonlocal = visit_Global

    def visit_ExceptHandler(
        self, node: ast.ExceptHandler | ast.MatchAs | ast.MatchStar, in_class: bool
    ) -> Sequence[ast.AST]:
        self._bind(node.name, in_class)
        return children(node)

    visit_MatchAs = visit_MatchStar = visit_ExceptHandler

    def visit_MatchMapping(self, node: ast.MatchMapping, in_class: bool) -> Sequence[ast.AST]:
        self._bind(node.rest, in_class)
        return children(node)

    def visit_Assign(
        self, node: ast.Assign | ast.AnnAssign | ast.NamedExpr, in_class: bool
    ) -> Sequence[ast.AST]:
        if not in_class and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                self._alias(target, node.value)
                if isinstance(target, ast.Name) and is_none(node.value):
                    self._scope.nones.add(target.id)
                if isinstance(target, ast.Name) and (text := _text(node.value)) is not None:
                    self._scope.bound.add(target.id)
                    self._scope.texts.setdefault(target.id, []).append(text)
                    return [child for child in children(node) if child is not target]
        return children(node)

    visit_AnnAssign = visit_NamedExpr = visit_Assign

    def _bind(self, name: str | None, in_class: bool) -> None:
        if name and not in_class:
            self._scope.bound.add(name)
            self._scope.texts.setdefault(name, []).append(None)

    def _define(self, name: str, in_class: bool) -> None:
        self._bind(name, in_class)
        if not in_class:
            self._scope.defined.add(name)

    def _alias(self, target: ast.expr, value: ast.expr) -> None:
        """Note `now = time.time`, and its like in parts: `a, b = c, d`, `a = b if c else d`, `a = b or c`."""
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
            self._scope.assigned.setdefault(target.id, {})[chain] = None


def _text(value: ast.expr) -> str | None:
    """Return the text that an expression is, also of `Path("a.csv")`."""
    if isinstance(value, ast.Call) and len(value.args) == 1 and (chain_of(value.func) or ("",))[-1] == "Path":
        value = value.args[0]
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None
