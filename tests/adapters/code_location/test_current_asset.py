"""The definition that a table would have now is the one that a step records, though no step runs."""

from collections.abc import Sequence
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Broken, Lab, table
from sensing_kit import Ticking, definitions, evaluate, kinds

from jammi_dagster import CachePolicy, result_table
from jammi_dagster.adapters.code_location.location import Location
from jammi_dagster.adapters.judgement.evaluator import Evaluator
from jammi_dagster.adapters.judgement.wording import reasons
from jammi_dagster.adapters.recipe.recipe import DefinitionHashes
from jammi_dagster.adapters.recipe.replay import Replay
from jammi_dagster.contract import definition_hash
from jammi_dagster.surfaces import file

letters = dg.StaticPartitionsDefinition(["b", "a"])
days = dg.DailyPartitionsDefinition("2023-12-31", end_date="2024-01-14")
weeks = dg.WeeklyPartitionsDefinition("2023-12-31", end_date="2024-01-14")
dynamic = dg.DynamicPartitionsDefinition(name="cities")
grid = dg.MultiPartitionsDefinition(
    {"day": dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-03"), "letter": letters}
)


class Size(dg.Config):
    rows: int = 2
    label: str = "x"


class Salt(dg.ConfigurableResource):
    value: str = "s"


def one() -> list[Any]:
    @result_table(reads=[])
    def root() -> pa.Table:
        return table(1)

    @result_table
    def child(config: Size, root: pa.Table) -> pa.Table:
        return table(*range(config.rows))

    @result_table(deps=["root"], reads=[])
    def beside(context: dg.AssetExecutionContext, salt: Salt) -> pa.Table:
        return table(salt.value)

    @dg.asset
    def plain(child: pa.Table) -> pa.Table:
        return child

    return [root, child, beside, plain]


def partitioned() -> list[Any]:
    @result_table(partitions_def=letters, reads=[])
    def letter() -> pa.Table:
        return table(1)

    @result_table(partitions_def=letters)
    def same(letter: pa.Table) -> pa.Table:
        return letter

    @result_table
    def every(same: dict[str, pa.Table]) -> pa.Table:
        return table(*same)

    @result_table(partitions_def=days, reads=[])
    def day(context: dg.AssetExecutionContext) -> pa.Table:
        return table(context.partition_key)

    @result_table(partitions_def=weeks)
    def week(day: dict[str, pa.Table]) -> pa.Table:
        return table(*day)

    @result_table(
        partitions_def=days,
        ins={
            "running": dg.AssetIn(
                partition_mapping=dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)
            )
        },
        reads=[],
    )
    def running(running: pa.Table | None) -> pa.Table:
        return table(1)

    @result_table(partitions_def=dynamic, reads=[])
    def city() -> pa.Table:
        return table(1)

    @result_table
    def cities(city: dict[str, pa.Table]) -> pa.Table:
        return table(*city)

    @result_table(partitions_def=grid, reads=[])
    def cell() -> pa.Table:
        return table(1)

    @result_table(partitions_def=letters)
    def column(cell: dict[str, pa.Table]) -> pa.Table:
        return table(*cell)

    return [letter, same, every, day, week, running, city, cities, cell, column]


def test_what_was_just_made_is_fresh(lab: Lab) -> None:
    """Config, resources, deps and plain assets: the definition outside of a step is the one inside."""
    lab.more = {"salt": Salt(value="pepper")}
    assets = one()
    lab.run(assets, config={"child": {"rows": 5}})
    found = evaluate(lab, assets)
    assert (kinds(found), found.counts["fresh"], found.gone) == ({}, 4, {})


@pytest.mark.slow
def test_every_kind_of_partition_is_fresh_after_its_run(lab: Lab) -> None:
    """Static, time windows under weeks, a fan-in, a table of its own past, dynamic and multi-partitions."""
    lab.instance.add_dynamic_partitions("cities", ["oslo", "bern"])
    assets = partitioned()
    by_name = {asset.key.to_user_string(): asset for asset in assets}

    def run(name: str, keys: Sequence[str]) -> None:
        for key in keys:
            lab.run(assets, select=[by_name[name]], partition=key)

    run("letter", ["a", "b"])
    run("same", ["a", "b"])
    run("day", days.get_partition_keys())
    run("week", ["2023-12-31", "2024-01-07"])
    run("running", days.get_partition_keys()[:3])
    run("city", ["oslo", "bern"])
    run("cell", [str(key) for key in grid.get_partition_keys()])
    run("column", ["a", "b"])
    lab.run(assets, select=[by_name["every"], by_name["cities"]])
    found = evaluate(lab, assets)
    assert (kinds(found), found.gone) == ({}, {})
    assert found.counts["fresh"] == len(lab.store.tables()) == 33


def test_a_range_is_fresh_after_its_run(lab: Lab) -> None:
    """Tables that one run made together are judged as such: the range is part of how they were made."""

    @result_table(partitions_def=letters, backfill_policy=dg.BackfillPolicy.single_run(), reads=[])
    def part(context: dg.AssetExecutionContext) -> dict[str, pa.Table]:
        return {key: table(key) for key in context.partition_keys}

    lab.run(part, span=("b", "a"))
    assert kinds(evaluate(lab, [part])) == {}


def test_an_upstream_on_another_io_manager_is_known_by_its_data_version(lab: Lab) -> None:
    """Dagster's event log is asked, as by a step; what stated no version is not decided."""
    lab.more = {"other": dg.mem_io_manager}
    version = ["1"]

    @dg.asset(io_manager_key="other")
    def elsewhere() -> dg.MaterializeResult[int]:
        return dg.MaterializeResult(value=1, data_version=dg.DataVersion(version[0]))

    @dg.asset(io_manager_key="other")
    def silent() -> int:
        return 1

    @result_table
    def over(elsewhere: int) -> pa.Table:
        return table(elsewhere)

    @result_table
    def under(silent: int) -> pa.Table:
        return table(silent)

    assets = [elsewhere, silent, over, under]
    lab.run(assets)
    assert kinds(evaluate(lab, assets)) == {"under": "undecidable"}
    version[0] = "2"
    lab.run(assets, select=[elsewhere])
    found = evaluate(lab, assets)
    assert kinds(found) == {"over": "stale", "under": "undecidable"}
    assert [reason.source for reason in found.tables["over"].verdict.reasons] == ["dagster:default/elsewhere"]


def sized(rows: int, required: bool = False) -> list[Any]:
    if required:

        class Wanted(dg.Config):
            rows: str

        @result_table(reads=[], code_version="1")
        def made(config: Wanted) -> pa.Table:
            return table(1)
    else:

        class Default(dg.Config):
            rows: int = 1
            label: str = "x"

        if rows != 1:

            class Default(dg.Config):  # type: ignore[no-redef]  # an edit of the class: its name stays
                rows: int = 2
                label: str = "x"

        @result_table(reads=[], code_version="1", name="made")
        def made(config: Default) -> pa.Table:
            return table(config.rows)

    return [made]


def test_a_changed_default_counts_where_it_was_not_overridden(lab: Lab) -> None:
    """The recorded raw config is validated anew: what it left out takes the default of now."""
    lab.run(sized(1))
    assert kinds(evaluate(lab, sized(1))) == {}
    assert kinds(evaluate(lab, sized(2))) == {"made": "stale"}
    lab.run(sized(1), config={"made": {"rows": 1}}, tags={"jammi/cache": "bypass"})
    assert kinds(evaluate(lab, sized(2))) == {}


def test_config_that_is_not_valid_any_more_is_reported_with_the_reason(lab: Lab) -> None:
    """Neither fresh nor stale: nothing can run it again as it was."""
    lab.run(sized(1), config={"made": {"rows": 1}})
    found = evaluate(lab, sized(1, required=True))
    assert kinds(found) == {"made": "not_replayable"}
    assert "not valid any more" in str(found.tables["made"].why_not)


def test_a_table_whose_asset_or_partition_is_gone_is_reported(lab: Lab) -> None:
    """Neither is judged: nothing here says how it would be made."""
    lab.instance.add_dynamic_partitions("cities", ["oslo", "bern"])
    assets = partitioned()
    lab.run(assets, select=[assets[6]], partition="oslo")
    lab.run(assets, select=[assets[6]], partition="bern")
    lab.instance.delete_dynamic_partition("cities", "bern")
    lab.run(one()[0])
    found = evaluate(lab, assets)
    assert found.gone == {
        "city[bern]": "its partition no longer exists",
        "root": "no asset of this code location makes it",
    }
    assert (found.counts["fresh"], kinds(found)) == (1, {})


def test_a_partition_that_comes_under_a_fan_in_makes_it_stale(lab: Lab) -> None:
    """No recorded anchor moved: the names of the inputs are part of the definition, and say which one came."""
    lab.instance.add_dynamic_partitions("cities", ["oslo"])
    assets = partitioned()
    city, cities = assets[6], assets[7]
    lab.run(assets, select=[city], partition="oslo")
    lab.run(assets, select=[cities])
    lab.instance.add_dynamic_partitions("cities", ["bern"])
    waiting = evaluate(lab, assets).tables["cities"]
    assert (waiting.kind, reasons(waiting)) == ("fresh", ["it needs city[bern], which is not there"])
    lab.run(assets, select=[city], partition="bern")
    found = evaluate(lab, assets)
    assert kinds(found) == {"cities": "stale"}
    assert reasons(found.tables["cities"]) == ["inputs added: city[bern]"]


def test_a_definition_that_only_a_step_could_know_is_not_decided(lab: Lab) -> None:
    """A resource that cannot be made here says nothing of what a run would get; the reason tells."""

    @result_table(reads=[])
    def made(broken: Broken) -> pa.Table:
        return table(1)

    lab.more = {"broken": Broken()}
    lab.run(made)
    lab.more = {"broken": Broken(fails=True)}
    found = evaluate(lab, [made])
    assert kinds(found) == {"made": "undecidable"}
    why = str(found.tables["made"].why_undecidable)
    assert "OSError" in why
    assert "hunter2" not in why  # what code of others says may hold a secret


@pytest.mark.parametrize("cache", list(CachePolicy))
def test_sensing_runs_no_function_and_writes_nothing(lab: Lab, cache: CachePolicy) -> None:
    """Whatever the policy: the catalog's revision and the files stay as they are."""
    lab.cache = cache.value
    lab.more = {"salt": Salt()}
    assets = one()
    lab.run(assets)
    before = (
        lab.store.reader.state(),
        sorted((p, p.stat().st_mtime_ns) for p in lab.files() if p.suffix != ".db-shm"),
    )
    evaluate(lab, assets)
    assert before == (
        lab.store.reader.state(),
        sorted((p, p.stat().st_mtime_ns) for p in lab.files() if p.suffix != ".db-shm"),
    )


def test_an_inline_io_manager_of_an_upstream_is_found(lab: Lab) -> None:
    """It is bound to its own asset alone, and a run of both has it."""

    @result_table(reads=[], io_manager_def=lab.resources["io_manager"])
    def up() -> pa.Table:
        return table(1)

    @result_table
    def down(up: pa.Table) -> pa.Table:
        return up

    lab.run([up, down])
    found = evaluate(lab, [up, down])
    assert (kinds(found), found.counts["fresh"]) == ({}, 2)


class Counted(dg.Config):
    rows: int = 2


def test_many_hashes_are_those_of_the_descriptor(lab: Lab) -> None:
    """What is encoded in parts folds to the same as the whole, whatever partition, names and order."""

    @result_table(partitions_def=days, reads=[])
    def day(config: Counted) -> pa.Table:
        return table(1)

    location = Location.of(definitions(lab, [day]), lab.instance)
    asset = Evaluator(location).asset(day.key)
    assert asset is not None
    recipe = asset.recipe(Replay(config={"rows": 3}))
    hashes = DefinitionHashes(recipe)
    for key, names, orders, span in (
        ("2024-01-01", [], {}, ()),
        ("2024-01-02", ["b", 'a"\\', "é"], {}, ("2024-01-02",)),
        ("2024-01-02", ["a"], {"x": ["b", "a"]}, ()),
        ("2024-01-03", ["a"], {}, ("2024-01-02", "2024-01-03")),
    ):
        whole = definition_hash(recipe.descriptor(key, span, names, orders), recipe.env())
        assert hashes.of(key, span, names, orders) == whole


def test_what_came_between_two_looks_at_an_asset_is_seen_though_others_were_looked_at_meanwhile(
    lab: Lab,
) -> None:
    """What was worked out at an earlier look holds only for as long as no input came or went."""

    @result_table(partitions_def=letters, reads=[])
    def part() -> pa.Table:
        return table(1)

    @result_table(allow_missing_partitions=True)
    def whole(part: dict[str, pa.Table]) -> pa.Table:
        return table(*part)

    assets = [part, whole]
    lab.run(assets, select=[part], partition="a")
    lab.run(assets, select=[whole])
    evaluator = Evaluator(Location.of(definitions(lab, assets), lab.instance))
    own, other = evaluator.assets([whole.key]), evaluator.assets([part.key])
    assert [evaluator.evaluate(own).counts["fresh"] for _ in range(2)] == [1, 1]
    lab.run(assets, select=[part], partition="b")
    assert evaluator.evaluate(other).counts["fresh"] == 2
    assert kinds(evaluator.evaluate(own)) == {"whole": "stale"}


def test_a_file_that_comes_for_a_partition_that_was_never_made_is_noticed(lab: Lab) -> None:
    """A sensor at rest looks again when the input that a table waits for is there, in the same process too."""
    folder = lab.root.parent

    @result_table(partitions_def=letters, reads=lambda key: [file(folder / key, name=key)], code_version="1")
    def part() -> pa.Table:
        return table(1)

    (folder / "a").write_text("1")
    ticking = Ticking(lab, [part], missing="materialize")
    assert ticking.rest() == [{"part[a]": "computed"}]
    (folder / "b").write_text("1")
    assert ticking.rest() == [{"part[b]": "computed"}]


def test_a_function_of_the_partition_that_fails_is_said_and_fails_no_tick(lab: Lab) -> None:
    """The author's `reads=` may raise: the reason is told, without the text of the error, and the sensor ticks on."""

    @result_table(partitions_def=letters, reads=lambda key: [{}[key]], code_version="1")
    def part() -> pa.Table:
        return table(1)

    ticking = Ticking(lab, [part], missing="materialize")
    ticking.tick()
    assert "reads= cannot be asked: KeyError" in ticking.said
