"""What a batch left at the destination: asked for by listing, many objects with one request."""

from collections.abc import Sequence
from itertools import takewhile

from lakebed.store.contract import PAGE_LIMIT
from lakebed.transfer.sides import Job, Side, Sides

_PAGES = 4
"""Pages that are read for one batch, where many other objects lie between its own."""


def listed(destination: Side, keys: Sequence[str]) -> dict[str, str]:
    """The ETags of those of the `keys` that are there, as far as a few pages show them."""
    wanted, first, last = set(keys), min(keys), max(keys)
    store, bucket = destination.store, destination.bucket
    prefix, after, token = _shared(first, last), _before(first), None
    found: dict[str, str] = {}
    for number in range(_PAGES):
        limit = PAGE_LIMIT if number else min(PAGE_LIMIT, 2 * len(keys))
        page = store.list_page(bucket, prefix, after=after, token=token, limit=limit)
        found |= {one.key: one.etag for one in page.objects if one.key in wanted}
        token = page.token
        beyond = page.objects and page.objects[-1].key >= last
        if len(found) == len(wanted) or token is None or beyond:
            break
    return found


def remove_other(sides: Sides, job: Job, etag: str | None) -> None:
    """Take away what a batch left under the key of `job`, but for what was there before it."""
    if etag is not None and etag != job.held:
        sides.destination.store.delete(sides.destination.bucket, job.key)


def _shared(first: str, last: str) -> str:
    """What both begin with, and so each key between them."""
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "".join(letter for letter, _ in pairs)


def _before(key: str) -> str:
    """A key that sorts before `key`, with as little as possible between the two."""
    last = ord(key[-1])
    return key[:-1] + (chr(last - 1) + "~" if 0x21 < last < 0x7F else "")
