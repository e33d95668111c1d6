"""A generated archive on its way into a store: many at once, few in memory."""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from lakebed.archive.generate import Pair, pairs
from lakebed.archive.spec import Spec
from lakebed.errors import BucketMissing, UsageError
from lakebed.model.location import Location
from lakebed.model.objects import Attributes
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import Buffer, Store

_THREADS = 8
_WAITING = 2 * _THREADS
"""Pairs in memory; each is smaller than 1 MiB, or made while it is sent."""
_ZIP = Attributes(headers={"content-type": "application/zip"})


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What was written. `bytes` are those of archives and sidecars."""

    pairs: int = 0
    objects: int = 0
    bytes: int = 0

    def __add__(self, other: "Uploaded") -> "Uploaded":
        return Uploaded(
            self.pairs + other.pairs, self.objects + other.objects, self.bytes + other.bytes
        )


def _nobody(uploaded: Uploaded) -> None:
    pass


def upload(
    spec: Spec,
    store: Store,
    location: Location,
    cancellation: Cancellation | None = None,
    watch: Callable[[Uploaded], None] = _nobody,
) -> Uploaded:
    """Write the archive that `spec` describes into a folder of a store.

    Makes the bucket where it is missing. `watch` is told the sum so far after each pair, from
    this thread. The first error ends it and is raised; what is written stays. Raises UsageError
    where `location` is no folder.
    """
    if not location.is_folder:
        raise UsageError("not a folder", subject=str(location), advice="end it with /")
    _ensure_bucket(store, location.bucket)
    stop = cancellation or Cancellation()
    total = Uploaded()
    under_way: set[Future[Uploaded]] = set()
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="generate") as pool:
        for pair in pairs(spec):
            stop.check()
            if len(under_way) >= _WAITING:
                ended, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                total = _add(total, ended, watch)
            under_way.add(pool.submit(_put, store, location, pair))
        ended, _ = wait(under_way)
        return _add(total, ended, watch)


def _add(
    total: Uploaded, ended: set[Future[Uploaded]], watch: Callable[[Uploaded], None]
) -> Uploaded:
    for future in ended:
        total += future.result()
        watch(total)
    return total


def _put(store: Store, location: Location, pair: Pair) -> Uploaded:
    """The archive, then its sidecar, as their publisher does it."""
    checksum = Buffer([pair.checksum])
    if pair.archive is not None:
        store.put(location.bucket, location.key(pair.key), pair.archive, attributes=_ZIP)
    store.put(location.bucket, location.key(pair.checksum_key), checksum)
    return Uploaded(1, 1 + (pair.archive is not None), pair.size + checksum.size)


def _ensure_bucket(store: Store, bucket: str) -> None:
    try:
        store.list_page(bucket, limit=1)
    except BucketMissing:
        store.create_bucket(bucket)
