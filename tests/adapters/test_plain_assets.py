"""Plain `@dg.asset`s, multi-assets and graphs on our IO manager: recorded, never skipped (DESIGN 4)."""

import dagster as dg
import pandas as pd
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, table, taken, values
from sensing_kit import evaluate

from jammi_dagster import InputAnchor, register_format, result_table
from jammi_dagster.adapters.execution import input_ledger


@result_table(reads=[])
def raw() -> pa.Table:
    return table(1, 2)


@dg.asset
def plain(raw: pd.DataFrame) -> pd.DataFrame:
    note("plain")
    doubled: pd.DataFrame = raw * 2
    return doubled


def test_a_plain_asset_gets_manifest_lineage_and_metadata(lab: Lab) -> None:
    """The same funnel: digest as data version, anchors, all the metadata."""
    ran = lab.run([raw, plain])
    record, said = lab.store.current("plain"), ran.said("plain")

    assert values(lab.store.read("plain")) == [2, 4]
    assert lab.anchors("plain") == {"raw": InputAnchor.result_digest("raw", ran.data_version("raw"))}
    assert ran.data_version("plain") == record.artifact_digest == said["jammi/artifact_digest"]
    assert said["jammi/cache_outcome"] == "computed"
    assert said["dagster/row_count"] == 2
    assert said["jammi/materialization"] == record.materialization_id
    assert record.definition_hash == said["jammi/definition_hash"]


def test_a_plain_asset_is_never_skipped_and_says_why(lab: Lab) -> None:
    """Under `use` its body runs all the same, with a warning that names `@result_table`."""
    lab.run([raw, plain])
    ran = lab.run([raw, plain])

    assert ran.calls == ["plain"]
    assert ran.outcomes == {"raw": "reused", "plain": "computed"}
    assert ran.said("plain")["jammi/reproducibility"] == "reproduced"
    (line,) = [line for line in ran.captured if "@result_table" in line]
    assert line.startswith("plain: the cache policy is `use`")


def test_a_plain_asset_under_bypass_is_not_warned_of(lab: Lab) -> None:
    """Nobody asked for a reuse."""
    lab.cache = "bypass"

    assert [line for line in lab.run([raw, plain]).captured if "@result_table" in line] == []


def test_metadata_of_a_plain_output_is_kept(lab: Lab) -> None:
    """An `Output`, or a `MaterializeResult` with a value, under a plain asset."""

    @dg.asset
    def returned(raw: pa.Table):
        return dg.Output(raw, metadata={"author": "me"})

    @dg.asset
    def resulted(raw: pa.Table):
        return dg.MaterializeResult(value=raw, metadata={"author": "me"}, tags={"team": "blue"})

    ran = lab.run([raw, returned, resulted])

    for name in ("returned", "resulted"):
        assert ran.said(name)["author"] == "me"
        assert ran.said(name)["jammi/cache_outcome"] == "computed"
    assert ran.events["resulted"].tags["team"] == "blue"


def test_a_plain_assets_own_data_version_is_dagsters_business(lab: Lab) -> None:
    """Its author may give one, which Dagster then shows; what is below is pinned by the digest all the same."""

    @dg.asset
    def own():
        return dg.Output(table(1), data_version=dg.DataVersion("mine"))

    @result_table(deps=["own"])
    def below() -> pa.Table:
        return table(2)

    runs = [lab.run([own, below]) for _ in range(2)]

    assert runs[1].data_version("own") == "mine"
    assert [ran.outcomes["below"] for ran in runs] == ["computed", "reused"]
    assert lab.anchors("below")["own"].anchor == lab.store.current("own").artifact_digest


def test_asset_checks_read_our_tables(lab: Lab) -> None:
    """A check in a step of its own loads the table that the run made, or reused."""

    @dg.asset_check(asset=raw)
    def positive(raw: pa.Table) -> dg.AssetCheckResult:
        note(values(raw))
        return dg.AssetCheckResult(passed=min(values(raw)) > 0)

    job = dg.define_asset_job("checked", selection=dg.AssetSelection.all())
    defs = dg.Definitions(assets=[raw], asset_checks=[positive], jobs=[job], resources=lab.resources)
    for _ in range(2):
        result = defs.resolve_job_def("checked").execute_in_process(instance=lab.instance)
        assert [evaluation.passed for evaluation in result.get_asset_check_evaluations()] == [True]
        assert taken() == [[1, 2]]


def test_a_finished_step_leaves_nothing_in_memory(lab: Lab) -> None:
    """What a step loaded is kept from its input to its output, and no longer."""
    before = set(input_ledger._loadings)
    lab.run([raw, plain])

    assert set(input_ledger._loadings) == before


class Model:
    """An object with a registered format."""


def test_objects_of_plain_assets_have_the_format_that_is_registered(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is found by the type of the output, wherever Dagster has it from: annotation, `Output[…]` or `AssetOut`."""
    monkeypatch.setattr("jammi_dagster.objects.formats._registered", {})
    register_format(Model, "pickle")

    @dg.asset
    def bare() -> Model:
        return Model()

    @dg.asset
    def within() -> dg.Output[Model]:
        return dg.Output(Model())

    @dg.multi_asset(outs={"first": dg.AssetOut(dagster_type=Model), "second": dg.AssetOut(dagster_type=int)})
    def many():
        return Model(), 3

    @dg.asset
    def read(bare, within, first, second) -> list[str]:
        return [type(one).__name__ for one in (bare, within, first, second)]

    lab.run([bare, within, many, read])
    assert lab.store.read_object("read") == ["Model", "Model", "Model", "int"]


def test_a_bad_value_of_a_plain_asset_is_an_error(lab: Lab) -> None:
    """What is not a table, or none at all, fails the step and is not stored."""

    @dg.asset
    def number():
        return 1j

    @dg.asset
    def nothing():
        return None

    assert "NotATable: table number" in lab.run(number, ok=False).error
    assert "InvalidOutput: asset nothing: its function gave no table" in lab.run(nothing, ok=False).error
    assert lab.store.tables() == []


def test_multi_assets_are_plain_assets(lab: Lab) -> None:
    """Each output is a table with the anchors of its own dependencies, and an upstream like any other."""

    @dg.multi_asset(
        outs={"low": dg.AssetOut(), "high": dg.AssetOut(key_prefix="deep"), "sums": dg.AssetOut()},
        internal_asset_deps={
            "low": {dg.AssetKey("raw")},
            "high": {dg.AssetKey("raw")},
            "sums": {dg.AssetKey("low")},
        },
    )
    def several(raw: pa.Table):
        note("several")
        yield dg.Output(raw, output_name="low")
        yield dg.Output(raw, output_name="high")
        yield dg.Output(table(sum(values(raw))), output_name="sums")

    @result_table(ins={"high": dg.AssetIn(["deep", "high"])})
    def below(low: pa.Table, high: pa.Table, sums: pa.Table) -> pa.Table:
        note("below")
        return sums

    graph = [raw, several, below]
    first, second = lab.run(graph), lab.run(graph)

    assert first.outcomes == dict.fromkeys(("raw", "low", "deep/high", "sums", "below"), "computed")
    assert second.outcomes["below"] == "reused"
    assert second.calls == ["several"]
    assert set(lab.anchors("low")) == {"raw"}
    assert lab.anchors("sums") == {"low": InputAnchor.result_digest("low", second.data_version("low"))}
    assert set(lab.anchors("below")) == {"low", "deep/high", "sums"}
    assert first.data_version("low") == lab.store.current("low").artifact_digest


def test_a_multi_asset_of_partitions(lab: Lab) -> None:
    """Its outputs are tables of the run's partition."""

    @dg.multi_asset(
        outs={"left": dg.AssetOut(), "right": dg.AssetOut()},
        partitions_def=dg.StaticPartitionsDefinition(["a", "b"]),
    )
    def several(context: dg.AssetExecutionContext):
        return table(context.partition_key), table(1)

    lab.run(several, partition="b")

    assert lab.store.tables() == ["left[b]", "right[b]"]


def test_ops_of_a_job_without_assets_hand_on_their_values(lab: Lab) -> None:
    """They lie in the store for as long as the run goes on, and no table comes of them."""

    @dg.op
    def first():
        return table(1)

    @dg.op
    def second(given):
        note(values(given))

    @dg.job(resource_defs=lab.resources)
    def ops():
        second(first())

    result = ops.execute_in_process(instance=lab.instance)

    assert result.success
    assert taken() == [[1]]
    assert lab.store.tables() == []
    assert not (lab.root / "runs").exists()


def test_a_graph_may_read_our_tables(lab: Lab) -> None:
    """A graph-backed asset on another IO manager loads our upstream."""
    lab.more = {"memory": dg.InMemoryIOManager()}

    @dg.op(out=dg.Out(io_manager_key="memory"))
    def count(raw):
        note(values(raw))
        return raw.num_rows

    @dg.graph_asset
    def counted(raw):
        return count(raw)

    assert lab.run([raw, counted]).calls == [[1, 2]]


@pytest.mark.slow
def test_a_plain_asset_becomes_a_result_table(lab: Lab) -> None:
    """The same definition, recorded by a plain asset, is a hit for its decorated successor."""

    def function(raw: pa.Table) -> pa.Table:
        return raw

    before = dg.asset(name="made", code_version="1")(function)
    after = result_table(name="made", code_version="1")(function)

    assert lab.run([raw, before]).outcomes["made"] == "computed"
    assert lab.run([raw, after]).outcomes["made"] == "reused"


class Rows(dg.Config):
    rows: int = 1


@dg.asset
def with_config(config: Rows, raw_for_config: pa.Table) -> pa.Table:
    return table(config.rows)


@dg.multi_asset(outs={"one_of_two": dg.AssetOut(), "two_of_two": dg.AssetOut()})
def two_with_config(config: Rows, raw_for_config: pa.Table):
    yield dg.Output(table(config.rows), "one_of_two")
    yield dg.Output(table(config.rows), "two_of_two")


@result_table(reads=[])
def raw_for_config() -> pa.Table:
    return table(1)


def test_a_plain_asset_with_a_config_class_is_fresh_after_its_run(lab: Lab) -> None:
    """The class of the config counts as it does for a location at rest, for one output and for several."""
    assets = [raw_for_config, with_config, two_with_config]
    lab.run(assets, config={"with_config": {"rows": 2}, "two_with_config": {"rows": 3}})
    found = evaluate(lab, assets)
    assert found.counts["fresh"] == 4
    assert not found.tables
