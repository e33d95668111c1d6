"""An operation as the ledger holds it, and the making of its id."""

import secrets
from dataclasses import dataclass
from typing import Self

from sqlalchemy import Connection, RowMapping, select

from lakebed.database.tables import operations
from lakebed.errors import UnknownOperation
from lakebed.model.operation import Counters, OperationState, Request
from lakebed.operations.request_json import load_request

LEASE = 12.0
"""Seconds for which a lease holds: how long an operation waits for a machine that died."""

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: sorts as its values do, and has no letters that look like digits."""
_TIME_DIGITS, _RANDOM_DIGITS = 9, 7
LENGTH = _TIME_DIGITS + _RANDOM_DIGITS
"""Letters and digits of an id."""


def new_id(now: float) -> str:
    """16 letters and digits that sort by time: milliseconds since the epoch, then chance."""
    number = int(now * 1000) << 5 * _RANDOM_DIGITS | secrets.randbits(5 * _RANDOM_DIGITS)
    places = reversed(range(LENGTH))
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in places)


@dataclass(frozen=True, slots=True)
class Operation:
    """Moments in epoch seconds, None for what has not happened. `cursor` is the relative key up to
    which it has planned; `owner` the process that has, or last had, its lease."""

    id: str
    request: Request
    state: OperationState
    created: float
    started: float | None
    finished: float | None
    cursor: str
    counters: Counters
    error: str | None
    message: str | None
    note: str | None
    owner: str
    fence: int
    lease_until: float
    cancel_requested: bool
    run_started: float | None
    earlier_seconds: float

    @classmethod
    def from_row(cls, row: RowMapping) -> Self:
        return cls(
            id=row["id"],
            request=load_request(row["request"]),
            state=OperationState(row["state"]),
            created=row["created"],
            started=row["started"],
            finished=row["finished"],
            cursor=row["cursor"].decode(),
            counters=Counters(**{name: row[name] for name in COUNTERS}),
            error=row["error"],
            message=row["message"],
            note=row["note"],
            owner=row["owner"],
            fence=row["fence"],
            lease_until=row["lease_until"],
            cancel_requested=bool(row["cancel_requested"]),
            run_started=row["run_started"],
            earlier_seconds=row["earlier_seconds"],
        )

    def seconds(self, now: float) -> float:
        """How long its runs took together; a killed one counts up to its last sign of life."""
        if self.run_started is None:
            return 0.0
        end = now if self.state is OperationState.RUNNING else self.finished
        if end is None:
            end = self.lease_until - LEASE
        return self.earlier_seconds + max(0.0, end - self.run_started)


def find(connection: Connection, prefix: str, *, for_update: bool = False) -> Operation:
    """The one operation whose id starts with `prefix`, in upper or lower case; UnknownOperation.

    `for_update` keeps every other transaction from changing it until this one ends.
    """
    # A whole id is looked up, not searched for.
    if len(prefix) == LENGTH:
        meant = operations.c.id == prefix.upper()
    else:
        meant = operations.c.id.startswith(prefix.upper(), autoescape=True)
    query = select(operations).where(meant, ~operations.c.pruned).limit(2)
    if for_update:
        query = query.with_for_update()
    found = connection.execute(query).mappings().all() if prefix else []
    if len(found) == 1:
        return Operation.from_row(found[0])
    raise UnknownOperation(
        "several operations begin so" if found else "no such operation",
        subject=prefix,
        advice="write more of it" if found else "`lakebed operations` lists them",
    )


COUNTERS = tuple(Counters.__dataclass_fields__)
"""The counters by name, which are also those of their columns."""
