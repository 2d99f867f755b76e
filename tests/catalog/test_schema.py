"""The schema: models and migrations are one, and it stays apart from the user's own tables."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from catalog_kit import Catalog, new_database
from core_kit import run
from sqlmodel import SQLModel

from jammi_dagster.catalog import migrations
from jammi_dagster.catalog.models import METADATA


def _ddl(connection: sa.Connection) -> dict[str, str]:
    query = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
    # SQLite keeps the text as it was written: an added column follows on the line of the last one
    return {row.name: " ".join(row.sql.split()) for row in connection.execute(sa.text(query))}


@pytest.fixture
def migrated(
    request: pytest.FixtureRequest, file: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Catalog]:
    """A catalog that the migrations alone made, from the first to the last; on SQLite unless asked for `postgres`."""
    monkeypatch.setattr(migrations, "_make", lambda connection: None)
    on_postgres = getattr(request, "param", "sqlite") == "postgres"
    database = new_database(request.getfixturevalue("schema") if on_postgres else str(file))
    yield Catalog(database)
    database.close()


def test_alembic_finds_nothing_to_generate(migrated: Catalog) -> None:
    """The migrations make exactly the models' tables, column by column and index by index."""
    with migrated.database.reading() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": migrations.VERSION_TABLE,
                "compare_type": True,
                "compare_server_default": True,
            },
        )
        assert compare_metadata(context, METADATA) == []


def test_a_new_catalog_is_made_with_the_statements_of_the_migrations(
    migrated: Catalog, tmp_path: Path
) -> None:
    """Also where alembic does not look: partial indexes, foreign keys, tables without row ids; and the same rows."""
    made = Catalog(new_database(str(tmp_path / "made.db")))
    found = []
    for catalog in (migrated, made):
        with catalog.database.reading() as connection:
            found.append((_ddl(connection), _rows(connection)))
        catalog.database.close()
    assert found[0] == found[1]


_COLUMNS = """SELECT table_name, column_name, ordinal_position, column_default, is_nullable, data_type, collation_name,
 character_maximum_length FROM information_schema.columns WHERE table_schema = current_schema()"""
_INDEXES = "SELECT replace(indexdef, current_schema() || '.', '') FROM pg_indexes WHERE schemaname = current_schema()"
_CONSTRAINTS = """SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint
 WHERE connamespace = current_schema()::regnamespace"""


@pytest.mark.parametrize("migrated", ["postgres"], indirect=True)
def test_a_new_catalog_on_postgres_is_as_a_migrated_one(
    migrated: Catalog, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Columns with types, defaults and collations, indexes, constraints, and the rows are the same."""
    monkeypatch.undo()
    schema = f"{migrated.database.url.query['options']}_made".removeprefix("-csearch_path=")
    engine = sa.create_engine(postgres.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(schema))
    engine.dispose()
    made = Catalog(new_database(f"{postgres}&options=-csearch_path%3D{schema}"))
    found = []
    for catalog in (migrated, made):
        with catalog.database.reading() as connection:
            asked = [connection.execute(sa.text(query)).all() for query in (_COLUMNS, _INDEXES, _CONSTRAINTS)]
            found.append(([sorted(map(tuple, rows), key=str) for rows in asked], _rows(connection)))
        catalog.database.close()
    assert found[0] == found[1]
    assert all(found[0][0])


def test_a_new_catalog_needs_no_alembic(file: Path) -> None:
    """Making one is a handful of statements: alembic, and its scripts, are for older catalogs."""
    script = """
import sys
from jammi_dagster.catalog import Database
Database(sys.argv[1]).make()
assert not [name for name in sys.modules if name.split(".")[0] == "alembic"]
"""
    run(script, file)


def _rows(connection: sa.Connection) -> dict[str, list[dict[str, object]]]:
    """All rows but the catalog's own id."""
    tables = [*METADATA.sorted_tables, migrations._VERSION]
    rows = {
        table.name: [dict(row) for row in connection.execute(sa.select(table)).mappings()] for table in tables
    }
    assert rows["catalog_state"][0].pop("catalog_id")
    return rows


def test_the_users_own_tables_are_left_alone(catalog: Catalog) -> None:
    """Our tables are on a registry of their own: `create_all` on the user's metadata never meets them."""
    assert not set(METADATA.tables) & set(SQLModel.metadata.tables)
    with catalog.database.reading() as connection:
        assert set(sa.inspect(connection).get_table_names()) == {
            *METADATA.tables,
            migrations.VERSION_TABLE,
        }


def test_the_users_own_model_may_have_a_name_of_ours() -> None:
    """A user's table `pointers` on SQLModel's default registry does not collide with ours."""
    script = """
from sqlmodel import Field, SQLModel
import jammi_dagster.catalog
class Pointer(SQLModel, table=True):
    __tablename__ = "pointers"
    id: int = Field(primary_key=True)
assert list(SQLModel.metadata.tables) == ["pointers"]
assert list(SQLModel.metadata.tables["pointers"].columns.keys()) == ["id"]
"""
    run(script)


def test_head_is_the_last_revision_there_is() -> None:
    """`KNOWN` lists the revisions that are there, in their order."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", migrations.__path__[0])
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [migrations.HEAD]
    assert [script.revision for script in scripts.walk_revisions()] == list(reversed(migrations.KNOWN))
