"""Values of the clock that go only into the log, into metadata, or into a number of workers.

The analysis is of one function. It gives up where a value decides anything, is returned, or is handed to code that it
does not know.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import lru_cache

from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.syntax.scopes import Chain, FunctionScope, chain_of

# The last part of the names of calls that are looked at.
TELLABLE = frozenset(
    [
        *("cpu_count", "ctime", "getpid", "gethostname", "gmtime", "localtime", "monotonic", "monotonic_ns"),
        *("now", "perf_counter", "perf_counter_ns", "process_cpu_count", "process_time", "process_time_ns"),
        *("strftime", "time", "time_ns", "today", "utcnow", "uuid1", "uuid4"),
    ]
)
_LOG_METHODS = frozenset({"critical", "debug", "error", "exception", "info", "log", "warn", "warning"})
_METADATA_METHODS = frozenset({"add_asset_metadata", "add_output_metadata"})
_WITH_METADATA = frozenset(
    f"dagster.{name}" for name in ("AssetMaterialization", "AssetObservation", "MaterializeResult", "Output")
)
_LOGGERS = tuple(
    f"{name}."
    for name in (
        "logging",
        f"logging.getLogger.{CALL}",
        f"dagster.get_dagster_logger.{CALL}",
        f"structlog.get_logger.{CALL}",
        "loguru.logger",
    )
)
_PRINTERS = frozenset({"builtins.print", "click.echo", "rich.print", "typer.echo", "warnings.warn"})
_PASSING = frozenset(
    f"builtins.{name}"
    for name in ("abs", "dict", "divmod", "float", "format", "int", "max", "min", "repr", "round", "str")
)
_WORKERS = frozenset({"max_workers", "n_jobs", "num_workers", "processes"})
_POOLS = frozenset({"Pool", "ProcessPoolExecutor", "ThreadPool", "ThreadPoolExecutor"})
_THROUGH = (
    ast.BinOp,
    ast.UnaryOp,
    ast.BoolOp,
    ast.Compare,
    ast.JoinedStr,
    ast.FormattedValue,
    ast.Dict,
    ast.List,
    ast.Tuple,
)


def is_told(call: ast.Call, scope: FunctionScope) -> bool:
    """Return whether the value of a call goes nowhere but into the log, metadata or a number of workers.

    >>> from jammi_dagster.fingerprint.syntax.scopes import ModuleScope
    >>> function = ast.parse("def f(context): context.log.info(str(time()))").body[0]
    >>> call = function.body[0].value.args[0].args[0]
    >>> is_told(call, FunctionScope(ModuleScope([]), function))
    True
    """
    return _Flow(scope).is_told(call)


def is_value_of_tellable(name: str) -> bool:
    """Return whether a variable's name stands for the value of such a call, which is judged at its own place.

    >>> is_value_of_tellable("time.perf_counter.()"), is_value_of_tellable("time.perf_counter")
    (True, False)
    """
    called, call, _ = name.partition(f".{CALL}")
    return bool(call) and called.rpartition(".")[2] in TELLABLE


class _Flow:
    """The ways of a value through one function."""

    def __init__(self, scope: FunctionScope) -> None:
        self._scope = scope
        self._parents = _parents_within(scope.node)
        self._told: set[str] = set()  # names that were asked for: a circle adds nothing

    def is_told(self, node: ast.AST) -> bool:
        while True:
            above = self._parents.get(node)
            if isinstance(above, ast.Call):
                if node is not above.func and (ends := self._ends(above, None)) is not None:
                    return ends
            elif isinstance(above, ast.keyword):
                call = self._parents.get(above)
                if not isinstance(call, ast.Call):
                    return False
                if (ends := self._ends(call, above.arg)) is not None:
                    return ends
                above = call
            elif isinstance(above, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
                targets = above.targets if isinstance(above, ast.Assign) else [above.target]
                return node is above.value and all(map(self._is_told_target, targets))
            elif isinstance(above, ast.NamedExpr):
                if not self._is_told_target(above.target):
                    return False
            elif isinstance(above, ast.Subscript):
                if node is not above.value:
                    return False
                if not isinstance(above.ctx, ast.Load):
                    return True  # an item is set: the container stays
            elif isinstance(above, ast.Expr):
                return True
            elif not isinstance(above, (*_THROUGH, ast.Attribute)):
                return False
            node = above

    def _ends(self, call: ast.Call, word: str | None) -> bool | None:
        """Return whether a value ends well as an argument of a call; None where the call's value is to be followed."""
        chain = chain_of(call.func) or ("",)
        names = self._scope.resolve(chain)
        if self._tells(chain, names, call):
            return isinstance(self._parents.get(call), ast.Expr)
        if word in _WORKERS or (chain[-1] in _POOLS and call.args):
            return True
        if word == "metadata" and names and _WITH_METADATA.issuperset(names):
            return True
        known = bool(names) and all(
            name in _PASSING or name.startswith(("datetime.", "dagster.MetadataValue.")) for name in names
        )
        return None if known else False

    def _tells(self, chain: Chain, names: list[str], call: ast.Call) -> bool:
        if len(chain) > 1 and self._scope.is_parameter(chain[0]):
            is_log = len(chain) == 3 and chain[1] == "log" and chain[2] in _LOG_METHODS
            return is_log or (len(chain) == 2 and chain[1] in _METADATA_METHODS)
        if any(word.arg in ("file", None) for word in call.keywords):  # a text of the program's own
            return False
        is_logger = chain[-1] in _LOG_METHODS and all(name.startswith(_LOGGERS) for name in names)
        return bool(names) and (is_logger or _PRINTERS.issuperset(names))

    def _is_told_target(self, target: ast.expr) -> bool:
        """Return whether all values that an assigned name ever has go nowhere else."""
        name = target.value if isinstance(target, ast.Subscript) else target
        if not isinstance(name, ast.Name) or not self._scope.is_local(name.id):
            return False
        if name.id in self._told:
            return True
        self._told.add(name.id)
        scope = self._scope
        if name.id in scope.shared or name.id in _names_of_inner(scope.node):
            return False
        loads = [
            one
            for one in self._parents
            if isinstance(one, ast.Name) and one.id == name.id and isinstance(one.ctx, ast.Load)
        ]
        return all(map(self.is_told, loads))


@lru_cache(maxsize=100)
def _parents_within(function: ast.AST) -> Mapping[ast.AST, ast.AST]:
    """Return the parent of each node within a function, without the nodes of inner functions."""
    found: dict[ast.AST, ast.AST] = {}
    todo = list(ast.iter_child_nodes(function))
    found.update(dict.fromkeys(todo, function))
    for node in todo:  # grows while it is read
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            below = list(ast.iter_child_nodes(node))
            found.update(dict.fromkeys(below, node))
            todo += below
    return found


@lru_cache(maxsize=100)
def _names_of_inner(function: ast.AST) -> frozenset[str]:
    """Return the names that stand in functions and classes within a function."""
    inner = [
        node
        for node in _parents_within(function)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef))
    ]
    return frozenset(node.id for one in inner for node in ast.walk(one) if isinstance(node, ast.Name))
