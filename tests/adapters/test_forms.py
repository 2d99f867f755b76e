"""Every public function takes every form in which Dagster names assets and definitions: one table of all with all."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, table

from jammi_dagster import (
    LineageResource,
    StaleMaterialization,
    build_materialization_checks,
    build_recompute_job,
    build_staleness_schedule,
    build_staleness_sensor,
    finalize,
    plan,
    recompute,
    result_table,
)
from jammi_dagster.adapters.code_identity import code_identities
from jammi_dagster.adapters.code_location.location import Location
from jammi_dagster.errors import InvalidField, InvalidTarget
from jammi_dagster.surfaces import file
from jammi_dagster.testing import ResultTableTester

pytestmark = pytest.mark.filterwarnings(
    "ignore:Class `SourceAsset` is deprecated:DeprecationWarning",
    "ignore:.*is currently in preview:dagster.PreviewWarning",
)
S = dg.AssetSelection
CONSOLE = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@result_table(reads=[], code_version="1", group_name="g")
def a() -> pa.Table:
    return table(1)


@result_table(code_version="1")
def b(a: pa.Table) -> pa.Table:
    return a


@result_table(reads=[], code_version="1", partitions_def=dg.StaticPartitionsDefinition(["x", "y"]))
def part(context: dg.AssetExecutionContext) -> pa.Table:
    return table(context.partition_key)


def copies() -> dict[str, Any]:
    """The asset `a`, as Dagster's functions copy it."""
    return {
        "asset": a,
        "map_asset_specs": next(
            iter(dg.map_asset_specs(lambda spec: spec.merge_attributes(tags={"k": "v"}), [a]))
        ),
        "with_attributes": a.with_attributes(automation_condition=dg.AutomationCondition.eager()),
        "with_resources": dg.with_resources([a], {"io_manager": dg.mem_io_manager})[0],
        "source asset": a.to_source_asset(),
    }


# each names `a`; those that stand in NAMED need no definitions for it
NAMED: dict[str, Callable[[], Any]] = {
    "asset": lambda: a,
    "map_asset_specs": lambda: copies()["map_asset_specs"],
    "with_attributes": lambda: copies()["with_attributes"],
    "with_resources": lambda: copies()["with_resources"],
    "source asset": lambda: copies()["source asset"],
    "key": lambda: a.key,
    "spec": lambda: dg.AssetSpec("a"),
    "dependency": lambda: dg.AssetDep("a"),
    "name": lambda: "a",
    "selection of keys": lambda: S.assets("a"),
    "job of keys": lambda: dg.define_asset_job("j", selection=[a]),
    "list": lambda: [a],
    "tuple": lambda: (a.key,),
    "path": lambda: [["a"]],
    "iterator": lambda: iter([a.key, a]),
    "generator": lambda: (one for one in [a]),
    "set": lambda: {a.key},
}
SELECTED: dict[str, Callable[[], Any]] = {
    "string of a key": lambda: 'key:"a"',
    "string of a group": lambda: 'group:"g"',
    "string of a difference": lambda: 'not (key:"b" or key:"part")',
    "string up to a depth": lambda: '1+key:"a"',
    "string of roots": lambda: 'roots(key:"a"+) and not key:"b"',
    "roots": lambda: (S.assets("a").downstream()).roots(),
    "intersection": lambda: S.groups("g") & S.assets("a", "b"),
    "materializable": lambda: S.groups("g").materializable(),
    "upstream of": lambda: S.assets("b").upstream() - S.assets("b"),
    "selections in a generator": lambda: (one for one in [S.groups("g"), S.assets("a")]),
    "job of a string": lambda: dg.define_asset_job("j", selection='group:"g"'),
    "group": lambda: S.groups("g"),
    "job of a selection": lambda: dg.define_asset_job("j", selection=S.groups("g")),
    "difference": lambda: S.all() - S.assets("b", "part"),
    "resolved job": lambda: dg.Definitions(
        [a, b],
        jobs=[dg.define_asset_job("j", selection=S.groups("g"))],
        resources={"io_manager": dg.mem_io_manager},
    ).resolve_job_def("j"),
}
EVERY = {**NAMED, **SELECTED}
SINGLE = sorted(NAMED.keys() - {"list", "tuple", "path", "iterator", "generator", "set"})


@pytest.fixture
def made(lab: Lab) -> Lab:
    """A lab with the tables `a`, `b` and two of `part`."""
    lab.run([a, b])
    for key in "xy":
        lab.run(part, partition=key)
    return lab


def definitions(lab: Lab, **more: Any) -> dg.Definitions:
    return dg.Definitions(assets=[a, b, part], resources=lab.resources, **more)


def of_definitions(lab: Lab) -> dict[str, Any]:
    """The same definitions in each form."""
    defs = definitions(lab)

    @dg.definitions
    def lazy() -> dg.Definitions:
        return defs

    return {
        "definitions": defs,
        "merged": dg.Definitions.merge(
            dg.Definitions([a, b]), dg.Definitions([part], resources=lab.resources)
        ),
        "repository": defs.get_repository_def(),
        "function": lambda: defs,
        "decorated": lazy,
    }


DEFINITIONS = ["definitions", "merged", "repository", "function", "decorated"]


@pytest.mark.parametrize("form", EVERY)
def test_sensor_and_schedule(lab: Lab, form: str) -> None:
    """Their target resolves to the asset, whatever the form."""
    sensor = build_staleness_sensor(target=EVERY[form]())
    schedule = build_staleness_schedule("@daily", target=EVERY[form]())
    location = Location.of(definitions(lab, schedules=[schedule]), lab.instance)
    job: Any = location.repository.get_schedule_def("staleness_schedule").target.resolvable_to_job
    assert location.select(sensor.asset_selection) == location.select(job.selection) == [a.key]


@pytest.mark.parametrize("form", EVERY)
def test_checks(lab: Lab, form: str) -> None:
    """Forms that name need no definitions; each form has one pair of checks."""
    defs = None if form in NAMED or form == "resolved job" else definitions(lab)
    (checks,) = build_materialization_checks(EVERY[form](), defs=defs)
    assert {key.asset_key for key in checks.check_keys} == {a.key}


@pytest.mark.parametrize("form", EVERY)
def test_plans(made: Lab, form: str) -> None:
    """A plan from an asset is the plan from its table."""
    lineage = LineageResource(store=made.store_resource)
    assert lineage.downstream_plan(EVERY[form](), definitions(made), instance=made.instance).tables == ["b"]


@pytest.mark.parametrize("form", SINGLE)
def test_lineage_and_recompute_of_one_table(made: Lab, form: str) -> None:
    """Functions of one table take its name, and its asset in each form."""
    lineage, name = LineageResource(store=made.store_resource), NAMED[form]()
    assert lineage.derives_from(name) == lineage.derives_from("a") != []
    assert lineage.closure(name) == lineage.closure("a")
    assert lineage.upstream(name) == []
    assert lineage.to_mermaid(name) == lineage.to_mermaid("a")
    report = recompute(made.store, definitions(made), name, instance=made.instance)
    assert [one.table for one in report.recomputed] == ["a"]


@pytest.mark.parametrize("form", EVERY)
def test_plans_of_launches_and_identities(made: Lab, form: str) -> None:
    """The selection of a plan, and of the report on code identities."""
    rows = plan(definitions(made), EVERY[form](), instance=made.instance).rows
    assert [(row.table, row.action) for row in rows] == [("a", "reuse")]
    assert list(code_identities(definitions(made), EVERY[form]())) == [a.key]


@pytest.mark.parametrize("form", EVERY)
def test_the_tester_selects(form: str) -> None:
    """`selection=` takes each form too."""
    with ResultTableTester() as tester:
        assert set(tester.materialize([a, b, part], selection=EVERY[form]()).outcomes) == {"a"}


@pytest.mark.parametrize("form", ["asset", "map_asset_specs", "with_attributes"])
def test_copies_are_reused_as_the_asset(lab: Lab, form: str) -> None:
    """A copy has the identity of its original."""
    lab.run(a)
    assert lab.run(copies()[form]).outcomes == {"a": "reused"}


@pytest.mark.parametrize("form", DEFINITIONS)
def test_definitions(made: Lab, form: str) -> None:
    """Recompute, lineage, checks and jobs take definitions as author or Dagster have them, or a function of them."""
    defs = of_definitions(made)[form]
    assert recompute(made.store, defs, a, instance=made.instance).downstream_stale == ()
    lineage = LineageResource(store=made.store_resource)
    assert lineage.compare_with_assets(defs, instance=made.instance).agrees
    assert "a" in lineage.to_mermaid(defs=defs, instance=made.instance)
    (checks,) = build_materialization_checks(S.groups("g"), defs=defs)
    job = build_recompute_job(defs=defs)
    launched = definitions(
        made, jobs=[job, dg.define_asset_job("checks", selection=S.checks(checks))], asset_checks=[checks]
    )
    config = {**CONSOLE, "ops": {"recompute_table": {"config": {"table": "a"}}}}
    assert (
        launched.resolve_job_def("recompute")
        .execute_in_process(instance=made.instance, run_config=config)
        .success
    )
    result = launched.resolve_job_def("checks").execute_in_process(instance=made.instance, run_config=CONSOLE)
    assert [check.passed for check in result.get_asset_check_evaluations()] == [True, True]


@pytest.mark.parametrize("form", ["definitions", "merged", "function", "decorated"])
def test_finalize_and_the_tester_take_definitions(lab: Lab, form: str) -> None:
    """A repository is too late for either: its resources are bound."""
    assert {key.to_user_string() for key in finalize(of_definitions(lab)[form]).resolve_all_asset_keys()} == {
        "a",
        "b",
        "part",
    }
    with ResultTableTester() as tester:
        assert tester.materialize(of_definitions(lab)[form], selection="a").outcomes == {"a": "computed"}


def test_the_tester_takes_assets_specs_sources_and_checks_together() -> None:
    """As one iterable, which may be a generator; or one alone."""
    source = dg.SourceAsset("raw")
    checks = build_materialization_checks(a)
    with ResultTableTester() as tester:
        several: list[Any] = [a, iter([a, dg.AssetSpec("other"), source, *checks]), (one for one in [a])]
        for assets in several:
            assert set(tester.materialize(assets, selection=a).outcomes) == {"a"}


def test_an_asset_with_several_tables_is_all_of_them_or_refused(made: Lab) -> None:
    """A plan takes all; a function of one table says that there are several."""
    lineage = LineageResource(store=made.store_resource)
    assert lineage.downstream_plan(part).sources == ("part[x]", "part[y]")
    for ask in (lineage.derives_from, lineage.closure, lineage.upstream, lineage.to_mermaid):
        with pytest.raises(InvalidTarget, match=r"2 tables \(part\[x\], part\[y\]"):
            ask(part)
    with pytest.raises(InvalidTarget, match="only definitions tell"):
        lineage.downstream_plan(S.groups("g"))


@pytest.mark.parametrize("value", [3, None, a, "defs"])
def test_no_definitions_are_refused(made: Lab, value: Any) -> None:
    """By an error that says which forms there are."""
    with pytest.raises(InvalidField, match=r"dagster\.Definitions"):
        recompute(made.store, value, "a", instance=made.instance)
    with pytest.raises(InvalidField, match=r"dagster\.Definitions"):
        finalize(value)


def test_generators_as_arguments_of_the_decorator(lab: Lab) -> None:
    """Dagster's types are iterables: each is gone through more than once, and nothing is lost."""
    path = lab.root.parent / "read.txt"
    path.write_text("1")

    @result_table(
        deps=(key for key in ["x", "y"]),
        reads=(file(one, name=one.name) for one in [path]),
        check_specs=(dg.AssetCheckSpec(name, asset="made") for name in ["one"]),
        owners=iter(["team:t"]),
        depends_on=iter([table]),
        ignore=iter(["NOTHING"]),
        allow_reads=iter(["os.environ"]),
        code_version="1",
    )
    def made() -> Iterator[Any]:
        yield dg.Output(table(path.read_text()))
        yield dg.AssetCheckResult(check_name="one", passed=True)

    (spec,) = made.specs
    assert {dep.asset_key.to_user_string() for dep in spec.deps} == {"x", "y"}
    assert list(spec.owners) == ["team:t"]
    assert [check.name for check in made.check_specs] == ["one"]
    assert len(made.result_table.surfaces([None])) == len(made.result_table.surfaces([None])) == 1


def test_the_condition_sees_resolved_copies(lab: Lab) -> None:
    """An asset that was copied with a condition is judged as its original."""
    lab.run(a)

    @result_table(reads=[], code_version="2", name="a")
    def newer() -> pa.Table:
        return table(2)

    for asset, expected in ((a, 0), (newer, 1)):
        copy = asset.with_attributes(automation_condition=StaleMaterialization())
        result = dg.evaluate_automation_conditions(
            dg.Definitions([copy], resources=lab.resources), lab.instance
        )
        assert result.get_num_requested(a.key) == expected
