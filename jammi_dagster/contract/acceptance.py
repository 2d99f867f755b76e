"""Acceptances: one materialization taken for the output of code that did not make it, on a person's word (ADR 23).

Rules:

1. An acceptance names one materialization of one table in one deployment. It stands in for no other.
2. It covers one pair of definitions: the recorded one, and the one that was current when it was given. Two acceptances
   say nothing together.
3. It is void once the table's name has moved.
4. Only code may differ between the two definitions, and no input may be without a version (`refusal`).

Not done here: to say which acceptances are in force (`catalog.acceptances`), to judge by them (`sensing.staleness`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from jammi_dagster.contract.anchors import InputAnchor
from jammi_dagster.contract.explain import Difference, changed_inputs

DECLARED = "declared"
"""The grade of a verdict that rests on somebody's word."""

_NOTHING = "its definition is the recorded one, so there is nothing to accept"
_BEHIND_THE_KEY = "hmac_sha256:"
_DATA = "file "
_CODE_KIND = "code identity"
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """An acceptance of a table's materialization, made by the definition `from_definition`, for `to_definition`.

    `anchor_set` is the key of the inputs that it was made over, `artifact_digest` that of its bytes. `at` is RFC 3339
    in UTC. `proof` is None, `recomputed`, or `sampled n of m`: which tables of its asset gave the same bytes again.
    """

    table: str
    tenant: str
    deployment: str
    materialization_id: str
    from_definition: str
    to_definition: str
    anchor_set: str
    artifact_digest: str
    by: str
    reason: str
    at: str
    proof: str | None = None

    def covers(self, recorded: str | None, current: str) -> bool:
        """Tell if a table of the first definition counts as one of the second."""
        return (recorded, current) == (self.from_definition, self.to_definition)

    def __str__(self) -> str:
        """Word the acceptance for people."""
        proof = f" ({self.proof})" if self.proof else ""
        return f"accepted by {self.by} because {self.reason}{proof}"

    def to_dict(self) -> dict[str, Any]:
        """Give the acceptance as JSON."""
        return dataclasses.asdict(self)


def refusal(
    differences: Sequence[Difference], recorded: Sequence[InputAnchor], present: Sequence[InputAnchor]
) -> str | None:
    """Say why a materialization must not be accepted for another definition; None where it may be.

    `differences` are those of the two definitions, `recorded` and `present` the inputs then and now.

    >>> code = Difference(kind="code", name="helper clean", before="1", after="2", text="helper clean changed")
    >>> config = Difference(kind="config", name="config.alpha", before=1, after=2, text="config.alpha 1 -> 2")
    >>> refusal([code], [], []) is None, refusal([code, config], [], [])
    (True, 'more than its code differs (config.alpha 1 -> 2)')
    """
    unpinned = sorted({anchor.source for anchor in (*recorded, *present) if anchor.is_unpinned})
    if unpinned:
        return f"it has inputs without a version ({_named(unpinned)})"
    others = [one.text for one in differences if not _is_code(one)]
    others += [one.text for one in changed_inputs(recorded, present) if one.text not in others]
    if others:
        return f"more than its code differs ({_named(others)})"
    return None if differences else _NOTHING


def _is_code(difference: Difference) -> bool:
    """Tell if a difference is one of code alone: no file of data, and no text that may come from the environment."""
    if difference.kind != "code" or difference.name == _CODE_KIND or difference.name.startswith(_DATA):
        return False
    sides = (difference.before, difference.after)
    return not any(isinstance(side, str) and side.startswith(_BEHIND_THE_KEY) for side in sides)


def _named(texts: Iterable[str]) -> str:
    named = list(texts)
    more = f" and {len(named) - _MOST_NAMED:,} more" if len(named) > _MOST_NAMED else ""
    return f"{', '.join(named[:_MOST_NAMED])}{more}"
