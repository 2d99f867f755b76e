"""The schema: models and migrations are one, and it stays apart from the user's own tables."""

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from catalog_kit import Catalog
from core_kit import run
from sqlmodel import SQLModel

from jammi_dagster.catalog import migrations
from jammi_dagster.catalog.models import METADATA


def _ddl(connection: sa.Connection) -> dict[str, str]:
    query = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
    # SQLite keeps the text as it was written: an added column follows on the line of the last one
    return {row.name: " ".join(row.sql.split()) for row in connection.execute(sa.text(query))}


def test_alembic_finds_nothing_to_generate(catalog: Catalog) -> None:
    """The migrations make exactly the models' tables, column by column and index by index."""
    with catalog.database.reading() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": migrations.VERSION_TABLE,
                "compare_type": True,
                "compare_server_default": True,
            },
        )
        assert compare_metadata(context, METADATA) == []


def test_models_and_migrations_make_the_same_statements(catalog: Catalog) -> None:
    """Also where alembic does not look: partial indexes, foreign keys, tables without row ids."""
    engine = sa.create_engine("sqlite://")
    METADATA.create_all(engine)
    with engine.connect() as connection:
        modelled = _ddl(connection)
    engine.dispose()
    with catalog.database.reading() as connection:
        migrated = _ddl(connection)
    assert migrated.pop(migrations.VERSION_TABLE)
    assert migrated == modelled


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
