"""One step of Dagster that makes several assets, under decision: which are reused, and which one call makes.

Each asset is decided as if its step made no other, over the siblings that are reused; `planning.siblings` says which
others the call takes along. A computation is carried out in `tables_compute`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import dagster as dg

from jammi_dagster.adapters.execution.materialize import decide
from jammi_dagster.adapters.execution.reuse import Hit
from jammi_dagster.adapters.execution.table_step import TableStep
from jammi_dagster.adapters.recipe.draft import Draft
from jammi_dagster.adapters.recipe.inputs import MADE_ALONG
from jammi_dagster.contract import CachePolicy, TableName
from jammi_dagster.planning.siblings import ABOVE, closed
from jammi_dagster.planning.step_plan import StepPlan, decide_step

Policies = Mapping[dg.AssetKey, CachePolicy]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One asset of the step. `inside` are the selected siblings that it derives from, `outside` those not selected.

    `given` are selected assets that it derives from, and that a parameter of the function gets.
    """

    tables: TableStep
    inside: tuple[dg.AssetKey, ...]
    outside: tuple[dg.AssetKey, ...]
    given: tuple[dg.AssetKey, ...]

    @classmethod
    def of(cls, tables: TableStep, selected: Sequence[dg.AssetKey]) -> Member:
        """Return the member that makes these tables in a step that selects these assets."""
        key, siblings = tables.step.asset_key, set[dg.AssetKey]()
        inside, given = list[dg.AssetKey](), list[dg.AssetKey]()
        for one in tables.step.dependencies:
            if one.is_sibling:
                siblings.add(one.asset_key)
            if one.asset_key in selected and one.asset_key != key:
                (inside if one.is_sibling else given).append(one.asset_key)
        outside = tuple(sorted(siblings.difference(inside)))
        return cls(tables=tables, inside=tuple(inside), outside=outside, given=tuple(given))

    @property
    def key(self) -> dg.AssetKey:
        """The asset."""
        return self.tables.step.asset_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One member with its draft, its plan and the hits that it is reused by. `tables` see the siblings as decided."""

    member: Member
    tables: TableStep
    draft: Draft
    plan: StepPlan
    hits: tuple[Hit, ...] = ()

    @property
    def is_reused(self) -> bool:
        """Tell whether its tables are reused."""
        return self.plan.verdict == "reuse"

    def digests(self) -> dict[str, str]:
        """Return the digest of each of its tables; of those to be computed the mark that stands for one."""
        if self.is_reused:
            return {str(hit.record.table): str(hit.record.artifact_digest) for hit in self.hits}
        return {table: f"{MADE_ALONG}{table}" for table in self.tables.step.tables}


def decide_members(
    members: Sequence[Member],
    policies: Policies,
    *,
    can_subset: bool,
    checks: Sequence[dg.AssetCheckKey] = (),
) -> dict[dg.AssetKey, Decided]:
    """Draft, probe and decide each member of a step; they come upstream first.

    Where the step also selects `checks` of assets that it does not make, the function is called, and makes all.
    """
    found: dict[dg.AssetKey, Decided] = {}
    digests: dict[str, str] = {}
    for member in members:
        tables = replace(member.tables, siblings=dict(digests))
        one = Decided(member=member, tables=tables, draft=tables.draft(), plan=_UNDECIDED)
        policy = policies[member.key]
        above = [key for key in (*member.inside, *member.given) if not found[key].is_reused]
        if checks:
            check, asset = checks[0].name, checks[0].asset_key.to_user_string()
            one = _computed(one, _CHECKS.format(check=check, asset=asset), policy)
        elif above:
            one = _computed(one, ABOVE.format(table=above[0].to_user_string()), policy)
        else:
            decision = decide(tables, one.draft, policy)
            one = replace(one, plan=decision.plan, hits=decision.hits)
        found[member.key] = one
        digests.update(one.digests())
    names = {key.to_user_string(): key for key in found}
    why = closed(
        {name: "" for name, key in names.items() if not found[key].is_reused},
        {name: [one.to_user_string() for one in found[key].member.inside] for name, key in names.items()},
        {name: [one.to_user_string() for one in found[key].member.given] for name, key in names.items()},
        can_subset=can_subset,
    )
    for name, reason in why.items():
        one = found[names[name]]
        if one.is_reused:
            one = _computed(one, reason, policies[one.member.key])
        found[names[name]] = _without_outside(one)
    return found


_UNDECIDED = StepPlan(tables=(), verdict="undecidable")


def _computed(one: Decided, reason: str, policy: CachePolicy) -> Decided:
    """Return a member that is computed for the sake of another one."""
    facts = [fact._replace(barriers=(reason, *fact.barriers), is_probed=False) for fact in one.draft.facts()]
    return replace(one, plan=decide_step(facts, policy), hits=())


def _without_outside(one: Decided) -> Decided:
    """Unpin the siblings that the run did not select: the function may make them anew in memory."""
    inputs = one.draft.inputs
    for key in one.member.outside:
        reason = _NOT_SELECTED.format(sibling=key.to_user_string(), asset=one.tables.asset_name)
        for partition in one.tables.step.partition_keys:
            inputs = inputs.without_pin(str(TableName.of(key.path, partition)), reason)
    return replace(one, draft=replace(one.draft, inputs=inputs))


_CHECKS = "the function is called for the check {check} of {asset}, which the run does not select"

_NOT_SELECTED = (
    "{sibling}, which {asset} derives from, is made by the same function, and the run did not select it: "
    "select {sibling} too, or take it as a parameter of the function"
)
