"""The determinants of a table that differ from its last materialization: parts of its definition, then its inputs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from jammi_dagster.adapters.recipe.recipe import TableDefinition
from jammi_dagster.artifacts import read_manifest
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract import Acceptance, Difference, InputAnchor, explain
from jammi_dagster.errors import JammiError
from jammi_dagster.sensing.difference import input_differences
from jammi_dagster.sensing.why import FIRST_TIME as FIRST
from jammi_dagster.store import ResultStore

FIRST_TIME = Difference(kind="first", name=FIRST, before=None, after=None, text=FIRST)


def definition_differences(
    store: ResultStore, record: MaterializationRecord, now: TableDefinition, names: Collection[str]
) -> list[Difference]:
    """Compare the definition that a materialization recorded with the present one; reads its sidecar.

    `names` are the present inputs by name. Empty where nothing differs, or the record cannot be read.
    """
    try:
        manifest = read_manifest(store.artifacts, record.artifact_path)
        anchors = record.input_anchors
    except JammiError:
        return []
    if manifest is None:
        return []
    present = set(names)
    return explain(
        manifest.descriptor.fields,
        manifest.env.fields,
        now.descriptor.fields,
        now.env.fields,
        # a read that nobody declared, or that was only seen, is no input by name
        recorded_inputs=[a.source for a in anchors if not a.is_unpinned or a.source in present],
        current_inputs=present,
    )


def determinants(
    store: ResultStore,
    record: MaterializationRecord,
    now: TableDefinition,
    names: Collection[str],
    anchors: Sequence[InputAnchor],
) -> list[Difference]:
    """List everything that differs between a materialization and one that would be made now over `anchors`.

    The definition comes first, then the inputs. Of a damaged record, only what can be read.
    """
    found = definition_differences(store, record, now, names)
    try:
        return found + input_differences(found, record.input_anchors, anchors)
    except JammiError:
        return found


def reused(record: MaterializationRecord, accepted: Acceptance | None = None) -> str:
    """Word why a stored materialization stands in for a table: it is the same, or it was accepted."""
    if accepted is not None:
        return str(accepted)
    return (
        f"same definition over same inputs, made by run {record.produced_by[:8]} on {record.created_at[:10]}"
    )
