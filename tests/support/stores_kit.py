"""A store of a release: how its code fills it, and the questions for it. Only names that every release has."""

import contextlib
from typing import Any
from unittest import mock

import pyarrow as pa

from jammi_dagster import InputAnchor, MaterializationEnv, ProducingDescriptor, ResultStore
from jammi_dagster.catalog import CatalogWriter
from jammi_dagster.contract import definition_hash
from jammi_dagster.recording import Output

ENV = {"python": "3.11"}


def descriptor(step: int) -> dict[str, Any]:
    """A descriptor; another `step`, another definition."""
    return {"producer": "test", "step": step}


def make(store: ResultStore, table: str, rows: int, step: int, *inputs: InputAnchor) -> Any:
    """Materializes a table of that many rows."""
    data = pa.table({"n": list(range(rows))})
    return store.materialize(table, data, descriptor=descriptor(step), env=ENV, inputs=list(inputs))


def several(store: ResultStore, tables: dict[str, int], **more: Any) -> Any:
    """Publishes tables together, as a range of partitions is."""
    attempt: Any = store.begin(list(tables), produced_by="run", owner=f"{min(tables)}/step")
    with attempt:
        outputs = []
        for table, step in tables.items():
            attempt.write(table, pa.table({"n": [step]}))
            definition = definition_hash(descriptor(step), ENV)
            parts = ProducingDescriptor(descriptor(step)), MaterializationEnv(ENV)
            named: dict[str, Any] = {
                "table": table,
                "descriptor": parts[0],
                "env": parts[1],
                "definition": definition,
            }
            outputs.append(Output(**named, input_anchors=[], **more))
        attempt.publish(outputs, run_id="run")


def fill(store: ResultStore) -> None:
    """Something of everything that a store of this version holds."""
    up = make(store, "up", 3, 1)
    make(store, "down", 4, 2, InputAnchor.result_digest("up", str(up.artifact_digest)))
    make(store, "up", 5, 1)
    make(store, "files", 2, 3, *(InputAnchor.source_version(f"file:{name}", "1") for name in "ba"))
    make(store, "unpinned", 2, 4, InputAnchor.unpinned_at_instant("api:x", "2026-01-01T00:00:00Z"))
    make(store, "dropped", 2, 5)
    store.drop("dropped")
    several(
        store, {"t[1]": 6, "t[2]": 7}, annotation={"checks": [1]}, own={"run_id": "run"}, compute_seconds=1.5
    )
    for other in (store.beside(tenant="acme"), store.beside(deployment="branch")):
        make(other, "up", 7, 8)
    died = mock.patch.object(CatalogWriter, "finish", side_effect=KeyboardInterrupt)
    with contextlib.suppress(KeyboardInterrupt), died:
        several(store, {"dead[1]": 9, "dead[2]": 10})


def answers(store: ResultStore) -> dict[str, Any]:
    """Everything that the store says of its tables, and their bytes."""
    scopes = {"": store, "acme": store.beside(tenant="acme"), "branch": store.beside(deployment="branch")}
    return {name: _answers(scope) for name, scope in scopes.items()}


def _answers(store: ResultStore) -> dict[str, Any]:
    tables = store.tables()
    current = {table: store.current(table) for table in tables}
    fields = (
        "materialization_id",
        "status",
        "artifact_digest",
        "definition_hash",
        "start_sequence",
        "created_at",
    )
    return {
        "current": {t: {name: getattr(record, name) for name in fields} for t, record in current.items()},
        "anchors": {t: [a.to_dict() for a in record.input_anchors] for t, record in current.items()},
        "history": {
            t: [(r.materialization_id, r.status) for r in store.history(t)] for t in [*tables, "dropped"]
        },
        "bytes": {t: store.read(t).to_pydict() for t in tables},
        "hits": {t: store.probe_cache(str(r.definition_hash), r.input_anchors) for t, r in current.items()},
        "verdicts": {t: store.staleness(t, str(r.definition_hash)).to_dict() for t, r in current.items()},
        "below up": [edge.to_dict() for edge in store.derives_from_closure("up")],
        "annotations": {t: store.reader.annotation(r.materialization_id) for t, r in current.items()},
        "of the run": sorted(store.reader.of_run("run", tables)),
    }
