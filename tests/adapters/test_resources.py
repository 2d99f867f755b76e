"""Resources in each way in which Dagster gives them: a run, a tick and a direct call see the same object."""

from collections.abc import Callable
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, table, values
from sensing_kit import Ticking

from jammi_dagster import result_table


class Inner(dg.ConfigurableResource[Any]):
    url: str = "u"


class Outer(dg.ConfigurableResource[Any]):
    inner: Inner
    name: str = "n"

    @property
    def url(self) -> str:
        return self.inner.url


class Client:
    """The object of another library that a resource attaches in its place."""

    def __init__(self, url: str) -> None:
        self.url = url


class Attaching(dg.ConfigurableResource[Any], dg.IAttachDifferentObjectToOpContext):
    url: str = "u"

    def get_object_to_set_on_execution_context(self) -> Client:
        return Client(self.url)


@result_table(reads=[], code_version="1")
def by_class(source: Outer) -> pa.Table:
    return table(source.url)


@result_table(reads=[], code_version="1")
def by_param(source: dg.ResourceParam[Any]) -> pa.Table:
    return table(source.url)


@result_table(reads=[], code_version="1", required_resource_keys={"source"})
def by_key(context: dg.AssetExecutionContext) -> pa.Table:
    return table(context.resources.source.url)


def launched_nested(url: str) -> dict[str, Any]:
    """A resource that is configured at launch, by its defaults, within another."""
    inner = Inner.configure_at_launch(url=url)
    return {"inner": inner, "source": Outer(inner=inner)}


def launched_whole(url: str) -> dict[str, Any]:
    """A resource and its part, both configured at launch."""
    inner = Inner.configure_at_launch(url=url)
    return {"inner": inner, "source": Outer.configure_at_launch(inner=inner)}


# ways to give the resource `source` with a URL
GIVEN: dict[str, Callable[[str], dict[str, Any]]] = {
    "nested": lambda url: {"source": Outer(inner=Inner(url=url))},
    "top-level part": lambda url: {"inner": (inner := Inner(url=url)), "source": Outer(inner=inner)},
    "part configured at launch": launched_nested,
    "both configured at launch": launched_whole,
}
OTHERS: dict[str, Callable[[str], dict[str, Any]]] = {
    "attached": lambda url: {"source": Attaching(url=url)},
    "attached, configured at launch": lambda url: {"source": Attaching.configure_at_launch(url=url)},
}
WAYS = [
    *((asset, way, False) for asset in (by_class, by_param, by_key) for way in GIVEN),
    *((asset, way, False) for asset in (by_param, by_key) for way in OTHERS),
    *((by_key, way, True) for way in (*GIVEN, *OTHERS)),
]
NAMES = [f"{asset.key.path[-1]}, {way}{', bound' * bind}" for asset, way, bind in WAYS]


@pytest.mark.parametrize(("asset", "way", "bind"), WAYS, ids=NAMES)
def test_a_run_and_a_tick_see_the_same_resource(lab: Lab, asset: Any, way: str, bind: bool) -> None:
    """An equal one is reused and fresh, one with another URL is stale; `with_resources` may have bound it."""
    name, given = asset.key.path[-1], {**GIVEN, **OTHERS}[way]

    def of(url: str) -> Any:
        lab.more = {} if bind else given(url)
        return dg.with_resources([asset], {**given(url), **lab.resources})[0] if bind else asset

    for url, outcome in (("a", "computed"), ("a", "reused")):
        ran = lab.run(of(url))
        assert (ran.outcomes[name], ran.why_unpinned(name)) == (outcome, "")
        assert values(lab.store.read(name)) == [url]
    assert Ticking(lab, [of("a")]).tick() == []
    assert [request.asset_selection for request in Ticking(lab, [of("b")]).tick()] == [[asset.key]]


def test_resources_of_the_asset_itself(lab: Lab) -> None:
    """`resource_defs=` on the asset gives them, its IO manager among them."""

    def of(url: str) -> Any:
        @result_table(
            reads=[],
            code_version="1",
            required_resource_keys={"source"},
            resource_defs={"source": Inner(url=url), "io_manager": lab.resources["io_manager"]},
        )
        def own(context: dg.AssetExecutionContext) -> pa.Table:
            return table(context.resources.source.url)

        return own

    for url, outcome in (("a", "computed"), ("a", "reused"), ("b", "computed"), ("a", "reused")):
        result = dg.materialize([of(url)], instance=lab.instance)
        (made,) = result.get_asset_materialization_events()
        assert made.materialization.metadata["jammi/cache_outcome"].value == outcome
    assert of("c")(dg.build_asset_context()) == table("c")


@pytest.mark.parametrize(
    ("asset", "resource"),
    [
        (by_class, Outer(inner=Inner(url="z"))),
        (by_param, Attaching(url="z")),
        (by_param, Client("z")),
        (by_key, Attaching(url="z")),
        (by_key, Outer(inner=Inner(url="z"))),
    ],
    ids=["class", "attached", "object", "attached by key", "by key"],
)
def test_a_direct_call_sees_what_dagster_gives(asset: Any, resource: Any) -> None:
    """By name, by position, or in the context; the attached object where there is one."""
    with dg.build_asset_context(resources={"source": resource}) as context:
        assert asset(context) == table("z")
    if asset is not by_key:
        assert asset(source=resource) == asset(resource) == table("z")
