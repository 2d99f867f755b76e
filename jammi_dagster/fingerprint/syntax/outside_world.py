"""Decisions about one use of a name: it may read the outside world, or run code that no source shows.

The names stand in `known_names`; a new reader, clock or code loader is added there.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from jammi_dagster.fingerprint.known_names import ANY, CALL
from jammi_dagster.fingerprint.known_names.ambient_values import (
    AMBIENT,
    AMBIENT_CALLS,
    AMBIENT_HOLDERS,
    AMBIENT_MODULES,
    CLASS_CLOCKS,
    COMPRESSING_WRITERS,
    HELD_MODULES,
    NEVER_BARE,
    STAMPED_COMPRESSIONS,
    STAMPING_WRITERS,
    UNLESS_GIVEN,
    UNLESS_SEEDED,
    UNLESS_WORD,
    UNLESS_WORD_OR_POSITION,
)
from jammi_dagster.fingerprint.known_names.chance import (
    DRAWS_IF,
    DRAWS_UNLESS,
    SEEDED_BY_WORD,
    SEEDS_OF_ASKED,
)
from jammi_dagster.fingerprint.known_names.clock_words import CLOCK_LIBRARIES, CLOCK_WORDS, LABELS
from jammi_dagster.fingerprint.known_names.file_libraries import (
    CONNECTED_PREFIXES,
    FILE_CLASSES,
    FILE_LIBRARIES,
    FILE_PREFIXES,
)
from jammi_dagster.fingerprint.known_names.hidden_code import (
    HIDDEN,
    IMPORTERS,
    INSTANTIATORS,
    NAMED_BY_ARGUMENTS,
)
from jammi_dagster.fingerprint.known_names.native_readers import (
    NATIVE_MODULES,
    NATIVE_READERS,
    PATH_ARGUMENTS,
)
from jammi_dagster.fingerprint.known_names.public_names import (
    PRIVATE_PACKAGES,
    PRIVATE_PARTS,
    SAME_NAMES,
    SAME_PACKAGES,
)
from jammi_dagster.fingerprint.known_names.reader_prefixes import READER_PREFIXES
from jammi_dagster.fingerprint.known_names.readers import (
    OPENERS,
    OVER_DATASETS,
    PATH_READERS,
    READERS,
    STAT_READERS,
    STORE_HOLDERS,
    STORE_PACKAGES,
    STORE_READERS,
    WRITE_MODES,
)
from jammi_dagster.fingerprint.known_names.services import READER_MODULES, is_value_class
from jammi_dagster.fingerprint.known_names.time_zones import ZONE_UNLESS_GIVEN
from jammi_dagster.fingerprint.syntax.constants import bindings
from jammi_dagster.fingerprint.syntax.texts import ambient_word, draws_in_template, hides_names, located
from jammi_dagster.fingerprint.syntax.uses import Call
from jammi_dagster.fingerprint.syntax.written_data import names_its_target


class OutsideName(NamedTuple):
    """A name of the outside world: `time.time`, or the declarable `pandas.read_csv`."""

    name: str
    is_declarable: bool
    """True if a version surface may stand for it, as for a file."""
    unwatched: str | None = None
    """The path that a reader reads which raises no audit event, empty if it is computed; None for another."""


def outside_name(name: str, call: Call | None, *, is_own: bool = False) -> OutsideName | None:
    """Return the name of the outside world that a use reads, if it does. `is_own`: no reader of anything outside.

    >>> outside_name("pandas.read_csv", Call(("rates.csv",), {}))
    OutsideName(name='pandas.read_csv', is_declarable=True, unwatched=None)
    """
    name = _public(name)
    if name in STORE_READERS:
        return OutsideName(name.removeprefix(f"{ANY}."), False) if call else None
    if holder := _store_holder(name):
        return OutsideName(holder, False)
    if not is_own and (reader := _reader(name, call)):
        return OutsideName(reader, True, _unwatched_path(name, call))
    if value := _ambient_value(name, call):
        return OutsideName(value.removeprefix("builtins.").removeprefix(f"{ANY}."), False)
    held = _held_name(name)
    if held:
        return outside_name(held, call)
    method = of_class(name)
    return outside_name(method, without_object(call)) if method else None


def draws_when_called(name: str) -> bool:
    """Return whether a class or a function draws by chance where it is called, as some of its arguments tell."""
    name = _public(name)
    return name in SEEDED_BY_WORD or name in DRAWS_IF or name in UNLESS_SEEDED


def none_parameters(name: str, call: Call | None) -> frozenset[str]:
    """Return the parameters that must be None for a use to read the outside world; none if it does so in any case.

    >>> none_parameters("random.Random", Call((...,), {}, variables={0: "seed"}, may_be_none=frozenset({0})))
    frozenset({'seed'})
    """
    if call is None or not call.may_be_none:
        return frozenset()
    if outside_name(name, replace(call, may_be_none=frozenset())):
        return frozenset()
    return frozenset(call.variables[at] for at in call.may_be_none)


def hidden_code(name: str, call: Call | None) -> str | None:
    """Return the name by which a use runs or imports code that the source does not show, if it does."""
    bare = name.removeprefix("builtins.").removeprefix(f"{ANY}.")
    if hides_names(name, call):
        return f"{bare} with a computed text"
    if located(name, call):
        return None
    if name in NAMED_BY_ARGUMENTS:
        given = call.positional[NAMED_BY_ARGUMENTS[name]] if call and not call.is_open else ()
        return None if given and ... not in given else f"{bare} with a computed name"
    if name in INSTANTIATORS:
        table = call.site.node.args[:1] if call and call.site else []
        is_told = call is not None and call.site is not None and names_its_target(table, call.site.scope)
        return None if is_told else f"{bare} with a computed target"
    if name == "builtins.vars" and call is not None and not call.positional:
        return bare
    found = next((known for known in _prefixes(name) if known in HIDDEN), None)
    if found in IMPORTERS and name.startswith(f"{found}.{CALL}"):
        return None  # the import itself is looked at
    return found.removeprefix("builtins.").removeprefix(f"{ANY}.") if found else None


def imported_module(name: str, call: Call | None) -> str | None:
    """Return the module that a call such as `importlib.import_module("a.b")` imports."""
    if name not in IMPORTERS or call is None or len(call.positional) != 1 or call.named:
        return None
    module = call.positional[0]
    return module if isinstance(module, str) and not module.startswith(".") else None


def _reader(name: str, call: Call | None) -> str | None:
    if call is None:
        return name if _is_unwatched(name) and not name.startswith(ANY) and _is_listed(name) else None
    if call.is_of_buffer:
        return None
    shown = name.removeprefix("builtins.").replace(f".{CALL}", "").replace(f"{ANY}.", "Path.")
    if name in OPENERS:
        return None if _writes(call, OPENERS[name]) else shown
    if _is_listed(name):
        return shown
    if name in PATH_READERS:
        position, word, always = PATH_READERS[name]
        given = call.argument(position, word)
        return shown if isinstance(given, str) or (always and given is not None) else None
    known = next((known for known in _prefixes(name) if known in READER_MODULES and known != name), None)
    is_class = name.rpartition(".")[2][:1].isupper()
    return shown if known and not (is_class and is_value_class(name)) else None


def _is_listed(name: str) -> bool:
    parent, _, leaf = name.rpartition(".")
    if parent == "pathlib.Path" and f"{ANY}.{leaf}" in STAT_READERS:
        return True
    top = parent.partition(".")[0]
    beginnings = (*READER_PREFIXES.get(parent, ()), *CONNECTED_PREFIXES.get(top, ()))
    is_named_so = leaf.startswith((*beginnings, *FILE_PREFIXES) if top in FILE_LIBRARIES else beginnings)
    is_known = name in READERS or name in STAT_READERS or name in FILE_CLASSES
    return is_known or (is_named_so and name not in OVER_DATASETS)


def _is_unwatched(name: str) -> bool:
    """Return whether a reader raises no audit event."""
    is_stat = name in STAT_READERS or name.rpartition(".")[0] == "pathlib.Path"
    top, leaf = name.partition(".")[0], name.rpartition(".")[2]
    is_connected = CALL in name and leaf.startswith(CONNECTED_PREFIXES.get(top, ("\0",)))
    return is_stat or name in NATIVE_READERS or top in NATIVE_MODULES or is_connected


def _unwatched_path(name: str, call: Call | None) -> str | None:
    if not _is_unwatched(name) or (call is not None and call.is_of_buffer):
        return None  # an opening by Python is seen as such
    if call is None:
        return ""  # nobody sees with which path it will be called
    if name.startswith(ANY) and name in STAT_READERS:
        return ""
    given = [*call.positional[:1], *(call.named[word] for word in PATH_ARGUMENTS if word in call.named)]
    if name == "duckdb.connect" and not given:
        return ""  # a connection that is handed on
    if not given:  # by a `*`, by another word, or by whoever calls the partial
        return (
            ""
            if _is_listed(name)
            and (call.is_open or call.named or (call.site is not None and call.site.is_partial))
            else None
        )
    return given[0] if isinstance(given[0], str) else ""


def _writes(call: Call, position: int) -> bool:
    """Return whether a file is opened to be written only."""
    mode = call.positional[position] if position < len(call.positional) else call.named.get("mode")
    return isinstance(mode, str) and bool(WRITE_MODES & set(mode)) and "+" not in mode


def _ambient_value(name: str, call: Call | None) -> str | None:
    if name in NEVER_BARE or (call is not None and name in AMBIENT_CALLS) or _holds_readers(name):
        return name
    if call is not None and _takes_clock(name) and _says_clock(call):
        return name
    if word := ambient_word(name, call):
        return f"{word} in a query"
    if draws_in_template(name, call):
        return "random in a template"
    if call is not None and call.is_of_buffer and _stamps(name, call):
        return name
    if name in UNLESS_WORD or name in UNLESS_WORD_OR_POSITION:
        return name if call is None or _draws(name, call) else None
    if name in SEEDED_BY_WORD or name in DRAWS_IF:
        return name if call is not None and _draws_by_chance(name, call) else None
    if name in UNLESS_GIVEN or name in UNLESS_SEEDED:
        return name if _is_unseeded(name, call) else None
    known = next((known for known in _prefixes(name) if _is_ambient(known)), None)
    return known.replace(f".{CALL}", "") if known else None


def _draws_by_chance(name: str, call: Call) -> bool:
    """Return whether a function of a library is not seeded by one of its words."""
    silent, value = DRAWS_UNLESS.get(name, ("", None))
    if silent and call.named.get(silent) is value:
        return False
    word, values = DRAWS_IF.get(name, ("", ()))
    spread = _spread(call) if word else {}
    if word and spread is not None:
        given = call.named.get(word, spread.get(word))
        if given in (None, False) or not (given is ... or True in values or given in values):
            return False
    words = SEEDED_BY_WORD.get(name, SEEDS_OF_ASKED)
    is_spread = any((spread or {}).get(one) is not None for one in words)
    return not (is_spread or any(call.surely_gives(len(call.positional), one) for one in words))


def _spread(call: Call) -> dict[object, object] | None:
    """Return the arguments that a call takes out of written tables by `**`; None if they are not all written."""
    found: dict[object, object] = {}
    for word in call.site.node.keywords if call.site else ():
        if word.arg is not None or call.site is None:
            continue
        tables: list[ast.expr | None] = [word.value]
        if isinstance(word.value, ast.Name):
            tables = [one.value for one in bindings(word.value.id, call.site.scope)]
        for table in tables or [None]:
            if not isinstance(table, ast.Dict) or not all(
                isinstance(key, ast.Constant) for key in table.keys
            ):
                return None
            values = (one.value if isinstance(one, ast.Constant) else ... for one in table.values)
            found.update(zip((getattr(key, "value", None) for key in table.keys), values, strict=True))
    return found


def _stamps(name: str, call: Call) -> bool:
    """Return whether a call writes the time beside its data."""
    if name in COMPRESSING_WRITERS:
        return call.named.get("compression") in STAMPED_COMPRESSIONS
    if name not in STAMPING_WRITERS or call.gives(len(call.positional), "mtime"):
        return False
    position = STAMPING_WRITERS[name]
    mode = "w" if position is None else call.argument(position, "mode")
    return mode is ... or (isinstance(mode, str) and not WRITE_MODES.isdisjoint(mode))


def _takes_clock(name: str) -> bool:
    """Return whether a function of a library understands words such as `now`."""
    top, leaf = name.partition(".")[0], name.rpartition(".")[2]
    return top in CLOCK_LIBRARIES and ((known := CLOCK_LIBRARIES[top]) is None or leaf in known)


def _says_clock(call: Call) -> bool:
    given = [*call.positional, *(value for word, value in call.named.items() if word not in LABELS)]
    for value in given:  # grows while it is read
        if isinstance(value, tuple):
            given += value
        elif isinstance(value, str) and value.strip().lower() in CLOCK_WORDS:
            return True
    return False


def _draws(name: str, call: Call) -> bool:
    """Return whether a call of a method such as `sample` is given no seed."""
    words, most = UNLESS_WORD.get(name) or (UNLESS_WORD_OR_POSITION[name], 1)
    return len(call.positional) < most and not any(
        call.surely_gives(len(call.positional), word) for word in words
    )


@lru_cache(maxsize=10_000)
def _public(name: str) -> str:
    """Return the public name of a function that is taken from a part of its library, or from a module in C."""
    known = next((one for one in _prefixes(name) if one in SAME_NAMES), None)
    if known is not None:
        return SAME_NAMES[known] + name.removeprefix(known)
    if name.startswith(tuple(f"{one}." for one in SAME_PACKAGES)):
        return f"{name.partition('.')[0]}.{name.rpartition('.')[2]}"
    if "._" in name and name.partition(".")[0] in PRIVATE_PARTS:
        top, *parts, leaf = name.split(".")
        return ".".join((top, *(part for part in parts if not part.startswith("_")), leaf))
    parts = name.split(".")
    if parts[0] in PRIVATE_PACKAGES and parts[1:] and parts[1].startswith("_"):
        at = next((at for at, part in enumerate(parts) if part[:1].isupper()), None)
        return name if at is None else ".".join((parts[0], *parts[at:]))  # a class, and what is asked of it
    return name


def is_store(name: str) -> bool:
    """Return whether a name is that of a class that leads to stored tables, or to Dagster's instance."""
    return _store_holder(name) is not None


@lru_cache(maxsize=10_000)
def _store_holder(name: str) -> str | None:
    """Return the name, up to a call, of anything that leads to stored tables or to Dagster's instance."""
    called = name.partition(f".{CALL}")[0]
    parts = called.split(".")
    is_one = parts[0] in STORE_PACKAGES and not STORE_HOLDERS.isdisjoint(parts[1:])
    return called if is_one and not parts[-1].startswith("__") else None  # `ResultStore.__name__`


@lru_cache(maxsize=10_000)
def _holds_readers(name: str) -> bool:
    """Return whether a name is the `__dict__` of a module or a class that reads the outside world."""
    held, _, leaf = name.rpartition(".")
    if leaf != "__dict__":
        return False
    clocks = (f"{held}.{clock.rpartition('.')[2]}" for clock in CLASS_CLOCKS)
    holders = NEVER_BARE | NATIVE_MODULES | READER_MODULES | AMBIENT_HOLDERS
    return held in holders or held == "builtins" or not AMBIENT.isdisjoint(clocks)


@lru_cache(maxsize=10_000)
def of_class(name: str) -> str | None:
    """Return the name of a method of unknown class for one that is asked of its class: `pandas.DataFrame.sample`."""
    holder, _, leaf = name.rpartition(".")
    owner = holder.rpartition(".")[2]
    is_class = owner[:1].isupper() or holder == "datetime.datetime"
    method = f"{ANY}.{leaf}"
    is_known = method in UNLESS_WORD or method in UNLESS_WORD_OR_POSITION or method in ZONE_UNLESS_GIVEN
    is_of_object = is_known and leaf != "fromtimestamp"  # which is asked of its class as it is
    return method if is_class and is_of_object and "." in holder else None


def without_object(call: Call | None) -> Call | None:
    return call and replace(call, positional=call.positional[1:], variables={}, may_be_none=frozenset())


@lru_cache(maxsize=10_000)
def _held_name(name: str) -> str | None:
    """Return the name from a module on that another holds: `os.environ` of `pathlib.os.environ`."""
    top, *parts = name.split(".")
    if top not in sys.stdlib_module_names or top == "datetime":
        return None
    found = next((index for index, part in enumerate(parts) if part in HELD_MODULES), None)
    is_held = found is not None and CALL not in parts[:found]
    held = ".".join(parts[found:]) if is_held else None
    return held if held and ("." in held or held in ("os", "sys")) else None


def _is_unseeded(name: str, call: Call | None) -> bool:
    if call is None:
        return name in UNLESS_GIVEN
    return not call.surely_gives(*(UNLESS_GIVEN.get(name) or UNLESS_SEEDED[name]))


def _is_ambient(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    if module in AMBIENT_MODULES and name not in UNLESS_GIVEN and name not in UNLESS_SEEDED:
        return attribute not in AMBIENT_MODULES[module] and not attribute.isupper()
    return name in AMBIENT


@lru_cache(maxsize=10_000)
def _prefixes(name: str) -> tuple[str, ...]:
    return tuple(accumulate(name.split("."), "{}.{}".format))
