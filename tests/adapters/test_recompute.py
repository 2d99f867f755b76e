"""Recompute runs what is recorded again; checks and jobs tell about tables where Dagster shows them."""

from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, Ran, note, table, taken, values
from sensing_kit import definitions

from jammi_dagster import NotRecomputable, build_recompute_job, build_recovery_job, recompute, result_table
from jammi_dagster.errors import UnknownTable

letters = dg.StaticPartitionsDefinition(["a", "b"])
_bytes: list[int] = []


class Size(dg.Config):
    rows: int = 1


def _report(output: Any) -> dict[str, Any]:
    """The report that the job's op gives as metadata of its output."""
    report: dict[str, Any] = output.step_output_data.metadata["report"].value
    return report


def chain() -> list[Any]:
    @result_table(reads=[], code_version="1")
    def top(config: Size) -> pa.Table:
        note("top")
        return table(*range(config.rows))

    @result_table(code_version="1")
    def left(top: pa.Table) -> pa.Table:
        note("left")
        return table(top.num_rows)

    @result_table(code_version="1")
    def right(top: pa.Table) -> pa.Table:
        note("right")
        return table(top.num_rows)

    @result_table(code_version="1")
    def foot(left: pa.Table, right: pa.Table) -> pa.Table:
        note("foot")
        return left

    @result_table(reads=[], code_version="1")
    def moody() -> pa.Table:
        _bytes.append(1)
        return table(len(_bytes))

    @result_table(code_version="1")
    def after(moody: pa.Table) -> pa.Table:
        return moody

    @result_table(code_version="1")
    def last(after: pa.Table) -> pa.Table:
        return after

    return [top, left, right, foot, moody, after, last]


def test_a_fresh_table_comes_out_the_same_with_the_config_that_it_was_made_with(lab: Lab) -> None:
    """Config that is not the default is replayed; the function runs though the cache could have answered."""
    assets = chain()
    lab.run(assets, config={"top": {"rows": 5}})
    before = lab.store.current("top")
    report = recompute(lab.store, definitions(lab, assets), "top", instance=lab.instance)
    assert taken() == ["top"]
    (made,) = report.recomputed
    assert (made.table, made.original, made.outcome) == ("top", before.materialization_id, "reproduced")
    assert made.materialization == lab.store.current("top").materialization_id != before.materialization_id
    assert values(lab.store.read("top")) == [0, 1, 2, 3, 4]
    assert report.downstream_stale == ()


def test_what_comes_out_otherwise_has_diverged_and_names_what_is_stale_now(lab: Lab) -> None:
    """The record says so too; nothing downstream is made unless asked."""
    assets = chain()
    lab.run(assets)
    report = recompute(lab.store, definitions(lab, assets), "moody", instance=lab.instance)
    assert [made.outcome for made in report.recomputed] == ["diverged"]
    assert lab.store.current("moody").reproducibility == "diverged"
    assert report.downstream_stale == ("after", "last")
    cascaded = recompute(lab.store, definitions(lab, assets), "moody", "downstream", lab.instance)
    assert [made.table for made in cascaded.recomputed] == ["moody", "after", "last"]
    assert cascaded.downstream_stale == ()


def test_a_diamonds_foot_runs_once_after_both_parents(lab: Lab) -> None:
    """Topological order, each table once."""
    assets = chain()
    lab.run(assets, config={"top": {"rows": 2}})
    lab.run(assets, select=[assets[0]], config={"top": {"rows": 3}})
    lab.store.materialize("top", table(7), descriptor={"producer": "t"}, env={}, inputs=[])
    taken()
    report = recompute(lab.store, definitions(lab, assets), "top", "downstream", lab.instance)
    assert sorted(taken()) == ["foot", "left", "right", "top"]
    order = [made.table for made in report.recomputed]
    assert (order[0], order[-1], len(order)) == ("top", "foot", 4)


def test_what_cannot_be_recomputed_says_why(lab: Lab) -> None:
    """An unknown name, an asset that is gone, a config that is not valid any more."""
    assets = chain()
    lab.run(assets)
    with pytest.raises(UnknownTable):
        recompute(lab.store, definitions(lab, assets), "tops", instance=lab.instance)
    with pytest.raises(NotRecomputable, match="no asset of the definitions makes it"):
        recompute(lab.store, definitions(lab, assets[4:]), "top", instance=lab.instance)


def test_a_range_is_made_again_as_a_range(lab: Lab) -> None:
    """One partition of it cannot be made alone: the function saw all."""

    @result_table(
        partitions_def=letters, backfill_policy=dg.BackfillPolicy.single_run(), reads=[], code_version="1"
    )
    def part(context: dg.AssetExecutionContext) -> dict[str, pa.Table]:
        note(list(context.partition_keys))
        return {key: table(key) for key in context.partition_keys}

    lab.run(part, span=("a", "b"))
    report = recompute(lab.store, definitions(lab, [part]), "part[b]", instance=lab.instance)
    assert taken() == [["a", "b"]]
    assert [made.outcome for made in report.recomputed] == ["reproduced"]


def test_the_jobs_recompute_and_recover(lab: Lab) -> None:
    """What they did stands in the metadata of their op."""
    assets = chain()
    lab.run(assets)
    holder: dict[str, dg.Definitions] = {}
    job = build_recompute_job(defs=lambda: holder["defs"])
    holder["defs"] = definitions(lab, assets, jobs=[job, build_recovery_job()])
    config = {
        "ops": {"recompute_table": {"config": {"table": "top"}}},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }
    result = (
        holder["defs"]
        .resolve_job_def("recompute")
        .execute_in_process(instance=lab.instance, run_config=config)
    )
    (output,) = [e for e in result.all_events if e.is_step_event and e.event_type_value == "STEP_OUTPUT"]
    report = _report(output)
    assert [made["outcome"] for made in report["recomputed"]] == ["reproduced"]
    recovered = (
        holder["defs"]
        .resolve_job_def("recovery")
        .execute_in_process(instance=lab.instance, run_config={"loggers": config["loggers"]})
    )
    (output,) = [e for e in recovered.all_events if e.event_type_value == "STEP_OUTPUT"]
    assert _report(output)["damaged"] == []


def test_the_recovery_job_fails_where_the_root_is_not_there(lab: Lab) -> None:
    """It says why, and the table is there again with its root."""
    assets = chain()
    lab.run(assets)
    defs = definitions(lab, assets, jobs=[build_recovery_job()])
    away = lab.root.with_name("away")
    (lab.root / "tables").rename(away)
    result = defs.resolve_job_def("recovery").execute_in_process(
        instance=lab.instance,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        raise_on_error=False,
    )
    assert not result.success
    assert "ready materializations lack their bytes" in Ran(result, [], []).error
    away.rename(lab.root / "tables")
    assert values(lab.store.read("top")) == [0]
