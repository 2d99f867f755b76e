"""The report of a collection: the materializations that went, and why each other one stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from jammi_dagster.maintenance.collection.policy import RetentionPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyAlive:
    """The reason why a materialization stays: a path from it to a root, or to a rule of a policy; empty for none.

    >>> path = ("an input of 0191", "current in deployment prod")
    >>> print(WhyAlive(materialization_id="0190", table="raw", path=path))
    raw 0190: an input of 0191, current in deployment prod
    """

    materialization_id: str
    table: str
    path: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.path)

    def __str__(self) -> str:
        why = ", ".join(self.path) or "nothing keeps it: a collection removes it"
        return f"{self.table} {self.materialization_id}: {why}"

    def to_dict(self) -> dict[str, Any]:
        """Give the reason as JSON."""
        return {"materialization_id": self.materialization_id, "table": self.table, "path": list(self.path)}


class Reasons(Protocol):
    """The questions that `Kept` answers by."""

    def kept(self) -> Iterator[WhyAlive]:
        """Yield all materializations that stay."""

    def why(self, materialization_ids: Sequence[str]) -> list[WhyAlive]:
        """Say why each of these stays."""


class Kept(Mapping[str, WhyAlive]):
    """The materializations that stay, by id. Nothing of it is in memory: each look asks the catalog."""

    def __init__(self, reasons: Reasons, count: int) -> None:
        self._reasons, self._count = reasons, count

    def __getitem__(self, materialization_id: str) -> WhyAlive:
        for one in self._reasons.why([materialization_id]):
            if one:
                return one
        raise KeyError(materialization_id)

    def __iter__(self) -> Iterator[str]:
        return (one.materialization_id for one in self._reasons.kept())

    def __len__(self) -> int:
        return self._count

    def values(self) -> Iterator[WhyAlive]:  # type: ignore[override]  # a stream: a view would ask once for each
        """Stream the reasons."""
        return self._reasons.kept()

    def items(self) -> Iterator[tuple[str, WhyAlive]]:  # type: ignore[override]  # a stream, as `values`
        """Stream ids and reasons."""
        return ((one.materialization_id, one) for one in self._reasons.kept())


@dataclass(slots=True, kw_only=True)
class PruneReport:
    """The tables whose names `prune` took away, or with `dry_run` would; those that are `held` stay, each by whom."""

    dry_run: bool
    dropped: list[str] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Give the report as JSON."""
        return asdict(self)


@dataclass(slots=True, kw_only=True)
class CollectionReport:
    """The changes that a collection made, or with `dry_run` would make.

    Ids of materializations that were `marked` (nothing keeps them, they go after the grace period), `waiting` (marked
    by an earlier collection, and their grace is not over), `unmarked` (something keeps them again) and `collected`
    (their objects are gone). `bytes_by_table` says for each table how many bytes go, those of marked ones included.
    `kept` maps the id of each other one to the reason why it stays. Paths of objects that the catalog does not know
    are `unknown`: `adopt` or `recover` decide about them. `unreadable` are ids and paths that the storage refused, each
    with the reason. `pruned` counts the rows beside the tables that were removed, `old_tombstones` the tombstones;
    `ended` are branches whose time came. `clock_was_set`: the database's clock was set since an earlier collection, so
    that each grace began anew.
    """

    plan_id: str
    dry_run: bool
    policy: RetentionPolicy
    kept: Mapping[str, WhyAlive] = field(default_factory=dict)
    marked: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    unmarked: list[str] = field(default_factory=list)
    collected: list[str] = field(default_factory=list)
    bytes_by_table: dict[str, int] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    pruned: dict[str, int] = field(default_factory=dict)
    old_tombstones: int = 0
    ended: list[str] = field(default_factory=list)
    clock_was_set: bool = False

    @property
    def total_bytes(self) -> int:
        """Return the bytes of all tables that go."""
        return sum(self.bytes_by_table.values())

    def to_dict(self, *, kept: bool = True) -> dict[str, Any]:
        """Give the report as JSON; without `kept` leave all the reasons out."""
        plain = {name: getattr(self, name) for name in self.__slots__ if name != "kept"}
        reasons = {"kept": {one: why.to_dict() for one, why in self.kept.items()}} if kept else {}
        return {**plain, "policy": self.policy.to_dict(), **reasons, "total_bytes": self.total_bytes}
