"""The queue: operations that a service was asked for, taken up by whichever replica is free."""

import json
from collections.abc import Collection, Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Join,
    Select,
    delete,
    func,
    insert,
    select,
    text,
    update,
)

from lakebed.database.clock import Clock, clock_of
from lakebed.database.dialect import insert_into
from lakebed.database.tables import events, idempotency, operations, queue
from lakebed.database.text import storable
from lakebed.database.transaction import reading, writing
from lakebed.errors import KeyReused, LakebedError, LedgerError, ProcessDied, TooManyRequests
from lakebed.model.operation import OperationState, Request
from lakebed.observe.log import redact
from lakebed.operations.lease import FARTHEST, Lease, is_held, take
from lakebed.operations.ledger import create
from lakebed.operations.operation import find
from lakebed.operations.states import advance
from lakebed.operations.submission import Claim, Enqueued, Idempotency, Submission

FULL = 60.0
"""Seconds after which a caller with too many operations may find that some have ended."""
LONGEST_PAUSE = 60.0
"""Seconds; above what an operation that ran before is kept back for."""
MOST_WANTED = 10_000
"""Operations of one caller that wait or run, at the most."""
MOST_CRASHES = 3
"""Ends of its process, one after another, after which an operation is `failed`."""
STEADY = 600.0
"""Seconds of a run after which crashes before it no longer count."""
PAUSE = 1.0
"""Seconds before an operation that was handed back is taken up again: where what ended it goes on
to be, nobody is to try without a pause."""
REMEMBERED = 86_400.0
"""Seconds for which an idempotency key is kept: a day."""

_IDLE = (
    OperationState.QUEUED,
    OperationState.INTERRUPTED,
    OperationState.FAILED,
    OperationState.PARTIAL,
    OperationState.QUARANTINED,
)
"""States from which a wanted operation is begun or goes on."""

_CUT_OFF = text(
    "SELECT pg_terminate_backend(pid) FROM operations JOIN pg_stat_activity"
    " ON backend_xid = operations.xmax AND datname = current_database()"
    " WHERE operations.state = 'running' AND operations.lease_until <= :now"
)
"""A process that was stopped while it sent statements holds its operation's row for as long, and no
timeout of PostgreSQL 15 ends that: who finds its lease at an end cuts it off from the database."""


class Queue:
    """Every method is one transaction and raises LedgerError where the database fails."""

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self.engine = engine
        self.now = clock or clock_of(engine)
        self._unreadable: set[str] = set()

    def enqueue(
        self,
        requests: Sequence[tuple[Request, Submission]],
        idempotency_key: Idempotency | None = None,
    ) -> Enqueued:
        """Remember new operations, all or none; those of the same key before, where there are any.

        Raises KeyReused where that key came with another body, TooManyRequests where the caller has
        MOST_WANTED operations waiting.
        """
        now = self.now()
        caller = requests[0][1].caller
        with writing(self.engine) as connection:
            if idempotency_key is not None:
                known = _reserve(self.engine, connection, caller, idempotency_key, now)
                if known is not None:
                    return Enqueued(known, repeated=True)
            _check_room(connection, caller, len(requests))
            ids = tuple(self._add(connection, *one, now) for one in requests)
            if idempotency_key is not None:
                connection.execute(
                    update(idempotency)
                    .where(_named(caller, idempotency_key))
                    .values(answer=json.dumps(ids))
                )
        return Enqueued(ids)

    def _add(
        self, connection: Connection, request: Request, submission: Submission, now: float
    ) -> str:
        operation_id = create(connection, request, now)
        _insert(connection, operation_id, submission, now)
        first = {"operation": operation_id, "number": 1, "at": now, "kind": "queued", "data": "{}"}
        connection.execute(insert(events), first)
        return operation_id

    def claim(self, but: Collection[str] = ()) -> Claim | None:
        """Take up the operation that is to run next, under a lease of this process.

        The highest priority first; of one priority, those of the caller of whom the fewest run;
        of these the oldest. What a process that is gone has left comes first of its priority.
        `but` are operations that this replica has processes of, which it knows of without a clock.
        """
        now = self.now()
        with writing(self.engine) as connection:
            row = connection.execute(_next(now, {*but, *self._unreadable})).mappings().first()
            if row is None:
                if self.engine.dialect.name == "postgresql":
                    connection.execute(_CUT_OFF, {"now": now})
                return None
            try:
                operation = find(connection, row["operation"], for_update=True)
            except LedgerError:
                # A newer replica was asked for it, and is to do it; the others behind it are ours.
                self._unreadable.add(row["operation"])
                raise
            lease = Lease(self.engine, operation.id, take(connection, operation, now), self.now)
        submission = Submission(
            **{name: row[name] for name in Submission.__dataclass_fields__}  # columns of that name
        )
        again = operation.run_started is not None
        waited = max(0.0, now - max(row["enqueued"], submission.not_before))
        return Claim(lease, operation.request, submission, again, waited)

    def want(self, operation_id: str, submission: Submission) -> None:
        """Have an operation run again, as if it was asked for now, by whom `submission` names.

        Whoever asked for it first still counts as its caller, and its priority stays. One that
        waits to begin keeps its place, its time and its authority. Raises OperationError where it
        runs or has ended for good, UnknownOperation.
        """
        now = self.now()
        with writing(self.engine) as connection:
            operation = find(connection, operation_id, for_update=True)
            is_left = operation.state is OperationState.RUNNING and not is_held(operation, now)
            if operation.state not in _IDLE and not is_left:
                advance(operation.state, OperationState.RUNNING)
            here = queue.c.operation == operation.id
            is_wanted = connection.scalar(select(queue.c.wanted).where(here))
            if is_wanted and operation.state is OperationState.QUEUED:
                return
            known = connection.execute(
                update(queue)
                .where(here)
                .values(
                    wanted=True,
                    not_before=now,
                    enqueued=now,
                    crashes=0,
                    authority=submission.authority,
                )
            )
            if not known.rowcount:  # it was begun without the service
                _insert(connection, operation.id, submission, now)

    def is_ours(self, lease: Lease) -> bool:
        """Whether the run of a lease goes on, as far as the ledger knows."""
        now = self.now()
        ours = _running(lease) & _is_held(now)
        with reading(self.engine) as connection:
            return bool(connection.scalar(select(func.count()).where(ours)))

    def hand_back(self, lease: Lease) -> None:
        """Let go of an operation that is to go on elsewhere; nothing where it is not ours."""
        now = self.now()
        with writing(self.engine) as connection:
            if _let_go(connection, lease, now, state=OperationState.INTERRUPTED):
                connection.execute(
                    update(queue)
                    .where(queue.c.operation == lease.operation_id)
                    .values(not_before=now + PAUSE)
                )

    def refuse(self, lease: Lease, error: LakebedError) -> None:
        """End an operation that may not begin; nothing where it is not ours."""
        ended = {
            "state": OperationState.FAILED,
            "error": error.code,
            "message": storable(redact(str(error))),
            "finished": self.now(),
            "lease_until": 0.0,
        }
        here = queue.c.operation == lease.operation_id
        with writing(self.engine) as connection:
            if connection.execute(update(operations).where(_running(lease)).values(ended)).rowcount:
                connection.execute(update(queue).where(here).values(wanted=False))

    def crashed(self, lease: Lease, reason: str) -> None:
        """The process of an operation ended without a word: it is tried again after a pause, and
        `failed` after MOST_CRASHES of them."""
        now = self.now()
        here = queue.c.operation == lease.operation_id
        with writing(self.engine) as connection:
            operation = find(connection, lease.operation_id, for_update=True)
            before = int(connection.scalar(select(queue.c.crashes).where(here)) or 0)
            crashes = 1 if now - (operation.run_started or now) > STEADY else before + 1
            gone = ProcessDied(f"its process {reason}, {crashes} times", subject=operation.id)
            ended = crashes >= MOST_CRASHES
            state = OperationState.FAILED if ended else OperationState.INTERRUPTED
            if _let_go(connection, lease, now, state=state, error=gone.code, message=str(gone)):
                connection.execute(
                    update(queue)
                    .where(here)
                    .values(crashes=crashes, wanted=not ended, not_before=now + 2.0**crashes)
                )

    def submission(self, operation_id: str) -> Submission | None:
        """Who asked for an operation; None where no service was asked for it."""
        columns = [queue.c[name] for name in Submission.__dataclass_fields__]
        with reading(self.engine) as connection:
            row = connection.execute(
                select(*columns).where(queue.c.operation == operation_id)
            ).mappings()
            found = row.first()
        return Submission(**found) if found else None

    def is_wanted(self, operation_id: str) -> bool:
        """Whether a replica is to run it, or runs it."""
        query = select(queue.c.wanted).where(queue.c.operation == operation_id)
        with reading(self.engine) as connection:
            return bool(connection.scalar(query))

    def depth(self) -> int:
        """How many operations wait for a replica, now or later."""
        waiting = queue.c.wanted & (operations.c.state != OperationState.RUNNING)
        query = select(func.count()).select_from(_joined()).where(waiting)
        with reading(self.engine) as connection:
            return int(connection.scalar(query) or 0)


def _reserve(
    engine: Engine, connection: Connection, caller: str, given: Idempotency, now: float
) -> tuple[str, ...] | None:
    """The ids that the key stands for already. Of two requests that arrive at once, the second
    waits here for the transaction of the first."""
    old = idempotency.c.at < now - REMEMBERED
    connection.execute(delete(idempotency).where(idempotency.c.caller == caller, old))
    row = {
        "caller": caller,
        "key": given.key,
        "body_sha256": given.body_sha256,
        "answer": "[]",
        "at": now,
    }
    new = insert_into(engine, idempotency).values(row).on_conflict_do_nothing()
    if connection.execute(new.returning(idempotency.c.key)).first() is not None:
        return None
    known = connection.execute(select(idempotency).where(_named(caller, given))).mappings().one()
    if known["body_sha256"] != given.body_sha256:
        raise KeyReused(
            "this idempotency key was given to another request",
            subject=given.key,
            advice="send the same body again, or use another key",
        )
    return tuple(json.loads(known["answer"]))


def _check_room(connection: Connection, caller: str, more: int) -> None:
    theirs = queue.c.wanted & (queue.c.caller == caller)
    held = connection.scalar(select(func.count()).select_from(queue).where(theirs)) or 0
    if held + more > MOST_WANTED:
        raise TooManyRequests(
            f"{held} operations of this caller wait already",
            retry_after=FULL,
            advice="wait until some have ended, or cancel them",
        )


def _named(caller: str, given: Idempotency) -> ColumnElement[bool]:
    return (idempotency.c.caller == caller) & (idempotency.c.key == given.key)


def _joined() -> Join:
    return queue.join(operations, queue.c.operation == operations.c.id)


def _insert(connection: Connection, operation_id: str, given: Submission, now: float) -> None:
    columns = {name: getattr(given, name) for name in Submission.__dataclass_fields__}
    row = {"operation": operation_id, "enqueued": now, "wanted": True, "crashes": 0}
    connection.execute(insert(queue), row | columns)


def _let_go(connection: Connection, lease: Lease, now: float, **values: str | None) -> bool:
    """End the run of a lease; whether there was one. Its process, if it only seems to be gone,
    can write nothing under the next fence."""
    ended = connection.execute(
        update(operations)
        .where(_running(lease))
        .values(fence=lease.fence + 1, lease_until=0.0, finished=now, **values)
    )
    return bool(ended.rowcount)


def _running(lease: Lease) -> ColumnElement[bool]:
    return (
        (operations.c.id == lease.operation_id)
        & (operations.c.fence == lease.fence)
        & (operations.c.state == OperationState.RUNNING)
    )


def _is_held(now: float) -> ColumnElement[bool]:
    until = operations.c.lease_until
    return (until > now) & (until <= now + FARTHEST)


def _is_due(now: float) -> ColumnElement[bool]:
    """A pause that ends later than any pause can was written before the clock was set back; what
    has not been begun may be scheduled for any time."""
    too_late = queue.c.not_before > now + LONGEST_PAUSE
    return (queue.c.not_before <= now) | ((operations.c.state != OperationState.QUEUED) & too_late)


def _next(now: float, but: Collection[str]) -> "Select[tuple[object, ...]]":
    table = operations.c
    is_running = table.state == OperationState.RUNNING
    busy = (
        select(queue.c.caller, func.count().label("running"))
        .select_from(_joined())
        .where(queue.c.wanted, is_running, _is_held(now))
        .group_by(queue.c.caller)
        .subquery()
    )
    free = table.state.in_(_IDLE) | (is_running & ~_is_held(now))
    return (
        select(queue)
        .join(operations, queue.c.operation == table.id)
        .outerjoin(busy, busy.c.caller == queue.c.caller)
        .where(queue.c.wanted, _is_due(now), free, ~table.pruned, table.id.not_in(but))
        .order_by(
            queue.c.priority.desc(),
            is_running.desc(),
            func.coalesce(busy.c.running, 0),
            queue.c.enqueued,
            queue.c.operation,
        )
        .limit(1)
        .with_for_update(of=(queue, operations), skip_locked=True)
    )
