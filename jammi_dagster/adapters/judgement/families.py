"""Tables that one step of a launch makes beside each other: what becomes of one for the sake of another.

A running step decides the same in `execution.tables_step`; both ask `planning.siblings`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import dagster as dg

from jammi_dagster.adapters.assets.declaration import is_graph
from jammi_dagster.adapters.code_location.current_asset import CurrentAsset
from jammi_dagster.planning.plan import Action
from jammi_dagster.planning.siblings import closed

Place = tuple[dg.AssetKey, "tuple[str, ...] | None"]
"""An asset and the partitions that a step makes of it; None for the whole."""

_FAILS = "{table}, which the same step makes, fails"
_STRENGTH: tuple[Action, ...] = ("reuse", "unknown until run", "compute or reuse", "compute", "fail")


class Along(NamedTuple):
    """The action of a table for the sake of another one of its step, and why."""

    action: Action
    reason: str


@dataclass(frozen=True, slots=True)
class Family:
    """The assets of one function that one step makes, upstream first."""

    members: Sequence[CurrentAsset]

    def along(
        self, partitions: tuple[str, ...] | None, actions: Mapping[dg.AssetKey, Action]
    ) -> dict[Place, Along]:
        """Return the stronger actions that members get for the sake of others, given the action of each by itself."""
        found: dict[Place, Along] = {}
        for action in ("compute or reuse", "compute", "fail"):
            by_themselves = {one.shown: "" for one in self.members if _is(actions[one.key], action)}
            for name, reason in self._taken(by_themselves, action).items():
                key = dg.AssetKey.from_user_string(name)
                if name not in by_themselves and not _is(actions[key], action):
                    found[key, partitions] = Along(action, reason)
        return found

    def _taken(self, by_themselves: Mapping[str, str], action: Action) -> dict[str, str]:
        if action == "fail":
            why = _FAILS.format(table=next(iter(by_themselves), ""))
            return {one.shown: why for one in self.members if by_themselves}
        definition = self.members[0].assets_def
        return closed(
            by_themselves,
            {one.shown: self._above(one, siblings=True) for one in self.members},
            {one.shown: self._above(one, siblings=False) for one in self.members},
            can_subset=not is_graph(definition) and definition.can_subset,  # ops are skipped together
        )

    def _above(self, one: CurrentAsset, *, siblings: bool) -> list[str]:
        """Return the members that one derives from: siblings, or those that a parameter gets."""
        keys = {member.key for member in self.members} - {one.key}
        above = (up.dependency for up in one.upstreams if up.dependency.is_sibling is siblings)
        return [dependency.asset_key.to_user_string() for dependency in above if dependency.asset_key in keys]


def families_of(assets: Iterable[CurrentAsset], keys: Collection[dg.AssetKey], graph: Any) -> list[Family]:
    """Return the assets that one step makes together of a launch of `keys`, without those that are alone.

    Dagster makes two steps of a function where an asset of the launch stands between two of its assets.
    """
    by_function: dict[int, list[CurrentAsset]] = {}
    for asset in assets:
        if asset.spec.is_of_many or is_graph(asset.assets_def):
            by_function.setdefault(id(asset.assets_def), []).append(asset)
    return [
        Family(members)
        for members in by_function.values()
        if len(members) > 1 and not _is_split({one.key for one in members}, keys, graph)
    ]


def _is_split(members: Collection[dg.AssetKey], launched: Collection[dg.AssetKey], graph: Any) -> bool:
    """Tell whether another asset of the launch derives from one member and has another one below it."""
    below, rest = set[dg.AssetKey](), list(members)
    while rest:
        children = (set(graph.get(rest.pop()).child_keys) & set(launched)) - below - set(members)
        below |= children
        rest += children
    return any(not set(graph.get(key).child_keys).isdisjoint(members) for key in below)


def _is(action: Action, least: Action) -> bool:
    """Tell whether an action is at least as certain to compute as another one."""
    return _STRENGTH.index(action) >= _STRENGTH.index(
        "unknown until run" if least == "compute or reuse" else least
    )
