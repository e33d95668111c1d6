"""The one thing that SQLite and PostgreSQL spell alike and SQLAlchemy does not: the upsert."""

from typing import TYPE_CHECKING, Union

from sqlalchemy import Engine, Table

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert as PostgresqlInsert
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert

UpsertingInsert = Union["PostgresqlInsert", "SqliteInsert"]


def insert_into(engine: Engine, table: Table) -> UpsertingInsert:
    """An INSERT that has `on_conflict_do_nothing` and `on_conflict_do_update`."""
    # Each dialect takes a tenth of a second to import: only the one in use is.
    if engine.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import Insert as PostgresqlInsert

        return PostgresqlInsert(table)
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert

    return SqliteInsert(table)


def replace_into(engine: Engine, table: Table) -> UpsertingInsert:
    """An INSERT that overwrites what the row of the same primary key holds."""
    insert = insert_into(engine, table)
    keys = [column.name for column in table.primary_key]
    values = {c.name: insert.excluded[c.name] for c in table.columns if c.name not in keys}
    return insert.on_conflict_do_update(index_elements=keys, set_=values)
