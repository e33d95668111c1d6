"""Uploads that operations left unfinished: found in the ledger and at their stores, and aborted.

MinIO lists the uploads of an exact key only, so the ledger says which keys to ask for. What it
does not know by its id is taken for ours where it was begun while the operation was: the answer
to our request may have been lost.
"""

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from sqlalchemy import delete, func, select

from lakebed.database.tables import parts, uploads
from lakebed.database.transaction import reading, writing
from lakebed.errors import BucketMissing, ConfigurationError, RunningElsewhere, StoreError
from lakebed.model.location import Location
from lakebed.model.objects import Upload
from lakebed.model.operation import OperationState
from lakebed.operations.ends import Ends
from lakebed.operations.lease import is_held
from lakebed.operations.ledger import Ledger
from lakebed.operations.operation import Operation, find
from lakebed.store.cancellation import Cancellation

_log = logging.getLogger("lakebed.operations")

CLOCK_SKEW = 900.0
"""Seconds by which a store's clock may differ from ours: with more it refuses our signatures."""


@dataclass(frozen=True, slots=True)
class Abandoned:
    """What an operation that nobody runs has left of one object. Sizes in bytes."""

    operation_id: str
    state: OperationState
    location: Location
    """Where the object was to be."""
    size: int
    sent: int
    """What the ledger knows to have arrived."""
    uploads: tuple[Upload, ...]
    """As the store lists them; none where they are gone already."""
    known: str | None = None
    """The id of the one that the ledger knows, where it does."""


@dataclass(frozen=True, slots=True)
class _Row:
    operation: Operation
    place: Location
    upload_id: str | None
    size: int
    created: float
    sent: int

    def may_own(self, upload: Upload, known: Collection[str | None]) -> bool:
        """Whether nobody is known to have begun it, and it was begun while the operation ran."""
        begun = upload.initiated.timestamp()
        ended = self.operation.finished or self.operation.lease_until
        while_it_ran = self.created - CLOCK_SKEW <= begun <= ended + CLOCK_SKEW
        return while_it_ran and upload.upload_id not in known

    def abandoned(self, found: tuple[Upload, ...]) -> Abandoned:
        operation = self.operation
        return Abandoned(
            operation.id,
            operation.state,
            self.place,
            self.size,
            self.sent,
            found,
            self.upload_id,
        )


class AbandonedUploads:
    """The uploads in the ledger whose operations have ended, or were killed."""

    def __init__(self, ledger: Ledger, ends: Ends, cancellation: Cancellation) -> None:
        self._ledger, self._ends, self._cancellation = ledger, ends, cancellation

    def find(self, operation: str | None = None) -> Iterator[Abandoned]:
        """In the order of operations and keys; those of one `operation` where it is named."""
        only = self._ledger.get(operation).id if operation is not None else None
        rows = self._rows()
        known = {row.upload_id for row in rows}
        busy = {row.place for row in rows if row.operation.state is OperationState.RUNNING}
        for row in rows:
            is_named = only in (None, row.operation.id)
            if row.operation.state is OperationState.RUNNING or not is_named:
                continue
            try:
                listed = self._listed(row)
            except (StoreError, ConfigurationError) as error:
                # One store that is away must not hide what the others hold.
                _log.warning("uploads of %s are not known now: %s", row.place, error)
            else:
                # Of a key that somebody uploads just now only what is known by its id is ours.
                maybe = () if row.place in busy else (u for u in listed if row.may_own(u, known))
                ours = [upload for upload in listed if upload.upload_id == row.upload_id]
                yield row.abandoned((*ours, *maybe))

    def _listed(self, row: _Row) -> list[Upload]:
        with self._ends.store(row.place, self._cancellation) as store:
            try:
                return store.list_uploads(row.place.bucket, row.place.path)
            except BucketMissing:
                return []  # they went with it

    def abort(self, left: Abandoned) -> None:
        """Drop its uploads, and what the ledger knows of them.

        Raises RunningElsewhere where somebody goes on with the operation by now.
        """
        operation = self._ledger.get(left.operation_id)
        if operation.state is OperationState.RUNNING:
            raise RunningElsewhere("it is running again", subject=operation.id)
        with self._ends.store(left.location, self._cancellation) as store:
            for upload in left.uploads:
                store.abort_upload(left.location.bucket, upload.key, upload.upload_id)
        self._forget(left)

    def _forget(self, left: Abandoned) -> None:
        """Nothing is forgotten of what somebody has begun since."""
        key, now = left.location.path.encode(), self._ledger.now()
        with writing(self._ledger.engine) as connection:
            operation = find(connection, left.operation_id, for_update=True)
            if is_held(operation, now):
                raise RunningElsewhere("it is running again", subject=operation.id)
            here = (uploads.c.operation == operation.id) & (uploads.c.key == key)
            same = uploads.c.upload_id.is_not_distinct_from(left.known)
            if connection.execute(delete(uploads).where(here, same)).rowcount:
                here = (parts.c.operation == operation.id) & (parts.c.key == key)
                connection.execute(delete(parts).where(here))

    def _rows(self) -> list[_Row]:
        same = (parts.c.operation == uploads.c.operation) & (parts.c.key == uploads.c.key)
        sent = select(func.coalesce(func.sum(parts.c.size), 0)).where(same).scalar_subquery()
        query = select(uploads, sent.label("sent")).order_by(uploads.c.operation, uploads.c.key)
        with reading(self._ledger.engine) as connection:
            found = connection.execute(query).all()
        operations = {row.operation: self._ledger.get(row.operation) for row in found}
        return [
            _Row(
                operation := operations[row.operation],
                replace(operation.request.destination, path=row.key.decode()),
                row.upload_id,
                row.size,
                row.created,
                int(row.sent),
            )
            for row in found
        ]
