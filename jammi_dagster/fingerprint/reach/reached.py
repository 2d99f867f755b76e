"""Records of reached code: the files, and the starts of the graph."""

from __future__ import annotations

from dataclasses import dataclass, field

from jammi_dagster.fingerprint.reach.routes import Node
from jammi_dagster.fingerprint.sources.modules import Module
from jammi_dagster.fingerprint.sources.parts import Part
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.functions import Label
from jammi_dagster.fingerprint.syntax.uses import Use


@dataclass(slots=True)
class ReachedFile:
    """A first-party file that is loaded, with the units, names and functions of it that are reached."""

    node: Node
    # By unit and part: True if it runs when the function does, False if only when modules are loaded.
    parts: dict[tuple[int, str], bool] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)  # read by reached code
    labels: dict[Label, None] = field(default_factory=dict)  # functions that stand among live values
    read_at_run: set[str] = field(default_factory=set)
    roots: dict[int, None] = field(default_factory=dict)  # the units of the function itself
    paths: dict[int, tuple[str, ...]] = field(
        default_factory=dict
    )  # the units through which a unit is reached
    loaded: dict[int, None] = field(default_factory=dict)  # units with a side effect, reached or not
    # The steps of loading it, in order: paths of first-party files, and units that may have a side effect.
    steps: list[str | int] = field(default_factory=list)
    foreign: list[tuple[Unit, str, Use]] | None = None  # once it was asked for
    known_units: list[tuple[Unit, Part, bool]] | None = None  # the same
    asked: int = 0  # the number of these whose attributes were asked for
    objects: dict[str, frozenset[str] | None] = field(
        default_factory=dict
    )  # classes of objects that are given
    touching: set[int] = field(default_factory=set)  # units that change a reached object when they are loaded
    documented: set[int] = field(default_factory=set)  # units whose docstrings something reads
    is_loaded: bool = True  # False while the function reaches single statements only
    _followed: set[tuple[object, ...]] = field(default_factory=set)

    def units(self) -> list[tuple[Unit, Part, bool]]:
        """Return the reached parts of units; True for those that run when the function does."""
        if self.known_units is None:
            units = self.node.source.units if self.node.source else []  # a file without source has none
            self.known_units = [
                (units[index], units[index].parts[part], runs) for (index, part), runs in self.parts.items()
            ]
        return self.known_units

    def is_first(self, *what: object) -> bool:
        """Return whether the graph asks for something of the file for the first time: another time changes nothing."""
        if what in self._followed:
            return False
        self._followed.add(what)
        return True

    def reach(self, index: int, part: str, *, runs: bool) -> bool:
        """Note a part of a unit; return whether it is new, or runs for the first time."""
        before = self.parts.get((index, part))
        if before or before is runs:
            return False
        self.parts[index, part] = runs
        self.known_units = None
        return True


@dataclass(frozen=True, slots=True)
class Root:
    """A start of the graph: a top-level name of a module ("": none), one of its functions, or all of it (None).

    `is_bare`: without its orchestration. `is_it`: the function whose identity is asked for. `of_object`: an object of
    the class is given to a function that uses these members of it (None: all).
    """

    module: Module
    name: str | Label | None
    is_bare: bool = False
    is_it: bool = False
    of_object: bool = False
    members: frozenset[str] | None = None
