"""`RetentionPolicy`: the materializations that are kept although nothing points at them. Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jammi_dagster.contract.fields import check_flags, is_finite
from jammi_dagster.contract.tables import asset_of
from jammi_dagster.errors import InvalidField

DAY_SECONDS = 86_400
_WHAT = "retention policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRule:
    """The materializations of a table that are kept: the last ones that each deployment made, and the young ones."""

    keep_last: int = 0
    keep_for_days: float = 0.0

    def __post_init__(self) -> None:
        _check_number("keep_last", self.keep_last, "a whole number from 0", whole=True)
        _check_number("keep_for_days", self.keep_for_days, "a number of days from 0")

    def why_kept(self, *, place: int | None, age_seconds: float, table: str, deployment: str) -> str | None:
        """Say why a materialization is kept, the `place`th last of its deployment; None where the rule does not.

        >>> RetentionRule(keep_last=2).why_kept(place=2, age_seconds=9e9, table="t", deployment="prod")
        'one of the last 2 of t that deployment prod made'
        """
        if place is not None and place <= self.keep_last:
            return f"one of the last {self.keep_last} of {table} that deployment {deployment} made"
        if age_seconds < self.keep_for_days * DAY_SECONDS:
            return f"younger than {self.keep_for_days:g} days"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPolicy(RetentionRule):
    """The rule for all tables, and other ones for the tables that match a pattern; the first that matches decides.

    In a pattern `*` stands for any text and `?` for one character. It is compared with the table's whole name, and
    with its name without partition. A materialization goes `grace_seconds` after nothing kept it any more. With
    `keep_inputs` everything stays, too, that roots were made over, directly or indirectly: they can be replayed. The
    notes of what a run made or reused go `keep_runs_for_days` after its lease ran out. Tombstones, which keep the
    manifests of what was collected, go after `keep_tombstones_for_days`; None keeps them for ever.

    >>> policy = RetentionPolicy(keep_last=3, tables={"raw/*": RetentionRule(keep_for_days=7)})
    >>> policy.rule_for("raw/flights[2013-01-05]")
    RetentionRule(keep_last=0, keep_for_days=7)
    """

    grace_seconds: float = 24 * 3600.0
    keep_inputs: bool = False
    keep_runs_for_days: float = 30.0
    keep_tombstones_for_days: float | None = 365.0
    tables: Mapping[str, RetentionRule] = field(default_factory=dict)

    def __post_init__(self) -> None:
        RetentionRule.__post_init__(self)
        _check_number("grace_seconds", self.grace_seconds, "a number of seconds from 0")
        _check_number("keep_runs_for_days", self.keep_runs_for_days, "a number of days from 0")
        if self.keep_tombstones_for_days is not None:
            _check_number(
                "keep_tombstones_for_days", self.keep_tombstones_for_days, "a number of days from 0"
            )
        check_flags(_WHAT, keep_inputs=self.keep_inputs)
        if not isinstance(self.tables, Mapping):
            raise _bad("tables", self.tables, "a mapping of patterns to rules")
        rules = {pattern: _rule(pattern, rule) for pattern, rule in self.tables.items()}
        object.__setattr__(self, "tables", rules)

    @classmethod
    def of(cls, policy: RetentionPolicy | Mapping[str, Any]) -> RetentionPolicy:
        """Take a policy, or build it from a plain mapping. Raises `InvalidField`.

        >>> RetentionPolicy.of({"keep_last": 3, "tables": {"raw/*": {"keep_for_days": 7}}}).keep_last
        3
        """
        if isinstance(policy, RetentionPolicy):
            return policy
        names = (*_RULE, *_OF_ALL, "tables")
        return cls(**_known("(itself)", policy, names))

    def rule_for(self, table: str) -> RetentionRule:
        """Find the rule for a table."""
        asset = asset_of(table)
        for pattern, rule in self.tables.items():
            matches = _matcher(pattern)
            if matches(table) or matches(asset):
                return rule
        return self

    def to_dict(self) -> dict[str, Any]:
        """Give the policy as JSON, which `of` takes."""
        rules = {
            pattern: {name: getattr(rule, name) for name in _RULE} for pattern, rule in self.tables.items()
        }
        plain = {name: getattr(self, name) for name in (*_RULE, *_OF_ALL)}
        return {**plain, "tables": rules}


_RULE = ("keep_last", "keep_for_days")
_OF_ALL = ("grace_seconds", "keep_inputs", "keep_runs_for_days", "keep_tombstones_for_days")


def _rule(pattern: object, rule: object) -> RetentionRule:
    if not isinstance(pattern, str) or not pattern:
        raise _bad("tables", pattern, "a pattern of table names, such as 'raw/*'")
    if isinstance(rule, RetentionRule) and not isinstance(rule, RetentionPolicy):
        return rule
    try:
        return RetentionRule(**_known("(itself)", rule, _RULE))
    except InvalidField as error:
        path = f"tables[{pattern!r}]" + ("" if error.path == "(itself)" else f".{error.path}")
        raise _bad(path, error.value, error.__dict__["expected"]) from None


def _known(path: str, given: object, names: tuple[str, ...]) -> dict[str, Any]:
    """Give the fields of a mapping, all of them known."""
    if not isinstance(given, Mapping):
        raise _bad(path, given, f"a RetentionPolicy, or a mapping of {', '.join(names)}")
    for name, value in given.items():
        if name not in names:
            raise _bad(str(name), value, f"no such field; there are {', '.join(names)}")
    return dict(given)


def _check_number(path: str, value: object, expected: str, *, whole: bool = False) -> None:
    if not is_finite(value) or value < 0 or (whole and not isinstance(value, int)):
        raise _bad(path, value, expected)


def _bad(path: str, value: object, expected: str) -> InvalidField:
    return InvalidField(what=_WHAT, path=path, value=value, expected=expected)


@functools.lru_cache(maxsize=1_000)
def _matcher(pattern: str) -> Any:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(c, re.escape(c)) for c in pattern), re.DOTALL).fullmatch
