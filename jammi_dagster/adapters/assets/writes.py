"""`writes=`: the version surfaces of everything that a function writes, for one that returns nothing to store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from jammi_dagster.errors import UnsupportedArgument
from jammi_dagster.surfaces import FileSurface, VersionSurface

_NOTHING = (Any, object, type(None))


def check_writes(asset: str, writes: Any, *, output: Any, has_format: bool, is_partitioned: bool) -> None:
    """Raise `UnsupportedArgument` where `writes=` names nothing, or cannot be combined with the other arguments.

    `output` is the annotation of the value that the function returns.
    """
    if has_format:
        raise _refused(asset, "format=", "beside writes= has nothing to store", "leave one of them out")
    if output not in _NOTHING:
        shown = getattr(output, "__name__", None) or str(output)
        why = "beside writes= would be stored nowhere"
        raise _refused(
            asset, f"the annotation {shown} of its result", why, "annotate -> None, or leave writes= out"
        )
    if callable(writes):
        return
    checked_surfaces(asset, "writes=", writes)
    if is_partitioned:
        why = "is the same for each partition, so that a run of one would make all others stale"
        raise _refused(
            asset, "writes=", why, "give a function from the partition key to the surfaces of that one"
        )


def checked_surfaces(asset: str, argument: str, given: Any) -> list[VersionSurface]:
    """Return the surfaces that `reads=` or `writes=`, or a function there, gives. Raises `UnsupportedArgument`."""
    if not isinstance(given, Iterable) or isinstance(given, (str, bytes, VersionSurface)):
        why = f"gives {given!r}, which is no list of version surfaces"
        raise _refused(asset, argument, why, "give a list, such as [file(path)]")
    found = list(given)
    for surface in found:
        if not isinstance(surface, VersionSurface):
            why = f"holds {surface!r}, which is no version surface"
            raise _refused(asset, argument, why, "give file(path), or an object with source and observe()")
    if not found and argument == "writes=":
        why = "names nothing, so that nothing tells the state of the result"
        raise _refused(asset, argument, why, "list the version surfaces that the function writes")
    return found


def check_apart(asset: str, writes: Sequence[VersionSurface], reads: Sequence[VersionSurface]) -> None:
    """Raise `UnsupportedArgument` for a surface that a function writes twice, or that it reads as well."""
    twice = [source for source, number in Counter(surface.source for surface in writes).items() if number > 1]
    if twice:
        raise _refused(
            asset, "writes=", f"names {twice[0]} twice", "name each surface once, for one partition"
        )
    read = {one for surface in reads for one in _names(surface)}
    for surface in writes:
        if not read.isdisjoint(_names(surface)):
            why = f"names {surface.source}, which reads= names too: each run would make its own table stale"
            raise _refused(asset, "writes=", why, "leave it out of reads=")


def _names(surface: VersionSurface) -> list[str]:
    return [surface.source, *([f"path {surface.path}"] if isinstance(surface, FileSurface) else [])]


def _refused(asset: str, argument: str, why: str, way_out: str) -> UnsupportedArgument:
    return UnsupportedArgument(asset=asset, argument=argument, why=why, way_out=way_out)
