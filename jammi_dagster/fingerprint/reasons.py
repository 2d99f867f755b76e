"""How this layer says that an identity cannot be known."""

from __future__ import annotations


def reason(what: str, *ways_out: str) -> str:
    return f"{what}: {', or '.join((*ways_out, 'give code_version='))}"
