"""Side effects of loading that wait: each is reached once a name is reached that it may change."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from jammi_dagster.fingerprint.reach.effects import Effect, Name
from jammi_dagster.fingerprint.reach.loading import Loading
from jammi_dagster.fingerprint.reach.reached import ReachedFile
from jammi_dagster.fingerprint.reach.registrations import ATTRIBUTES, given_attribute

Reach = Callable[[ReachedFile, int], None]


class Waiting:
    """The side effects of one graph, by the names that they change.

    waiting = Waiting(loading, reached, reach)
    waiting.add(file, 3, effect)  # of `REGISTRY["a"] = make()`
    waiting.tell(("/checkout/pipelines/text.py", "REGISTRY"))  # reach(file, 3)
    """

    def __init__(self, loading: Loading, reached: dict[str, ReachedFile], reach: Reach) -> None:
        self._loading, self._reached, self._reach = loading, reached, reach
        self.by_attribute: dict[str, list[tuple[ReachedFile, int]]] = {}
        """Those that give the classes of libraries another attribute."""
        self._waiting: dict[Name, list[tuple[ReachedFile, int]]] = {}
        self._fills: dict[Name, list[tuple[ReachedFile, int]]] = {}  # all of them, by the same names
        # By the names within whose values they change more.
        self._deep: dict[Name, list[tuple[ReachedFile, int]]] = {}
        self._of_libraries: dict[str, list[tuple[ReachedFile, int]]] = {}  # by their top-level modules

    def add(self, reached: ReachedFile, index: int, effect: Effect) -> None:
        """Let a side effect wait for the names that it may change, and for the names that it binds."""
        node = reached.node
        assert node.source is not None
        if effect.targets is None:
            self._reach(reached, index)
            return
        self.wait(effect.targets, reached, index)
        for outside in effect.foreign:
            self._of_libraries.setdefault(outside.partition(".")[0], []).append((reached, index))
            if attribute := given_attribute(outside):
                self.by_attribute.setdefault(attribute, []).append((reached, index))
        self.wait([(node.path, bound) for bound in node.source.units[index].names], reached, index)
        for name in effect.targets:
            # An object may come into another by one statement, and be changed by the next.
            self._fills.setdefault(name, []).append((reached, index))
            for other in self._deep.get(name, ()):
                self.wait(self._loading.used(node, index), *other)
        for name in effect.deep:
            self._deep.setdefault(name, []).append((reached, index))
            for filler, at in self._fills.get(name, ()):
                self.wait(self._loading.used(filler.node, at), reached, index)

    def wait(self, names: Iterable[Name] | None, reached: ReachedFile, index: int) -> None:
        """Reach a unit with the first of these names, or now if one is reached; None: any name."""
        if names is None or any(self._is_read(name) for name in names):
            self._reach(reached, index)
            return
        for name in names:
            if name[0] == ATTRIBUTES:
                self.by_attribute.setdefault(name[1], []).append((reached, index))
            else:
                self._waiting.setdefault(name, []).append((reached, index))

    def tell(self, name: Name) -> None:
        """Reach all that waits for a name."""
        for reached, index in self._waiting.pop(name, ()):
            self._reach(reached, index)

    def tell_libraries(self, tops: Iterable[str]) -> bool:
        """Reach all that changes the state of a library of which code uses something; return whether there was any."""
        found = [one for top in tops for one in self._of_libraries.pop(top, ())]
        for reached, index in found:
            self._reach(reached, index)
        return bool(found)

    def _is_read(self, name: Name) -> bool:
        path, own = name
        return path in self._reached and own in self._reached[path].names
