"""Whether the database of the ledger can be worked with, and what it is."""

import os
from dataclasses import dataclass

from sqlalchemy import Engine, text

from lakebed.database.schema import HEAD, revision
from lakebed.database.transaction import name_of, reading
from lakebed.errors import LedgerError


@dataclass(frozen=True, slots=True)
class Database:
    version: str
    uptime: float | None
    """Seconds; None for a file."""


class Watched:
    """The database that an engine has opened."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._file = _file(engine)

    def look(self) -> Database:
        """Raises LedgerError where it is away, or not of this program's schema."""
        engine = self._engine
        if _file(engine) != self._file:
            # Connections that are open would go on with one that nobody finds again.
            raise LedgerError(
                "the ledger's file is gone, or another one",
                subject=name_of(engine.url),
                advice="put it back with its -wal and -shm, and start the replica again",
            )
        with reading(engine) as connection:
            found = revision(connection)
            if found != HEAD:
                raise LedgerError(
                    f"the ledger is of schema {found}, not {HEAD}",
                    subject=name_of(engine.url),
                    advice="start a replica of this version, which brings it up to date",
                )
            asked = _FILE if self._file else _SERVER
            return Database(*connection.execute(asked).one())


def _file(engine: Engine) -> tuple[int, int] | None:
    """Which file it is; None for a server, and for one that is not there."""
    if engine.dialect.name != "sqlite":
        return None
    try:
        status = os.stat(str(engine.url.database))
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


_SERVER = text(
    "SELECT 'PostgreSQL ' || current_setting('server_version'), "
    "extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::double precision"
)
_FILE = text("SELECT 'SQLite ' || sqlite_version(), NULL")
