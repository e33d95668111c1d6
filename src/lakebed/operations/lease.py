"""The right to run an operation: one process has it, for a while, under a fencing token.

Each taking of the lease adds one to the token (the fence). Every write of a run checks the fence
in its own transaction, so that a process which lost its lease and does not know it yet can still
write nothing.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Self

from sqlalchemy import Connection, Engine, bindparam, func, select, update

from lakebed.database.clock import Clock, clock_of
from lakebed.database.prepared import Prepared
from lakebed.database.tables import operations
from lakebed.database.transaction import reading, writing
from lakebed.errors import Cancelled, LakebedError, LeaseLost, LedgerError, RunningElsewhere
from lakebed.model.operation import OperationState
from lakebed.operations.operation import LEASE, Operation, find
from lakebed.operations.owner import Owner
from lakebed.operations.states import advance
from lakebed.store.cancellation import Cancellation

DURATION = LEASE
INTERVAL = 2.0
"""Seconds between renewals: five may fail before the lease is lost."""

FARTHEST = 2 * DURATION
"""Seconds from now up to which the end of a lease is believed: beyond it, it was written before
the clock was set back."""

_LAST_RUN = (
    func.coalesce(operations.c.finished, operations.c.lease_until - DURATION)
    - operations.c.run_started
)
"""Seconds of the last run, up to its last sign of life; NULL where there was none."""


def is_held(operation: Operation, now: float) -> bool:
    """Whether a process still runs the operation, as far as one can know from here."""
    return (
        operation.state is OperationState.RUNNING
        and now < operation.lease_until <= now + FARTHEST
        and not Owner.parse(operation.owner).is_gone()
    )


@dataclass(slots=True)
class Lease:
    engine: Engine
    operation_id: str
    fence: int
    clock: Clock
    _ended: threading.Event = field(default_factory=threading.Event, repr=False)
    _touch: Prepared = field(init=False, repr=False)
    _sure_until: float = field(default=0.0, init=False, repr=False)
    """By this machine's clock that nobody sets: until then no other process can have it."""

    def __post_init__(self) -> None:
        ours = (operations.c.id == bindparam("ours")) & (operations.c.fence == bindparam("held"))
        touch = update(operations).where(ours).values(fence=operations.c.fence)
        self._touch = Prepared(self.engine, touch, ())

    @classmethod
    def acquire(cls, engine: Engine, operation_id: str, clock: Clock | None = None) -> Self:
        """Take the lease; the operation is `running` when this returns.

        Raises RunningElsewhere while another process has it (not one that is known to be gone),
        OperationError where the operation has ended for good, UnknownOperation.
        """
        clock = clock or clock_of(engine)
        now = clock()
        with writing(engine) as connection:
            operation = find(connection, operation_id, for_update=True)
            if is_held(operation, now):
                raise _running_elsewhere(operation)
            return cls(engine, operation.id, take(connection, operation, now), clock)

    def renew(self) -> bool:
        """Hold it for another while; whether somebody asked to cancel the operation.

        Raises LeaseLost where another process has taken it, or the operation has ended.
        """
        began, until = monotonic(), self.clock() + DURATION
        with writing(self.engine) as connection:
            cancel_requested = connection.scalar(
                update(operations)
                .where(
                    operations.c.id == self.operation_id,
                    operations.c.fence == self.fence,
                    operations.c.state == OperationState.RUNNING,
                )
                .values(lease_until=until)
                .returning(operations.c.cancel_requested)
            )
        if cancel_requested is None:
            raise lease_lost(self.operation_id)
        self._sure_until = began + DURATION
        return bool(cancel_requested)

    def expect(self) -> None:
        """Go on where it is ours, which is asked only after a time in which nobody renewed it: of a
        process that was stopped. Raises LeaseLost."""
        if monotonic() > self._sure_until:
            self.renew()

    def confirm(self) -> None:
        """Go on where the ledger says now that it is ours. Raises LeaseLost."""
        self.expect()
        ours = (operations.c.id == self.operation_id) & (operations.c.fence == self.fence)
        with reading(self.engine) as connection:
            state = connection.scalar(select(operations.c.state).where(ours))
        if state != OperationState.RUNNING:
            raise lease_lost(self.operation_id)

    def check(self, connection: Connection) -> None:
        """Lock the operation's row for this transaction, if it is still ours; else LeaseLost."""
        if not self._touch.execute(connection, [{"ours": self.operation_id, "held": self.fence}]):
            raise lease_lost(self.operation_id)

    @contextmanager
    def held(self, cancellation: Cancellation, interval: float = INTERVAL) -> Iterator[None]:
        """Renew every `interval` seconds until the scope ends.

        Stops `cancellation` with LeaseLost when the lease is lost, with Cancelled when somebody
        asked for that, and with what else keeps it from being renewed.
        """
        heart = threading.Thread(
            target=self._beat, args=(cancellation, interval), name=f"lease-{self.operation_id}"
        )
        self._ended.clear()
        heart.start()
        try:
            yield
        finally:
            self._ended.set()
            heart.join()

    def _beat(self, cancellation: Cancellation, interval: float) -> None:
        try:
            self._renew_until_ended(cancellation, interval)
        except LakebedError as error:
            cancellation.stop(error)
        except Exception as error:
            # A run whose lease nobody renews must not go on as if it had one.
            cancellation.stop(LakebedError(f"the lease's heartbeat broke: {error!r}"))

    def _renew_until_ended(self, cancellation: Cancellation, interval: float) -> None:
        # What the ledger's own clock says cannot be asked where it is away.
        self._sure_until = monotonic() + DURATION
        while True:
            try:
                if self.renew():
                    cancellation.stop(Cancelled("somebody cancelled it", subject=self.operation_id))
            except LedgerError:
                # The ledger may be back before the lease runs out.
                if monotonic() > self._sure_until:
                    raise lease_lost(self.operation_id) from None
            if self._ended.wait(interval):
                return


def take(connection: Connection, operation: Operation, now: float) -> int:
    """The fence under which this process runs the operation from now on.

    Raises OperationError where it has ended for good. Nobody else must hold it.
    """
    if operation.state is not OperationState.RUNNING:
        advance(operation.state, OperationState.RUNNING)
    fence = operation.fence + 1
    connection.execute(
        update(operations)
        .where(operations.c.id == operation.id)
        .values(
            state=OperationState.RUNNING,
            owner=str(Owner.current()),
            fence=fence,
            lease_until=now + DURATION,
            started=func.coalesce(operations.c.started, now),
            run_started=now,
            earlier_seconds=operations.c.earlier_seconds + func.coalesce(_LAST_RUN, 0.0),
            finished=None,
            error=None,
            message=None,
        )
    )
    return fence


def lease_lost(operation_id: str) -> LeaseLost:
    return LeaseLost(
        "another process took the operation over",
        subject=operation_id,
        advice="see `lakebed operations` for who runs it",
    )


def _running_elsewhere(operation: Operation) -> RunningElsewhere:
    owner = Owner.parse(operation.owner)
    until = datetime.fromtimestamp(operation.lease_until, UTC)
    return RunningElsewhere(
        f"process {owner.pid} on {owner.host} runs it, with a lease until {until:%H:%M:%S} UTC",
        subject=operation.id,
        advice="wait for it, or stop it with `lakebed cancel`",
    )
