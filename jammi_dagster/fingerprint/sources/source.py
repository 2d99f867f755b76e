"""The source file of a module as units, kept per process for as long as the file stays as it was."""

from __future__ import annotations

import ast
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from jammi_dagster.fingerprint.kept import kept
from jammi_dagster.fingerprint.sources.modules import star_names
from jammi_dagster.fingerprint.sources.units import Unit, nested_unit, units
from jammi_dagster.fingerprint.syntax import functions
from jammi_dagster.fingerprint.syntax.accesses import only_written
from jammi_dagster.fingerprint.syntax.functions import Label, Place, assigned
from jammi_dagster.fingerprint.syntax.memos import Slot, begins_slot, slot_of
from jammi_dagster.fingerprint.syntax.scopes import ModuleScope
from jammi_dagster.fingerprint.syntax.shared_objects import IMMUTABLE, OBJECT, STATEFUL, kind_of
from jammi_dagster.fingerprint.syntax.statements import read_nested_function, read_statements
from jammi_dagster.fingerprint.syntax.trees import parse, statements, texts

# A file may be written twice within one tick of its clock: younger than this its times prove nothing (FAT: 2 s).
_SETTLED_NS = 2_000_000_000

# By these words functions bind names of another scope; a file in an encoding of its own may spell them otherwise.
_OWN_FILES = (b"__file__", b"resources", b"pkgutil", b"coding")
_SHARING = (b"global", b"nonlocal", b"coding")
_SET = re.compile(rb"\b(?:frozen)?set\b")

UNREADABLE = (OSError, SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True, eq=False, kw_only=True)
class Source:
    """A parsed source file.

    source = read("pipelines/text.py")
    source.units[source.by_name["clean"][0]].kind  # "function"
    """

    content: bytes
    tree: ast.Module
    scope: ModuleScope
    units: list[
        Unit
    ]  # first those of the module, then nested functions in the order in which they are asked for
    by_name: Mapping[str, Sequence[int]]  # the units of the module that bind a name, in their order
    loaded: int = 0  # the number of units that loading the module runs
    nested: dict[Label, int | None] = field(default_factory=dict)
    used: dict[str, bool] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    slots: dict[str, Slot | None] = field(default_factory=dict)

    @kept
    def docstring(self) -> str | None:
        return ast.get_docstring(self.tree, clean=False)

    @kept
    def texts(self) -> frozenset[str | bytes]:
        """The texts and bytes that stand in the file: literals and names."""
        return frozenset(texts(self.tree))

    @kept
    def written(self) -> Mapping[str, ast.expr]:
        """The expressions that names are assigned which are bound once."""
        once = (self.units[indexes[0]] for indexes in self.by_name.values() if len(indexes) == 1)
        found = (pair for unit in once if unit.statement for pair in assigned(unit.statement.node))
        hidden = self.scope.shared | self.scope.starred
        return {} if self.scope.open_stars else dict(one for one in found if one[0] not in hidden)

    @kept
    def constants(self) -> Mapping[str, object]:
        """The values among `written` that are literals."""
        return dict(functions.literals(self.written))

    @kept
    def functions(self) -> Mapping[Place, Sequence[Label]]:
        found: dict[Place, list[Label]] = {}
        for place, label, _ in self._functions:
            found.setdefault(place, []).append(label)
        return found

    @kept
    def holders(self) -> Mapping[Label, int]:
        """The unit of the module in which a function stands."""
        indexes = {id(unit.statement.node): index for index, unit in enumerate(self.units) if unit.statement}
        return {label: indexes[id(node)] for _, label, node in self._functions if id(node) in indexes}

    @kept
    def _functions(self) -> list[tuple[Place, Label, ast.stmt]]:
        return list(functions.functions(self.tree, has_lambdas=b"lambda" in self.content))

    @kept
    def touching(self) -> tuple[int, ...]:
        """The units that may change an object when they are loaded."""
        return tuple(
            index
            for index, unit in enumerate(self.units[: self.loaded])  # a nested function is none of them
            if any(self._may_change(touch.chain[0]) for touch in unit.touches)
        )

    def _may_change(self, name: str) -> bool:
        """Return whether a name of the module may hold an object that changes; plain functions never do."""
        units = [self.units[index] for index in self.by_name.get(name, ())]
        return any(unit.kind != "function" for unit in units) or self.kind_of(name) != IMMUTABLE or not units

    def kind_of(self, name: str) -> str:
        """Tell how the value that a module holds under a name can change."""
        if name not in self.kinds:
            indexes = self.by_name.get(name, ())
            units = [self.units[index] for index in indexes]
            values = list(self._assigned(name))
            found = {kind_of(value, self.scope) for value in values}
            if len(values) < len(units):  # a loop, a branch, a definition, an import
                found |= {OBJECT if unit.kind == "code" else IMMUTABLE for unit in units}
            self.kinds[name] = next((kind for kind in (STATEFUL, OBJECT) if kind in found), IMMUTABLE)
        return self.kinds[name]

    def slot_of(self, name: str) -> Slot | None:
        """Return a global that one function fills, on its first use or by keys; None for any other."""
        if name not in self.slots:
            is_global = name in self.scope.shared
            may_be_one = any(begins_slot(value, is_global=is_global) for value in self._assigned(name))
            self.slots[name] = slot_of(self.tree, self.scope, name) if may_be_one else None
        return self.slots[name]

    def _assigned(self, name: str) -> Iterator[ast.expr]:
        """Yield the expressions that a name is assigned by top-level statements."""
        for index in self.by_name.get(name, ()):
            node = statement.node if (statement := self.units[index].statement) else None
            found = [value for bound, value in assigned(node) if bound == name] if node else []
            if not found and isinstance(node, ast.Assign) and self.units[index].kind == "constant":
                found = [node.value]  # of `a, b = make()`: any part of it
            yield from found

    @property
    def stars(self) -> Iterable[str]:
        """The modules that are star-imported."""
        return self.scope.stars

    @kept
    def public(self) -> tuple[str, ...]:
        """The names in `__all__`."""
        return functions.public_names(self.tree)

    def uses(self, name: str) -> bool:
        """Return whether some code of the module uses a name of its own."""
        if name not in self.used:
            naming = (unit for unit in self.units if self._may_name(unit, name))
            self.used[name] = any(name in part.own for unit in naming for part in unit.parts.values())
        return self.used[name]

    def _may_name(self, unit: Unit, name: str) -> bool:
        """Return whether a name stands in the text of a unit, of which all parts must be read to tell its use."""
        first, last = unit.lines
        return not name.isascii() or any(name.encode() in line for line in self._lines[first - 1 : last])

    @kept
    def _lines(self) -> list[bytes]:
        return self.content.splitlines()

    def exports(self, name: str) -> tuple[str, ...] | None:
        """Return the names that a module-level alias stands for; None for a name that is no alias."""
        is_alias = name in self.scope.imported or name in self.scope.assigned
        return tuple(self.scope.resolve((name,))) if is_alias else None

    def unit_of(self, label: Label) -> int | None:
        """Return the unit that a function is, or that it is a method or a part of."""
        if "<locals>" not in label[0]:
            return self.holders.get(label)
        if label not in self.nested:
            self.nested[label] = self._nested(label)
        return self.nested[label]

    def only_writes(self, label: Label, name: str) -> bool:
        """Return whether a nested function only writes to a variable that it closes over."""
        index = self.unit_of(label)
        statement = None if index is None else self.units[index].statement
        return statement is not None and only_written(statement.node, name)

    def _nested(self, label: Label) -> int | None:
        where = next((where for where, labels in self.functions.items() if label in labels), None)
        if where is None:
            return None
        tree = parse(self.content)
        path = functions.path_to(tree, where)
        around = label[0].rpartition("<locals>.")[2]
        if path is None or "." in around:  # a method of a local class is nothing without the class
            return self.holders.get(label)
        module = ModuleScope(tree.body, self.scope.names_of)
        function = read_nested_function(module, path, is_shared=_is_shared(self.content, tree))
        self.units.append(nested_unit(function, label[0]))
        return len(self.units) - 1


@dataclass(frozen=True, slots=True)
class _CacheEntry:
    stamp: tuple[int, ...]
    settled: bool
    source: Source


_cache: dict[str, _CacheEntry] = {}


def read(path: str) -> Source:
    """Read a file as it is now. Raises one of `UNREADABLE`."""
    status = os.stat(path)
    stamp = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_dev)
    known = _cache.get(path)
    if known and known.settled and known.stamp == stamp:
        return known.source
    settled = time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _SETTLED_NS
    with open(path, "rb") as file:
        content = file.read()
    source = known.source if known and known.source.content == content else parse_source(content)
    _cache[path] = _CacheEntry(stamp, settled, source)
    return source


def parse_source(content: bytes) -> Source:
    """Parse the content of a file."""
    tree = parse(content)
    module = ModuleScope(tree.body, star_names)
    module.may_name_files = any(word in content for word in _OWN_FILES)
    module.sets = None if _may_hold_sets(content) else {}
    found = list(units(read_statements(tree.body, module, is_shared=_is_shared(content, tree))))
    by_name: dict[str, list[int]] = {}
    for index, unit in enumerate(found):
        for name in unit.names:
            by_name.setdefault(name, []).append(index)
    return Source(content=content, tree=tree, scope=module, units=found, by_name=by_name, loaded=len(found))


def _may_hold_sets(content: bytes) -> bool:
    """Return whether the text of a file may make a set, by a brace or by name."""
    return (
        any(word in content for word in (b"{", b"coding"))
        or not content.isascii()
        or bool(_SET.search(content))
    )


def _is_shared(content: bytes, tree: ast.Module) -> bool:
    """Return whether a function binds names of another scope; the words alone stand in many texts."""
    if not any(word in content for word in _SHARING):
        return False
    todo: list[ast.AST] = [tree]
    for node in todo:  # grows while it is read
        todo += statements(node)
    return any(isinstance(node, (ast.Global, ast.Nonlocal)) for node in todo)
