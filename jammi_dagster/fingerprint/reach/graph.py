"""The graph of first-party code that a function reaches, at any depth, by the names that the code uses.

Names are followed as they stand in the source. A module that is loaded on the way brings the statements with side
effects, and its imports. Nothing is imported for it, and no code of the user's is run.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial

from jammi_dagster.fingerprint.known_names.introspection import MODULE_SCANNERS
from jammi_dagster.fingerprint.reach.effects import EXIT
from jammi_dagster.fingerprint.reach.extensions import Extension, Extensions
from jammi_dagster.fingerprint.reach.index import CodeIndex
from jammi_dagster.fingerprint.reach.loading import Imported
from jammi_dagster.fingerprint.reach.named_methods import NamedMethods
from jammi_dagster.fingerprint.reach.named_methods import Waiting as WaitingMethod
from jammi_dagster.fingerprint.reach.reached import ReachedFile, Root
from jammi_dagster.fingerprint.reach.receivers import Receivers, reads_docs
from jammi_dagster.fingerprint.reach.registrations import is_asked_for
from jammi_dagster.fingerprint.reach.routes import Node, Routes
from jammi_dagster.fingerprint.reach.waiting import Waiting
from jammi_dagster.fingerprint.reasons import reason
from jammi_dagster.fingerprint.sources.modules import Module
from jammi_dagster.fingerprint.sources.packaged import PackagedRead
from jammi_dagster.fingerprint.sources.running_code import differs
from jammi_dagster.fingerprint.sources.source import Source
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.members import method_part, reads_all_fields
from jammi_dagster.fingerprint.syntax.optional_parts import UNKNOWN
from jammi_dagster.fingerprint.syntax.packaged_files import PackagedFile
from jammi_dagster.fingerprint.syntax.registrations import ANY_NAME
from jammi_dagster.fingerprint.syntax.scopes import Chain, joined
from jammi_dagster.fingerprint.syntax.uses import Change, Use

Members = frozenset[str] | None  # of the objects of a class that code uses; None: all of them
_CAPITAL = re.compile(r"(?:^|\.)[^\W\d_]*[A-Z]")
_WHOLE = ("__dict__", "__getattribute__")  # whoever uses these of a module may use all of it


class Graph:
    """The reached code, found by `reach`.

    graph = Graph(index_for(home=frozenset()))
    graph.reach([Root(module, "clean")])
    graph.reached["/checkout/pipelines/text.py"].names  # the names of that module that code uses

    Raises `Outlived` for a file that has changed since the index was made.
    """

    def __init__(
        self, index: CodeIndex, ignored: Collection[str] = (), extensions: Extensions | None = None
    ) -> None:
        self.extensions = extensions or Extensions()
        self.tops: set[str] = set()  # the top-level modules outside of first-party code that it reaches
        self.reached: dict[str, ReachedFile] = {}
        self.missing: set[str] = set()
        self.packaged: dict[PackagedRead, set[tuple[str, int]]] = {}  # with the units that read
        self.unresolved: set[str] = set()
        self.libraries: dict[str, str] = {}
        self.whole_names: set[str] = set()  # of modules that are used as values
        self.reads_docs = False
        self.reads_annotations = False
        self.places, self.components = index.loading.places, index.components
        self.flows, self.changes = index.flows, index.changes
        self.changes_nothing = index.loading.changes_nothing
        self.names_around = index.loading.names_around
        self._routes, self._loading = index.routes, index.loading
        self._receivers = Receivers(index.routes, index.loading.places)
        self._waiting = Waiting(index.loading, self.reached, partial(self._reach, runs=False))
        self._methods = NamedMethods(index.loading.places)
        self._ignored = ignored
        self._used: set[tuple[str, str, bool, bool, Members]] = set()
        self._imports: list[tuple[Source, tuple[str, ...], Mapping[str, str]]] = []  # of whole modules
        self._todo: deque[tuple[Callable[..., object], tuple[object, ...], tuple[str, ...]]] = deque()
        self._path: tuple[str, ...] = ()  # of the unit that is followed
        self._called: frozenset[str] | None = None
        self._asked: set[str] = set()  # the attributes that reached code asks for

    def reach(self, roots: Iterable[Root]) -> None:
        """Follow further roots, and all names on the way."""
        for root in roots:
            self._start(root)
        self._called = None
        for reached in self.reached.values():
            reached.foreign = None
        self._follow_all()
        while (
            self._extend_libraries()
            or self._ask_libraries()
            or self._waiting.tell_libraries(self.tops)
            or self._reach_methods(self._methods.handed_to(self.tops))
        ):
            self._follow_all()
        # An import that nobody uses is there for its side effects.
        for source, names, libraries in self._imports:
            if not (libraries.items() <= self.libraries.items() or any(map(source.uses, names))):
                self.libraries.update(libraries)
        self._imports.clear()

    @property
    def routes(self) -> Routes:
        """The routes that were followed so far."""
        return self._routes

    def _follow_all(self) -> None:
        while self._todo:
            step, arguments, self._path = self._todo.popleft()
            step(*arguments)

    def _reach_methods(self, waiting: Iterable[WaitingMethod]) -> bool:
        """Reach methods that waited for their names; return whether there was any."""
        found = list(waiting)
        for reached, index, name, runs in found:
            self._reach(reached, index, method_part(name), runs=runs)
        return bool(found)

    def _extend_libraries(self) -> bool:
        """Reach the statements of the code location that change reached libraries, or the process."""
        reached = [name for name in self.extensions.by_library if name in self.tops]
        found = [one for name in reached for one in self.extensions.by_library[name]]
        return sum(map(self._extend, (*self.extensions.of_process, *found))) > 0

    def _ask_libraries(self) -> bool:
        """Reach the statements that give classes of libraries the attributes which reached code asks for."""
        waiting, location = self._waiting.by_attribute, self.extensions.by_attribute
        if not (waiting or location):
            return False
        for one in self.reached.values():
            self._asked.update(self._asked_of(one))
        names = sorted(name for name in {*waiting, *location} if is_asked_for(name, self._asked))
        found = [one for name in names for one in waiting.pop(name, ())]
        for reached, index in found:
            self._path = (f"module-level code of {reached.node.shown}",)
            self._reach(reached, index, runs=True)
        extended = [self._extend(one, runs=True) for name in names for one in location.get(name, ())]
        return bool(found) or any(extended)

    def _asked_of(self, reached: ReachedFile) -> Iterator[str]:
        """Yield the attributes that the code of a file asks for which was reached since the last time."""
        fresh = reached.units()[reached.asked :]
        reached.asked += len(fresh)
        for unit in dict.fromkeys(unit for unit, _, _ in fresh):
            yield from unit.asked.names
            if not all(self._is_function(reached.node, chain) for chain in unit.asked.given):
                yield ANY_NAME

    def _is_function(self, node: Node, chain: Chain) -> bool:
        """Return whether a dotted name stands for a function, or for anything of a library."""
        if chain and any(True for _ in self.places.definitions(node, chain)):
            return True
        names = node.source.scope.peek(chain) if chain and node.source else []
        return bool(names) and not any(self._routes.of(node, name).passed for name in names)

    def _extend(self, extension: Extension, *, runs: bool = False) -> bool:
        """Reach a statement of a module that the function need not import; return whether it is new."""
        path = extension.module.path or ""
        reached = self.reached.get(path)
        before = reached.parts.get((extension.index, "code")) if reached else None
        if reached is not None and (reached.is_loaded or before or before is runs):
            return False
        node = self._routes.node(extension.module)
        if node is None or node.source is None or self._ignores(node, extension.unit.names):
            return False
        if node.source is not extension.source:
            self.unresolved.add(differs(path, "module-level code"))
            return False
        if reached is None:
            reached = self.reached[path] = ReachedFile(node, is_loaded=False)
        reached.touching.add(extension.index)
        self._path = (f"module-level code of {node.shown}",)
        self._reach(reached, extension.index, runs=runs)
        return True

    def foreign_uses(self, reached: ReachedFile) -> Iterator[tuple[Unit, str, Use]]:
        """Yield the uses of outside names that other first-party modules hand on.

        After `from time import time as now` in a.py, `a.now()` elsewhere is a use of time.time.
        """
        if reached.foreign is None:
            reached.foreign = list(self._foreign_uses(reached))
        return iter(reached.foreign)

    def _foreign_uses(self, reached: ReachedFile) -> Iterator[tuple[Unit, str, Use]]:
        node = reached.node
        for unit, part, _ in reached.units():
            for use in part.uses:
                if self._routes.of(node, use.name).passed:
                    yield from ((unit, name, use) for name in self._origins(node, use.name, frozenset()))

    def changed_name(self, reached: ReachedFile, change: Change) -> tuple[ReachedFile, str, int] | None:
        """Return the first-party module and its name that a function changes ("": any), and how deep it does.

        None for a library's name.
        """
        node, name, depth = reached.node, change.name, change.depth
        if not change.is_own:
            route = self._routes.of(node, name)
            target = self._routes.node(route.passed[-1]) if route.passed and not route.leaves else None
            if target is None:
                return None
            node, name, depth = target, route.rest[0] if route.rest else "", len(route.rest)
        kinds = (
            {node.source.units[i].kind for i in node.source.by_name.get(name, ())} if node.source else set()
        )
        holder = self.reached.get(node.path) if kinds != {"import"} else None
        return (holder, name, depth) if holder is not None and holder.node.source is not None else None

    def target_of(self, node: Node, name: str) -> tuple[Node, tuple[str, ...]] | None:
        """Return the first-party file that a dotted name leads to, and the rest of the name there."""
        route = self._routes.of(node, name)
        target = self._routes.node(route.passed[-1]) if route.passed and not route.leaves else None
        return (target, route.rest) if target is not None and route.rest else None

    def _start(self, root: Root) -> None:
        reached = self._load(root.module)
        if reached is None or reached.node.source is None:
            return
        if root.name is None:
            self._whole(reached, True)
        elif isinstance(root.name, str):
            if root.of_object:  # code that is read apart asks the object
                self._reach_methods(self._methods.asked_for_any())
            self._own(reached, root.name, asked=root.members)
            if root.of_object:
                reached.objects[root.name] = root.members
        elif (index := reached.node.source.unit_of(root.name)) is not None:
            reached.labels[root.name] = None
            self._reach(reached, index, runs=True)
            if root.is_it:
                reached.roots[index] = None
                self.tops.update(reached.node.source.units[index].annotated_with)
            if not root.is_bare:
                self._reach(reached, index, "decorators", runs=True)

    def _load(self, module: Module) -> ReachedFile | None:
        """Load a module on the way: its statements with side effects are reached, and its imports."""
        node = self._routes.node(module)
        if node is None:
            if not module.search:
                self.unresolved.add(reason(f"the module {module.name} has no source file"))
            return None
        reached = self.reached.get(node.path)
        if reached is None or not reached.is_loaded:
            reached = self.reached[node.path] = reached or ReachedFile(node)
            reached.is_loaded = True
            if node.unreadable:
                self.unresolved.add(node.unreadable)
            for package in self._routes.packages_around(node):
                self._later(self._load, package)
            self._later(self._run, reached)
        return reached

    def _run(self, reached: ReachedFile) -> None:
        node, source = reached.node, reached.node.source
        if source is None:
            return
        for star in source.stars:
            self._later(self._use, node, joined(star, "__all__"), False)
        plan = self._loading.of(node)
        for step in plan.steps:
            for module in step.modules:
                self._load(module)
            self.missing.update(step.missing)
            reached.steps += step.passed
            if step.may_catch or EXIT in reached.names:
                for path in step.passed:
                    self._guard(self.reached.get(path))
            if step.libraries:
                self._imports.append((source, step.names, step.libraries))
            if step.effect is not None and not self._ignores(node, step.names):
                reached.steps.append(step.index)
                reached.loaded[step.index] = None
                self._waiting.add(reached, step.index, step.effect)
        for index, unit, touched in plan.touching:
            if not self._ignores(node, unit.names):
                reached.touching.add(index)
                for one in touched:
                    self._waiting.wait([one], reached, index)

    @property
    def called(self) -> frozenset[str]:
        """The names of the methods that reached code calls when the function runs."""
        if self._called is None:
            every = (one for reached in self.reached.values() for one in reached.units())
            parts = (part for _, part, runs in every if runs)
            self._called = frozenset().union(*(part.called for part in parts))
        return self._called

    def _guard(self, reached: ReachedFile | None) -> None:
        """Let the early exits of a module count: its import is tried, and a failure handled."""
        if reached is None or EXIT in reached.names:
            return
        self._read(reached, EXIT)
        for step in reached.steps:
            if isinstance(step, str):
                self._guard(self.reached.get(step))

    def _import(self, imported: Imported) -> None:
        for module in imported.modules:
            self._load(module)
        if imported.missing:
            self.missing.add(imported.missing)

    def _own(
        self,
        reached: ReachedFile,
        name: str,
        runs: bool = True,
        is_read: bool = True,
        *,
        asked: Members = None,
    ) -> None:
        """Reach a name of the module that its own code uses."""
        if not reached.is_first(name, runs, is_read, asked):
            return
        node = reached.node
        if node.source is None or self._ignores(node, (name,)):
            return
        indexes = node.source.by_name.get(name)
        if indexes is None:
            if is_read and name in node.source.scope.shared:  # only functions bind it
                self._read(reached, name)
                reached.read_at_run |= {name} if runs else set()
            return
        if is_read:
            self._read(reached, name)
        if is_read and runs:
            reached.read_at_run.add(name)
        for index in indexes:
            self._reach(reached, index, runs=runs, asked=asked)
            self._reach(reached, index, "decorators", runs=runs)
        self._starred_names(node, (name,), runs, is_read)

    def _read(self, reached: ReachedFile, name: str) -> None:
        reached.names[name] = None
        for extension in self.extensions.by_name.get((reached.node.path, name), ()):
            self._later(self._extend, extension)
        self._waiting.tell((reached.node.path, name))

    def _starred_names(self, node: Node, rest: tuple[str, ...], runs: bool, is_read: bool) -> None:
        """Use the names that star imports may bind a name to."""
        for star in node.source.stars if node.source else ():
            self._later(self._use, node, joined(star, *rest), runs, is_read)

    def _whole(self, reached: ReachedFile, runs: bool) -> None:
        """Reach all names of a module that is used as a value, its imports included."""
        if not reached.is_first(None, runs):
            return
        source = reached.node.source
        for name in source.by_name if source else ():
            self._later(self._named, reached, (name,), runs)
            targets = (source.exports(name) if source else None) or ()
            self.whole_names.update((name, *(target.rpartition(".")[2] for target in targets)))
        for star in source.stars if source else ():
            self._later(self._use, reached.node, star, runs)

    def _reach(
        self, reached: ReachedFile, index: int, part: str = "code", *, runs: bool, asked: Members = None
    ) -> None:
        """Reach a part of a unit; with the code of a class its methods, or only the ones that are asked for."""
        source = reached.node.source
        if source is None or not reached.is_first(index, part, runs, asked):
            return
        if part not in source.units[index].parts:
            return
        unit = source.units[index]
        for name in unit.members_reached(asked) if part == "code" else ():
            if self._methods.is_asked(reached, index, name, runs=runs):
                self._reach(reached, index, method_part(name), runs=runs)
        is_whole = asked is None or part in unit.handing_methods or any(map(reads_all_fields, asked))
        for name in unit.separate_fields if part == "code" or part in unit.handing_methods else ():
            if is_whole or self._methods.is_asked(reached, index, name, runs=runs):
                self._reach(reached, index, method_part(name), runs=runs)
        named = ", ".join(unit.names) or f"module-level code of {reached.node.shown}"
        path = reached.paths.setdefault(index, (*self._path, named))
        if reached.reach(index, part, runs=runs):
            self._todo.append((self._follow, (reached, index, part, runs), path))

    def _follow(self, reached: ReachedFile, index: int, part: str, runs: bool) -> None:
        node = reached.node
        assert node.source is not None
        unit = node.source.units[index]
        uses = unit.parts[part]
        self._reach_methods(self._methods.named(unit.mentions(part) | uses.called))
        if uses.asks_any or any(one.asks and not one.is_text for one in uses.hidden):
            self._reach_methods(self._methods.asked_for_any())
        # Only objects of classes have members; a class whose name begins with a small letter counts whole.
        called = (
            *uses.own_calls,
            *(use.name for use in uses.uses if use.call),
        )
        may_make = any(map(_CAPITAL.search, called))
        members = unit.members_used if may_make else {}
        for name, is_read in uses.own.items():
            self._own(reached, name, runs, is_read, asked=members.get(name))
        for imported in self._loading.imports(node, uses.imports):
            self._import(imported)
            self.libraries.update(imported.route.libraries)
            if not imported.route.passed and imported.route.rest:
                self.tops.add(imported.route.rest[0])
        for use in uses.uses:
            self._use(node, use.name, runs, use.is_read, asked=_asked(members, use.name))
        for file in uses.packaged:
            self._packaged(node, index, file)
        for text in uses.texts:
            self._text(node, text, runs)
        for name, line in uses.packages.items():
            self._package(node, name, line, runs)
        for home, given, docs in self._receivers.documented(node, uses):
            self._document(home, given, docs=docs)
        if any(use.name in MODULE_SCANNERS for use in uses.uses):
            self._whole(reached, runs)
            reached.documented.update(range(node.source.loaded))
        if part == "annotations" or unit.has_fields:
            self._reach_future(reached, node.source)
        if part == "code":
            self._reach(reached, index, "decoration", runs=False)
            self._read_about(reached, index, unit)

    def folder_of(self, node: Node, package: str | None) -> str | None:
        """Return the folder of a first-party package, empty if there is none; None for a library, which then counts."""
        if package is None:
            return os.path.dirname(node.path)
        route = self._routes.of(node, package)
        if route.leaves and route.libraries:
            self.libraries.update(route.libraries)
            return None
        is_own = bool(route.passed) and not route.rest and not route.leaves and bool(route.passed[-1].search)
        return route.passed[-1].search[0] if is_own else ""

    def _packaged(self, node: Node, index: int, file: PackagedFile) -> None:
        folder = self.folder_of(node, file.package)
        if folder is None:
            return  # a file of a library
        path = os.path.join(folder, *file.parts) if folder else ""
        place = f"{node.shown}:{file.line}"
        read = PackagedRead(place, "/".join(file.parts), path, file.at_load)
        self.packaged.setdefault(read, set()).add((node.path, index))

    def _package(self, node: Node, name: str, line: int, runs: bool) -> None:
        """Reach all modules of a package, of which code imports some by computed names."""
        modules = self._routes.modules_of(node, name)
        if modules is None and "importlib.import_module" not in self._ignored:
            found = f"{node.shown}:{line} uses importlib.import_module, which hides the code that runs"
            self.unresolved.add(reason(found, ignore="importlib.import_module"))
        for module in modules or ():
            reached = self._load(module)
            if reached is not None and reached.node is not node:
                self._whole(reached, runs)

    def _reach_future(self, reached: ReachedFile, source: Source) -> None:
        """Reach `from __future__ import annotations`: it decides whether annotations are values or texts."""
        for index in source.by_name.get("annotations", ()):
            if source.units[index].imported == "__future__.annotations":
                self._reach(reached, index, runs=False)

    def _read_about(self, reached: ReachedFile, index: int, unit: Unit) -> None:
        """Let docstrings and annotations count where something reads them: of all reached code, or of this unit."""
        self.reads_docs |= unit.reads_docs
        if unit.reads_annotations and not self.reads_annotations:
            self.reads_annotations = True
            for other in list(self.reached.values()):
                for reached_index, _ in list(other.parts):
                    self._reach(other, reached_index, "annotations", runs=False)
        unknown = (name for name in unit.annotation_readers if not self._routes.is_seen(reached.node, name))
        found = list(unknown)
        readers = [one for one in unit.decorated if self._receivers.reads(reached.node, one)]
        outside = [name for name in found if name != UNKNOWN]
        if any(reads_docs(one.names) for one in readers) or (outside and reads_docs(outside)):
            self._document(reached.node, unit, docs=True)
        elif self.reads_annotations or found:
            self._reach(reached, index, "annotations", runs=False)

    def _document(self, node: Node, unit: Unit, *, docs: bool) -> None:
        """Let the annotations of a function or a class count, and its docstrings: a library gets it."""
        reached = self.reached.get(node.path) or self._load(node.module)
        if reached is None or reached.node.source is None:
            return
        for name in unit.names:
            for index in reached.node.source.by_name.get(name, ()):
                if reached.node.source.units[index] is unit:
                    reached.documented |= {index} if docs else set()
                    self._reach(reached, index, "annotations", runs=False)

    def _use(self, node: Node, name: str, runs: bool, is_read: bool = True, *, asked: Members = None) -> None:
        """Reach an imported name."""
        key = (node.path, name, runs, is_read, asked)
        if key in self._used:
            return
        self._used.add(key)
        route = self._routes.of(node, name)
        self.libraries.update(route.libraries)
        for module in route.passed:
            self._load(module)
        if not route.passed or route.leaves:
            self.tops.add(name.partition(".")[0])
            return
        holder = self._load(route.passed[-1])
        if holder is None or holder.node.source is None:
            return
        if not route.rest or route.rest[0] in _WHOLE:
            self._whole(holder, runs)
        else:
            self._named(holder, route.rest, runs, is_read, asked=asked)

    def _text(self, node: Node, text: str, runs: bool) -> None:
        """Reach the first-party attribute that a whole text is the dotted path of; most texts are not."""
        if not self._routes.may_lead(node, text):
            return
        route = self._routes.of(node, text)
        holder = self._routes.node(route.passed[-1]) if route.passed and not route.leaves else None
        if holder and holder.source and route.rest and route.rest[0] in holder.source.by_name:
            self._use(node, text, runs)

    def _named(
        self,
        holder: ReachedFile,
        rest: tuple[str, ...],
        runs: bool,
        is_read: bool = True,
        *,
        asked: Members = None,
    ) -> None:
        """Reach a name of a module that other code uses."""
        node, head = holder.node, rest[0]
        source = node.source
        assert source is not None
        if head not in source.by_name:
            self._starred_names(node, rest, runs, is_read)
            self._own(holder, "__getattr__", runs)
            return
        self._own(holder, head, runs, is_read, asked=asked)
        if self._ignores(node, (head,)):
            return
        if any(source.units[index].kind in ("import", "code") for index in source.by_name[head]):
            for target in source.exports(head) or ():
                self._later(self._use, node, joined(target, *rest[1:]), runs, is_read)

    def _ignores(self, node: Node, names: Iterable[str]) -> bool:
        return bool(self._ignored) and any(
            known in self._ignored
            for name in names
            for known in (name, f"{node.module.name}.{name}", f"{node.shown}:{name}")
        )

    def _origins(self, node: Node, name: str, seen: frozenset[tuple[str, str]]) -> Iterator[str]:
        """Yield the names outside first-party code that a name stands for."""
        route = self._routes.of(node, name)
        if not route.passed:
            yield name
        holder = self.reached.get(route.passed[-1].path or "") if route.passed else None
        source = holder.node.source if holder else None
        if holder is None or source is None or not route.rest:
            return
        head, *tail = route.rest
        if (holder.node.path, head) in seen:
            return
        exports = source.exports(head)
        targets = exports if exports is not None else [joined(star, head) for star in source.stars]
        for target in targets:
            yield from self._origins(holder.node, joined(target, *tail), seen | {(holder.node.path, head)})

    def _later(self, step: Callable[..., object], *arguments: object) -> None:
        self._todo.append((step, arguments, self._path))


def _asked(members: Mapping[str, Members], name: str) -> Members:
    """Return the members that are used of the objects of a class, by the canonical name of a use of it."""
    parts = name.split(".")
    found = [key for i in range(1, len(parts) + 1) if (key := ".".join(parts[:i])) in members]
    return members[found[-1]] if found else None
