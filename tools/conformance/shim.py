"""A stand-in for `@dagster.asset` that makes every asset a result table, whatever its function returns.

A result table holds a table, and Dagster's tests return numbers, texts and nothing. The shim packs such a value into
a table of one cell on its way out of the function, and takes it out again where a table is read. Nothing else is
replaced: declaration, step, IO manager, events and direct calls are the package's own.
"""

from __future__ import annotations

import functools
import inspect
import os
import pickle
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
from dagster._core.execution import api, execute_in_process

from jammi_dagster import ResultStoreResource, ResultTableIOManager, result_table
from jammi_dagster.adapters.execution import outputs
from jammi_dagster.adapters.handoff import kinds
from tools.conformance import ticks

_CELL = "conformance_value"
_EVENTS = (dg.Output, dg.MaterializeResult, dg.AssetCheckResult)
_NO_VALUE: Any = dg.MaterializeResult().value
_original = dg.asset
_is_declaring = False


def install() -> None:
    """Replace `dagster.asset`, Dagster's default and in-memory IO managers, and the two ends of a value's way."""
    everywhere("dagster", _original, asset)
    everywhere("dagster", dg.mem_io_manager, dg.io_manager(_of_instance))
    everywhere("dagster", dg.InMemoryIOManager, _InMemory)
    execute, instance_of = execute_in_process.core_execute_in_process, api.ephemeral_instance_if_missing
    everywhere("dagster", execute, ticks.ticking(execute, instance_of))
    everywhere("jammi_dagster", outputs.produce, _packing(outputs.produce))
    kinds._READERS = _Readers(kinds._READERS)
    os.environ["DAGSTER_DEFAULT_IO_MANAGER_MODULE"] = __name__
    os.environ["DAGSTER_DEFAULT_IO_MANAGER_ATTRIBUTE"] = "default_io_manager"


@functools.wraps(dg.asset)
def asset(compute_fn: Callable[..., Any] | None = None, **arguments: Any) -> Any:
    """Declare an asset by `@result_table`, whose own call of `@dagster.asset` gets the original.

    It reads nothing but its inputs, so that a tick can decide.
    """
    global _is_declaring
    if _is_declaring:
        return _original(**arguments) if compute_fn is None else _original(compute_fn, **arguments)
    if compute_fn is None:
        return lambda function: asset(function, **arguments)
    _is_declaring = True
    try:
        return result_table(reads=[], **arguments)(compute_fn)
    finally:
        _is_declaring = False


class ConformanceIOManager(ResultTableIOManager):
    """The IO manager of result tables for assets, and Dagster's own for values that ops hand to each other."""

    folder: str

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Store an asset as a table."""
        if context.has_asset_key:
            super().handle_output(context, obj)
        else:
            self._of_ops.handle_output(context, obj)

    def load_input(self, context: dg.InputContext) -> Any:
        """Load an asset's table."""
        if context.has_asset_key:
            return super().load_input(context)
        return self._of_ops.load_input(context)

    @property
    def _of_ops(self) -> Any:
        manager: Any = dg.FilesystemIOManager(base_dir=self.folder)
        return manager.create_io_manager(dg.build_init_resource_context())


def _of_instance(context: dg.InitResourceContext) -> ConformanceIOManager:
    """Make an IO manager with a root for each instance, which outlives it: a run's values are read when asked for."""
    assert context.instance is not None
    folder = context.instance.storage_directory()
    root = str(Path(tempfile.gettempdir(), "result_tables", *Path(folder).parts[1:]))
    return ConformanceIOManager(store=ResultStoreResource(root=root), folder=folder)


class _InMemory(dg.InMemoryIOManager):
    """A stand-in for Dagster's class, which a test may derive from: then it is a manager of the test's own."""

    def __new__(cls) -> Any:
        if cls is not _InMemory:
            return super().__new__(cls)
        folder = tempfile.mkdtemp()
        return ConformanceIOManager(store=ResultStoreResource(root=folder), folder=folder)


default_io_manager = dg.io_manager(_of_instance)


def everywhere(package: str, old: Any, new: Any) -> None:
    """Replace an object in all loaded modules of a package that hold it by name."""
    places = [
        (module, name)
        for module in list(sys.modules.values())
        if module.__name__.partition(".")[0] == package
        for name, value in list(vars(module).items())
        if value is old
    ]
    assert places, f"{package} does not hold {old}"
    for module, name in places:
        setattr(module, name, new)


def _packing(produce: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(produce)
    def packing(call: Callable[[], Any], *arguments: Any, **options: Any) -> Any:
        return produce(lambda: _packed_result(call()), *arguments, **options)

    return packing


def _packed_result(result: Any) -> Any:
    """Pack the value in the result of a function: a plain one, an event's, those of a generator or a coroutine."""
    if inspect.iscoroutine(result):
        return _awaited(result)
    if inspect.isasyncgen(result):
        return _packed_async(result)
    if inspect.isgenerator(result):
        return _packed_items(result)
    if type(result) is tuple and any(map(_is_event, result)):
        return tuple(map(_packed_item, result))
    return _packed_item(result)


async def _awaited(result: Any) -> Any:
    return _packed_result(await result)


async def _packed_async(result: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for item in result:
        yield _packed_item(item)


def _packed_items(result: Iterator[Any]) -> Iterator[Any]:
    for item in result:
        yield _packed_item(item)


def _is_event(item: Any) -> bool:
    return isinstance(item, _EVENTS) or type(item).__module__.startswith("dagster.")


def _packed_item(item: Any) -> Any:
    if isinstance(item, dg.Output):
        return dg.Output(
            _packed(item.value),
            output_name=item.output_name,
            metadata=item.metadata,
            data_version=item.data_version,
            tags=item.tags,
        )
    if isinstance(item, dg.MaterializeResult):
        return dg.MaterializeResult(
            asset_key=item.asset_key,
            metadata=item.metadata,
            check_results=item.check_results,
            data_version=item.data_version,
            tags=item.tags,
            value=_packed(None if item.value is _NO_VALUE else item.value),
        )
    return item if _is_event(item) else _packed(item)


def _packed(value: Any) -> Any:
    if hasattr(value, "__arrow_c_stream__"):
        return value
    return pa.table({_CELL: pa.array([pickle.dumps(value)], pa.binary())})


class _Readers(dict[str, Any]):
    """The readers of the kinds that the package knows, and one for any other annotation."""

    def get(self, name: str, default: Any = None) -> Any:
        """Return a reader that takes a packed value out of its table."""
        known = super().get(name, default) or super().__getitem__("pyarrow.Table")

        def read(table: pa.Table) -> Any:
            if _CELL in table.column_names:
                return kinds._Object(pickle.loads(table.column(0)[0].as_py()))
            return known(table)

        return read

    __getitem__ = get
