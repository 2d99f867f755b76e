"""Reuse: make stored materializations current, and give Dagster their recorded metadata and check results again."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jammi_dagster.adapters.execution import events
from jammi_dagster.adapters.execution.outputs import BodyOutput
from jammi_dagster.adapters.execution.step_result import StepResult, result_of
from jammi_dagster.adapters.execution.table_step import TableStep
from jammi_dagster.adapters.recipe.draft import Draft
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.sensing.difference import inputs_in_words
from jammi_dagster.store import ResultStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A stored materialization that stands in for a table, the output that it recorded, and why it stands in."""

    record: MaterializationRecord
    output: BodyOutput
    why: str


def stored_hits(store: ResultStore, why: Mapping[str, str]) -> dict[str, Hit]:
    """Return the hits of many materializations by id; those that are not ready, or damaged, are left out.

    `why` gives for each the reason of its plan.
    """
    ids = list(why)
    annotations, found = store.reader.annotations(ids), dict[str, Hit]()
    for materialization, record in store.reader.records(ids).items():
        if record.status != "ready" or record.artifact_digest is None:
            continue
        text = annotations.get(materialization)
        output = events.recorded_output(store, record, text, in_range=True, is_shared=True)
        if output is not None:
            found[materialization] = Hit(record=record, output=output, why=why[materialization])
    return found


def reuse(tables: TableStep, draft: Draft, hits: Sequence[Hit], started: float) -> StepResult:
    """Make the hits current, and their recorded output the result of the step, which began at `started`."""
    step = tables.step
    pointed = tables.store.writer.point(
        pairs_of(hits), start_sequence=tables.start_sequence, run_id=step.run_id, moves=tables.moves
    )
    step.log.info(f"{events.saved_line([hit.record for hit in hits])}{tables.root_once()}")
    return reused_result(tables, draft, hits, [point.is_current for point in pointed], started)


def pairs_of(hits: Iterable[Hit]) -> list[tuple[str, str]]:
    """Return each table with the id of the materialization that it gets."""
    return [(str(hit.record.table), hit.record.materialization_id) for hit in hits]


def reused_result(
    tables: TableStep, draft: Draft, hits: Sequence[Hit], are_current: Sequence[bool], started: float
) -> StepResult:
    """Return the result of a step, begun at `started`, whose hits are current now as far as `are_current` says."""
    metadata: dict[str | None, Mapping[str, Any]] = {}
    inputs = f"{inputs_in_words(None, draft.inputs.anchors)}, as when it was computed"
    spent = (time.perf_counter() - started) / max(len(hits), 1)
    for partition, hit, is_current in zip(tables.step.partition_keys, hits, are_current, strict=True):
        told = events.Told(
            outcome="reused",
            why=f"reused: {hit.why}",
            inputs=inputs,
            spent=spent,
            is_current=is_current,
            pins=tables.pinned,
        )
        metadata[partition] = events.metadata_of(
            hit.record, draft.inputs.anchors, told, hit.output.metadata, partitioned=partition is not None
        )
    return result_of(tables, [hit.record for hit in hits], metadata, hits[-1].output)
