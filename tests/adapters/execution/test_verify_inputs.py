"""A step that computes compares its inputs with their record; damage fails it, and nothing is recorded over it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from adapters_kit import Lab, Ran, note
from damage_kit import DAMAGES, TABLE, flipped, swapped
from s3_kit import s3_url

from jammi_dagster import CachePolicy, ResultStoreResource, ResultTableIOManager, result_table
from jammi_dagster.artifacts import sidecar_path
from jammi_dagster.errors import InvalidField

__all__ = ["s3_url"]


@result_table(reads=[])
def numbers() -> pa.Table:
    return TABLE


@result_table
def whole(numbers: pa.Table) -> pa.Table:
    return numbers


@result_table
def streamed(numbers: pa.RecordBatchReader) -> pa.RecordBatchReader:
    return numbers


@result_table
def projected(numbers: ds.Dataset) -> pa.Table:
    return numbers.to_table(columns=["aa"])


@result_table
def lazy(numbers: ds.Dataset) -> ds.Dataset:
    return numbers


@result_table
def generated(numbers: ds.Dataset) -> Iterator[pa.RecordBatch]:
    yield from numbers.to_batches()


@result_table
def scanned(numbers: ds.Dataset) -> pl.DataFrame:
    return pl.scan_pyarrow_dataset(numbers).select("aa").collect()


@result_table
def of_pandas(numbers: pd.DataFrame) -> pd.DataFrame:
    return numbers


@result_table
def of_polars(numbers: pl.LazyFrame) -> pl.LazyFrame:
    return numbers


READERS = [whole, streamed, projected, lazy, generated, scanned, of_pandas, of_polars]


@dg.asset
def plain(numbers: pa.Table) -> pa.Table:
    note("plain")
    return numbers


@dg.asset
def plain_dataset(numbers: ds.Dataset) -> pa.Table:
    note("plain_dataset")
    return numbers.to_table()


def _artifact(lab: Lab) -> Path:
    return lab.root / lab.store.current("numbers").artifact_path


def _damage(lab: Lab, damage: Callable[[bytes], bytes]) -> None:
    path = _artifact(lab)
    path.write_bytes(damage(path.read_bytes()))


def _without_footer(lab: Lab) -> None:
    """Make the table one that was written before page checksums."""
    path = lab.root / sidecar_path(lab.store.current("numbers").artifact_path)
    manifest = json.loads(path.read_bytes())
    del manifest["jammi_dagster"]["footer"]
    path.write_text(json.dumps(manifest))


def _refused(lab: Lab, asset: Any, **more: Any) -> Ran:
    """Run the asset alone, which must fail, name the table and record nothing."""
    name = asset.key.to_user_string()
    ran = lab.run([numbers, asset], select=[asset.key], ok=False, **more)
    assert "ArtifactCorrupt: table numbers: " in ran.error
    assert [record.status for record in lab.store.history(name)] in ([], ["failed"])
    assert ran.events == {}
    return ran


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("asset", READERS, ids=lambda asset: asset.key.to_user_string())
def test_a_damaged_input_fails_the_step(lab: Lab, asset: Any, damage: Callable[[bytes], bytes]) -> None:
    """For each kind of annotation and of damage: the error names the table, and nothing is recorded over it."""
    lab.run(numbers)
    _damage(lab, damage)
    _refused(lab, asset)


@pytest.mark.parametrize("damage", [flipped, swapped])
@pytest.mark.parametrize("asset", [whole, projected, lazy], ids=lambda asset: asset.key.to_user_string())
def test_an_input_without_page_checksums_is_hashed(
    lab: Lab, asset: Any, damage: Callable[[bytes], bytes]
) -> None:
    """Its digest is awaited before the table is published."""
    lab.run(numbers)
    _without_footer(lab)
    lab.run([numbers, asset], select=[asset.key])
    lab.store.drop(asset.key.to_user_string())
    _damage(lab, damage)
    name = asset.key.to_user_string()
    ran = lab.run([numbers, asset], select=[asset.key], tags={"jammi/cache": "bypass"}, ok=False)
    assert "ArtifactCorrupt: table numbers: " in ran.error
    assert name not in lab.store.tables()


@pytest.mark.parametrize("asset", [plain, plain_dataset], ids=lambda asset: asset.key.to_user_string())
def test_a_plain_asset_does_not_get_a_damaged_table(lab: Lab, asset: Any) -> None:
    """Its input is verified before its function runs, since its result may go to any IO manager."""
    lab.run(numbers)
    _damage(lab, swapped)
    assert _refused(lab, asset).calls == []
    _without_footer(lab)
    assert _refused(lab, asset).calls == []


def test_a_damaged_page_that_a_plain_asset_reads_is_named(lab: Lab) -> None:
    """Its lazy input meets the page within the function, where nothing of ours surrounds it."""
    lab.run(numbers)
    _damage(lab, flipped)
    assert _refused(lab, plain_dataset).calls == ["plain_dataset"]


def test_a_hit_looks_at_no_pages(lab: Lab) -> None:
    """A step that is reused reads nothing, so it verifies nothing."""
    lab.run([numbers, whole])
    _damage(lab, flipped)
    assert lab.run([numbers, whole]).outcomes == {"numbers": "reused", "whole": "reused"}


def test_the_way_out_of_the_message_leads_out(lab: Lab) -> None:
    """A run that bypasses the damaged table makes it again, and the step above it goes on."""
    lab.run(numbers)
    _damage(lab, swapped)
    assert "run tag jammi/cache=bypass" in _refused(lab, whole).error
    lab.run(numbers, tags={"jammi/cache": "bypass"})
    assert lab.run([numbers, whole]).outcomes == {"numbers": "reused", "whole": "computed"}


@result_table(verify_inputs="off")
def careless(numbers: pa.Table) -> pa.Table:
    return numbers


@result_table(verify_inputs="FULL", cache=CachePolicy.BYPASS)
def careful(numbers: ds.Dataset) -> pa.Table:
    return numbers.to_table(columns=["bb"])


def test_off_reads_what_is_there(lab: Lab) -> None:
    """By the decorator, by the tag of the run, and by the IO manager."""
    lab.run(numbers)
    _damage(lab, swapped)
    lab.run([numbers, careless], select=["careless"])
    assert lab.store.read("careless").column_names == ["bb", "aa"]
    lab.run([numbers, whole], select=["whole"], tags={"jammi/verify_inputs": "off"})
    lab.run([numbers, plain], select=["plain"], tags={"jammi/verify_inputs": "off"})
    manager = ResultTableIOManager(store=lab.store_resource, verify_inputs="off")
    lab.more["io_manager"] = manager
    lab.run([numbers, of_pandas], select=["of_pandas"])
    assert lab.store.read("of_pandas").column_names == ["bb", "aa"]


def test_the_tag_of_the_run_goes_before_the_decorator(lab: Lab) -> None:
    """A run can ask for more than the decorator does, and for less."""
    lab.run(numbers)
    _damage(lab, swapped)
    _refused(lab, careless, tags={"jammi/verify_inputs": "pages"})


def test_full_compares_pages_that_nobody_reads(lab: Lab) -> None:
    """A damaged page of a column that the step does not read is no error for `pages`, and one for `full`."""
    lab.run(numbers)
    _damage(lab, flipped)
    lab.run([numbers, careful], select=["careful"], tags={"jammi/verify_inputs": "pages"})
    ran = lab.run([numbers, careful], select=["careful"], ok=False)
    assert "ArtifactCorrupt: table numbers: " in ran.error
    assert [record.status for record in lab.store.history("careful")] == ["failed", "ready"]


def test_the_verification_is_no_part_of_the_definition(lab: Lab) -> None:
    """Who asks for another verification gets the same table: a hit."""
    lab.run([numbers, whole])
    lab.more["io_manager"] = ResultTableIOManager(store=lab.store_resource, cache="use", verify_inputs="full")
    assert lab.run([numbers, whole]).outcomes == {"numbers": "reused", "whole": "reused"}


def test_a_value_that_is_no_verification_is_refused(lab: Lab) -> None:
    """At decoration, in the IO manager, and in the tag of a run."""
    with pytest.raises(
        InvalidField, match="@result_table on sloppy: field verify_inputs is 1; expected one of"
    ):

        @result_table(verify_inputs=1)  # type: ignore[call-overload]
        def sloppy() -> pa.Table:
            return TABLE

    ran = lab.run(numbers, tags={"jammi/verify_inputs": "some"}, ok=False)
    assert "run tags: field jammi/verify_inputs is some; expected one of: pages, full, off" in ran.error
    lab.more["io_manager"] = ResultTableIOManager(store=lab.store_resource, verify_inputs="some")
    assert "ResultTableIOManager: field verify_inputs is some" in lab.run(numbers, ok=False).error


def test_one_damaged_partition_is_named(lab: Lab) -> None:
    """A fan-in fails with the name of the partition's table."""
    days = dg.StaticPartitionsDefinition(["a", "b"])

    @result_table(reads=[], partitions_def=days)
    def daily() -> pa.Table:
        return TABLE

    @result_table
    def total(daily: dict[str, ds.Dataset]) -> pa.Table:
        return pa.concat_tables([day.to_table() for day in daily.values()])

    for day in ("a", "b"):
        lab.run(daily, partition=day)
    path = lab.root / lab.store.current("daily[b]").artifact_path
    path.write_bytes(flipped(path.read_bytes()))
    ran = lab.run([daily, total], select=["total"], ok=False)
    assert "ArtifactCorrupt: table daily[b]: " in ran.error


@pytest.mark.parametrize("damage", [flipped, swapped])
def test_a_damaged_input_in_an_object_store_fails_the_step(
    lab: Lab, tmp_path: Path, s3_url: tuple[str, dict[str, object]], damage: Callable[[bytes], bytes]
) -> None:
    """Over S3, in memory and lazily."""
    url, options = s3_url
    resource = ResultStoreResource(
        root=f"{url}/{uuid.uuid4().hex}", catalog=str(tmp_path / "s3.db"), storage_options=options
    )
    lab.more["io_manager"] = ResultTableIOManager(store=resource, cache="use")
    lab.run(numbers)
    store = resource.get()
    path = store.current("numbers").artifact_path
    data = store.artifacts.read_bytes(path)
    store.artifacts.delete(path)
    store.artifacts.write_bytes_durable(path, damage(data))
    for asset in (whole, projected):
        ran = lab.run([numbers, asset], select=[asset.key], ok=False)
        assert "ArtifactCorrupt: table numbers: " in ran.error
    assert store.tables() == ["numbers"]
    store.close()
