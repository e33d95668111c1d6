"""What the transfer tells of one run, made durable in the ledger under the fence of its lease."""

import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, update

from lakebed.database.clock import Clock
from lakebed.database.dialect import insert_into
from lakebed.database.prepared import Prepared
from lakebed.database.tables import objects, operations
from lakebed.database.text import storable
from lakebed.database.transaction import reading, writing
from lakebed.model.operation import (
    Counters,
    ObjectState,
    Outcome,
    Request,
    Unit,
)
from lakebed.observe.log import redact
from lakebed.operations.lease import Lease, lease_lost
from lakebed.operations.live import Live
from lakebed.operations.memory import LedgerMemory
from lakebed.operations.operation import COUNTERS, find
from lakebed.operations.rows import PLANNED, arrived_copies, pending_units, rows_of
from lakebed.operations.settlement import Settlement
from lakebed.operations.uploads import LedgerUploads
from lakebed.operations.writer import LINGER, Writer
from lakebed.store.cancellation import Cancellation
from lakebed.transfer.recorder import Batch


class LedgerRecorder(LedgerMemory):
    """The recorder of one run, which holds `lease`. A context: what was settled inside it is
    durable when it ends, or its end raises why not (LeaseLost, LedgerError)."""

    def __init__(
        self,
        request: Request,
        lease: Lease,
        cancellation: Cancellation,
        *,
        clock: Clock = time.time,
        linger: float = LINGER,
    ) -> None:
        super().__init__(lease.engine, request)
        self.live = Live()
        self.uploads = LedgerUploads(lease)
        self._lease = lease
        self._clock = clock
        insert = insert_into(self._engine, objects).on_conflict_do_nothing()
        self._insert = Prepared(self._engine, insert, PLANNED)
        self._settlement = Settlement(self._engine, lease.operation_id, request)
        self._writer: Writer[Outcome] = Writer(self._write, cancellation, linger)

    def __enter__(self) -> Self:
        self._writer.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.__exit__(kind, error, trace)

    def cursor(self) -> str:
        with reading(self._engine) as connection:
            return find(connection, self._lease.operation_id).cursor

    def unfinished(self) -> Iterator[Unit]:
        """Whatever is pending when a page of it is read: also what this run has planned."""
        return pending_units(self._engine, self._lease.operation_id, self._request.source)

    def planned(self, batch: Batch) -> None:
        """Rows, counters and cursor in one transaction: a batch is in the ledger as a whole or
        not at all, so that no crash can make it count twice. A key that has a row keeps it."""
        rows = [row for unit in batch.units for row in rows_of(self._lease.operation_id, unit)]
        with writing(self._engine) as connection:
            self._advance(connection, batch)
            self._insert.execute(connection, rows)

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        self._writer.put(outcomes)
        self.live.add(outcomes)

    def noted(self, note: str) -> None:
        with writing(self._engine) as connection:
            self._lease.check(connection)
            ours = operations.c.id == self._lease.operation_id
            connection.execute(update(operations).where(ours).values(note=storable(redact(note))))

    def counted(self) -> Counters:
        with reading(self._engine) as connection:
            return find(connection, self._lease.operation_id).counters

    def arrived(self) -> Iterator[Outcome]:
        self._writer.drain()
        return arrived_copies(self._engine, self._lease.operation_id)

    def retry_failed(self) -> int:
        """Make what failed or is in quarantine pending again, for a resume; how many there are."""
        refused = objects.c.state.in_((ObjectState.FAILED, ObjectState.QUARANTINED))
        with writing(self._engine) as connection:
            self._lease.check(connection)
            return connection.execute(
                update(objects)
                .where(objects.c.operation == self._lease.operation_id, refused)
                .values(state=ObjectState.PENDING, error=None, message=None)
            ).rowcount

    def _write(self, outcomes: Sequence[Outcome]) -> None:
        with writing(self._engine) as connection:
            self._lease.check(connection)
            self._settlement.write(connection, outcomes, self._clock())

    def _advance(self, connection: Connection, batch: Batch) -> None:
        """Move the operation's row on, if it is still ours; else LeaseLost."""
        table = operations.c
        values = {name: table[name] + getattr(batch.counters, name) for name in COUNTERS}
        values["cursor"] = batch.cursor.encode()
        ours = (table.id == self._lease.operation_id) & (table.fence == self._lease.fence)
        if not connection.execute(update(operations).where(ours).values(values)).rowcount:
            raise lease_lost(self._lease.operation_id)
