"""`restore`: a collected or lost materialization made again by the code, over its recorded inputs, or `diverged`."""

from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
import pytest
from adapters_kit import Lab, letters, raw_and_mid, table, values
from sensing_kit import definitions

from jammi_dagster import restore, result_table
from jammi_dagster.artifacts import read_manifest
from jammi_dagster.errors import NotInHistory, RecomputeRefused, UnknownTable

AT_ONCE = {"grace_seconds": 0}


class Factor(dg.Config):
    by: int = 1


class Other(dg.Config):
    to: int = 1


def forget_runs(lab: Lab) -> None:
    """Runs are over: their results are roots no longer."""
    from jammi_dagster.catalog import CollectionRows

    rows = CollectionRows(lab.store.database, lab.store.scope)
    rows.end_runs(rows.runs())


@pytest.mark.slow
def test_it_is_made_again_over_its_recorded_inputs_or_diverges(lab: Lab, tmp_path: Path) -> None:
    """An input is pinned that moved on, and refused while it is gone itself; no name moves."""
    assets = raw_and_mid(tmp_path)
    for text in "12":
        (tmp_path / "raw.txt").write_text(text)
        lab.run(assets)
    forget_runs(lab)
    lab.store.collect(AT_ONCE, dry_run=False)
    defs, before = definitions(lab, assets), {name: lab.store.current(name) for name in ("raw", "mid")}
    raw, mid = (lab.store.history(name)[-1].materialization_id for name in ("raw", "mid"))

    def again(name: str, materialization: str | None = None) -> Any:
        return restore(defs, name, materialization, instance=lab.instance)

    assert again("raw").outcome == "there"
    with pytest.raises(RecomputeRefused, match="its input raw are gone, too: restore that first"):
        again("mid", mid)
    diverged = again("raw", raw)
    assert (diverged.outcome, diverged.restored_id) == ("diverged", None)
    assert diverged.found_digest == before["raw"].artifact_digest
    (tmp_path / "raw.txt").write_text("1")
    for name, materialization in (("raw", raw), ("mid", mid)):
        found = again(name, materialization)
        assert found.outcome == "restored"
        assert found.found_digest == found.expected_digest
        assert values(lab.store.read(name, at=found.restored_id)) == ["1"]
        made, old = lab.store.reader.get(str(found.restored_id)), lab.store.reader.get(materialization)
        assert made is not None
        assert old is not None
        assert (made.definition_hash, made.input_anchors) == (old.definition_hash, old.input_anchors)
        assert (made.start_sequence, made.answers) == (old.start_sequence, old.answers)
    assert {name: lab.store.current(name) for name in before} == before


def test_a_lost_one_is_current_again(lab: Lab, tmp_path: Path) -> None:
    """Its name led to it and was not moved since."""
    (tmp_path / "raw.txt").write_text("1")
    assets = raw_and_mid(tmp_path)
    lab.run(assets)
    lost = lab.store.current("raw")
    lab.store.artifacts.delete(lost.artifact_path)
    for _ in range(2):
        lab.store.recover(grace_seconds=0)
    with pytest.raises(UnknownTable):
        lab.store.current("raw")
    found = restore(definitions(lab, assets), "raw", instance=lab.instance)
    assert (found.outcome, found.materialization_id) == ("restored", lost.materialization_id)
    assert lab.store.current("raw").materialization_id == found.restored_id


@pytest.mark.slow
def test_partition_range_config_and_kind_are_those_on_record(lab: Lab) -> None:
    """Also of a restored one: its sidecar tells them again. A frame and an object are compared by their bytes."""
    policy = dg.BackfillPolicy.single_run()

    @result_table(reads=[], code_version="1", partitions_def=letters, backfill_policy=policy)
    def part(context: dg.AssetExecutionContext, config: Factor) -> dict[str, pa.Table]:
        return {key: table(key * config.by, str(context.partition_keys)) for key in context.partition_keys}

    @result_table(reads=[], code_version="1")
    def frame(config: Factor) -> pd.DataFrame:
        return pd.DataFrame({"x": pd.Categorical(["b", "a"])}, index=pd.Index([config.by, 7], name="k"))

    @result_table(reads=[], code_version="1")
    def noted(config: Factor) -> dict[str, int]:
        return {"by": config.by}

    @dg.multi_asset(outs={"one": dg.AssetOut(), "two": dg.AssetOut()})
    def both(config: Factor) -> tuple[pa.Table, pa.Table]:
        return table(config.by), table(-config.by)

    kinds = {"frame": [frame], "noted": [noted], "both": [both]}
    for by in (2, 3):
        lab.run(part, span=("a", "b"), config={"part": {"by": by}})
        for op, assets in kinds.items():
            lab.run(assets, config={op: {"by": by}})
    defs = definitions(lab, [part, frame, noted, both])
    for name in ("part[b]", "frame", "noted", "one", "two"):
        wanted = lab.store.history(name)[-1].materialization_id
        for _ in range(2):
            forget_runs(lab)
            lab.store.collect(AT_ONCE, dry_run=False)
            found = restore(defs, name, wanted, instance=lab.instance)
            assert found.outcome == "restored", name
            wanted = str(found.restored_id)
        record = lab.store.reader.get(wanted)
        assert record is not None
        manifest = read_manifest(lab.store.artifacts, record.artifact_path)
        assert manifest is not None
        assert (manifest.own or {})["raw_config"] == {"by": 2}


def test_what_cannot_be_made_is_refused(lab: Lab, tmp_path: Path) -> None:
    """A table that no asset makes, one that never was made, and the id of another table."""
    (tmp_path / "raw.txt").write_text("1")
    assets = raw_and_mid(tmp_path)
    lab.run(assets)
    defs = definitions(lab, assets)
    other = lab.store.current("mid").materialization_id
    lab.store.materialize("gone", table(1), descriptor={"producer": "me"}, env={}, inputs=[])
    with pytest.raises(RecomputeRefused, match="no asset of this code location makes it"):
        restore(defs, "gone", instance=lab.instance)
    with pytest.raises(
        UnknownTable, match="nope does not exist in deployment default, and no asset has that name"
    ):
        restore(defs, "nope", instance=lab.instance)
    with pytest.raises(NotInHistory, match="it has no such materialization"):
        restore(defs, "raw", other, instance=lab.instance)
    policy = dg.BackfillPolicy.single_run()

    def part(keys: str, kind: Any) -> Any:
        @result_table(
            name="part",
            reads=[],
            partitions_def=dg.StaticPartitionsDefinition(list(keys)),
            backfill_policy=policy,
        )
        def made(context: dg.AssetExecutionContext, config: kind) -> dict[str, pa.Table]:
            return {key: table(key) for key in context.partition_keys}

        return made

    lab.run(part("abc", Factor), span=("a", "c"), config={"part": {"by": 2}})
    lab.store.artifacts.delete(lab.store.current("part[a]").artifact_path)
    for now, said in ((part("ab", Factor), "the range a to c"), (part("abc", Other), "config is not valid")):
        with pytest.raises(RecomputeRefused, match=said):
            restore(definitions(lab, [now]), "part[a]", instance=lab.instance)
    fresh = Lab(root=tmp_path / "fresh", instance=lab.instance)
    with pytest.raises(UnknownTable):
        restore(definitions(fresh, assets), "raw", instance=lab.instance)
