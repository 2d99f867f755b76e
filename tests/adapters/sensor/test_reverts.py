"""The sensor leaves a stale table to its own policy: a revert is a hit; only an undecidable table is bypassed."""

import json
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, table
from sensing_kit import Ticking, definitions, evaluate

from jammi_dagster import (
    CachePolicy,
    build_materialization_checks,
    recompute,
    result_table,
)
from jammi_dagster.adapters.judgement import table_state


def pipeline(version: str = "1", **more: Any) -> list[Any]:
    """A table of the code version, and a table that derives from it."""

    @result_table(reads=[], code_version=version, **more)
    def up() -> pa.Table:
        note("up")
        return table(version)

    @result_table(code_version="1", **more)
    def down(up: pa.Table) -> pa.Table:
        note("down")
        return up

    return [up, down]


def test_a_revert_is_a_hit(lab: Lab) -> None:
    """Code that is changed and changed back: the requested run reuses both tables, and the message says which."""
    lab.run(pipeline("1"))
    first = lab.store.current("up").materialization_id
    lab.run(pipeline("2"))
    ticking = Ticking(lab, pipeline("1"))
    (request,) = ticking.tick()
    assert json.loads(request.tags["jammi/cache"]) == {"down": "use"}
    assert f"Requested. A run reuses materialization {first}, which saves" in ticking.said
    assert ticking.execute(request) == {"up": "reused", "down": "reused"}
    assert ticking.tick() == []


def test_a_new_version_is_computed_and_the_message_says_so(lab: Lab) -> None:
    """A stale table without a descendant needs no tag at all."""
    lab.run(pipeline("1")[:1])
    ticking = Ticking(lab, pipeline("2")[:1])
    (request,) = ticking.tick()
    assert "jammi/cache" not in request.tags
    assert "A run computes it: nothing stored has this definition and these inputs." in ticking.said
    assert ticking.execute(request) == {"up": "computed"}


@pytest.mark.parametrize("where", ["manager", "decorator"])
def test_under_bypass_a_stale_table_is_computed_and_that_is_said(lab: Lab, where: str) -> None:
    """The policy of the IO manager, or of the decorator, holds for the sensor's runs as for a person's."""
    more = {"cache": CachePolicy.BYPASS} if where == "decorator" else {}
    if where == "manager":
        lab.cache = "bypass"
    for version in "12":
        lab.run(pipeline(version, **more))
    ticking = Ticking(lab, pipeline("1", **more))
    (request,) = ticking.tick()
    assert (
        'A run computes it: its cache policy is bypass, so no stored result is looked for (cache="use" would).'
        in ticking.said
    )
    assert ticking.execute(request)["up"] == "computed"


def test_an_undecidable_table_is_bypassed_when_it_is_to_be_made(lab: Lab) -> None:
    """Nothing tells if it changed, so only a computation decides."""

    @result_table(reads=[])
    def up(context: dg.AssetExecutionContext, outside: pa.Table) -> pa.Table:
        return table(1)

    @dg.asset(io_manager_key="elsewhere")
    def outside() -> pa.Table:
        return table(1)

    lab.more["elsewhere"] = dg.mem_io_manager
    assets = [outside, up]
    lab.run(assets)
    ticking = Ticking(lab, assets, on_undecidable="materialize")
    (request,) = ticking.tick()
    assert json.loads(request.tags["jammi/cache"]) == {"up": "bypass"}
    assert "Requested. The run computes it in any case, as only that decides." in ticking.said
    quiet = Ticking(lab, assets)
    assert quiet.tick() == []
    assert "A run computes it: outside has no version" in quiet.said


def test_a_table_below_a_stale_one_is_decided_once_that_is_made(lab: Lab) -> None:
    """Its plan of now would be about an input that is to be made again."""
    lab.run(pipeline("1"))
    found = evaluate(lab, pipeline("2"))
    assert found.tables["down"].verdict.stale_ancestor == "up"
    ticking = Ticking(lab, pipeline("2"))
    ticking.tick()
    assert "A run reuses it if a stored result fits the new up, and computes it otherwise." in ticking.said


def test_an_obstacle_is_said_once(lab: Lab) -> None:
    """A table without its input cannot be planned; the reason stands before that."""
    lab.run(pipeline("1"))
    lab.store.drop("up")
    ticking = Ticking(lab, pipeline("1"))
    ticking.tick()
    assert ticking.said.count("up, which is not there") == 1
    assert "No run of it can be planned." in ticking.said


def checked(lab: Lab, assets: list[Any]) -> dict[str, Any]:
    """The staleness check of each asset."""
    made: list[dg.Definitions] = []
    checks = build_materialization_checks(assets, defs=lambda: made[0])
    job = dg.define_asset_job("checks", selection=dg.AssetSelection.all_asset_checks())
    made.append(definitions(lab, assets, asset_checks=checks, jobs=[job]))
    result = made[0].resolve_job_def("checks").execute_in_process(instance=lab.instance)
    found = result.get_asset_check_evaluations()
    return {e.asset_key.to_user_string(): e for e in found if e.check_name == "jammi_staleness"}


def test_the_staleness_check_says_what_a_run_would_do(lab: Lab) -> None:
    """In its description, and for each table in its metadata."""
    lab.run(pipeline("1"))
    first = lab.store.current("up").materialization_id
    lab.run(pipeline("2"))
    found = checked(lab, pipeline("1"))["up"]
    assert f"A run reuses materialization {first}" in found.description
    (row,) = found.metadata["jammi/not_fresh"].records
    assert str(row.data["run"]).startswith(f"a run reuses materialization {first}")


def test_a_fresh_table_without_bytes_fails_the_staleness_check(lab: Lab) -> None:
    """A verdict does not look at a table's own bytes; the check does, at every table."""
    assets = pipeline()
    lab.run(assets)
    lab.store.artifacts.delete(lab.store.current("up").artifact_path)
    found = checked(lab, assets)
    assert (found["up"].passed, found["up"].severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert found["up"].metadata["jammi/verdicts"].value["bytes_missing"] == 1
    assert "up is bytes missing: its bytes are gone. A run computes it" in found["up"].description
    assert found["down"].passed


def test_recompute_reports_what_a_run_of_stale_tables_would_do(lab: Lab) -> None:
    """A recompute bypasses; the tables below it are planned as runs of their own."""
    lab.run(pipeline("1"))
    lab.run(pipeline("2")[:1])
    report = recompute(lab.store, definitions(lab, pipeline("1")), "up", instance=lab.instance)
    assert report.downstream_stale == ()
    report = recompute(lab.store, definitions(lab, pipeline("3")), "up", instance=lab.instance)
    expected = {"down": "A run computes it: nothing stored has this definition and these inputs."}
    assert report.expected == expected == report.to_dict()["expected"]


def test_only_tables_that_are_said_are_planned(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick over many tables that are stale for one cause plans the one that speaks for them."""
    keys = [f"k{i:02}" for i in range(20)]

    def parts(version: str) -> Any:
        @result_table(
            reads=[],
            code_version=version,
            partitions_def=dg.StaticPartitionsDefinition(keys),
            backfill_policy=dg.BackfillPolicy.single_run(),
        )
        def part(context: dg.AssetExecutionContext) -> dict[str, pa.Table]:
            return {key: table(key) for key in context.partition_keys}

        return part

    for key in keys:
        lab.run(parts("1"), partition=key)
    planned: list[Any] = []
    plan_of = table_state.plan_of

    def counted(*args: Any) -> Any:
        planned.append(args[1])
        return plan_of(*args)

    monkeypatch.setattr(table_state, "plan_of", counted)
    ticking = Ticking(lab, [parts("2")])
    assert ticking.tick()
    assert len(planned) == 1
