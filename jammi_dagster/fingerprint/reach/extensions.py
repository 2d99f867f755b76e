"""Statements that change state beyond their own module: a plugin that fills a registry, an option of a library."""

from __future__ import annotations

from dataclasses import dataclass, field

from jammi_dagster.fingerprint.reach.effects import Name
from jammi_dagster.fingerprint.sources.modules import Module
from jammi_dagster.fingerprint.sources.source import Source
from jammi_dagster.fingerprint.sources.units import Unit


@dataclass(frozen=True, slots=True)
class Extension:
    """A statement of the code location that changes state of other modules when it is loaded."""

    module: Module
    source: Source
    index: int

    @property
    def unit(self) -> Unit:
        return self.source.units[self.index]


@dataclass(frozen=True, slots=True)
class Extensions:
    """The statements of a code location that change state beyond their module (`reach.location`)."""

    order: tuple[str, ...] = ()
    """The files of the location in the order in which they are loaded."""
    by_name: dict[Name, list[Extension]] = field(default_factory=dict)
    by_attribute: dict[str, list[Extension]] = field(default_factory=dict)
    """By the attributes that classes of libraries get."""
    by_library: dict[str, list[Extension]] = field(default_factory=dict)
    """By the top-level module of another package."""
    of_process: list[Extension] = field(default_factory=list)
