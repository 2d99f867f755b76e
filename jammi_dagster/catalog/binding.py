"""A catalog's side of its bond with a root: the root's id, and the marks of maintenance passes."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from jammi_dagster.catalog import models
from jammi_dagster.catalog.database import Database
from jammi_dagster.catalog.queries import READY
from jammi_dagster.catalog.statements import now_by_database

_state, _stamps, _m = models.catalog_state, models.maintenance_stamps, models.materializations
# more copies than ever maintain one root between two passes of one of them
_STAMPS_KEPT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogBond:
    """The catalog's own id, and the id of its root: None for a catalog that never wrote to one."""

    catalog_id: str
    root_id: str | None


class BindingRows:
    """The statements that bind a catalog to its root, for all tenants."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def bond(self) -> CatalogBond:
        """Read the catalog's ids."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(_state.c.catalog_id, _state.c.root_id)).one()
            return CatalogBond(catalog_id=row.catalog_id, root_id=row.root_id)

    def is_empty(self) -> bool:
        """Recognize a catalog in which nothing was ever begun."""
        with self._database.reading() as connection:
            return connection.execute(sa.select(_m.c.id).limit(1)).first() is None

    def sample(self, most: int) -> list[tuple[str, int | None]]:
        """Pick at most `most` ready rows with a digest from all over the catalog: path and size of each artifact."""
        recorded = (_m.c.status == READY, _m.c.artifact_digest.is_not(None))
        artifacts = sa.select(_m.c.artifact_path, _m.c.size_bytes).where(*recorded)
        with self._database.reading() as connection:
            total = connection.execute(sa.select(sa.func.count()).where(*recorded)).scalar_one()
            places = sorted({i * total // most for i in range(most)}) if total > most else range(total)
            rows = (
                connection.execute(artifacts.order_by(_m.c.id).offset(place).limit(1)).first()
                for place in places
            )
            return [(row.artifact_path, row.size_bytes) for row in rows if row is not None]

    def bind(self, *, root_id: str | None, catalog_id: str, anew: bool = False) -> bool:
        """Record the root, and under which id the catalog goes on; False where another root was recorded meanwhile.

        `anew` replaces a recorded root. With None for the root the catalog stays unbound, under that id.
        """
        with self._database.writing() as connection:
            unbound = sa.true() if anew else sa.or_(_state.c.root_id.is_(None), _state.c.root_id == root_id)
            # the revision belongs to the id: one under which others cached their answers goes on beyond them
            revision = sa.case(
                (_state.c.catalog_id == catalog_id, _state.c.revision),
                else_=_state.c.revision + int(now_by_database(connection) * 1000),
            )
            bound = connection.execute(
                _state.update()
                .where(unbound)
                .values(root_id=root_id, catalog_id=catalog_id, revision=revision)
            )
            return bound.rowcount == 1

    def check_writable(self) -> None:
        """Write nothing new, to find out before the root is touched. Raises `CatalogReadOnly`."""
        with self._database.writing() as connection:
            connection.execute(_state.update().values(catalog_id=_state.c.catalog_id))

    def issued(self, stamp: str) -> bool:
        """Recognize a mark that a pass of this catalog left."""
        with self._database.reading() as connection:
            return connection.execute(sa.select(_stamps).where(_stamps.c.stamp == stamp)).first() is not None

    def issue(self, stamp: str) -> None:
        """Record a mark before it is left in the root; forget the oldest ones."""
        with self._database.writing() as connection:
            now = now_by_database(connection)
            connection.execute(_stamps.insert(), {"stamp": stamp, "issued_at": now})
            kept = sa.select(_stamps.c.stamp).order_by(_stamps.c.issued_at.desc()).limit(_STAMPS_KEPT)
            connection.execute(_stamps.delete().where(_stamps.c.stamp.not_in(kept)))
