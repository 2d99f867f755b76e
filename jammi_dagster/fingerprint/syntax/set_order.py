"""Places where the order of a set reaches the result. The order of texts in a set differs from process to process.

A set whose items are numbers keeps its order. Sorting, counting, testing and building further sets lose it again.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from functools import partial

from jammi_dagster.fingerprint.known_names.texts import LOG_METHODS, TEXT_MAKERS
from jammi_dagster.fingerprint.syntax.parameters import every
from jammi_dagster.fingerprint.syntax.sets import (
    DICT,
    FILLERS,
    FUNCTIONS,
    LIST,
    SET,
    Kinds,
    bodies,
    called,
    is_number,
    is_set,
    own_nodes,
    variables,
)
from jammi_dagster.fingerprint.syntax.trees import children, parents_of

_ORDERLESS = frozenset(
    [
        *("sorted", "len", "sum", "min", "max", "any", "all", "set", "frozenset", "isinstance", "bool"),
        *("print", "type", "id", "fsum", "mean", "median", "nunique", "hash"),
        # methods that ask for members
        *("isin", "is_in", "drop", "drop_columns", "exclude", "discard"),
        *("isdisjoint", "issubset", "issuperset"),
        *("difference", "intersection", "symmetric_difference", "union"),
    ]
)
# Methods of lists, texts, arrays and columns whose results do not tell the order.
_ORDERLESS_METHODS = frozenset(
    [
        *("all", "any", "append", "clear", "count", "endswith", "extend", "insert", "nunique", "remove"),
        *("sort", "sort_index", "sort_values", "startswith", "std", "var"),
    ]
)
_VIEWS = frozenset({"T", "array", "dt", "str", "values"})  # attributes with the items of a column
_LISTERS = frozenset(
    [
        *("list", "tuple", "iter", "map", "filter", "zip", "reversed", "next", "join", "deque", "chain"),
        *("from_iterable", "product", "combinations", "permutations", "islice", "accumulate", "cycle"),
        *("zip_longest", "starmap", "array", "asarray", "Series", "Index", "reduce"),
    ]
)
_RANKERS = frozenset({"max", "min", "sorted"})
_DICTS = frozenset({"dict", "OrderedDict"})
_TABULATORS = frozenset({"Counter", "fromkeys"})  # their keys stand in the order of the set
# Functions that write the items of a set down, in its order.
_WRITERS = frozenset(
    [
        *("dump", "dumps", "fromiter", "packb", "reindex", "safe_dump"),
        *("group_by", "select", "with_columns"),  # columns of a table
    ]
)
_JOINERS = frozenset({"join", "list", "tuple"})
_DEEPEST = 6


def set_orders(node: ast.AST, module: Kinds) -> tuple[int, ...]:
    """Return the lines of a statement on which the order of a set reaches a value.

    `module` holds the names of the module's own that are sets, or functions that return one.

    >>> set_orders(ast.parse("def f(x): return list(set(x)), sorted(set(x))").body[0], {})
    (1,)
    """
    return tuple(sorted({line for body in bodies(node) for line in _Body(body, module).lines()}))


def _tells_apart(key: ast.expr) -> bool:
    """Return whether a key function gives different keys to different texts, as far as that shows."""
    if isinstance(key, ast.Name):
        return key.id in ("str", "repr")
    if not isinstance(key, ast.Lambda) or len(key.args.args) != 1:
        return False
    parts = key.body.elts if isinstance(key.body, ast.Tuple) else [key.body]
    return any(isinstance(part, ast.Name) and part.id == key.args.args[0].arg for part in parts)


def _asks_for_one(test: ast.expr, name: str) -> bool:
    """Return whether a condition is `len(name) == 1`."""
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.Eq) or len(test.ops) > 1:
        return False
    counted, number = test.left, test.comparators[0]
    is_count = isinstance(counted, ast.Call) and called(counted) == "len" and len(counted.args) == 1
    is_one = isinstance(number, ast.Constant) and number.value == 1
    return (
        is_one and is_count and isinstance(counted, ast.Call) and getattr(counted.args[0], "id", "") == name
    )


def _are_same(one: ast.expr, other: ast.expr) -> bool:
    return isinstance(one, ast.Name) and isinstance(other, ast.Name) and one.id == other.id


class _Body:
    """The body of one function, or the code of a statement outside of functions."""

    def __init__(self, node: ast.AST, module: Kinds) -> None:
        self._node = node
        self._nodes = own_nodes(node)
        self._parents = parents_of(
            one for one in self._nodes if one is node or not isinstance(one, FUNCTIONS)
        )
        self.kinds = variables(node, self._nodes, module)
        self._given = {one.arg for one in every(node.args)} if isinstance(node, FUNCTIONS) else frozenset()

    def lines(self) -> Iterator[int]:
        for node in self._nodes:
            if not isinstance(node, ast.expr) or self._is_binding(node):
                continue
            if self._is_single(node):
                continue
            is_list = isinstance(node, ast.Name) and self.kinds.get(node.id) == LIST
            if (is_list or is_set(node, self.kinds)) and self._reaches(node, LIST if is_list else SET, 0):
                yield node.lineno

    def _is_single(self, node: ast.expr) -> bool:
        """Return whether a set has one item where it is used: under `if len(found) == 1`."""
        below: ast.AST = node
        above = self._parents.get(id(node))
        while isinstance(node, ast.Name) and above is not None and not isinstance(above, FUNCTIONS):
            if isinstance(above, ast.If) and below in above.body and _asks_for_one(above.test, node.id):
                inner = (one for part in above.body for one in own_nodes(part) if isinstance(one, ast.Name))
                return all(isinstance(one.ctx, ast.Load) for one in inner if one.id == node.id)
            below, above = above, self._parents.get(id(above))
        return False

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
        if kind == SET:  # a set that is tested, compared, returned or stored is a set still
            return self._is_written(node)
        if isinstance(parent, ast.Subscript):
            return kind == LIST  # its first item, or the columns of a table
        if isinstance(parent, (ast.List, ast.Tuple, ast.BinOp, ast.IfExp, ast.BoolOp)):
            return self._reaches(parent, kind, depth + 1)
        is_held = isinstance(
            parent, (ast.arguments, ast.Dict, ast.DictComp, ast.GeneratorExp, ast.ListComp, ast.SetComp)
        )
        return is_held or isinstance(parent, (ast.Return, ast.Yield, ast.Lambda))

    def _call(self, node: ast.AST, call: ast.Call, kind: str, depth: int) -> bool:
        name = called(call)
        if name in _RANKERS and any(
            word.arg == "key" and not _tells_apart(word.value) for word in call.keywords
        ):
            # equal keys keep the order that they came in
            return self._reaches(call, LIST, depth + 1) if name == "sorted" else not self._is_message(call)
        if name == "sum" and len(call.args) > 1:
            return self._reaches(call, LIST, depth + 1)  # lists are joined
        if name in _ORDERLESS or node is call.func or name in LOG_METHODS:
            return False
        if name in TEXT_MAKERS or name in _WRITERS or name == "enumerate":  # which gives each item its place
            return not self._is_message(call)
        if name in _DICTS and kind == DICT:
            return self._reaches(call, DICT, depth + 1)
        if name in _LISTERS or name in _TABULATORS:
            return self._reaches(call, DICT if name in _TABULATORS else LIST, depth + 1)
        if name in FILLERS and isinstance(call.func, ast.Attribute):
            is_whole = name == "extend" or kind != SET
            return is_whole and self._of_variable(call.func.value, LIST, depth)
        # Of other calls nobody knows; a list is taken to be used in its order.
        return kind == LIST and not self._is_message(call)

    def _method(self, attribute: ast.Attribute, kind: str, depth: int) -> bool:
        call = self._parents.get(id(attribute))
        if not isinstance(call, ast.Call) or call.func is not attribute:
            return kind == LIST and attribute.attr in _VIEWS and self._reaches(attribute, LIST, depth + 1)
        if kind == SET:
            return attribute.attr in ("pop", "__iter__")
        if attribute.attr in ("items", "keys", "values", "copy", "elements", "most_common"):
            return self._reaches(call, LIST, depth + 1)
        if kind != LIST or attribute.attr in _ORDERLESS or attribute.attr in _ORDERLESS_METHODS:
            return False
        return attribute.attr == "pop" or self._reaches(call, LIST, depth + 1)

    def _is_written(self, node: ast.AST) -> bool:
        """Return whether a set, or a collection with it, is made a text by `%`, or by a function that writes it."""
        parent = self._parents.get(id(node))
        while isinstance(parent, (ast.Dict, ast.List, ast.Tuple)):
            node, parent = parent, self._parents.get(id(parent))
        if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Mod) and node is parent.right:
            is_text = isinstance(parent.left, ast.Constant) and isinstance(parent.left.value, str)
            return is_text and not self._is_message(parent)
        return isinstance(parent, ast.Call) and called(parent) in _WRITERS and not self._is_message(parent)

    def _comprehension(self, part: ast.comprehension, depth: int) -> bool:
        whole = self._parents[id(part)]
        if isinstance(whole, ast.SetComp):
            return False
        return self._reaches(whole, DICT if isinstance(whole, ast.DictComp) else LIST, depth + 1)

    def _assigned(self, node: ast.AST, parent: ast.AST, kind: str, depth: int) -> bool:
        targets = parent.targets if isinstance(parent, ast.Assign) else [getattr(parent, "target", parent)]
        if kind != SET and isinstance(self._parents.get(id(parent)), ast.ClassDef):
            return True  # an attribute
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
        if not isinstance(target, ast.Name) or not isinstance(self._node, FUNCTIONS):
            return True
        uses = [one for one in self._nodes if isinstance(one, ast.Name) and one.id == target.id]
        loads = [one for one in uses if isinstance(one.ctx, ast.Load)]
        above = [self._parents.get(id(one)) for one in loads]
        if any(isinstance(one, ast.Attribute) and one.attr == "sort" for one in above):
            return False
        if self._is_shared({target.id}):
            return True
        return any(self._reaches(one, kind, depth + 1) for one in loads)

    def _loop(self, loop: ast.For | ast.AsyncFor, depth: int) -> bool:
        """Return whether the order of a loop's rounds reaches the result."""
        todo: list[ast.AST] = [*loop.body]
        if self._is_used_after(loop, loop.target):
            return True
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
                if node.value is not None and self._is_last(loop, targets, node.value):
                    return True
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                is_filled = node.func.attr in FILLERS
                if is_filled and self._of_variable(node.func.value, LIST, depth):
                    return True
            if not isinstance(node, FUNCTIONS):
                todo += children(node)
        return False

    def _is_last(self, loop: ast.For | ast.AsyncFor, targets: Iterable[ast.expr], value: ast.expr) -> bool:
        """Return whether the value of the last round is used after the loop: the greatest of all is no such."""
        if isinstance(value, ast.Constant) or (
            isinstance(value, ast.Call) and called(value) in ("max", "min")
        ):
            return False
        if not isinstance(self._node, FUNCTIONS):
            return True  # a name of the module
        return any(
            self._is_used_after(loop, one) for one in targets if isinstance(one, (ast.Name, ast.Tuple))
        )

    def _is_used_after(self, loop: ast.For | ast.AsyncFor, target: ast.expr) -> bool:
        """Return whether a variable of a loop is used after it, and before something else is bound to it."""
        names = {one.id for one in own_nodes(target) if isinstance(one, ast.Name)}
        end = loop.end_lineno or loop.lineno
        uses = [
            one for one in self._nodes if isinstance(one, ast.Name) and one.id in names and one.lineno > end
        ]
        bound = [one for one in uses if not isinstance(one.ctx, ast.Load)]
        return any(
            one not in bound
            and not any(other.id == one.id and other.lineno <= one.lineno for other in bound)
            and not self._is_of_comprehension(one)
            for one in uses
        )

    def _is_of_comprehension(self, name: ast.Name) -> bool:
        """Return whether a comprehension around a name binds it."""
        node: ast.AST | None = name
        while node is not None and not isinstance(node, ast.stmt):
            targets = [one.target for one in getattr(node, "generators", ())]
            if any(
                isinstance(one, ast.Name) and one.id == name.id
                for target in targets
                for one in own_nodes(target)
            ):
                return True
            node = self._parents.get(id(node))
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
        return bool(begins) and all(is_number(one) or is_set(one, self.kinds) for one in begins)

    def _is_message(self, node: ast.AST | None, seen: AbstractSet[str] = frozenset()) -> bool:
        """Return whether an expression ends in an error or a log, by way of a variable too."""
        is_text = True
        while node is not None and not isinstance(node, ast.stmt):
            if isinstance(node, ast.Call):
                name = called(node)
                if name in LOG_METHODS:
                    return True
                is_text &= name in TEXT_MAKERS or name in _JOINERS
            node = self._parents.get(id(node))
        if isinstance(node, ast.Assign) and is_text and isinstance(self._node, FUNCTIONS):
            names = {one.id for one in node.targets if isinstance(one, ast.Name)}
            uses = [one for one in self._nodes if isinstance(one, ast.Name) and one.id in names]
            loads = [one for one in uses if isinstance(one.ctx, ast.Load)]
            is_plain = len(names) == len(node.targets) and not self._is_shared(names)
            return is_plain and (names <= seen or all(self._is_message(one, seen | names) for one in loads))
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and isinstance(self._node, FUNCTIONS)
        ):
            return called(node.value) == "append" and self._is_list_of_messages(node.value.func, seen)
        return isinstance(node, (ast.Raise, ast.Assert))

    def _is_list_of_messages(self, method: ast.expr, seen: AbstractSet[str]) -> bool:
        """Return whether a list is only added to, tested, and used in errors and logs."""
        held = method.value if isinstance(method, ast.Attribute) else None
        if not isinstance(held, ast.Name) or held.id in self._given or self._is_shared({held.id}):
            return False
        uses = [one for one in self._nodes if isinstance(one, ast.Name) and one.id == held.id]
        loads = [one for one in uses if isinstance(one.ctx, ast.Load)]
        bound = [self._parents.get(id(one)) for one in uses if not isinstance(one.ctx, ast.Load)]
        if not all(isinstance(one, ast.Assign) and isinstance(one.value, ast.List) for one in bound):
            return False  # it may be another name of a list that is used otherwise
        return held.id in seen or all(
            self._is_added_to(one) or self._is_test(one) or self._is_message(one, seen | {held.id})
            for one in loads
        )

    def _is_added_to(self, name: ast.Name) -> bool:
        method = self._parents.get(id(name))
        call = self._parents.get(id(method))
        is_added = isinstance(method, ast.Attribute) and method.attr == "append"
        return is_added and isinstance(call, ast.Call) and isinstance(self._parents.get(id(call)), ast.Expr)

    def _is_test(self, name: ast.Name) -> bool:
        above = self._parents.get(id(name))
        return isinstance(above, ast.If) and above.test is name

    def _is_shared(self, names: AbstractSet[str]) -> bool:
        """Return whether other code may read variables: they are global, or an inner function names them."""
        inner = [one for one in self._nodes if isinstance(one, FUNCTIONS) and one is not self._node]
        declared = [one for one in self._nodes if isinstance(one, (ast.Global, ast.Nonlocal))]
        read = (
            part.id
            for one in inner
            for part in ast.walk(one)
            if isinstance(part, ast.Name) and part.id not in {given.arg for given in every(one.args)}
        )
        return not names.isdisjoint([*read, *(name for one in declared for name in one.names)])
