"""Deliveries in the database: what is still to be sent, by whichever replica comes first."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import (
    ColumnElement,
    Engine,
    Row,
    Select,
    delete,
    exists,
    select,
    update,
)

from lakebed.database.clock import Clock, clock_of
from lakebed.database.dialect import insert_into
from lakebed.database.tables import deliveries, operations, queue
from lakebed.database.text import storable
from lakebed.database.transaction import reading, writing
from lakebed.model.operation import OperationState
from lakebed.observe.log import redact
from lakebed.operations.states import FINISHED

PAGE = 100
SHORT_LIVED = 600.0
"""Seconds for which a word on the progress is kept."""
LONGEST = 300
"""Characters of what is kept of a failure."""


class Kind(StrEnum):
    COMPLETED = "completed"
    PROGRESS = "progress"


class State(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    GIVEN_UP = "given-up"
    UNASKED = "unasked"
    """Nobody wants to hear of it: so that it is not looked at again."""


@dataclass(frozen=True, slots=True)
class Due:
    """An operation of which a caller is to be told."""

    operation: str
    fence: int
    caller: str
    url: str
    asked: bool

    def id(self, kind: Kind, slot: int = 0) -> str:
        """The same on every replica: so it is told once."""
        return f"{self.operation}.{self.fence}.{kind}" + (f".{slot}" if slot else "")


@dataclass(frozen=True, slots=True)
class Delivery:
    id: str
    caller: str
    url: str
    kind: Kind
    body: str
    created: float
    attempts: int
    """Including the one that it was claimed for."""


class Deliveries:
    """Every method is one transaction and raises LedgerError."""

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self.engine = engine
        self.now = clock or clock_of(engine)

    def ended(self) -> list[Due]:
        """Operations that have ended, with no delivery of that end: after any crash they are still
        found here."""
        known = _of_this_run() & (deliveries.c.kind == Kind.COMPLETED)
        over = operations.c.state.in_(FINISHED) & ~queue.c.wanted
        return self._due(_notified(over & ~exists().where(known)), "notify_on_completion")

    def running(self) -> list[Due]:
        """Those under way, with no word on their progress that still waits."""
        waits = _of_this_run() & (deliveries.c.state == State.WAITING)
        under_way = (operations.c.state == OperationState.RUNNING) & queue.c.wanted
        found = self._due(_notified(under_way & ~exists().where(waits)), "notify_on_progress")
        return [one for one in found if one.asked]

    def _due(self, query: "Select[tuple[object, ...]]", flag: str) -> list[Due]:
        with reading(self.engine) as connection:
            rows = connection.execute(query).mappings().all()
        found = []
        for row in rows:
            told = json.loads(row["notification"])
            url, asked = str(told["webhook_url"]), bool(told.get(flag))
            found.append(Due(row["id"], row["fence"], row["caller"], url, asked))
        return found

    def add(self, due: Due, kind: Kind, body: str, slot: int = 0) -> bool:
        """Have it sent; False where it was added before."""
        now = self.now()
        row = {
            "id": due.id(kind, slot),
            "operation": due.operation,
            "fence": due.fence,
            "caller": due.caller,
            "kind": kind,
            "url": due.url if due.asked else "",
            "body": body if due.asked else "",
            "created": now,
            "attempts": 0,
            "next_at": now,
            "state": State.WAITING if due.asked else State.UNASKED,
        }
        with writing(self.engine) as connection:
            new = insert_into(self.engine, deliveries).values(row).on_conflict_do_nothing()
            return bool(connection.execute(new).rowcount)

    def claim(self, most: int, lease: float) -> Sequence[Delivery]:
        """Take up what is to be sent now; whatever is not settled within `lease` seconds is
        claimed again. What failed least comes first: a receiver that is away holds up no other."""
        now = self.now()
        here = (deliveries.c.state == State.WAITING) & (deliveries.c.next_at <= now)
        query = (
            select(deliveries)
            .where(here)
            .order_by(deliveries.c.attempts, deliveries.c.next_at)
            .limit(most)
        )
        with reading(self.engine) as connection:
            if connection.execute(query.limit(1)).first() is None:
                return ()  # without holding up any writer
        with writing(self.engine) as connection:
            rows = connection.execute(query.with_for_update(skip_locked=True)).all()
            connection.execute(
                update(deliveries)
                .where(deliveries.c.id.in_([row.id for row in rows]))
                .values(next_at=now + lease, attempts=deliveries.c.attempts + 1)
            )
        return [_delivery(row) for row in rows]

    def settle(self, delivery: Delivery, state: State, message: str | None = None) -> None:
        """It was sent, or is given up."""
        short = None if message is None else storable(redact(message))[:LONGEST]
        with writing(self.engine) as connection:
            connection.execute(
                update(deliveries)
                .where(deliveries.c.id == delivery.id)
                .values(state=state, message=short, body="")
            )

    def again(self, delivery: Delivery, after: float, message: str) -> None:
        """It is to be tried again in so many seconds."""
        values = {"next_at": self.now() + after, "message": storable(redact(message))[:LONGEST]}
        with writing(self.engine) as connection:
            connection.execute(
                update(deliveries).where(deliveries.c.id == delivery.id).values(values)
            )

    def forget(self) -> None:
        """What was told of the progress a while ago."""
        old = deliveries.c.created < self.now() - SHORT_LIVED
        with writing(self.engine) as connection:
            connection.execute(delete(deliveries).where(deliveries.c.kind == Kind.PROGRESS, old))


def _notified(which: ColumnElement[bool]) -> "Select[tuple[object, ...]]":
    return (
        select(operations.c.id, operations.c.fence, queue.c.caller, queue.c.notification)
        .join(queue, queue.c.operation == operations.c.id)
        .where(queue.c.notification.is_not(None), which)
        .limit(PAGE)
    )


def _of_this_run() -> ColumnElement[bool]:
    same = deliveries.c.operation == operations.c.id
    return same & (deliveries.c.fence == operations.c.fence)


def _delivery(row: "Row[tuple[object, ...]]") -> Delivery:
    found = row._mapping
    return Delivery(
        found["id"],
        found["caller"],
        found["url"],
        Kind(found["kind"]),
        found["body"],
        found["created"],
        found["attempts"] + 1,
    )
