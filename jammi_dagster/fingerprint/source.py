"""What one source file says, kept per process for as long as the file stays what it was."""

from __future__ import annotations

import ast
import os
import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jammi_dagster.fingerprint import definitions, names
from jammi_dagster.fingerprint.definitions import Label, Place
from jammi_dagster.fingerprint.syntax import parse
from jammi_dagster.fingerprint.units import ABOUT, Unit, nested, units

# A file may be written twice within one tick of its clock: younger than this its times prove nothing (FAT: 2 s).
_SETTLED_NS = 2_000_000_000

UNREADABLE = (OSError, SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    content: bytes
    docstring: str | None
    units: list[Unit]  # first those of the module, then functions within others as they are asked for
    by_name: Mapping[str, tuple[int, ...]]  # the units that bind a name, in their order
    used: frozenset[str]  # its own names that some of its code uses
    stars: tuple[str, ...]  # modules that are star-imported
    exports: Mapping[str, tuple[str, ...]]  # module-level aliases: what they stand for
    public: tuple[str, ...]  # what `__all__` names
    functions: Mapping[Place, tuple[Label, ...]]
    holders: Mapping[Label, int]  # the unit that a function stands in
    constants: Mapping[str, object]
    nested: dict[Label, int | None] = field(default_factory=dict)

    def unit_of(self, label: Label) -> int | None:
        """The unit that a function is, or that it is a method or a part of."""
        if "<locals>" not in label[0]:
            return self.holders.get(label)
        if label not in self.nested:
            self.nested[label] = self._nested(label)
        return self.nested[label]

    def only_writes(self, label: Label, name: str) -> bool:
        """Whether a function within another only adds to what it closes over under a name, or removes from it."""
        index = self.unit_of(label)
        spelling = None if index is None else self.units[index].spelling
        return isinstance(spelling, names.Statement) and names.only_written(spelling.node, name)

    def _nested(self, label: Label) -> int | None:
        where = next((where for where, labels in self.functions.items() if label in labels), None)
        if where is None:
            return None
        tree = parse(self.content)
        path = definitions.path_to(tree, where)
        around = label[0].rpartition("<locals>.")[2]
        if path is None or "." in around:  # a method of a local class is nothing without the class
            return self.holders.get(label)
        self.units.append(nested(names.read_nested(tree, path), label[0]))
        return len(self.units) - 1


@dataclass(frozen=True, slots=True)
class _Held:
    stamp: tuple[int, ...]
    settled: bool
    source: Source


_held: dict[str, _Held] = {}


def read(path: str) -> Source:
    """What the file says now. Raises one of `UNREADABLE`."""
    status = os.stat(path)
    stamp = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_dev)
    held = _held.get(path)
    if held and held.settled and held.stamp == stamp:
        return held.source
    settled = time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _SETTLED_NS
    content = Path(path).read_bytes()
    source = held.source if held and held.source.content == content else _source(content)
    _held[path] = _Held(stamp, settled, source)
    return source


def _source(content: bytes) -> Source:
    tree = parse(content)
    found = names.read(tree)
    every = list(units(found, says_more=any(word in content for word in ABOUT)))
    by_name: dict[str, list[int]] = {}
    for index, unit in enumerate(every):
        for name in unit.names:
            by_name.setdefault(name, []).append(index)
    module = found.module
    functions = definitions.functions(tree)
    return Source(
        content=content,
        docstring=ast.get_docstring(tree, clean=False),
        units=every,
        by_name={name: tuple(found) for name, found in by_name.items()},
        used=frozenset(name for unit in every for part in unit.parts.values() for name in part.own),
        stars=tuple(module.stars),
        exports={name: tuple(module.resolve((name,))) for name in (*module.imported, *module.assigned)},
        public=definitions.public_names(tree) if b"__all__" in content else (),
        functions=functions,
        holders=dict(_holders(functions, every)),
        constants=definitions.constants(tree),
    )


def _holders(
    functions: Mapping[Place, tuple[Label, ...]], every: Sequence[Unit]
) -> Iterator[tuple[Label, int]]:
    starts = [unit.lines[0] for unit in every]
    for (_, line), labels in functions.items():
        index = bisect_right(starts, line) - 1
        if index >= 0 and every[index].lines[1] >= line:
            yield from ((label, index) for label in labels)
