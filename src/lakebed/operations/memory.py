"""What the ledger remembers beyond one operation: proved copies, and pairs in quarantine."""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Engine, select

from lakebed.database.tables import copies, quarantines
from lakebed.database.transaction import reading
from lakebed.model.location import Location
from lakebed.model.operation import Copied, Proof, Request
from lakebed.operations.settlement import bucket_of
from lakebed.transfer.recorder import Quarantine

CHUNK = 500
"""Keys asked for in one query."""


class LedgerMemory:
    """The memory between the two locations of `request`; see `transfer.recorder.Memory`."""

    def __init__(self, engine: Engine, request: Request) -> None:
        self._engine = engine
        self._request = request

    def copies(self, keys: Sequence[str]) -> Mapping[str, Copied]:
        return self._copies(self._request.destination, keys)

    def brought(self, keys: Sequence[str]) -> Mapping[str, Copied]:
        return self._copies(self._request.source, keys)

    def _copies(self, location: Location, keys: Sequence[str]) -> Mapping[str, Copied]:
        table = copies.c
        here = table.destination == bucket_of(location)
        found: dict[str, Copied] = {}
        with reading(self._engine) as connection:
            for names in _chunks(keys, location):
                for row in connection.execute(select(copies).where(here, table.key.in_(names))):
                    found[names[row.key]] = Copied(
                        row.source_etag,
                        row.destination_etag,
                        row.size,
                        Proof(row.proof),
                        row.sha256,
                    )
        return found

    def quarantines(self, keys: Sequence[str]) -> Mapping[str, Quarantine]:
        table = quarantines.c
        here = table.source == bucket_of(self._request.source)
        found: dict[str, Quarantine] = {}
        with reading(self._engine) as connection:
            for names in _chunks(keys, self._request.source):
                for row in connection.execute(
                    select(quarantines).where(here, table.key.in_(names))
                ):
                    found[names[row.key]] = Quarantine(
                        row.source_etag, row.digest_etag, row.evidence
                    )
        return found


def _chunks(keys: Sequence[str], location: Location) -> Iterator[dict[bytes, str]]:
    """Full keys, as the ledger has them, and the relative keys that they are."""
    for start in range(0, len(keys), CHUNK):
        yield {location.key(key).encode(): key for key in keys[start : start + CHUNK]}
