"""The plan is what the run does: verdict, definition, anchors and the materialization that is reused."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Broken, Lab, table
from sensing_kit import evaluate, plan
from store_kit import collected

from jammi_dagster import CachePolicy, result_table
from jammi_dagster.adapters.judgement.wording import expectation
from jammi_dagster.planning.step_plan import StepPlan
from jammi_dagster.surfaces import file

letters = dg.StaticPartitionsDefinition(["b", "a"])


@dataclass(frozen=True)
class Scenario:
    """A run to plan: assets, the one that is made, its partitions, config and tags, and the expected plan."""

    assets: list[Any]
    verdict: str
    reason: str = ""
    partitions: tuple[str, ...] | None = None
    config: dict[str, Any] | None = None
    policy: CachePolicy | None = None
    tags: dict[str, str] = field(default_factory=dict)


def source(*rows: int) -> Any:
    @result_table(reads=[], code_version=str(rows))
    def up() -> pa.Table:
        return table(*rows)

    return up


def derived(version: str = "1", **more: Any) -> Any:
    @result_table(code_version=version, **more)
    def made(up: pa.Table) -> pa.Table:
        return table(version)

    return made


def cold(lab: Lab) -> Scenario:
    lab.run(source(1))
    return Scenario([source(1), derived()], "compute", "nothing stored has this definition and these inputs")


def unchanged(lab: Lab) -> Scenario:
    lab.run([source(1), derived()])
    return Scenario([source(1), derived()], "reuse")


def changed_code(lab: Lab) -> Scenario:
    lab.run([source(1), derived("1")])
    return Scenario([source(1), derived("2")], "compute", "nothing stored")


def changed_input(lab: Lab) -> Scenario:
    lab.run([source(1), derived()])
    lab.run(source(2))
    return Scenario([source(2), derived()], "compute", "nothing stored")


def early_cutoff(lab: Lab) -> Scenario:
    """The input is made again by other code, with the same bytes."""

    @result_table(reads=[], code_version="other")
    def up() -> pa.Table:
        return table(1)

    lab.run([source(1), derived()])
    lab.run(up)
    return Scenario([up, derived()], "reuse")


def reverted_code(lab: Lab) -> Scenario:
    """The hit is an older materialization than the current one."""
    for version in "12":
        lab.run([source(1), derived(version)])
    return Scenario([source(1), derived("1")], "reuse")


def reverted_input(lab: Lab) -> Scenario:
    for rows in (1, 2, 1):
        lab.run(source(rows))
        if rows != 1 or "made" not in lab.store.tables():
            lab.run([source(rows), derived()], select=[derived()])
    return Scenario([source(1), derived()], "reuse")


def bypassed(lab: Lab) -> Scenario:
    lab.run([source(1), derived()])
    return Scenario(
        [source(1), derived()],
        "compute",
        "cache=bypass",
        policy=CachePolicy.BYPASS,
        tags={"jammi/cache": "bypass"},
    )


def bypassed_by_its_author(lab: Lab) -> Scenario:
    assets = [source(1), derived(cache=CachePolicy.BYPASS)]
    lab.run(assets)
    return Scenario(assets, "compute", "cache=bypass")


def unpinned(lab: Lab) -> Scenario:
    lab.run([source(1), derived(deps=["outside"])])
    assets = [source(1), dg.AssetSpec("outside"), derived(deps=["outside"])]
    return Scenario(assets, "compute", "dagster:default/outside has no version")


def undeclared(lab: Lab) -> Scenario:
    @result_table
    def made() -> pa.Table:
        return table(1)

    lab.run(made)
    return Scenario([made], "compute", "it has no upstream")


def plain(lab: Lab) -> Scenario:
    @dg.asset
    def made(up: pa.Table) -> pa.Table:
        return up

    lab.run([source(1), made])
    return Scenario([source(1), made], "compute", "Dagster runs the body of a plain asset in any case")


def with_checks(*names: str) -> Any:
    specs = [dg.AssetCheckSpec(name, asset="made") for name in names]

    @result_table(reads=[], code_version="1", check_specs=specs)
    def made() -> dg.MaterializeResult[pa.Table]:
        results = [dg.AssetCheckResult(check_name=name, passed=True) for name in names]
        return dg.MaterializeResult(value=table(1), check_results=results)

    return made


def same_checks(lab: Lab) -> Scenario:
    lab.run(with_checks("one", "two"))
    return Scenario([with_checks("two", "one")], "reuse")


def a_check_more(lab: Lab) -> Scenario:
    lab.run(with_checks("one"))
    return Scenario([with_checks("one", "two")], "compute", "was made with other checks (two)")


def a_check_less(lab: Lab) -> Scenario:
    lab.run(with_checks("one"))
    return Scenario([with_checks()], "compute", "was made with other checks")


def of_letters() -> Any:
    @result_table(
        partitions_def=letters,
        backfill_policy=dg.BackfillPolicy.single_run(),
        reads=lambda key: [file(_folder[0] / f"{key}.csv", name=f"{key}.csv")],
        code_version="1",
    )
    def made(context: dg.AssetExecutionContext) -> dict[str, pa.Table]:
        return {key: table(key) for key in context.partition_keys}

    return made


_folder: list[Path] = []


@pytest.fixture(autouse=True)
def sources(tmp_path: Path) -> Iterator[None]:
    """Files a.csv and b.csv that the assets of `of_letters` read."""
    for key in "ab":
        (tmp_path / f"{key}.csv").write_text(key)
    _folder.append(tmp_path)
    yield
    _folder.clear()


def one_partition(lab: Lab) -> Scenario:
    for key in "ab":
        lab.run(of_letters(), partition=key)
    return Scenario([of_letters()], "reuse", partitions=("a",))


def one_partition_is_missing(lab: Lab) -> Scenario:
    lab.run(of_letters(), partition="a")
    return Scenario([of_letters()], "compute", "nothing stored", partitions=("b",))


def a_range(lab: Lab) -> Scenario:
    lab.run(of_letters(), span=("b", "a"))
    return Scenario([of_letters()], "reuse", partitions=("b", "a"))


def a_range_that_was_made_one_by_one(lab: Lab) -> Scenario:
    """The range is part of the definition of its tables: the function sees all of it."""
    for key in "ab":
        lab.run(of_letters(), partition=key)
    return Scenario([of_letters()], "compute", "nothing stored", partitions=("b", "a"))


def a_range_of_which_one_is_dropped(lab: Lab) -> Scenario:
    lab.run(of_letters(), span=("b", "a"))
    collected(lab.store, "made[a]")
    return Scenario([of_letters()], "compute", "nothing stored", partitions=("b", "a"))


def bytes_gone(lab: Lab) -> Scenario:
    lab.run([source(1), derived()])
    lab.root.joinpath(lab.store.current("made").artifact_path).unlink()
    return Scenario([source(1), derived()], "compute", "are gone")


class Size(dg.Config):
    rows: int = 2


def sized() -> Any:
    @result_table(reads=[], code_version="1")
    def made(config: Size) -> pa.Table:
        return table(config.rows)

    return made


def given_config(lab: Lab) -> Scenario:
    lab.run(sized(), config={"made": {"rows": 3}})
    return Scenario([sized()], "reuse", config={"rows": 3})


def other_config(lab: Lab) -> Scenario:
    lab.run(sized(), config={"made": {"rows": 3}})
    return Scenario([sized()], "compute", "nothing stored", config={"rows": 4})


SCENARIOS = [
    cold,
    unchanged,
    changed_code,
    changed_input,
    early_cutoff,
    reverted_code,
    reverted_input,
    bypassed,
    bypassed_by_its_author,
    unpinned,
    undeclared,
    plain,
    same_checks,
    a_check_more,
    a_check_less,
    one_partition,
    one_partition_is_missing,
    a_range,
    a_range_that_was_made_one_by_one,
    a_range_of_which_one_is_dropped,
    bytes_gone,
    given_config,
    other_config,
]


def run(lab: Lab, scenario: Scenario) -> Any:
    """Make the tables of a scenario."""
    how: dict[str, Any] = {"tags": scenario.tags}
    if scenario.partitions is not None and len(scenario.partitions) > 1:
        how["span"] = (scenario.partitions[0], scenario.partitions[-1])
    elif scenario.partitions is not None:
        how["partition"] = scenario.partitions[0]
    if scenario.config is not None:
        how["config"] = {"made": scenario.config}
    return lab.run(scenario.assets, select=[scenario.assets[-1]], **how)


def states(anchors: Any) -> set[tuple[str, str, str]]:
    """The anchors as plain values, without the instants of unpinned ones."""
    return {(a.source, "" if a.is_unpinned else a.anchor, a.kind.value) for a in anchors}


def planned(lab: Lab, scenario: Scenario) -> StepPlan:
    """The plan of a scenario."""
    return plan(
        lab,
        scenario.assets,
        "made",
        scenario.partitions,
        config=scenario.config,
        policy=scenario.policy,
    )


@pytest.mark.parametrize("prepare", SCENARIOS)
def test_the_run_does_as_planned(lab: Lab, prepare: Callable[[Lab], Scenario]) -> None:
    """Each table of the step: outcome, definition, anchors, and the id of the materialization that is reused."""
    scenario = prepare(lab)
    before = planned(lab, scenario)
    assert before.verdict == scenario.verdict
    assert scenario.reason in "; ".join(before.reasons)

    ran = run(lab, scenario)

    word = {"reuse": "reused", "compute": "computed"}[before.verdict]
    assert len(before.tables) == len(scenario.partitions or "1")
    for one in before.tables:
        record = lab.store.current(one.table)
        assert ran.outcomes[one.table] == word
        assert one.definition == record.definition_hash
        assert states(one.anchors) == states(record.input_anchors)
        said = ran.said(one.table)
        assert one.materialization == said.get("jammi/reused_materialization")
        assert one.saved_seconds == (record.compute_seconds if word == "reused" else None)
        assert one.bytes == "seen" or one.materialization is None


def test_a_range_says_which_partition_is_missing(lab: Lab) -> None:
    """The tables that would have been reused name the one that makes the step compute."""
    scenario = a_range_of_which_one_is_dropped(lab)
    b, a = planned(lab, scenario).tables
    assert (b.table, b.reasons) == ("made[b]", ("made[a], which the same step makes, is computed",))
    assert (a.table, a.reasons) == ("made[a]", ("nothing stored has this definition and these inputs",))


def test_a_definition_that_only_a_run_would_know_is_not_decided(lab: Lab) -> None:
    """A resource that cannot be made here says nothing of a run; under `bypass` the run computes all the same."""

    @result_table(reads=[])
    def made(broken: Broken) -> pa.Table:
        return table(1)

    lab.more = {"broken": Broken(fails=True)}
    before = plan(lab, [made], "made")
    assert (before.verdict, before.tables[0].definition) == ("undecidable", None)
    assert "OSError" in before.reasons[0]
    assert plan(lab, [made], "made", policy=CachePolicy.BYPASS).verdict == "compute"


def test_a_missing_input_is_an_obstacle_though_the_definition_is_not_known(lab: Lab, tmp_path: Path) -> None:
    """Such a run fails whatever it would know of its definition, and the plan names the input."""
    lab.more = {"broken": Broken(fails=True)}

    @result_table(reads=[file(tmp_path / "gone.csv", name="gone.csv")])
    def made(broken: Broken) -> pa.Table:
        return table(1)

    found = plan(lab, [made], "made")
    assert (found.verdict, found.begins, found.reasons) == (
        "undecidable",
        False,
        ("file:gone.csv is not there",),
    )


def test_config_that_is_not_valid_any_more_is_an_obstacle(lab: Lab) -> None:
    """A run with it would not begin, whatever the policy."""
    for policy in CachePolicy:
        before = plan(lab, [sized()], "made", config={"colour": 1}, policy=policy)
        assert before.verdict == "undecidable"
        assert "config is not valid any more" in before.reasons[0]


def test_config_that_is_missing_is_an_obstacle(lab: Lab) -> None:
    """The reason does not speak of a recorded one."""

    @result_table(reads=[], config_schema={"rows": int})
    def made(context: dg.AssetExecutionContext) -> pa.Table:
        return table(context.op_config["rows"])

    assert plan(lab, [made], "made").reasons[0].startswith("it needs config, and none is given")


def test_planning_writes_nothing(lab: Lab) -> None:
    """Neither the catalog's revision nor a file changes."""
    scenario = unchanged(lab)

    def state() -> Any:
        files = sorted((p, p.stat().st_mtime_ns) for p in lab.files() if p.suffix != ".db-shm")
        return lab.store.reader.state(), files

    before = state()
    planned(lab, scenario)
    assert state() == before


def test_a_table_that_is_not_fresh_has_the_plan_of_its_next_run(lab: Lab) -> None:
    """A stale table of reverted code is reused, one of new code computed; one without its input is neither."""
    for version in "12":
        lab.run([source(1), derived(version)])
    expected = {
        "1": "a run reuses materialization",
        "3": "a run computes it: nothing stored has this definition and these inputs",
    }
    for version, words in expected.items():
        (state,) = evaluate(lab, [source(1), derived(version)]).tables.values()
        assert state.kind == "stale"
        assert expectation(state).startswith(words)
    lab.store.drop("up")
    state = evaluate(lab, [source(1), derived("3")]).tables["made"]
    assert expectation(state) == "no run of it can be planned"
    assert state.is_hindered
