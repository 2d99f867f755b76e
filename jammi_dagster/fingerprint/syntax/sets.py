"""Expressions whose value is a set, or another collection in no certain order: of tasks as they are done."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from jammi_dagster.fingerprint.syntax.parameters import defaults, every
from jammi_dagster.fingerprint.syntax.scopes import chain_of
from jammi_dagster.fingerprint.syntax.trees import children, nodes

# Kinds of names: `x` is a variable, `x()` a function that returns a set, `x[]` a collection whose items are sets;
# `.x`, `.x()` and `.x[]` are the same of attributes.
Kinds = Mapping[str, str]

SET, LIST, DICT = "set", "list", "dict"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
# Calls whose results come as they are done, or as the collector leaves them.
UNORDERED = frozenset({"WeakSet", "as_completed", "imap_unordered"})
_WAIT = "wait"  # returns two sets of tasks
# Calls that run a function beside their caller, and those that do if they are methods of a pool.
_STARTERS = frozenset(
    {"Thread", "Timer", "add_done_callback", "apply_async", "run_in_executor", "submit", "to_thread"}
)
_POOLS = ("Executor", "Pool")
_OF_POOLS = frozenset({"imap", "map", "map_async", "starmap"})
FILLERS = frozenset({"append", "extend", "extendleft", "appendleft", "insert"})
_MAKERS = frozenset({"set", "frozenset"})
_SET_METHODS = frozenset({"union", "intersection", "difference", "symmetric_difference", "copy"})
_COPIES = frozenset({"copy", "deepcopy"})
_ITEM_METHODS = frozenset({"get", "pop", "setdefault"})
_NUMBERS = frozenset({"int", "float", "len", "round", "abs", "ord", "hash", "id", "bool"})
# Calls after whose names an expression may be a set, or a collection in no certain order.
_UNORDERED_BY_NAME = _MAKERS | UNORDERED | _STARTERS | {_WAIT, "keys"}
_OPERATORS = (ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)
# The nodes that may bind a name to a set.
_BINDING = (
    *(ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.For, ast.AsyncFor, ast.comprehension),
    *(ast.Call, ast.FunctionDef, ast.AsyncFunctionDef),
)
_ANNOTATIONS = frozenset({"AbstractSet", "FrozenSet", "MutableSet", "Set", "frozenset", "set"})


def makes_unordered(call: ast.Call) -> bool:
    """Return whether a call makes a set, or a collection in no certain order, by the name of its function."""
    name, function = called(call), call.func
    of_class = isinstance(function, ast.Attribute) and getattr(function.value, "id", "") in _MAKERS
    return name in _UNORDERED_BY_NAME or of_class or name.endswith(_POOLS) or _makes_sets(call)


def is_set(node: ast.expr, kinds: Kinds) -> bool:
    """Return whether an expression is a set whose items may be texts."""
    if isinstance(node, ast.Set):
        return not all(is_number(item) for item in node.elts)
    if isinstance(node, ast.SetComp):
        return not is_number(node.elt)
    if isinstance(node, (ast.Name, ast.Attribute)):
        return kinds.get(_key(node)) == SET or _is_of_wait(node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, _OPERATORS):
        return any(is_set(side, kinds) or _is_view(side) for side in (node.left, node.right))
    if isinstance(node, (ast.IfExp, ast.BoolOp)):
        values = [node.body, node.orelse] if isinstance(node, ast.IfExp) else node.values
        return any(is_set(value, kinds) for value in values)
    if isinstance(node, (ast.Await, ast.NamedExpr)):
        return is_set(node.value, kinds)
    if isinstance(node, ast.Subscript):
        return _has_sets(node.value, kinds, node.slice)
    return isinstance(node, ast.Call) and _is_set_call(node, kinds)


def _is_set_call(call: ast.Call, kinds: Kinds) -> bool:
    name, function = called(call), call.func
    if name in UNORDERED:
        return True
    if isinstance(function, ast.Lambda):
        return is_set(function.body, kinds)
    if isinstance(function, ast.Name) and name in _MAKERS:
        return not (call.args and _is_ordered_input(call.args[0]))
    if name in _COPIES and call.args:
        return is_set(call.args[0], kinds)
    if name == "reduce" and len(call.args) > 1 and holds_sets(call.args[1], kinds):
        return True
    if isinstance(function, ast.Attribute):
        holder = function.value
        if name in _SET_METHODS and (is_set(holder, kinds) or getattr(holder, "id", "") in _MAKERS):
            return True
        if name in _ITEM_METHODS and _has_sets(holder, kinds, call.args[0] if call.args else None):
            return True
        if kinds.get(f".{name}()") == SET:
            return True
    return kinds.get(f"{'.'.join(chain_of(function) or ())}()") == SET


def holds_sets(node: ast.expr | None, kinds: Kinds) -> bool:
    """Return whether an expression is a collection of sets."""
    if isinstance(node, ast.Dict):
        return any(is_set(value, kinds) for value in node.values)
    if isinstance(node, (ast.List, ast.Tuple)):
        return any(is_set(value, kinds) for value in node.elts)
    if isinstance(node, (ast.ListComp, ast.GeneratorExp)):
        return is_set(node.elt, kinds)
    if isinstance(node, ast.DictComp):
        return is_set(node.value, kinds)
    if isinstance(node, (ast.Name, ast.Attribute)):
        return _has_sets(node, kinds)
    return isinstance(node, ast.Call) and _makes_sets(node)


def _has_sets(holder: ast.expr, kinds: Kinds, at: ast.expr | None = None) -> bool:
    """Return whether a collection holds sets; `at`: by this key or index, if it is written down."""
    key = _key(holder)
    if isinstance(at, ast.Constant):
        return SET in (kinds.get(f"{key}[]"), kinds.get(_item(holder, at)))
    return any(one.startswith(f"{key}[") and kind == SET for one, kind in kinds.items())


def _item(holder: ast.expr, at: ast.expr) -> str:
    return f"{_key(holder)}[{repr(at.value) if isinstance(at, ast.Constant) else ''}]"


def bindings(node: ast.AST, kinds: Kinds) -> Iterator[tuple[str, bool]]:
    """Yield the keys that a node binds to a set, or to sets; False for a key that it binds to another value."""
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            yield from _bound(target, node.value, kinds)
    elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
        yield from _iterated(node.target, node.iter, kinds)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if called(node) in ("append", "setdefault") and any(is_set(one, kinds) for one in node.args):
            yield f"{_key(node.func.value)}[]", True
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and returns_set(node, kinds):
        yield f"{node.name}()", True


def _bound(target: ast.expr, value: ast.expr, kinds: Kinds) -> Iterator[tuple[str, bool]]:
    if isinstance(target, (ast.Tuple, ast.List)):
        inner = value.value if isinstance(value, ast.Await) else value
        if isinstance(inner, ast.Tuple) and len(inner.elts) == len(target.elts):
            for part, held in zip(target.elts, inner.elts, strict=True):
                yield from _bound(part, held, kinds)
        elif holds_sets(inner, kinds) or (isinstance(inner, ast.Call) and called(inner) == _WAIT):
            for part in target.elts:
                yield (f"{_key(part.value)}[]" if isinstance(part, ast.Starred) else _key(part)), True
    elif isinstance(target, ast.Subscript):
        if is_set(value, kinds):
            yield _item(target.value, target.slice), True
    elif key := _key(target):
        yield key, is_set(value, kinds)
        yield f"{key}[]", holds_sets(value, kinds)
        yield f"{key}()", isinstance(value, ast.Lambda) and is_set(value.body, kinds)


def _iterated(target: ast.expr, over: ast.expr, kinds: Kinds) -> Iterator[tuple[str, bool]]:
    """Yield the variables of a loop over a collection of sets."""
    name = called(over) if isinstance(over, ast.Call) else ""
    holder = over
    if isinstance(over, ast.Call) and isinstance(over.func, ast.Attribute) and name in ("items", "values"):
        holder = over.func.value
    if not holds_sets(holder, kinds):
        return
    if name == "items" and isinstance(target, ast.Tuple):
        yield _key(target.elts[-1]), True
    else:
        yield _key(target), True


def set_names(body: list[ast.stmt]) -> dict[str, str]:
    """Return the names of a module that are sets, its functions that return one, and such members of its classes."""
    found: dict[str, str] = {}
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            found.update(dict.fromkeys(_members(statement, found), SET))
            continue
        for key, is_one in bindings(statement, found):
            if is_one:
                found[key] = SET
            else:
                found.pop(key, None)
    return found


def _members(cls: ast.ClassDef, module: Kinds) -> Iterator[str]:
    """Yield the attributes and methods of a class that are sets, or return one."""
    every_node = nodes(cls)
    noted = any(is_set_annotation(getattr(one, "annotation", None)) for one in every_node)
    if not (noted or module or any(map(_makes_set, every_node))):
        return  # most classes
    for one in cls.body:
        if isinstance(one, ast.AnnAssign) and is_set_annotation(one.annotation):
            yield f".{_key(one.target)}"
        yield from (f".{key}" for key, is_one in bindings(one, module) if is_one)
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if any("property" in called(note) for note in one.decorator_list) and returns_set(one, module):
                yield f".{one.name}"
            kinds = {**module, **_annotated(one)}
            for inner in nodes(one):
                if isinstance(inner, (ast.Assign, ast.AnnAssign)):
                    yield from (
                        key for key, is_one in bindings(inner, kinds) if is_one and key.startswith(".")
                    )


def _annotated(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> dict[str, str]:
    """Return the parameters that are sets, by an annotation or a default."""
    noted = {one.arg: SET for one in every(function.args) if is_set_annotation(one.annotation)}
    return noted | {one.arg: SET for one, value in defaults(function.args) if is_set(value, {})}


def variables(function: ast.AST, every_node: list[ast.AST], module: Kinds) -> dict[str, str]:
    """Return the kinds of the names that a function uses: its own variables, and the names of the module."""
    kinds = dict(module)
    noted: dict[str, str] = {}
    if isinstance(function, FUNCTIONS):
        for one in every(function.args):
            kinds.pop(one.arg, None)
        noted = _annotated(function)
    kinds.update(noted)
    binding = [one for one in every_node if isinstance(one, _BINDING) and one is not function]
    for turn in range(3):  # a set that is made of another
        is_new = False
        for node in binding:
            for key, is_one in bindings(node, kinds):
                if is_one:
                    is_new |= not turn or kinds.get(key) != SET
                    kinds[key] = SET
                elif not turn and key not in noted and not key.startswith("."):
                    kinds.pop(key, None)
        if not is_new:
            break
    kinds.update(dict.fromkeys(_filled_aside(every_node), LIST))
    return kinds


def _filled_aside(every_node: list[ast.AST]) -> Iterator[str]:
    """Yield the lists to which functions add that run beside the function: their items come as these are done."""
    calls = [one for one in every_node if isinstance(one, ast.Call)]
    has_pool = any(called(one).endswith(_POOLS) for one in calls)
    starters = _STARTERS | _OF_POOLS if has_pool else _STARTERS
    inner = {one.name: one for one in every_node if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))}
    for call in calls if has_pool or any(called(one) in starters for one in calls) else ():
        for given in (
            (*call.args, *(word.value for word in call.keywords)) if called(call) in starters else ()
        ):
            held = given.args[0] if isinstance(given, ast.Call) and given.args else given  # of `partial`
            function = inner.get(_key(held), held)
            adding = (
                one for one in nodes(function) if isinstance(one, ast.Attribute) and one.attr in FILLERS
            )
            yield from (_key(one.value) for one in adding)


def returns_set(function: ast.FunctionDef | ast.AsyncFunctionDef, module: Kinds) -> bool:
    """Return whether all results of a function are sets."""
    every_node = nodes(function)
    returned = [one.value for one in every_node if isinstance(one, ast.Return)]
    if not returned or not (module or _annotated(function) or any(map(_makes_set, every_node))):
        return False  # most functions: their variables need not be read
    own = own_nodes(function)
    kinds = variables(function, own, module)
    results = [one.value for one in own if isinstance(one, ast.Return)]
    return bool(results) and all(one is not None and is_set(one, kinds) for one in results)


def bodies(node: ast.AST) -> list[ast.AST]:
    """Return a statement and all functions in it: each has variables of its own."""
    return [node, *(one for one in nodes(node) if isinstance(one, FUNCTIONS) and one is not node)]


def own_nodes(function: ast.AST) -> list[ast.AST]:
    """Return the nodes of a function, or of a statement, without the bodies of functions in it."""
    found = [function]
    for one in found:  # grows while it is read
        if one is function or not isinstance(one, FUNCTIONS):
            found += children(one)
    return found


def _makes_set(node: ast.AST) -> bool:
    """Return whether an expression is a set by itself, and not because a part of it is one."""
    if isinstance(node, ast.Call):
        return makes_unordered(node)
    return isinstance(node, (ast.Set, ast.SetComp))


def _makes_sets(call: ast.Call) -> bool:
    """Return whether a call is `defaultdict(set)`."""
    return called(call) == "defaultdict" and bool(call.args) and getattr(call.args[0], "id", "") in _MAKERS


def _key(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f".{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _is_of_wait(node: ast.expr) -> bool:
    """Return whether an expression is `wait(tasks).done`."""
    holder = node.value if isinstance(node, ast.Attribute) else None
    is_waited = isinstance(holder, ast.Call) and called(holder) == _WAIT
    return is_waited and isinstance(node, ast.Attribute) and node.attr in ("done", "not_done")


def _is_view(node: ast.expr) -> bool:
    """Return whether an expression is `x.keys()`: operators make sets of these."""
    return isinstance(node, ast.Call) and called(node) == "keys" and not (node.args or node.keywords)


def is_set_annotation(note: ast.expr | None) -> bool:
    """Return whether an annotation names sets whose items may be texts."""
    if isinstance(note, ast.Subscript):
        return is_set_annotation(note.value) and called(note.slice) not in ("int", "float", "bool")
    return note is not None and called(note) in _ANNOTATIONS


def _is_ordered_input(node: ast.expr) -> bool:
    """Return whether the items of a collection are numbers, so that a set of them has one order."""
    if isinstance(node, ast.Call):
        return called(node) == "range"
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return all(map(is_number, node.elts))
    return isinstance(node, (ast.GeneratorExp, ast.ListComp, ast.SetComp)) and is_number(node.elt)


def is_number(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (int, float, complex)) or node.value is None
    if isinstance(node, ast.UnaryOp):
        return is_number(node.operand)
    if isinstance(node, ast.Tuple):
        return all(map(is_number, node.elts))
    if isinstance(node, ast.BinOp):
        return is_number(node.left) and is_number(node.right)
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _NUMBERS


def called(node: ast.expr) -> str:
    """Return the last part of a name, or of the function of a call."""
    function = node.func if isinstance(node, ast.Call) else node
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""
