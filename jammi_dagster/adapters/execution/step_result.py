"""The result that a step hands to Dagster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from jammi_dagster.adapters import metadata_keys
from jammi_dagster.adapters.execution import events
from jammi_dagster.adapters.execution.outputs import BodyOutput
from jammi_dagster.adapters.execution.step import Step
from jammi_dagster.adapters.execution.table_step import TableStep
from jammi_dagster.adapters.handoff.references import PartitionReferences, ResultReference
from jammi_dagster.adapters.recipe.draft import named_checks
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.objects import NOT_MADE_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """References, the data version, and the metadata of the event, by partition (None for the whole)."""

    value: ResultReference | PartitionReferences
    data_version: dg.DataVersion
    metadata: Mapping[str | None, Mapping[str, Any]]
    tags: Mapping[str, str]
    check_results: Sequence[dg.AssetCheckResult]


def result_of(
    tables: TableStep,
    records: Sequence[MaterializationRecord],
    metadata: Mapping[str | None, Mapping[str, Any]],
    output: BodyOutput,
) -> StepResult:
    """Return the result of a step that made, or reused, the records."""
    output_kind = tables.recipe.output
    kind = None if output_kind.any_shape else output_kind.name
    references = {
        partition: ResultReference.of(tables.store, record, kind)
        for partition, record in zip(tables.step.partition_keys, records, strict=True)
    }
    value: ResultReference | PartitionReferences = next(iter(references.values()))
    if len(references) > 1:
        value = PartitionReferences({str(key): reference for key, reference in references.items()})
    code_version = tables.spec.code_version or tables.recipe.code.digest
    return StepResult(
        value=value,
        data_version=events.data_version({key: r.artifact_digest for key, r in references.items()}),
        metadata=metadata,
        tags={
            **output.tags,
            metadata_keys.CODE_VERSION_TAG: code_version,
            metadata_keys.OUTCOME_TAG: next(iter(metadata.values()))[metadata_keys.CACHE_OUTCOME],
        },
        check_results=_selected(output.check_results, tables.step),
    )


def _selected(results: Sequence[dg.AssetCheckResult], step: Step) -> list[dg.AssetCheckResult]:
    """Leave out recorded results of checks that the step does not select: Dagster refuses them."""
    declared, selected = step.declared_check_names, set(step.check_names)
    return [one for one in results if named_checks([one.check_name], declared) <= selected]


def is_left_out(result: StepResult) -> bool:
    """Tell whether the function left the asset out, or did so when it was recorded: Dagster gets no result then."""
    return all(map(was_left_out, result.metadata.values()))


def was_left_out(metadata: Mapping[str, Any]) -> bool:
    """Tell whether the metadata of a materialization is that of an output which was left out."""
    found = metadata.get(metadata_keys.MEDIA_TYPE)
    return getattr(found, "value", found) == NOT_MADE_TYPE  # a recorded one is a value of Dagster's
