"""Direct calls of assets go through Dagster's own invocation, for copies too (DESIGN 4)."""

import asyncio
import functools
from collections.abc import Callable, Iterator
from typing import Any, cast

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, table, taken, values

from jammi_dagster import result_table

days = dg.DailyPartitionsDefinition("2024-01-01")


class Db(dg.ConfigurableResource[Any]):
    url: str = "u"


class Limit(dg.Config):
    k: int = 3


@functools.cache
def build(decorator: Callable[..., Any]) -> dict[str, Any]:
    """Return one asset per way in which a function takes its values, under `@asset` or `@result_table`."""

    @decorator
    def plain() -> list[int]:
        return [1]

    @decorator
    def with_input(up: Any) -> Any:
        return up

    @decorator
    def with_default(up: Any = 5) -> Any:
        return up

    @decorator
    def with_config(config: Limit) -> int:
        return config.k

    @decorator
    def with_resource(db: Db) -> str:
        return db.url

    @decorator
    def with_context(context: dg.AssetExecutionContext) -> list[str]:
        context.log.info("called")
        context.add_output_metadata({"k": 1})
        return [str(context.asset_key), context.partition_key] if context.has_partition_key else ["whole"]

    @decorator
    def with_both(context: dg.AssetExecutionContext, db: Db) -> str:
        return db.url

    @decorator(partitions_def=days, key_prefix="p")
    def daily(context) -> list[str]:
        return [str(context.asset_key), str(context.partition_time_window.start.date())]

    @decorator(required_resource_keys={"legacy"})
    def by_key(context) -> Any:
        return context.resources.legacy

    @decorator
    async def later(up: Any) -> Any:
        return up

    @decorator
    def events(context) -> Iterator[Any]:
        yield dg.AssetObservation("elsewhere")
        yield dg.Output(1, metadata={"k": 1})

    return {name: value for name, value in locals().items() if name != "decorator"}


context = dg.build_asset_context
CALLS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "no arguments": ("plain", lambda a: a()),
    "a context that the function does not take": ("plain", lambda a: a(context())),
    "an input by position": ("with_input", lambda a: a(7)),
    "an input by name": ("with_input", lambda a: a(up=7)),
    "no input": ("with_input", lambda a: a()),
    "too many inputs": ("with_input", lambda a: a(1, 2)),
    "an unknown input": ("with_input", lambda a: a(1, nobody=2)),
    "a default": ("with_default", lambda a: a()),
    "default config": ("with_config", lambda a: a()),
    "config": ("with_config", lambda a: a(config=Limit(k=1))),
    "config of the context": ("with_config", lambda a: a(dg.build_op_context(op_config={"k": 2}))),
    "a resource": ("with_resource", lambda a: a(db=Db(url="z"))),
    "a resource of the environment": ("with_resource", lambda a: a(db=Db(url=dg.EnvVar("DIRECT_URL")))),
    "a resource of the context": ("with_resource", lambda a: a(context(resources={"db": Db(url="y")}))),
    "no resource": ("with_resource", lambda a: a()),
    "a context": ("with_context", lambda a: a(context())),
    "an op's context": ("with_context", lambda a: a(dg.build_op_context())),
    "None for a context": ("with_context", lambda a: a(None)),
    "no context": ("with_context", lambda a: a()),
    "another object for a context": ("with_context", lambda a: a(object())),
    "a resource beside a context": ("with_both", lambda a: a(context(resources={"db": Db(url="x")}))),
    "a partition": ("daily", lambda a: a(context(partition_key="2024-01-02"))),
    "a resource by key": ("by_key", lambda a: a(context(resources={"legacy": 9}))),
    "a coroutine": ("later", lambda a: asyncio.run(a(4))),
    "events": ("events", lambda a: [type(event).__name__ for event in a(context())]),
}


def outcome(call: Callable[[Any], Any], asset: Any) -> Any:
    """Return the value of a call, or the type and text of its error."""
    try:
        return call(asset)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


COPIES: dict[str, Callable[[Any], Any]] = {
    "itself": lambda asset: asset,
    "its op": lambda asset: asset.op,
    "map_asset_specs": lambda asset: dg.map_asset_specs(
        lambda s: s.merge_attributes(tags={"a": "b"}), [asset]
    )[0],
    "with_attributes": lambda asset: asset.with_attributes(group_names_by_key={asset.key: "mine"}),
    "with_resources": lambda asset: dg.with_resources(
        [asset], {"db": Db(), "legacy": dg.ResourceDefinition.none_resource()}
    )[0],
}


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("case", CALLS)
def test_a_direct_call_is_dagsters_own(case: str, copy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gives the value, or the error, that `@dg.asset` gives."""
    monkeypatch.setenv("DIRECT_URL", "real")
    name, call = CALLS[case]
    copied = COPIES[copy]

    assert outcome(call, copied(build(result_table)[name])) == outcome(call, copied(build(dg.asset)[name]))


@result_table(reads=[])
def streamed() -> Iterator[pa.RecordBatch]:
    yield from table(1, 2).to_batches()
    yield from table(3).to_batches()


def test_a_direct_call_of_a_stream_gives_its_batches() -> None:
    """Dagster lets a called generator yield events alone; a stream of record batches is an iterator of them."""
    assert values(pa.Table.from_batches(list(cast(Any, streamed)()))) == [1, 2, 3]


def test_a_direct_call_within_a_step_calls_the_function(lab: Lab) -> None:
    """An asset that calls another as a function gets its value, not the table of a step."""

    @result_table(reads=[])
    def inner() -> pa.Table:
        note("inner")
        return table(1)

    @result_table(reads=[])
    def outer() -> pa.Table:
        return cast(pa.Table, inner())

    ran = lab.run([inner, outer])

    assert ran.outcomes == {"inner": "computed", "outer": "computed"}
    assert ran.calls == ["inner", "inner"]


def test_a_direct_call_stores_nothing(lab: Lab) -> None:
    """It needs neither a store nor an instance."""
    list(cast(Any, streamed)())

    assert not list(lab.files())
    assert taken() == []
