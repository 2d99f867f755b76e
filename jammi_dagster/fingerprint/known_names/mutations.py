"""Names of methods and functions that change state."""

from __future__ import annotations

import re

# Methods that change a list, dict, set or deque in place.
MUTATING_METHODS = frozenset(
    [
        "append",
        "extend",
        "insert",
        "remove",
        "pop",
        "popitem",
        "clear",
        "update",
        "setdefault",
        "add",
        "discard",
        "sort",
        "reverse",
        "rotate",
        "appendleft",
        "extendleft",
        "popleft",
        "subtract",
        "intersection_update",
        "difference_update",
        "symmetric_difference_update",
        "__setitem__",
        "__delitem__",
        "__setattr__",
    ]
)

# Methods of tables of libraries that change no dict or list which they get.
TABLE_METHODS = frozenset(
    [
        *("agg", "aggregate", "astype", "fillna", "group_by", "groupby", "isin", "reindex", "rename"),
        *("set_index", "sort_values", "with_columns"),
    ]
)

# Names of callables of unknown code that are taken to change the object, module or process that they belong to.
LOOKS_MUTATING = re.compile(
    r"^(set(?!$|_(axis|categories|codes|crs|geometry|index|levels|names|precision|sorted)$)|delattr$|install|patch|enable|disable|configure(?!d$)|config$|basicConfig|"
    r"use$|seed$|add|append|extend|insert|remove|pop|clear|update|discard|sort$|reverse$|filterwarnings|simplefilter|"
    r"exec$|eval$|load_dotenv|putenv|chdir|init$|initialize|connect$|subscribe|compiles$|listen)|register|(?<!with_)hook",
)
