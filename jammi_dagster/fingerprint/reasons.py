"""How this layer says that an identity cannot be known, and what to do about it."""

from __future__ import annotations


def reason(what: str, *ways_out: str, ignore: str | None = None) -> str:
    """`ignore`: the name that `ignore=` takes where what is found is known to be harmless."""
    harmless = (
        [] if ignore is None else [f"name what it depends on in depends_on= and set ignore=[{ignore!r}]"]
    )
    return f"{what}: {', or '.join((*ways_out, *harmless, 'give code_version='))}"
