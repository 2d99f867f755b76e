"""Deployments: branches that end, and promotions from one deployment to another."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from jammi_dagster import maintenance
from jammi_dagster.catalog import Branch, CatalogReader, PromotionRows
from jammi_dagster.contract import DefinitionHash
from jammi_dagster.contract.fields import check_flags
from jammi_dagster.deployments import checked_name
from jammi_dagster.errors import InvalidField
from jammi_dagster.planning.promotion import Promotion, PromotionPlan
from jammi_dagster.sensing import Observations
from jammi_dagster.store.user import user_name
from jammi_dagster.store.writing import WrittenStore
from jammi_dagster.surfaces import VersionSurface


class DeployedStore(WrittenStore):
    """The part of a store that ends branches and promotes tables."""

    def deployments(self) -> list[Branch]:
        """List the branches of this store in which the tenant has tables, and this one if it is a branch.

        [(one.name, one.parent, one.expires_at) for one in store.deployments()]
        """
        return self._deployments.listed()

    def drop_deployment(self, name: str) -> None:
        """Take all of the tenant's names away in a branch, and end it: its pointers keep nothing alive any more.

        Only the branch is touched; the same name can be used again. Raises `InvalidDeployment` for a deployment that is
        no branch, and `TableHeld`.
        """
        self.binding.check()
        self._deployments.drop(checked_name(self.artifacts, name))

    def expire_deployments(self) -> list[str]:
        """End the tenant's part of all branches whose time has come, as `drop_deployment` does; give their names.

        A branch in which a table is held stays until it is released.
        """
        self.binding.check()
        return self._deployments.expire()

    def sequence(self) -> int:
        """Return the sequence of now, for `parent_at`: a parent read at it stays as it is now."""
        return self._deployments.sequence()

    def promotion_plan(
        self,
        to: str,
        tables: Iterable[str] | None = None,
        *,
        definitions: Mapping[str, DefinitionHash | str] | None = None,
        surfaces: Iterable[VersionSurface] = (),
        ahead_of_code: bool = False,
        create: bool = False,
    ) -> PromotionPlan:
        """Plan to promote tables of this deployment to the deployment `to`; nothing is written.

        `tables` are names of tables, of assets with all their partitions, or `asset@partition`; by default all own
        tables that `to` has otherwise, or not at all. `definitions` are those of the target's code now, by table: one
        that has another is refused, unless it is to be held `ahead_of_code`. `surfaces` observe external inputs.
        The plan tells each refusal, and the tables that become stale. Raises `UnknownTable`, `InvalidStore`, and
        `PromotionRefused` for this deployment itself, and for an unknown one whose name is like that of a known one,
        unless it is to be made (`create`).

            print(store.promotion_plan("prod").refusals)    # {}
        """
        check_flags("promotion", ahead_of_code=ahead_of_code, create=create)
        promoter = self._promoter(to, definitions, surfaces, may_create=create)
        return promoter.plan(tables, ahead_of_code=ahead_of_code)

    def promote(
        self,
        to: str,
        tables: Iterable[str] | None = None,
        plan: PromotionPlan | Mapping[str, Any] | None = None,
        *,
        definitions: Mapping[str, DefinitionHash | str] | None = None,
        surfaces: Iterable[VersionSurface] = (),
        ahead_of_code: bool = False,
        create: bool = False,
        by: str | None = None,
        reason: str | None = None,
    ) -> Promotion:
        """Make tables of this deployment current in the deployment `to`: all or none, without a run or a copy.

        `plan` is one of `promotion_plan`, or the `undo()` of a promotion; without it one is made, with the same
        arguments. The pointers of both deployments must be as planned. Tables that the target's code has otherwise are
        held there `ahead_of_code`, until it agrees. Dagster's events are sent by the next tick of a sensor.

        Raises, with nothing moved, `PlanOutdated`, `TableHeld`, `PromotionRefused`, and as `promotion_plan`.

            done = store.promote("prod", ["orders", "daily@2026-03-01"])
            store.promote("prod", plan=done.undo())
        """
        check_flags("promotion", ahead_of_code=ahead_of_code, create=create)
        self.binding.check()
        self.database.check_writable()
        promoter = self._promoter(to, definitions, surfaces, may_create=create or plan is not None)
        if plan is not None and not isinstance(plan, PromotionPlan):
            plan = PromotionPlan.from_dict(plan)
        by = user_name(by, reason)
        return promoter.promote(plan, tables, ahead_of_code=ahead_of_code, by=by, reason=reason)

    def promotions(self) -> list[Promotion]:
        """List the promotions to this deployment that are on record, the latest first."""
        return PromotionRows(self.database, self.scope, self.scope, self.artifacts.uri).recorded()

    def _promoter(
        self,
        to: str,
        definitions: Mapping[str, DefinitionHash | str] | None,
        surfaces: Iterable[VersionSurface],
        *,
        may_create: bool,
    ) -> maintenance.Promoter:
        if not isinstance(definitions, Mapping | None):
            expected = "a mapping of tables to definition hashes"
            raise InvalidField(what="promotion", path="definitions", value=definitions, expected=expected)
        target = self.of_deployment(to)
        assert isinstance(target.reader, CatalogReader), "an engine's catalog has no store beside"
        return maintenance.Promoter(
            rows=PromotionRows(self.database, self.scope, target.scope, self.artifacts.uri),
            source=self.scope,
            target=target.scope,
            reader=target.reader,
            root=self.artifacts,
            definitions=definitions,
            observations=Observations(surfaces),
            is_elsewhere=self._parent is not None and to == self.scope.parent,
            near=() if may_create else self._deployments_like(to, target.reader.deployments()),
        )

    def _deployments_like(self, to: str, named: Iterable[str]) -> list[str]:
        """List the known deployments whose names are like an unknown one; none for a known one."""
        branches = (name for one in self.deployments() for name in (one.name, one.parent))
        known = {self.scope.parent, *named, *branches} - {None, self.scope.deployment}
        return [] if to in known else difflib.get_close_matches(to, sorted(map(str, known)), cutoff=0.7)
