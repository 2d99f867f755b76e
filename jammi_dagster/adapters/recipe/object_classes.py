"""Classes of the objects that a function gets, config and resources: their code may lie where its own does not look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dagster as dg

from jammi_dagster.fingerprint import CodeIdentity, identify
from jammi_dagster.fingerprint.known_names.config_classes import QUIET_LIBRARIES

Members = frozenset[str] | None  # the members that a function uses of an object; None: all


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectClasses:
    """The identities of the classes of a function's objects.

    `identities` are those that were asked for; None where the author's code version stands for all code.
    """

    identities: list[CodeIdentity] | None

    def code_of(self, cls: type, members: Members = None) -> str | None:
        """Return the code identity of a class; None for a built-in one."""
        if self.identities is None or cls.__module__ == "builtins":
            return None
        identity = identify(cls, of_object=True, members=members)
        self.identities.append(identity)
        return identity.digest

    def note_resource(self, resource: Any, members: Members = None) -> None:
        """Ask for the class of a resource, and for those of the resources that it holds."""
        if not _is_resource(resource):
            return
        for name in type(resource).model_fields:
            self.note_resource(getattr(resource, name))
        self.code_of(type(resource), members)

    def is_config(self, resource: Any, members: Members = None) -> bool:
        """Return whether a resource is config alone, because the code that is used of its class reads nothing."""
        return self.identities is not None and is_config(resource, members)

    def added_to(self, code: CodeIdentity) -> CodeIdentity:
        """Add the reads and needs of the classes' code to `code`; the digest stays the function's."""
        return code.with_needs_of(self.identities or [])


def is_config(resource: Any, members: Members = None) -> bool:
    """Return whether a resource is config alone: the code that a function uses of its class reads nothing.

    Hooks such as `setup_for_execution` run where nothing watches them: they may use libraries of values only.
    """
    if not isinstance(resource, dg.ConfigurableResource):
        return False
    cls = type(resource)
    used = identify(cls, of_object=True, members=members)
    hooks = identify(cls, of_object=True, members=frozenset())
    if used.outside or used.unresolved or not QUIET_LIBRARIES.issuperset(hooks.libraries):
        return False
    fields = (getattr(resource, field) for field in cls.model_fields)
    return all(is_config(one) for one in fields if _is_resource(one))


def _is_resource(value: Any) -> bool:
    return isinstance(value, (dg.ConfigurableResource, dg.ConfigurableIOManager))
