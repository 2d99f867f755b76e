"""Values that the ops of one run hand to each other, as pickles below the root's `runs/<run id>`.

A value crosses processes, and serves its own run alone, with the runs that retry it. Its record names run, step and
output, with the digest of the pickle and an HMAC of all that under the store's key, where there is one: nothing else is
unpickled.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import dagster as dg

from jammi_dagster.artifacts import run_value_path
from jammi_dagster.catalog.records import RUN_LEASE_SECONDS
from jammi_dagster.contract import canonical_json
from jammi_dagster.errors import ArtifactMissing, InvalidOutput, OpValueUnreadable, StorageFailed
from jammi_dagster.maintenance import RunFolders
from jammi_dagster.store import ResultStore

_leased: dict[tuple[int, str], float] = {}
_active: set[str] = set()  # runs of which this process wrote or read values since it was last asked
_OVER = "it is removed when its run ends: run all steps again"


class RunValues(dg.IOManager):
    """An IO manager of op values: they lie in the root of a store for as long as their run needs them."""

    def __init__(self, store: ResultStore) -> None:
        self._store = store

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Write the value of an op. Raises `InvalidOutput` for one that cannot be pickled."""
        name = _name_of(context)
        write_value(self._store, context.run_id, str(context.step_key), name, obj)

    def load_input(self, context: dg.InputContext) -> Any:
        """Read the value of an op of the same run, or of one that this run retries. Raises `OpValueUnreadable`."""
        upstream = context.upstream_output
        assert upstream is not None, "a value that an op hands to another has an output"
        step, name = str(upstream.step_key), _name_of(upstream)
        run = _run_of(context)
        if run is None or upstream.run_id not in run_chain(run, context.instance):
            why, way_out = "only its own run reads it", "store it as an asset to read it elsewhere"
            raise OpValueUnreadable(value=f"{step}.{name}", run_id=upstream.run_id, why=why, way_out=way_out)
        _active.add(run.run_id)
        return read_value(self._store, upstream.run_id, step, name)


def run_chain(run: dg.DagsterRun, instance: dg.DagsterInstance) -> list[str]:
    """Return the ids of a run and of those that it retries, the latest first."""
    found, above = [run.run_id], run.parent_run_id
    while above is not None and above not in found:
        found.append(above)
        parent = instance.get_run_by_id(above)
        above = None if parent is None else parent.parent_run_id
    return found


def write_value(store: ResultStore, run_id: str, group: str, name: str, value: Any) -> None:
    """Write a value of a run, durably, in the place of one with the same name: a step may be tried again.

    Raises `InvalidOutput` for a value that cannot be pickled.
    """
    try:
        data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # whatever a class raises as it is pickled
        why = f"its value, a {type(value).__name__}, cannot be pickled ({type(error).__name__})"
        way_out = "give that op's output another io_manager_key, or ResultTableIOManager(op_io_manager=…)"
        raise InvalidOutput(asset=f"(op value {group}.{name})", why=why, way_out=way_out) from error
    store.binding.check()
    _active.add(run_id)
    _lease(store, run_id)
    path = run_value_path(store.scope.tenant or None, run_id, group, name)
    record = canonical_json(_record(store, run_id, group, name, data)) + b"\n" + data
    try:
        store.artifacts.replace(path, record)
    except StorageFailed:  # another run may have removed the empty folder of all runs
        store.artifacts.replace(path, record)


def read_value(store: ResultStore, run_id: str, group: str, name: str) -> Any:
    """Read a value of a run. Raises `OpValueUnreadable` where it is gone, or is not what the run wrote."""
    path = run_value_path(store.scope.tenant or None, run_id, group, name)
    return _verified(store, run_id, path, f"{group}.{name}")


def _verified(store: ResultStore, run_id: str, path: str, shown: str) -> Any:
    """Unpickle what lies at a path, if its record names this run and this path, and has this digest."""
    try:
        found = store.artifacts.fetch(path)
    except ArtifactMissing as error:
        raise OpValueUnreadable(value=shown, run_id=run_id, why="it is not there", way_out=_OVER) from error
    head, _, data = found.partition(b"\n")
    with suppress(ValueError, TypeError, LookupError):
        said = json.loads(head)
        group, name = map(str, said["of"])
        is_here = run_value_path(store.scope.tenant or None, run_id, group, name) == path
        is_ours = is_here and said == _record(store, run_id, group, name, data)
        if is_ours:
            return pickle.loads(data)
    why, way_out = "its bytes are not those that the run wrote", "run all steps again"
    raise OpValueUnreadable(value=shown, run_id=run_id, why=why, way_out=way_out)


def was_active(run_id: str) -> bool:
    """Tell, once, if this process wrote or read values of a run."""
    is_active = run_id in _active
    _active.discard(run_id)
    return is_active


def remove_if_over(store: ResultStore, run: dg.DagsterRun, instance: dg.DagsterInstance) -> None:
    """Remove the values of a run, and of those that it retried, once all steps that make or read any are done.

    Of a run that failed they stay for a retry, until a recovery or a collection finds its lease over.
    """
    if run.execution_plan_snapshot_id is None:
        return
    plan = instance.get_execution_plan_snapshot(run.execution_plan_snapshot_id)
    done = {
        one.step_key
        for one in instance.get_run_step_stats(run.run_id)
        if one.status is not None and one.status.value in ("SUCCESS", "SKIPPED")
    }
    needed = _steps_with_values(plan)
    if needed is None or not done.issuperset(needed):
        return
    folders = RunFolders(store.artifacts, store.scope.tenant or None)
    for run_id in run_chain(run, instance):
        folders.remove(run_id)  # a value that stays is left to a recovery


def _steps_with_values(plan: Any) -> set[str] | None:
    """Return the steps of a plan that make or read values which are no assets; None where that shows only in the run.

    The steps for the outputs of a dynamic one are done when the step is that collects them.
    """
    steps = [step for step in plan.steps if step.key in plan.step_keys_to_execute]
    made = {
        (step.key, output.name)
        for step in steps
        for output in step.outputs
        if output.properties.asset_key is None and output.properties.asset_check_key is None
    }
    reads = {
        step.key: {
            (handle.step_key, handle.output_name)
            for one in step.inputs
            for handle in one.upstream_output_handles
        }
        for step in steps
    }
    found = {key for key, _ in made} | {key for key, handles in reads.items() if handles & made}
    found |= {step.key for step in steps if "." in step.key}  # of a graph, whose inputs are noted
    read = {key for handles in reads.values() for key, _ in handles}
    several = {key for key in found if key.endswith("[?]")}
    return None if several - read else found - several


def _record(store: ResultStore, run_id: str, group: str, name: str, data: bytes) -> dict[str, Any]:
    said = {"run": run_id, "of": [group, name], "sha256": hashlib.sha256(data).hexdigest()}
    return {**said, "hmac_sha256": store.key.hmac(f"op value {canonical_json(said).decode()}")}


def _lease(store: ResultStore, run_id: str) -> None:
    """Give the run a lease, or a new one once half of it is over."""
    now, place = time.monotonic(), (id(store), run_id)
    if now >= _leased.get(place, now):
        store.writer.lease_run(run_id)
        _leased[place] = now + RUN_LEASE_SECONDS / 2


def _name_of(context: dg.OutputContext) -> str:
    return str(context.name) if context.mapping_key is None else f"{context.name}[{context.mapping_key}]"


def _run_of(context: dg.InputContext) -> dg.DagsterRun | None:
    """Return the run of the step that loads; None where a value is loaded outside of a step."""
    try:
        run: dg.DagsterRun = context.step_context.dagster_run
    except dg.DagsterInvariantViolationError:
        return None
    return run


# --- the inputs of a graph ---------------------------------------------------------------------------------


class Load(NamedTuple):
    """A value that a step of a graph loaded for an input of the graph, and the place of the load among all starts."""

    step_key: str
    input_name: str
    start_sequence: int
    value: Any


def note_load(store: ResultStore, run_id: str, graph: str, load: Load) -> None:
    """Note a load: the step that records the graph's table is another one, perhaps in another process."""
    write_value(store, run_id, f"inputs of {graph}", f"{load.step_key} {load.input_name}", load)


def loads_of(store: ResultStore, run: dg.DagsterRun, instance: dg.DagsterInstance, graph: str) -> list[Load]:
    """Return the loads of a graph's steps, of each step those of its last run."""
    found: list[Load] = []
    _active.add(run.run_id)
    for run_id in run_chain(run, instance) if run.step_keys_to_execute else [run.run_id]:
        seen = {load.step_key for load in found}
        found += [load for load in _loads_in(store, run_id, graph) if load.step_key not in seen]
    return found


def _loads_in(store: ResultStore, run_id: str, graph: str) -> Iterator[Load]:
    folder = run_value_path(store.scope.tenant or None, run_id, f"inputs of {graph}", "").rpartition("/")[0]
    with suppress(ArtifactMissing):  # none was noted
        for stored in list(store.artifacts.objects(folder)):
            if stored.path.endswith(".pickle"):
                yield _verified(store, run_id, stored.path, f"inputs of {graph}")
