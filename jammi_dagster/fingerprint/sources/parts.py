"""The parts of units: the names that the code of a statement uses, its annotations, or a method of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from jammi_dagster.fingerprint.known_names import ANY, CALL
from jammi_dagster.fingerprint.known_names.ambient_values import SEED_OF_BASE
from jammi_dagster.fingerprint.known_names.conversions import CONVERSIONS
from jammi_dagster.fingerprint.known_names.harmless import TEMPORARY
from jammi_dagster.fingerprint.known_names.hidden_code import NAMED_BY_ARGUMENTS
from jammi_dagster.fingerprint.syntax.outside_world import (
    hidden_code,
    imported_module,
    is_store,
    none_parameters,
    outside_name,
)
from jammi_dagster.fingerprint.syntax.packaged_files import PackagedFile
from jammi_dagster.fingerprint.syntax.scopes import chain_of
from jammi_dagster.fingerprint.syntax.statements import Statement
from jammi_dagster.fingerprint.syntax.texts import hides_names
from jammi_dagster.fingerprint.syntax.time_zones import reads_time_zone
from jammi_dagster.fingerprint.syntax.uses import Call, Change, HandOver, Use, Uses

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Finding(NamedTuple):
    """A name of the outside world or of hidden code, and the line that uses it."""

    name: str
    line: int
    is_declarable: bool = False  # a version surface may stand for it
    unwatched: str | None = None  # the path of a reader that raises no audit event
    by_default: frozenset[str] = frozenset()  # parameters, such as a seed: it reads only where they are None
    is_bare: bool = False  # a reader that is handed on
    asks: Call | None = None  # a call that asks for attributes by computed names, or looks up names in a text
    is_text: bool = False  # it looks up names in a text
    call: Call | None = None  # a call that reads
    held: frozenset[str] = frozenset()  # it counts if another module takes it under one of these names


class Part(NamedTuple):
    """The names that one part of a unit uses: its code, its annotations, or the decorators of orchestration."""

    own: Mapping[str, bool] = _NOTHING  # False for a name that is only written to
    own_calls: Mapping[str, list[Call | None]] = _NOTHING
    uses: tuple[Use, ...] = ()  # of imported names
    imports: Mapping[str, bool] = _NOTHING
    outside: tuple[Finding, ...] = ()
    hidden: tuple[Finding, ...] = ()
    asks_any: bool = False  # an attribute by a computed name, of an object whose class counts whole
    changes: tuple[Change, ...] = ()
    packaged: tuple[PackagedFile, ...] = ()
    packages: Mapping[str, int] = _NOTHING  # of which any module may be imported, with the lines
    texts: tuple[str, ...] = ()  # whole texts that are dotted paths
    handed: tuple[HandOver, ...] = ()
    reads_time_zone: bool = False
    called: frozenset[str] = frozenset()  # the names of methods


def part_of(uses: Uses, statement: Statement) -> Part:
    """Make the part of a statement with these uses."""
    imports, whole = dict(uses.imports), []
    for use in uses.uses:
        if module := imported_module(use.name, use.call):
            imports[module] = True
            if not (use.call and use.call.site and use.call.site.is_statement):
                whole.append(Use(module, use.line, None))
    return Part(
        own=uses.own,
        own_calls=uses.own_calls,
        uses=(*_imported(uses.uses), *whole),
        imports=imports,
        outside=tuple(_outside([*uses.uses, *whole], statement)),
        hidden=tuple(_hidden(uses.uses)),
        asks_any=uses.asks_any,
        changes=tuple(uses.changes),
        packaged=tuple(uses.packaged),
        packages=uses.packages,
        texts=tuple(uses.texts),
        handed=tuple(resolve() for resolve in uses.handed),
        called=frozenset(use.name.rpartition(".")[2] for use in uses.uses if use.name.startswith(f"{ANY}.")),
        reads_time_zone=any(reads_time_zone(use.name, use.call) for use in uses.uses),
    )


def _imported(uses: Iterable[Use]) -> Iterator[Use]:
    """Yield the uses of imported names, and of the libraries behind methods that convert."""
    for use in uses:
        if use.name.startswith(f"{ANY}."):
            libraries = CONVERSIONS.get(use.name.removeprefix(f"{ANY}."), ())
            yield from (Use(library, use.line, None) for library in libraries)
        elif not use.name.startswith("builtins."):
            yield use


def _outside(uses: Iterable[Use], statement: Statement) -> Iterator[Finding]:
    known_methods: set[tuple[int, str]] = set()
    bases = {
        one.lineno
        for one in getattr(statement.node, "bases", ())
        if any(map(is_store, statement.scope.peek(chain_of(one) or ("",))))
    }
    for use in uses:
        if use.call and use.name in TEMPORARY and statement.harmless_reads.leaks(use.call.place):
            yield Finding(use.name, use.line)
    for use in sorted(uses, key=lambda one: one.name.startswith(ANY)):
        if use.is_read and (known := outside_name(use.name, use.call)):
            method = use.line, use.name.rpartition(".")[2]
            if not known.is_declarable and use.name.startswith(f"{known.name}.{CALL}"):
                continue  # the value of a call, which is found where it is made
            if use.call and statement.harmless_reads.excuses(
                known.name, use.call.place, is_reader=known.is_declarable
            ):
                known_methods.add(method)
                if not known.is_declarable or not (known := outside_name(use.name, use.call, is_own=True)):
                    continue
            if not (
                use.name.startswith(ANY) and method in known_methods
            ):  # else it is that of a known module
                by_default = none_parameters(use.name, use.call)
                is_bare = use.call is None
                if is_bare and use.line in bases and not known.is_declarable:
                    by_default = frozenset(
                        {SEED_OF_BASE}
                    )  # a store is read where objects of the class are made
                yield Finding(
                    known.name,
                    use.line,
                    known.is_declarable,
                    known.unwatched,
                    by_default,
                    is_bare,
                    call=use.call,
                    held=use.held,
                )
            known_methods.add(method)


def _hidden(uses: Iterable[Use]) -> Iterator[Finding]:
    for use in uses:
        if not imported_module(use.name, use.call) and (known := hidden_code(use.name, use.call)):
            is_text = hides_names(use.name, use.call)
            asks = use.call if is_text or use.name in NAMED_BY_ARGUMENTS else None
            yield Finding(known, use.line, asks=asks, is_text=is_text)
