"""Names of result tables: an asset key joined by `/`, plus `[partition]`; injective by escaping (DESIGN 1).

Rules: a bare name is a table, a name with a scheme (`file:…`) is any other input, and the two never overlap.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from jammi_dagster.errors import InvalidTableName

_RESERVED = re.compile(r"[/\[\]%\x00-\x1f\x7f-\x9f]")
_RESERVED_IN_KEY = re.compile(_RESERVED.pattern.replace("[/", "[:/", 1))
_SCHEME = re.compile(r"[^\[]*:")
_NAME = re.compile(r"(?P<key>[^\[\]]*)(?:\[(?P<partition>[^\[\]]*)\])?")


@dataclass(frozen=True, slots=True)
class TableName:
    """A result table's name in its parts: the components of the asset key, and the partition or None.

    `str()` gives the name as catalog and anchors hold it. A `:` in the key is escaped too, so that a bare name and a
    source with a scheme never overlap.

    >>> str(TableName.of(["flights", "daily_delays"], "2013-01-05"))
    'flights/daily_delays[2013-01-05]'
    >>> TableName.parse("flights/daily_delays[2013-01-05]").partition
    '2013-01-05'
    """

    asset_key: tuple[str, ...]
    partition: str | None = None

    @classmethod
    def of(cls, asset_key: Sequence[str], partition: str | None = None) -> TableName:
        """Build a name. Raise `InvalidTableName` for an empty key or component, and for lone surrogates."""
        if not asset_key or not all(asset_key):
            raise InvalidTableName(table=repr(list(asset_key)), why="an asset key has no empty components")
        name = cls(tuple(asset_key), partition)
        _check_text(str(name))
        return name

    @classmethod
    def parse(cls, name: str) -> TableName:
        """Invert `str()`. Raise `InvalidTableName` for a string that `str()` never gives."""
        match = _NAME.fullmatch(name)
        if match is None:
            raise InvalidTableName(table=name, why="expected key/components[partition]")
        _check_text(name)
        partition = match["partition"]
        # escapes that are not UTF-8 become U+FFFD: the comparison below finds them
        parsed = cls.of(
            [unquote(part) for part in match["key"].split("/")],
            None if partition is None else unquote(partition),
        )
        if str(parsed) != name:
            raise InvalidTableName(table=name, why=f"its escaped form is {str(parsed)!r}")
        return parsed

    def __str__(self) -> str:
        key = "/".join(_escaped(part, _RESERVED_IN_KEY) for part in self.asset_key)
        return key if self.partition is None else f"{key}[{_escaped(self.partition, _RESERVED)}]"


def table_names(asset_key: Sequence[str], partitions: Iterable[str | None]) -> list[str]:
    """Return the names of many tables of one asset, as `TableName.of` does, with the key escaped only once."""
    key = _key(tuple(asset_key))
    names = [key if p is None else f"{key}[{_escaped(p, _RESERVED)}]" for p in partitions]
    for name in names:
        _check_text(name)
    return names


@functools.lru_cache
def _key(asset_key: tuple[str, ...]) -> str:
    return str(TableName.of(asset_key))


def is_table(source: str) -> bool:
    """Return True if the name of an input is a result table's: bare, without a scheme.

    >>> is_table("flights/daily_delays"), is_table("file:raw/planes.csv")
    (True, False)
    """
    return _SCHEME.match(source) is None


def asset_of(name: str) -> str:
    """Return a name without its partition: that of the asset that a table belongs to.

    >>> asset_of("flights/daily_delays[2013-01-05]"), asset_of("flights/daily_delays")
    ('flights/daily_delays', 'flights/daily_delays')
    """
    return name.partition("[")[0]


def check_table(name: str) -> str:
    """Return `name` if a store can hold it: any text of UTF-8 without a scheme. Raise `InvalidTableName` otherwise.

    A store takes names as they are. Only callers that make names of asset keys need `TableName`, which is injective.
    """
    check_source(name)
    if not is_table(name):
        raise InvalidTableName(table=name, why="it reads like a source with a scheme; write `:` as `%3A`")
    return name


def check_source(name: str) -> str:
    """Return `name` if a catalog can be asked for it, as a table or an input. Raise `InvalidTableName` otherwise."""
    if not isinstance(name, str) or not name:
        raise InvalidTableName(table=repr(name), why="a name is a string that is not empty")
    _check_text(name)
    if "\0" in name:
        raise InvalidTableName(table=name, why="a name cannot hold a NUL")
    return name


def _escaped(component: str, reserved: re.Pattern[str]) -> str:
    """Percent-escape separators and control characters, as UTF-8 bytes."""
    return reserved.sub(lambda m: "".join(f"%{byte:02X}" for byte in m[0].encode()), component)


def _check_text(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise InvalidTableName(table=name, why="a lone surrogate is not UTF-8") from None
