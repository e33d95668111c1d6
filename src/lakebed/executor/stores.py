"""What the service itself asks of stores: few and short requests, outside of any operation."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from lakebed.errors import (
    ClockSkew,
    CredentialsRefused,
    StoreError,
    StoreFault,
    StoreUnreachable,
    Throttled,
    TlsRefused,
)
from lakebed.executor.remembered import Remembered
from lakebed.model.location import Location
from lakebed.settings.store import StoreSettings
from lakebed.store.build import open_store
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import Store
from lakebed.store.listing import unordered_objects
from lakebed.store.wrappers.retry import Backoff

T = TypeVar("T")
THREADS = 8
"""Requests under way, of all callers together."""
LISTINGS = 2
"""Of these, listings to their end: each takes a good part of a core."""
ANSWERED = 10.0
"""Seconds after which a store that does not answer is given up."""
MOST_KEYS = 1_000_000
LISTED = 5.0
"""Seconds, and keys, after which a listing is ended where it is."""
KEPT = 60.0
"""Seconds for which the use of a place is remembered."""
_AWAY = (StoreUnreachable, TlsRefused, StoreFault, Throttled, CredentialsRefused, ClockSkew)


@dataclass(frozen=True, slots=True)
class Usage:
    """What is in a place; `truncated` where the listing was not waited for."""

    objects: int
    bytes: int
    truncated: bool


@dataclass(slots=True)
class Stores:
    """Every call raises LakebedError where its store does not do what it is asked."""

    _threads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(THREADS))
    _listings: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(LISTINGS))
    _usage: Remembered[tuple[str, str], Usage] = field(default_factory=lambda: Remembered(KEPT))

    async def buckets(self, settings: StoreSettings) -> list[str]:
        return await self._ask(settings, lambda store: sorted(store.buckets()))

    async def create_bucket(self, settings: StoreSettings, bucket: str) -> None:
        await self._ask(settings, lambda store: store.create_bucket(bucket))

    async def knock(self, settings: StoreSettings, seconds: float) -> str:
        """Whether it answers at all, in words. What it refuses to this caller is an answer."""
        try:
            await self._ask(settings, lambda store: store.buckets(), seconds)
        except _AWAY:
            raise
        except StoreError as refused:
            return f"answers; it does not list its buckets: {refused.what}"
        return "answers"

    async def usage(self, settings: StoreSettings, place: Location) -> Usage:
        """Counted by a listing, at most once a minute."""

        def count() -> Usage:
            with _opened(settings, LISTED + ANSWERED) as store:
                return _count(store, place)

        return await self._usage.get(
            (settings.url, str(place)),
            lambda: to_thread.run_sync(count, limiter=self._listings),
        )

    async def do(self, action: Callable[[], T]) -> T:
        """Do what waits for a store, in none of the threads that wait for the database."""
        return await to_thread.run_sync(action, limiter=self._threads)

    async def _ask(
        self, settings: StoreSettings, ask: Callable[[Store], T], seconds: float = ANSWERED
    ) -> T:
        def asked() -> T:
            with _opened(settings, seconds) as store:
                return ask(store)

        return await self.do(asked)


def _count(store: Store, place: Location) -> Usage:
    until, objects, size = time.monotonic() + LISTED, 0, 0
    for found in unordered_objects(store, place.bucket, place.path):
        if objects == MOST_KEYS or time.monotonic() > until:
            return Usage(objects, size, truncated=True)
        objects += 1
        size += found.size
    return Usage(objects, size, truncated=False)


@contextmanager
def _opened(settings: StoreSettings, seconds: float) -> Iterator[Store]:
    """Nothing is tried again; what lasts longer ends with StoreUnreachable."""
    cancellation = Cancellation()
    over = StoreUnreachable(f"no answer within {seconds:g} s", subject=settings.name)
    timer = threading.Timer(seconds, cancellation.stop, [over])
    timer.daemon = True
    store = open_store(settings, cancellation, backoff=Backoff(retries=0))
    timer.start()
    try:
        yield store
    finally:
        timer.cancel()
        store.close()
