"""Compute: run the body, stream its output through the funnel, and publish all tables or none."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from typing import Any

import dagster as dg

from jammi_dagster.adapters import metadata_keys
from jammi_dagster.adapters.assets.signature import code_of
from jammi_dagster.adapters.execution import events
from jammi_dagster.adapters.execution.inputs import settle
from jammi_dagster.adapters.execution.outputs import BodyOutput, by_partition, check_reported
from jammi_dagster.adapters.execution.read_watch import Watch, watching
from jammi_dagster.adapters.execution.step_result import StepResult, result_of
from jammi_dagster.adapters.execution.table_step import TableStep
from jammi_dagster.adapters.execution.why import Why, in_words, why_computed
from jammi_dagster.adapters.recipe.draft import Draft
from jammi_dagster.adapters.recipe.inputs import InputSnapshot
from jammi_dagster.planning.step_plan import StepPlan
from jammi_dagster.recording import Attempt, Output, Publication
from jammi_dagster.sensing.why import OWN_KEY as WHY
from jammi_dagster.surfaces import FileSurface


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
        schemas: dict[str, dg.TableSchema] = {}
        stamps, files = _stamps(tables), tables.recipe.code.files
        with watching(_watch(tables)) as watch, tables.reads:  # a generator's body runs while it is written
            output = call()
            for table, data in zip(step.tables, _by_table(tables, output), strict=True):
                with closing(data) if isinstance(data, Generator) else nullcontext():
                    schemas[table] = events.column_schema(attempt.write(table, data).schema)
        if not tables.is_plain:  # Dagster sees the checks of a plain asset before its table is handed over
            check_reported(output, step.check_names, asset=tables.asset_name)
        seconds = (time.perf_counter() - started) / max(len(step.tables), 1)
        watch.recall(tables.recipe.code.cached)
        now = _stamps(tables)
        moved = {source for source, stamp in stamps.items() if now.get(source) != stamp}
        inputs = _with_seen(tables, watch, settle(draft.inputs, tables.inputs_after_body(), moved=moved))
        if files and files != tables.spec.code().files:
            why_not = "a file of the function's package has changed while the function ran: run it again"
            inputs = inputs.with_unpinned(f"undeclared:{tables.asset_name}", [why_not])
        made = _Made(output=output, inputs=inputs, schemas=schemas, why=why, seconds=seconds)
        outputs = _outputs(tables, draft, made)
        published = attempt.publish(outputs, run_id=step.run_id)
    metadata = _metadata(tables, made, published)
    return result_of(tables, [done.record for done in published], metadata, output)


def _by_table(tables: TableStep, output: BodyOutput) -> Sequence[Any]:
    """Take the data of each table out of the output: the funnel alone holds it while it is written."""
    data, output.data = output.data, None
    if tables.step.partitions is None:
        return [data]
    return list(by_partition(data, tables.step.partitions, asset=tables.asset_name).values())


def _beside(plan: StepPlan) -> str:
    return f" and {len(plan.tables) - 1:,} more tables" if len(plan.tables) > 1 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """The outcome of a body: its output, the anchors that it settled on, schemas and reasons by table, its seconds."""

    output: BodyOutput
    inputs: InputSnapshot
    schemas: Mapping[str, dg.TableSchema]
    why: Mapping[str, Why]
    seconds: float


def _outputs(tables: TableStep, draft: Draft, made: _Made) -> list[Output]:
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
    }
    return [
        Output(
            table=table,
            descriptor=draft.definitions[table].descriptor,
            env=draft.definitions[table].env,
            definition=draft.definitions[table].hash,
            input_anchors=made.inputs.anchors,
            compute_seconds=made.seconds,
            own={**own, "partition_key": partition, WHY: list(made.why[table].reasons)},
            annotation=events.annotation(
                made.output, made.schemas[table], added=step.added_metadata(partition), replay=replay
            ),
        )
        for table, partition in zip(step.tables, step.partition_keys, strict=True)
    ]


def _metadata(
    tables: TableStep, made: _Made, published: Sequence[Publication]
) -> dict[str | None, Mapping[str, Any]]:
    """Return the metadata of each partition's event."""
    return {
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
            ),
            {
                **made.output.metadata,
                metadata_keys.COLUMN_SCHEMA: made.schemas[done.record.table],
            },
            partitioned=partition is not None,
        )
        for partition, done in zip(tables.step.partition_keys, published, strict=True)
    }


def _watch(tables: TableStep) -> Watch:
    """Return a watch for reads that are neither declared nor the store's."""
    spec = tables.spec
    allowed = ["*"] if tables.is_plain else [*spec.allow_reads]  # the body of a plain asset has run already
    surfaces = spec.surfaces(tables.step.partition_keys)
    allowed += [surface.path for surface in surfaces if isinstance(surface, FileSurface)]
    module = code_of(spec.function).__module__ or ""  # made by `exec`, it may have none
    return Watch(
        module=module.partition(".")[0],
        allowed=allowed,
        within=[tables.store.identity.root, *tables.recipe.code.files],
    )


def _stamps(tables: TableStep) -> dict[str, tuple[int, ...] | None]:
    """Return the stamp of each declared file: one that was replaced and put back has its old content again."""
    surfaces = tables.spec.surfaces(tables.step.partition_keys)
    return {surface.source: surface.stamp() for surface in surfaces if isinstance(surface, FileSurface)}


def _with_seen(tables: TableStep, watch: Watch, inputs: InputSnapshot) -> InputSnapshot:
    """Add an unpinned anchor for each read that was seen."""
    for read in watch.found.values():
        tables.step.log.warning(f"{tables.asset_name}: {read}")
        inputs = inputs.with_unpinned(read.source, [str(read)])
    return inputs
