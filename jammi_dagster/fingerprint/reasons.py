"""Reasons why an identity cannot be known, as users read them."""

from __future__ import annotations


def reason(finding: str, *ways_out: str, ignore: str | None = None) -> str:
    """Put a reason into words: the place and the finding, then the ways out.

    `ignore` is the name that `ignore=` takes where the finding is harmless.

    >>> reason("f has no source file", "define it in a module")
    'f has no source file: define it in a module, or give code_version='
    """
    harmless = [] if ignore is None else [f"list its dependencies in depends_on= and set ignore=[{ignore!r}]"]
    return f"{finding}: {', or '.join((*ways_out, *harmless, 'give code_version='))}"


class Outdated(str):
    """A reason that goes away once the code location is loaded again: running code differs from its file."""

    __slots__ = ()
