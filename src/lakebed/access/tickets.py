"""What opens something once, or for a while: kept by the digest of a secret that one side has."""

import time
from enum import StrEnum

from sqlalchemy import ColumnElement, Engine, delete, insert, select

from lakebed.access.secret import digest, new_secret
from lakebed.database.clock import Clock
from lakebed.database.tables import tickets
from lakebed.database.transaction import reading, writing


class Purpose(StrEnum):
    CODE = "code"
    """Signs somebody in at a browser, once."""
    SESSION = "session"
    """Keeps somebody signed in."""


class Tickets:
    """Every method is one transaction and raises LedgerError where the database fails."""

    def __init__(self, engine: Engine, clock: Clock = time.time) -> None:
        self._engine = engine
        self._now = clock

    def issue(self, purpose: Purpose, data: str, seconds: float) -> str:
        """The secret of a new ticket. What has expired is forgotten."""
        now, secret = self._now(), new_secret()
        row = {
            "id_sha256": digest(secret),
            "purpose": purpose,
            "data": data,
            "expires": now + seconds,
        }
        with writing(self._engine) as connection:
            connection.execute(delete(tickets).where(tickets.c.expires <= now))
            connection.execute(insert(tickets), row)
        return secret

    def read(self, purpose: Purpose, secret: str) -> str | None:
        """The data of a ticket, None where it is none, or no more."""
        query = select(tickets.c.data).where(self._valid(purpose, secret))
        with reading(self._engine) as connection:
            found: str | None = connection.scalar(query)
            return found

    def redeem(self, purpose: Purpose, secret: str) -> str | None:
        """As `read`, and it is used up: of two that show it at once, one is told."""
        used = delete(tickets).where(self._valid(purpose, secret)).returning(tickets.c.data)
        with writing(self._engine) as connection:
            found: str | None = connection.scalar(used)
            return found

    def revoke(self, secret: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(delete(tickets).where(tickets.c.id_sha256 == digest(secret)))

    def _valid(self, purpose: Purpose, secret: str) -> ColumnElement[bool]:
        return (
            (tickets.c.id_sha256 == digest(secret))
            & (tickets.c.purpose == purpose)
            & (tickets.c.expires > self._now())
        )
