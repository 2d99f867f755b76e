"""Judgement of calls by canonical name: the quiet ones, and results that nobody else holds."""

from __future__ import annotations

from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.known_names.quiet import (
    CALLING_BUILTINS,
    FRESH_MAKERS,
    QUIET_BUILTINS,
    QUIET_MODULES,
)
from jammi_dagster.fingerprint.syntax.load_effects import looks_mutating
from jammi_dagster.fingerprint.syntax.optional_parts import is_orchestration


def is_quiet(name: str) -> bool:
    module, _, leaf = name.partition(".")
    if module == "builtins":
        return leaf in QUIET_BUILTINS
    return is_orchestration(name) or any(
        name == known or name.startswith(f"{known}.") for known in QUIET_MODULES
    )


def is_fresh(name: str) -> bool:
    """Return whether a name is that of the result of a library's call, an object that nobody else holds."""
    maker, _, after = name.partition(f".{CALL}")
    leaf = maker.rpartition(".")[2]
    is_known = f"{maker}.".startswith(FRESH_MAKERS) or (not after and leaf[:1].isupper())
    return maker != name and not looks_mutating(maker) and is_known


def calls_nothing(name: str) -> bool:
    """Return whether a callable is known not to call its arguments."""
    return is_quiet(name) and name.removeprefix("builtins.") not in CALLING_BUILTINS
