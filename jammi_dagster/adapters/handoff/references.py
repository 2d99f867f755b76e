"""Pinned references to materializations: steps hand these to each other, never the table (DESIGN 4.1)."""

from __future__ import annotations

from dataclasses import dataclass

from jammi_dagster.catalog import Answer, MaterializationRecord
from jammi_dagster.errors import ArtifactCorrupt
from jammi_dagster.store import ResultStore, StoreIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultReference:
    """A reference to one materialization of a result table: its name, id and digest, and its path in the store.

    A reference is small and picklable, so that Dagster may keep it. Its reader finds the store by `store`. `kind` is
    the kind of table that the function declares to return, for readers who ask for none. `deployment` is the one whose
    pointer answered for the name: a branch may read its parent's.
    """

    store: StoreIdentity
    table: str
    materialization_id: str
    artifact_digest: str
    artifact_path: str
    row_count: int
    kind: str | None = None
    deployment: str | None = None

    @classmethod
    def of(
        cls, store: ResultStore, record: MaterializationRecord, kind: str | None = None
    ) -> ResultReference:
        """Refer to a ready materialization of `store`. Raises `ArtifactCorrupt` for a damaged row."""
        if record.artifact_digest is None or record.row_count is None:
            why = "since its row in the catalog lacks their digest or row count"
            raise ArtifactCorrupt(table=record.table, uri=record.artifact_uri, why=why)
        return cls(
            store=store.identity,
            table=record.table,
            materialization_id=record.materialization_id,
            artifact_digest=record.artifact_digest,
            artifact_path=record.artifact_path,
            row_count=record.row_count,
            kind=kind,
            deployment=record.answered_by,
        )

    @property
    def answer(self) -> Answer:
        """The answer that the table's name had."""
        return Answer(self.deployment or self.store.deployment, self.materialization_id)


@dataclass(frozen=True, slots=True)
class PartitionReferences:
    """References by partition key, in the order of the partitions definition."""

    by_partition: dict[str, ResultReference]


@dataclass(frozen=True, slots=True)
class NoReference:
    """The value of an input that maps to no partition, or to a missing one that may be missing."""


def references_in(value: object) -> tuple[ResultReference, ...]:
    """Return the references that a value holds; none of a value that is no reference."""
    if isinstance(value, PartitionReferences):
        return tuple(value.by_partition.values())
    return (value,) if isinstance(value, ResultReference) else ()


AnyReference = ResultReference | PartitionReferences | NoReference
