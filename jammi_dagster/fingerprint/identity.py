"""The identity of a function's code. The rest of the package calls `identify`."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal
from weakref import WeakKeyDictionary

from jammi_dagster.errors import InvalidField
from jammi_dagster.fingerprint.author_options import check_dependencies, check_names, describe, files_of
from jammi_dagster.fingerprint.components import Component, in_order, of_form, of_packaged, of_values
from jammi_dagster.fingerprint.earlier_steps import changed_before
from jammi_dagster.fingerprint.hashing import digest, encode, joined_parts, utf8
from jammi_dagster.fingerprint.live.callables import innermost
from jammi_dagster.fingerprint.live.slots import Slots
from jammi_dagster.fingerprint.live.values import Describer
from jammi_dagster.fingerprint.loaded_files import changed_files, loaded_files
from jammi_dagster.fingerprint.location import extensions_for
from jammi_dagster.fingerprint.reach.effects import Name
from jammi_dagster.fingerprint.reach.index import forget_all
from jammi_dagster.fingerprint.reach.routes import Outlived
from jammi_dagster.fingerprint.reading import Reading, ValuesMoved, read_code
from jammi_dagster.fingerprint.reasons import Outdated, reason
from jammi_dagster.fingerprint.sources import running_code
from jammi_dagster.fingerprint.sources.distributions import replaced, upgraded
from jammi_dagster.fingerprint.sources.lookups import moved_modules
from jammi_dagster.fingerprint.sources.modules import home_of, of_names
from jammi_dagster.fingerprint.sources.packaged import PackagedRead
from jammi_dagster.fingerprint.sources.project_settings import settings_for
from jammi_dagster.fingerprint.time_zone import time_zone
from jammi_dagster.garbage import uncollected

# The files of its package that each function was last found to read.
_packaged: WeakKeyDictionary[Any, tuple[PackagedRead, ...]] = WeakKeyDictionary()
_one_at_a_time = threading.RLock()  # the source of a file is shared, and read bit by bit


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideRead:
    """A place in reached code that reads the outside world.

    OutsideRead(what="pandas.read_csv", where="pipelines/text.py:12", is_declarable=True)
    """

    what: str
    """Canonical dotted name: `time.time`, `os.environ`, `pandas.read_csv`."""
    where: str
    """`pipelines/text.py:12`, relative to the folder above the topmost package."""
    is_declarable: bool = False
    """True if a version surface may stand for it, as for a file."""
    unwatched: str | None = None
    """The path, empty if it is computed, of a reader that raises no audit event; None for a reader that is watched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeIdentity:
    """The code that the result of a function depends on.

    identity = identify(asset_function)
    identity.digest, identity.unresolved  # "3f9a…", ()
    identity.named  # {"helper clean (pipelines/text.py)": "81c0…", …}
    """

    kind: Literal["code_version", "source"]
    digest: str
    """The digest of all components, without the libraries: they belong to the environment."""
    components: tuple[Component, ...]
    """The reached components, sorted; the code version if one was given."""
    libraries: Mapping[str, str]
    """Installed distributions that the reached code uses, with their versions."""
    outside: tuple[OutsideRead, ...]
    files: Mapping[str, bytes] = field(default_factory=dict, compare=False)
    """Files of the own package that the code reads, by path, with their digests."""
    dependencies: tuple[str, ...] = field(default=(), compare=False, repr=False)
    """The paths of the files and folders of `depends_on=`, and of the project's."""
    reached_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    """The way to each place with a reason: `{"pipelines/text.py:12": ("f", "clean")}`."""
    cached: tuple[tuple[str, int], ...] = field(default=(), compare=False, repr=False)
    """The reached functions whose results are kept: the file below its tree, and the first line of each."""
    changes: tuple[tuple[str, str], ...] = field(default=(), compare=False, repr=False)
    """The names whose values the code changes when it runs, each with its file: a later step may read them."""
    unresolved: tuple[str, ...]
    """Reasons why the identity cannot be known, with ways out. A table with any reason must not be reused."""

    def with_needs_of(self, others: Sequence[CodeIdentity]) -> CodeIdentity:
        """Add the components, reads and needs of other code; the digest stays."""
        every, own_last = (self, *others), (*others, self)
        return replace(
            self,
            components=in_order({part for one in every for part in one.components}),
            libraries={name: version for one in every for name, version in one.libraries.items()},
            cached=tuple({kept for one in every for kept in one.cached}),
            changes=tuple({name for one in every for name in one.changes}),
            outside=tuple(dict.fromkeys(read for one in every for read in one.outside)),
            files={path: content for one in own_last for path, content in one.files.items()},
            dependencies=tuple(dict.fromkeys(path for one in every for path in one.dependencies)),
            reached_by={place: way for one in own_last for place, way in one.reached_by.items()},
            unresolved=tuple(dict.fromkeys(reason for one in every for reason in one.unresolved)),
        )

    @property
    def outdated(self) -> tuple[str, ...]:
        """The reasons among `unresolved` that running code differs from its file."""
        return tuple(reason for reason in self.unresolved if isinstance(reason, Outdated))

    @property
    def named(self) -> dict[str, str]:
        """The digest of each component by its name, as descriptors record it to explain differences."""
        return {str(component): component.digest for component in self.components}

    @property
    def slots(self) -> dict[str, str]:
        """The texts that fill the slots of a component, by its name. Record a keyed hash of them, nothing else."""
        found: dict[str, list[str]] = {}
        for component in self.components:
            if component.slot:
                found.setdefault(str(component), []).append(component.slot)
        return {name: "\n".join(sorted(slots)) for name, slots in found.items()}


def identify(
    fn: Callable[..., Any],
    *,
    code_version: str | None = None,
    depends_on: Sequence[Any] = (),
    ignore: Collection[str] = (),
    of_object: bool = False,
    members: frozenset[str] | None = None,
    changed: Mapping[Name, str] | None = None,
    declares_reads: bool = False,
) -> CodeIdentity:
    """Identify the code that the result of a function depends on. Nothing of the user's runs for it.

    A given `code_version` is the whole identity: it is the user's word. Otherwise the identity covers all that the
    function reaches: the syntax trees of first-party functions, classes and constants, at any depth, the side effects
    of loading their modules, and the values of its closure, defaults and `partial` arguments. Anything else that may
    change the result must stand in `outside` or `unresolved`; `docs/concepts/code-identity.md` lists the exceptions.

    Args:
        fn: The function, or another callable.
        code_version: A version that stands for the code.
        depends_on: Functions, classes, modules, files and plain values that count as if the function used them.
        ignore: Names that no result depends on: `_CACHE`, `pipelines.text._CACHE`, or a name from an unresolved
            reason. Both options add to the settings of the project.
        of_object: True if `fn` is a class of which a function is given an object.
        members: The members that the function uses of that object; None for all.
        changed: Names whose values other functions of the same result change before this one, each with the function.
        declares_reads: True if version surfaces stand for files that the function reads. A read of packaged files by a
            computed name stands in `outside` then, where a run sees which of them it is.

    Raises:
        InvalidField: An option or a setting makes no sense.
    """
    if code_version is not None:
        return _versioned(code_version)
    if not callable(fn):
        raise InvalidField(what="identify", path="fn", value=fn, expected="a function")
    with _one_at_a_time, uncollected():
        while True:
            try:
                of_objects = {fn: members} if of_object else {}
                return _from_source(
                    fn, depends_on, ignore, of_objects, changed or {}, declares_reads=declares_reads
                )
            except Outlived:  # a file has changed meanwhile
                forget_all()
            except ValuesMoved:
                continue


def disk_state(fn: Callable[..., Any], *, depends_on: Sequence[Any] = ()) -> str:
    """Digest everything besides loaded code that the identity of a function takes from disk.

    The settings of the project and the files of `depends_on=` may change while the process goes on running.

        disk_state(asset_function, depends_on=["rates.csv"])  # "81c0…"
    """
    file = _file(fn)
    settings = settings_for(file)
    describer = Describer(frozenset())
    folder = os.path.dirname(file) if file else ""
    given = (*settings.depends_on, *check_dependencies(depends_on))
    paths = [item for item in given if isinstance(item, (str, os.PathLike))]
    files = [(str(one), one.digest) for one in describe(paths, describer, folder)]
    known = _packaged.get(innermost(fn), ())
    files += [(read.path, str(read.digests())) for read in known]
    told = (*(part for one in files for part in one), *sorted(describer.unresolved), repr(settings))
    return digest("disk.v1", *map(utf8, told))


def edited_files() -> tuple[tuple[str, str], ...]:
    """Return the files that differ from the code that runs, or from the content that loading it read.

    Each with a digest of its content now. Libraries that were installed anew are among them, and modules that nobody
    had imported, whose files are others by now.
    """
    with _one_at_a_time:
        return (*running_code.edited_files(), *changed_files(), *replaced(), *moved_modules())


def _from_source(
    fn: Callable[..., Any],
    depends_on: Sequence[Any],
    ignore: Collection[str],
    of_objects: Mapping[Any, frozenset[str] | None],
    changed: Mapping[Name, str],
    *,
    declares_reads: bool,
) -> CodeIdentity:
    file = _file(fn)
    settings = settings_for(file)
    ignored = settings.ignore | set(check_names("ignore", ignore))
    describer = Describer(_home(fn) | settings.first_party, ignored)
    describer.of_objects.update(of_objects)
    form = describer.describe_function(fn)
    folder = os.path.dirname(file) if file else ""
    dependencies = (*settings.depends_on, *check_dependencies(depends_on))
    declared = list(describe(dependencies, describer, folder))
    extensions = extensions_for(file, describer.home)
    code = read_code(describer, frozenset(ignored), settings.readers, extensions)
    if code.uses_time_zone:
        declared.append(time_zone())
    slots = Slots(_Shown(code, settings.depends_on), code.files)
    held = (*of_values(describer.held, slots), *of_form(_name(fn), form, slots))
    seen = [read for read in code.packaged if declares_reads and read.is_seen]
    packaged, unread = code.read_packaged(but=seen)
    if innermost(fn) is not None:
        _packaged[innermost(fn)] = code.packaged
    loaded = loaded_files(code.loaded, {*packaged, *(read.path for read in code.packaged)})
    libraries = settings.versions(dict(sorted({**describer.libraries, **code.libraries}.items())))
    components = in_order((*code.components, *of_packaged(packaged), *held, *declared, *loaded.components))
    reasons = {*describer.unresolved, *_without_python(fn), *code.doubts, *code.edits(), *unread}
    reasons.update(loaded.unresolved, _upgraded(libraries), changed_before(code, ignored, changed))
    return CodeIdentity(
        kind="source",
        digest=_folded(slots.encoded(form)[0], components),
        components=components,
        libraries=libraries,
        files=packaged,
        dependencies=tuple(files_of(dependencies, folder)),
        reached_by=code.reached_by,
        cached=code.cached,
        changes=code.changes,
        outside=tuple(
            OutsideRead(what=read.watched, where=read.place, is_declarable=True)
            for read in seen
            if read.watched not in ignored
        )
        + tuple(
            OutsideRead(
                what=read.name,
                where=f"{read.file}:{read.line}",
                is_declarable=read.is_declarable,
                unwatched=next(iter(read.unwatched), None),
            )
            for read in (*code.outside, *sorted(loaded.reads))
            if read.name not in ignored
        ),
        unresolved=tuple(sorted(reasons)),
    )


class _Shown:
    """The texts that stand in the reached source, or in the settings of the project."""

    def __init__(self, code: Reading, settings: Collection[Any]) -> None:
        self._code, self._settings = code, settings

    def __contains__(self, text: object) -> bool:
        return text in self._settings or text in self._code


def _file(fn: object) -> str | None:
    function = innermost(fn)
    names = (
        function.__globals__ if function else vars(sys.modules.get(getattr(fn, "__module__", "")) or object)
    )
    return of_names(names).path


def _versioned(code_version: str) -> CodeIdentity:
    if not isinstance(code_version, str):
        raise InvalidField(what="identify", path="code_version", value=code_version, expected="a string")
    component = Component(kind="code_version", name=code_version, where="", digest=code_version)
    return CodeIdentity(
        kind="code_version",
        digest=digest("version.v1", utf8(code_version)),
        components=(component,),
        libraries={},
        outside=(),
        unresolved=(),
    )


def _home(fn: object) -> frozenset[str]:
    function = innermost(fn)
    return home_of(of_names(function.__globals__)) if function else frozenset()


def _upgraded(libraries: Iterable[str]) -> Iterator[str]:
    for name in upgraded(libraries):
        found = f"another version of {name} was installed since this process loaded it"
        yield Outdated(reason(found, "restart the code location"))


def _without_python(fn: object) -> Iterator[str]:
    if innermost(fn) is None and not isinstance(fn, type):
        yield reason(f"{_name(fn)} is not written in Python")


def _name(fn: object) -> str:
    return str(getattr(fn, "__qualname__", type(fn).__qualname__))


def _folded(function: bytes, components: tuple[Component, ...]) -> str:
    return digest("source.v2", function, joined_parts(map(_spelled, components)))


@lru_cache(maxsize=1 << 14)
def _spelled(component: Component) -> bytes:
    """Encode a component; functions of a code location share most of theirs."""
    return encode((component.kind, component.name, component.where, component.digest), {})
