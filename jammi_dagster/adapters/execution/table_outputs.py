"""The results of a function that makes several assets, taken apart: each value goes to its asset as it comes."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from jammi_dagster.adapters.execution.outputs import LOGGED, BodyOutput, Receiver, called, is_event, take
from jammi_dagster.errors import InvalidOutput

_BESIDE = (dg.AssetCheckResult, *LOGGED)


@dataclass(slots=True, kw_only=True)
class AssetOutput:
    """One asset of the function: its receiver, its declared checks, and the output as far as it has come.

    `selected_checks` are those that the run asks for: of others a result is recorded and not told. `is_optional` lets
    the function leave the asset out. `is_told`: the function gave something for it, with a value or without.
    """

    receiver: Receiver
    checks: Sequence[str]
    selected_checks: Sequence[str]
    is_optional: bool
    output: BodyOutput = field(default_factory=BodyOutput)
    is_told: bool = False
    is_written: bool = False


class TableOutputs:
    """The outputs that one call of a function is to make, in the order of their declaration.

    `write` stores the data of one: it is called as soon as a value comes, so that a generator holds one at a time.
    `beside` takes the result of a check if it is of another asset.
    """

    def __init__(
        self,
        name: str,
        outputs: Sequence[AssetOutput],
        write: Callable[[AssetOutput], None],
        beside: Callable[[dg.AssetCheckResult], bool],
    ) -> None:
        self._name, self._outputs, self._write, self._beside = name, outputs, write, beside

    def produce(self, call: Callable[[], Any]) -> None:
        """Call the function, and give each asset its values and events. Raises `InvalidOutput`, and its own errors."""
        result = called(call)
        if inspect.isgenerator(result):
            with contextlib.closing(result):
                for item in result:
                    self._give(item, None)
        else:
            for item, of_place in self._placed(result):
                self._give(item, of_place)
        for one in self._outputs:
            if one.is_told and not one.is_written:
                raise self._refused(
                    f"its function gave no output for {one.receiver.asset} that has a value",
                    "yield dg.Output or dg.MaterializeResult(value=…); assets without values are a @dg.multi_asset",
                )
            if not one.is_written and not one.is_optional:
                raise self._refused(
                    f"its function gave no output for {one.receiver.asset}",
                    f"yield it, or declare it with {_OPTIONAL}",
                )

    def _placed(self, result: Any) -> Iterator[tuple[Any, AssetOutput | None]]:
        """Yield the items of a returned result with the output of their place, as Dagster assigns them."""
        is_tuple = isinstance(result, tuple) and not is_event(result)
        is_many = is_tuple and (len(self._outputs) != 1 or any(map(is_event, result)))
        items = list(result) if is_many else [result]
        values = [item for item in items if not isinstance(item, _BESIDE)]
        is_named = all(is_event(item) and self._of(item) is not None for item in values)
        if not is_named and len(values) != len(self._outputs):
            wanted = ", ".join(str(one.receiver.output_name) for one in self._outputs)
            got = f"a tuple of {len(values)}" if is_tuple else f"one value of type {type(result).__name__}"
            raise self._refused(
                f"its function returned {got}, but makes {len(self._outputs)} outputs ({wanted})",
                "return a tuple with one value for each of context.selected_output_names in order, or yield them",
            )
        places = iter(self._outputs)
        for item in items:
            yield item, None if is_named or isinstance(item, _BESIDE) else next(places)

    def _give(self, item: Any, of_place: AssetOutput | None) -> None:
        """Give one item to its asset, and write the value that came with it."""
        if isinstance(item, LOGGED):
            self._outputs[0].receiver.log(item)
            return
        if isinstance(item, dg.AssetCheckResult) and self._beside(item):
            return
        one = (self._of(item) if is_event(item) else None) or of_place
        if one is None and len(self._outputs) == 1:
            one = self._outputs[0]
        if one is None:
            way_out = "yield dg.Output(…, output_name=…), or a MaterializeResult or AssetCheckResult with asset_key="
            raise self._refused(f"its function yielded a {type(item).__name__} that names no output", way_out)
        take(one.output, item, one.receiver)
        one.is_told |= isinstance(item, dg.MaterializeResult)
        if one.output.has_data and not one.is_written:
            if one.output.data is None and not one.receiver.takes_none:
                raise self._refused(f"its function gave None for {one.receiver.asset}", "give a table")
            one.is_written = True
            self._write(one)

    def _of(self, event: Any) -> AssetOutput | None:
        """Return the output that an event names; None where it names none. Raises `InvalidOutput` for any other."""
        name, key = getattr(event, "output_name", None), getattr(event, "asset_key", None)
        if isinstance(event, dg.Output):
            key = None
        if name in (None, "result") and key is None:
            check = getattr(event, "check_name", None)
            with_check = [one for one in self._outputs if check in one.checks] if check else []
            return with_check[0] if len(with_check) == 1 else None
        for one in self._outputs:
            if key == one.receiver.key or (key is None and name == one.receiver.output_name):
                return one
        shown = name if key is None else key.to_user_string()
        selected = (
            "selected_asset_check_keys" if isinstance(event, dg.AssetCheckResult) else "selected_output_names"
        )
        raise self._refused(
            f"its function gave a {type(event).__name__} for {shown}, which this run does not make",
            f"give those of context.{selected} alone",
        )

    def _refused(self, why: str, way_out: str) -> InvalidOutput:
        return InvalidOutput(asset=self._name, why=why, way_out=way_out)


_OPTIONAL = "AssetOut(is_required=False) or AssetSpec(skippable=True)"
