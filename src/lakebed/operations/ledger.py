"""The ledger: the durable record of operations, and the only truth about what is done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine, insert, select, update

from lakebed.database.clock import Clock, clock_of
from lakebed.database.dialect import replace_into
from lakebed.database.tables import capabilities, objects, operations, queue
from lakebed.database.text import storable
from lakebed.database.transaction import begin_snapshot, reading, writing
from lakebed.errors import Interrupted, LakebedError
from lakebed.model.operation import NEXT_STATES, ObjectState, OperationState, Request, Summary
from lakebed.model.report import Report
from lakebed.observe.log import redact
from lakebed.operations.lease import is_held, lease_lost
from lakebed.operations.operation import COUNTERS, Operation, find, new_id
from lakebed.operations.request_json import dump_request
from lakebed.operations.states import advance
from lakebed.operations.story import errors, tell
from lakebed.operations.summary import summarize

PAGE = 500
"""Rows read at once."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An object that failed or is in quarantine. `error` is the error's code."""

    key: str
    state: ObjectState
    error: str | None
    message: str | None


class Ledger:
    """Every method is one transaction and raises LedgerError where the database fails; those that
    take an operation's id raise UnknownOperation."""

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self.engine = engine
        self.now = clock or clock_of(engine)

    def create(self, request: Request) -> str:
        """Remember a new operation, `queued`; its id."""
        now = self.now()
        with writing(self.engine) as connection:
            return create(connection, request, now)

    def get(self, prefix: str) -> Operation:
        """The one operation whose id starts so, in upper or lower case.

        One whose process was killed is `interrupted` here, as it is to a user: its row says
        `running` until somebody resumes it.
        """
        with reading(self.engine) as connection:
            found = find(connection, prefix)
        return self.seen(found)

    def list(self, state: OperationState | None = None, limit: int = 100) -> list[Operation]:
        """Newest first."""
        query = select(operations).where(~operations.c.pruned)
        if state in (OperationState.RUNNING, OperationState.INTERRUPTED):
            # Which of the running ones are, only their leases tell.
            query = query.where(operations.c.state.in_((OperationState.RUNNING, state)))
        else:
            query = query.where(operations.c.state == state) if state else query
            query = query.limit(limit)
        newest = query.order_by(operations.c.created.desc(), operations.c.id.desc())
        with reading(self.engine) as connection:
            rows = connection.execute(newest).mappings()
            found = [Operation.from_row(row) for row in rows]
        now = self.now()
        seen = [self.seen(one, now) for one in found]
        return [one for one in seen if state in (None, one.state)][:limit]

    def seen(self, operation: Operation, now: float | None = None) -> Operation:
        """Where `now` is not given the clock is asked, which may be the database's: never do so
        while a connection is held, or as many threads as there are connections wait for one more.
        """
        if operation.state is not OperationState.RUNNING:
            return operation
        if is_held(operation, self.now() if now is None else now):
            return operation
        return replace(operation, state=OperationState.INTERRUPTED)

    def summary(self, prefix: str) -> Summary:
        """What became of it, from its rows alone."""
        now = self.now()
        with reading(self.engine) as connection:
            return summarize(connection, self.seen(find(connection, prefix), now), now)

    def errors(self, operation_id: str) -> dict[str, int]:
        """How many of its objects failed or are in quarantine, by the code of their error."""
        with reading(self.engine) as connection:
            return errors(connection, operation_id)

    def report(self, prefix: str) -> Report:
        """All that its rows tell, at one moment."""
        now = self.now()
        with reading(self.engine) as connection:
            begin_snapshot(connection)
            return tell(connection, self.seen(find(connection, prefix), now), now)

    def failures(self, prefix: str) -> Iterator[Failure]:
        """What failed or is in quarantine, in key order, read as a stream."""
        operation_id = self.get(prefix).id
        columns = (objects.c.key, objects.c.state, objects.c.error, objects.c.message)
        refused = (ObjectState.FAILED, ObjectState.QUARANTINED)
        here = (objects.c.operation == operation_id) & objects.c.state.in_(refused)
        query = select(*columns).where(here).order_by(objects.c.key).limit(PAGE)
        beyond = query
        while True:
            with reading(self.engine) as connection:
                page = connection.execute(beyond).all()
            for key, state, error, message in page:
                yield Failure(key.decode(), ObjectState(state), error, message)
            if len(page) < PAGE:
                return
            beyond = query.where(objects.c.key > page[-1].key)

    def request_cancel(self, prefix: str) -> OperationState:
        """Ask the process that runs it to stop; where none does, it is `cancelled` at once.

        The state after that. Raises OperationError where it is not to be stopped any more.
        """
        now = self.now()
        with writing(self.engine) as connection:
            operation = find(connection, prefix, for_update=True)
            change = update(operations).where(operations.c.id == operation.id)
            if is_held(operation, now):
                connection.execute(change.values(cancel_requested=True))
                return operation.state
            ends = OperationState.CANCELLED in NEXT_STATES[operation.state]
            if not ends and _waits(connection, operation.id):
                _leave_queue(connection, operation.id)  # it stays as its last run left it
                return operation.state
            state = advance(operation.state, OperationState.CANCELLED)
            # A holder that only seemed to be gone can write nothing under a new fence.
            connection.execute(change.values(state=state, finished=now, fence=operation.fence + 1))
            _leave_queue(connection, operation.id)
            return state

    def finish(
        self,
        operation_id: str,
        fence: int,
        state: OperationState,
        error: LakebedError | None = None,
    ) -> None:
        """End a run under its fence; raise LeaseLost where another process has taken it over,
        OperationError where `state` may not follow."""
        now = self.now()
        with writing(self.engine) as connection:
            operation = find(connection, operation_id, for_update=True)
            if operation.fence != fence:
                raise lease_lost(operation.id)
            goes_on = isinstance(error, Interrupted)
            if not goes_on:
                _leave_queue(connection, operation.id)
            connection.execute(
                update(operations)
                .where(operations.c.id == operation.id)
                .values(
                    state=advance(operation.state, state),
                    finished=now,
                    error=error.code if error else None,
                    message=storable(redact(str(error))) if error else None,
                    # Of a run that ended first: it is not to end the next one.
                    cancel_requested=operation.cancel_requested and goes_on,
                )
            )

    def put_capabilities(self, store: str, bucket: str, found: str) -> None:
        """Remember what a probe found (JSON)."""
        row = {"store": store, "bucket": bucket, "found": found, "probed_at": self.now()}
        with writing(self.engine) as connection:
            connection.execute(replace_into(self.engine, capabilities), row)

    def get_capabilities(self, store: str, bucket: str, max_age: float) -> str | None:
        """What a probe found at most `max_age` seconds ago, as it was put."""
        query = select(capabilities.c.found).where(
            capabilities.c.store == store,
            capabilities.c.bucket == bucket,
            capabilities.c.probed_at >= self.now() - max_age,
        )
        with reading(self.engine) as connection:
            found: str | None = connection.scalar(query)
            return found

    def probed(self, max_age: float) -> Sequence[tuple[str, str, str]]:
        """Store, bucket and finding of each probe at most `max_age` seconds ago, by name."""
        table = capabilities.c
        query = (
            select(table.store, table.bucket, table.found)
            .where(table.probed_at >= self.now() - max_age)
            .order_by(table.store, table.bucket)
        )
        with reading(self.engine) as connection:
            return [(store, bucket, found) for store, bucket, found in connection.execute(query)]


def create(connection: Connection, request: Request, now: float) -> str:
    """A new operation, `queued`, in the transaction of something else; its id."""
    operation_id = new_id(now)
    row = {
        "id": operation_id,
        "request": dump_request(request),
        "state": OperationState.QUEUED,
        "created": now,
        "earlier_seconds": 0.0,
        "cursor": b"",
        "owner": "",
        "fence": 0,
        "lease_until": 0.0,
        "cancel_requested": False,
        "pruned": False,
    }
    connection.execute(insert(operations), row | dict.fromkeys(COUNTERS, 0))
    return operation_id


def _waits(connection: Connection, operation_id: str) -> bool:
    """Whether a replica is to run it."""
    here = queue.c.operation == operation_id
    return bool(connection.scalar(select(queue.c.wanted).where(here)))


def _leave_queue(connection: Connection, operation_id: str) -> None:
    """What has ended is not to be run again by itself."""
    here = queue.c.operation == operation_id
    connection.execute(update(queue).where(here).values(wanted=False, crashes=0))
