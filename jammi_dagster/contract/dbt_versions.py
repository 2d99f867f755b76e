"""Versions of dbt models in anchors: the last event of a model, and the digest of the code that it is made by.

    dbt:<unique id>@<event>#<digest of the code>

Not done here: to find event and code (see `adapters/assets/dbt_models.py`).
"""

from __future__ import annotations

import re

_VERSION = re.compile(r"dbt:(?P<model>[^@]+)@(?P<event>[^#]+)#(?P<code>.+)")


def dbt_version(model: str, event: str, code: str) -> str:
    """Return the version of a model after an event.

    >>> dbt_version("model.shop.mart", "57.a1", "c0de")
    'dbt:model.shop.mart@57.a1#c0de'
    """
    return f"dbt:{model}@{event}#{code}"


def is_dbt_version(version: str) -> bool:
    """Tell the version of a model from that of any other input.

    >>> is_dbt_version("dbt:model.shop.mart@57.a1#c0de"), is_dbt_version("3")
    (True, False)
    """
    return _VERSION.fullmatch(version) is not None


def dbt_name(model: str) -> str:
    """Return a model as people name it.

    >>> dbt_name("model.shop.mart")
    'dbt model mart'
    """
    kind, _, name = model.partition(".")
    return f"dbt {kind} {name.partition('.')[2] or name}"


def dbt_change(before: str | None, after: str | None) -> str:
    """Say how a dbt model differs between two versions; empty for any other input.

    >>> dbt_change("dbt:model.shop.mart@57.a1#c0de", "dbt:model.shop.mart@58.a2#c0de")
    ': dbt model mart has run since'
    >>> dbt_change("1", "2")
    ''
    """
    old, new = _VERSION.fullmatch(before or ""), _VERSION.fullmatch(after or "")
    if old is None or new is None:
        return ""
    name = dbt_name(new["model"])
    if old["event"] != new["event"]:
        return f": {name} has run since"
    return f": the SQL, macros, vars or ephemeral models of {name} changed, and it has not run since"
