"""Ticks of the staleness sensor after each run of Dagster's tests.

The tick is a real one, over the definitions behind the run and its instance. It has to find every table that the run
made fresh, or undecidable where nothing pins it. Then the tables that others were made from get other bytes under the
same definition: what was fresh has to be stale, and requested. At last they get their bytes back: fresh again.
"""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import dagster as dg
import pyarrow as pa

from jammi_dagster import build_staleness_sensor
from jammi_dagster.adapters.code_location.current_asset import CurrentAsset
from jammi_dagster.adapters.code_location.location import Location
from jammi_dagster.adapters.judgement.evaluation import Evaluation
from jammi_dagster.adapters.judgement.evaluator import Evaluator
from jammi_dagster.artifacts import read_manifest
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract import AnchorKind
from jammi_dagster.store import ResultStore
from jammi_dagster.testing.tick_log import LogLines

MOST_RUNS = 1000
_EXTRA = "conformance_extra"

counts: Counter[str] = Counter()
faults: list[str] = []
_is_ticking = False


def ticking(execute: Callable[..., Any], instance_of: Callable[..., Any]) -> Callable[..., Any]:
    """Return Dagster's `core_execute_in_process` with ticks after a run that succeeded."""

    @functools.wraps(execute)
    def executing(*, job: Any, instance: dg.DagsterInstance | None, **options: Any) -> Any:
        with instance_of(instance) as real:
            result = execute(job=job, instance=real, **options)
            if result.success and not _is_ticking:
                tick_after(result.run_id, job.get_definition(), real)
        return result

    return executing


def taken() -> tuple[dict[str, int], list[str]]:
    """Return the counts and faults since the last call."""
    found = dict(counts), list(faults)
    counts.clear()
    faults.clear()
    return found


def tick_after(run_id: str, job: dg.JobDefinition, instance: dg.DagsterInstance) -> None:
    """Tick over the definitions behind a run, and note counts and faults."""
    global _is_ticking
    _is_ticking = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            repository = _repository(job)
            if repository is not None:
                _check(run_id, repository, instance)
    except Exception as error:  # the test goes on, and fails at its end
        faults.append(f"a tick raised {type(error).__name__}: {error}")
    finally:
        _is_ticking = False


def _repository(job: dg.JobDefinition) -> dg.RepositoryDefinition | None:
    """Return a code location with all assets of the graph that the job is of; None if it cannot be one."""
    graph: Any = job.asset_layer.asset_graph
    graph = getattr(graph, "source_asset_graph", graph)
    if not graph.executable_asset_keys:
        return None
    own = {key for each in graph.assets_defs for key in each.resource_defs}
    try:
        defs = dg.Definitions(
            assets=[each for each in graph.assets_defs if each.keys],
            asset_checks=[each for each in graph.assets_defs if not each.keys],
            resources={key: value for key, value in job.resource_defs.items() if key not in own},
        )
        repository = defs.get_repository_def()
        repository.load_all_definitions()
    except (
        Exception
    ):  # a test may leave out resources that its job does not need, or give one in two versions
        counts["definitions that are no code location"] += 1
        return None
    return repository


def _check(run_id: str, repository: dg.RepositoryDefinition, instance: dg.DagsterInstance) -> None:
    sensor = build_staleness_sensor(max_runs_per_tick=MOST_RUNS)
    evaluator = Evaluator(Location(repository, instance))
    assets = evaluator.assets(evaluator.location.select("*"))
    made = _made(run_id, assets)
    if not made:
        return
    counts["ticks"] += 1
    first = _ticked(sensor, repository, instance)
    found = evaluator.evaluate(assets)
    fresh = set()
    for table in made:
        kind = found.tables[table].kind if table in found.tables else "fresh"
        counts[f"{kind} after its run"] += 1
        if kind == "fresh":
            fresh.add(table)
        elif kind != "undecidable":
            faults.append(f"{table} is {kind} right after its run: {first.message}")
    inputs = _packed_inputs(fresh, made)
    over = {table for table in fresh if any(source in inputs for source in _sources(made[table]))}
    if not over:
        return
    with _changed(inputs):
        found, second = evaluator.evaluate(assets), _ticked(sensor, repository, instance, first.cursor)
        for table in sorted(over):
            _check_stale(table, found, second)
    found = evaluator.evaluate(assets)
    for table in sorted(over & found.tables.keys()):
        faults.append(f"{table} is {found.tables[table].kind} though its inputs are as they were")
    counts["fresh again after a revert"] += len(over)


def _check_stale(table: str, found: Evaluation, tick: _Tick) -> None:
    """Note a fault unless a table over a changed input is stale, and requested where it can be."""
    state = found.tables.get(table)
    kind = "fresh" if state is None else state.kind
    counts[f"{kind} after a changed input"] += 1
    if state is None or kind != "stale":
        faults.append(f"{table} is {kind} though an input changed: {tick.message}")
    elif state.is_hindered:
        counts["stale, with an obstacle to a request"] += 1
    elif (state.asset.key, state.partition) not in tick.requested:
        faults.append(f"{table} is stale, but not requested: {tick.message}")


class _Tick:
    """The outcome of one tick."""

    def __init__(self, result: dg.SensorResult, message: str) -> None:
        self.cursor, self.message = result.cursor, message
        self.requested = {
            (key, partition)
            for request in result.run_requests or ()
            for key in request.asset_selection or ()
            for partition in _partitions(request)
        }


def _partitions(request: dg.RunRequest) -> Iterator[str | None]:
    yield request.partition_key
    yield None


def _ticked(
    sensor: dg.SensorDefinition,
    repository: dg.RepositoryDefinition,
    instance: dg.DagsterInstance,
    cursor: str | None = None,
) -> _Tick:
    with dg.build_sensor_context(instance=instance, cursor=cursor, repository_def=repository) as context:
        log = LogLines()
        context.log.addHandler(log)
        result = sensor(context)
    assert isinstance(result, dg.SensorResult), "ours gives one"
    return _Tick(result, "\n".join(log.lines))


def _made(run_id: str, assets: list[CurrentAsset]) -> dict[str, tuple[ResultStore, MaterializationRecord]]:
    """Return the tables that a run made, and that are still current."""
    made = {}
    for asset in assets:
        names = list(asset.tables())
        current = asset.store.reader.current_of(names)
        for table, record in asset.store.reader.of_run(run_id, names).items():
            if current.get(table) == record:
                made[table] = asset.store, _whole(asset.store, record)
    return made


def _whole(store: ResultStore, record: MaterializationRecord) -> MaterializationRecord:
    found = store.reader.get(record.materialization_id)  # of many records the anchors are not read
    assert found is not None
    return found


def _sources(made: tuple[ResultStore, MaterializationRecord]) -> set[str]:
    return {a.source for a in made[1].input_anchors if a.kind is AnchorKind.RESULT_DIGEST}


def _packed_inputs(
    tables: set[str], made: Mapping[str, tuple[ResultStore, MaterializationRecord]]
) -> dict[str, tuple[ResultStore, pa.Table]]:
    """Return the tables that some were made from, as far as `shim` packed them: a column more changes no value."""
    inputs: dict[str, tuple[ResultStore, pa.Table]] = {}
    for table in sorted(tables):
        store = made[table][0]
        for source in _sources(made[table]) - inputs.keys():
            data = store.read(source)
            if data.num_columns == 1:
                inputs[source] = store, data
    return inputs


@contextlib.contextmanager
def _changed(inputs: Mapping[str, tuple[ResultStore, pa.Table]]) -> Iterator[None]:
    """Store other bytes of the tables under the same definitions, and in the end their own again."""
    try:
        for table, (store, data) in inputs.items():
            _store(store, table, data.append_column(_EXTRA, pa.array([1] * len(data))))
        yield
    finally:
        for table, (store, data) in inputs.items():
            _store(store, table, data)


def _store(store: ResultStore, table: str, data: pa.Table) -> None:
    record = store.current(table)
    manifest = read_manifest(store.artifacts, record.artifact_path)
    assert manifest is not None
    anchors = manifest.input_anchors
    store.materialize(table, data, descriptor=manifest.descriptor, env=manifest.env, inputs=anchors)
