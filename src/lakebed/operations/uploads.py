"""The uploads of one run, made durable in the ledger under the fence of its lease."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, delete, select, update

from lakebed.database.dialect import insert_into, replace_into
from lakebed.database.prepared import Prepared, Values
from lakebed.database.tables import parts, uploads
from lakebed.database.transaction import reading, writing
from lakebed.model.checksum import Algorithm, Checksum
from lakebed.model.objects import Part
from lakebed.operations.lease import Lease
from lakebed.transfer.uploads import Begun


class LedgerUploads:
    """See `transfer.uploads.Uploads`."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._engine = lease.engine
        self._add = Prepared(self._engine, replace_into(self._engine, parts))

    def find(self, key: str) -> Begun | None:
        name = key.encode()
        with reading(self._engine) as connection:
            row = connection.execute(
                select(uploads).where(
                    uploads.c.operation == self._lease.operation_id, uploads.c.key == name
                )
            ).one_or_none()
            if row is None:
                return None
            algorithm = Algorithm(row.algorithm) if row.algorithm else None
            held = tuple(self._parts(connection, name, algorithm))
        return Begun(key, row.source_etag, row.size, row.part_size, algorithm, row.upload_id, held)

    def _parts(
        self, connection: Connection, name: bytes, algorithm: Algorithm | None
    ) -> Iterator[Part]:
        here = (parts.c.operation == self._lease.operation_id) & (parts.c.key == name)
        for row in connection.execute(select(parts).where(here).order_by(parts.c.number)):
            checksum = Checksum.parse(algorithm, row.checksum) if algorithm else None
            yield Part(row.number, row.etag, row.size, checksum)

    def intend(self, upload: Begun) -> None:
        """When the first upload of this key was meant to be begun stays as it was."""
        name = upload.key.encode()
        row = {
            "operation": self._lease.operation_id,
            "key": name,
            "upload_id": None,
            "source_etag": upload.source_etag,
            "size": upload.size,
            "part_size": upload.part_size,
            "algorithm": upload.algorithm,
            "created": self._lease.clock(),
        }
        keys = ("operation", "key")
        change = {column: row[column] for column in row if column not in (*keys, "created")}
        insert = insert_into(self._engine, uploads).values(row)
        with self._held() as connection:
            self._drop_parts(connection, name)
            connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=change))

    def begin(self, key: str, upload_id: str) -> None:
        change = update(uploads).where(
            uploads.c.operation == self._lease.operation_id, uploads.c.key == key.encode()
        )
        with self._held() as connection:
            connection.execute(change.values(upload_id=upload_id))

    def add(self, key: str, part: Part) -> None:
        row: Values = {
            "operation": self._lease.operation_id,
            "key": key.encode(),
            "number": part.number,
            "etag": part.etag,
            "size": part.size,
            "checksum": str(part.checksum) if part.checksum else None,
        }
        with self._held() as connection:
            self._add.execute(connection, [row])

    def forget(self, key: str) -> None:
        name = key.encode()
        with self._held() as connection:
            self._drop_parts(connection, name)
            connection.execute(
                delete(uploads).where(
                    uploads.c.operation == self._lease.operation_id, uploads.c.key == name
                )
            )

    def _drop_parts(self, connection: Connection, name: bytes) -> None:
        connection.execute(
            delete(parts).where(parts.c.operation == self._lease.operation_id, parts.c.key == name)
        )

    @contextmanager
    def _held(self) -> Iterator[Connection]:
        with writing(self._engine) as connection:
            self._lease.check(connection)
            yield connection
