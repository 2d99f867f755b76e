"""Live values as forms that mean the same in every process: functions with the values that they close over.

A syntax tree does not show the value of a closure, a default or a `partial`: a factory elsewhere may have filled it
in. A value without a form of its own is reported, never given a made-up one. A new kind of value gets a method of
`Describer`; a scalar with an exact text goes to `plain_values`.
"""

from __future__ import annotations

import marshal
import sys
from collections.abc import Collection, Iterator, Mapping
from enum import Enum
from functools import _lru_cache_wrapper, lru_cache, partial
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from jammi_dagster.fingerprint.first_homes import first_home
from jammi_dagster.fingerprint.hashing import Form, ModuleRef, PlainData, UnorderedParts
from jammi_dagster.fingerprint.live.callables import layers, wrapper_of
from jammi_dagster.fingerprint.live.library_values import contents_of
from jammi_dagster.fingerprint.live.looks import at_one_look
from jammi_dagster.fingerprint.live.plain_values import BARE_BASES, attributes, exact, texts_of_plain
from jammi_dagster.fingerprint.reach.reached import Root
from jammi_dagster.fingerprint.reasons import reason
from jammi_dagster.fingerprint.sources.modules import Module, libraries, of_names
from jammi_dagster.fingerprint.sources.running_code import running
from jammi_dagster.fingerprint.sources.source import UNREADABLE
from jammi_dagster.fingerprint.syntax.trees import constant

_UNKNOWN: Form = "unknown"
# Bytes: a smaller value is described as fast as it is found, and a larger one would be kept too long.
_LEAST, _MOST = 64, 5_000


class Describer:
    """The description of values as forms, and of all that they bring along.

    `roots` is the code and `libraries` the distributions that the values come from, `held` the forms of the values
    that functions hold, by name, and `unresolved` the reasons for values without a form.

        describer = Describer(home=frozenset())
        form = describer.describe_function(make(3))
        describer.held  # {"the closure variable 'x' of make.<locals>.f": [b"int 3:0x3"]}
    """

    def __init__(self, home: frozenset[str], ignored: Collection[str] = ()) -> None:
        self.roots: dict[Root, None] = {}
        self.held: dict[str, list[Form]] = {}
        self.libraries: dict[str, str] = {}
        self.unresolved: set[str] = set()
        self.home = home  # first-party names, besides source trees
        self._ignored = ignored
        self._innermost: FunctionType | None = None
        self.of_objects: dict[
            type, frozenset[str] | None
        ] = {}  # classes of objects that are given, with their members
        self._own_layers: set[int] = set()  # of the function itself: its orchestration is no part of it
        self._met: dict[int, tuple[int, object]] = {}  # functions and instances, in the order they were met
        self._lenient = False
        self._within: set[int] = set()  # the containers that are being described

    def describe_function(self, fn: object) -> Form:
        """Describe the function whose identity is asked for."""
        name = getattr(fn, "__qualname__", type(fn).__qualname__)
        own = list(layers(fn))
        self._own_layers, self._innermost = {id(function) for function in own}, own[-1] if own else None
        try:
            return self.describe(fn, name)
        except RecursionError:
            return self._give_up(f"{name} holds a value that is nested too deeply to be read")

    def describe(self, value: object, where: str) -> Form:
        """Describe a value; `where` names it in reasons."""
        known = exact(value)
        if known is not None:
            return known
        if type(value) in (tuple, list, dict, set, frozenset):
            return self._container(value, where)
        if isinstance(value, ModuleType):
            return "module", self._origin(of_names(vars(value)), None, where)
        if isinstance(value, type):
            return self._class(value, where)
        if isinstance(value, Enum):
            member = self.describe(value.value, where) if value.name is None else constant(value.name)
            return "enum", self._class(type(value), where), member
        if id(value) in self._met:
            return "met", str(self._met[id(value)][0])
        self._met[id(value)] = (len(self._met), value)
        return self._callable(value, where)

    def _container(self, value: Any, where: str) -> Form:
        if id(value) in self._within:
            return self._give_up(f"{where} contains itself")
        return plain_data(value) or self._items(value, where)

    def _items(self, value: Any, where: str) -> Form:
        self._within.add(id(value))
        item = f"an item of {where}"
        parts: Form
        if isinstance(value, dict):  # in its order: the function may iterate
            parts = tuple(
                (self.describe(key, item), self.describe(held, item)) for key, held in value.items()
            )
        elif isinstance(value, (set, frozenset)):
            parts = UnorderedParts(tuple(self._apart(held, item) for held in value))
        else:
            parts = tuple(self.describe(held, item) for held in value)
        self._within.discard(id(value))
        return type(value).__name__, parts

    def _apart(self, value: object, where: str) -> Form:
        """Describe an item of a set: its form must not depend on the items before it."""
        met, self._met = self._met, dict(self._met)
        form = self.describe(value, where)
        self._met = met
        return form

    def _callable(self, value: object, where: str) -> Form:
        if isinstance(value, FunctionType):
            return self._function(value)
        if isinstance(value, MethodType):
            return "method", self.describe(value.__func__, where), self.describe(value.__self__, where)
        if type(value) is partial:
            held = f"an argument of {where}"
            named = ((constant(name), self.describe(given, held)) for name, given in value.keywords.items())
            given = self.describe(value.args, held), ("dict", tuple(named))
            return "partial", self.describe(value.func, where), *given
        if isinstance(value, _lru_cache_wrapper):
            return "cached", self.describe(value.__wrapped__, where)
        if isinstance(value, BuiltinFunctionType):
            return self._builtin(value, where)
        return self._instance(value, where)

    def _function(self, function: FunctionType) -> Form:
        if (library := wrapper_of(function)) is not None:
            self.libraries.update(self._shared(_named(library)) or {})
            wrapped = function.__dict__["__wrapped__"]
            return "wrapper", library, self.describe(wrapped, f"what {function.__qualname__} wraps")
        module = of_names(function.__globals__)
        shared = self._shared(module)
        if shared is not None:
            self.libraries.update(shared)
            if _found(module, function.__qualname__) is function:
                return "function", first_home(module.name, function.__qualname__), function.__qualname__
            # Its version pins its line. The standard library has no version here: its lines may move.
            line = str(function.__code__.co_firstlineno) if shared else ""
            code: Form = (module.name, function.__code__.co_name, line)
        else:
            code = self._code(function, module)
        held = (one for one in self._held(function) if one[0].lstrip("=") not in self._ignored)
        return "function", code, *(self._hold(*one) for one in held)

    def hold(self, value: object, told: str, *, lenient: bool = False) -> None:
        """Describe a value that is held under a name; `lenient`: an object of a library counts by its class."""
        self._lenient = lenient
        self._hold("", value, told)
        self._lenient = False

    def _hold(self, name: str, value: object, told: str) -> Form:
        form = self.describe(value, told)
        if id(value) not in self._own_layers:
            self.held.setdefault(told, []).append(form)
        return name, form

    def _code(self, function: FunctionType, module: Module) -> Form:
        """Describe a function by its module and a name that `functools.wraps` does not change."""
        if module.path is None:
            return self._give_up(f"{function.__qualname__} has no source file", "define it in a module")
        self.roots[Root(module, "")] = None
        try:
            label = running(module.path, function.__globals__).label(function)
        except UNREADABLE as error:
            if isinstance(error, (RecursionError, MemoryError)):  # `Graph` reports the others
                return self._give_up(f"{module.name} is nested too deeply to be compared with its file")
            return _UNKNOWN
        if isinstance(label, str):
            self.unresolved.add(label)
            return _UNKNOWN
        bare = id(function) in self._own_layers
        self.roots[Root(module, label, is_bare=bare, is_it=function is self._innermost)] = None
        return ModuleRef(module.path), label[0], str(label[1])

    def _held(self, function: FunctionType) -> Iterator[tuple[str, object, str]]:
        """Yield the values that a function carries besides its code: (name, value, name in reasons)."""
        code = function.__code__
        defaults = function.__defaults__ or ()
        names = code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount]
        held = [*zip(names, defaults, strict=True), *(function.__kwdefaults__ or {}).items()]
        yield from (
            (f"={name}", value, f"the default of {name!r} of {function.__qualname__}") for name, value in held
        )
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            told = f"the closure variable {name!r} of {function.__qualname__}"
            try:
                if not self._is_log(function, name, cell.cell_contents):
                    yield name, cell.cell_contents, told
            except ValueError:
                self._give_up(f"{told} is not assigned yet", "ask once the code location is loaded")
        if "__wrapped__" in function.__dict__:
            yield "__wrapped__", function.__dict__["__wrapped__"], f"what {function.__qualname__} wraps"

    def _is_log(self, function: FunctionType, name: str, value: object) -> bool:
        """Return whether a closure's list, dict or set is only written to, so that no result depends on it."""
        module = of_names(function.__globals__)
        if type(value) not in (list, dict, set) or module.path is None or self._shared(module) is not None:
            return False
        try:
            met = running(module.path, function.__globals__)
        except UNREADABLE:
            return False
        label = met.label(function)
        return not isinstance(label, str) and met.source.only_writes(label, name)

    def _builtin(self, function: BuiltinFunctionType, where: str) -> Form:
        owner = function.__self__
        if owner is not None and not isinstance(owner, ModuleType):
            return "method", self.describe(owner, where), function.__name__
        module = _named(function.__module__)
        if _found(module, function.__qualname__) is not function:
            return self._give_up(
                f"{where} holds {function.__qualname__}, and no module has it under that name"
            )
        return "function", self._origin(module, function.__qualname__, where), function.__qualname__

    def _class(self, cls: type, where: str) -> Form:
        module = _named(cls.__module__)
        if _found(module, cls.__qualname__) is not cls:
            return self._give_up(
                f"{where} uses the class {cls.__qualname__}, and no module has it under that name"
            )
        if (
            cls in self.of_objects
            and module.path
            and "." not in cls.__qualname__
            and self._shared(module) is None
        ):
            root = Root(module, cls.__qualname__, of_object=True, members=self.of_objects[cls])
            self.roots[root] = None
            return "class", ModuleRef(module.path), cls.__qualname__
        return "class", self._origin(module, cls.__qualname__, where), cls.__qualname__

    def _instance(self, value: object, where: str) -> Form:
        """Describe an instance of a first-party class by its attributes; another may hold more than it shows."""
        kind = type(value)
        bases = [base for base in kind.__mro__ if base not in BARE_BASES]
        if not bases or any(self._shared(_named(base.__module__)) is not None for base in bases):
            if (contents := at_one_look(contents_of, value)) is not None:
                held = (self.describe(one, f"the contents of {where}") for one in contents.values)
                return "contents", self._class(kind, where), contents.exact, *held
            if self._lenient:
                return "object", kind.__module__, kind.__qualname__
            found = f"{where} holds a {kind.__qualname__}, which cannot be hashed"
            return self._give_up(found, "pass it as an input or config")
        state = (
            (name, self.describe(held, f"{name!r} of {where}")) for name, held in attributes(value).items()
        )
        return "instance", self._class(kind, where), *state

    def _origin(self, module: Module, qualname: str | None, where: str) -> Form:
        shared = self._shared(module)
        if shared is not None:
            self.libraries.update(shared)
            return first_home(module.name, qualname or "")
        if module.path is None:
            return self._give_up(f"{where} comes from {module.name}, which has no source file")
        self.roots[Root(module, None if qualname is None else qualname.partition(".")[0])] = None
        return ModuleRef(module.path)

    def _shared(self, module: Module) -> Mapping[str, str] | None:
        """Return the libraries of a module; names that only claim to be a module's (by `exec`) belong to nobody."""
        if module.path is None and _named(module.name).running is not module.running:
            return None
        return libraries(module, self.home)

    def _give_up(self, finding: str, *ways_out: str) -> Form:
        self.unresolved.add(reason(finding, *ways_out))
        return _UNKNOWN


def plain_data(value: Any) -> PlainData | None:
    """Return the form of a collection of plain data; None for another value, and for one of another size.

    It is found by the exact content, so that a value that has changed meanwhile gets another.
    """
    try:
        content = marshal.dumps(value, 2)
    except ValueError:  # it holds an object, or itself
        return None
    return _plain_data(content) if _LEAST <= len(content) <= _MOST else None


@lru_cache(maxsize=4_000)
def _plain_data(content: bytes) -> PlainData | None:
    value = marshal.loads(content)
    texts = texts_of_plain(value)  # None for bytes: `marshal` takes arrays for such
    return None if texts is None else PlainData(Describer(frozenset())._items(value, ""), texts)


def _named(module: str) -> Module:
    return of_names(getattr(sys.modules.get(module), "__dict__", {}), module)


def _found(module: Module, qualname: str) -> object:
    """Return the value that a module holds under a qualified name, without running any code."""
    value: object = None
    names = module.running or {}
    for part in qualname.split("."):
        value = names.get(part)
        names = vars(value) if isinstance(value, type) else {}
    return value
