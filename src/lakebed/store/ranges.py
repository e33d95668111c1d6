"""A long listing of a store far away, in ranges of its keys that are listed at once.

A page of 1,000 keys takes 100 ms and more from far away, one after the other. Names of folders,
which a listing by `/` tells in one request, cut what is still to come into ranges; whether they
are good cuts is a matter of speed only: each key lies in exactly one range, whatever they are.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Self

from lakebed.errors import AccessDenied, ListingRefused, ObjectError, StoreError
from lakebed.store.contract import Store
from lakebed.store.in_order import in_order
from lakebed.store.listing import Listed, in_strict_order, unordered_pages

THREADS = 8
"""Ranges listed at once; docs/adr/0013 has the measurement."""
SLOW = 0.05
"""Seconds for a page from which on a store may be far away."""
_FAR = 3
"""A page may take so many times as long as asking for one key from a store that is far away. From
one that is near and busy it takes many times more, and asking it for several at once makes it
busier (docs/adr/0013)."""
_LOOKS = 3
"""Keys that must each have taken long: who shares its cores with the store sees now and then one
that has."""
_TRIED = 2
"""Pages listed one after the other before a listing counts as long."""
_AHEAD = 4
"""Pages of one range that may wait in memory until those before it are used."""

Clock = Callable[[], float]


def ranged_pages(
    store: Store,
    bucket: str,
    prefix: str = "",
    *,
    after: str = "",
    slow: float = SLOW,
    clock: Clock = time.monotonic,
) -> Iterator[Listed]:
    """As `listing.pages`, of a store that lists in order."""
    return in_strict_order(_pages(store, bucket, prefix, after, slow, clock), store, bucket, after)


def _pages(
    store: Store, bucket: str, prefix: str, after: str, slow: float, clock: Clock
) -> Iterator[Listed]:
    began, full = clock(), 0
    plain = unordered_pages(store, bucket, prefix, after=after)
    for number, page in enumerate(plain, 1):
        seconds = (clock() - began) / number
        yield page
        full = full or len(page)
        if number == _TRIED and len(page) == full and seconds >= slow:
            last, long = page[-1].key, max(slow, seconds / _FAR)
            if all(_seconds_of_one(store, bucket, last, clock) >= long for _ in range(_LOOKS)):
                yield from _Ranges(store, bucket, prefix).pages(last)
                return


def _seconds_of_one(store: Store, bucket: str, key: str, clock: Clock) -> float:
    """How long it takes to ask for one key; none where that cannot be asked for. Listing one is no
    measure: MinIO walks anew for it."""
    began = clock()
    try:
        store.head(bucket, key)
    except AccessDenied:
        pass  # an answer like any other
    except (StoreError, ObjectError):
        return 0.0
    return clock() - began


@dataclass(slots=True)
class _Range:
    """The keys above `low` up to `high`, which is one of them if it is there."""

    store: Store
    bucket: str
    prefix: str
    low: str
    high: str | None
    ahead: list[Listed] = field(default_factory=list)
    """Its first pages, once they were listed."""
    rest: Iterator[Listed] | None = None
    """What comes after them, where that is not all."""
    beyond: str | None = None
    """The first key above `high`, where one was seen, once all was listed."""

    def begin(self) -> Self:
        """List as much as may wait in memory."""
        pages = self._pages()
        self.ahead = list(islice(pages, _AHEAD))
        self.rest = pages if len(self.ahead) == _AHEAD else None
        return self

    def _pages(self) -> Iterator[Listed]:
        pages = unordered_pages(self.store, self.bucket, self.prefix, after=self.low)
        for page in in_strict_order(pages, self.store, self.bucket, self.low):
            if self.high is not None and page and page[-1].key > self.high:
                inside = [found for found in page if found.key <= self.high]
                self.beyond = page[len(inside)].key
                yield tuple(inside)
                return
            yield page


@dataclass(slots=True)
class _Ranges:
    store: Store
    bucket: str
    prefix: str
    _folders: int = 1
    """Folders in a range, so that it has a few pages."""
    _due: str | None = None
    """A key that was seen beyond the end of its range, so that a later range must have it."""

    def pages(self, after: str) -> Iterator[Listed]:
        """What comes after the key `after`."""
        for part in in_order(self._tasks(after), THREADS):
            self._learn(part)
            for page in chain(part.ahead, part.rest or ()):
                self._meet(page)
                yield page
            self._due = part.beyond or self._due
        self._meet(None)

    def _meet(self, page: Listed | None) -> None:
        """A store of another order would lose keys between two ranges. None: there are no more."""
        due = self._due
        if due is None or page == () or (page and page[-1].key < due):
            return
        if all(found.key != due for found in page or ()) and self._is_there(due):
            raise ListingRefused(
                f"the key {due!r} was listed, and not where it should have been",
                subject=f"{self.store.name}:{self.bucket}",
                advice='the store lists out of order: set disable = ["ordered"] for this store',
            )
        self._due = None

    def _is_there(self, key: str) -> bool:
        """Whether it is there by now: it may have been deleted since."""
        listed = self.store.list_page(self.bucket, key, limit=1).objects
        return any(found.key == key for found in listed)

    def _learn(self, part: _Range) -> None:
        if part.rest is not None:
            self._folders = max(1, self._folders // 2)
        elif len(part.ahead) <= _AHEAD // 4:
            self._folders = min(1024, self._folders * 2)

    def _tasks(self, after: str) -> Iterator[Callable[[], _Range]]:
        low = after
        for high in chain(self._cuts(after), (None,)):
            yield _Range(self.store, self.bucket, self.prefix, low, high).begin
            low = high or low

    def _cuts(self, after: str) -> Iterator[str]:
        passed = 0
        for folder in folders_after(self.store, self.bucket, self.prefix, after):
            passed += 1
            if passed >= self._folders:
                yield folder
                passed = 0


def folders_after(store: Store, bucket: str, prefix: str, after: str) -> Iterator[str]:
    """Names of folders below `prefix` that come after the key `after`, in order: first those
    nearest to it, then those further up, so that much of a tree is cut by few requests."""
    inside = after.removeprefix(prefix)
    parts = inside.split("/")[:-2]  # the folder of the key itself holds no more folders, mostly
    last = after
    for depth in range(len(parts), -1, -1):
        above = prefix + "".join(f"{part}/" for part in parts[:depth])
        for folder in _subfolders(store, bucket, above, last):
            if folder > last:
                yield folder
                last = folder


def _subfolders(store: Store, bucket: str, folder: str, after: str) -> Iterator[str]:
    token: str | None = None
    while True:
        page = store.list_page(bucket, folder, after=after, token=token, delimiter="/")
        yield from sorted(page.prefixes)
        if page.token is None or page.token == token or not page.prefixes:
            return  # it is no folder of folders, or tells no more
        token = page.token
