"""Tables that are not fresh, grouped by asset and cause: sixty partitions behind one input are one thing to say."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

from jammi_dagster.adapters.judgement.table_state import TableState
from jammi_dagster.contract.tables import asset_of

_URGENCY = {"stale": 0, "bytes_missing": 0, "not_replayable": 1, "missing_manifest": 2, "undecidable": 3}


@dataclass(slots=True)
class Group:
    """Tables of one asset with one kind, one cause and one outcome; the first speaks for all."""

    states: list[TableState] = field(default_factory=list)

    @property
    def first(self) -> TableState:
        """The table that speaks for the group."""
        return self.states[0]

    @property
    def subject(self) -> str:
        """The group as the subject of a sentence, with its verb: `a is` or `a: 12 partitions (x … y) are`."""
        if len(self.states) == 1:
            return f"{self.first.table} is"
        ends = f"{self.first.partition} … {self.states[-1].partition}"
        return f"{self.first.asset.name}: {len(self.states):,} partitions ({ends}) are"

    def worded(self, text: str) -> str:
        """Word a text about the first table for all: without its partition."""
        if len(self.states) == 1:
            return text
        return text.replace(self.first.table.removeprefix(self.first.asset.name), "")


def grouped(states: Iterable[TableState], outcome_of: Callable[[TableState], str]) -> list[Group]:
    """Group tables; the most urgent groups come first, then by asset. `outcome_of` tells what becomes of each."""
    found: dict[Hashable, Group] = {}
    for state in states:
        found.setdefault((_cause(state), outcome_of(state)), Group()).states.append(state)
    return sorted(found.values(), key=lambda group: (_URGENCY.get(group.first.kind, 9), group.first.table))


def _cause(state: TableState) -> Hashable:
    """Return a value that is equal for tables whose verdict has one cause, whatever their partition."""
    verdict = state.verdict
    return (
        state.asset.key,
        state.kind,
        state.is_outdated,
        tuple(sorted({(reason.reason, asset_of(reason.source or "")) for reason in verdict.reasons})),
        tuple(sorted(map(asset_of, verdict.unpinned))),
        tuple(sorted(map(asset_of, state.needs))),
        state.why_not,
        state.why_undecidable,
        asset_of(verdict.stale_ancestor or ""),
    )
