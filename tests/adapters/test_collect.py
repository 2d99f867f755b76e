"""Collection beside Dagster: a reuse that comes too late computes, and the job knows the runs that are over."""

from typing import Any

import dagster as dg
import pytest
from adapters_kit import Lab, note, table, values
from sensing_kit import definitions
from store_kit import collected

from jammi_dagster import build_collection_job, result_table
from jammi_dagster.adapters.execution import materialize
from jammi_dagster.errors import InvalidField


def made(version: str = "1") -> Any:
    @result_table(reads=[], code_version=version)
    def it() -> Any:
        note(version)
        return table(int(version))

    return it


def test_a_hit_that_is_collected_before_its_reuse_is_a_miss(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step had found it, a collection was quicker: the step computes, and nothing fails."""
    lab.run(made("1"))
    lab.run(made("2"))
    reuse, given = materialize.reuse, list[Any]()

    def collect_first(*arguments: Any) -> Any:
        if not given:
            given.append(collected(lab.store))
        return reuse(*arguments)

    monkeypatch.setattr(materialize, "reuse", collect_first)
    assert lab.run(made("1")).calls == ["1"]
    assert len(given[0]) == 1
    assert values(lab.store.read("it")) == [1]
    assert lab.run(made("1")).calls == []


def test_the_job_collects_the_results_of_runs_that_are_over(lab: Lab) -> None:
    """A run that succeeded keeps its results no longer; one that is under way keeps them, whatever its lease said."""
    lab.run(made("1"))
    lab.run(made("2"))
    live = lab.instance.create_run_for_job(dg.GraphDefinition(name="other", node_defs=[]).to_job())
    old = lab.store.history("it")[1].materialization_id
    lab.store.writer.point(
        [("it", old)], start_sequence=lab.store.history("it")[0].start_sequence - 1, run_id=live.run_id
    )
    policy = {"keep_last": 0, "grace_seconds": 0}
    job = build_collection_job(policy)
    defs = definitions(lab, [made("2")], jobs=[job])
    assert lab.store.collect(policy).collected == []
    report = _run(lab, defs)
    assert (report["collected"], report["kept_count"]) == ([], 2)
    lab.instance.delete_run(live.run_id)
    with lab.store.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM run_leases WHERE expires_at > 0")
    assert _run(lab, defs)["collected"] == [old]


def _run(lab: Lab, defs: dg.Definitions) -> dict[str, Any]:
    config = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    ran = defs.resolve_job_def("collection").execute_in_process(instance=lab.instance, run_config=config)
    (output,) = [e for e in ran.all_events if e.event_type_value == "STEP_OUTPUT"]
    metadata: Any = output.step_output_data.metadata
    report: dict[str, Any] = metadata["report"].value
    return report


def test_a_job_of_a_bad_policy_is_refused_where_it_is_built() -> None:
    """Not at night, when it runs."""
    with pytest.raises(InvalidField, match="keep_last"):
        build_collection_job({"keep_last": -1})
