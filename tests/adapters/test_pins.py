"""Pins: a run takes an input from a named earlier materialization, and moves no name unless asked."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import executor_kit
import pyarrow as pa
import pytest
from adapters_kit import Lab, letters, note, raw_and_mid, table, values
from sensing_kit import definitions, evaluate

from jammi_dagster import ResultTableIOManager, materialize_plan, plan, result_table
from jammi_dagster.adapters.judgement.wording import reasons
from jammi_dagster.artifacts import read_manifest
from jammi_dagster.errors import InvalidField, JammiError, LaunchRefused, NotInHistory
from jammi_dagster.surfaces import file


def chain(folder: Path) -> list[Any]:
    """A file, a table of it, and two below: one loads it, one only names it."""
    raw, mid = raw_and_mid(folder)

    @result_table(code_version="1", deps=[raw], reads=[])
    def named() -> pa.Table:
        note("named")
        return table("named")

    return [raw, mid, named]


@pytest.fixture
def assets(lab: Lab, tmp_path: Path) -> list[Any]:
    """The chain, made over the texts `1`, `2` and `3`."""
    assets = chain(tmp_path)
    for text in "123":
        (tmp_path / "raw.txt").write_text(text)
        lab.run(assets)
    return assets


def pins(**pinned: Any) -> dict[str, str]:
    return {"jammi/pin": json.dumps(pinned)}


def config(**pinned: Any) -> dict[str, Any]:
    """The run config that pins tables."""
    return {"resources": {"io_manager": {"config": {"pins": pinned}}}}


def own_pins(lab: Lab, materialization: str) -> Any:
    """The pins that a sidecar records."""
    record = lab.store.reader.get(materialization)
    assert record is not None
    manifest = read_manifest(lab.store.artifacts, record.artifact_path)
    assert manifest is not None
    return (manifest.own or {}).get("pins")


def test_a_pinned_run_reads_the_earlier_one_and_moves_nothing(lab: Lab, assets: list[Any]) -> None:
    """Its anchor is a digest as ever; the sidecar and the event name the materialization and its distance."""
    _, second, _ = lab.store.history("raw")
    before = {name: lab.store.current(name) for name in ("raw", "mid", "named")}
    ran = lab.run(
        assets, select=["mid"], tags={**pins(raw=second.materialization_id), "jammi/cache": "bypass"}
    )
    assert ran.calls == ["mid"]
    said = f"raw is pinned to materialization {second.materialization_id}, 1 move behind the current one"
    told = ran.said("mid")
    assert (told["jammi/is_current"], told["jammi/pins"]) == (False, f"- {said}")
    made = lab.store.reader.get(told["jammi/materialization"])
    assert made is not None
    (anchor,) = made.input_anchors
    assert (anchor.kind.value, anchor.anchor) == ("result_digest", second.artifact_digest)
    assert own_pins(lab, made.materialization_id) == [
        {"table": "raw", "materialization_id": second.materialization_id, "behind": 1}
    ]
    assert values(ran.result.asset_value("mid")) == ["2"]
    assert {name: lab.store.current(name) for name in before} == before
    assert evaluate(lab, assets).tables == {}


def test_a_materialization_is_named_in_each_way(lab: Lab, assets: list[Any]) -> None:
    """By id, sequence or time, in one JSON tag or in a tag of its own; over it a stored result is reused."""
    second, move = lab.store.history("raw")[1], lab.store.moves("raw")[1]
    cases: list[dict[str, str]] = [pins(raw=at) for at in (second.materialization_id, move.sequence, move.at)]
    for tags in [*cases, {"jammi/pin/raw": str(move.sequence)}]:
        planned = plan(definitions(lab, assets), "mid", tags=tags, instance=lab.instance)["mid"]
        assert (planned.action, planned.is_current) == ("reuse", False)
        assert planned.reasons[-1] == "it is recorded, but does not become current: the run moves no name"
        ran = lab.run(assets, select=["mid"], tags=tags)
        assert (ran.calls, ran.outcomes) == ([], {"mid": "reused"})
        assert ran.said("mid")["jammi/materialization"] == planned.materialization
        assert values(lab.store.read("mid")) == ["3"]


def test_it_moves_the_name_if_asked(lab: Lab, assets: list[Any]) -> None:
    """Then the table is stale, since its input is another one now: the verdict says that it was pinned, and how far."""
    second = lab.store.history("raw")[1]
    ran = lab.run(
        assets,
        select=["mid"],
        tags={**pins(raw=second.materialization_id), "jammi/moves": "true", "jammi/cache": "bypass"},
    )
    assert "jammi/is_current" not in ran.said("mid")
    assert values(lab.store.read("mid")) == ["2"]
    said = f"raw is pinned to materialization {second.materialization_id}, 1 move behind the current one"
    (state,) = evaluate(lab, assets).tables.values()
    assert (state.table, state.kind, reasons(state)) == ("mid", "stale", [said])
    verdict = lab.store.staleness("mid", str(state.definition or lab.store.current("mid").definition_hash))
    assert [str(pin) for pin in verdict.pinned] == [said]
    assert verdict.to_dict()["reasons"][0]["reason"] == "input_advanced"


def test_plan_and_event_say_why_it_computes(lab: Lab, assets: list[Any], tmp_path: Path) -> None:
    """The pinned input in place of `input raw changed`."""
    first = lab.store.history("raw")[-1]

    @result_table(code_version="1")
    def new(raw: pa.Table) -> pa.Table:
        return raw

    lab.run([*assets, new], select=["new"])
    tags = pins(raw=first.materialization_id)
    why = f"input raw is pinned to materialization {first.materialization_id}, 2 moves behind the current one"
    planned = plan(definitions(lab, [*assets, new]), "new", tags=tags, instance=lab.instance)["new"]
    assert (planned.action, planned.reasons[0]) == ("compute", why)
    ran = lab.run([*assets, new], select=["new"], tags=tags)
    assert ran.said("new")["jammi/why"] == why


BAD: list[tuple[dict[str, str], type[JammiError], str]] = [
    ({"jammi/pin": "raw"}, InvalidField, "JSON from table"),
    ({"jammi/pin": '["raw"]'}, InvalidField, "JSON from table"),
    ({"jammi/pin": '{"raw": null}'}, InvalidField, "JSON from table"),
    (pins(rav="1"), InvalidField, "field pins is rav"),
    ({"jammi/pin/raw[a]": "1"}, InvalidField, "raw[a]"),
    (pins(raw="never"), NotInHistory, "table raw at never"),
    (pins(raw=1), NotInHistory, "its history begins on"),
    (pins(raw="1999-01-01"), NotInHistory, "its history begins on"),
    (pins(raw="MID"), NotInHistory, "that is a materialization of mid"),
    (pins(raw="GONE"), NotInHistory, "are gone or altered"),
]


def test_bad_pins_are_refused_before_the_body(lab: Lab, assets: list[Any]) -> None:
    """By the step, and by the plan, with an error that names the table and the value."""
    first, mid = lab.store.history("raw")[-1], lab.store.current("mid").materialization_id
    lab.store.artifacts.delete(first.artifact_path)
    defs = definitions(lab, assets)
    for bad, error, said in BAD:
        tags = {
            k: tag.replace("MID", mid).replace("GONE", first.materialization_id) for k, tag in bad.items()
        }
        ran = lab.run(assets, select=["mid"], tags={**tags, "jammi/cache": "bypass"}, ok=False)
        assert ran.calls == []
        assert said in ran.error, bad
        with pytest.raises(error):
            plan(defs, "mid", tags=tags, instance=lab.instance)


def test_a_run_makes_no_pinned_table_and_loads_each(lab: Lab, assets: list[Any]) -> None:
    """A step that makes one, and one that names one without loading it, fail before the body, as the plan says.

    The body of the latter would read whichever one it likes, and record the pinned one.
    """
    tags = pins(raw=lab.store.history("raw")[-1].materialization_id)
    defs = definitions(lab, assets)
    planned = plan(defs, ["raw", "mid"], tags=tags, instance=lab.instance)
    assert [row.action for row in planned.rows] == ["fail", "fail"]
    assert planned["raw"].reasons == ("the run pins raw as an input: leave its asset out",)
    assert "the run reads and does not make" in lab.run(assets, tags=tags, ok=False).errors[0]
    (row,) = plan(defs, "named", tags=tags, instance=lab.instance).rows
    why = "named names raw without loading it, so it would read another one than the run pins"
    assert (row.action, row.reasons) == ("fail", (why,))
    ran = lab.run(assets, select=["named"], tags={**tags, "jammi/cache": "bypass"}, ok=False)
    assert (ran.calls, why in ran.error) == ([], True)


def test_the_plan_of_each_partition_is_its_own(lab: Lab) -> None:
    """One that a pin refuses fails; the others of its asset are planned as without the pin."""

    @result_table(reads=[], code_version="1", partitions_def=letters)
    def part(context: dg.AssetExecutionContext) -> pa.Table:
        return table(context.partition_key)

    for key in "ab":
        lab.run(part, partition=key)
    first = lab.store.current("part[a]").materialization_id
    tags = {"jammi/pin/part[a]": first, "jammi/moves": "true"}
    planned = plan(definitions(lab, [part]), tags=tags, instance=lab.instance)
    assert [(row.table, row.partition, row.action) for row in planned.rows] == [
        ("part[a]", "a", "fail"),
        ("part[b]", "b", "reuse"),
    ]
    assert planned["part[b]"].materialization == lab.store.current("part[b]").materialization_id


@pytest.mark.slow
def test_a_partition_is_pinned_apart(lab: Lab, tmp_path: Path) -> None:
    """The others of a fan-in are read as they are."""
    path = tmp_path / "raw.txt"

    @result_table(reads=[file(path, name="raw.txt")], code_version="1", partitions_def=letters)
    def part(context: dg.AssetExecutionContext) -> pa.Table:
        return table(context.partition_key + path.read_text())

    @result_table(code_version="1")
    def whole(part: dict[str, pa.Table]) -> pa.Table:
        return pa.concat_tables(part.values())

    for text in "12":
        path.write_text(text)
        for key in "ab":
            lab.run([part, whole], select=["part"], partition=key)
    first = lab.store.history("part[a]")[-1].materialization_id
    ran = lab.run([part, whole], select=["whole"], tags={"jammi/pin": json.dumps({"part[a]": first})})
    assert values(ran.result.asset_value("whole")) == ["a1", "b2"]
    assert "whole" not in lab.store.tables()


@pytest.mark.slow
def test_lineage_leads_to_the_pinned_one(lab: Lab, assets: list[Any]) -> None:
    """Though a later materialization has the same bytes: the one that was read is recorded beside the anchor."""
    third = lab.store.history("raw")[0].materialization_id
    again = lab.run(assets, select=["raw"], tags={"jammi/cache": "bypass"}).said("raw")[
        "jammi/materialization"
    ]
    made = []
    for pinned in (third, again):
        ran = lab.run(assets, select=["mid"], tags={**pins(raw=pinned), "jammi/cache": "bypass"})
        made.append(ran.said("mid")["jammi/materialization"])
    assert [edge.input for one in made for edge in lab.store.lineage(one, depth=1).upstream] == [third, again]


@pytest.mark.slow
def test_a_retry_reads_the_same_again(lab: Lab, assets: list[Any], tmp_path: Path) -> None:
    """A step that is tried again within its run resolves the same pins."""
    marker = tmp_path / "tried"

    @result_table(code_version="1", retry_policy=dg.RetryPolicy(max_retries=1))
    def shaky(raw: pa.Table) -> pa.Table:
        if not marker.exists():
            marker.touch()
            raise RuntimeError("once")
        return raw

    first = lab.store.history("raw")[-1].materialization_id
    ran = lab.run([*assets, shaky], select=["shaky"], tags=pins(raw=first))
    assert values(ran.result.asset_value("shaky")) == ["1"]


def test_the_executor_honours_pins(lab: Lab, assets: list[Any]) -> None:
    """It reuses what the pinned input leads to, before any step, and moves nothing; a bad pin is left to the step."""
    second = lab.store.history("raw")[1].materialization_id
    wanted = lab.store.history("mid")[1].materialization_id
    defs = executor_kit.definitions(lab, assets, select=[dg.AssetKey("mid")])
    ran = executor_kit.launch(lab, defs, tags=pins(raw=second))
    assert executor_kit.not_stepped_into(lab, ran) == ["mid"]
    assert (ran.said("mid")["jammi/materialization"], ran.said("mid")["jammi/is_current"]) == (wanted, False)
    assert values(lab.store.read("mid")) == ["3"]
    ran = executor_kit.launch(lab, defs, tags=pins(raw="never"), ok=False)
    assert "table raw at never" in ran.error


def test_run_config_pins_as_a_tag_does(lab: Lab, assets: list[Any], tmp_path: Path) -> None:
    """Step, plan, executor and a plain asset take it alike; the tag that lets names move counts for it, too."""

    @dg.asset
    def plain(raw: pa.Table) -> pa.Table:
        return raw

    first, second = lab.store.history("raw")[2], lab.store.history("raw")[1]
    all_of_them = [*assets, plain]
    for at in (second.materialization_id, lab.store.moves("raw")[1].sequence):
        given = config(raw=at)
        ran = lab.run(
            all_of_them, select=["mid", "plain"], tags={"jammi/cache": "bypass"}, resources=given["resources"]
        )
        assert own_pins(lab, ran.said("mid")["jammi/materialization"]) == [
            {"table": "raw", "materialization_id": second.materialization_id, "behind": 1}
        ]
        assert (ran.said("mid")["jammi/is_current"], values(ran.result.asset_value("mid"))) == (False, ["2"])
        assert (values(ran.result.asset_value("plain")), "plain" in lab.store.tables()) == (["2"], False)
    planned = plan(
        definitions(lab, assets),
        "mid",
        run_config=config(raw=first.materialization_id),
        instance=lab.instance,
    )
    assert (planned["mid"].action, planned["mid"].is_current) == ("reuse", False)
    defs = executor_kit.definitions(lab, assets, select=[dg.AssetKey("mid")])
    ran = executor_kit.launch(lab, defs, config=config(raw=first.materialization_id))
    assert executor_kit.not_stepped_into(lab, ran) == ["mid"]
    assert ran.said("mid")["jammi/materialization"] == planned["mid"].materialization
    assert values(lab.store.read("mid")) == ["3"]
    moving = {"tags": {"jammi/moves": "true"}, **config(raw=first.materialization_id)}
    lab.run(assets, select=["mid"], **moving)
    assert values(lab.store.read("mid")) == ["1"]


BAD_CONFIGS: list[tuple[dict[str, Any], dict[str, str], type[JammiError], str]] = [
    ({"raw": {"env": "RAW"}}, {}, InvalidField, "JSON from table"),
    ({"raw": True}, {}, InvalidField, "JSON from table"),
    ({"rav": "1"}, {}, InvalidField, "rav"),
    ({"raw": "never"}, {}, NotInHistory, "table raw at never"),
    ({"raw": "never"}, {"jammi/pin/raw": "ever"}, InvalidField, "expected ever, as another pin"),
]


@pytest.mark.slow
def test_bad_pins_of_run_config_are_refused(lab: Lab, assets: list[Any]) -> None:
    """As those of a tag are; also where a tag pins the table otherwise, and where code gives pins to every run."""
    defs = definitions(lab, assets)
    for given, tags, error, said in BAD_CONFIGS:
        ran = lab.run(
            assets, select=["mid"], tags={**tags, "jammi/cache": "bypass"}, ok=False, **config(**given)
        )
        assert (ran.calls, said in ran.error) == ([], True), (given, ran.error)
        with pytest.raises(error, match=said):
            plan(defs, "mid", tags=tags, run_config=config(**given), instance=lab.instance)
    fixed = ResultTableIOManager(store=lab.store_resource, pins={"raw": "1"})
    lab.more = {"io_manager": fixed}
    ran = lab.run(assets, select=["mid"], ok=False)
    assert (ran.calls, "expected none in code" in ran.error) == ([], True)
    with pytest.raises(InvalidField, match="none in code"):
        plan(definitions(lab, assets), "mid", instance=lab.instance)


@pytest.mark.slow
def test_a_plan_that_moves_nothing_is_not_launched_in_runs(lab: Lab, assets: list[Any]) -> None:
    """Its runs would read each other's tables by name; asked to move names, it is launched."""
    second = lab.store.history("raw")[1].materialization_id
    defs = definitions(lab, assets)
    with pytest.raises(LaunchRefused, match="no name moves"):
        materialize_plan(
            plan(defs, "mid", tags=pins(raw=second), instance=lab.instance), instance=lab.instance
        )
    with pytest.raises(LaunchRefused, match="no name moves"):
        materialize_plan(
            plan(defs, "mid", run_config=config(raw=second), instance=lab.instance), instance=lab.instance
        )
    moving = {**pins(raw=second), "jammi/moves": "true"}
    report = materialize_plan(plan(defs, "mid", tags=moving, instance=lab.instance), instance=lab.instance)
    assert report.moved == ["mid"]
    assert values(lab.store.read("mid")) == ["2"]


@pytest.mark.slow
def test_a_plain_asset_reads_its_pinned_input(lab: Lab, assets: list[Any]) -> None:
    """Dagster runs its body in any case; its table is recorded without becoming current."""

    @dg.asset
    def plain(raw: pa.Table) -> pa.Table:
        return raw

    first = lab.store.history("raw")[-1].materialization_id
    lab.run([*assets, plain], select=["plain"], tags=pins(raw=first))
    (made,) = lab.store.history("plain")
    assert own_pins(lab, made.materialization_id)[0]["behind"] == 2
    assert "plain" not in lab.store.tables()


@pytest.mark.slow
def test_a_tenants_pin_stays_with_the_tenant(lab: Lab, assets: list[Any]) -> None:
    """The id of a global table serves it; that of another tenant is not in its history."""
    tenant = Lab(lab.root, lab.instance, options={"tenant": "acme"})
    other = Lab(lab.root, lab.instance, options={"tenant": "other"})
    first = lab.store.history("raw")[-1].materialization_id
    ran = tenant.run(assets, select=["mid"], tags=pins(raw=first))
    assert values(ran.result.asset_value("mid")) == ["1"]
    theirs = other.run(assets, select=["raw"], tags={"jammi/cache": "bypass"}).said("raw")[
        "jammi/materialization"
    ]
    ran = tenant.run(assets, select=["mid"], tags=pins(raw=theirs), ok=False)
    assert f"table raw at {theirs}" in ran.error
