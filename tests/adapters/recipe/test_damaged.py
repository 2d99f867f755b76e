"""Damaged and foreign records: a miss with a warning that names the table, never a failure of a step."""

import functools
import json
import logging
import os
from collections.abc import Callable
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
import sqlalchemy as sa
from adapters_kit import Lab
from sensing_kit import Ticking

from jammi_dagster import CachePolicy, plan, result_table
from jammi_dagster.adapters.recipe.replay import Replay, recorded_replays
from jammi_dagster.artifacts import sidecar_path


@result_table(cache=CachePolicy.USE, reads=[])
def damaged() -> pa.Table:
    return pa.table({"n": [1, 2, 3]})


def _good(lab: Lab) -> dict[str, Any]:
    with lab.store.database.reading() as connection:
        text = connection.execute(sa.text("SELECT annotation_json FROM annotations")).scalar_one()
    return dict(json.loads(text))


def _set(lab: Lab, text: str) -> None:
    with lab.store.database.writing() as connection:
        connection.execute(sa.text("UPDATE annotations SET annotation_json = :text"), {"text": text})


_UNKNOWN = json.dumps({"__class__": "NewerMetadataValue", "v": 1})
ANNOTATIONS: dict[str, Callable[[dict[str, Any]], object]] = {
    "truncated": lambda good: "{",
    "empty": lambda good: "",
    "null": lambda good: "null",
    "a list": lambda good: "[]",
    "a number": lambda good: "12",
    "nested too deeply": lambda good: "[" * 100_000,
    "no metadata": lambda good: {key: value for key, value in good.items() if key != "metadata"},
    "metadata of a newer Dagster": lambda good: {**good, "metadata": {"x": _UNKNOWN}},
    "metadata that is no map": lambda good: {**good, "metadata": ["x"]},
    "metadata that is no text": lambda good: {**good, "metadata": {"x": 1}},
    "tags that are no texts": lambda good: {**good, "tags": {"x": 1}},
    "checks that are none": lambda good: {**good, "check_results": 3},
    "a check without a name": lambda good: {**good, "check_results": [{}]},
    "an unknown severity": lambda good: {
        **good,
        "check_results": [
            {
                "check_name": "c",
                "asset_key": None,
                "passed": True,
                "severity": "DIRE",
                "description": None,
                "metadata": {},
            }
        ],
    },
}


@pytest.mark.parametrize("case", ANNOTATIONS)
def test_a_damaged_annotation_is_a_miss(lab: Lab, caplog: pytest.LogCaptureFixture, case: str) -> None:
    """The step computes the table again, whole; the warning names the table; and the next step reuses the new one."""
    lab.run(damaged)
    text = ANNOTATIONS[case](_good(lab))
    _set(lab, text if isinstance(text, str) else json.dumps(text))
    caplog.set_level(logging.WARNING, "jammi_dagster")
    assert lab.run(damaged).outcomes == {"damaged": "computed"}
    assert any("table damaged: the annotation" in record.getMessage() for record in caplog.records)
    assert lab.run(damaged).outcomes == {"damaged": "reused"}


@functools.cache
def _ranged() -> Any:
    """An asset of three partitions that one step makes together."""

    @result_table(
        cache=CachePolicy.USE,
        reads=[],
        partitions_def=dg.StaticPartitionsDefinition(["a", "b", "c"]),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def ranged(context: dg.AssetExecutionContext) -> dict[str, pa.Table]:
        return {key: pa.table({"n": [key]}) for key in context.partition_keys}

    return ranged


@pytest.mark.parametrize("sidecar", ["whole", "damaged"])
def test_a_damaged_annotation_in_a_range(lab: Lab, caplog: pytest.LogCaptureFixture, sidecar: str) -> None:
    """One damaged text costs no whole range: its copy in the sidecar serves; without that all are computed."""
    lab.run(_ranged(), span=("a", "c"))
    record = lab.store.current("ranged[b]")
    if sidecar == "damaged":
        (lab.root / sidecar_path(record.artifact_path)).write_text("{")
    with lab.store.database.writing() as connection:
        damage = sa.text("UPDATE annotations SET annotation_json = '{' WHERE materialization_id = :id")
        connection.execute(damage, {"id": record.materialization_id})
    caplog.set_level(logging.WARNING, "jammi_dagster")
    outcomes = lab.run(_ranged(), span=("a", "c")).outcomes
    assert set(outcomes.values()) == {"reused" if sidecar == "whole" else "computed"}
    assert any("table ranged[b]: the annotation" in record.getMessage() for record in caplog.records)


ROWS = ["artifact_digest", "size_bytes", "row_count"]


@pytest.mark.parametrize("column", ROWS)
@pytest.mark.parametrize("form", ["one", "a range"])
def test_a_ready_row_that_lacks_a_value_is_a_miss(
    lab: Lab, caplog: pytest.LogCaptureFixture, column: str, form: str
) -> None:
    """It is passed over with a warning that names the table; with another intact match that one is reused."""
    asset, span, table = damaged, None, "damaged"
    if form == "a range":
        asset, span, table = _ranged(), ("a", "c"), "ranged[b]"
    lab.run(asset, span=span)
    lab.run(asset, tags={"jammi/cache": "bypass"}, span=span)
    caplog.set_level(logging.WARNING, "jammi_dagster")
    newer, older = [record.materialization_id for record in lab.store.history(table)]
    for row, outcome in [(newer, "reused"), (older, "computed")]:
        with lab.store.database.writing() as connection:
            damage = f"UPDATE materializations SET {column} = NULL WHERE id = :id"
            connection.execute(sa.text(damage), {"id": row})
        assert set(lab.run(asset, span=span).outcomes.values()) == {outcome}
        assert any(f"table {table}: a recorded materialization" in r.getMessage() for r in caplog.records)


@result_table
def below(damaged: pa.Table) -> pa.Table:
    return damaged


@dg.asset
def plainly_below(damaged: pa.Table) -> pa.Table:
    return damaged


@pytest.mark.parametrize("reader", [below, plainly_below])
@pytest.mark.parametrize("column", ["artifact_digest", "row_count"])
def test_a_current_row_that_lacks_a_value_is_named(lab: Lab, reader: Any, column: str) -> None:
    """A step below it fails with the table's name and the way out, which leads out."""
    lab.run(damaged)
    with lab.store.database.writing() as connection:
        connection.execute(sa.text(f"UPDATE materializations SET {column} = NULL"))
    ran = lab.run([damaged, reader], select=[reader.key], ok=False)
    assert "ArtifactCorrupt: table damaged: " in ran.error
    assert "row in the catalog" in ran.error
    lab.run([damaged, reader])


REPLAYS: dict[str, object] = {
    "truncated": "{",
    "null": "null",
    "a list": "[]",
    "a replay that is no map": {"replay": 3},
    "a range of one": {"replay": {"config": None, "span": ["a"]}},
    "a range that is a number": {"replay": {"config": None, "span": 7}},
    "a config that is no JSON": '{"replay": {"config": NaN, "span": null}}',
}


@pytest.mark.parametrize("case", REPLAYS)
def test_a_damaged_replay_is_read_from_the_sidecar(lab: Lab, case: str) -> None:
    """The catalog's copy is one of two; a tick goes on with the other."""
    lab.run(damaged)
    value = REPLAYS[case]
    _set(lab, value if isinstance(value, str) else json.dumps(value))
    assert recorded_replays(lab.store, lab.store.reader, ["damaged"]) == {"damaged": Replay()}


def test_a_damaged_sidecar_beside_it_is_no_replay(lab: Lab) -> None:
    """With both gone nothing is known of the table, and nothing fails."""
    lab.run(damaged)
    _set(lab, "{")
    (sidecar,) = [path for path in lab.files() if path.name.endswith(".materialization.json")]
    sidecar.write_text("{")
    assert recorded_replays(lab.store, lab.store.reader, ["damaged"]) == {"damaged": None}


PATHS: dict[str, Callable[[str], str]] = {
    "a FIFO": lambda root: _made(root, os.mkfifo),
    "a folder": lambda root: _made(root, os.mkdir),
    "a device": lambda root: _made(root, lambda path: os.symlink("/dev/zero", path)),
    "outside of the root": lambda root: "../outside.parquet",
    "an absolute path": lambda root: "/etc/passwd",
    "a URL": lambda root: "file:///etc/passwd",
    "a path too long": lambda root: f"tables/{'x' * 300}.parquet",
    "a loop of links": lambda root: _made(root, lambda path: os.symlink(path, path)),
    "nothing": lambda root: "tables/gone.parquet",
}


def _made(root: str, make: Callable[[str], object]) -> str:
    make(f"{root}/tables/odd.parquet")
    return "tables/odd.parquet"


@pytest.mark.parametrize("case", PATHS)
def test_a_row_that_names_no_file_of_the_root_is_passed_over(lab: Lab, case: str) -> None:
    """It is never opened, so nothing hangs: the next intact match is reused, and without one the table is computed."""
    lab.run(damaged)
    lab.run(damaged, tags={"jammi/cache": "bypass"})
    path = PATHS[case](str(lab.store.artifacts.local_root))
    newer, older = [record.materialization_id for record in lab.store.history("damaged")]
    damage = sa.text("UPDATE materializations SET artifact_path = :path, size_bytes = NULL WHERE id = :id")
    for row, outcome in [(newer, "reused"), (older, "computed")]:
        with lab.store.database.writing() as connection:
            connection.execute(damage, {"path": path, "id": row})
        assert lab.run(damaged).outcomes == {"damaged": outcome}


@pytest.mark.parametrize("case", ["outside of the root", "a path too long", "a loop of links"])
def test_a_current_row_that_names_no_file_of_the_root_is_gone_to_plan_and_sensor(lab: Lab, case: str) -> None:
    """A plan computes its table, and a tick requests it: neither fails over the path."""
    lab.run(damaged)
    path = PATHS[case](str(lab.store.artifacts.local_root))
    with lab.store.database.writing() as connection:
        connection.execute(sa.text("UPDATE materializations SET artifact_path = :path"), {"path": path})
    defs = dg.Definitions(assets=[damaged], resources=lab.resources)
    (row,) = plan(defs, instance=lab.instance).rows
    assert row.action == "compute"
    sensor = Ticking(lab, [damaged])
    (request,) = sensor.tick()
    assert request.asset_selection == [damaged.key]
    assert "damaged is incomplete: " in sensor.said
