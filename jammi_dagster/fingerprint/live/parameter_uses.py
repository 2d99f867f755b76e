"""Uses of a parameter by a function: the members that it takes of the object."""

from __future__ import annotations

from jammi_dagster.fingerprint.live.callables import layers
from jammi_dagster.fingerprint.live.context_uses import tree_of
from jammi_dagster.fingerprint.syntax.members import members_of_variable


def members_used_of(fn: object, parameter: str) -> frozenset[str] | None:
    """Return the members that a function uses of the object of a parameter; None where it hands the object on.

    members_used_of(asset_function, "lake")  # frozenset({"path"})
    """
    functions = list(layers(fn))
    tree = tree_of(functions[0])[0] if len(functions) == 1 else None
    return members_of_variable(parameter, tree) if tree is not None else None
