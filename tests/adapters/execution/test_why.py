"""Every materialization says why: in its metadata, in the run's log, in its sidecar, and by a tag."""

from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, table

from jammi_dagster import CachePolicy, result_table
from jammi_dagster.surfaces import file


def source(version: str = "1", rows: int = 1, **more: Any) -> Any:
    @result_table(reads=[], code_version=version, **more)
    def up() -> pa.Table:
        return table(rows)

    return up


@result_table(code_version="1")
def below(up: pa.Table) -> pa.Table:
    return up


class Size(dg.Config):
    rows: int = 1


@result_table(reads=[], code_version="1")
def sized(config: Size) -> pa.Table:
    return table(config.rows)


def test_the_first_time_a_change_and_a_reuse_say_why(lab: Lab) -> None:
    """The first determinant that differs is named; what is below names its input."""
    first = lab.run([source(), below])
    assert [first.said(name)["jammi/why"] for name in ("up", "below")] == ["first time", "first time"]
    again = lab.run([source(), below])
    assert again.said("up")["jammi/why"].startswith("reused: same definition over same inputs, made by run ")
    changed = lab.run([source("2", rows=2), below])
    assert changed.said("up")["jammi/why"] == "code_version 1 -> 2"
    assert changed.said("below")["jammi/why"] == "input up changed"
    assert "computing below: input up changed" in changed.captured
    assert lab.store.why("below").reasons == ("input up changed",)
    assert lab.store.why("below").is_recorded


@pytest.mark.parametrize("tags", [{}, {"jammi/cache": "bypass"}])
def test_a_bypass_says_so(lab: Lab, tags: dict[str, str]) -> None:
    asset = source(cache=CachePolicy.USE if tags else CachePolicy.BYPASS)
    lab.run(asset)
    assert lab.run(asset, tags=tags).said("up")["jammi/why"] == "cache=bypass"


def test_config_and_files_are_named(lab: Lab, tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("1")

    @result_table(reads=[file(path)])
    def read() -> pa.Table:
        return table(path.read_text())

    lab.run([sized, read])
    path.write_text("2")
    ran = lab.run([sized, read], config={"sized": {"rows": 2}})
    assert ran.said("sized")["jammi/why"] == "config.rows 1 -> 2"
    assert ran.said("read")["jammi/why"] == f"input file:{path} changed"


def test_a_table_that_can_never_be_reused_says_why_not(lab: Lab) -> None:
    @result_table
    def made() -> pa.Table:
        return table(1)

    lab.run(made)
    why = lab.run(made).said("made")["jammi/why"]
    assert why.startswith("it can never be reused: it has no upstream: declare reads=[")


def test_a_plain_asset_says_why_its_body_ran(lab: Lab) -> None:
    @dg.asset(code_version="1")
    def plain(up: pa.Table) -> pa.Table:
        return up

    assert lab.run([source(), plain]).said("plain")["jammi/why"] == "first time"
    again = lab.run([source(), plain]).said("plain")["jammi/why"]
    assert again == "Dagster runs the body of a plain asset in any case"
    changed = lab.run([source("2", rows=2), plain]).said("plain")["jammi/why"]
    assert changed.startswith("input up changed; ")


def test_gone_bytes_are_the_reason(lab: Lab) -> None:
    lab.run(source())
    for path in lab.root.rglob("*.parquet"):
        path.unlink()
    assert lab.run(source()).said("up")["jammi/why"] == "nothing stored has this definition and these inputs"


def test_each_partition_of_a_range_has_its_own_reason(lab: Lab) -> None:
    """A new partition comes for the first time, the others for the changed code."""
    partitions = dg.StaticPartitionsDefinition([f"p{i:02}" for i in range(30)])

    def ranged(version: str) -> Any:
        @result_table(
            reads=[],
            code_version=version,
            partitions_def=partitions,
            backfill_policy=dg.BackfillPolicy.single_run(),
        )
        def parts(context: dg.AssetExecutionContext) -> dict[str, pa.Table]:
            return {key: table(key) for key in context.partition_keys}

        return parts

    lab.run(ranged("1"), span=("p00", "p01"))
    ran = lab.run(ranged("2"), span=("p00", "p29"))
    why = {name: ran.said(name)["jammi/why"] for name in ran.events}
    assert why["parts[p00]"].startswith("code_version 1 -> 2")
    assert why["parts[p02]"] == "first time"
    assert len(why) == 30


def test_costs_and_tags_tell_a_reuse_from_a_computation(lab: Lab) -> None:
    """Seconds saved and spent are numbers that plot: a reuse spends its own time, not that of the old computation."""
    first = lab.run(source()).said("up")
    assert (first["jammi/reused"], first["jammi/seconds_saved"]) == (0, 0.0)
    assert first["jammi/seconds_spent"] == first["jammi/compute_seconds"]
    ran = lab.run(source())
    said = ran.said("up")
    assert (said["jammi/reused"], said["jammi/seconds_saved"]) == (1, first["jammi/compute_seconds"])
    assert said["jammi/computed_by"] == lab.store.current("up").produced_by
    assert said["jammi/bytes"] == lab.store.current("up").size_bytes
    assert ran.events["up"].tags["jammi/outcome"] == "reused"


def test_the_page_begins_with_outcome_why_and_cost(lab: Lab) -> None:
    lab.run(source())
    order = list(lab.run(source()).said("up"))
    assert order[:7] == [
        "jammi/cache_outcome",
        "jammi/why",
        "jammi/seconds_saved",
        "jammi/seconds_spent",
        "dagster/row_count",
        "jammi/bytes",
        "jammi/reused",
    ]
    assert order[7] == "jammi/inputs"
    full = (
        "jammi/materialization",
        "jammi/artifact_digest",
        "jammi/definition_hash",
        "jammi/input_anchor_set",
    )
    assert all(order.index("jammi/identity") < order.index(key) for key in full), "long ones stand behind"
    assert order[-1] == "jammi/input_anchors"


def test_the_page_counts_the_inputs_and_those_that_changed(lab: Lab) -> None:
    """Beside the last materialization; a reuse is over the inputs that it was computed over."""
    letters = dg.StaticPartitionsDefinition(["a", "b"])

    def pipeline(version: str, keys: Any = letters) -> list[Any]:
        @result_table(reads=[], partitions_def=keys, code_version="1")
        def part(context: dg.AssetExecutionContext) -> pa.Table:
            return table(context.partition_key, version if context.partition_key == "b" else "")

        @result_table(code_version="1")
        def whole(part: dict[str, pa.Table]) -> pa.Table:
            return pa.concat_tables(part.values())

        return [part, whole]

    def inputs(assets: list[Any], *keys: str) -> str:
        for key in keys:
            lab.run(assets, select=assets[:1], partition=key, tags={"jammi/cache": "bypass"})
        return str(lab.run(assets, select=assets[1:]).said("whole")["jammi/inputs"])

    assert inputs(pipeline("1"), "a", "b") == "2 inputs"
    assert inputs(pipeline("1")) == "2 inputs, as when it was computed"
    assert inputs(pipeline("2"), "b") == "2 inputs, 1 changed"
    more = pipeline("2", dg.StaticPartitionsDefinition(["b", "c"]))
    assert inputs(more, "c") == "2 inputs, 1 gone, 1 new"
    assert (
        lab.run(more, select=more[:1], partition="b").said("part[b]")["jammi/inputs"].startswith("no inputs")
    )


def test_the_run_log_prints_metadata_once(lab: Lab) -> None:
    """It stands on the materialization alone: not on the output, nor on what the IO manager handled."""

    @dg.asset
    def plain() -> pa.Table:
        return table(1)

    assets = [source(), plain]
    for _ in range(2):
        ran = lab.run(assets)
        told = [
            event.event_type_value
            for event in ran.result.all_events
            if "jammi/why" in (getattr(event.event_specific_data, "metadata", None) or {})
            or "jammi/why" in str(event.event_specific_data)
        ]
        assert told == ["ASSET_MATERIALIZATION"] * 2
