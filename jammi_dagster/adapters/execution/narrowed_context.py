"""The context of a function that makes fewer assets than its step has selected: its siblings are reused."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
from dagster._core.execution.context.compute import current_execution_context


class _NarrowedContext(dg.OpExecutionContext):
    """An op's context that selects some assets of its step; everything else is that of the step."""

    def __init__(self, context: dg.OpExecutionContext, keys: Collection[dg.AssetKey]) -> None:
        super().__init__(context.get_step_execution_context())
        whole = context.assets_def
        checks = {check for check in whole.check_keys if check.asset_key in keys}
        self._narrowed = whole.subset_for(set(keys), checks)
        self._selected = {name for name, key in whole.keys_by_output_name.items() if key in keys} | {
            whole.get_output_name_for_asset_check_key(check) for check in checks
        }
        self._events = context._events  # those that the function logs are told with those of the step

    @property
    def assets_def(self) -> dg.AssetsDefinition:
        return self._narrowed

    @property
    def selected_output_names(self) -> set[str]:
        return self._selected


@contextmanager
def narrowed(context: dg.AssetExecutionContext, keys: Collection[dg.AssetKey]) -> Iterator[Any]:
    """Give the asset context that selects these of the step's assets; `get()` returns it too meanwhile."""
    if set(keys) == set(context.selected_asset_keys):
        yield context
        return
    found = dg.AssetExecutionContext(_NarrowedContext(context.op_execution_context, keys))
    token = current_execution_context.set(found)
    try:
        yield found
    finally:
        current_execution_context.reset(token)
