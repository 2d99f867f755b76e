"""The reason for the outcome of a table, from the records before and after a run."""

from __future__ import annotations

from jammi_dagster.artifacts import read_manifest
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract.explain import explain
from jammi_dagster.store import ResultStore


def reasons_to_compute(
    store: ResultStore, before: MaterializationRecord | None, after: MaterializationRecord
) -> list[str]:
    """List the differences between two materializations of a table; one line for none."""
    if before is None:
        return ["there was no earlier materialization"]
    old, new = (read_manifest(store.artifacts, record.artifact_path) for record in (before, after))
    if old is None or new is None:
        return ["the earlier materialization has no manifest"]
    differences = explain(
        old.descriptor.to_dict(),
        old.env.to_dict(),
        new.descriptor.to_dict(),
        new.env.to_dict(),
        recorded_inputs=[anchor.source for anchor in before.input_anchors],
        current_inputs=[anchor.source for anchor in after.input_anchors],
    )
    return [str(one) for one in differences] + _moved(before, after) or [
        "nothing changed: its cache policy is `bypass`, or the earlier bytes are gone"
    ]


def _moved(before: MaterializationRecord, after: MaterializationRecord) -> list[str]:
    """List the inputs of both materializations whose version is another one."""
    versions = {anchor.source: (anchor.kind, anchor.anchor) for anchor in before.input_anchors}
    return [
        f"input {anchor.source} changed"
        for anchor in after.input_anchors
        if versions.get(anchor.source, (anchor.kind, anchor.anchor)) != (anchor.kind, anchor.anchor)
    ]
