"""The dotted names that code uses, imports and changes, as values.

A name is told in its canonical form: after `import numpy as np` and `rng = np.random`, `rng.rand()` uses
`numpy.random.rand`. The reading is lexical. Where it cannot decide (a name bound in several ways) it reports every
possibility: a name too many costs a reuse, a name missed costs a wrong result.

A name that a relative import made keeps its dots: `from .clock import now` makes `now` stand for `.clock.now`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from jammi_dagster.fingerprint.syntax.packaged_files import PackagedFile
from jammi_dagster.fingerprint.syntax.scopes import Chain, Scope, chain_of, import_base, joined

# Arguments that hold an open file; without any by position, they are the first.
FILE_WORDS = frozenset({"buffer", "fileobj", "filepath_or_buffer", "fp"})


@dataclass(frozen=True, slots=True)
class Site:
    """A call where it stands.

    `is_partial`: further arguments may follow. `of_result`: the call of its result. `is_statement`: its result goes
    nowhere.
    """

    node: ast.Call
    scope: Scope
    is_partial: bool = False
    of_result: Call | None = None
    is_statement: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments of a call. An argument that is no constant has the value `...`.

    >>> Call.of(ast.parse("f(1, x, mode='r')", mode="eval").body)
    Call(positional=(1, Ellipsis), named={'mode': 'r'})
    """

    positional: tuple[object, ...]
    named: dict[str, object]
    variables: Mapping[int | str, str] = field(default_factory=dict, repr=False, compare=False)
    """Arguments that are variables, by position or name."""
    chains: Mapping[int, Chain] = field(default_factory=dict, repr=False, compare=False)
    """Arguments that are dotted names, by position."""
    place: tuple[int, int] = field(default=(0, 0), repr=False, compare=False)
    """The line and the column at which the call ends."""
    is_of_buffer: bool = field(default=False, repr=False, compare=False)
    """True if the first argument is a file that Python opened, or bytes in memory."""
    may_be_none: frozenset[int | str] = field(default=frozenset(), repr=False, compare=False)
    """Arguments, by position or name, that are parameters with the default None."""
    site: Site | None = field(default=None, repr=False, compare=False)
    """The call in its scope."""

    @classmethod
    def of(cls, node: ast.Call, site: Site | None = None) -> Call:
        plain: list[object] = []
        variables: dict[int | str, str] = {}
        for position, argument in enumerate(node.args):
            if isinstance(argument, ast.Starred):
                break  # positions are unknown from here on: those arguments count as not given
            plain.append(_constant(argument))
            if isinstance(argument, ast.Name):
                variables[position] = argument.id
        words = [word for word in node.keywords if word.arg]
        variables |= {str(word.arg): word.value.id for word in words if isinstance(word.value, ast.Name)}
        named = {str(word.arg): _constant(word.value) for word in words}
        chains = {at: chain for at, one in enumerate(node.args[: len(plain)]) if (chain := chain_of(one))}
        if not node.args:
            held = [chain_of(word.value) for word in words if word.arg in FILE_WORDS]
            chains.update([(0, chain) for chain in held if chain])
        place = node.end_lineno or 0, node.end_col_offset or 0
        return cls(tuple(plain), named, variables, chains, place, site=site)

    @property
    def is_open(self) -> bool:
        """True if some of its arguments are hidden behind a `*`."""
        return self.site is not None and any(isinstance(one, ast.Starred) for one in self.site.node.args)

    def argument(self, position: int, name: str | None) -> object:
        """Return an argument: its constant, `...` if it is computed, None if it is not given."""
        if position < len(self.positional):
            return self.positional[position]
        return self.named.get(name) if name else None

    def with_texts(self, text_of: Callable[[str], str | None]) -> Call:
        """Return the call with the constants that its variables stand for."""
        found = {at: text for at, name in self.variables.items() if (text := text_of(name)) is not None}
        if not found:
            return self
        positional = tuple(found.get(at, value) for at, value in enumerate(self.positional))
        named = {name: found.get(name, value) for name, value in self.named.items()}
        return replace(self, positional=positional, named=named)

    def gives(self, position: int, name: str | None) -> bool:
        """Return whether an argument is given, and is not the constant None."""
        if position < len(self.positional):
            return self.positional[position] is not None
        return name is not None and self.named.get(name) is not None

    def surely_gives(self, position: int, name: str | None) -> bool:
        """Return the same, but False for a parameter with the default None."""
        at = position if position < len(self.positional) else name
        return self.gives(position, name) and at not in self.may_be_none


class Use(NamedTuple):
    """A place where a name is used; `call` if it is called there, `is_read` unless it is only written to."""

    name: str
    line: int
    call: Call | None
    is_read: bool = True
    held: frozenset[str] = frozenset()
    """The names by which other modules may take it to call it: it is used there. Empty for a use in this module."""
    node: ast.expr | None = None  # of a name that is mentioned as a value


@dataclass(frozen=True, slots=True)
class HandOver:
    """A call that gets a variable as an argument: `pydantic.validate_call(clean)`.

    `names` are the canonical names of the callee, `callee` is the chain of its own spelling; None for a method of the
    result of an expression.
    """

    given: Chain
    callee: Chain | None
    names: tuple[str, ...]
    method: str = ""
    is_parameter: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A place in the body of a function that changes the value of a name.

    `COUNTS["a"] = 1` changes the module's own name `COUNTS` in place; `lib.LIMIT = 3` changes `lib.LIMIT`.
    """

    name: str
    line: int
    is_own: bool
    in_place: bool  # by adding to the value or removing from it
    depth: int = 1  # of the changed value: `A.items.append(x)` changes a member of `A`
    by: str = ""  # the method that changes it


@dataclass(slots=True)
class Uses:
    """All names that one part of a statement uses, imports and changes."""

    own: dict[str, bool] = field(default_factory=dict)
    """Names of the module itself: False for a name that is only written to."""
    own_calls: dict[str, list[Call | None]] = field(default_factory=dict)
    """The calls of these names; None where one is used in another way."""
    uses: list[Use] = field(default_factory=list)
    """Uses of imported and built-in names."""
    imports: dict[str, bool] = field(default_factory=dict)
    """Imports when a function runs, as `imports_of` tells them."""
    changes: list[Change] = field(default_factory=list)
    packaged: list[PackagedFile] = field(default_factory=list)
    """Files of the own package that are read when the module is loaded."""
    packages: dict[str, int] = field(default_factory=dict)
    """Packages of which any module may be imported, with the lines."""
    asks_any: bool = False
    """True if an attribute of a computed name is asked for, of an object whose class counts whole."""
    handed: list[Callable[[], HandOver]] = field(default_factory=list)
    """Variables that are arguments, resolved once every scope is known."""
    texts: dict[str, None] = field(default_factory=dict)
    """Whole texts that are dotted paths: they count where they lead to a name of first-party code."""
    self_changes: dict[str, set[tuple[str, bool]]] = field(default_factory=dict)
    """Attributes of `self` that a method changes, by method; True for those that it changes in place."""
    keeps_state: bool = False
    """True if an inner function changes a variable of the function around it."""
    changed_arguments: set[str] = field(default_factory=set)
    """The parameters of functions whose values these change."""


def imports_of(node: ast.Import | ast.ImportFrom) -> dict[str, bool]:
    """Return the modules that a statement imports.

    True for a module that must be there; False for `a.b` of `from a import b`, which is a module or not.
    """
    if isinstance(node, ast.Import):
        return dict.fromkeys((alias.name for alias in node.names), True)
    base = import_base(node)
    names = (joined(base, alias.name) for alias in node.names if alias.name != "*")
    return {base: True, **dict.fromkeys(names, False)}


def note_imports(node: ast.Import | ast.ImportFrom, found: dict[str, bool]) -> None:
    """Add the imports of a statement to those found before; a module that must be there stays one."""
    for name, is_module in imports_of(node).items():
        found[name] = is_module or found.get(name, False)


def _constant(value: ast.expr) -> object:
    if isinstance(value, (ast.List, ast.Tuple, ast.Set)) and value.elts:
        items = tuple(_constant(item) for item in value.elts)
        return items if any(isinstance(item, str) for item in items) else ...
    return value.value if isinstance(value, ast.Constant) else ...
