"""A whole listing as one stream, in UTF-8 order, or an error: a failed listing is not a short one.

Python orders text by code points, which is the order of the UTF-8 bytes.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from itertools import chain, pairwise
from operator import lt

from lakebed.errors import DiskFull, LakebedError, ListingRefused
from lakebed.model.objects import Object
from lakebed.store.contract import Store

Listed = tuple[Object, ...]
"""The objects of one page."""

_SORTER = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -4096;
CREATE TABLE listing (key BLOB, size INTEGER, etag TEXT, modified TEXT);
"""
"""Blobs order by their bytes. The cache is 4 MiB; what is more goes to SQLite's own files. It is
sorted once, when it is read: an index would be torn through the cache by keys in any order."""


def objects(store: Store, bucket: str, prefix: str = "", *, after: str = "") -> Iterator[Object]:
    """Each object whose key starts with `prefix` and comes after `after`, in strict order.

    Raises ListingRefused, naming the keys, where the store's answer is out of order, repeats
    itself, strays from the prefix or does not advance; and what `Store.list_page` raises.
    """
    return chain.from_iterable(pages(store, bucket, prefix, after=after))


def pages(store: Store, bucket: str, prefix: str = "", *, after: str = "") -> Iterator[Listed]:
    """As `objects`, page by page."""
    listed = unordered_pages(store, bucket, prefix, after=after)
    return in_strict_order(listed, store, bucket, after)


def in_strict_order(
    listed: Iterator[Listed], store: Store, bucket: str, after: str
) -> Iterator[Listed]:
    """The pages, each once it is known to come in order after the one before it."""
    last = after
    for page in listed:
        keys = [last, *(found.key for found in page)]
        if not all(map(lt, keys, keys[1:])):
            before, key = next(pair for pair in pairwise(keys) if not lt(*pair))
            raise _refused(
                store,
                bucket,
                f"the key {key!r} was listed after {before!r}",
                'the store lists out of order: set disable = ["ordered"] for this store',
            )
        last = keys[-1]
        yield page


def sorted_objects(
    store: Store, bucket: str, prefix: str = "", *, after: str = ""
) -> Iterator[Object]:
    """As `objects`, of a store known to list out of order, in constant memory.

    The whole listing goes through a private temporary SQLite database that ends with the
    iterator. Raises ListingRefused where a key comes twice, DiskFull where it finds no room.
    """
    # The store's order says nothing of ours, so `after` can only be applied to the result.
    found = unordered_objects(store, bucket, prefix)
    return in_key_order(found, after, f"{store.name}:{bucket}", ListingRefused)


def in_key_order(
    listed: Iterator[Object], after: str, subject: str, refused: type[LakebedError]
) -> Iterator[Object]:
    """Those of `listed` that come after the key `after`, in strict order, in constant memory.

    Raises `refused` where a key comes twice, DiskFull where there is no room to sort them.
    """
    with closing(sqlite3.connect("", check_same_thread=False)) as sorter:
        try:
            sorter.executescript(_SORTER)
            sorter.executemany("INSERT INTO listing VALUES (?, ?, ?, ?)", map(_row, listed))
            rows = sorter.execute(
                "SELECT key, size, etag, modified FROM listing WHERE key > ? ORDER BY key",
                (after.encode(),),
            )
            last = None
            for key, size, etag, modified in rows:
                if key == last:
                    raise refused(f"the key {key.decode()!r} was listed twice", subject=subject)
                last = key
                yield Object(key.decode(), size, etag, datetime.fromisoformat(modified))
        except sqlite3.OperationalError as error:
            raise DiskFull(
                f"the listing cannot be put in order: {error}",
                subject=subject,
                advice="free space in the temporary folder, or set TMPDIR to another one",
            ) from error


def unordered_objects(
    store: Store, bucket: str, prefix: str = "", *, after: str = ""
) -> Iterator[Object]:
    """As `objects`, in whatever order the store lists: for a reader that needs none.

    Raises ListingRefused where the answer strays from the prefix or does not advance; a key that
    comes twice is not noticed.
    """
    return chain.from_iterable(unordered_pages(store, bucket, prefix, after=after))


def unordered_pages(
    store: Store, bucket: str, prefix: str = "", *, after: str = ""
) -> Iterator[Listed]:
    """As `unordered_objects`, page by page."""
    token: str | None = None
    while True:
        page = store.list_page(bucket, prefix, after=after, token=token)
        for found in page.objects:
            if not found.key.startswith(prefix):
                raise _refused(
                    store, bucket, f"the key {found.key!r} does not start with {prefix!r}"
                )
        yield page.objects
        if page.token is None:
            return
        if page.token == token or not page.objects:
            raise _refused(store, bucket, f"it does not advance after {_last(page.objects)}")
        token = page.token


def _row(found: Object) -> tuple[bytes, int, str, str]:
    return found.key.encode(), found.size, found.etag, found.modified.isoformat()


def _last(listed: Listed) -> str:
    return repr(listed[-1].key) if listed else "an empty page"


def _refused(store: Store, bucket: str, what: str, advice: str = "") -> ListingRefused:
    return ListingRefused(what, subject=f"{store.name}:{bucket}", advice=advice)
