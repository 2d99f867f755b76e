"""Runs the revisions on the connection, and in the transaction, that `migrations.upgrade` brings."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transactional_ddl=False,
    version_table=context.config.attributes["version_table"],
)
context.run_migrations()
