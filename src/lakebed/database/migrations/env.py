"""How alembic runs our revisions: on the connection and in the transaction that we hand it."""

from alembic import context

from lakebed.database.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
