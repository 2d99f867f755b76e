"""Deployments of a store: branches begin and end here, and a branch's scope is checked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone

from jammi_dagster.artifacts import ArtifactRoot
from jammi_dagster.catalog import (
    Answer,
    Branch,
    BranchRows,
    CatalogReader,
    Database,
    MaterializationRecord,
    Scope,
)
from jammi_dagster.contract import AnchorKind, InputAnchor
from jammi_dagster.contract.anchors import check_distinct
from jammi_dagster.contract.fields import is_finite
from jammi_dagster.contract.tables import check_source
from jammi_dagster.errors import InvalidDeployment, InvalidField, InvalidStore, InvalidTableName
from jammi_dagster.sensing import Rows

_DAY_SECONDS = 86_400


def scope_of(
    artifacts: ArtifactRoot,
    tenant: str | None,
    deployment: str,
    parent: str | None = None,
    *,
    parent_at: int | None = None,
) -> Scope:
    """Build a scope. Raises `InvalidStore` for a name that is not text which every database can hold.

    Raises `InvalidDeployment` for a deployment that is its own parent, and for a sequence without a parent.
    """
    for name in (deployment, *(one for one in (tenant, parent) if one is not None)):
        checked_name(artifacts, name)
    if parent == deployment:
        why = "it is named as its own parent; leave parent= out, or name another deployment"
        raise InvalidDeployment(deployment=deployment, why=why)
    if parent_at is not None:
        if parent is None:
            why = "parent_at= belongs to a parent; give parent=, too"
            raise InvalidDeployment(deployment=deployment, why=why)
        if isinstance(parent_at, bool) or not isinstance(parent_at, int) or not 0 <= parent_at < 2**63:
            expected = "a sequence of the catalog, as `store.sequence()` gives it"
            raise InvalidField(what="store", path="parent_at", value=parent_at, expected=expected)
    return Scope(tenant=tenant or "", deployment=deployment, parent=parent, parent_at=parent_at)


def checked_name(artifacts: ArtifactRoot, name: str) -> str:
    """Return the name of a tenant or deployment. Raises `InvalidStore` for one that not every database can hold."""
    try:
        return check_source(name)
    except InvalidTableName:
        why = f"{name!r} cannot name a tenant or deployment; use text that is not empty, or leave it out"
        raise InvalidStore(root=artifacts.name, why=why) from None


def answers_of(reader: Rows, scope: Scope, inputs: Sequence[InputAnchor]) -> dict[str, Answer]:
    """Find the materialization that answers for each input that is recorded by content, if its digest is that one.

    Raises `DuplicateInput`, and `InvalidField` for an input that is no anchor.
    """
    check_distinct(inputs)
    digests = {one.source: one.anchor for one in inputs if one.kind is AnchorKind.RESULT_DIGEST}
    return {
        table: Answer(record.answered_by or scope.deployment, record.materialization_id)
        for table, record in (reader.current_of(digests) if digests else {}).items()
        if record.artifact_digest == digests[table]
    }


def rows_of_parent(rows: Rows, parent: Scope, branch: Scope) -> Rows:
    """Give the rows of a parent in another store, as they are or as they were at the branch's sequence.

    Raises `InvalidDeployment` for a parent that is a branch, an engine's, another tenant's or not told by its name.
    """
    why = ""
    if parent.parent is not None:
        why = f"its parent is a branch of {parent.parent}, and a branch of a branch is not read through"
    elif not isinstance(rows, CatalogReader):
        why = "its parent is an engine's store; name a store of ours, of which the state can be compared"
    elif parent.tenant != branch.tenant:
        why = "its parent is opened for another tenant; open both for the same one"
    if why:
        raise InvalidDeployment(deployment=branch.deployment, why=why)
    if branch.parent_at is None:
        return rows
    # a branch of no name has no pointer of its own
    past = replace(parent, deployment="", parent=parent.deployment, parent_at=branch.parent_at)
    assert isinstance(rows, CatalogReader), "another one was refused"
    return rows.in_scope(past)


class Deployments:
    """The branches of a store's catalog, as one scope sees them. An engine's catalog has none."""

    def __init__(
        self, database: Database, scope: Scope, ttl_days: float | None, *, over_another: bool = False
    ) -> None:
        """Check the scope's parent, which is that of another store for a branch `over_another`.

        Raises `InvalidDeployment`, and `InvalidField` for a time that is none.
        """
        if ttl_days is not None and not (is_finite(ttl_days) and ttl_days > 0):
            expected = "a number of days above 0, or None for a branch that lasts"
            raise InvalidField(what="store", path="ttl_days", value=ttl_days, expected=expected)
        self._database, self._scope = database, scope
        self._is_branch = over_another or scope.parent is not None
        self.ttl_seconds: float | None = math.inf if over_another else None
        if ttl_days is not None and self._is_branch:
            self.ttl_seconds = ttl_days * _DAY_SECONDS
        self._rows = BranchRows(database, scope, self.ttl_seconds)
        if self._is_branch:
            self._rows.check()

    def begin(self) -> None:
        """Note this deployment as a branch, if it is one, before its first write; renew the time that it has.

        Raises `InvalidDeployment` for a branch whose time has come, where it gets none here.
        """
        if self._is_branch:
            self._rows.register()
        elif not self._database.is_foreign:
            self._rows.check_time()

    def hide(self, record: MaterializationRecord) -> bool:
        """Hide a table that is read from the parent; False for any other."""
        return record.answered_by not in (None, self._scope.deployment) and self._rows.hide(record.table)

    def listed(self) -> list[Branch]:
        """List the branches that the tenant has tables in, and this one."""
        return [] if self._database.is_foreign else self._rows.listed()

    def find(self, name: str) -> Branch | None:
        """Find a branch by its name."""
        return self._rows.find(name)

    def days_left(self, branch: Branch) -> float | None:
        """Return the days until a branch ends, a second at least; None for one that lasts."""
        if branch.expires_at is None:
            return None
        left = datetime.fromisoformat(branch.expires_at) - datetime.now(timezone.utc)
        return max(left.total_seconds(), 1.0) / _DAY_SECONDS

    def drop(self, name: str) -> None:
        """End a branch. Raises `InvalidDeployment` for a deployment that is none."""
        if not self._rows.drop(name):
            known = ", ".join(branch.name for branch in self.listed())
            why = "it is no branch, so it is not dropped as a whole; drop its tables"
            raise InvalidDeployment(deployment=name, why=f"{why}, or name one of {known}" if known else why)

    def expire(self) -> list[str]:
        """End the branches whose time has come."""
        return self._rows.expire()

    def sequence(self) -> int:
        """Return a sequence from which on later moves count as later."""
        return self._rows.sequence()
