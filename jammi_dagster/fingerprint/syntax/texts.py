"""Names within texts that a library looks up in the scopes of a call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from jammi_dagster.fingerprint.known_names import ANY
from jammi_dagster.fingerprint.known_names.texts import (
    AMBIENT_CALLS_OF_SQL,
    AMBIENT_QUOTES,
    AMBIENT_SQL,
    AT,
    DOTTED,
    DRAWS_IN_TEMPLATE,
    EXPRESSIONS,
    FORMULA,
    FORMULA_LIBRARIES,
    FORMULA_MODULES,
    FORMULA_WORDS,
    METHODS_OF_TABLES,
    READING_SQL,
    RELATION_METHODS,
    RELATION_TEXT,
    SCANNING_MODULES,
    SQL,
    TEMPLATE,
    TEMPLATES,
    TEXT_ARGUMENTS,
    WORDS,
    TextArgument,
)
from jammi_dagster.fingerprint.syntax.scopes import Chain
from jammi_dagster.fingerprint.syntax.uses import Call

_NAME = r"[^\W\d]\w*"
_NAMES = re.compile(rf"{_NAME}(?:\.{_NAME})*")
_AT_NAMES = re.compile(rf"@({_NAME}(?:\.{_NAME})*)")
_DOTTED = re.compile(rf"{_NAME}(?:\.{_NAME})+(?::{_NAME})?|{_NAME}:{_NAME}")
_FROM = re.compile(r"\bfrom\b", re.IGNORECASE)
# A sample without a seed; `sample` may be a column, too.
_SAMPLE = re.compile(
    r"\b(?:using\s+sample|tablesample)\b(?!.*\b(?:repeatable|bernoulli\s*,|reservoir\s*,|system\s*,))",
    re.I | re.S,
)
_TIMES = re.compile(AMBIENT_CALLS_OF_SQL, re.IGNORECASE)
_LONGEST = 200


@lru_cache(maxsize=10_000)
def text_argument(name: str) -> TextArgument | None:
    """Return the argument of a function from which it looks up names."""
    known = TEXT_ARGUMENTS.get(name)
    if known is not None:
        return known
    parent, _, leaf = name.rpartition(".")
    if parent in FORMULA_MODULES:
        return FORMULA
    if leaf in RELATION_METHODS and name.startswith("duckdb."):
        return RELATION_TEXT
    known, is_of_class = TEXT_ARGUMENTS.get(f"{ANY}.{leaf}"), name in METHODS_OF_TABLES
    if known is not None and (is_of_class or name.partition(".")[0] in SCANNING_MODULES):
        # A method that is asked of its class gets its object first.
        return known._replace(is_sure=True, position=known.position + is_of_class)
    return None


def names_in_text(name: str, call: Call) -> Iterator[tuple[Chain, bool]]:
    """Yield the names in the text of a call, and True for those that stand for variables alone.

    >>> list(names_in_text("?.query", Call(("x > @LIMIT",), {})))
    [(('LIMIT',), False)]
    """
    for formula in _formulas(name, call):
        yield from ((tuple(found.split(".")), False) for found in _NAMES.findall(formula))
    argument = text_argument(name)
    text = call.argument(argument.position, argument.name) if argument else None
    if argument is None or not isinstance(text, str) or argument.style in (DOTTED, TEMPLATE, WORDS):
        return
    if argument.style == AT:
        yield from ((tuple(found.split(".")), False) for found in _AT_NAMES.findall(text))
        if not _FROM.search(text):
            return
    is_variable = argument.style in (AT, SQL)
    yield from ((tuple(found.split(".")), is_variable) for found in _NAMES.findall(text))


def _formulas(name: str, call: Call) -> Iterator[str]:
    """Yield the further arguments of a call in which every name counts."""
    if name in EXPRESSIONS:
        given: Iterable[object] = [*call.positional, *call.named.values()]
    elif name.partition(".")[0] in FORMULA_LIBRARIES:
        given = [call.named.get(word) for word in FORMULA_WORDS]
    else:
        return
    yield from (one for one in given if isinstance(one, str))


def hides_names(name: str, call: Call | None) -> bool:
    """Return whether a call looks up names in a text that is computed, or gets a template with code in it."""
    argument = text_argument(name)
    if argument is None or not argument.is_sure or argument.style == WORDS:
        return False
    if call is None:
        return not name.startswith(ANY)
    text = call.argument(argument.position, argument.name)
    return text is ... or (argument.style == TEMPLATE and "<%" in str(text))


def located(name: str, call: Call | None) -> str | None:
    """Return the dotted path that a call such as `pydoc.locate("a.b")` looks up."""
    argument = text_argument(name)
    if argument is None or argument.style != DOTTED or call is None:
        return None
    text = call.argument(argument.position, argument.name)
    return text.replace(":", ".") if isinstance(text, str) else None


def ambient_word(name: str, call: Call | None) -> str | None:
    """Return the word by which the query of a call asks for the clock or for chance, or reads a file in polars."""
    argument = text_argument(name)
    if argument is None or argument.style not in (AT, SQL, WORDS) or call is None:
        return None
    text = call.argument(argument.position, argument.name)
    if not isinstance(text, str) or (argument.style == AT and not _FROM.search(text)):
        return None
    words = (
        word.lower() for word in re.findall(rf"{_NAME}(?=\s*\()|\bcurrent_\w+|\blocaltime\w*", text, re.I)
    )
    known = AMBIENT_SQL | READING_SQL if name.startswith("polars.") else AMBIENT_SQL
    quoted = (word.lower() for word in re.findall(rf"'\s*({_NAME})\s*'", text))
    sampled = _SAMPLE.search(text) or _TIMES.search(text)
    found = (*(word for word in words if word in known), *(word for word in quoted if word in AMBIENT_QUOTES))
    return next(iter(found), sampled and " ".join(sampled[0].lower().split()))


def draws_in_template(name: str, call: Call | None) -> bool:
    """Return whether a call gets a template that draws by chance: `Template("{{ names|random }}")`."""
    text = call.argument(TEMPLATES[name], None) if call and name in TEMPLATES else None
    return isinstance(text, str) and bool(re.search(DRAWS_IN_TEMPLATE, text))


def dotted_path(text: str) -> str | None:
    """Return a whole text that is a dotted path, such as `pipelines.text.clean` or `pipelines.text:clean`."""
    if len(text) > _LONGEST or not ("." in text or ":" in text) or not _DOTTED.fullmatch(text):
        return None
    return text.replace(":", ".")
