"""Sensor, schedule and checks take every way in which Dagster's users name assets."""

from collections.abc import Callable
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, table
from sensing_kit import Ticking, definitions

from jammi_dagster import (
    build_materialization_checks,
    build_staleness_schedule,
    build_staleness_sensor,
    result_table,
)
from jammi_dagster.adapters.code_location.location import Location
from jammi_dagster.errors import InvalidTarget

S = dg.AssetSelection


@result_table(reads=[], code_version="1", group_name="g", tags={"k": "v"}, owners=["team:x"], kinds={"t"})
def a() -> pa.Table:
    return table(1)


@result_table(code_version="1", key_prefix=["p", "q"])
def b(a: pa.Table) -> pa.Table:
    return a


@dg.multi_asset(outs={"c": dg.AssetOut(), "d": dg.AssetOut()})
def both() -> tuple[pa.Table, pa.Table]:
    return table(1), table(2)


raw = dg.AssetSpec("raw", group_name="g")
ASSETS = [a, b, both, raw]

# each as a function: an iterator serves once
SELECTIONS: dict[str, tuple[Callable[[], Any], str]] = {
    "all": (S.all, "a b c d"),
    "all with sources": (lambda: S.all(include_sources=True), "a b c d"),
    "groups": (lambda: S.groups("g"), "a"),
    "tag": (lambda: S.tag("k", "v"), "a"),
    "owner": (lambda: S.owner("team:x"), "a"),
    "kind": (lambda: S.kind("t"), "a"),
    "prefix": (lambda: S.key_prefixes(["p", "q"]), "b"),
    "substring": (lambda: S.key_substring("q"), "b"),
    "downstream": (lambda: S.assets("a").downstream(), "a b"),
    "upstream": (lambda: S.assets(b).upstream(), "a b"),
    "roots": (lambda: S.assets(b).upstream().roots(), "a"),
    "sinks": (lambda: S.all().sinks(), "b c d"),
    "and": (lambda: S.groups("g") & S.tag("k", "v"), "a"),
    "or": (lambda: S.groups("g") | S.assets("c"), "a c"),
    "minus": (lambda: S.all() - S.groups("g"), "b c d"),
    "materializable": (lambda: S.groups("g", include_sources=True).materializable(), "a"),
    "star": (lambda: "*", "a b c d"),
    "string": (lambda: "group:g or key:c", "a c"),
    "string downstream": (lambda: "a*", "a b"),
    "mixed with a selection": (lambda: [both, S.groups("g")], "a c d"),
    "job of a selection": (lambda: dg.define_asset_job("j", selection=S.groups("g")), "a"),
}
NAMED: dict[str, tuple[Callable[[], Any], str]] = {
    "selection of keys": (lambda: S.assets(a, "c"), "a c"),
    "name": (lambda: "c", "c"),
    "name with prefix": (lambda: "p/q/b", "b"),
    "names": (lambda: ["a", "p/q/b"], "a b"),
    "key": (lambda: dg.AssetKey(["p", "q", "b"]), "b"),
    "keys": (lambda: [dg.AssetKey("a"), dg.AssetKey("c")], "a c"),
    "path of a key": (lambda: [["p", "q", "b"], ("a",)], "a b"),
    "spec": (lambda: dg.AssetSpec("a"), "a"),
    "asset": (lambda: a, "a"),
    "multi-asset": (lambda: both, "c d"),
    "dependency": (lambda: dg.AssetDep("a"), "a"),
    "tuple": (lambda: (a, b), "a b"),
    "set": (lambda: {dg.AssetKey("a"), dg.AssetKey("c")}, "a c"),
    "iterator": (lambda: iter([a, both]), "a c d"),
    "generator": (lambda: (asset for asset in [a, b]), "a b"),
    "mixed": (lambda: [a, "c", dg.AssetSpec("d"), dg.AssetKey(["p", "q", "b"])], "a b c d"),
    "twice": (lambda: [a, "a", dg.AssetKey("a")], "a"),
    "job of keys": (lambda: dg.define_asset_job("j", selection=[a]), "a"),
    "none": (list, ""),
}
EVERY = {**SELECTIONS, **NAMED}


def _last_names(keys: Any) -> str:
    return " ".join(sorted(key.path[-1] for key in keys))


@pytest.mark.parametrize("name", EVERY)
def test_sensor_and_schedule_take_it(lab: Lab, name: str) -> None:
    """Both name to Dagster the assets at which their ticks look."""
    target, expected = EVERY[name]
    sensor = build_staleness_sensor(target=target())
    schedule = build_staleness_schedule("@daily", target=target())
    defs = definitions(lab, ASSETS, sensors=[sensor], schedules=[schedule])
    location = Location.of(defs, lab.instance)
    assert sensor.asset_selection is not None
    assert _last_names(location.select(sensor.asset_selection)) == expected
    job: Any = location.repository.get_schedule_def("staleness_schedule").target.resolvable_to_job
    assert _last_names(location.select(job.selection)) == expected


@pytest.mark.filterwarnings("ignore:Class `SourceAsset` is deprecated:DeprecationWarning")
def test_source_assets_are_named_and_never_made(lab: Lab) -> None:
    """A source asset among others is passed over: nothing here makes it."""
    source = dg.SourceAsset("raw")
    location = Location.of(definitions(lab, ASSETS), lab.instance)
    assert location.select(source) == []
    assert location.select([source, a]) == [dg.AssetKey("a")]


@pytest.mark.parametrize("name", ["groups", "generator", "asset", "mixed with a selection"])
def test_a_tick_looks_at_its_target_each_time(lab: Lab, name: str) -> None:
    """A target that can be gone through once serves all ticks."""
    sensor = Ticking(lab, ASSETS, target=EVERY[name][0](), missing="materialize")
    (first,) = {tuple(sorted(r.asset_selection or ())) for r in sensor.tick()[:1]}
    assert dg.AssetKey("a") in first
    assert sensor.settle() is not None


@pytest.mark.parametrize("name", NAMED)
def test_checks_take_assets_that_are_named(name: str) -> None:
    """No definitions are needed, and an asset that is named twice has its checks once."""
    target, expected = NAMED[name]
    checks = build_materialization_checks(target())
    assert _last_names(key.asset_key for check in checks for key in list(check.check_keys)[:1]) == expected


@pytest.mark.parametrize("name", SELECTIONS)
def test_checks_look_a_selection_up_in_definitions(lab: Lab, name: str) -> None:
    """In those of `defs`, which hold the assets; without them the error says so."""
    target, expected = SELECTIONS[name]
    defs = definitions(lab, ASSETS)
    checks = build_materialization_checks(target(), defs=lambda: defs)
    assert _last_names(key.asset_key for check in checks for key in list(check.check_keys)[:1]) == expected
    assert dg.Definitions.merge(defs, dg.Definitions(asset_checks=checks)).get_repository_def()
    with pytest.raises(InvalidTarget, match="give the assets, or defs="):
        build_materialization_checks(target())


def test_definitions_that_are_not_there_yet_are_said() -> None:
    """A selection whose definitions the module makes below the checks."""

    def defs() -> dg.Definitions:
        raise NameError("name 'defs' is not defined")

    with pytest.raises(InvalidTarget, match=r"made before.*NameError: name 'defs' is not defined"):
        build_materialization_checks(S.all(), defs=defs)


# named by hand: the representation of an object holds its address, another one in each process of the tests
NOT_ASSETS: dict[str, Any] = {
    "number": 3,
    "none": None,
    "bytes": b"a",
    "dict": {"a": 1},
    "unbalanced string": "((",
    "number among names": ["a", 3],
    "number in a path": [["a", 3]],
    "object": object(),
    "input": dg.AssetIn("a"),
    "list of none": [None],
    "function": lambda: a,
    "empty string": "",
}


@pytest.mark.parametrize("target", NOT_ASSETS.values(), ids=NOT_ASSETS)
@pytest.mark.parametrize(
    "build",
    [
        lambda target: build_staleness_sensor(target=target),
        lambda target: build_staleness_schedule("@daily", target=target),
        build_materialization_checks,
    ],
    ids=["sensor", "schedule", "checks"],
)
def test_what_names_no_assets_is_refused(build: Callable[[Any], Any], target: Any) -> None:
    """When it is built, by the error that says which ways there are."""
    with pytest.raises(InvalidTarget, match="names no assets"):
        build(target)


@pytest.mark.parametrize("target", ["nowhere", S.assets("nowhere"), dg.AssetKey("nowhere")])
def test_unknown_assets_are_refused_once_the_definitions_are_there(lab: Lab, target: Any) -> None:
    """So are selections that only Dagster's services resolve."""
    location = Location.of(definitions(lab, ASSETS), lab.instance)
    with pytest.raises(InvalidTarget, match="nowhere"):
        location.select(target)
    with pytest.raises(InvalidTarget, match="services"):
        location.select("column:x")
