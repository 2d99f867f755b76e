"""Files of the own package that code reads by a constant path: `Path(__file__).parent / "query.sql"`."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.syntax.scopes import Scope, chain_of

SAME = frozenset({"resolve", "absolute"})
READS = frozenset({"read_text", "read_bytes"})
_ASKS = frozenset({"exists", "is_file"})
FILES = (["importlib.resources.files"], ["importlib_resources.files"])
_BY_PACKAGE = frozenset(
    [
        "pkgutil.get_data",
        *(f"importlib.resources.{name}" for name in ("open_binary", "open_text", "read_binary", "read_text")),
    ]
)
_OWN = frozenset({"__name__", "__package__"})

# Functions that read one file, or ask if it is there: no programs, databases, folders or times.
_READERS = re.compile(
    r"(?:.*\.)?(?:open|read|load|scan|deserialize)(?:_\w+)?|(?:.*\.)?(?:_read_\w+|exists|fread|from_?file|genfromtxt|getline|"
    r"getsize|imread|input_stream|is_?file|lexists|loadmat|loadtxt|memmap|memory_map|mmread|parse|dotenv_values|get_data|"
    r"(?:Alignment|Excel|Fasta|ORC|OS|Parquet|Variant|Zip)File|File|FileIO|Dataset|Document|PdfReader|ReadImage)"
)
_KEPT_ELSEWHERE = ("dbm.", "ibis.", "pyspark.", "shelve.", "sqlite3.", "tables.")  # not in the file alone
_WRITES = re.compile(r"[rbt]*[wax+][rwaxbt+]*")
# Files that are read with others beside them.
_WITH_OTHERS = (".shp", ".tab", ".mif", ".vrt")
_PATTERN = re.compile(r"[*?\[\]]")

Found = tuple[str | None, tuple[str, ...]]  # the package, and the parts of the path below its folder


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A path below the folder of a module, or of the package named `package`.

    PackagedFile(package=None, parts=("query.sql",), line=3)
    """

    package: str | None
    parts: tuple[str, ...]
    line: int
    at_load: bool = True  # False for a read by a function


def reads_one_file(name: str, call: ast.Call) -> bool:
    """Return whether a reader takes all that it tells from the content of its file.

    >>> call = ast.parse("f(x)", mode="eval").body
    >>> [reads_one_file(name, call) for name in ("pandas.read_csv", "os.path.getmtime", "subprocess.run")]
    [True, False, False]
    """
    modes = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "mode")]
    texts = [one.value for one in modes if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    is_reader = bool(_READERS.fullmatch(name)) and not name.startswith(_KEPT_ELSEWHERE)
    return is_reader and not any(map(_WRITES.fullmatch, texts))


def may_be_many(name: str) -> bool:
    """Return whether the name of a file is a pattern, or that of a file that is read with others.

    >>> may_be_many("rates.csv"), may_be_many("rates*.csv"), may_be_many("roads.shp")
    (False, True, True)
    """
    return bool(_PATTERN.search(name)) or name.lower().endswith(_WITH_OTHERS)


def packaged_file(call: ast.Call, scope: Scope, is_reader: Callable[[ast.Call], bool]) -> PackagedFile | None:
    """Return the file of the package that a call reads; None for any other call.

    `is_reader` tells that a function reads the file that is its first argument.
    """
    if not scope.module.may_name_files:
        return None
    found = _read_path(call, scope, is_reader)
    if found is None or found[1][:1] == ("<file>",) or not found[1]:
        return None
    return PackagedFile(found[0], found[1], call.lineno, at_load=scope.around is None)


def _read_path(call: ast.Call, scope: Scope, is_reader: Callable[[ast.Call], bool]) -> Found | None:
    if len(call.args) == 2 and (names := _names(call.func, scope)) and _BY_PACKAGE.issuperset(names):
        package = package_of(call.args[0], scope)
        return _below(package, call.args[1:]) if package else None
    if isinstance(call.func, ast.Attribute):
        reads = call.func.attr in READS or (call.func.attr == "open" and _reads_only(call, 0))
        if reads and (found := _path(call.func.value, scope, 0)):
            return found
    elif _is(call.func, scope, "builtins.open"):
        return _path(call.args[0], scope, 0) if call.args and _reads_only(call, 1) else None
    if not call.args or not isinstance(call.args[0], (ast.Name, ast.BinOp, ast.Call)):
        return None
    found = _path(call.args[0], scope, 0)
    return found if found and found[1] and is_reader(call) else None


def path_read(call: ast.Call, words: Collection[str]) -> ast.expr | None:
    """Return the path that a reader reads: its object, its first argument, or one of these by name."""
    asks = READS if call.args else READS | _ASKS
    if isinstance(call.func, ast.Attribute) and call.func.attr in asks:
        return call.func.value
    if (getattr(call.func, "attr", "") or getattr(call.func, "id", "")) == "open":
        opened = call.args[:1] or ([call.func.value] if isinstance(call.func, ast.Attribute) else [])
        return opened[0] if opened and _reads_only(call, len(call.args[:1])) else None
    named = (word.value for word in call.keywords if word.arg in words)
    return call.args[0] if call.args else next(named, None)


def package_of(node: ast.expr, scope: Scope) -> Found | None:
    """Return the package that an expression names: by a text, as a module, or the own one."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value, ()
    if isinstance(node, ast.Name) and node.id in _OWN:
        return None, ()
    names = _names(node, scope) if isinstance(node, (ast.Name, ast.Attribute)) else []
    return (names[0], ()) if len(names) == 1 and CALL not in names[0] else None


def _path(node: ast.expr, scope: Scope, depth: int) -> Found | None:
    """Return the package and the parts of a constant path; `<file>` stands for the module's own file."""
    if isinstance(node, ast.Name):
        return (None, ("<file>",)) if node.id == "__file__" else _variable(node.id, scope, depth)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return _below(_path(node.left, scope, depth), [node.right])
    if isinstance(node, ast.Attribute) and node.attr == "parent":
        found = _path(node.value, scope, depth)
        return None if found is None or not found[1] else (found[0], found[1][:-1])
    return _called_path(node, scope, depth) if isinstance(node, ast.Call) else None


def _called_path(node: ast.Call, scope: Scope, depth: int) -> Found | None:
    if node.keywords and not (isinstance(node.func, ast.Attribute) and node.func.attr in SAME):
        return None
    if _is(node.func, scope, "pathlib.Path") and len(node.args) == 1:
        return _path(node.args[0], scope, depth)
    if _is(node.func, scope, "os.path.dirname") and len(node.args) == 1:
        found = _path(node.args[0], scope, depth)
        return None if found is None or not found[1] else (found[0], found[1][:-1])
    if _is(node.func, scope, "os.path.abspath") and len(node.args) == 1:
        return _path(node.args[0], scope, depth)
    if _is(node.func, scope, "os.path.join") and node.args:
        return _below(_path(node.args[0], scope, depth), node.args[1:])
    if len(node.args) == 1 and _names(node.func, scope) in FILES:
        return package_of(node.args[0], scope)
    if len(node.args) == 1 and _is(node.func, scope, "builtins.str"):
        return _path(node.args[0], scope, depth)
    if isinstance(node.func, ast.Attribute):
        found = _path(node.func.value, scope, depth)
        if node.func.attr in SAME and not node.args:
            return found
        return _below(found, node.args) if node.func.attr == "joinpath" else None
    return None


def _below(found: Found | None, further: list[ast.expr]) -> Found | None:
    if found is None or found[1][:1] == ("<file>",):
        return None
    parts: list[str] = []
    for one in further:
        if not (isinstance(one, ast.Constant) and isinstance(one.value, str)):
            return None
        parts += one.value.split("/")
    is_plain = all(part not in ("", ".", "..") and not may_be_many(part) for part in parts)
    return (found[0], (*found[1], *parts)) if is_plain else None


def _variable(name: str, scope: Scope, depth: int) -> Found | None:
    """Follow a variable that one plain statement of its scope assigns, and nothing else."""
    binder = scope.binder(name)
    if depth > 3 or binder is None or name in binder.shared or name in getattr(binder, "parameters", ()):
        return None
    plain = [
        one
        for one in binder.body
        if isinstance(one, ast.Assign)
        and len(one.targets) == 1
        and isinstance(one.targets[0], ast.Name)
        and one.targets[0].id == name
    ]
    found = _path(plain[0].value, binder, depth + 1) if len(plain) == 1 else None
    return found if found is not None and _is_stored_once(name, binder) else None


def _is_stored_once(name: str, scope: Scope) -> bool:
    found = (one for statement in scope.body for one in ast.walk(statement) if isinstance(one, ast.Name))
    return sum(one.id == name and not isinstance(one.ctx, ast.Load) for one in found) == 1


def _names(function: ast.expr, scope: Scope) -> list[str]:
    return scope.peek(chain_of(function) or ("",))


def _is(function: ast.expr, scope: Scope, name: str) -> bool:
    return _names(function, scope) == [name]


def _reads_only(call: ast.Call, position: int) -> bool:
    mode = call.args[position] if len(call.args) > position else None
    return all(word.arg in ("encoding", "newline") for word in call.keywords) and (
        mode is None or (isinstance(mode, ast.Constant) and mode.value in ("r", "rb", "rt"))
    )
