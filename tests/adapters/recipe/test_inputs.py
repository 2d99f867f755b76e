"""One input rule: with no step running it gives the names and anchors that a run at the same moment records."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, table
from sensing_kit import plan

from jammi_dagster import ResultStoreResource, ResultTableIOManager, result_table
from jammi_dagster.surfaces import file

letters = dg.StaticPartitionsDefinition(["b", "a"])
days = dg.DailyPartitionsDefinition("2023-12-31", end_date="2024-01-14")
weeks = dg.WeeklyPartitionsDefinition("2023-12-31", end_date="2024-01-14")
single_run = dg.BackfillPolicy.single_run()


@dataclass(frozen=True)
class Case:
    """The assets, which of them to plan and run, and the sources that its anchors are expected to name."""

    assets: list[Any]
    name: str
    sources: set[str]
    partitions: tuple[str, ...] | None = None


def report(lab: Lab, key: str, version: str | None, *, observed: bool = False, **more: Any) -> None:
    """Report an event without a run, as people do over the API."""
    tags = {} if version is None else {"dagster/data_version": version}
    event = dg.AssetObservation if observed else dg.AssetMaterialization
    lab.instance.report_runless_asset_event(event(key, tags=tags, **more))


@result_table(reads=[])
def root() -> pa.Table:
    return table(1)


@result_table(partitions_def=letters, reads=[])
def letter(context: dg.AssetExecutionContext) -> pa.Table:
    return table(context.partition_key)


@result_table(partitions_def=days, reads=[])
def day(context: dg.AssetExecutionContext) -> pa.Table:
    return table(context.partition_key)


def loaded(lab: Lab) -> Case:
    @result_table
    def made(root: pa.Table) -> pa.Table:
        return root

    lab.run(root)
    return Case([root, made], "made", {"root"})


def declared(lab: Lab) -> Case:
    @result_table(deps=["root"])
    def made() -> pa.Table:
        return table(1)

    lab.run(root)
    return Case([root, made], "made", {"root"})


def declared_and_never_made(lab: Lab) -> Case:
    @result_table(deps=["root"])
    def made() -> pa.Table:
        return table(1)

    return Case([root, made], "made", {"dagster:default/root"})


def fan_in(lab: Lab) -> Case:
    @result_table
    def made(letter: dict[str, pa.Table]) -> pa.Table:
        return table(*letter)

    for key in "ab":
        lab.run(letter, partition=key)
    return Case([letter, made], "made", {"letter[a]", "letter[b]"})


def fan_in_with_a_missing_partition(lab: Lab) -> Case:
    @result_table(allow_missing_partitions=True, deps=["day"])
    def made(letter: dict[str, pa.Table]) -> pa.Table:
        return table(*letter)

    lab.run(letter, partition="b")
    lab.run(day, partition="2024-01-02")
    return Case([letter, day, made], "made", {"letter[b]", "day[2024-01-02]"})


def the_same_partition(lab: Lab) -> Case:
    @result_table(partitions_def=letters)
    def made(letter: pa.Table) -> pa.Table:
        return letter

    lab.run(letter, partition="a")
    return Case([letter, made], "made", {"letter[a]"}, ("a",))


def a_window_of_partitions(lab: Lab) -> Case:
    @result_table(partitions_def=weeks)
    def made(day: dict[str, pa.Table]) -> pa.Table:
        return table(*day)

    keys = days.get_partition_keys()[:7]
    for key in keys:
        lab.run(day, partition=key)
    return Case([day, made], "made", {f"day[{key}]" for key in keys}, ("2023-12-31",))


def its_own_past(lab: Lab) -> Case:
    before = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)

    @result_table(partitions_def=days, ins={"made": dg.AssetIn(partition_mapping=before)}, reads=[])
    def made(made: pa.Table | None) -> pa.Table:
        return table(1)

    lab.run(made, partition="2023-12-31")
    return Case([made], "made", {"made[2023-12-31]"}, ("2024-01-01",))


def a_range(lab: Lab) -> Case:
    @result_table(partitions_def=letters, backfill_policy=single_run, deps=["root"])
    def made(context: dg.AssetExecutionContext, letter: dict[str, pa.Table]) -> dict[str, pa.Table]:
        return {key: table(key) for key in context.partition_keys}

    lab.run(root)
    for key in "ab":
        lab.run(letter, partition=key)
    return Case([root, letter, made], "made", {"root", "letter[a]", "letter[b]"}, ("b", "a"))


def another_store(lab: Lab) -> Case:
    place = ResultStoreResource(root=str(lab.root.parent / "other"), deployment="far")
    lab.more = {"other": ResultTableIOManager(store=place)}

    @result_table(io_manager_key="other", reads=[])
    def far() -> pa.Table:
        return table(1)

    @result_table
    def made(far: pa.Table) -> pa.Table:
        return far

    lab.run(far)
    return Case([far, made], "made", {"dagster:far/far"})


def another_io_manager(lab: Lab) -> Case:
    lab.more = {"other": dg.FilesystemIOManager(base_dir=str(lab.root.parent / "pickles"))}

    @dg.asset(io_manager_key="other")
    def versioned() -> dg.MaterializeResult[int]:
        return dg.MaterializeResult(value=1, data_version=dg.DataVersion("7"))

    @dg.asset(io_manager_key="other")
    def silent() -> int:
        return 1

    @result_table
    def made(versioned: int, silent: int) -> pa.Table:
        return table(versioned, silent)

    lab.run([versioned, silent])
    sources = {"dagster:default/versioned", "dagster:default/silent"}
    return Case([versioned, silent, made], "made", sources)


def external_assets(lab: Lab) -> Case:
    @dg.observable_source_asset
    def observed() -> dg.DataVersion:
        return dg.DataVersion("3")

    parts = dg.AssetSpec("parts", partitions_def=letters)

    @result_table(deps=["given", "mute", "never", parts, observed], allow_missing_partitions=True)
    def made() -> pa.Table:
        return table(1)

    report(lab, "given", "1")
    report(lab, "mute", None)
    report(lab, "parts", "5", partition="a")
    report(lab, "observed", "3", observed=True)
    names = ("given", "mute", "never", "parts[a]", "observed")
    external = [dg.AssetSpec(key) for key in ("given", "mute", "never")]
    return Case([*external, parts, observed, made], "made", {f"dagster:default/{name}" for name in names})


def an_asset_that_stored_nothing_at_last(lab: Lab) -> Case:
    def make(stores: bool) -> Any:
        @dg.asset
        def ddl() -> Any:
            version = dg.DataVersion("9")
            return table(1) if stores else dg.MaterializeResult(data_version=version)

        return ddl

    @result_table(deps=["ddl"])
    def made() -> pa.Table:
        return table(1)

    lab.run(make(True))
    lab.run(make(False))
    return Case([make(False), made], "made", {"dagster:default/ddl"})


def files(lab: Lab) -> Case:
    source = Path(lab.root.parent / "raw.csv")
    source.write_text("1")

    @result_table(reads=[file(source, name="raw")], deps=["root"])
    def made() -> pa.Table:
        return table(1)

    lab.run(root)
    return Case([root, made], "made", {"file:raw", "root"})


def files_of_a_partition(lab: Lab) -> Case:
    folder = lab.root.parent
    for key in "ab":
        (folder / f"{key}.csv").write_text(key)

    @result_table(
        partitions_def=letters,
        backfill_policy=single_run,
        reads=lambda key: [file(folder / f"{key}.csv", name=f"{key}.csv")],
        code_version="1",
    )
    def made(context: dg.AssetExecutionContext) -> dict[str, pa.Table]:
        return {key: table(key) for key in context.partition_keys}

    return Case([made], "made", {"file:a.csv", "file:b.csv"}, ("b", "a"))


def undeclared_reads(lab: Lab) -> Case:
    @result_table
    def made() -> pa.Table:
        return table(1)

    return Case([made], "made", {"undeclared:made"})


def a_plain_asset(lab: Lab) -> Case:
    @dg.asset(deps=["letter", "given"])
    def made(root: pa.Table) -> pa.Table:
        return root

    lab.run(root)
    for key in "ab":
        lab.run(letter, partition=key)
    report(lab, "given", "1")
    sources = {"root", "letter[a]", "letter[b]", "dagster:default/given"}
    return Case([root, letter, dg.AssetSpec("given"), made], "made", sources)


class Reader(dg.IOManager):
    """Loads something of its own, whoever stored the asset."""

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Keeps nothing."""

    def load_input(self, context: dg.InputContext) -> int:
        return 1


def a_plain_asset_with_an_input_manager(lab: Lab) -> Case:
    lab.more = {"reader": dg.IOManagerDefinition.hardcoded_io_manager(Reader())}

    @dg.asset(ins={"root": dg.AssetIn(input_manager_key="reader")})
    def made(root: int) -> pa.Table:
        return table(root)

    lab.run(root)
    return Case([root, made], "made", {"root"})


def an_input_manager(lab: Lab) -> Case:
    lab.more = {"reader": dg.IOManagerDefinition.hardcoded_io_manager(Reader())}

    @result_table(ins={"root": dg.AssetIn(input_manager_key="reader")})
    def made(root: int) -> pa.Table:
        return table(root)

    lab.run(root)
    return Case([root, made], "made", {"dagster:default/root"})


CASES = [
    loaded,
    declared,
    declared_and_never_made,
    fan_in,
    fan_in_with_a_missing_partition,
    the_same_partition,
    a_window_of_partitions,
    its_own_past,
    a_range,
    another_store,
    another_io_manager,
    external_assets,
    an_asset_that_stored_nothing_at_last,
    files,
    files_of_a_partition,
    undeclared_reads,
    a_plain_asset,
    an_input_manager,
    a_plain_asset_with_an_input_manager,
]


def states(anchors: Any) -> set[tuple[str, str, str]]:
    """The anchors as plain values, without the instants of unpinned ones."""
    return {(a.source, "" if a.is_unpinned else a.anchor, a.kind.value) for a in anchors}


@pytest.mark.parametrize("case", CASES)
def test_the_anchors_of_now_are_those_that_a_run_records(lab: Lab, case: Callable[[Lab], Case]) -> None:
    """The plan is made first, then the run: definitions and anchors are equal, but for instants."""
    made = case(lab)
    before = plan(lab, made.assets, made.name, made.partitions)
    target = next(a for a in made.assets if getattr(a, "key", None) == dg.AssetKey(made.name))
    how: dict[str, Any] = {}
    if made.partitions is not None and len(made.partitions) > 1:
        how["span"] = (made.partitions[0], made.partitions[-1])
    elif made.partitions is not None:
        how["partition"] = made.partitions[0]
    lab.run(made.assets, select=[target], **how)

    assert before.verdict == "compute"
    for planned in before.tables:
        record = lab.store.current(planned.table)
        assert states(planned.anchors) == states(record.input_anchors)
        assert {anchor.source for anchor in planned.anchors} == made.sources
        assert planned.definition == record.definition_hash


def test_a_deployment_with_a_slash_keeps_the_order_of_external_partitions(lab: Lab) -> None:
    """The order of the tables behind a parameter is part of the definition, whatever the deployment is called."""
    lab.options = {"deployment": "pr/7"}
    lab.more = {"other": dg.FilesystemIOManager(base_dir=str(lab.root.parent / "pickles"))}

    def make(keys: list[str]) -> list[Any]:
        @dg.asset(io_manager_key="other", partitions_def=dg.StaticPartitionsDefinition(keys))
        def part() -> dg.MaterializeResult[int]:
            return dg.MaterializeResult(value=1, data_version=dg.DataVersion("1"))

        @result_table(code_version="1")
        def made(part: dict[str, int]) -> pa.Table:
            return table(*part)

        return [part, made]

    definitions = []
    for keys in (["a", "b"], ["b", "a"]):
        assets = make(keys)
        for key in keys:
            lab.run(assets, select=[assets[0]], partition=key)
        lab.run(assets, select=[assets[1]])
        definitions.append(lab.store.current("made").definition_hash)
    assert definitions[0] != definitions[1]


def test_an_input_that_is_not_there_is_an_obstacle(lab: Lab) -> None:
    """The plan names the inputs for which a run would fail: upstream tables, files; a partition in `deps=` is none."""
    gone = lab.root.parent / "gone.csv"

    @result_table(reads=[file(gone, name="gone")], deps=["letter"])
    def made(root: pa.Table) -> pa.Table:
        return root

    assets = [root, letter, made]
    planned = plan(lab, assets, "made")
    assert (planned.verdict, planned.reasons) == (
        "undecidable",
        ("root is not there", "file:gone is not there"),
    )
    assert "MissingUpstream" in lab.run(assets, select=[made], ok=False).error
