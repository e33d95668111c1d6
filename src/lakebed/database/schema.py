"""Bringing a database to the schema of this program, whoever opens it first.

Alembic takes as long to import as a whole short command, so it is asked only where the database
does not say that it is up to date already.
"""

from pathlib import Path

from sqlalchemy import Column, Connection, Engine, MetaData, Table, Text, func, inspect, select

from lakebed.database.transaction import name_of, reading, writing
from lakebed.errors import LedgerError

HEAD = "0004"
"""The newest revision in `migrations/versions`."""
MIGRATIONS = Path(__file__).parent / "migrations"

_ADVISORY_LOCK = 0x6C616B65626564
"""The number of the lock that openers of one PostgreSQL database queue at: "lakebed" in ASCII."""
_version = Table("alembic_version", MetaData(), Column("version_num", Text))


def ensure_schema(engine: Engine) -> None:
    """Migrate where needed, one process at a time. Raises LedgerError for a newer schema."""
    with reading(engine) as connection:
        if revision(connection) == HEAD:
            return
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
        if revision(connection) != HEAD:
            _migrate(connection)


def revision(connection: Connection) -> str | None:
    """The revision that the database is of; None of a new one."""
    if not inspect(connection).has_table(_version.name):
        return None
    revision: str | None = connection.scalar(select(_version.c.version_num))
    return revision


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise LedgerError(
            "the ledger was written by a newer Lakebed",
            subject=name_of(connection.engine.url),
            advice="upgrade Lakebed, or use another ledger",
        ) from error
