"""What is known, unread, of objects at the source that Lakebed itself brought there.

Inside one endpoint the store copies by itself, and only to meet a publisher's digest would the
bytes have to pass us. The ledger remembers the digest of what it brought, under its ETag then.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from lakebed.model.objects import Object
from lakebed.model.operation import Copied, Mode, Proof, Unit
from lakebed.transfer.recorder import Memory
from lakebed.transfer.sides import Sides

_UNITS = 250
"""Units for which the ledger is asked at once."""


def with_digests(sides: Sides, memory: Memory, units: Iterable[Unit]) -> Iterator[Unit]:
    """The units in their order, their items with the SHA-256 of what Lakebed brought."""
    if not _asks(sides):
        yield from units
        return
    left = iter(units)
    while some := list(islice(left, _UNITS)):
        keys = [item.key for unit in some for item in unit.items if item.source]
        known = memory.brought(keys)
        for unit in some:
            items = (
                replace(item, sha256=known_sha256(item.source, known.get(item.key)))
                for item in unit.items
            )
            yield replace(unit, items=tuple(items))


def _asks(sides: Sides) -> bool:
    """Whether the store copies, so that nobody else would know the digests."""
    return sides.copies and sides.options.mode is not Mode.TRADITIONAL


def known_sha256(source: Object | None, brought: Copied | None) -> str | None:
    """The SHA-256 of `source` where what was `brought` to its key is this very revision.

    Only under an ETag that is an MD5: of any other nobody can say that it is of the same bytes.
    """
    if source is None or brought is None or source.md5 is None:
        return None
    same = (source.etag, source.size) == (brought.destination_etag, brought.size)
    return brought.sha256 if same and brought.proof is not Proof.SIZE_ONLY else None
