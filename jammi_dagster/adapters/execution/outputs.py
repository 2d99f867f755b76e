"""The output of an asset's function in one shape: data to store, and metadata, tags and check results beside it."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import itertools
import threading
from collections.abc import AsyncGenerator, Callable, Collection, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import dagster as dg

from jammi_dagster.adapters.metadata_keys import DATA_VERSION_TAG
from jammi_dagster.adapters.recipe.draft import named_checks
from jammi_dagster.errors import InvalidOutput

T = TypeVar("T")

_NOTHING = object()
_NO_VALUE: Any = dg.MaterializeResult().value  # Dagster's own mark for a result without a value


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

    def take_event(self, event: Any, *, asset: str) -> None:
        """Add the content of an `Output`, `MaterializeResult` or `AssetCheckResult`. Raises `InvalidOutput`."""
        if isinstance(event, dg.AssetCheckResult):
            self.check_results.append(event)
            return
        if event.data_version is not None or DATA_VERSION_TAG in (event.tags or {}):
            raise InvalidOutput(
                asset=asset,
                why="its function sets a data version, but that is the digest of the table",
                way_out="leave data_version out, and put a version of your own into metadata",
            )
        self.metadata.update(event.metadata or {})
        self.tags.update(event.tags or {})
        if isinstance(event, dg.MaterializeResult):
            self.check_results.extend(event.check_results or ())


def produce(call: Callable[[], Any], *, asset: str) -> BodyOutput:
    """Call the function and take its result apart: a plain value, a generator, or async.

    A generator may yield Dagster's results, or record batches, which then stream. Raises `InvalidOutput`, and
    whatever the function raises.
    """
    result = call()
    if inspect.iscoroutine(result):
        with _event_loop() as run:
            result = run(result)
    if inspect.isasyncgen(result):
        result = _drained(result)
    if inspect.isgenerator(result):
        return _of_generator(result, asset)
    output = BodyOutput()
    _take(output, result, asset)
    return _checked(output, asset)


def _of_generator(yielded: Iterator[Any], asset: str) -> BodyOutput:
    output = BodyOutput()
    for item in yielded:
        if _is_event(item):
            _take(output, item, asset)
        else:
            if output.has_data:
                raise _two_values(asset)
            output.data = _stream(itertools.chain([item], yielded), output, asset)
            return output
    return _checked(output, asset)


def _stream(items: Iterator[Any], output: BodyOutput, asset: str) -> Iterator[Any]:
    for item in items:
        if not _is_event(item):
            yield item
        elif _value_of(item) is not _NOTHING:
            raise _two_values(asset)
        else:
            output.take_event(item, asset=asset)


def _take(output: BodyOutput, item: Any, asset: str) -> None:
    if not _is_event(item):
        output.data = item
        return
    value = _value_of(item)
    if value is not _NOTHING:
        if output.has_data:
            raise _two_values(asset)
        output.data = value
    output.take_event(item, asset=asset)


def _is_event(item: Any) -> bool:
    return isinstance(item, (dg.Output, dg.MaterializeResult, dg.AssetCheckResult))


def _value_of(item: Any) -> Any:
    if isinstance(item, dg.Output):
        return item.value
    if isinstance(item, dg.MaterializeResult) and item.value is not _NO_VALUE:
        return item.value
    return _NOTHING


def _checked(output: BodyOutput, asset: str) -> BodyOutput:
    if not output.has_data or output.data is None:
        raise InvalidOutput(
            asset=asset,
            why="its function gave no table",
            way_out="return a table, or MaterializeResult(value=…); for an asset without one use @dg.asset",
        )
    return output


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
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield lambda coroutine: asyncio.run_coroutine_threadsafe(coroutine, loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def check_reported(output: BodyOutput, declared: Collection[str], *, asset: str) -> None:
    """Raise `InvalidOutput` unless there is a result for each declared check, and no other.

    Dagster asks for the same, but of a table that is published by then.
    """
    reported = named_checks((result.check_name for result in output.check_results), declared)
    for name in sorted(set(declared) - reported):
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


def by_partition(data: Any, partitions: tuple[str, ...], *, asset: str) -> Mapping[str, Any]:
    """Return the table of each partition. For a range the function returns a dict with just its partitions as keys.

    Raises `InvalidOutput`.
    """
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
