"""Small partitions cost little: statements, log lines and answers of a range do not grow with its length."""

import json
import re
from collections.abc import Sequence
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, Ran, table

from benchmarks.statements import statements
from jammi_dagster import result_table
from jammi_dagster.artifacts import ArtifactRoot, sidecar_path
from jammi_dagster.contract import InputAnchor
from jammi_dagster.contract.anchors import anchor_set_key, check_distinct, has_unpinned
from jammi_dagster.errors import DuplicateInput, StorageFailed

KEYS = [f"{number:03}" for number in range(44)]
parts = dg.StaticPartitionsDefinition(KEYS)


def make_assets() -> list[dg.AssetsDefinition]:
    """`small`, and `below` it: each makes a whole range in one step."""
    ranged: dict[str, Any] = {"partitions_def": parts, "backfill_policy": dg.BackfillPolicy.single_run()}

    @result_table(reads=[], **ranged)
    def small(context: dg.AssetExecutionContext) -> dict[str, pa.Table]:
        return {key: table(key) for key in context.partition_keys}

    @result_table(**ranged)
    def below(context: dg.AssetExecutionContext, small: dict[str, pa.Table]) -> dict[str, pa.Table]:
        return {key: small[key] for key in context.partition_keys}

    return [small, below]


def run(lab: Lab, name: str = "small", last: str = KEYS[-1], **more: Any) -> Ran:
    """Make one of the assets for the partitions up to `last`."""
    return lab.run(make_assets(), select=[name], span=(KEYS[0], last), **more)


# the tables of the catalog that a step reads or writes; Dagster's own event log is another matter
OURS = re.compile(r"materializations|pointers|anchor_sets|anchor_edges|annotations|run_results")


def ours(asked: Sequence[tuple[str, Any]]) -> int:
    """The number of statements that are for a catalog; one that is run for many rows is one."""
    return sum(OURS.search(statement) is not None for statement, _ in asked)


@pytest.mark.parametrize("is_reused", [False, True], ids=["computed", "reused"])
def test_a_range_asks_the_catalog_as_often_as_a_short_one(lab: Lab, is_reused: bool) -> None:
    """Twice the partitions take no further statement: rows are read and written many at once."""
    assert lab.store.tables() == []
    counts = []
    for last in (KEYS[21], KEYS[-1]):
        if is_reused:
            run(lab, last=last)
        with statements() as asked:
            ran = run(lab, last=last)
        assert set(ran.outcomes.values()) == {"reused" if is_reused else "computed"}
        counts.append(ours(asked))
    assert counts[0] > 3
    assert counts[1] <= counts[0]


def test_a_range_over_a_range_asks_no_more_either(lab: Lab) -> None:
    """Each partition has the anchors of all, and none is looked up by itself; the sidecars hold them all the same."""
    assert lab.store.tables() == []
    counts = []
    for last in (KEYS[21], KEYS[-1]):
        run(lab, last=last)
        with statements() as asked:
            assert run(lab, "below", last).result.success
        counts.append(ours(asked))
    assert counts[1] <= counts[0] + 1  # tables that were there before are made for a reason of their own
    for key in (KEYS[0], KEYS[-1]):
        path = sidecar_path(lab.store.current(f"below[{key}]").artifact_path)
        manifest = json.loads(lab.store.artifacts.fetch(path))
        assert [anchor["source"] for anchor in manifest["input_anchors"]] == [f"small[{key}]" for key in KEYS]


def test_a_reused_range_is_one_line_of_the_log(lab: Lab) -> None:
    """The line has the number of tables, the first and the last of them, and the seconds saved by all."""
    first = run(lab)
    again = run(lab)
    lines = [line for line in again.captured if "reused" in line]
    assert len(lines) == 1
    told = f"reused 44 tables, small[000] to small[043], of run {first.result.run_id}"
    assert told in lines[0]
    assert "s saved" in lines[0]


def test_one_sidecar_that_cannot_be_written_publishes_no_table_of_the_range(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sidecars of a range are written side by side; one failure ends all, and every object is removed."""
    write = ArtifactRoot.write_bytes_durable

    def refuse_one(root: ArtifactRoot, path: str, data: bytes) -> None:
        if "015" in json.loads(data)["jammi_dagster"]["table"]:
            raise StorageFailed(root="r", operation="write", uri=path, cause="full", way_out="make room")
        write(root, path, data)

    monkeypatch.setattr(ArtifactRoot, "write_bytes_durable", refuse_one)
    assert "make room" in run(lab, ok=False).error
    assert lab.store.tables() == []
    assert list(lab.store.artifacts.objects("tables")) == []


def test_a_remembered_answer_is_for_that_tuple_only() -> None:
    """An answer about anchors is kept for the very tuple it was given for: an equal list is looked at anew."""
    anchors = tuple(InputAnchor.source_version(f"file:{name}", "1") for name in "abc")
    changing = list(anchors)
    keys = [anchor_set_key(anchors), anchor_set_key(changing), anchor_set_key(anchors)]
    assert len(set(keys)) == 1
    assert not has_unpinned(anchors)
    changing[1] = InputAnchor.unpinned_at_instant("file:a", "2026-11-22T12:00:00Z")
    assert has_unpinned(changing)
    assert anchor_set_key(changing) != keys[0]
    check_distinct(anchors)
    for _ in range(2):
        with pytest.raises(DuplicateInput):
            check_distinct(changing)
