"""Acceptances: a table counts as the output of changed code, on somebody's word, as all judges say alike."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg
import executor_kit
import pyarrow as pa
import pytest
from adapters_kit import Lab, Ran, letters, note, table, taken
from sensing_kit import Ticking, definitions, evaluate

from jammi_dagster import (
    Acceptance,
    StaleMaterialization,
    accept,
    build_materialization_checks,
    check_plan,
    materialize_plan,
    plan,
    recompute,
    result_table,
)
from jammi_dagster.errors import (
    InvalidField,
    InvalidTarget,
    JammiError,
    NotAcceptable,
    PlanOutdated,
    UnknownTable,
)
from jammi_dagster.surfaces import file

WHY = "accepted by ada because renamed a helper"


def chain(version: str = "1", *, rows: tuple[int, ...] = (1, 2)) -> list[Any]:
    """A source, a table of this code version, and one below it."""

    @result_table(reads=[], code_version="1")
    def raw() -> pa.Table:
        return table(1, 2)

    @result_table(code_version=version, automation_condition=StaleMaterialization())
    def mid(raw: pa.Table) -> pa.Table:
        note("mid")
        return table(*rows)

    @result_table(code_version="1")
    def low(mid: pa.Table) -> pa.Table:
        note("low")
        return mid

    return [raw, mid, low]


def parts(version: str = "1", **options: Any) -> Any:
    """A table for each letter, of this code version."""

    @result_table(reads=[], partitions_def=letters, code_version=version, **options)
    def part(context: dg.AssetExecutionContext) -> Any:
        note(context.partition_keys)
        made = {key: table(key) for key in context.partition_keys}
        return made if len(made) > 1 else table(context.partition_key)

    return part


def accepted(lab: Lab, assets: list[Any], name: Any = "mid", *given: Any, **options: Any) -> Any:
    """Accept tables, by ada."""
    defs = definitions(lab, assets)
    return accept(defs, name, *given, reason="renamed a helper", by="ada", instance=lab.instance, **options)


def refused(lab: Lab, assets: list[Any], name: Any = "mid", *given: Any, **options: Any) -> str:
    """The refusal to accept tables; nothing is recorded."""
    with pytest.raises(NotAcceptable) as raised:
        accepted(lab, assets, name, *given, **options)
    assert lab.store.acceptances() == {}
    return str(raised.value)


@pytest.fixture
def said(lab: Lab) -> Acceptance:
    """The acceptance of `mid`, made by code version 1, for version 2."""
    lab.run(chain())
    (given,) = accepted(lab, chain("2"))
    return given


@pytest.mark.slow
def test_an_accepted_table_is_fresh_and_reused(lab: Lab) -> None:
    """As staleness, evaluation, sensor, plan and step say; nothing below it becomes stale."""
    lab.run(chain())
    first = lab.store.current("mid")
    after = chain("2")
    before = plan(definitions(lab, after), instance=lab.instance)
    assert [row.action for row in before.rows] == ["reuse", "compute", "compute or reuse"]
    (said,) = accepted(lab, after)
    assert (said.materialization_id, said.from_definition) == (
        first.materialization_id,
        first.definition_hash,
    )
    assert (said.artifact_digest, said.proof, str(said)) == (first.artifact_digest, None, WHY)
    assert lab.store.acceptances() == {"mid": said}

    verdict = lab.store.staleness("mid", said.to_definition)
    assert (verdict.staleness, verdict.grade, verdict.accepted) == ("fresh", "declared", said)
    found = evaluate(lab, after)
    assert (dict(found.tables), found.accepted) == ({}, {"mid": said})
    ticking = Ticking(lab, after)
    assert ticking.tick() == []
    assert ticking.said.startswith("3 fresh (1 accepted), 0 stale, 0 undecidable.")
    planned = plan(definitions(lab, after), instance=lab.instance)
    assert planned.counts == {"reuse": 3}
    assert planned["mid"].reasons == (WHY,)
    taken()
    ran = lab.run(after)
    assert ran.calls == []
    assert set(ran.outcomes.values()) == {"reused"}
    assert ran.said("mid")["jammi/why"] == f"reused: {WHY}"
    assert lab.store.current("mid").materialization_id == first.materialization_id
    assert lab.store.acceptances() == {"mid": said}


@pytest.mark.slow
def test_checks_and_conditions_take_it_for_fresh(lab: Lab, said: Acceptance) -> None:
    """The check says who accepted it; it passes."""
    assets = chain("2")
    checks = build_materialization_checks(assets[1])
    ran = lab.run([*assets, *checks], select=["mid"])
    evaluations = {one.check_name: one for one in ran.result.get_asset_check_evaluations()}
    found = evaluations["jammi_staleness"]
    assert found.passed
    assert f"mid is {WHY}." in str(found.description)
    assert found.metadata["jammi/accepted"].value == {"mid": WHY}
    condition = dg.evaluate_automation_conditions(definitions(lab, assets), instance=lab.instance)
    assert condition.total_requested == 0


@pytest.mark.slow
def test_a_launched_plan_reuses_it_and_tells_why(lab: Lab, said: Acceptance) -> None:
    """Without a run; a plan from before the acceptance is outdated, since it would compute."""
    assets = chain("2")
    defs = definitions(lab, assets)
    report = materialize_plan(plan(defs, instance=lab.instance), defs, instance=lab.instance)
    assert (sorted(report.reused), report.runs, report.moved) == (["low", "mid", "raw"], [], [])
    event = lab.instance.get_latest_materialization_event(dg.AssetKey("mid"))
    assert event is not None
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["jammi/why"].value == f"reused: {WHY}"
    lab.run(chain("3"), select=["mid"])
    defs = definitions(lab, chain("4"))
    old = plan(defs, instance=lab.instance)
    accepted(lab, chain("4"))
    with pytest.raises(PlanOutdated, match="acceptance mid"):
        check_plan(old, defs, instance=lab.instance)


def test_the_executor_reuses_it_before_any_step(lab: Lab, said: Acceptance) -> None:
    """With its reason in the event; no step is begun."""
    defs = executor_kit.definitions(lab, chain("2"))
    ran = executor_kit.launch(lab, defs)
    assert executor_kit.not_stepped_into(lab, ran) == ["low", "mid", "raw"]
    assert ran.said("mid")["jammi/why"] == f"reused: {WHY}"


def test_the_next_change_voids_it(lab: Lab, said: Acceptance) -> None:
    """Of code, and of the name: by a recompute, a run under bypass, or another version."""
    assert [row.action for row in plan(definitions(lab, chain("3")), instance=lab.instance).rows][1] == (
        "compute"
    )
    assert sorted(evaluate(lab, chain("3")).tables) == ["low", "mid"]
    defs = definitions(lab, chain("2", rows=(3,)))
    report = recompute(lab.store, defs, "mid", instance=lab.instance)
    assert [(one.table, one.outcome) for one in report.recomputed] == [("mid", "changed")]
    assert report.downstream_stale == ("low",)
    assert lab.store.acceptances() == {}
    lab.store.rollback("mid", said.materialization_id)
    assert evaluate(lab, chain("2")).tables["mid"].kind == "stale"


@pytest.mark.slow
def test_an_input_that_is_made_anew_computes_it(lab: Lab, tmp_path: Path) -> None:
    """As the plan says beforehand; over equal bytes of the input the acceptance still counts."""
    path = tmp_path / "raw.txt"

    def assets(version: str) -> list[Any]:
        @result_table(reads=[file(path, name="raw.txt")], code_version="1")
        def raw() -> pa.Table:
            return table(path.read_text().strip())

        @result_table(code_version=version)
        def mid(raw: pa.Table) -> pa.Table:
            return raw

        return [raw, mid]

    path.write_text("1")
    lab.run(assets("1"))
    accepted(lab, assets("2"))
    path.write_text("1 ")
    planned = plan(definitions(lab, assets("2")), instance=lab.instance)
    assert [row.action for row in planned.rows] == ["compute", "compute or reuse"]
    assert lab.run(assets("2")).outcomes == {"raw": "computed", "mid": "reused"}
    path.write_text("2")
    assert lab.run(assets("2")).outcomes == {"raw": "computed", "mid": "computed"}


# --- refusals ------------------------------------------------------------------------------------------


def _variant(**changed: Any) -> Any:
    """One asset, with options and config that a case may change."""
    options = {"reads": [], "code_version": "1", **changed.pop("options", {})}
    default = changed.pop("alpha", 1)

    class Alpha(dg.Config):
        alpha: int = default

    @result_table(name="mid", **options)
    def mid(config: Alpha) -> pa.Table:
        return table(config.alpha)

    return mid


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        pytest.param({"options": {"code_version": "1"}}, "nothing to accept", id="nothing"),
        pytest.param({"alpha": 2}, "config.alpha 1 -> 2", id="config"),
        pytest.param(
            {"options": {"reads": None}}, "an input without a version: it has no upstream", id="unpinned"
        ),
    ],
)
def test_more_than_code_is_refused(lab: Lab, changed: dict[str, Any], why: str) -> None:
    """The refusal names the first other difference."""
    lab.run(_variant())
    changed["options"] = {"code_version": "2", **changed.get("options", {})}
    assert why in refused(lab, [_variant(**changed)])


def test_bad_arguments_are_refused(lab: Lab) -> None:
    """Each with an error of its kind; nothing is recorded."""
    lab.run(chain())
    cases: list[tuple[str, dict[str, Any], type[JammiError]]] = [
        ("other", {}, InvalidTarget),
        ("low[x]", {}, NotAcceptable),
        ("mid", {"partition": "a"}, UnknownTable),
        ("mid", {"proof": "word"}, InvalidField),
        ("mid", {"sample": 1}, InvalidField),
        ("mid", {"proof": "recompute", "sample": 0}, InvalidField),
        ("mid", {"proof": "recompute", "deployment": "other"}, InvalidField),
        ("mid", {"deployment": "other"}, UnknownTable),
    ]
    for name, given, error in cases:
        with pytest.raises(error):
            accepted(lab, chain("2"), name, **given)
    with pytest.raises(NotAcceptable, match="none of its tables is stale"):
        accepted(lab, chain(), dg.AssetKey("mid"))
    assert lab.store.acceptances() == {}


@pytest.mark.slow
def test_a_refactoring_of_real_code_is_accepted(lab: Lab, module: Callable[[str, str], ModuleType]) -> None:
    """Where the code is read and no version stands for it; a changed library import beside it is refused."""
    source = """
        import pyarrow as pa
        from jammi_dagster import result_table

        def {name}(n):
            return n + 1

        @result_table(reads=[])
        def mid() -> pa.Table:
            return pa.table({{"x": [{name}(1)]}})
        """
    lab.run(module("refactored", source.format(name="plus")).mid)
    after = module("refactored", source.format(name="increment")).mid
    assert evaluate(lab, [after]).tables["mid"].kind == "stale"
    accepted(lab, [after])
    assert lab.run(after).outcomes == {"mid": "reused"}
    numpy = source.replace("import pyarrow as pa", "import numpy as np\n        import pyarrow as pa")
    other = module("refactored", numpy.format(name="plus").replace("(1)]", "(np.int64(1))]")).mid
    with pytest.raises(NotAcceptable, match="numpy"):
        accepted(lab, [other])


# --- partitions and proofs -----------------------------------------------------------------------------


@pytest.mark.slow
def test_partitions_are_accepted_one_by_one_or_together(lab: Lab) -> None:
    """By partition, by table name, or all stale ones of an asset."""
    for key in "ab":
        lab.run(parts(), partition=key)
    assert [one.table for one in accepted(lab, [parts("2")], "part", "a")] == ["part[a]"]
    assert list(evaluate(lab, [parts("2")]).tables) == ["part[b]"]
    assert [one.table for one in accepted(lab, [parts("2")], "part")] == ["part[b]"]
    with pytest.raises(NotAcceptable, match="it is fresh"):
        accepted(lab, [parts("2")], "part[b]")
    assert [one.table for one in accepted(lab, [parts("3")], parts("3"))] == ["part[a]", "part[b]"]
    assert lab.run(parts("3"), partition="b").outcomes == {"part[b]": "reused"}


@pytest.mark.slow
def test_a_range_is_reused_where_all_of_it_is_accepted(lab: Lab) -> None:
    """And computed where one table of it is not."""
    single = dg.BackfillPolicy.single_run()
    lab.run(parts(backfill_policy=single), span=("a", "b"))
    after = parts("2", backfill_policy=single)
    accepted(lab, [after], "part", "a")
    assert set(lab.run(after, span=("a", "b"), tags={"jammi/moves": "false"}).outcomes.values()) == {
        "computed"
    }
    accepted(lab, [parts("3", backfill_policy=single)], "part")
    assert set(lab.run(parts("3", backfill_policy=single), span=("a", "b")).outcomes.values()) == {"reused"}


def test_a_proof_recomputes_the_table_and_compares(lab: Lab) -> None:
    """No name moves; equal bytes are said with the acceptance, whose grade stays the same."""
    lab.run(chain())
    first, moves = lab.store.current("mid"), lab.store.moves("mid")
    taken()
    (said,) = accepted(lab, chain("2"), proof="recompute")
    assert taken() == ["mid"]
    assert (said.proof, str(said)) == ("recomputed", f"{WHY} (recomputed)")
    assert lab.store.current("mid") == first
    assert lab.store.moves("mid") == moves
    assert lab.store.staleness("mid", said.to_definition).grade == "declared"


def test_a_proof_that_fails_accepts_nothing(lab: Lab) -> None:
    """The recomputed table is named; it is recorded, and a run of the new code reuses it."""
    lab.run(chain())
    after = chain("2", rows=(3,))
    why = refused(lab, after, proof="recompute")
    recorded = lab.store.history("mid")[0].materialization_id
    assert f"the present code makes other bytes (materialization {recorded})" in why
    assert evaluate(lab, after).tables["mid"].kind == "stale"
    ran = lab.run(after, select=["mid"])
    assert ran.outcomes == {"mid": "reused"}
    assert ran.said("mid")["jammi/materialization"] == recorded


@pytest.mark.slow
def test_a_sample_is_said_to_be_one(lab: Lab) -> None:
    """Only so many partitions are computed; all are accepted."""
    for key in "ab":
        lab.run(parts(), partition=key)
    taken()
    said = accepted(lab, [parts("2")], "part", proof="recompute", sample=1)
    assert len(taken()) == 1
    assert [one.proof for one in said] == ["sampled 1 of 2"] * 2
    assert str(said[0]) == f"{WHY} (sampled 1 of 2)"
    assert evaluate(lab, [parts("2")]).tables == {}


def test_a_proof_makes_a_range_again_as_a_range(lab: Lab) -> None:
    """Also for one table of it: the function sees all of its partitions, as when the table was made."""
    single = dg.BackfillPolicy.single_run()

    @result_table(reads=[], partitions_def=letters, code_version="1", backfill_policy=single)
    def part(context: dg.AssetExecutionContext) -> dict[str, pa.Table]:
        note(context.partition_keys)
        return {key: table(len(context.partition_keys)) for key in context.partition_keys}

    lab.run(part, span=("a", "b"))
    taken()

    @result_table(reads=[], partitions_def=letters, code_version="2", backfill_policy=single, name="part")
    def renamed(context: dg.AssetExecutionContext) -> dict[str, pa.Table]:
        note(context.partition_keys)
        return {key: table(len(context.partition_keys)) for key in context.partition_keys}

    (said,) = accepted(lab, [renamed], "part[b]", proof="recompute")
    assert (taken(), said.table, said.proof) == ([["a", "b"]], "part[b]", "recomputed")


def test_a_run_that_moves_nothing_says_so(lab: Lab) -> None:
    """Its tables are recorded, and read by its own next steps; a tag that says neither is refused before any step."""
    lab.run(chain())
    before = {name: lab.store.current(name) for name in ("raw", "mid", "low")}
    ran: Ran = lab.run(chain("2", rows=(3,)), tags={"jammi/moves": "false"})
    assert ran.outcomes == {"raw": "reused", "mid": "computed", "low": "computed"}
    assert [ran.said(name).get("jammi/is_current") for name in ("raw", "mid", "low")] == [None, False, False]
    assert {name: lab.store.current(name) for name in before} == before
    assert "true or false" in lab.run(chain("2"), tags={"jammi/moves": "maybe"}, ok=False).errors[0]
