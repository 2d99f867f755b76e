"""Places where the order of a set reaches the result. The order of texts in a set differs from process to process.

A set whose items are numbers keeps its order. Sorting, counting, testing and building further sets lose it again.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import partial

from jammi_dagster.fingerprint.known_names.texts import LOG_METHODS
from jammi_dagster.fingerprint.syntax.parameters import every
from jammi_dagster.fingerprint.syntax.scopes import Scope, chain_of
from jammi_dagster.fingerprint.syntax.trees import children, nodes

_MAKERS = frozenset({"set", "frozenset"})
_SET_METHODS = frozenset({"union", "intersection", "difference", "symmetric_difference", "copy"})
_ORDERLESS = frozenset(
    [
        *(
            "sorted",
            "len",
            "sum",
            "min",
            "max",
            "any",
            "all",
            "set",
            "frozenset",
            "isinstance",
            "bool",
            "print",
        ),
        *("type", "id", "Counter", "fsum", "mean", "median", "nunique", "hash"),
    ]
)
_LISTERS = frozenset(
    [
        *(
            "list",
            "tuple",
            "enumerate",
            "iter",
            "map",
            "filter",
            "zip",
            "reversed",
            "next",
            "join",
            "fromkeys",
        ),
        *(
            "deque",
            "chain",
            "from_iterable",
            "product",
            "combinations",
            "permutations",
            "islice",
            "accumulate",
        ),
        *("cycle", "zip_longest", "starmap", "array", "asarray", "Series", "Index", "reduce"),
    ]
)
_RANKERS = frozenset({"max", "min", "sorted"})
_ANNOTATIONS = frozenset({"AbstractSet", "FrozenSet", "MutableSet", "Set", "frozenset", "set"})
_SHOWN = frozenset({"str", "repr", "format"})
_JOINERS = frozenset({"join", "list", "tuple"})
_FILLERS = frozenset({"append", "extend", "extendleft", "appendleft", "insert"})
_NUMBERS = frozenset({"int", "float", "len", "round", "abs", "ord", "hash", "id", "bool"})
_OPERATORS = (ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_DEEPEST = 6

SET, LIST, DICT = "set", "list", "dict"


def set_orders(node: ast.AST, module: Mapping[str, str | None]) -> tuple[int, ...]:
    """Return the lines of a statement on which the order of a set reaches a value.

    `module` holds the names of the module's own that are sets, or functions that return one.

    >>> set_orders(ast.parse("def f(x): return list(set(x)), sorted(set(x))").body[0], {})
    (1,)
    """
    return tuple(sorted({line for body in _bodies(node) for line in _Body(body, module).lines()}))


def set_names(body: list[ast.stmt]) -> dict[str, str | None]:
    """Return the names of a module that are sets, and its functions that return one."""
    found: dict[str, str | None] = {}
    for statement in body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            is_set = _is_set(statement.value, found)
            found.update((one.id, SET if is_set else None) for one in targets if isinstance(one, ast.Name))
        elif isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) and _returns_set(
            statement, found
        ):
            found[f"{statement.name}()"] = SET
    return {name: kind for name, kind in found.items() if kind}


def _returns_set(function: ast.FunctionDef | ast.AsyncFunctionDef, module: Mapping[str, str | None]) -> bool:
    every = nodes(function)
    returned = [one.value for one in every if isinstance(one, ast.Return)]
    if not returned or not (any(module.values()) or any(map(_makes_set, every))):
        return False  # most functions: their variables need not be read
    kinds = {**module, **_Body(function, module).kinds}
    return all(one is not None and _is_set(one, kinds) for one in returned)


def _makes_set(node: ast.AST) -> bool:
    """Return whether an expression is a set by itself, and not because a part of it is one."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in _MAKERS
    return isinstance(node, (ast.Set, ast.SetComp))


def imported_sets(node: ast.AST, scope: Scope, functions: AbstractSet[str]) -> dict[str, str | None]:
    """Return the calls of imported functions that return a set, as a statement spells them.

    `functions` holds the last parts of their names.
    """
    chains = {chain_of(one.func) for one in ast.walk(node) if isinstance(one, ast.Call)}
    return {
        f"{'.'.join(chain)}()": SET
        for chain in chains
        if chain and any(name.rpartition(".")[2] in functions for name in scope.resolve(chain))
    }


def _bodies(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a statement and all functions in it: each has variables of its own."""
    yield node
    todo = list(children(node))
    for one in todo:
        if isinstance(one, _FUNCTIONS):
            yield one
        todo += children(one)


def _is_set(node: ast.expr, kinds: Mapping[str, str | None]) -> bool:
    """Return whether an expression is a set whose items may be texts."""
    if isinstance(node, ast.Set):
        return not all(_is_number(item) for item in node.elts)
    if isinstance(node, ast.SetComp):
        return not _is_number(node.elt)
    if isinstance(node, ast.Name):
        return kinds.get(node.id) == SET
    if isinstance(node, ast.BinOp) and isinstance(node.op, _OPERATORS):
        return any(_is_set(side, kinds) or _is_view(side) for side in (node.left, node.right))
    if isinstance(node, ast.IfExp):
        return _is_set(node.body, kinds) or _is_set(node.orelse, kinds)
    if not isinstance(node, ast.Call):
        return False
    name = _name(node.func)
    if isinstance(node.func, ast.Name) and name in _MAKERS:
        return not (node.args and _is_ordered_input(node.args[0]))
    if isinstance(node.func, ast.Attribute) and name in _SET_METHODS:
        return _is_set(node.func.value, kinds)
    return kinds.get(f"{'.'.join(chain_of(node.func) or ())}()") == SET


def _is_view(node: ast.expr) -> bool:
    """Return whether an expression is `x.keys()`: operators make sets of these."""
    return isinstance(node, ast.Call) and _name(node.func) == "keys" and not (node.args or node.keywords)


def is_set_annotation(note: ast.expr | None) -> bool:
    """Return whether an annotation names sets whose items may be texts."""
    if isinstance(note, ast.Subscript):
        return is_set_annotation(note.value) and _name(note.slice) not in ("int", "float", "bool")
    return note is not None and _name(note) in _ANNOTATIONS


def _tells_apart(key: ast.expr) -> bool:
    """Return whether a key function gives different keys to different texts, as far as that shows."""
    if isinstance(key, ast.Name):
        return key.id in ("str", "repr")
    if not isinstance(key, ast.Lambda) or len(key.args.args) != 1:
        return False
    parts = key.body.elts if isinstance(key.body, ast.Tuple) else [key.body]
    return any(isinstance(part, ast.Name) and part.id == key.args.args[0].arg for part in parts)


def _is_ordered_input(node: ast.expr) -> bool:
    """Return whether the items of a collection are numbers, so that a set of them has one order."""
    if isinstance(node, ast.Call):
        return _name(node.func) == "range"
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return all(map(_is_number, node.elts))
    return isinstance(node, (ast.GeneratorExp, ast.ListComp, ast.SetComp)) and _is_number(node.elt)


def _is_number(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (int, float, complex)) or node.value is None
    if isinstance(node, ast.UnaryOp):
        return _is_number(node.operand)
    if isinstance(node, ast.Tuple):
        return all(map(_is_number, node.elts))
    if isinstance(node, ast.BinOp):
        return _is_number(node.left) and _is_number(node.right)
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _NUMBERS


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _are_same(one: ast.expr, other: ast.expr) -> bool:
    return isinstance(one, ast.Name) and isinstance(other, ast.Name) and one.id == other.id


class _Body:
    """The body of one function, or the code of a statement outside of functions."""

    def __init__(self, node: ast.AST, module: Mapping[str, str | None]) -> None:
        self._node = node
        self._parents: dict[int, ast.AST] = {}
        self._nodes: list[ast.AST] = [node]
        for one in self._nodes:  # grows while it is read
            if one is node or not isinstance(one, _FUNCTIONS):
                below = children(one)
                self._parents.update((id(child), one) for child in below)
                self._nodes += below
        self._module = module
        self.kinds: dict[str, str | None] = dict(module)
        self._bind()

    def lines(self) -> Iterator[int]:
        for node in self._nodes:
            if not isinstance(node, ast.expr) or self._is_binding(node):
                continue
            if _is_set(node, self.kinds) and self._reaches(node, SET, 0):
                yield node.lineno

    def _bind(self) -> None:
        """Find the variables that hold a set."""
        values: dict[str, list[ast.expr | None]] = {}
        noted: set[str] = set()
        if isinstance(self._node, _FUNCTIONS):
            given = every(self._node.args)
            values.update((one.arg, [None]) for one in given)
            noted = {one.arg for one in given if is_set_annotation(one.annotation)}
        for node in self._nodes:
            if isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if isinstance(target, ast.Name):
                        values.setdefault(target.id, []).append(node.value)
        for name in values:
            self.kinds.pop(name, None)
        self.kinds.update(dict.fromkeys(noted, SET))
        for _ in range(2):  # a set that is made of another
            for name, found in values.items():
                if any(value is not None and _is_set(value, self.kinds) for value in found):
                    self.kinds[name] = SET

    def _is_binding(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)

    def _reaches(self, node: ast.AST, kind: str, depth: int) -> bool:
        """Return whether the order of an expression's value reaches the result; `kind`: of the collection."""
        parent = self._parents.get(id(node))
        if parent is None or depth > _DEEPEST:
            return False
        if isinstance(parent, ast.keyword):
            return self._reaches(parent, kind, depth)
        if isinstance(parent, ast.Call):
            return self._call(node, parent, kind, depth)
        if isinstance(parent, ast.Attribute):
            return self._method(parent, kind, depth)
        if isinstance(parent, ast.Starred):
            return self._reaches(parent, LIST, depth + 1) if kind != DICT else False
        if isinstance(parent, ast.comprehension):
            return self._comprehension(parent, depth)
        if isinstance(parent, (ast.For, ast.AsyncFor)):
            return node is parent.iter and self._loop(parent, depth)
        if isinstance(parent, (ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.AugAssign)):
            return self._assigned(node, parent, kind, depth)
        if isinstance(parent, (ast.FormattedValue, ast.YieldFrom)):
            return not self._is_message(parent)
        if kind == SET:
            return False  # a set that is tested, compared, returned or stored is a set still
        if isinstance(parent, ast.Subscript):
            return kind == LIST  # its first item, or the columns of a table
        if isinstance(parent, (ast.List, ast.Tuple, ast.BinOp, ast.IfExp, ast.BoolOp)):
            return self._reaches(parent, kind, depth + 1)
        return isinstance(parent, (ast.Dict, ast.Return, ast.Yield, ast.Lambda))

    def _call(self, node: ast.AST, call: ast.Call, kind: str, depth: int) -> bool:
        name = _name(call.func)
        if name in _RANKERS and any(
            word.arg == "key" and not _tells_apart(word.value) for word in call.keywords
        ):
            # equal keys keep the order that they came in
            return self._reaches(call, LIST, depth + 1) if name == "sorted" else not self._is_message(call)
        if name in _ORDERLESS or node is call.func or name in LOG_METHODS:
            return False
        if name in _SHOWN and isinstance(call.func, ast.Name):
            return not self._is_message(call)
        if name in _LISTERS:
            return self._reaches(call, DICT if name == "fromkeys" else LIST, depth + 1)
        if name in _FILLERS and isinstance(call.func, ast.Attribute):
            is_whole = name == "extend" or kind != SET
            return is_whole and self._of_variable(call.func.value, LIST, depth)
        # Of other calls nobody knows; a list is taken to be used in its order.
        return kind == LIST and not self._is_message(call)

    def _method(self, attribute: ast.Attribute, kind: str, depth: int) -> bool:
        call = self._parents.get(id(attribute))
        if not isinstance(call, ast.Call) or call.func is not attribute:
            return False
        if kind == SET:
            return attribute.attr == "pop"
        if attribute.attr in ("items", "keys", "values", "copy"):
            return self._reaches(call, LIST, depth + 1)
        return kind == LIST and attribute.attr == "pop"

    def _comprehension(self, part: ast.comprehension, depth: int) -> bool:
        whole = self._parents[id(part)]
        if isinstance(whole, ast.SetComp):
            return False
        return self._reaches(whole, DICT if isinstance(whole, ast.DictComp) else LIST, depth + 1)

    def _assigned(self, node: ast.AST, parent: ast.AST, kind: str, depth: int) -> bool:
        targets = parent.targets if isinstance(parent, ast.Assign) else [getattr(parent, "target", parent)]
        for target in targets:
            if isinstance(target, (ast.Tuple, ast.List)):
                if len(target.elts) > 1:
                    return True
            elif isinstance(target, ast.Name):
                if kind != SET and self._of_variable(target, kind, depth):
                    return True
            elif kind != SET:
                return True
        return isinstance(parent, ast.NamedExpr) and self._reaches(parent, kind, depth + 1)

    def _of_variable(self, target: ast.expr, kind: str, depth: int) -> bool:
        """Return whether the order of a variable's value reaches the result, unless it is sorted."""
        if not isinstance(target, ast.Name) or not isinstance(self._node, _FUNCTIONS):
            return True
        uses = [one for one in self._nodes if isinstance(one, ast.Name) and one.id == target.id]
        loads = [one for one in uses if isinstance(one.ctx, ast.Load)]
        above = [self._parents.get(id(one)) for one in loads]
        if any(isinstance(one, ast.Attribute) and one.attr == "sort" for one in above):
            return False
        return any(self._reaches(one, kind, depth + 1) for one in loads)

    def _loop(self, loop: ast.For | ast.AsyncFor, depth: int) -> bool:
        """Return whether the order of a loop's rounds reaches the result."""
        todo: list[ast.AST] = [*loop.body]
        for node in todo:  # grows while it is read
            if isinstance(node, (ast.Yield, ast.YieldFrom)):
                return True
            if isinstance(node, ast.Return):
                if node.value is not None and not isinstance(node.value, ast.Constant):
                    return True
            elif isinstance(node, ast.AugAssign):
                if not self._is_sum(node) and self._of_variable(node.target, LIST, depth):
                    return True
            elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                stored = [one.value for one in targets if isinstance(one, ast.Subscript)]
                if any(self._of_variable(one, DICT, depth) for one in stored):
                    return True
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                is_filled = node.func.attr in _FILLERS
                if is_filled and self._of_variable(node.func.value, LIST, depth):
                    return True
            if not isinstance(node, _FUNCTIONS):
                todo += children(node)
        return False

    def _is_sum(self, node: ast.AugAssign) -> bool:
        """Return whether numbers are added up: the variable begins as a number."""
        if isinstance(node.target, ast.Subscript):
            return True  # by a key
        begins = [
            one.value
            for one in self._nodes
            if isinstance(one, ast.Assign) and any(map(partial(_are_same, node.target), one.targets))
        ]
        return bool(begins) and all(_is_number(one) or _is_set(one, self.kinds) for one in begins)

    def _is_message(self, node: ast.AST | None, seen: AbstractSet[str] = frozenset()) -> bool:
        """Return whether an expression ends in an error or a log, by way of a variable too."""
        is_text = True
        while node is not None and not isinstance(node, ast.stmt):
            if isinstance(node, ast.Call):
                name = _name(node.func)
                if name in LOG_METHODS or name == "print":
                    return True
                is_text &= name in _SHOWN or name in _JOINERS
            node = self._parents.get(id(node))
        if isinstance(node, ast.Assign) and is_text and isinstance(self._node, _FUNCTIONS):
            names = {one.id for one in node.targets if isinstance(one, ast.Name)}
            uses = [one for one in self._nodes if isinstance(one, ast.Name) and one.id in names]
            loads = [one for one in uses if isinstance(one.ctx, ast.Load)]
            is_plain = len(names) == len(node.targets) and not self._is_shared(names)
            return is_plain and (names <= seen or all(self._is_message(one, seen | names) for one in loads))
        return isinstance(node, (ast.Raise, ast.Assert))

    def _is_shared(self, names: AbstractSet[str]) -> bool:
        """Return whether other code may read variables: they are global, or an inner function names them."""
        inner = [one for one in self._nodes if isinstance(one, _FUNCTIONS) and one is not self._node]
        declared = [one for one in self._nodes if isinstance(one, (ast.Global, ast.Nonlocal))]
        read = (part.id for one in inner for part in ast.walk(one) if isinstance(part, ast.Name))
        return not names.isdisjoint([*read, *(name for one in declared for name in one.names)])
