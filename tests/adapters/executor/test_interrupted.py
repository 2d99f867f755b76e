"""A run that breaks off at any point leaves the same tables, and goes on without saying anything twice."""

from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, table, values
from dagster._core.execution.api import create_execution_plan
from dagster._core.execution.plan.state import KnownExecutionState
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from executor_kit import definitions, kinds, launch, not_stepped_into, stale
from store_kit import collected

from jammi_dagster import result_table
from jammi_dagster.adapters.event_log_storage import BatchingSqliteEventLogStorage
from jammi_dagster.adapters.executor import decision, emission, run


def chain(version: str = "1") -> list[Any]:
    @result_table(reads=[], code_version="1")
    def a() -> pa.Table:
        note("a")
        return table(1)

    @result_table(code_version="1")
    def b(a: pa.Table) -> pa.Table:
        note("b")
        return table(2)

    @result_table(code_version=version)
    def c(b: pa.Table) -> pa.Table:
        note("c")
        return table(values(b)[0] + 1)

    return [a, b, c]


class Killed(BaseException):
    """The end of a process, as far as one process can play it."""


@pytest.fixture
def kill(monkeypatch: pytest.MonkeyPatch) -> Any:
    """End the run as it calls a method for the nth time."""

    def at(owner: Any, method: str, nth: int = 1) -> None:
        original, calls = getattr(owner, method), [0]

        def die(*given: Any, **by_name: Any) -> Any:
            calls[0] += 1
            if calls[0] == nth:
                monkeypatch.undo()
                raise Killed
            return original(*given, **by_name)

        monkeypatch.setattr(owner, method, die)

    return at


POINTS = {
    "before the pointers": (decision.RunDecision, "_point", 1),
    "after the pointers": (emission.Emission, "emit", 1),
    "between two levels": (emission.Emission, "_level", 2),
    "before the event of the engine": (run._Run, "_said", 1),
}
OTHERS = (
    ("before the pointers", "a new run"),
    ("between two levels", "a new run"),
    ("between two levels", "a retry"),
    ("before the event of the engine", "a new run"),
)


@pytest.mark.parametrize(
    ("point", "again"),
    [
        ("after the pointers", "a retry"),
        *(pytest.param(*other, marks=pytest.mark.slow) for other in OTHERS),
    ],
)
def test_the_next_run_goes_on(batching_lab: Lab, kill: Any, point: str, again: str) -> None:
    """A new run, or a retry of the steps that were not done, gives the same tables, each step done once."""
    defs = definitions(batching_lab, chain())
    first = launch(batching_lab, defs)
    kill(*POINTS[point])
    broken = launch(batching_lab, defs, ok=False)
    done = kinds(batching_lab, broken)["STEP_SUCCESS"]
    of_run: dict[str, Any] = {}
    if again == "a retry":
        parent = batching_lab.instance.get_run_by_id(broken.result.run_id)
        assert parent is not None
        steps, known = KnownExecutionState.build_resume_retry_reexecution(batching_lab.instance, parent)
        of_run = {
            "tags": {"dagster/is_resume_retry": "true"},
            "parent_run_id": broken.result.run_id,
            "root_run_id": broken.result.run_id,
            "execution_plan": create_execution_plan(
                defs.resolve_job_def("job"), step_keys_to_execute=list(steps), known_state=known
            ),
        }

    ran = launch(batching_lab, defs, **of_run)

    assert ran.calls == []
    expected = 3 - done if again == "a retry" else 3
    assert kinds(batching_lab, ran)["STEP_SUCCESS"] == expected
    assert {name: batching_lab.store.current(name).produced_by for name in "abc"} == dict.fromkeys(
        "abc", first.result.run_id
    )
    assert stale(batching_lab, defs) == {"FRESH": 3}


def test_bytes_that_vanish_before_the_event_are_a_miss(
    batching_lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table is computed, and so nothing fails that reads it; what is above it is reused."""
    launch(batching_lab, definitions(batching_lab, chain()))
    path = batching_lab.root / batching_lab.store.current("b").artifact_path
    point = decision.RunDecision._point

    def point_and_lose(*given: Any) -> Any:
        moved = point(*given)
        path.unlink(missing_ok=True)
        return moved

    monkeypatch.setattr(decision.RunDecision, "_point", point_and_lose)

    ran = launch(batching_lab, definitions(batching_lab, chain("2")))

    assert ran.calls == ["b", "c"]
    assert not_stepped_into(batching_lab, ran) == ["a"]


def test_a_materialization_that_is_collected_meanwhile_is_a_miss(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that the catalog loses between the decision and the pointers is made again, and nothing fails."""
    defs = definitions(lab, chain())
    launch(lab, defs)
    found = decision.RunDecision._found

    def find_and_drop(*given: Any) -> Any:
        there = found(*given)
        if "b" in lab.store.tables():
            collected(lab.store, "b")
        return there

    monkeypatch.setattr(decision.RunDecision, "_found", find_and_drop)

    ran = launch(lab, defs)

    assert ran.calls == ["b"]
    assert not_stepped_into(lab, ran) == ["a"]


def test_the_index_catches_up_with_the_log_of_a_killed_run(batching_lab: Lab) -> None:
    """Events that only the run's log got are mirrored once, and not over a later materialization."""
    storage = batching_lab.instance.event_log_storage
    assert isinstance(storage, BatchingSqliteEventLogStorage)
    defs = definitions(batching_lab, chain())
    launch(batching_lab, defs)
    ran = launch(batching_lab, defs)
    column = SqlEventLogStorageTable.c
    of_b = column.run_id == ran.result.run_id, column.asset_key == dg.AssetKey("b").to_string()
    made = column.dagster_event_type == "ASSET_MATERIALIZATION"
    with storage.index_connection() as index:
        index.execute(SqlEventLogStorageTable.delete().where(*of_b, made))
    assert len(batching_lab.instance.fetch_materializations(dg.AssetKey("b"), limit=9).records) == 1

    for _ in range(2):
        storage.mirror(ran.result.run_id)

    records = batching_lab.instance.fetch_materializations(dg.AssetKey("b"), limit=9).records
    assert records[0].run_id == ran.result.run_id
    assert len(records) == 2
    (entry,) = batching_lab.instance.get_asset_records([dg.AssetKey("b")])
    assert entry.asset_entry.last_run_id == ran.result.run_id
    with storage.index_connection() as index:
        index.execute(SqlEventLogStorageTable.delete().where(*of_b, made))
    later = launch(batching_lab, defs)
    storage.mirror(ran.result.run_id)
    (last,) = batching_lab.instance.fetch_materializations(dg.AssetKey("b"), limit=1).records
    assert last.run_id == later.result.run_id
