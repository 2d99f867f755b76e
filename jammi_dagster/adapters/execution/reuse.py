"""Reuse: make stored materializations current, and give Dagster their recorded metadata and check results again."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jammi_dagster.adapters.execution import events
from jammi_dagster.adapters.execution.outputs import BodyOutput
from jammi_dagster.adapters.execution.step_result import StepResult, result_of
from jammi_dagster.adapters.execution.table_step import TableStep
from jammi_dagster.adapters.recipe.determinants import reused
from jammi_dagster.adapters.recipe.draft import Draft
from jammi_dagster.catalog import MaterializationRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A stored materialization that stands in for a table, and the output that it recorded."""

    record: MaterializationRecord
    output: BodyOutput


def reuse(tables: TableStep, draft: Draft, hits: Sequence[Hit], started: float) -> StepResult:
    """Make the hits current, and their recorded output the result of the step, which began at `started`."""
    step = tables.step
    pairs = [(table, hit.record.materialization_id) for table, hit in zip(step.tables, hits, strict=True)]
    pointed = tables.store.writer.point(pairs, start_sequence=tables.start_sequence, run_id=step.run_id)
    step.log.info(f"{events.saved_line([hit.record for hit in hits])}{tables.root_once()}")
    metadata: dict[str | None, Mapping[str, Any]] = {}
    spent = (time.perf_counter() - started) / max(len(hits), 1)
    for partition, hit, point in zip(step.partition_keys, hits, pointed, strict=True):
        told = events.Told(
            outcome="reused",
            why=f"reused: {reused(hit.record)}",
            spent=spent,
            is_current=point.is_current,
        )
        metadata[partition] = events.metadata_of(
            hit.record, draft.inputs.anchors, told, hit.output.metadata, partitioned=partition is not None
        )
    return result_of(tables, [hit.record for hit in hits], metadata, hits[-1].output)
