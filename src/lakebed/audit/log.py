"""The log in the database: entries are appended, and read in their order."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Self

from sqlalchemy import Connection, Engine, Row, Select, insert, select

from lakebed.audit.entry import BEFORE_ALL, Entry, Fact, follows, mac_of
from lakebed.database.clock import Clock, clock_of
from lakebed.database.tables import audit
from lakebed.database.text import storable
from lakebed.database.transaction import reading, writing
from lakebed.errors import ConfigurationError, LedgerError

PAGE = 500
"""Rows read at once."""
BEGUN = Fact("lakebed", "audit begins")
"""The first entry: by it a key is known for the right one."""
_LOCK = "LOCK TABLE audit IN SHARE ROW EXCLUSIVE MODE"


class Log:
    """Replicas append to one chain: each waits for the transaction of the other, and readers for
    neither."""

    def __init__(self, engine: Engine, key: bytes, clock: Clock | None = None) -> None:
        self.engine = engine
        self._key = key
        self.now = clock or clock_of(engine)

    @classmethod
    def open(cls, engine: Engine, key: bytes, clock: Clock | None = None) -> Self:
        """Begin the log, or go on with it. Raises ConfigurationError where its key is another."""
        log = cls(engine, key, clock)
        first = next(entries(engine, most=1), None) or log._begin()
        if not follows(key, BEFORE_ALL, first):
            raise ConfigurationError(
                "the audit log of this database was begun with another key",
                subject="audit.key",
                advice="all replicas need the key of the first; then see `lakebed audit verify`",
            )
        return log

    def append(self, facts: Sequence[Fact]) -> Entry:
        """Enter facts at the end, all or none; the last of them. Raises LedgerError."""
        now = self.now()
        with writing(self.engine) as connection:
            last = _last(connection)
            if last is None:
                raise LedgerError("the audit log is gone", advice="see `lakebed audit verify`")
            return self._add(connection, last, facts, now)

    def last(self) -> Entry | None:
        with reading(self.engine) as connection:
            row = connection.execute(_newest()).first()
        return _entry(row) if row else None

    def _begin(self) -> Entry:
        now = self.now()
        with writing(self.engine) as connection:
            if _last(connection) is None:
                before = Entry(0, now, BEGUN, BEFORE_ALL)
                return self._add(connection, before, [BEGUN], now)
        return next(entries(self.engine, most=1))

    def _add(self, connection: Connection, last: Entry, facts: Sequence[Fact], now: float) -> Entry:
        rows = []
        for given in facts:
            fact = Fact(*(storable(getattr(given, name)) for name in Fact.__dataclass_fields__))
            number = last.number + 1
            last = Entry(number, now, fact, mac_of(self._key, last.mac, number, now, fact))
            rows.append(_row(last))
        connection.execute(insert(audit), rows)
        return last


def entries(engine: Engine, after: int | None = None, most: int | None = None) -> Iterator[Entry]:
    """In their order, from the first of a number above `after` on, read as a stream."""
    query = select(audit).order_by(audit.c.number).limit(min(PAGE, most or PAGE))
    left = most
    while left is None or left > 0:
        beyond = query if after is None else query.where(audit.c.number > after)
        with reading(engine) as connection:
            page = connection.execute(beyond).all()
        found = [_entry(row) for row in page][:left]
        yield from found
        if len(page) < PAGE:
            return
        after = found[-1].number
        left = None if left is None else left - len(found)


def newest(engine: Engine, most: int) -> list[Entry]:
    """The last entries, in their order."""
    with reading(engine) as connection:
        rows = connection.execute(_newest(most)).all()
    return [_entry(row) for row in reversed(rows)]


def _last(connection: Connection) -> Entry | None:
    """The entry to go on from, for this transaction alone."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_LOCK)
    row = connection.execute(_newest()).first()
    return _entry(row) if row else None


def _newest(most: int = 1) -> "Select[tuple[object, ...]]":
    return select(audit).order_by(audit.c.number.desc()).limit(most)


def _entry(row: "Row[tuple[object, ...]]") -> Entry:
    found = row._mapping
    fact = Fact(found["actor"], found["action"], found["subject"], found["detail"])
    return Entry(found["number"], found["at"], fact, bytes(found["mac"]))


def _row(entry: Entry) -> Mapping[str, object]:
    fact = entry.fact
    return {
        "number": entry.number,
        "at": entry.at,
        "actor": fact.actor,
        "action": fact.action,
        "subject": fact.subject,
        "detail": fact.detail,
        "mac": entry.mac,
    }
