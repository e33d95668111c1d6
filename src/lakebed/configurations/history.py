"""Versions of the configuration that a service has loaded, in the ledger's database.

What is recorded holds no secret: a configuration whose files do is not recorded.
"""

import getpass
import json
import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from pydantic import JsonValue
from sqlalchemy import Connection, Engine, Row, func, select

from lakebed.configurations.effective import canonical, contents, effective, fingerprint
from lakebed.database.clock import Clock, clock_of
from lakebed.database.dialect import insert_into
from lakebed.database.tables import configurations
from lakebed.database.text import storable
from lakebed.database.transaction import reading, writing
from lakebed.errors import UsageError
from lakebed.observe.log import HIDDEN, redact
from lakebed.settings.layers import Layers
from lakebed.settings.literal import literals
from lakebed.settings.locate import with_comments

MOST = 500
_NAMED = re.compile(r"(?i)((?:secret|token|passw(?:or)?d|key|ledger|proxy)\w*['\"]?\s*[=:]\s*).+")


@dataclass(frozen=True, slots=True)
class Version:
    """`at` in epoch seconds, `sha256` of the canonical content."""

    number: int
    at: float
    author: str
    environment: str
    sha256: str
    content: Mapping[str, JsonValue] = field(repr=False)
    files: Mapping[str, str] = field(repr=False)
    """The text of each file, by its name; the base first."""


class History:
    """Every method is a transaction or two, and raises LedgerError where the database fails."""

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._now = clock or clock_of(engine)

    def record(self, layers: Layers, author: str) -> Version:
        """Remember what is loaded now; the version before, where that is the same.

        Raises ConfigurationError where a file holds a secret, or is wrong.
        """
        if found := literals(layers):
            raise found[0].error()
        content = canonical(contents(effective(layers, layers.written())))
        sha256 = fingerprint(content)
        texts = {file.path.name: recordable(file.text) for file in layers.files}
        row = {
            "at": self._now(),
            "author": storable(author),
            "environment": layers.environment,
            "sha256": sha256,
            "content": content,
            "files": json.dumps(texts),
        }
        while True:
            with writing(self._engine) as connection:
                # Its number before the newest: what comes between them takes the number.
                number = 1 + (connection.scalar(select(func.max(configurations.c.number))) or 0)
                newest = _newest(connection, layers.environment)
                if newest and newest.sha256 == sha256:
                    return newest
                insert = insert_into(self._engine, configurations).on_conflict_do_nothing()
                if connection.execute(insert, {"number": number, **row}).rowcount:
                    break
            # Another replica took this number, perhaps for the same: look again.
        return self.version(number)

    def versions(self, limit: int = MOST, before: int | None = None) -> list[Version]:
        """The newest first; those before a number."""
        query = select(configurations).order_by(configurations.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(configurations.c.number < before)
        with reading(self._engine) as connection:
            return [_version(row) for row in connection.execute(query)]

    def version(self, number: int) -> Version:
        """Raises UsageError where there is none of this number."""
        query = select(configurations).where(configurations.c.number == number)
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise UsageError(
                "no such version of the configuration",
                subject=str(number),
                advice="`lakebed config history`",
            )
        return _version(row)

    def newest(self, environment: str) -> Version | None:
        """The version that was loaded last in an environment."""
        with reading(self._engine) as connection:
            return _newest(connection, environment)


def author() -> str:
    """Who runs this process, and where."""
    name = "unknown"
    with suppress(KeyError, OSError):  # a user without an entry, as in many containers
        name = getpass.getuser()
    return f"{name}@{socket.gethostname()}"


def recordable(text: str) -> str:
    """The text of a file that holds no secret in its values, without those of its comments."""
    return with_comments(text, lambda comment: redact(_NAMED.sub(rf"\1{HIDDEN}", comment)))


def _newest(connection: Connection, environment: str) -> Version | None:
    query = (
        select(configurations)
        .where(configurations.c.environment == environment)
        .order_by(configurations.c.number.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return _version(row) if row else None


def _version(row: Row[tuple[object, ...]]) -> Version:
    return Version(
        row.number,
        row.at,
        row.author,
        row.environment,
        row.sha256,
        json.loads(row.content),
        json.loads(row.files),
    )
