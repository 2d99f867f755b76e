"""Observations of external inputs: the versions that surfaces give, and how old each one is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from typing import Protocol, runtime_checkable

from jammi_dagster.contract import CurrentAnchor
from jammi_dagster.contract.anchors import observed_source
from jammi_dagster.errors import InvalidField
from jammi_dagster.surfaces import VersionSurface


@runtime_checkable
class DatedSurface(Protocol):
    """A version surface whose `observe()` answers from an earlier look; any other surface looks when it is asked."""

    @property
    def observed_at(self) -> datetime | None:
        """The instant of that look, aware of its time zone; None before the first look."""


def utc_now() -> datetime:
    """Return the present instant by this machine's clock."""
    return datetime.now(timezone.utc)


class Observations:
    """A memory of surfaces: each is asked at most once in the life of this object."""

    def __init__(
        self,
        surfaces: Iterable[VersionSurface] = (),
        *,
        max_age: float | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Keep the surfaces without asking them.

        Args:
            surfaces: the surfaces that may be asked, each for its own `source`.
            max_age: seconds after which an earlier look says nothing of the present; None accepts any age.
            clock: the present instant.

        Raises:
            InvalidField: something among the surfaces is none.
        """
        if isinstance(surfaces, str) or not isinstance(surfaces, Iterable):
            raise _no_surface("surfaces", surfaces)
        given = list(surfaces)
        for i, surface in enumerate(given):
            if not isinstance(getattr(surface, "source", None), str) or not callable(
                getattr(surface, "observe", None)
            ):
                raise _no_surface(f"surfaces[{i}]", surface)
        self._surfaces = {surface.source: surface for surface in given}
        self._max_age, self._clock = max_age, clock
        self._known: dict[str, CurrentAnchor] = {}

    def current_anchor(self, source: str) -> CurrentAnchor:
        """Return the present version of `source`, undecidable without a surface. Raise as the surface does."""
        surface = self._surfaces.get(source) or self._surfaces.get(observed_source(source))
        if surface is None:
            return CurrentAnchor.undecidable()
        if source not in self._known:
            self._known[source] = self._observe(surface)
        return self._known[source]

    def _observe(self, surface: VersionSurface) -> CurrentAnchor:
        now = self._clock()
        version = surface.observe()
        seen = surface.observed_at if isinstance(surface, DatedSurface) else now
        if seen is None:
            return CurrentAnchor.undecidable()
        if self._max_age is not None and (now - seen).total_seconds() > self._max_age:
            return CurrentAnchor.undecidable().observed(seen)
        anchor = CurrentAnchor.vanished() if version is None else CurrentAnchor.version(version)
        return anchor.observed(seen)


def _no_surface(path: str, value: object) -> InvalidField:
    expected = "version surfaces, each with a source and observe()"
    return InvalidField(what="observation", path=path, value=value, expected=expected)
