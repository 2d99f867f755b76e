"""The effects that some code may have on the names of modules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

Name = tuple[str, str]  # the path of a first-party file, and a name of its module
EXIT = ""  # stands for the names of a module where loading it may fail
Targets = frozenset[Name] | None  # None: everything


class Effect(NamedTuple):
    """The names that some code may change; `deep` are those within whose values it may change further objects.

    `named` are the first-party names among the targets, `foreign` the names of other packages whose state it may
    change: both are told also where other targets are not known.
    """

    targets: Targets
    deep: frozenset[Name] = frozenset()
    changes_arguments: bool = False
    named: frozenset[Name] = frozenset()
    foreign: frozenset[str] = frozenset()


NOTHING = Effect(frozenset())
ANYTHING = Effect(None, changes_arguments=True)


def merged(effects: Iterable[Effect]) -> Effect:
    """Return the effect of code that has all of these."""
    named: set[Name] = set()
    deep: set[Name] = set()
    foreign: set[str] = set()
    is_known, changes_arguments = True, False
    for effect in effects:
        is_known &= effect.targets is not None
        named |= effect.targets or effect.named
        deep |= effect.deep
        foreign |= effect.foreign
        changes_arguments |= effect.changes_arguments
    if is_known:
        return Effect(frozenset(named), frozenset(deep), changes_arguments, foreign=frozenset(foreign))
    return ANYTHING._replace(named=frozenset(named), foreign=frozenset(foreign))
