"""Calls that look like reads of the outside world, and are none: their code shows that no result depends on them.

The clock may flow into logs and metadata alone; a generator of numbers may be seeded in the same body; a file may be a
temporary one of the body's own; a query may be one over local tables. The reading is lexical, within one function.
"""

from __future__ import annotations

import ast
import re

from jammi_dagster.fingerprint.kept import kept
from jammi_dagster.fingerprint.known_names.chance import SEEDS
from jammi_dagster.fingerprint.known_names.harmless import (
    CLOCKS,
    LOGGERS,
    ORDERED_BY_DISK,
    OWN_RESULTS,
    POOLS,
    PURE_CALLS,
    QUERIES,
    TEMPORARY,
    UNSEEDED,
    WITH_METADATA,
    WORKERS,
    is_local_query,
    leads_out,
)
from jammi_dagster.fingerprint.known_names.texts import LOG_METHODS, RELATION_METHODS
from jammi_dagster.fingerprint.syntax.functions import Function
from jammi_dagster.fingerprint.syntax.scopes import Chain, FunctionScope, Scope, chain_of, is_none
from jammi_dagster.fingerprint.syntax.trees import children

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_CONTEXTS = frozenset({"context", "_context", "context_"})
_METADATA = frozenset({"add_asset_metadata", "add_output_metadata"})
_DEEPEST = 3  # variables of variables
# Expressions whose value a part of them flows into, and nowhere else.
_CARRIERS = (
    ast.BinOp,
    ast.BoolOp,
    ast.Compare,
    ast.Dict,
    ast.FormattedValue,
    ast.JoinedStr,
    ast.List,
    ast.Tuple,
    ast.UnaryOp,
)
_HIDING = frozenset({"locals", "vars", "eval", "exec"})
_OPENED = frozenset({"open", "read_bytes", "read_text"})
_PLAIN_PART = re.compile(r"[\w. -]+")

Place = tuple[int, int]  # the end of a call in its file: calls of one chain begin at the same place


def place_of(call: ast.Call) -> Place:
    return call.end_lineno or 0, call.end_col_offset or 0


class HarmlessReads:
    """The harmless reads of one top-level statement of a module.

    >>> tree = ast.parse("import logging, time\\ndef f():\\n  t = time.time()\\n  logging.info(t)")
    >>> HarmlessReads(tree.body[1], Scope(tree.body)).is_told("time.time", (3, 17))
    True
    """

    def __init__(self, statement: ast.AST, module: Scope, contexts: frozenset[str] = _CONTEXTS) -> None:
        self._module, self._contexts = module, contexts
        self._parents: dict[int, ast.AST] = {}
        self._functions: dict[int, Function | None] = {id(statement): None}
        self._calls: dict[Place, ast.Call] = {}
        self._names: dict[str, list[ast.Name]] = {}
        self._shared: set[str] = set()
        self._scopes: dict[int, Scope] = {}
        self._read(statement)

    def excuses(self, name: str, place: Place, *, is_reader: bool) -> bool:
        """Return whether no result depends on a call: `name` is the name of the outside world that it has."""
        if is_reader:
            return self._is_own(name, place)
        return self.is_told(name, place) or self._is_seeded(name, place)

    def is_told(self, name: str, place: Place) -> bool:
        """Return whether the value of a clock goes into logs and metadata alone."""
        call = self._calls.get(place)
        return name in CLOCKS and call is not None and self._flows_to_people(call, set())

    def _read(self, statement: ast.AST) -> None:
        todo: list[ast.AST] = [statement]
        while todo:
            node = todo.pop()
            function = self._functions[id(node)]
            inner = node if isinstance(node, _FUNCTIONS) else function
            if isinstance(node, ast.Call):
                self._calls[place_of(node)] = node
            elif isinstance(node, ast.Name):
                self._names.setdefault(node.id, []).append(node)
            elif isinstance(node, (ast.Global, ast.Nonlocal)):
                self._shared.update(node.names)
            for child in children(node):
                self._parents[id(child)] = node
                self._functions[id(child)] = inner
                todo.append(child)

    @kept
    def _hides(self) -> bool:
        return not _HIDING.isdisjoint(self._names)

    def leaks(self, place: Place) -> bool:
        """Return whether the name of a temporary file or folder is a part of what the function returns."""
        call = self._calls.get(place)
        return call is not None and self._is_returned(call, 0)

    def _is_returned(self, node: ast.AST, depth: int) -> bool:
        above = self._parents.get(id(node))
        target = getattr(above, "optional_vars", None)
        if isinstance(above, ast.Assign) and len(above.targets) == 1:
            target = above.targets[0]
        if isinstance(target, ast.Name) and depth < _DEEPEST:
            loads = [use for use in self._names[target.id] if isinstance(use.ctx, ast.Load)]
            return any(self._is_returned(use, depth + 1) for use in loads)
        if isinstance(above, ast.Call):
            return node is not above.func and self._is_pure(above) and self._is_returned(above, depth)
        if isinstance(above, ast.Attribute) and above.attr != "name":
            return False
        is_carried = isinstance(above, (*_CARRIERS, ast.Attribute, ast.List, ast.Tuple, ast.keyword))
        return isinstance(above, (ast.Return, ast.Yield)) or (
            is_carried and above is not None and self._is_returned(above, depth)
        )

    # Values that only people see

    def is_for_people(self, node: ast.AST) -> bool:
        """Return whether the value of an expression goes into logs and metadata, and nowhere else."""
        return self._flows_to_people(node, set())

    def _flows_to_people(self, node: ast.AST, seen: set[str]) -> bool:
        if self._functions.get(id(node)) is None or self._hides:
            return False
        while True:
            above = self._parents.get(id(node))
            word = None
            if isinstance(above, ast.keyword):
                word, above = above.arg, self._parents.get(id(above))
            if isinstance(above, ast.Subscript) and node is above.value and isinstance(above.ctx, ast.Store):
                return True  # an item is set in what is told
            if isinstance(above, ast.Call) and node is not above.func and self._takes(above, word):
                return True
            if isinstance(above, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
                return node is above.value and self._is_told_by_name(above, seen)
            if isinstance(above, ast.Call) and node is not above.func and self._tells(above):
                return isinstance(self._parents.get(id(above)), ast.Expr)
            if above is None or not self._carries(above, node):
                return False
            node = above

    def _takes(self, call: ast.Call, word: str | None) -> bool:
        """Return whether a call takes a value as metadata of an event, or as a number of workers."""
        chain = chain_of(call.func) or ("",)
        if word == "metadata":
            names = self._scope(call).peek(chain)
            given = next(one.value for one in call.keywords if one.arg == word)
            is_for_people = not any(map(_is_of_dagster, ast.walk(given)))
            return bool(names) and WITH_METADATA.issuperset(names) and is_for_people
        return word in WORKERS or (word is None and chain[-1] in POOLS)

    def _carries(self, above: ast.AST, node: ast.AST) -> bool:
        """Return whether a value flows into that of the expression around it, and nowhere else."""
        if isinstance(above, ast.Call):
            return node is above.func or self._is_pure(above)
        if isinstance(above, ast.Attribute):
            return isinstance(above.ctx, ast.Load)
        if isinstance(above, ast.IfExp):
            return node is not above.test
        return isinstance(above, _CARRIERS)

    def _is_told_by_name(
        self, assignment: ast.Assign | ast.AugAssign | ast.AnnAssign, seen: set[str]
    ) -> bool:
        targets = assignment.targets if isinstance(assignment, ast.Assign) else [assignment.target]
        held = [target.value if isinstance(target, ast.Subscript) else target for target in targets]
        names = [
            target.id
            for target in held
            if isinstance(target, ast.Name) and not self._scope(assignment).is_parameter(target.id)
        ]
        if len(names) != len(targets) or not self._shared.isdisjoint(names):
            return False
        if isinstance(self._parents.get(id(assignment)), ast.ClassDef):
            return False  # an attribute
        if any(
            isinstance(target, ast.Subscript) and not self._is_fresh(name)
            for target, name in zip(targets, names, strict=True)
        ):
            return False
        for name in names:
            if name not in seen:
                seen.add(name)
                uses = (use for use in self._names[name] if isinstance(use.ctx, ast.Load))
                if not all(self._flows_to_people(use, seen) for use in uses):
                    return False
        return True

    def _is_fresh(self, name: str) -> bool:
        """Return whether a variable only holds tables that are written where it is bound: nobody else has them."""
        stored = [use for use in self._names[name] if not isinstance(use.ctx, ast.Load)]
        above = [self._parents.get(id(use)) for use in stored]
        return all(
            isinstance(one, (ast.Assign, ast.AnnAssign)) and isinstance(one.value, (ast.Dict, ast.List))
            for one in above
        )

    def _tells(self, call: ast.Call) -> bool:
        chain = chain_of(call.func)
        if chain is None or any(_is_of_dagster(node) for node in ast.walk(call)):
            return False
        if self._is_context(chain, call):
            return True
        if any(word.arg in ("file", None) for word in call.keywords):
            return False  # a file of the program's own
        names = self._scope(call).peek(chain)
        return bool(names) and all(
            name in LOGGERS
            or (name.rpartition(".")[2] in LOG_METHODS and f"{name.partition('.')[0]}." in LOGGERS)
            for name in names
        )

    def _is_context(self, chain: Chain, call: ast.Call) -> bool:
        is_log = len(chain) == 3 and chain[1] == "log" and chain[2] in LOG_METHODS
        if not (is_log or (len(chain) == 2 and chain[1] in _METADATA)):
            return False
        if chain[0] not in self._contexts or any(
            not isinstance(use.ctx, ast.Load) for use in self._names[chain[0]]
        ):
            return False
        return self._scope(call).is_parameter(chain[0])

    def _is_pure(self, call: ast.Call) -> bool:
        chain = chain_of(call.func)
        if chain is None:  # "{:.1f} s".format(x)
            return isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Constant)
        names = self._scope(call).peek(chain)
        return bool(names) and PURE_CALLS.issuperset(names)

    # Seeds

    def _is_seeded(self, name: str, place: Place) -> bool:
        """Return whether a statement before a draw, at the top of the same body, seeds the generator."""
        call = self._calls.get(place)
        function = self._functions.get(id(call)) if call else None
        if call is None or function is None or isinstance(function, ast.Lambda) or name in UNSEEDED:
            return False
        if any(isinstance(node, (ast.Yield, ast.YieldFrom, ast.Await)) for node in ast.walk(function)):
            return False
        top: ast.AST = call
        while (above := self._parents[id(top)]) is not function:
            top = above
        if top not in function.body:
            return False  # a default, a decorator
        before = function.body[: function.body.index(top)]
        return any(self._seeds(statement, name) for statement in before)

    def _seeds(self, statement: ast.stmt, name: str) -> bool:
        call = statement.value if isinstance(statement, ast.Expr) else None
        if not isinstance(call, ast.Call) or not call.args:
            return False
        names = self._scope(call).peek(chain_of(call.func) or ("",))
        given = call.args[0]
        return not is_none(given) and len(names) == 1 and name.startswith(SEEDS.get(names[0], ("\0",)))

    # Files and tables of the body's own

    def _is_own(self, name: str, place: Place) -> bool:
        call = self._calls.get(place)
        if call is None or self._functions.get(id(call)) is None or self._hides:
            return False
        if name.partition(".")[0] == "duckdb":
            return self._is_local_duckdb(name, call)
        if name == "importlib.resources.files":
            return self._is_opened_later(call)
        if name == "polars.SQLContext":
            return self._is_local_sql_context(call)
        if name.rpartition(".")[2] in ORDERED_BY_DISK:
            return False
        held = call.func.value if isinstance(call.func, ast.Attribute) else None
        given = [*call.args[:1]]
        if held is not None and not given and not call.keywords:
            return self._is_temporary(held, call, 0)
        return bool(given) and self._is_temporary(given[0], call, 0)

    def _is_temporary(self, node: ast.expr, at: ast.Call, depth: int) -> bool:
        """Return whether an expression is a path within a temporary file or folder that the body makes."""
        if depth > 5:
            return False
        if isinstance(node, ast.Attribute) and node.attr == "name":
            node = node.value
        if isinstance(node, ast.Name):
            return self._is_temporary_name(node.id, at, depth)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            return _is_plain_part(node.right) and self._is_temporary(node.left, at, depth + 1)
        if isinstance(node, ast.JoinedStr) and len(node.values) > 1:
            first, *rest = node.values
            parts = [str(one.value).lstrip("/") for one in rest if isinstance(one, ast.Constant)]
            is_plain = len(parts) == len(rest) and all(_PLAIN_PART.fullmatch(part) for part in parts)
            if not is_plain or ".." in parts or not isinstance(first, ast.FormattedValue):
                return False
            return self._is_temporary(first.value, at, depth + 1)
        if isinstance(node, ast.Call) and node.args and not node.keywords:
            names = self._scope(at).peek(chain_of(node.func) or ("",))
            if names in (["pathlib.Path"], ["builtins.str"], ["os.path.join"]):
                rest_of = node.args[1:]
                return all(map(_is_plain_part, rest_of)) and self._is_temporary(node.args[0], at, depth + 1)
        return False

    def _is_temporary_name(self, name: str, at: ast.Call, depth: int) -> bool:
        stored = [use for use in self._names.get(name, ()) if not isinstance(use.ctx, ast.Load)]
        if len(stored) != 1 or name in self._shared or self._scope(at).is_parameter(name):
            return False
        above = self._parents[id(stored[0])]
        if isinstance(above, ast.withitem) and isinstance(above.context_expr, ast.Call):
            names = self._scope(at).peek(chain_of(above.context_expr.func) or ("",))
            return TEMPORARY.issuperset(names[:1]) and bool(names)
        if isinstance(above, ast.Assign) and len(above.targets) == 1:
            return self._is_temporary(above.value, at, depth + 1)
        return False

    def _is_local_duckdb(self, name: str, call: ast.Call) -> bool:
        """Return whether a call of duckdb works on local tables alone."""
        chain = chain_of(call.func) or ("",)
        leaf = name.rpartition(".")[2]
        scope = self._scope(call)
        if name == "duckdb.connect":
            given = [*call.args, *(word.value for word in call.keywords)]
            in_memory = all(isinstance(one, ast.Constant) and one.value == ":memory:" for one in given)
            return in_memory and self._stays(call)
        is_connection = name.startswith("duckdb.connect.") or not name.startswith("duckdb.")
        if scope.owns(chain[0]) and chain[0] not in scope.module.imported:
            return False  # a connection that steps share
        if leaf in OWN_RESULTS:
            return True
        if leaf in RELATION_METHODS:
            texts = [one.value if isinstance(one, ast.Constant) else None for one in call.args]
            return not call.keywords and all(isinstance(one, str) and not leads_out(one) for one in texts)
        if leaf in QUERIES and call.args:
            text = call.args[0]
            told = text.value if isinstance(text, ast.Constant) else None
            if isinstance(text, ast.Name):
                told = scope.text_of(text.id)
            return isinstance(told, str) and is_local_query(told, only_reads=not is_connection)
        return False

    def _stays(self, made: ast.Call) -> bool:
        """Return whether an object is only asked for its members, by the function that makes it."""
        above = self._parents.get(id(made))
        if isinstance(above, (ast.Attribute, ast.Expr)):
            return True
        targets = above.targets if isinstance(above, ast.Assign) else [getattr(above, "optional_vars", None)]
        if len(targets) != 1 or not isinstance(targets[0], ast.Name) or targets[0].id in self._shared:
            return isinstance(above, ast.withitem) and targets == [None]
        uses = [use for use in self._names[targets[0].id] if isinstance(use.ctx, ast.Load)]
        return all(isinstance(self._parents.get(id(use)), (ast.Attribute, ast.withitem)) for use in uses)

    def _is_opened_later(self, node: ast.AST) -> bool:
        """Return whether a folder of a package is only the start of a path in a variable, which is read by itself."""
        above = self._parents.get(id(node))
        while isinstance(above, ast.BinOp) and _is_plain_part(above.right):
            node, above = above, self._parents.get(id(above))
        if not isinstance(above, ast.Assign) or len(above.targets) != 1:
            return False
        target = above.targets[0]
        if not isinstance(target, ast.Name) or target.id in self._shared:
            return False
        uses = [self._parents.get(id(use)) for use in self._names[target.id] if use is not target]
        return all(isinstance(use, ast.Attribute) and use.attr in _OPENED for use in uses)

    def _is_local_sql_context(self, call: ast.Call) -> bool:
        """Return whether a context of polars is given its frames, and asked nothing but queries over them."""
        if any(word.arg in ("register_globals", None) for word in call.keywords):
            return False
        above = self._parents.get(id(call))
        if isinstance(above, ast.Attribute):
            return self._asks_locally(above)
        if isinstance(above, ast.withitem):
            target = above.optional_vars
        else:
            is_plain = isinstance(above, ast.Assign) and len(above.targets) == 1
            target = above.targets[0] if is_plain and isinstance(above, ast.Assign) else None
        if not isinstance(target, ast.Name) or target.id in self._shared:
            return False
        uses = [use for use in self._names[target.id] if use is not target]
        return all(self._asks_locally(self._parents.get(id(use))) for use in uses)

    def _asks_locally(self, asked: ast.AST | None) -> bool:
        call = self._parents.get(id(asked))
        if not isinstance(asked, ast.Attribute) or not isinstance(call, ast.Call) or call.func is not asked:
            return False
        if asked.attr in ("register", "register_many", "unregister", "tables"):
            return True
        text = call.args[0] if asked.attr == "execute" and call.args else None
        told = text.value if isinstance(text, ast.Constant) else None
        return isinstance(told, str) and is_local_query(told, only_reads=True)

    def _scope(self, node: ast.AST) -> Scope:
        function = self._functions[id(node)]
        if function is None:
            return self._module
        if id(function) not in self._scopes:
            self._scopes[id(function)] = FunctionScope(self._scope(function), function)
        return self._scopes[id(function)]


def _is_plain_part(node: ast.expr) -> bool:
    value = node.value if isinstance(node, ast.Constant) else None
    return isinstance(value, str) and bool(_PLAIN_PART.fullmatch(value)) and value not in ("..", ".")


def _is_of_dagster(node: ast.AST) -> bool:
    """Return whether a key of metadata is one of Dagster's own: those are no text for people."""
    return (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("dagster/")
    )
