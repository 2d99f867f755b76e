"""Compute: run the body, stream its output through the funnel, and publish all tables or none."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from jammi_dagster.adapters.assets.declaration import most_at_once
from jammi_dagster.adapters.assets.formats import declares_object
from jammi_dagster.adapters.execution import events
from jammi_dagster.adapters.execution.outputs import BodyOutput, by_partition, check_reported
from jammi_dagster.adapters.execution.step_result import StepResult, result_of
from jammi_dagster.adapters.execution.table_step import TableStep
from jammi_dagster.adapters.execution.watched_body import WatchedBody
from jammi_dagster.adapters.execution.why import Why, in_words, why_computed
from jammi_dagster.adapters.execution.written import written_versions
from jammi_dagster.adapters.metadata_keys import RANGE_TAGS
from jammi_dagster.adapters.recipe.draft import Draft
from jammi_dagster.adapters.recipe.inputs import InputSnapshot
from jammi_dagster.errors import NotATable
from jammi_dagster.fingerprint import identify
from jammi_dagster.objects import ACCEPTED, encoded
from jammi_dagster.planning.step_plan import StepPlan
from jammi_dagster.recording import Attempt, Output, Publication
from jammi_dagster.sensing.pins import OWN_KEY as PINS
from jammi_dagster.sensing.why import OWN_KEY as WHY


def compute(
    tables: TableStep, draft: Draft, call: Callable[[], BodyOutput], attempt: Attempt, plan: StepPlan
) -> StepResult:
    """Run the body and record its output; `plan` says why it computes.

    Raises `InvalidOutput`, `ArtifactCorrupt` for an input, and any error of the body or the funnel; then nothing is
    published.
    """
    started = time.perf_counter()
    step = tables.step
    with attempt:
        why = why_computed(tables, draft, plan)
        first = plan.tables[0].table
        step.log.info(f"computing {first}{_beside(plan)}: {in_words(why[first].reasons)}{tables.root_once()}")
        body = WatchedBody(tables)
        with body.running():
            output = call()
            if not tables.spec.writes:
                schemas = write_tables(tables, attempt, output)
        if not tables.is_plain:  # Dagster sees the checks of a plain asset before its table is handed over
            check_reported(output, step.declared_check_names, step.check_names, asset=tables.asset_name)
        seconds = (time.perf_counter() - started) / max(len(step.tables), 1)
        after = tables.inputs_after_body()
        if tables.spec.writes:
            schemas = write_all(tables, attempt, written_versions(tables, after))
        inputs = body.settled(tables, draft.inputs, after)
        made = Made(output=output, inputs=inputs, schemas=schemas, why=why, seconds=seconds)
        outputs = outputs_of(tables, draft, made)
        published = attempt.publish(outputs, run_id=step.run_id, moves=tables.moves)
    return computed_result(tables, made, published)


def write_tables(tables: TableStep, attempt: Attempt, output: BodyOutput) -> dict[str, Mapping[str, Any]]:
    """Stream the data of one asset into its tables; return the metadata of each schema."""
    return write_all(tables, attempt, _by_table(tables, output))


def _by_table(tables: TableStep, output: BodyOutput) -> Sequence[Any]:
    """Take the data of each table out of the output: the funnel alone holds it while it is written."""
    data, output.data = output.data, None
    spec, step = tables.spec, tables.step
    if step.partitions is None:
        return [data]
    found = by_partition(
        data,
        step.partitions,
        asset=tables.asset_name,
        is_object=declares_object(spec.shape.output, spec.format),
        makes_ranges=most_at_once(step.assets_def) != 1 or RANGE_TAGS[0] in step.tags,
    )
    return list(found.values())


def write_all(tables: TableStep, attempt: Attempt, every: Sequence[Any]) -> dict[str, Mapping[str, Any]]:
    """Write the data of each table; return the metadata of its schema."""
    schemas: dict[str, Mapping[str, Any]] = {}
    for table, data in zip(tables.step.tables, every, strict=True):
        with closing(data) if isinstance(data, Generator) else nullcontext():
            schemas[table] = events.schema_metadata(_write(tables, attempt, table, data))
    return schemas


def _write(tables: TableStep, attempt: Attempt, table: str, data: Any) -> pa.Schema:
    stored = _stored(tables, table, data)
    try:
        return attempt.write(table, stored).schema
    except NotATable as error:  # the funnel knows tables alone
        raise NotATable(table=table, got=error.got, accepted=ACCEPTED) from error.__cause__


def _stored(tables: TableStep, table: str, data: Any) -> Any:
    """Return the bytes of an object as a table; a table as it is."""
    format_ = tables.spec.format
    code = None
    if format_ is not None and format_.functions:
        code = identify(format_.load).digest
    found = encoded(data, format_, table=table, code=code)
    return data if found is None else found


def _beside(plan: StepPlan) -> str:
    return f" and {len(plan.tables) - 1:,} more tables" if len(plan.tables) > 1 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The outcome of a body: its output, the anchors that it settled on, schemas and reasons by table, its seconds."""

    output: BodyOutput
    inputs: InputSnapshot
    schemas: Mapping[str, Mapping[str, Any]]
    why: Mapping[str, Why]
    seconds: float


def outputs_of(tables: TableStep, draft: Draft, made: Made) -> list[Output]:
    """Return each table's entry for the funnel to publish."""
    step, replay = tables.step, tables.replay
    own = {
        "asset_key": list(step.asset_key.path),
        "run_id": step.run_id,
        "step_key": step.step_key,
        "raw_config": replay.config,
        "partition_span": replay.to_dict()["span"],
        "code": {"kind": tables.recipe.code.kind},
        "unpinned": list(made.inputs.reasons),
        **({PINS: [pin.to_dict() for pin in tables.pins.values()]} if tables.pins else {}),
    }
    return [
        Output(
            table=table,
            descriptor=draft.definitions[table].descriptor,
            env=draft.definitions[table].env,
            definition=draft.definitions[table].hash,
            input_anchors=made.inputs.anchors,
            compute_seconds=made.seconds,
            is_exact=tables.spec.is_exact,
            own={**own, "partition_key": partition, WHY: list(made.why[table].reasons)},
            annotation=events.annotation(
                made.output, made.schemas[table], added=step.added_metadata(partition), replay=replay
            ),
            answers=made.inputs.answers,
        )
        for table, partition in zip(step.tables, step.partition_keys, strict=True)
    ]


def computed_result(tables: TableStep, made: Made, published: Sequence[Publication]) -> StepResult:
    """Return the result of a step that made the tables."""
    metadata: dict[str | None, Mapping[str, Any]] = {
        partition: events.metadata_of(
            done.record,
            made.inputs.anchors,
            events.Told(
                outcome="computed",
                why=in_words(made.why[done.record.table].reasons),
                inputs=made.why[done.record.table].inputs,
                spent=made.seconds,
                is_current=done.is_current,
                unpinned=made.inputs.reasons,
                pins=tables.pinned,
            ),
            {**made.output.metadata, **made.schemas[done.record.table]},
            partitioned=partition is not None,
        )
        for partition, done in zip(tables.step.partition_keys, published, strict=True)
    }
    return result_of(tables, [done.record for done in published], metadata, made.output)
