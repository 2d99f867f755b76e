"""What one source file says, kept per process for as long as the file stays what it was."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from jammi_dagster.fingerprint import definitions, names
from jammi_dagster.fingerprint.definitions import Label, Place
from jammi_dagster.fingerprint.names import Use
from jammi_dagster.fingerprint.outside import imported_by, outside, unseen
from jammi_dagster.fingerprint.scopes import split
from jammi_dagster.fingerprint.syntax import digests, parse

# A file may be written twice within one tick of its clock: younger than this its times prove nothing (FAT: 2 s).
_SETTLED_NS = 2_000_000_000

UNREADABLE = (OSError, SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True, slots=True)
class Found:
    """A use that matters: what it is, and where."""

    what: str
    line: int
    under_main: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    content: bytes
    bare: str  # digest of the syntax tree without docstrings
    documented: str  # and with them
    reads_docs: bool
    imports: tuple[str, ...]
    mentions: tuple[str, ...]  # names that are modules, or something within one
    stars: tuple[str, ...]
    exports: Mapping[str, tuple[str, ...]]  # module-level aliases: what they stand for
    public: tuple[str, ...]  # what `__all__` names
    outside: tuple[Found, ...]
    unseen: tuple[Found, ...]
    uses: Mapping[str, tuple[Use, ...]]  # of imported names, by the first part of the name
    functions: Mapping[Place, tuple[Label, ...]]
    constants: Mapping[str, object]

    def digest(self, *, docstrings: bool) -> str:
        return self.documented if docstrings else self.bare


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


def root_part(name: str) -> str:
    """What says where to look for a dotted name: its dots and its first part."""
    dots, parts = split(name)
    return dots + "".join(parts[:1])


def _source(content: bytes) -> Source:
    tree = parse(content)
    found = names.read(tree)
    bare, documented = digests(tree)
    seen_imports = {module for use in found.uses if (module := imported_by(use.name, use.call))}
    return Source(
        content=content,
        bare=bare,
        documented=documented,
        reads_docs=b"doc" in content and definitions.reads_docstrings(tree),
        imports=tuple({**found.imports, **dict.fromkeys(sorted(seen_imports))}),
        mentions=tuple(found.mentions),
        stars=found.stars,
        exports=found.exports,
        public=definitions.public_names(tree) if b"__all__" in content else (),
        outside=tuple(_found(found.uses, lambda use: outside(use.name, use.call))),
        unseen=tuple(
            _found(found.uses, lambda use: None if imported_by(use.name, use.call) else unseen(use.name))
        ),
        uses=_by_root(found.uses),
        functions=definitions.functions(tree),
        constants=definitions.constants(tree),
    )


def _found(uses: Iterable[Use], what: Callable[[Use], str | None]) -> Iterator[Found]:
    for use in uses:
        if known := what(use):
            yield Found(known, use.line, use.under_main)


def _by_root(uses: Iterable[Use]) -> dict[str, tuple[Use, ...]]:
    grouped: dict[str, list[Use]] = {}
    for use in uses:
        grouped.setdefault(root_part(use.name), []).append(use)
    grouped.pop("builtins", None)
    return {root: tuple(found) for root, found in grouped.items()}
