"""The bond of a catalog and a root: each names the other, or nothing is written (DESIGN 2.15)."""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import replace

from jammi_dagster.artifacts import IDENTITY_PATH, ArtifactRoot
from jammi_dagster.catalog import BindingRows, CatalogBond, Database
from jammi_dagster.errors import (
    CatalogLost,
    JammiError,
    MaintainedElsewhere,
    RootNotThere,
    RootOfAnotherCatalog,
)
from jammi_dagster.maintenance.root_identity import (
    RootIdentity,
    read_identity,
    read_stamp,
    write_stamp,
)

_log = logging.getLogger("jammi_dagster.maintenance")
_LOST = "store %s: the catalog %s was lost and has been made again; %d materializations were adopted"
_SAMPLE = 20
# a remote root is not swapped under a running process as a mount is: one look serves a while
_REMOTE_SECONDS = 60.0


class RootBinding:
    """The bond of one catalog with one root.

    `restore` rebuilds the rows from the root's sidecars and gives their ids; it is called where the catalog lay in
    this very root, was lost, and has been made again empty.
    """

    def __init__(self, database: Database, root: ArtifactRoot, restore: Callable[[], list[str]]) -> None:
        self._database, self._root, self._restore = database, root, restore
        self._rows = BindingRows(database)
        self._bond: CatalogBond | None = None
        self._checked = -_REMOTE_SECONDS
        self._restored: list[str] = []

    def bind(self) -> None:
        """Bind an unbound catalog to the root, at its first write; a bound one is not looked at."""
        if self._database.is_foreign or self._database.read_only:
            return  # the write itself will say so
        self._make()
        if self._known().root_id is None:
            self._bind()

    def check(self, *, dry_run: bool = False) -> None:
        """Check that root and catalog name each other, before a write or a maintenance pass.

        An unbound catalog is bound, unless for a `dry_run`. Raises `RootNotThere` and `RootOfAnotherCatalog`, and
        `CatalogReadOnly`.
        """
        if not dry_run:
            self._make()
        elif self._database.is_foreign:
            self._database.check_writable()
        if self._known().root_id is None:
            return self._bind(dry_run=dry_run)
        if not self._root.is_local and time.monotonic() < self._checked + _REMOTE_SECONDS:
            return None
        found = read_identity(self._root, expected=True)
        if not self._agrees(found):
            self._bond = None  # another process may have taken the root over
            if not self._agrees(found):
                raise self._refusal(found)
        self._checked = time.monotonic()
        return None

    def check_not_lost(self) -> None:
        """Check that the catalog is not one that was lost and waits, empty, for the next write to rebuild it.

        Raises `CatalogLost`, and `RootOfAnotherCatalog` where there is no catalog and the root is another one's.
        """
        if self._database.is_foreign or self._known().root_id is not None:
            return
        found = read_identity(self._root, expected=False)
        if found is not None and self._is_place_of(found) and self._rows.is_empty():
            raise CatalogLost(root=self._root.name, catalog=self._database.name)
        self._check_vacant(found)

    def _make(self) -> None:
        """Make a catalog that is not there, unless the root is another one's. Raises as `check` does."""
        self._database.check_writable()
        if not self._database.is_there:
            self._check_vacant(read_identity(self._root, expected=False))
        self._database.make()

    def _check_vacant(self, found: RootIdentity | None) -> None:
        """Check that a catalog that is not there may be made for the root with this identity.

        The identity is read first: a catalog is made before its root names it. Raises `RootOfAnotherCatalog`.
        """
        self._rows.bond()  # looks for the catalog again
        if found is not None and not (self._database.is_there or self._is_place_of(found)):
            raise RootOfAnotherCatalog(root=self._root.name, catalog=self._database.name, other=found.catalog)

    def take_restored(self) -> list[str]:
        """Give the ids of the rows that were rebuilt, once."""
        restored, self._restored = self._restored, []
        return restored

    def check_stamp(self) -> None:
        """Check that every maintenance pass over the root was this catalog's. Raises `MaintainedElsewhere`."""
        stamp = read_stamp(self._root)
        if stamp is not None and not self._rows.issued(stamp):
            raise MaintainedElsewhere(root=self._root.name, catalog=self._database.name)

    def stamp(self) -> None:
        """Leave the mark of a pass in catalog and root, and tell the root where the catalog lies if that changed."""
        stamp = secrets.token_hex(16)
        self._rows.issue(stamp)
        write_stamp(self._root, stamp)
        found = read_identity(self._root, expected=True)
        place = self._place()
        if found is not None and self._agrees(found) and (found.catalog, found.is_inside) != place:
            self._write(replace(found, catalog=place[0], is_inside=place[1]))

    def take_over(self) -> str | None:
        """Bind root and catalog to each other, whatever they named before; give the former catalog's place."""
        self._rows.check_writable()
        catalog_id = self._known().catalog_id
        found = self._found_or_damaged()
        catalog, is_inside = self._place()
        root_id, former = secrets.token_hex(16), tuple[str, ...]()
        if found is not None:
            root_id, former = found.root_id, found.taken_over
            if found.catalog_id != catalog_id:
                former = (*former, found.catalog_id)
        identity = RootIdentity(
            root_id=root_id, catalog_id=catalog_id, catalog=catalog, is_inside=is_inside, taken_over=former
        )
        self._write(identity)
        self._rows.bind(root_id=root_id, catalog_id=catalog_id, anew=True)
        self._bond = None
        self.stamp()
        return None if found is None or found.catalog_id == catalog_id else found.catalog

    def _bind(self, *, dry_run: bool = False) -> None:
        """Bind a catalog without root, or find out whose the root is."""
        found = read_identity(self._root, expected=False)
        bond, is_new = self._known(), found is None
        if found is None:
            self._check_sample()
            if dry_run:
                return None
            self._rows.check_writable()
            found = self._create(bond.catalog_id)
        if found.catalog_id != bond.catalog_id:
            if not (self._is_place_of(found) and self._rows.is_empty()):
                raise self._refusal(found)
            if dry_run:
                return None
            # under its id first: if this process ends meanwhile, the next one goes on
            self._rows.bind(root_id=None, catalog_id=found.catalog_id)
            self._refill()
        elif not (is_new or dry_run):
            self._refill()
        if not dry_run and not self._rows.bind(root_id=found.root_id, catalog_id=found.catalog_id):
            self._bond = None
            return self.check()
        self._bond = None
        return None

    def _refill(self) -> None:
        """Rebuild the rows of a catalog that is the root's, and does not say so: it was lost, or never used."""
        self._restored = self._restore()
        if self._restored:
            _log.warning(_LOST, self._root.name, self._database.name, len(self._restored))
        stamp = read_stamp(self._root)
        if stamp is not None and not self._rows.issued(stamp):
            self._rows.issue(stamp)  # by the catalog that this one is again

    def _create(self, catalog_id: str) -> RootIdentity:
        """Write the identity of a root without one; of two writers at once the loser gets the other's."""
        catalog, is_inside = self._place()
        identity = RootIdentity(
            root_id=secrets.token_hex(16), catalog_id=catalog_id, catalog=catalog, is_inside=is_inside
        )
        if self._root.create(IDENTITY_PATH, identity.to_bytes()):
            return identity
        found = read_identity(self._root, expected=True)
        if found is None:
            raise self._refusal(None)
        return found

    def _check_sample(self) -> None:
        """Check that a root without identity holds the objects of the ready rows, of which there are any or none."""
        sample = self._rows.sample(_SAMPLE)
        found = 0
        for path, size in sample:
            try:
                found += self._root.size(path) == size
            except JammiError:  # one that cannot be looked at is not found
                continue
        if found * 2 < len(sample):
            why = f"of {len(sample)} ready tables, {len(sample) - found} have no bytes there"
            raise RootNotThere(root=self._root.name, catalog=self._database.name, why=why)

    def _known(self) -> CatalogBond:
        if self._bond is None or self._bond.root_id is None:
            self._bond = self._rows.bond()
        return self._bond

    def _agrees(self, found: RootIdentity | None) -> bool:
        bond = self._known()
        return found is not None and (found.root_id, found.catalog_id) == (bond.root_id, bond.catalog_id)

    def _refusal(self, found: RootIdentity | None) -> RootNotThere | RootOfAnotherCatalog:
        names = {"root": self._root.name, "catalog": self._database.name}
        if found is None:
            return RootNotThere(**names, why=f"it has no {IDENTITY_PATH}")
        if self._known().root_id not in (None, found.root_id):
            return RootNotThere(**names, why=f"its {IDENTITY_PATH} is another root's")
        return RootOfAnotherCatalog(**names, other=found.catalog)

    def _found_or_damaged(self) -> RootIdentity | None:
        """Read the identity for a takeover, which also replaces one that cannot be read."""
        try:
            return read_identity(self._root, expected=False)
        except JammiError:
            return None

    def _write(self, identity: RootIdentity) -> None:
        self._root.replace(IDENTITY_PATH, identity.to_bytes())

    def _place(self) -> tuple[str, bool]:
        """Give where the catalog lies: relative to the root and True if inside, else its path or URL and False."""
        file = self._database.url.database
        if self._database.is_sqlite and not self._database.is_memory and self._root.local_root is not None:
            relative = os.path.relpath(os.path.realpath(str(file)), os.path.realpath(self._root.local_root))
            if not relative.startswith(os.pardir):
                return relative.replace(os.sep, "/"), True
        return self._database.name, False

    def _is_place_of(self, found: RootIdentity) -> bool:
        return found.is_inside and self._place() == (found.catalog, True)
