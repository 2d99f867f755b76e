"""The user of this process, for people who read a history."""

from __future__ import annotations

import getpass

from jammi_dagster.errors import InvalidField


def user_name(by: str | None = None, reason: str | None = None) -> str:
    """Name the user of this process, for people, unless somebody else is named.

    Raises `InvalidField` for a name, or a reason beside it, that is no text.
    """
    for path, text in (("by", by), ("reason", reason)):
        if not isinstance(text, str | None):
            expected = "text for those who read the history"
            raise InvalidField(what="history", path=path, value=text, expected=expected)
    if by is not None:
        return by
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no name for the user's number, as in many containers
        return "unknown"
