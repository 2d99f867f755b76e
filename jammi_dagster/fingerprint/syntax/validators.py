"""Methods that pydantic calls with an object which it makes."""

from __future__ import annotations

import ast

from jammi_dagster.fingerprint.known_names.config_classes import VALIDATORS
from jammi_dagster.fingerprint.syntax.scopes import chain_of


def validates(method: ast.AST) -> bool:
    """Return whether a decorator makes a method a validator.

    >>> validates(ast.parse("@pydantic.model_validator(mode='after')\\ndef check(self): return self").body[0])
    True
    """
    named = (chain_of(decorator) or ("",) for decorator in getattr(method, "decorator_list", []))
    return any(part in VALIDATORS for chain in named for part in chain)
