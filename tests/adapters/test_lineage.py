"""Lineage in Dagster: plans, runs that carry them out, pictures, and recorded against declared."""

import xml.etree.ElementTree as ET
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, table
from sensing_kit import definitions

from jammi_dagster import InputAnchor, LineageResource, result_table
from jammi_dagster.errors import DependencyCycle, UnknownTable

letters = dg.StaticPartitionsDefinition(["a", "b"])


def diamond() -> list[Any]:
    @result_table(reads=[])
    def top() -> pa.Table:
        return table(1)

    @result_table
    def left(top: pa.Table) -> pa.Table:
        return top

    @result_table
    def right(top: pa.Table) -> pa.Table:
        return top

    @result_table
    def foot(left: pa.Table, right: pa.Table) -> pa.Table:
        return left

    return [top, left, right, foot]


def lineage(lab: Lab) -> LineageResource:
    return LineageResource(store=lab.store_resource)


def test_a_plan_names_each_table_once_after_its_inputs(lab: Lab) -> None:
    """A diamond's foot comes after both parents, with asset, partition and reason."""
    assets = diamond()
    lab.run(assets)
    for plan in (
        lineage(lab).downstream_plan("top"),
        lineage(lab).downstream_plan(["top"], definitions(lab, assets)),
    ):
        assert [[p.table for p in layer] for layer in plan.generations] == [["left", "right"], ["foot"]]
        (foot,) = plan.generations[1]
        assert (foot.asset_key, foot.partition) == (dg.AssetKey("foot"), None)
        assert foot.reason == "derives from left, right"
        (request,) = lineage(lab).run_requests(plan)
        assert {key.to_user_string() for key in request.asset_selection or ()} == {"left", "right", "foot"}
    assert {(e.input, e.derived) for e in lineage(lab).upstream("foot")} == {
        ("left", "foot"),
        ("right", "foot"),
        ("top", "left"),
        ("top", "right"),
    }
    assert [e.derived for e in lineage(lab).derives_from("top")] == ["left", "right"]
    assert len(lineage(lab).closure("top")) == 4
    with pytest.raises(UnknownTable):
        lineage(lab).downstream_plan("topp")


def test_partitions_run_apart_and_what_gathers_them_afterwards(lab: Lab) -> None:
    """One run for each partition; the fan-in is of a later generation."""

    @result_table(partitions_def=letters, reads=[])
    def part() -> pa.Table:
        return table(1)

    @result_table(partitions_def=letters)
    def same(part: pa.Table) -> pa.Table:
        return part

    @result_table
    def whole(same: dict[str, pa.Table]) -> pa.Table:
        return table(*same)

    assets = [part, same, whole]
    for letter in "ab":
        lab.run(assets, select=[part, same], partition=letter)
    lab.run(assets, select=[whole])
    requests = lineage(lab).run_requests(lineage(lab).downstream_plan(["part[a]", "part[b]"]))
    assert [(r.partition_key, r.tags["jammi/generation"]) for r in requests] == [
        ("a", "0"),
        ("b", "0"),
        (None, "1"),
    ]


class Sizes(dg.Config):
    size: int = 1


def test_the_config_of_a_plan_is_for_the_op_that_makes_the_table(lab: Lab) -> None:
    """One of a multi-asset has a name of its own, which the definitions tell."""

    @result_table(reads=[])
    def top() -> pa.Table:
        return table(1)

    @dg.multi_asset(name="halves", ins={"top": dg.AssetIn()}, outs={"half": dg.AssetOut()})
    def halves(config: Sizes, top: pa.Table) -> pa.Table:
        return table(config.size)

    assets = [top, halves]
    lab.run(assets, config={"halves": {"size": 2}})
    plan = lineage(lab).downstream_plan("top", definitions(lab, assets))
    (request,) = lineage(lab).run_requests(plan)
    assert request.run_config == {"ops": {"halves": {"config": {"size": 2}}}}


def test_a_cycle_left_by_two_declared_graphs_stops_only_the_recorded_order(lab: Lab) -> None:
    """The graph that is declared now orders the plan; the recorded edge that disagrees is reported."""

    @result_table(reads=[], name="one")
    def one_first() -> pa.Table:
        return table(1)

    @result_table(name="two")
    def two_second(one: pa.Table) -> pa.Table:
        return table(2)

    @result_table(reads=[], name="two")
    def two_first() -> pa.Table:
        return table(2)

    @result_table(name="one")
    def one_second(two: pa.Table) -> pa.Table:
        return table(3)

    lab.run([one_first, two_second])
    now = [two_first, one_second]
    lab.run(now, select=[one_second])
    with pytest.raises(DependencyCycle):
        lineage(lab).downstream_plan("one")
    plan = lineage(lab).downstream_plan("two", definitions(lab, now))
    assert plan.tables == ["one"]
    compared = lineage(lab).compare_with_assets(definitions(lab, now))
    assert (compared.agreeing, compared.undeclared, compared.unrecorded) == (1, (("one", "two"),), ())


def test_pictures_are_valid_whatever_the_names(lab: Lab) -> None:
    """SVG parses as XML with a box for each name; Mermaid has no character of a name that could end its label."""
    store = lab.store
    odd = 'we"ird<&>%5B'
    made = store.materialize(odd, table(1), descriptor={"producer": "t"}, env={}, inputs=[])
    anchors = [
        InputAnchor.result_digest(odd, str(made.artifact_digest)),
        InputAnchor.source_version("file:a'b", "1"),
    ]
    store.materialize("below[x]", table(1), descriptor={"producer": "t"}, env={}, inputs=anchors)
    root = ET.fromstring(lineage(lab).to_svg("below[x]"))
    titles = [e.text for e in root.iter("{http://www.w3.org/2000/svg}title")]
    assert sorted(str(t).rsplit(": ", 1)[0] for t in titles) == sorted([odd, "below[x]", "file:a'b"])
    text = lineage(lab).to_mermaid()
    assert text.startswith("flowchart LR\n")
    assert odd not in text
    assert text.count(" --> ") == 2


def test_a_picture_has_the_colour_of_each_verdict(lab: Lab) -> None:
    """With the definitions of now, a stale table is drawn as one, with its reasons."""
    assets = diamond()
    lab.run(assets)
    lab.run(assets, select=[assets[0]], tags={"jammi/cache": "bypass"})
    lab.store.materialize("top", table(9), descriptor={"producer": "t"}, env={}, inputs=[])
    picture = lineage(lab).to_svg("left", hops=1, defs=definitions(lab, assets), instance=lab.instance)
    boxes = {
        str(g[0].text).split(":")[0]: g.get("class")
        for g in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}g")
    }
    assert boxes == {"top": "stale", "left": "stale", "foot": "fresh_for_now"}
    assert "classDef stale" in lineage(lab).to_mermaid(defs=definitions(lab, assets), instance=lab.instance)
