"""The units of a plan as rows of the ledger, and back again."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, RowMapping, select

from lakebed.database.prepared import Values
from lakebed.database.tables import objects
from lakebed.database.transaction import reading
from lakebed.model.location import Location
from lakebed.model.objects import Object
from lakebed.model.operation import Action, Item, Lane, ObjectState, Outcome, Proof, Unit
from lakebed.model.pair import archive_of, is_sidecar, sidecar_of

PAGE = 250
"""Pending rows read at once; with their partners at most twice as many."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

PLANNED = (
    "operation",
    "key",
    "action",
    "state",
    "size",
    "etag",
    "modified",
    "digest_etag",
    "digest_size",
    "digest_modified",
    "destination_etag",
)
"""The columns of a row that is planned; the others are told later."""


def rows_of(operation_id: str, unit: Unit) -> Iterator[Values]:
    """A pending row for each item; the digest goes with the first, the archive."""
    digest = unit.digest
    for item in unit.items:
        source = item.source
        yield {
            "operation": operation_id,
            "key": item.key.encode(),
            "action": item.action.value,
            "state": "pending",
            "size": source.size if source else None,
            "etag": source.etag if source else None,
            "modified": _microseconds(source.modified) if source else None,
            "digest_etag": digest.etag if digest else None,
            "digest_size": digest.size if digest else None,
            "digest_modified": _microseconds(digest.modified) if digest else None,
            "destination_etag": item.destination_etag,
        }
        digest = None


def pending_units(engine: Engine, operation_id: str, source: Location) -> Iterator[Unit]:
    """What is still to be done, in key order, a page at a time.

    The halves of a pair may be any number of keys apart. So a page is completed by the partners
    of its keys, all as they are at one moment: a sidecar comes with its archive, and alone only
    where its archive is not pending.
    """
    pending = (objects.c.operation == operation_id) & (objects.c.state == ObjectState.PENDING)
    keys = select(objects.c.key).where(pending).order_by(objects.c.key).limit(PAGE)
    beyond = keys
    while True:
        with reading(engine) as connection:
            page = list(connection.scalars(beyond))
            names = [key.decode() for key in page]
            partners = {(archive_of if is_sidecar(n) else sidecar_of)(n).encode() for n in names}
            both = objects.c.key.in_(partners.union(page))
            rows = connection.execute(select(objects).where(pending, both)).mappings()
            found = {row["key"].decode(): row for row in rows}
        for name in names:
            if name in found and not _comes_with_its_archive(name, found):
                yield _unit(found[name], found.get(sidecar_of(name)), source)
        if len(page) < PAGE:
            return
        beyond = keys.where(objects.c.key > page[-1])


def arrived_copies(engine: Engine, operation_id: str) -> Iterator[Outcome]:
    """The copies that are done, in key order, a page at a time."""
    table = objects.c
    done = (table.operation == operation_id) & (table.state == ObjectState.DONE)
    copied = done & (table.action == Action.COPY)
    rows = select(objects).where(copied).order_by(table.key).limit(PAGE)
    beyond = rows
    while True:
        with reading(engine) as connection:
            page = connection.execute(beyond).mappings().all()
        for row in page:
            yield _outcome(row)
        if len(page) < PAGE:
            return
        beyond = rows.where(table.key > page[-1]["key"])


def _outcome(row: RowMapping) -> Outcome:
    return Outcome(
        key=row["key"].decode(),
        state=ObjectState(row["state"]),
        size=row["size"],
        source_etag=row["etag"],
        destination_etag=row["written_etag"],
        lane=Lane(row["lane"]) if row["lane"] else None,
        proof=Proof(row["proof"]) if row["proof"] else None,
        sha256=row["sha256"],
        reread_bytes=row["reread_bytes"] or 0,
        attempts=row["attempts"],
        seconds=row["seconds"],
    )


def _comes_with_its_archive(name: str, found: Mapping[str, RowMapping]) -> bool:
    archive = found.get(archive_of(name)) if is_sidecar(name) else None
    if archive is None:
        return False
    return archive["digest_etag"] is not None or _are_deleted(archive, found[name])


def _are_deleted(*halves: RowMapping) -> bool:
    return all(row["action"] == Action.DELETE for row in halves)


def _unit(row: RowMapping, sidecar: RowMapping | None, source: Location) -> Unit:
    item = _item(row, source)
    if sidecar and _are_deleted(row, sidecar):
        return Unit((item, _item(sidecar, source)))
    if item.source is None or row["digest_etag"] is None:
        return Unit((item,))
    digest = Object(
        sidecar_of(item.source.key),
        row["digest_size"],
        row["digest_etag"],
        _moment(row["digest_modified"]),
    )
    return Unit((item, _item(sidecar, source)) if sidecar else (item,), digest)


def _item(row: RowMapping, source: Location) -> Item:
    key = row["key"].decode()
    listed = None
    if row["etag"] is not None:
        listed = Object(source.key(key), row["size"], row["etag"], _moment(row["modified"]))
    return Item(key, Action(row["action"]), listed, row["destination_etag"])


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
