"""What a function gets for its inputs: what its annotations ask for, of exactly the pinned bytes (DESIGN 4.1)."""

import typing
from typing import Any

import dagster as dg
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from adapters_kit import Lab, note, part, raw, table, values

from jammi_dagster import InputAnchor, ResultStoreResource, ResultTableIOManager, result_table
from jammi_dagster.errors import MissingUpstream


def sums(given: Any) -> int:
    """The sum of column x, whatever the table is."""
    if isinstance(given, pl.LazyFrame):
        given = given.collect()
    if isinstance(given, ds.Dataset):
        given = given.to_table()
    if isinstance(given, pa.RecordBatchReader):
        given = given.read_all()
    return sum(given["x"].to_pylist() if isinstance(given, pa.Table) else list(given["x"]))


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (pa.Table, pa.Table),
        (pa.RecordBatchReader, pa.RecordBatchReader),
        (ds.Dataset, ds.Dataset),
        (pd.DataFrame, pd.DataFrame),
        (pl.DataFrame, pl.DataFrame),
        (pl.LazyFrame, pl.LazyFrame),
        (pa.Table | None, pa.Table),
        (typing.Optional[pd.DataFrame], pd.DataFrame),  # noqa: UP045  # what a user may have written
        (typing.Any, pa.Table),
        (object, pa.Table),
    ],
    ids=str,
)
def test_an_input_becomes_what_its_annotation_asks_for(lab: Lab, annotation: object, kind: type) -> None:
    """Every kind that a result table can become, under `@result_table` and under a plain asset."""

    @result_table
    def reader(raw: annotation) -> pa.Table:
        note((isinstance(raw, kind), sums(raw)))
        return table(1)

    @dg.asset
    def plain_reader(raw: annotation):
        note((isinstance(raw, kind), sums(raw)))
        return table(1)

    graph = [raw, reader] if annotation is object else [raw, reader, plain_reader]
    assert set(lab.run(graph).calls) == {(True, 6)}


def test_an_input_without_annotation_is_an_arrow_table(lab: Lab) -> None:
    """The default kind, also for a plain asset."""

    @result_table
    def reader(raw):
        note(type(raw))
        return raw

    @dg.asset
    def plain_reader(raw):
        note(type(raw))
        return raw

    assert lab.run([raw, reader, plain_reader]).calls == [pa.Table, pa.Table]


@pytest.mark.parametrize("annotation", [int, list[int], pa.Schema, typing.Annotated[int, "x"]], ids=str)
def test_an_annotation_that_no_table_can_become_is_an_error(lab: Lab, annotation: object) -> None:
    """It names the parameter, the annotation and the kinds that there are."""

    @result_table
    def reader(raw: annotation) -> pa.Table:
        return table(1)

    ran = lab.run([raw, reader], ok=False)

    assert "UnsupportedInput: parameter raw asks for" in ran.error
    assert "pandas.DataFrame" in ran.error


def test_several_partitions_need_a_dict(lab: Lab) -> None:
    """A fan-in into a parameter for one table is an error that shows the annotation to write."""

    @result_table
    def joined(part: pa.Table) -> pa.Table:
        return part

    for key in "ab":
        lab.run(part, partition=key)
    ran = lab.run([part, joined], select=[joined], ok=False)

    assert "but there are 2 upstream partitions" in ran.error
    assert "dict[str, pyarrow.Table]" in ran.error


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (dict[str, pa.Table], pa.Table),
        (dict[str, pd.DataFrame], pd.DataFrame),
        (typing.Mapping[str, pl.DataFrame], pl.DataFrame),
        (typing.Dict[str, pa.Table], pa.Table),  # noqa: UP006  # what a user may have written
        (dict[str, pa.Table] | None, pa.Table),
        (dict, pa.Table),
        (typing.Any, pa.Table),
    ],
    ids=str,
)
def test_a_fan_in_is_a_dict_by_partition(lab: Lab, annotation: object, kind: type) -> None:
    """Partition -> table, in the order of the partitions definition, of the kind that is asked for."""

    @result_table
    def joined(part: annotation) -> pa.Table:
        note([(key, isinstance(one, kind)) for key, one in part.items()])
        return table(1)

    for key in "ab":
        lab.run(part, partition=key)

    assert lab.run([part, joined], select=[joined]).calls == [[("a", True), ("b", True)]]


def test_upstreams_on_other_io_managers_load_as_usual(lab: Lab) -> None:
    """Whatever they hold, None included, and whatever the parameter's annotation is."""
    lab.more = {"files": dg.FilesystemIOManager(base_dir=str(lab.root))}

    @dg.asset(io_manager_key="files")
    def number() -> int:
        return 7

    @dg.asset(io_manager_key="files")
    def nothing() -> dg.Output[int | None]:
        return dg.Output(None, data_version=dg.DataVersion("1"))

    @result_table
    def reader(number: int, nothing: int | None) -> pa.Table:
        note((number, nothing))
        return table(number)

    ran = lab.run([number, nothing, reader])

    assert ran.calls == [(7, None)]
    assert "dagster:default/number has no version" in ran.why_unpinned("reader")
    assert "dagster:default/nothing" not in ran.why_unpinned("reader")


def test_a_plain_asset_on_another_io_manager_reads_ours(lab: Lab) -> None:
    """A downstream that we do not store loads our table by its annotation."""
    lab.more = {"memory": dg.InMemoryIOManager()}

    @dg.asset(io_manager_key="memory")
    def elsewhere(raw: pd.DataFrame) -> int:
        note(list(raw["x"]))
        return len(raw)

    assert lab.run([raw, elsewhere]).calls == [[1, 2, 3]]


def test_an_input_from_another_store_is_pinned_by_dagsters_data_version(lab: Lab) -> None:
    """Names resolve in one store; what lies in another is a source outside of it, whose version is its digest."""
    there = ResultStoreResource(root=str(lab.root) + "-2")
    lab.more = {"there": ResultTableIOManager(store=there)}

    def make(value: int) -> dg.AssetsDefinition:
        @result_table(reads=[], io_manager_key="there")
        def far() -> pa.Table:
            return table(value)

        return far

    @result_table
    def near(far: pa.Table) -> pa.Table:
        return far

    for value, expected in ((1, "computed"), (1, "reused"), (2, "computed")):
        far = make(value)
        ran = lab.run([far, near])
        assert ran.outcomes["near"] == expected
        assert values(lab.store.read("near")) == [value]
        digest = there.get().current("far").artifact_digest
        assert ran.data_version("far") == digest
        assert lab.anchors("near") == {
            "dagster:default/far": InputAnchor.source_version("dagster:default/far", digest)
        }
    assert lab.store.tables() == ["near"]


def test_an_input_from_another_deployment_is_a_source_outside(lab: Lab) -> None:
    """One catalog, two namespaces of pointers: a table of the other one is not this one's of the same name."""
    prod = ResultStoreResource(root=str(lab.root), deployment="prod")
    lab.more = {"prod": ResultTableIOManager(store=prod)}
    lab.store.materialize("raw", table(9), descriptor={"producer": "library"}, env={}, inputs=[])

    @result_table(reads=[], io_manager_key="prod", name="raw")
    def of_prod() -> pa.Table:
        return table(1)

    @result_table
    def near(raw: pa.Table) -> pa.Table:
        return raw

    outcomes = [lab.run([of_prod, near]).outcomes["near"] for _ in range(2)]

    assert outcomes == ["computed", "reused"]
    assert values(lab.store.read("near")) == [1]
    assert values(lab.store.read("raw")) == [9]
    digest = prod.get().current("raw").artifact_digest
    assert lab.anchors("near") == {
        "dagster:prod/raw": InputAnchor.source_version("dagster:prod/raw", str(digest))
    }


def test_an_upstream_that_is_not_materialized_is_an_error(lab: Lab) -> None:
    """It names the input, the table and the deployment."""

    @result_table
    def reader(raw: pa.Table) -> pa.Table:
        return raw

    ran = lab.run([raw, reader], select=[reader], ok=False)

    assert "MissingUpstream: input raw needs raw of raw, which is not materialized" in ran.error
    assert "allow_missing_partitions" not in ran.error


def test_values_load_outside_of_a_run(lab: Lab) -> None:
    """`load_asset_value` gives the current table, of the type asked for, of one partition or of all."""
    lab.run(raw)
    for key in "ab":
        lab.run(part, partition=key)
    defs = dg.Definitions(assets=[raw, part], resources=lab.resources)

    assert values(defs.load_asset_value("raw", instance=lab.instance)) == [1, 2, 3]
    frame: Any = defs.load_asset_value("raw", python_type=pd.DataFrame, instance=lab.instance)
    assert list(frame["x"]) == [1, 2, 3]
    assert values(defs.load_asset_value("part", partition_key="b", instance=lab.instance)) == ["b"]
    empty = dg.Definitions(assets=[raw], resources=Lab(lab.root / "empty", lab.instance).resources)
    with pytest.raises(MissingUpstream, match="input raw needs raw of raw"):
        empty.load_asset_value("raw", instance=lab.instance)


def test_a_body_may_load_another_asset(lab: Lab) -> None:
    """`context.load_asset_value` works on our IO manager, and is an undeclared input."""

    @result_table(deps=["raw"])
    def loads(context: dg.AssetExecutionContext) -> pa.Table:
        loaded = context.load_asset_value(dg.AssetKey("raw"))
        note(values(loaded))
        return loaded

    ran = lab.run([raw, loads])

    assert ran.calls == [[1, 2, 3]]
    assert "context.load_asset_value" in ran.why_unpinned("loads")


def test_an_external_asset_in_our_store_is_read(lab: Lab) -> None:
    """A table that a library user put into the store is an input like any other, by its digest."""
    record = lab.store.materialize("given", table(5), descriptor={"producer": "library"}, env={}, inputs=[])
    given = dg.AssetSpec("given", metadata={"dagster/io_manager_key": "io_manager"})

    @result_table
    def reader(given: pa.Table) -> pa.Table:
        return given

    assert [lab.run([given, reader]).outcomes["reader"] for _ in range(2)] == ["computed", "reused"]
    assert lab.anchors("reader") == {"given": InputAnchor.result_digest("given", str(record.artifact_digest))}
