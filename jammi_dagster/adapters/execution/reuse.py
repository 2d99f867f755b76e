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
from jammi_dagster.adapters.recipe.determinants import reused
from jammi_dagster.adapters.recipe.draft import Draft
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.sensing.difference import inputs_in_words
from jammi_dagster.store import ResultStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A stored materialization that stands in for a table, and the output that it recorded."""

    record: MaterializationRecord
    output: BodyOutput


def stored_hits(store: ResultStore, materializations: Iterable[str]) -> dict[str, Hit]:
    """Return the hits of many materializations by id; those that are not ready, or damaged, are left out."""
    ids = list(dict.fromkeys(materializations))
    annotations, found = store.reader.annotations(ids), dict[str, Hit]()
    for materialization, record in store.reader.records(ids).items():
        text = annotations.get(materialization)
        output = events.recorded_output(store, record, text, in_range=True)
        if output is not None and record.artifact_digest is not None:
            found[materialization] = Hit(record=record, output=output)
    return found


def reuse(tables: TableStep, draft: Draft, hits: Sequence[Hit], started: float) -> StepResult:
    """Make the hits current, and their recorded output the result of the step, which began at `started`."""
    step = tables.step
    pairs = [(table, hit.record.materialization_id) for table, hit in zip(step.tables, hits, strict=True)]
    pointed = tables.store.writer.point(pairs, start_sequence=tables.start_sequence, run_id=step.run_id)
    step.log.info(f"{events.saved_line([hit.record for hit in hits])}{tables.root_once()}")
    metadata: dict[str | None, Mapping[str, Any]] = {}
    inputs = f"{inputs_in_words(None, draft.inputs.anchors)}, as when it was computed"
    spent = (time.perf_counter() - started) / max(len(hits), 1)
    for partition, hit, point in zip(step.partition_keys, hits, pointed, strict=True):
        told = events.Told(
            outcome="reused",
            why=f"reused: {reused(hit.record)}",
            inputs=inputs,
            spent=spent,
            is_current=point.is_current,
        )
        metadata[partition] = events.metadata_of(
            hit.record, draft.inputs.anchors, told, hit.output.metadata, partitioned=partition is not None
        )
    return result_of(tables, [hit.record for hit in hits], metadata, hits[-1].output)
