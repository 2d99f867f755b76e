"""The reason for the outcome of a table, from the records before and after a run."""

from __future__ import annotations

from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.sensing import difference
from jammi_dagster.store import ResultStore


def reasons_to_compute(
    store: ResultStore, before: MaterializationRecord | None, after: MaterializationRecord
) -> list[str]:
    """List the differences between two materializations of a table; one line for none."""
    if before is None:
        return ["there was no earlier materialization"]
    return difference(store.artifacts, before, after).reasons or [
        "nothing changed: its cache policy is `bypass`, or the earlier bytes are gone"
    ]
