"""`finalize` gives Dagster's asset graph the complete code identities (DESIGN 4.6)."""

from typing import Any, cast

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, Ran, table, taken
from dagster._core.definitions.data_version import CachingStaleStatusResolver
from dagster._core.loader import LoadingContextForTest

from jammi_dagster import code_identity, finalize, result_table


@result_table(reads=[])
def raw() -> pa.Table:
    return table(1)


@result_table(reads=[], code_version="mine")
def versioned() -> pa.Table:
    return table(1)


@dg.asset
def plain(raw: pa.Table):
    return raw


@dg.asset(code_version="mine")
def plain_versioned(raw: pa.Table):
    return raw


@dg.asset(io_manager_key="memory")
def elsewhere():
    return 1


@result_table
def below(raw: pa.Table, elsewhere: int) -> pa.Table:
    return raw


ALL = [raw, versioned, plain, plain_versioned, elsewhere, below]


def definitions(lab: Lab, assets: list[Any] = ALL) -> dg.Definitions:
    lab.more = {"memory": dg.InMemoryIOManager()}
    return dg.Definitions(
        assets=assets, resources=lab.resources, jobs=[dg.define_asset_job("everything", selection="*")]
    )


def run(lab: Lab, defs: dg.Definitions) -> Ran:
    taken()
    result = defs.resolve_job_def("everything").execute_in_process(instance=lab.instance)
    return Ran(result, taken(), [])


def code_versions(defs: dg.Definitions) -> dict[str, str | None]:
    graph = defs.resolve_asset_graph()
    return {key.to_user_string(): graph.get(key).code_version for key in graph.get_all_asset_keys()}


def test_the_graph_has_the_identity_that_the_worker_records(lab: Lab) -> None:
    """The code version of the graph, of the event, and the digest in the descriptor are one."""
    defs = finalize(definitions(lab))
    graph = code_versions(defs)

    for outcome in ("computed", "reused"):
        ran = run(lab, defs)
        assert ran.outcomes["raw"] == outcome
        for name in ("raw", "below", "plain", "versioned", "plain_versioned"):
            assert ran.events[name].tags["dagster/code_version"] == graph[name]
    assert graph["raw"] == raw.result_table.code().digest


def test_the_identity_is_in_the_metadata_of_the_spec(lab: Lab) -> None:
    """`jammi/code_identity` tells the plugin's code version from an author's."""
    defs = finalize(definitions(lab))
    graph = defs.resolve_asset_graph()
    shown = {
        key.to_user_string(): graph.get(key).metadata.get("jammi/code_identity")
        for key in graph.get_all_asset_keys()
    }

    assert shown["raw"] == raw.result_table.code().digest
    assert shown["plain"] is not None
    assert (shown["versioned"], shown["plain_versioned"], shown["elsewhere"]) == (None, None, None)


def test_an_authors_code_version_is_left_alone(lab: Lab) -> None:
    """An author's code version stays under both decorators; an asset that is not ours has none before and after."""
    before, after = code_versions(definitions(lab)), code_versions(finalize(definitions(lab)))

    assert after["versioned"] == after["plain_versioned"] == "mine"
    assert before["elsewhere"] is after["elsewhere"] is None
    assert before["plain"] is None
    assert after["plain"] is not None


def test_before_finalize_the_spec_shows_the_identity_at_decoration(lab: Lab) -> None:
    """Helpers may be defined after the decoration: the graph has the whole identity once all modules are loaded."""

    def build() -> dg.AssetsDefinition:
        @result_table(reads=[])
        def made() -> pa.Table:
            return table(later)

        later = 3
        return made

    made = build()
    at_decoration = code_versions(definitions(lab, [made]))["made"]
    finalized = code_versions(finalize(definitions(lab, [made])))["made"]

    assert at_decoration not in (None, finalized)
    assert finalized == cast(Any, made).result_table.code().digest
    assert [lab.run(made).outcomes["made"] for _ in range(2)] == ["computed", "reused"]


def test_finalizing_does_not_change_what_is_reused(lab: Lab) -> None:
    """The identity in the graph is for people and Dagster: definitions are the same with and without."""
    first = run(lab, definitions(lab))
    second = run(lab, finalize(definitions(lab)))

    assert set(first.outcomes.values()) == {"computed", None}
    assert second.outcomes["raw"] == "reused"
    assert first.said("plain")["jammi/definition_hash"] == second.said("plain")["jammi/definition_hash"]


def test_finalizing_twice_is_finalizing_once(lab: Lab) -> None:
    """Finalizing twice equals finalizing once, and every job, resource and asset is still there."""
    once = finalize(definitions(lab))
    twice = finalize(once)

    assert code_versions(twice) == code_versions(once)
    assert run(lab, twice).result.success


def statuses(lab: Lab, defs: dg.Definitions) -> dict[str, str]:
    """Return Dagster's own status of each asset."""
    graph = defs.resolve_asset_graph()
    resolver = CachingStaleStatusResolver(
        instance=lab.instance, asset_graph=graph, loading_context=LoadingContextForTest(lab.instance)
    )
    return {key.to_user_string(): resolver.get_status(key).name for key in graph.get_all_asset_keys()}


def test_a_finalized_location_is_fresh_in_dagsters_eyes(lab: Lab) -> None:
    """After a compute, a reuse, and a recompute of the same bytes: no code and no data has changed."""
    defs = finalize(definitions(lab, [raw, plain, versioned]))
    fresh = dict.fromkeys(("raw", "plain", "versioned"), "FRESH")

    run(lab, defs)
    assert statuses(lab, defs) == fresh
    run(lab, defs)
    assert statuses(lab, defs) == fresh
    lab.run([raw], tags={"jammi/cache": "bypass"})
    assert statuses(lab, defs) == fresh


def test_changed_code_is_stale_in_dagsters_eyes(lab: Lab) -> None:
    """The graph's code version moves with the code, so Dagster sees a table of the old code as stale."""

    def make(value: int) -> dg.AssetsDefinition:
        @result_table(reads=[], name="raw")
        def changing() -> pa.Table:
            return table(value)

        return changing

    run(lab, finalize(definitions(lab, [make(1), plain])))
    changed = finalize(definitions(lab, [make(2), plain]))

    assert statuses(lab, changed)["raw"] == "STALE"
    run(lab, changed)
    assert statuses(lab, changed) == {"raw": "FRESH", "plain": "FRESH"}


def test_partitioned_and_external_assets_pass_through(lab: Lab) -> None:
    """Specs without a function, and assets with partitions, are left whole."""

    @result_table(reads=[], partitions_def=dg.StaticPartitionsDefinition(["a"]))
    def part() -> pa.Table:
        return table(1)

    @dg.graph_asset
    def graphed(raw):
        return dg.op(name="through")(lambda given: given)(raw)

    defs = finalize(definitions(lab, [raw, part, graphed, dg.AssetSpec("outside")]))
    graph = defs.resolve_asset_graph()

    assert graph.get(dg.AssetKey("part")).partitions_def is not None
    assert graph.get(dg.AssetKey("outside")).code_version is None
    assert graph.get(dg.AssetKey("graphed")).code_version == code_identity(graphed).digest


def test_a_table_that_can_never_be_reused_is_said_once(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    """Under `use` only, with the first reason and the declaration to add."""

    @result_table(key="never_reused_here")
    def made() -> pa.Table:
        return pa.table({"x": [1]})

    defs = dg.Definitions(assets=[made], resources=lab.resources)
    for _ in range(2):
        finalize(defs)
    said = [record.getMessage() for record in caplog.records if "never_reused_here" in record.getMessage()]
    assert said == [
        "asset never_reused_here: its cache policy is `use`, but it can never be reused: it has no upstream: declare "
        "reads=[…], or reads=[] where it reads nothing else"
    ]
    caplog.clear()
    finalize(dg.Definitions(assets=[made], resources={"io_manager": dg.mem_io_manager}))
    assert not caplog.records
