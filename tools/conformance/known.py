"""The list of tests that are known to fail with result tables, by reason, and the comparison of a run with it."""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.conformance.running import Outcome

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason to fail: an explanation, a pattern that is found in the errors, and the tests.

    `docs` is the section of the documentation that states a limit.
    """

    name: str
    says: str
    sign: str
    tests: frozenset[str]
    docs: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A pinned version of Dagster, the files to run, the files of the bounded slice, and the known failures.

    `storage` are the files and classes to run over our event log.
    `most` is the length of the list: under one version it is only ever lowered.
    """

    version: str
    most: int
    files: tuple[str, ...]
    slice: tuple[str, ...]
    storage: tuple[str, ...]
    reasons: tuple[Reason, ...]

    @classmethod
    def load(cls, folder: Path) -> Plan:
        """Read `parts.toml` and `known.toml`."""
        parts = _toml(folder / "parts.toml")
        reasons = [
            Reason(
                name,
                given["says"],
                given.get("sign", ""),
                frozenset(_names(given["tests"])),
                given.get("docs", ""),
            )
            for name, given in _toml(folder / "known.toml").items()
        ]
        return cls(
            version=parts["version"],
            most=parts["most"],
            files=tuple(_files(parts["files"])),
            slice=tuple(_files(parts["slice"])),
            storage=tuple(parts["storage"]),
            reasons=tuple(reasons),
        )

    @property
    def listed(self) -> int:
        """The number of tests on the list."""
        return sum(len(reason.tests) for reason in self.reasons)

    def grown(self) -> list[str]:
        """Return the problem of a list that is longer than it was."""
        if self.listed <= self.most:
            return []
        return [
            f"the list has {self.listed} tests, and may have {self.most}: under one version it can only shrink"
        ]


@dataclass(slots=True)
class Comparison:
    """The outcome of a run beside the list. Every line of `problems` is a fault of one or the other.

    `ticks` counts the ticks of the staleness sensor and their verdicts.
    """

    passed: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    ticks: Counter[str] = field(default_factory=Counter)
    unmodified: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def compare(
    reasons: Collection[Reason],
    ours: Mapping[str, Outcome],
    unmodified: Mapping[str, Outcome],
    *,
    files: Collection[str],
) -> Comparison:
    """Compare a run of `files` with the list.

    A test that fails without the shim too says nothing about result tables; where `unmodified` is empty, the list
    has to do without.
    """
    found = Comparison()
    listed = {test: reason for reason in reasons for test in reason.tests if test.partition("::")[0] in files}
    for test, outcome in sorted(ours.items()):
        reason = listed.pop(test, None)
        found.ticks.update(outcome.ticks)
        fails = outcome.outcome == "failed"
        if not fails and reason is None:
            found.passed += outcome.outcome == "passed"
        elif not fails and reason is not None:
            found.problems.append(f"passes, but is listed as {reason.name!r}: {test}")
        elif test in unmodified and unmodified[test].outcome != "passed":
            found.unmodified.append(test)
        elif reason is None:
            found.problems.append(f"fails{_like(reasons, outcome.error)}: {test}\n{outcome.error}")
        elif not re.search(reason.sign, outcome.error):
            found.problems.append(f"fails for another reason than {reason.name!r}: {test}\n{outcome.error}")
        else:
            found.counts[reason.name] = found.counts.get(reason.name, 0) + 1
    found.problems += [
        f"is listed as {reason.name!r}, but did not run: {test}" for test, reason in listed.items()
    ]
    return found


def _like(reasons: Collection[Reason], error: str) -> str:
    names = (reason.name for reason in reasons if reason.sign and re.search(reason.sign, error))
    return "".join(f", perhaps as {name!r}" for name in itertools.islice(names, 1))


def written(reasons: Collection[Reason]) -> str:
    """Return the text of `known.toml`."""
    return "\n".join(line for reason in reasons for line in _lines(reason))


def _lines(reason: Reason) -> Iterator[str]:
    name = json.dumps(reason.name, ensure_ascii=False)
    yield f"[{name}]"
    yield f"says = {json.dumps(reason.says, ensure_ascii=False)}"
    if reason.sign:
        yield f"sign = {json.dumps(reason.sign, ensure_ascii=False)}"
    if reason.docs:
        yield f"docs = {json.dumps(reason.docs)}"
    yield f"[{name}.tests]"
    by_file: dict[str, list[str]] = {}
    for test in sorted(reason.tests):
        file, _, name = test.partition("::")
        by_file.setdefault(file, []).append(name)
    for file, names in by_file.items():
        yield f"{json.dumps(file)} = ["
        yield from (f"  {json.dumps(name)}," for name in names)
        yield "]"
    yield ""


def _names(tests: Mapping[str, list[str]]) -> Iterator[str]:
    for file, names in tests.items():
        yield from (f"{file}::{name}" if name else file for name in names)


def _files(by_folder: Mapping[str, list[str]]) -> Iterator[str]:
    for folder, names in by_folder.items():
        yield from (f"{folder}/{name}.py" for name in names)


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
