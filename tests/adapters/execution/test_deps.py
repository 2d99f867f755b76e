"""Every declared dependency has an anchor, loaded or not: of our store, of another, external (DESIGN 4.2)."""

from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, letters, note, part, raw, table

from jammi_dagster import AnchorKind, InputAnchor, result_table


@result_table(deps=["raw"])
def after_raw() -> pa.Table:
    note("after_raw")
    return table(0)


@result_table(deps=["outside"])
def after_outside() -> pa.Table:
    note("after_outside")
    return table(0)


def digest(lab: Lab, name: str) -> str:
    return str(lab.store.current(name).artifact_digest)


def report(lab: Lab, key: str, version: str | None, *, observed: bool = False, **more: Any) -> None:
    """An event without a run, as people report them over the API."""
    tags = {} if version is None else {"dagster/data_version": version}
    event = dg.AssetObservation if observed else dg.AssetMaterialization
    lab.instance.report_runless_asset_event(event(key, tags=tags, **more))


def test_a_table_that_is_not_loaded_is_anchored_by_its_digest(lab: Lab) -> None:
    """`deps=` counts like a loaded input, by the current digest."""
    assert lab.run([raw, after_raw]).outcomes["after_raw"] == "computed"
    assert lab.anchors("after_raw") == {"raw": InputAnchor.result_digest("raw", digest(lab, "raw"))}
    assert lab.run([raw, after_raw]).outcomes["after_raw"] == "reused"


def test_a_changed_table_that_is_not_loaded_misses(lab: Lab) -> None:
    """Other bytes of a dependency that no one loads are another input all the same."""
    lab.run([raw, after_raw])
    lab.store.materialize("raw", table(9), descriptor={"producer": "library"}, env={}, inputs=[])

    ran = lab.run([raw, after_raw], select=[after_raw])

    assert ran.outcomes["after_raw"] == "computed"
    assert lab.anchors("after_raw")["raw"].anchor == digest(lab, "raw")


def test_a_dependency_is_known_from_the_catalog_alone(lab: Lab) -> None:
    """A Dagster instance that has never seen the upstream does not hide what is in the store."""
    lab.run([raw, after_raw])

    with dg.DagsterInstance.ephemeral() as instance:
        ran = Lab(lab.root, instance).run([raw, after_raw], select=[after_raw])

    assert ran.outcomes["after_raw"] == "reused"


def test_each_deployment_has_its_own_dependency(lab: Lab) -> None:
    """Dagster's last event may be another deployment's: the digest that is recorded is this one's."""
    lab.options = {"deployment": "branch"}
    lab.store.materialize("raw", table(9), descriptor={"producer": "library"}, env={}, inputs=[])
    lab.options = {}
    lab.run([raw, after_raw])
    lab.options = {"deployment": "branch"}

    ran = lab.run([raw, after_raw], select=[after_raw])

    assert ran.outcomes["after_raw"] == "computed"
    assert lab.anchors("after_raw") == {"raw": InputAnchor.result_digest("raw", digest(lab, "raw"))}


def test_partitions_that_are_not_loaded_are_anchored_one_by_one(lab: Lab) -> None:
    """One anchor per upstream partition, as on a loaded fan-in."""

    @result_table(deps=["part"])
    def after_parts() -> pa.Table:
        return table(0)

    for key in "ab":
        lab.run(part, partition=key)
    graph = [part, after_parts]
    assert [lab.run(graph, select=[after_parts]).outcomes["after_parts"] for _ in "ab"] == [
        "computed",
        "reused",
    ]
    assert set(lab.anchors("after_parts")) == {"part[a]", "part[b]"}


@pytest.mark.parametrize("allowed", [True, False])
def test_a_partition_that_is_missing_is_left_out(lab: Lab, allowed: bool) -> None:
    """Nothing is loaded of a dependency in `deps=`; when the partition comes, the definition is another one."""

    @result_table(deps=["part"], allow_missing_partitions=allowed)
    def after_parts() -> pa.Table:
        return table(0)

    lab.run(part, partition="a")
    ran = lab.run([part, after_parts], select=[after_parts])

    assert set(lab.anchors("after_parts")) == {"part[a]"}
    assert ran.why_unpinned("after_parts") == ""
    lab.run(part, partition="b")
    assert lab.run([part, after_parts], select=[after_parts]).outcomes == {"after_parts": "computed"}


def test_a_self_dependency_may_start_in_the_middle(lab: Lab) -> None:
    """The day before is not there yet, and nothing loads it."""
    days = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-05")
    before = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)

    @result_table(partitions_def=days, reads=[], deps=[dg.AssetDep("daily", partition_mapping=before)])
    def daily() -> pa.Table:
        return table(0)

    ran = lab.run(daily, partition="2024-01-03")
    then = lab.run(daily, partition="2024-01-04")

    assert ran.outcomes == {"daily[2024-01-03]": "computed"}
    assert lab.anchors("daily[2024-01-03]") == {}
    assert set(lab.anchors("daily[2024-01-04]")) == {"daily[2024-01-03]"}
    assert then.outcomes == {"daily[2024-01-04]": "computed"}


def test_a_dependency_that_was_never_materialized_is_unpinned(lab: Lab) -> None:
    """There is nothing to pin: the step runs, and its table is never reused."""
    ran = lab.run([raw, after_raw], select=[after_raw])

    assert ran.outcomes["after_raw"] == "computed"
    assert "dagster:default/raw has no version" in ran.why_unpinned("after_raw")


@pytest.mark.parametrize("annotated", [True, False])
def test_an_asset_that_stores_nothing_is_pinned_by_dagsters_version(lab: Lab, annotated: bool) -> None:
    """A plain asset on our IO manager may do its work elsewhere: its given data version is what there is."""

    def make(version: str | None) -> dg.AssetsDefinition:
        def ddl():
            given = None if version is None else dg.DataVersion(version)
            return dg.MaterializeResult(data_version=given)

        if annotated:
            ddl.__annotations__ = {"return": dg.MaterializeResult}
        return dg.asset(ddl)

    @result_table(deps=["ddl"])
    def after_ddl() -> pa.Table:
        return table(0)

    outcomes = []
    for version in ("1", "1", "2", None, None):
        outcomes.append(lab.run([make(version), after_ddl]).outcomes["after_ddl"])

    assert outcomes == ["computed", "reused", "computed", "computed", "computed"]
    assert lab.anchors("after_ddl")["dagster:default/ddl"].is_unpinned


def test_an_asset_without_a_value_is_no_table(lab: Lab) -> None:
    """A plain `-> None` asset has no data version of anybody's: what depends on it is unpinned."""

    @dg.asset
    def ddl() -> None:
        note("ddl")

    @result_table(deps=[ddl])
    def after_ddl() -> pa.Table:
        return table(0)

    ran = lab.run([ddl, after_ddl])

    assert ran.calls == ["ddl"]
    assert "dagster:default/ddl has no version" in ran.why_unpinned("after_ddl")


def test_an_asset_that_stops_storing_is_no_longer_pinned_by_its_old_table(lab: Lab) -> None:
    """Dagster has a later materialization than the catalog: the old digest is not the asset's state."""

    def make(*, stores: bool) -> dg.AssetsDefinition:
        @dg.asset(name="raw")
        def sometimes():
            return table(1) if stores else dg.MaterializeResult()

        return sometimes

    lab.run([make(stores=True), after_raw])
    ran = lab.run([make(stores=False), after_raw])

    assert ran.outcomes["after_raw"] == "computed"
    assert "dagster:default/raw has no version" in ran.why_unpinned("after_raw")


def test_partitions_that_store_nothing_are_pinned_by_dagsters_versions(lab: Lab) -> None:
    """One by one: those in the catalog by digest, the others by what their author said."""

    @dg.asset(partitions_def=letters, name="part")
    def some(context: dg.AssetExecutionContext):
        if context.partition_key == "a":
            return table(1)
        return dg.MaterializeResult(data_version=dg.DataVersion("7"))

    @result_table(deps=["part"])
    def after_parts() -> pa.Table:
        return table(0)

    for key in "ab":
        lab.run(some, partition=key)
    lab.run([some, after_parts], select=[after_parts])

    assert lab.anchors("after_parts") == {
        "part[a]": InputAnchor.result_digest("part[a]", digest(lab, "part[a]")),
        "dagster:default/part[b]": InputAnchor.source_version("dagster:default/part[b]", "7"),
    }


def test_an_upstream_elsewhere_is_pinned_by_a_given_data_version(lab: Lab) -> None:
    """On another IO manager, loaded: the version that its function gives, and none that Dagster makes up."""
    lab.more = {"memory": dg.InMemoryIOManager()}

    def make(version: str | None) -> dg.AssetsDefinition:
        @dg.asset(io_manager_key="memory")
        def outside():
            return dg.Output(1, data_version=None if version is None else dg.DataVersion(version))

        return outside

    @result_table
    def reader(outside: int) -> pa.Table:
        return table(outside)

    outcomes = [lab.run([make(version), reader]).outcomes["reader"] for version in ("1", "1", "2", "1", None)]

    assert outcomes == ["computed", "reused", "computed", "reused", "computed"]
    assert lab.anchors("reader")["dagster:default/outside"].is_unpinned


def test_partitions_elsewhere_are_pinned_one_by_one(lab: Lab) -> None:
    """A partition that was made again without a version is no longer pinned by its old one."""
    lab.more = {"files": dg.FilesystemIOManager(base_dir=str(lab.root))}

    def make(version: str | None) -> dg.AssetsDefinition:
        @dg.asset(io_manager_key="files", partitions_def=letters)
        def outside():
            return dg.Output(1, data_version=None if version is None else dg.DataVersion(version))

        return outside

    @result_table
    def reader(outside: dict) -> pa.Table:
        return table(*outside.values())

    outcomes = []
    for key, version in (("a", "1"), ("b", "1"), ("b", "1"), ("b", "2"), ("b", None)):
        lab.run(make(version), partition=key)
        if key == "b":
            outcomes.append(lab.run([make(None), reader], select=[reader]).outcomes["reader"])
    kinds = {source: anchor.kind for source, anchor in lab.anchors("reader").items()}

    assert outcomes == ["computed", "reused", "computed", "computed"]
    assert kinds == {
        "dagster:default/outside[a]": AnchorKind.SOURCE_VERSION,
        "dagster:default/outside[b]": AnchorKind.UNPINNED_AT_INSTANT,
    }


@pytest.mark.parametrize("observed", [True, False])
def test_an_external_asset_is_pinned_by_what_was_reported(lab: Lab, observed: bool) -> None:
    """An observation, or a materialization without a run, with a data version; without one it pins nothing."""
    graph = [dg.AssetSpec("outside"), after_outside]

    outcomes = []
    for version in ("1", "1", "2", None):
        report(lab, "outside", version, observed=observed)
        outcomes.append(lab.run(graph).outcomes["after_outside"])

    assert outcomes == ["computed", "reused", "computed", "computed"]
    assert lab.anchors("after_outside")["dagster:default/outside"].is_unpinned


def test_the_later_of_observation_and_materialization_counts(lab: Lab) -> None:
    """An external asset may have both: its state is the last event's."""
    graph = [dg.AssetSpec("outside"), after_outside]
    for version, observed in (("1", False), ("2", True), ("3", False)):
        report(lab, "outside", version, observed=observed)
        lab.run(graph)
        source = "dagster:default/outside"
        assert lab.anchors("after_outside") == {source: InputAnchor.source_version(source, version)}


def test_an_observable_source_asset_is_pinned_by_its_observation(lab: Lab) -> None:
    """The version that its observe function gave."""

    @dg.observable_source_asset
    def outside():
        return dg.DataVersion("5")

    assert lab.run([outside, after_outside], select=[after_outside]).why_unpinned("after_outside") != ""
    job = dg.define_asset_job("look", selection=["outside"])
    looking = dg.Definitions(assets=[outside], jobs=[job]).resolve_job_def("look")
    assert looking.execute_in_process(instance=lab.instance).success

    assert [
        lab.run([outside, after_outside], select=[after_outside]).outcomes["after_outside"] for _ in range(2)
    ] == ["computed", "reused"]
    assert lab.anchors("after_outside")["dagster:default/outside"].anchor == "5"


def test_an_asset_that_nobody_defines_is_unpinned(lab: Lab) -> None:
    """A `deps=` on a key without definition is an external asset that was never observed."""
    ran = lab.run(after_outside)

    assert "dagster:default/outside has no version" in ran.why_unpinned("after_outside")


def test_a_mapping_in_deps_applies_to_the_parameter(lab: Lab) -> None:
    """Dagster lets a parameter's partition mapping stand in `deps=`; so do we."""
    dep = dg.AssetDep("part", partition_mapping=dg.SpecificPartitionsPartitionMapping(["b"]))

    @result_table(deps=[dep, raw])
    def mapped(part: pa.Table) -> pa.Table:
        return part

    for key in "ab":
        lab.run(part, partition=key)
    lab.run([part, raw, mapped], select=[raw, mapped])

    assert set(lab.anchors("mapped")) == {"part[b]", "raw"}
