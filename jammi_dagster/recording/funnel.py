"""The funnel: the only way in which a materialization comes to be (DESIGN 2.5).

Bytes durable, then sidecar durable, then one catalog transaction that flips the row and moves the pointer. A
crash between any two steps leaves a `building` row and objects that no ready row names, and nothing that reads.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from types import TracebackType
from typing import TYPE_CHECKING, Any

from jammi_dagster import __version__
from jammi_dagster.artifacts import (
    SIDECAR_LIMIT,
    ArtifactRoot,
    artifact_path,
    sidecar_path,
)
from jammi_dagster.catalog import (
    LEASE_SECONDS,
    Answer,
    BuildingRow,
    Busy,
    CatalogWriter,
    Flight,
    Lease,
    MaterializationRecord,
    ReadyRow,
    Scope,
)
from jammi_dagster.contract import (
    AnchorKind,
    ArtifactDigest,
    DefinitionHash,
    InputAnchor,
    Leaf,
    MaterializationEnv,
    MaterializationManifest,
    ProducingDescriptor,
    canonical_json,
)
from jammi_dagster.contract.anchors import check_distinct
from jammi_dagster.errors import ForkedWriter, InvalidField, JammiError, ManifestTooLarge
from jammi_dagster.recording.leases import RENEW_SECONDS, Heart
from jammi_dagster.sensing import Rows
from jammi_dagster.sensing.why import cause
from jammi_dagster.threads import Workers

if TYPE_CHECKING:
    from jammi_dagster.artifacts import WrittenArtifact

# in each of n sidecars n names: more would be read and written for longer than the tables themselves
_MOST_NAMED = 100
# at once, to one root: a disk syncs several files in the time of one, and an object store answers side by side
_MOST_WRITES = 8


def utc_now() -> datetime:
    """Give the present instant by this machine's clock: for people; nothing orders by it."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The facts that the funnel needs of one written table in order to publish it.

    `own` goes into the sidecar under this package's key; a reuse emits `annotation` again, and saves
    `compute_seconds`. `is_exact` is False for an object whose bytes may differ where it is equal. `answers` tell which
    materialization of which deployment each input was; they are recorded, and enter neither anchors nor definition.
    """

    table: str
    descriptor: ProducingDescriptor
    env: MaterializationEnv
    definition: DefinitionHash
    input_anchors: Sequence[InputAnchor]
    compute_seconds: float | None = None
    is_exact: bool = True
    own: Mapping[str, Any] = field(default_factory=dict)
    annotation: Mapping[str, Any] | None = None
    answers: Mapping[str, Answer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_distinct(self.input_anchors)


def _answers(output: Output) -> dict[str, list[str]]:
    """Give the answers of the inputs that are recorded by content; one that moved meanwhile has none."""
    pinned = {anchor.source for anchor in output.input_anchors if anchor.kind is AnchorKind.RESULT_DIGEST}
    return {source: list(answer) for source, answer in output.answers.items() if source in pinned}


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A materialization that is ready. `is_current` is False where its pointer is elsewhere."""

    record: MaterializationRecord
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """The funnel of one store. Clock and ids are arguments, so that tests decide them.

    `check_root` raises where the root is no longer the catalog's. It is asked before bytes are written and before the
    flip, since a volume may be gone by then, and the folders below its mount point are not its own.
    """

    reader: Rows
    writer: CatalogWriter
    root: ArtifactRoot
    scope: Scope
    check_root: Callable[[], None] = lambda: None
    clock: Callable[[], datetime] = utc_now
    random_hex: Callable[[int], str] = secrets.token_hex

    def begin(
        self,
        tables: Sequence[str],
        *,
        produced_by: str,
        owner: str,
        start_sequence: int | None = None,
        flights: Mapping[str, Flight] | None = None,
    ) -> Attempt | Busy:
        """Begin to materialize `tables`, all or none; use the attempt as a context manager.

        `produced_by` names the run, `owner` the step in it: rows that the same owner left `building` are taken over.
        `start_sequence` is from `CatalogWriter.next_start` where the step started before this call. With `flights`
        (table -> the computation about to begin) nothing begins while another owner with a live lease computes one of
        them: that is `Busy`.
        """
        start = self.writer.next_start() if start_sequence is None else start_sequence
        lease = Lease(token=self.random_hex(16), owner=owner, seconds=LEASE_SECONDS)
        now, attempt = self.clock(), self.random_hex(16)
        rows = {
            table: replace(
                self._row(table, start, now), attempt_id=attempt, flight=(flights or {}).get(table)
            )
            for table in tables
        }
        busy = self.writer.begin(list(rows.values()), produced_by=produced_by, lease=lease)
        return busy or Attempt(recorder=self, rows=rows, lease=lease, produced_by=produced_by)

    def _row(self, table: str, start: int, now: datetime) -> BuildingRow:
        # as UUIDv7 does: 48 bits of milliseconds, then random bits; sorts by time, unique without asking anyone
        materialization_id = f"{int(now.timestamp() * 1000) & (2**48 - 1):012x}{self.random_hex(10)}"
        return BuildingRow(
            materialization_id=materialization_id,
            table=table,
            artifact_path=artifact_path(self.scope.tenant or None, table, materialization_id),
            start_sequence=start,
            created_at=now.isoformat(),
        )


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One passage through the funnel: `write` each table's bytes, then `publish` them together.

    Left by an exception, or without `publish`, it marks its rows failed and removes their objects.
    """

    recorder: Recorder
    rows: Mapping[str, BuildingRow]
    lease: Lease
    produced_by: str
    written: dict[str, WrittenArtifact] = field(default_factory=dict)
    _open: bool = True
    _heart: Heart = field(init=False)
    _write: Callable[..., WrittenArtifact] = field(init=False)
    _pid: int = field(init=False, default_factory=os.getpid)

    def __post_init__(self) -> None:
        # here, not in `write`, where the files that are read are watched for a function's
        from jammi_dagster.artifacts import write_parquet  # half of pyarrow, which a reuse does not need

        self._write = write_parquet
        self._heart = Heart(lambda: self.recorder.writer.renew(self.lease), every=RENEW_SECONDS)

    def __enter__(self) -> Attempt:
        try:
            self._heart.start()
        except JammiError:
            self.give_up()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._heart.stop()
        self.give_up()

    def give_up(self) -> None:
        """End an attempt that was not published: fail its rows, and remove their objects.

        Does nothing in a forked child: the attempt is its parent's.
        """
        if self._open and os.getpid() == self._pid:
            self._open = False
            with contextlib.suppress(JammiError):  # recovery undoes the rest
                self._abandon()

    def write(
        self, table: str, data: Any, *, progress: Callable[[int], None] | None = None
    ) -> WrittenArtifact:
        """Stream `data` to the table's artifact; durable when it returns. Raises as `write_parquet` does."""
        self._check_process()
        self.recorder.check_root()
        row = self.rows[table]
        written = self._write(self.recorder.root, row.artifact_path, data, table=table, progress=progress)
        self.written[table] = written
        return written

    def publish(
        self,
        outputs: Sequence[Output],
        *,
        run_id: str | None = None,
        moves: bool = True,
        reused: Sequence[tuple[str, str]] = (),
    ) -> list[Publication]:
        """Write the sidecars, then flip all rows in one transaction; without `moves`, no pointer moves.

        `reused` are other tables with the materializations that become current in the same transaction.
        `outputs` are all tables of the attempt, each written and once: else `InvalidField`, before anything is
        written. Raises `LeaseLost`, `NotCanonical`, `ManifestTooLarge`, and the errors of storage and catalog.
        """
        self._check_process()
        tables = sorted(output.table for output in outputs)
        if not tables == sorted(self.rows) == sorted(self.written):
            expected = f"each table of the attempt, written and once: {', '.join(sorted(self.rows))}"
            raise InvalidField(what="publish", path="outputs", value=tables, expected=expected)
        completed_at = self.recorder.clock().isoformat()
        self._write_sidecars(outputs, completed_at)
        finished = [self._finished(output, completed_at) for output in outputs]
        self.recorder.check_root()
        pointed = self.recorder.writer.finish(
            finished, lease=self.lease, run_id=run_id, moves=moves, reused=reused
        )
        self._open = False
        ids = [self.rows[output.table].materialization_id for output in outputs]
        records = self.recorder.reader.records([*ids, *(key for _, key in reused)])
        published = [
            records[key].with_anchors(one.input_anchors) for key, one in zip(ids, outputs, strict=True)
        ]
        published += [records[key] for _, key in reused]
        return [
            Publication(record=record, is_current=point.is_current)
            for record, point in zip(published, pointed, strict=True)
        ]

    def _write_sidecars(self, outputs: Sequence[Output], completed_at: str) -> None:
        """Write the sidecars, a few at once: each of them waits for the storage, and one error ends all."""

        def write(output: Output) -> None:
            manifest = self._manifest(output, completed_at).to_bytes()
            if len(manifest) > SIDECAR_LIMIT:
                raise ManifestTooLarge(table=output.table, size=len(manifest), limit=SIDECAR_LIMIT)
            path = sidecar_path(self.rows[output.table].artifact_path)
            self.recorder.root.write_bytes_durable(path, manifest)

        if len(outputs) < _MOST_WRITES:
            for output in outputs:
                write(output)
            return
        with Workers(_MOST_WRITES, "jammi-sidecars", purpose="write the sidecars of a range") as pool:
            writes = [pool.submit(write, output) for output in outputs]
            try:
                for done in writes:
                    done.result()
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _check_process(self) -> None:
        if os.getpid() != self._pid:
            raise ForkedWriter(target=f"table {', '.join(sorted(self.rows))}")

    def _manifest(self, output: Output, produced_at: str) -> MaterializationManifest:
        row, written = self.rows[output.table], self.written[output.table]
        leaves = (
            Leaf(index=group.index, offset=group.offset, length=group.length, digest=group.digest)
            for group in written.row_groups
        )
        return MaterializationManifest(
            artifact=ArtifactDigest(written.digest),
            leaves=tuple(leaves),
            definition_hash=output.definition,
            descriptor=output.descriptor,
            env=output.env,
            input_anchors=tuple(output.input_anchors),
            produced_by=self.produced_by,
            produced_at=produced_at,
            engine_version=f"jammi-dagster {__version__}",
            own={
                "table": output.table,
                "materialization": row.materialization_id,
                "tenant": self.recorder.scope.tenant,
                "deployment": self.recorder.scope.deployment,
                "start_sequence": row.start_sequence,
                "created_at": row.created_at,
                "attempt": self._attempt(row),
                "row_count": written.row_count,
                "size_bytes": written.size_bytes,
                "footer": written.footer.to_dict(),
                "writer_profile": written.profile.to_dict(),
                "compute_seconds": output.compute_seconds,
                **output.own,
                **({"answers": _answers(output)} if output.answers else {}),
                **({} if output.annotation is None else {"annotation": output.annotation}),
            },
        )

    def _attempt(self, row: BuildingRow) -> dict[str, Any]:
        """Name the attempt in a sidecar: with its tables, or of a large one only their number."""
        attempt: dict[str, Any] = {"id": row.attempt_id, "size": len(self.rows)}
        return attempt if len(self.rows) > _MOST_NAMED else {**attempt, "tables": sorted(self.rows)}

    def _finished(self, output: Output, completed_at: str) -> ReadyRow:
        written = self.written[output.table]
        annotation = None if output.annotation is None else canonical_json(output.annotation).decode()
        return ReadyRow(
            building=self.rows[output.table],
            definition_hash=output.definition,
            input_anchors=output.input_anchors,
            artifact_digest=written.digest,
            size_bytes=written.size_bytes,
            row_count=written.row_count,
            writer_profile=canonical_json(written.profile.to_dict()).decode(),
            compute_seconds=output.compute_seconds,
            completed_at=completed_at,
            annotation_json=annotation,
            is_exact=output.is_exact,
            cause=cause(output.own),
            answers_json=canonical_json(_answers(output)).decode() if output.answers else None,
        )

    def _abandon(self) -> None:
        """Fail the rows, then remove the bytes of each one failed: never the bytes of a ready row."""
        failed = self.recorder.writer.fail(list(self.rows.values()), lease=self.lease)
        for row in self.rows.values():
            if row.materialization_id in failed:
                self.recorder.root.delete(row.artifact_path)
                self.recorder.root.delete(sidecar_path(row.artifact_path))
