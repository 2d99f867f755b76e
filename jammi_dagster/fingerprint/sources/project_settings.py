"""The settings of a project: `[tool.jammi_dagster]` in the `pyproject.toml` above a function's file.

[tool.jammi_dagster]
first_party = ["shared_lib"]                        # distributions or modules that count by their code
depends_on = ["rates.csv"]                          # files, relative to the pyproject.toml, that all depend on
ignore = ["_CACHE"]                                 # names that no result depends on
readers = ["mysdk.fetch", "warehouse"]              # functions, or modules of functions, that read the outside world
libraries = { "*" = "full", polars = "minor", tqdm = "ignore" }
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from jammi_dagster.errors import InvalidField
from jammi_dagster.fingerprint.sources.distributions import normalized
from jammi_dagster.project_paths import pyproject_above

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

POLICIES = ("full", "minor", "ignore")
_FIELDS = ("first_party", "depends_on", "ignore", "readers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings that count for all functions of a project.

    `libraries` tells how the version of a distribution counts (`*`: of all others):
    `Settings(libraries={"*": "full", "tqdm": "ignore"})`.
    """

    first_party: frozenset[str] = frozenset()
    depends_on: tuple[Path, ...] = ()
    ignore: frozenset[str] = frozenset()
    readers: frozenset[str] = frozenset()
    libraries: Mapping[str, str] = field(default_factory=dict)

    def versions(self, found: Mapping[str, str]) -> dict[str, str]:
        """Cut versions to the part that counts: all of it, major.minor, or nothing."""
        counted = {}
        for name, version in found.items():
            policy = self.libraries.get(name, self.libraries.get("*", "full"))
            if policy != "ignore":
                counted[name] = version if policy == "full" else ".".join(version.split(".")[:2])
        return counted


def settings_for(file: str | None) -> Settings:
    """Return the settings of the project that a file is in. Raises `InvalidField` for wrong settings."""
    found = pyproject_above(file) if file else None
    if found is None:
        return Settings()
    path, status = found
    return _read(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=256)
def _read(path: str, modified: int, size: int) -> Settings:
    """Read a `pyproject.toml`; the result is kept until the file changes."""
    try:
        given = tomllib.loads(Path(path).read_text(encoding="utf-8")).get("tool", {}).get("jammi_dagster", {})
    except (OSError, ValueError) as error:
        raise _bad(path, "(itself)", type(error).__name__, "a readable TOML file") from None
    if not isinstance(given, dict):
        raise _bad(path, "tool.jammi_dagster", given, "a table")
    if unknown := sorted(set(given) - {*_FIELDS, "libraries"}):
        raise _bad(path, unknown[0], given[unknown[0]], f"one of {', '.join((*_FIELDS, 'libraries'))}")
    for name in _FIELDS:
        value = given.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise _bad(path, name, value, "a list of names")
    libraries = given.get("libraries", {})
    if not isinstance(libraries, dict):
        raise _bad(path, "libraries", libraries, "a table of distribution = policy")
    for name, policy in libraries.items():
        if policy not in POLICIES:
            raise _bad(path, f"libraries.{name}", policy, f"one of {', '.join(POLICIES)}")
    return Settings(
        first_party=frozenset(given.get("first_party", [])),
        depends_on=tuple(Path(path).parent / item for item in given.get("depends_on", [])),
        ignore=frozenset(given.get("ignore", [])),
        readers=frozenset(given.get("readers", [])),
        libraries={normalized(name): policy for name, policy in libraries.items()},
    )


def _bad(path: str, where: str, value: Any, expected: str) -> InvalidField:
    section = f"[tool.jammi_dagster] of {os.path.basename(os.path.dirname(path))}/pyproject.toml"
    return InvalidField(what=section, path=where, value=value, expected=expected)
