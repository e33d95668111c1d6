"""What is in quarantine, whichever operation met it, and letting it go."""

import json
from collections.abc import Iterator, Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    LargeBinary,
    RowMapping,
    Text,
    delete,
    literal,
    select,
    true,
    tuple_,
)

from lakebed.database.tables import quarantines
from lakebed.database.transaction import reading, writing
from lakebed.model.location import Location
from lakebed.model.pair import archive_of, is_sidecar
from lakebed.model.quarantine import Quarantined
from lakebed.operations.settlement import bucket_of

PAGE = 500
"""Rows read at once."""

Which = Location | str | None
"""Those at a location, those of one full key in any bucket, or all. A pair goes by either half."""


def listed(engine: Engine, which: Which = None) -> Iterator[Quarantined]:
    """In the order of store, bucket and key, a page at a time. Raises LedgerError."""
    table = quarantines.c
    query = select(quarantines).where(_chosen(which)).order_by(table.source, table.key).limit(PAGE)
    beyond = query
    while True:
        with reading(engine) as connection:
            page = connection.execute(beyond).mappings().all()
        yield from map(_entry, page)
        if len(page) < PAGE:
            return
        last = tuple_(literal(page[-1]["source"], Text), literal(page[-1]["key"], LargeBinary))
        beyond = query.where(tuple_(table.source, table.key) > last)


def entries(connection: Connection, source: Location, keys: Sequence[str]) -> Iterator[Quarantined]:
    """Those of these relative keys of a source, in key order."""
    table = quarantines.c
    names = {_archive(source.key(key)) for key in keys}
    here = (table.source == bucket_of(source)) & table.key.in_(names)
    for row in connection.execute(select(quarantines).where(here).order_by(table.key)).mappings():
        yield _entry(row)


def release(engine: Engine, which: Which = None) -> int:
    """Forget them, so that the next run tries each pair again; how many. Raises LedgerError."""
    with writing(engine) as connection:
        return connection.execute(delete(quarantines).where(_chosen(which))).rowcount


def _chosen(which: Which) -> ColumnElement[bool]:
    table = quarantines.c
    if which is None:
        return true()
    if isinstance(which, str):
        return table.key == _archive(which)
    here = table.source == bucket_of(which)
    if not which.is_folder:
        return here & (table.key == _archive(which.path))
    if not which.path:
        return here
    prefix = which.path.encode()
    # No byte of UTF-8 is the largest: the next prefix differs in the last one only.
    return here & (table.key >= prefix) & (table.key < prefix[:-1] + bytes([prefix[-1] + 1]))


def _archive(key: str) -> bytes:
    return (archive_of(key) if is_sidecar(key) else key).encode()


def _entry(row: RowMapping) -> Quarantined:
    store, _, bucket = row["source"].partition(":")
    evidence = json.loads(row["evidence"])
    return Quarantined(
        Location(store, bucket, row["key"].decode()),
        since=row["at"],
        operation_id=row["operation"],
        source_etag=row["source_etag"],
        digest_etag=row["digest_etag"],
        refused=evidence.get("refused", ""),
        expected=evidence.get("expected"),
        found=evidence.get("found"),
        archive_size=evidence.get("archive", {}).get("size"),
        sidecar_size=evidence.get("sidecar", {}).get("size"),
    )
