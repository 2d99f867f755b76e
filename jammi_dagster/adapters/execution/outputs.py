"""The output of an asset's function in one shape: data to store, and metadata, tags and check results beside it."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import itertools
from collections.abc import AsyncGenerator, Callable, Collection, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import dagster as dg

from jammi_dagster.adapters.metadata_keys import DATA_VERSION_TAG
from jammi_dagster.adapters.recipe.draft import named_checks
from jammi_dagster.errors import InvalidOutput, JammiError
from jammi_dagster.threads import start_thread

T = TypeVar("T")

_NOTHING = object()
_NO_VALUE: Any = dg.MaterializeResult().value  # Dagster's own mark for a result without a value
_DEFAULT_OUTPUT = "result"  # Dagster's name for an output that is not named
LOGGED = (dg.AssetObservation, dg.AssetMaterialization, dg.ExpectationResult)
_RESULTS = (dg.Output, dg.MaterializeResult, dg.ObserveResult, dg.AssetCheckResult)


@dataclass(slots=True, kw_only=True)
class BodyOutput:
    """The output of a function. `data` may be a stream that is still running: read it before the rest."""

    data: Any = _NOTHING
    metadata: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    check_results: list[dg.AssetCheckResult] = field(default_factory=list)

    @property
    def has_data(self) -> bool:
        """Tell whether the function gave a value."""
        return self.data is not _NOTHING

    def take_event(self, event: Any, receiver: Receiver) -> None:
        """Add the content of an event of Dagster, or log it. Raises `InvalidOutput`."""
        receiver.check(event)
        if isinstance(event, LOGGED):
            receiver.log(event)
            return
        if isinstance(event, dg.AssetCheckResult):
            self.check_results.append(event)
            return
        self.metadata.update(event.metadata or {})
        self.tags.update(event.tags or {})
        if isinstance(event, dg.MaterializeResult):
            for result in event.check_results or ():
                self.take_event(result, receiver)


def _not_logged(event: Any) -> None:
    """Drop an event: Dagster has logged those of a plain asset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """The asset that gets the events of its function, and the log for observations, expectations and the like.

    `takes_none` is True where None is an object that the function declares to return, `stores_elsewhere` where the
    function writes its result itself, so that it returns None.
    """

    key: dg.AssetKey
    output_name: str | None = None
    takes_none: bool = False
    stores_elsewhere: bool = False
    log: Callable[[Any], None] = _not_logged

    @property
    def asset(self) -> str:
        """The asset's key as Dagster shows it."""
        return self.key.to_user_string()

    def check(self, event: Any) -> None:
        """Raise `InvalidOutput` for an event that belongs elsewhere, or that says more than a function can know."""
        if isinstance(event, LOGGED):
            return
        name, key = getattr(event, "output_name", None), getattr(event, "asset_key", None)
        why, way_out = None, "leave it out: the function has one output"
        if isinstance(event, dg.ObserveResult):
            why, way_out = "its function gave an ObserveResult, which stores nothing", "return a table"
        elif name is not None and name not in (_DEFAULT_OUTPUT, self.output_name):
            why = f"its function gave an output {name!r}, which the asset does not have"
        elif key is not None and key != self.key:
            why = f"its function gave a {type(event).__name__} for the asset {key.to_user_string()}"
        elif getattr(event, "data_version", None) is not None or DATA_VERSION_TAG in _tags(event):
            why = "its function sets a data version, but that is the digest of the table"
            way_out = "leave data_version out, and put a version of your own into metadata"
        if why is not None:
            raise InvalidOutput(asset=self.asset, why=why, way_out=way_out)


def _tags(event: Any) -> Mapping[str, str]:
    return getattr(event, "tags", None) or {}


def produce(call: Callable[[], Any], receiver: Receiver) -> BodyOutput:
    """Call the function and take its result apart: a plain value, a generator, or async.

    A generator may yield Dagster's events, or record batches, which then stream. A tuple of events is taken like a
    generator of them. Raises `InvalidOutput`, and whatever the function raises.
    """
    result = called(call)
    if inspect.isgenerator(result):
        return _of_generator(result, receiver)
    output = BodyOutput()
    for item in result if _is_tuple_of_events(result) else (result,):
        take(output, item, receiver)
    return _checked(output, receiver)


def called(call: Callable[[], Any]) -> Any:
    """Call the function, and wait for it where it is async; one that yields gives a generator in any case."""
    result = call()
    if inspect.iscoroutine(result):
        with contextlib.closing(result), _event_loop() as run:
            result = run(result)
    return _drained(result) if inspect.isasyncgen(result) else result


def direct_result(result: Any) -> Any:
    """Return the result of a direct call as Dagster's own invocation takes it.

    There a generator may yield events alone: one that begins with a record batch is read, and becomes an iterator.
    """
    if not inspect.isgenerator(result):
        return result
    first = next(result, _NOTHING)
    if first is _NOTHING or is_event(first):
        return _generator([] if first is _NOTHING else [first], result)
    return iter([first, *result])


def _generator(*parts: Iterable[Any]) -> Iterator[Any]:
    for part in parts:
        yield from part


def _of_generator(yielded: Iterator[Any], receiver: Receiver) -> BodyOutput:
    output = BodyOutput()
    for item in yielded:
        if is_event(item):
            take(output, item, receiver)
        else:
            if output.has_data:
                raise _two_values(receiver.asset)
            output.data = _stream(itertools.chain([item], yielded), output, receiver)
            return _checked(output, receiver)
    return _checked(output, receiver)


def _stream(items: Iterator[Any], output: BodyOutput, receiver: Receiver) -> Iterator[Any]:
    for item in items:
        if not is_event(item):
            yield item
        elif _value_of(item) is not _NOTHING:
            raise _two_values(receiver.asset)
        else:
            output.take_event(item, receiver)


def take(output: BodyOutput, item: Any, receiver: Receiver) -> None:
    """Add a value, or an event of Dagster with its value. Raises `InvalidOutput`."""
    value = _value_of(item) if is_event(item) else item
    if value is not _NOTHING:
        if output.has_data:
            raise _two_values(receiver.asset)
        output.data = value
    if is_event(item):
        output.take_event(item, receiver)


def is_event(item: Any) -> bool:
    """Tell a result or an event of Dagster from a plain value."""
    return isinstance(item, (*LOGGED, *_RESULTS))


def _is_tuple_of_events(result: Any) -> bool:
    return type(result) is tuple and any(map(is_event, result))  # Dagster's events are tuples themselves


def _value_of(item: Any) -> Any:
    if isinstance(item, dg.Output):
        return item.value
    if isinstance(item, dg.MaterializeResult) and item.value is not _NO_VALUE:
        return item.value
    return _NOTHING


def _checked(output: BodyOutput, receiver: Receiver) -> BodyOutput:
    if receiver.stores_elsewhere:
        if output.has_data and output.data is not None:
            given = type(output.data).__qualname__
            raise InvalidOutput(
                asset=receiver.asset,
                why=f"its function gave a {given}, but writes= says that it stores its result itself",
                way_out="return None, or leave writes= out",
            )
        return output
    if not output.has_data or (output.data is None and not receiver.takes_none):
        raise InvalidOutput(
            asset=receiver.asset,
            why="its function gave no table",
            way_out=_GIVE_ONE,
        )
    return output


_GIVE_ONE = (
    "return a table, or MaterializeResult(value=…); a @dg.asset, or a graph's op, that makes none has -> None"
)


def _two_values(asset: str) -> InvalidOutput:
    return InvalidOutput(
        asset=asset,
        why="its function gave more than one value",
        way_out="yield one table, or only record batches",
    )


def _drained(items: AsyncGenerator[T, Any]) -> Iterator[T]:
    with _event_loop() as run:
        try:
            while (item := run(_next(items))) is not _NOTHING:
                yield item
        finally:  # also where nobody reads on: the generator lets go of its resources
            run(_close(items))


async def _next(items: AsyncGenerator[Any, Any]) -> Any:
    return await anext(items, _NOTHING)


async def _close(items: AsyncGenerator[Any, Any]) -> None:
    await items.aclose()


@contextlib.contextmanager
def _event_loop() -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """Give a function that runs coroutines, all on one event loop; on a thread of its own inside a running one."""
    loop = asyncio.new_event_loop()
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        try:
            yield loop.run_until_complete
        finally:
            loop.close()
        return
    try:
        purpose = "run a coroutine beside the running event loop"
        thread = start_thread(loop.run_forever, name="jammi-coroutines", purpose=purpose)
    except JammiError:
        loop.close()
        raise
    try:
        yield lambda coroutine: asyncio.run_coroutine_threadsafe(coroutine, loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def check_reported(
    output: BodyOutput, declared: Collection[str], selected: Collection[str], *, asset: str
) -> None:
    """Raise `InvalidOutput` unless there is a result for each selected check, and none of an undeclared one.

    Dagster asks for the same, but of a table that is published by then.
    """
    reported = named_checks((result.check_name for result in output.check_results), declared)
    for name in sorted(set(selected) - reported):
        raise InvalidOutput(
            asset=asset,
            why=f"its function reported no result for the check {name}",
            way_out="return an AssetCheckResult for each of check_specs=",
        )
    for name in sorted(reported - set(declared)):
        raise InvalidOutput(
            asset=asset,
            why=f"its function reported on a check, but it has no check {name}",
            way_out="declare it in check_specs=",
        )


def by_partition(
    data: Any,
    partitions: tuple[str, ...],
    *,
    asset: str,
    is_object: bool = False,
    makes_ranges: bool = True,
) -> Mapping[str, Any]:
    """Return the table of each partition. For a range the function returns a dict with just its partitions as keys.

    A dict of one partition may be an object: where the function declares to return objects (`is_object`), it is, unless
    the function makes ranges and that partition is its only key. Raises `InvalidOutput`.
    """
    if is_object and len(partitions) == 1:
        is_keyed = makes_ranges and isinstance(data, Mapping) and list(data) == [*partitions]
        return data if is_keyed else {partitions[0]: data}
    if isinstance(data, Mapping):
        missing, extra = sorted(set(partitions) - set(data)), sorted(map(str, set(data) - set(partitions)))
        if not missing and not extra:
            return {key: data[key] for key in partitions}
        why = f"its function left out {missing}" if missing else f"its function added {extra}"
        raise InvalidOutput(
            asset=asset, why=why, way_out="return one table for each of context.partition_keys"
        )
    if len(partitions) == 1:
        return {partitions[0]: data}
    raise InvalidOutput(
        asset=asset,
        why=f"it makes {len(partitions)} partitions at once, but its function returned {type(data).__name__}",
        way_out="return a dict, partition key -> table",
    )
