"""A resource where no step holds it: set up as a step would get it, and closed again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.declaration import original


def built_resource(
    defs: Mapping[str, Any], key: str, *, instance: dg.DagsterInstance, config: Mapping[str, Any]
) -> Any:
    """Return a resource under run `config` of resources; None where none is defined. Raises any error of its own."""
    needed = {name: defs[name] for name in _needed(defs, key)}
    if not needed:
        return None
    given = {name: value for name, value in config.items() if name in needed}
    with dg.build_resources(needed, instance=instance, resource_config=given) as built:
        return original(built, key)


def _needed(defs: Mapping[str, Any], key: str) -> Iterator[str]:
    """Yield the key, and the keys of the resources that it needs, at any depth."""
    found, rest = set[str](), [key]
    while rest:
        one = rest.pop()
        if one in found or one not in defs:
            continue
        found.add(one)
        yield one
        rest.extend(defs[one].get_required_resource_keys(defs))  # those nested and configured at launch too
