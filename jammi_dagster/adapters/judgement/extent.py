"""How far one evaluation goes: which tables it takes, and when it stops."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from jammi_dagster.adapters.code_location.current_asset import CurrentAsset

AT_ONCE = 500
# in an evaluation that has a deadline: each table that is not plainly fresh takes a tenth of a millisecond later on
MOST_STATES = 50_000

Place = tuple[CurrentAsset, str, str | None]
"""An asset, the name of one of its tables, and that table's partition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """The tables that an evaluation takes.

    `missing`: tables that were never materialized count too. `only`: no tables but these. `after`: begin after this
    table, if an asset has it. `deadline`: stop at this instant of `time.monotonic()`, but never before some tables
    were judged.
    """

    missing: bool = False
    only: frozenset[str] | None = None
    after: str = ""
    deadline: float | None = None

    def is_over(self) -> bool:
        """Tell whether time is up."""
        return is_over(self.deadline)

    def after_reading_since(self, started: float) -> Extent:
        """Return the extent with a deadline that leaves time for the sweep, given when the catalog was begun."""
        if self.deadline is None:
            return self
        # to read the inputs takes about twice as long again; to judge some tables, as long at least
        now = time.monotonic()
        took = now - started
        return replace(self, deadline=max(self.deadline - 2 * took, now + took))

    def chunks(self, assets: Sequence[CurrentAsset]) -> Iterator[list[Place]]:
        """Yield the tables that the assets can have, some at once."""
        first, begin = place_of(self.after, assets) or (0, 0)
        each = ((asset, *item) for asset in assets[first:] for item in asset.tables().items())
        rest = (
            one for one in itertools.islice(each, begin, None) if self.only is None or one[1] in self.only
        )
        while chunk := list(itertools.islice(rest, AT_ONCE)):
            yield chunk


def is_over(deadline: float | None) -> bool:
    """Tell whether an instant of `time.monotonic()` has passed; None never does."""
    return deadline is not None and time.monotonic() > deadline


def place_of(after: str, assets: Sequence[CurrentAsset]) -> tuple[int, int] | None:
    """Return the asset that has the table `after`, and the place of its next table; None where no asset has it."""
    for number, asset in enumerate(assets):
        if after in asset.tables():
            return number, list(asset.tables()).index(after) + 1
    return None
