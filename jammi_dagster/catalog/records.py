"""The values that the catalog gives out and takes in."""

from __future__ import annotations

import copy
import dataclasses
import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any, Literal, NamedTuple, TypeAlias

from jammi_dagster.contract import InputAnchor
from jammi_dagster.contract.anchors import anchors_from_list
from jammi_dagster.errors import InvalidField

GLOBAL = ""

LEASE_SECONDS = 60.0
# for so long the results of a run are kept after its last one, unless a step of it still computes
RUN_LEASE_SECONDS = 6 * 3600.0


Reach: TypeAlias = Literal["own", "live", "pinned"]
"""How far a scope sees: its own deployment, or its parent's too, as that is now or as it was at a sequence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A tenant and a namespace of pointers, in which names resolve. `tenant` is empty for the global scope.

    A branch has a `parent`: the deployment whose tables it reads where it has none, as they are now or, with
    `parent_at`, as they were at that sequence of the moves. `seen` has the rules.

    >>> Scope(deployment="new-prices", parent="prod").reach
    'live'
    """

    tenant: str = GLOBAL
    deployment: str = "default"
    parent: str | None = None
    parent_at: int | None = None

    @property
    def reach(self) -> Reach:
        """How far the scope sees."""
        if self.parent is None:
            return "own"
        return "live" if self.parent_at is None else "pinned"

    @property
    def home(self) -> str:
        """The deployment whose outside inputs are meant: the one of a branch's parent, so that the two agree."""
        return self.parent or self.deployment

    @property
    def place(self) -> dict[str, str]:
        """The columns that tell whose pointers are the scope's own."""
        return {"tenant": self.tenant, "deployment": self.deployment}

    @property
    def without_parent(self) -> Scope:
        """The scope by itself: a parent in another store is no deployment of this catalog."""
        return replace(self, parent=None, parent_at=None)

    @property
    def readable(self) -> tuple[str, ...]:
        """The tenants whose rows are visible: the own one first, then the global one (DESIGN 2.11)."""
        return (self.tenant,) if self.tenant == GLOBAL else (self.tenant, GLOBAL)

    def parameters(self) -> dict[str, Any]:
        """Give the parameters of statements that stand for the scope."""
        return {"readable": self.readable, **{name: getattr(self, name) for name in self.__slots__}}


class CatalogMark(NamedTuple):
    """The state of a catalog, for those who keep an answer of it: equal as long as no answer can have changed.

    `revision` rises with each change, and is -1 for a catalog that counts none. `mark` is random, and renewed with it:
    a catalog that was restored from a backup and written to again may reach the same revision.
    """

    catalog_id: str
    revision: int
    mark: str = ""


class CurrentMatch(NamedTuple):
    """A current materialization as a probe needs it: with the key of its anchor set, and the JSON recorded beside it.

    `set_key` is None for a row that no probe may hit: one without a manifest, or that does not tell its bytes.
    """

    record: MaterializationRecord
    set_key: str | None
    annotation: str | None


class CurrentRow(NamedTuple):
    """A table as a sweep needs it, its recorded anchors undecoded.

    `tenant` is who made it. `hides` is true for a tenant's own table, which hides the global one of its name.
    """

    table: str
    tenant: str
    hides: bool
    definition_hash: str | None
    anchors_json: str | None
    anchor_order: str | None


class CurrentCost(NamedTuple):
    """A current table as an overview needs it: its cost, its making, and if an input without a version unpins it."""

    table: str
    seconds: float | None
    size_bytes: int | None
    reproducibility: str | None
    created_at: str
    produced_by: str
    artifact_path: str
    is_unpinned: bool


class Outcomes(NamedTuple):
    """The number of tables that runs computed and reused, and the seconds that they spent and saved so."""

    computed: int = 0
    reused: int = 0
    spent: float = 0.0
    saved: float = 0.0

    @property
    def hit_rate(self) -> float | None:
        """Return the share of tables that were reused; None where no table was made.

        >>> Outcomes(computed=1, reused=3).hit_rate, Outcomes().hit_rate
        (0.75, None)
        """
        tables = self.computed + self.reused
        return self.reused / tables if tables else None

    @classmethod
    def sum(cls, found: Iterable[Outcomes]) -> Outcomes:
        """Add up the outcomes of several runs."""
        return cls(*map(sum, zip(cls(), *found, strict=True)))


def decode_anchors(
    anchors_json: str | None, anchor_order: str | None = None, *, where: str
) -> tuple[InputAnchor, ...]:
    """Decode recorded anchors, in recorded order. Raises `InvalidField`, naming `where`, for any other text.

    A source that occurs twice counts twice: nothing is recorded so by us, but nothing keeps an engine from it.
    """
    try:
        anchors = anchors_from_list(json.loads(anchors_json or ""), distinct=False)
        if anchor_order is None:
            return anchors
        order = json.loads(anchor_order)
        if sorted(order) != list(range(len(anchors))):  # an anchor left out would be one that is not compared
            raise ValueError(f"their order is {anchor_order!r}")
        return tuple(anchors[i] for i in order)
    except (ValueError, TypeError, IndexError, RecursionError) as error:
        raise InvalidField(
            what="catalog", path=where, value=anchors_json, expected=f"recorded anchors ({error})"
        ) from error


class Answer(NamedTuple):
    """The answer of a table's name when it was read as an input: the deployment whose pointer told, and where to."""

    deployment: str
    materialization_id: str


def decode_answers(recorded: object, *, where: str) -> dict[str, Answer]:
    """Read recorded answers, a mapping of sources to pairs. Raises `InvalidField`, naming `where`, for anything else.

    >>> decode_answers({"prices": ["prod", "0190"]}, where="table totals")["prices"].deployment
    'prod'
    """
    if isinstance(recorded, Mapping):
        pairs = {source: pair for source, pair in recorded.items() if isinstance(pair, list | tuple)}
        if all(map(_is_answer, pairs.values())) and len(pairs) == len(recorded):
            return {source: Answer._make(pair) for source, pair in pairs.items()}
    expected = "for each input a deployment and a materialization"
    raise InvalidField(what="catalog", path=where, value=recorded, expected=expected)


def _is_answer(pair: Sequence[object]) -> bool:
    return len(pair) == 2 and all(isinstance(one, str) for one in pair)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to finish one `building` row: the flip fails for any other token."""

    token: str
    owner: str
    seconds: float


MoveOutcome: TypeAlias = Literal[
    "computed",
    "reused",
    "dropped",
    "lost",
    "returned",
    "adopted",
    "rolled_back",
    "promoted",
    "collected",
    "ended",
    "undropped",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A move of a table's name: from then on it resolves to this materialization, or to none.

    `outcome` is the act, `reason` its cause in words, `run_id` the run that did it. `sequence` orders all moves of a
    catalog; the moves of one transaction share it. `start_sequence` is the start that moved the name. `at` is RFC 3339
    in UTC, by the database's clock.
    """

    table: str
    tenant: str
    deployment: str
    sequence: int
    start_sequence: int
    materialization_id: str | None
    outcome: MoveOutcome
    reason: str | None
    run_id: str | None
    at: str

    def to_dict(self) -> dict[str, Any]:
        """Give the move as JSON."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A deployment that reads the tables of its parent where it has none.

    `parent` is None where that is another store, whose catalog has it. `parent_at` is the sequence at which the parent
    is read, None for a parent that is read as it is. Times are RFC 3339 in UTC, by the database's clock; a branch that
    lasts until it is dropped has no `expires_at`.
    """

    name: str
    parent: str | None
    parent_at: int | None
    created_at: str
    expires_at: str | None

    def to_dict(self) -> dict[str, Any]:
        """Give the branch as JSON."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A table whose name stays where it is: runs record, but do not move it. `since` is RFC 3339 in UTC.

    `for_definition` is set where a promotion came before the code: the hold ends once the code has this definition.
    """

    table: str
    deployment: str
    materialization_id: str | None
    by: str
    since: str
    reason: str | None
    for_definition: str | None = None

    def keeps(self, definition: str | None) -> bool:
        """Tell whether a run of this definition leaves the name where it is."""
        return self.for_definition is None or self.for_definition != definition

    def __str__(self) -> str:
        """Word the hold for people."""
        because = f" ({self.reason})" if self.reason else ""
        return f"held by {self.by} since {self.since[:19]}{because}"

    def to_dict(self) -> dict[str, Any]:
        """Give the hold as JSON."""
        return dataclasses.asdict(self)


def rfc3339(seconds: float) -> str:
    """Word seconds since the epoch as RFC 3339 in UTC; a damaged value, which no date has, stays as it is.

    >>> rfc3339(0.5)
    '1970-01-01T00:00:00.500000+00:00'
    >>> rfc3339(9e18)
    '9e+18'
    """
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).isoformat()
    except (OverflowError, OSError, TypeError, ValueError):
        return str(seconds)


@dataclass(frozen=True, kw_only=True)
class MaterializationRecord:
    """One materialization as the catalog holds it.

    `row_count` is in rows, `size_bytes` in bytes, `compute_seconds` in seconds; the three and the digest are None
    until the row is ready. `definition_hash` is None for a table from before the contract. `created_at` and
    `completed_at` are RFC 3339 in UTC. `reproducibility` is `reproduced`, `diverged`, or None where nothing
    earlier was made of the same definition and inputs under the same writer profile.
    """

    materialization_id: str
    table: str
    status: Literal["building", "ready", "failed", "dropped", "collecting", "collected"]
    tenant: str
    deployment: str
    artifact_path: str
    artifact_uri: str
    artifact_digest: str | None
    size_bytes: int | None
    row_count: int | None
    definition_hash: str | None
    compute_seconds: float | None
    reproducibility: str | None
    produced_by: str
    start_sequence: int
    created_at: str
    completed_at: str | None
    # not compared: a query of many records leaves them out
    anchors_json: str | None = field(repr=False, compare=False)
    anchor_order: str | None = field(repr=False, compare=False)
    answers_json: str | None = field(default=None, repr=False, compare=False)
    # the deployment whose pointer the name resolved to, where a name was asked for: a branch may read its parent's
    answered_by: str | None = field(default=None, compare=False)
    # the moves that made it current, the latest first; only `ResultStore.history` loads them
    moves: tuple[Move, ...] = field(default=(), repr=False, compare=False)

    @functools.cached_property
    def input_anchors(self) -> tuple[InputAnchor, ...]:
        """The recorded inputs in recorded order; decoded on first use, since a fan-in has thousands.

        Raises `InvalidField` for a row that has none, and for one of many, with which they are not read.
        """
        if self.definition_hash is None:
            return ()
        return decode_anchors(self.anchors_json, self.anchor_order, where=f"table {self.table}")

    @functools.cached_property
    def answers(self) -> Mapping[str, Answer]:
        """The answer that each input's name had when it was read; inputs of which none was recorded are left out.

        Raises `InvalidField` for a damaged row.
        """
        try:
            recorded = json.loads(self.answers_json or "{}")
        except (ValueError, TypeError, RecursionError):
            recorded = self.answers_json
        return decode_answers(recorded, where=f"table {self.table}")

    @classmethod
    def of_fields(cls, fields: dict[str, Any]) -> MaterializationRecord:
        """Give the record with these fields, all of them: its own constructor takes ten times as long."""
        record = object.__new__(cls)
        record.__dict__.update(fields)
        return record

    def with_anchors(self, anchors: Sequence[InputAnchor]) -> MaterializationRecord:
        """Give the same record, for which the caller knows the anchors already."""
        known = copy.copy(self)
        known.__dict__["input_anchors"] = tuple(anchors)
        return known

    def to_dict(self) -> Mapping[str, Any]:
        """Give the record as JSON, for people and programs."""
        hidden = {
            "anchors_json",
            "anchor_order",
            "input_anchors",
            "moves",
            "answers_json",
            "answers",
            "answered_by",
        }
        plain = {name: value for name, value in self.__dict__.items() if name not in hidden}
        return {**plain, "input_anchors": [anchor.to_dict() for anchor in self.input_anchors]}


def artifact_of(path: str) -> str:
    """Give the artifact that an object belongs to: itself, or the one that a sidecar or tombstone lies beside."""
    return path.replace(".materialization.json", ".parquet").replace(".collected.json", ".parquet")


def id_of(path: str) -> str:
    """Give the materialization that an object belongs to, by its name.

    >>> id_of("tables/orders-0f/01J.materialization.json")
    '01J'
    """
    return artifact_of(path).rsplit("/", 1)[-1].removesuffix(".parquet")
