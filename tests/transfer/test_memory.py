"""Bytes in flight stay within the budget, whatever the size and number of objects."""

import hashlib
import threading
from collections.abc import Sequence

from lakebed.model.checksum import Checksum
from lakebed.model.location import Location
from lakebed.model.objects import Head, Object, Part, Span, Written
from lakebed.model.operation import Lane, Options
from lakebed.model.quantity import KIB, MIB
from lakebed.store.cancellation import Cancellation
from lakebed.store.capabilities import EVERYTHING, UNPROBED
from lakebed.store.contract import Body, Page, Sink
from lakebed.store.memory import MemoryStore
from lakebed.transfer import sync
from lakebed.transfer.budget import Budget
from lakebed.transfer.pipe import DEPTH
from lakebed.transfer.sides import Side, Sides
from tests.transfer.engine import DESTINATION, SOURCE
from tests.transfer.memory_recorder import MemoryRecorder

CHUNK = bytes(256 * KIB)
SIZE = 32 * MIB


class Meter:
    """Bytes that were handed out and have not arrived."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.now = self.peak = 0

    def add(self, size: int) -> None:
        with self._lock:
            self.now += size
            self.peak = max(self.peak, self.now)


class Spring(MemoryStore):
    """Large objects that are nowhere: their bytes are made as they are read."""

    def __init__(self, meter: Meter, budget: Budget, names: str) -> None:
        super().__init__("spring", buckets=[SOURCE.bucket])
        self._meter, self._budget = meter, budget
        self._listed = tuple(
            Object(SOURCE.key(name), SIZE, "spring-2", self._now()) for name in names
        )
        self.held: list[int] = []

    def list_page(self, *place: str, **how: object) -> Page:
        return Page(self._listed)

    def head(self, bucket: str, key: str) -> Head:
        return Head(SIZE, "spring-2")

    def get(
        self,
        bucket: str,
        key: str,
        sink: Sink,
        *,
        span: Span | None = None,
        if_match: str | None = None,
    ) -> Head:
        assert span is not None
        self.held.append(self._budget.held)
        for _ in range(span.size // len(CHUNK)):
            self._meter.add(len(CHUNK))
            sink(CHUNK)
        return self.head(bucket, key)


class Drain(MemoryStore):
    """Takes parts, and keeps none."""

    def __init__(self, meter: Meter) -> None:
        super().__init__("drain", buckets=[DESTINATION.bucket])
        self._meter = meter

    def upload_part(
        self,
        bucket: str,
        key: str,
        upload_id: str,
        number: int,
        body: Body,
        *,
        checksum: Checksum | None = None,
    ) -> Part:
        digest = hashlib.md5(usedforsecurity=False)
        for chunk in body.chunks():
            digest.update(chunk)
            self._meter.add(-len(chunk))
        return Part(number, digest.hexdigest(), body.size)

    def complete_upload(
        self,
        bucket: str,
        key: str,
        upload_id: str,
        parts: Sequence[Part],
        *,
        checksum: Checksum | None = None,
    ) -> Written:
        self.abort_upload(bucket, key, upload_id)
        return Written("drain-2")


def test_large_objects_stream_through_a_small_budget() -> None:
    cancellation, meter = Cancellation(), Meter()
    budget = Budget(2 * DEPTH, cancellation)
    source, recorder = Spring(meter, budget, "abc"), MemoryRecorder()
    sides = Sides(
        Side(source, Location("spring", SOURCE.bucket, SOURCE.path), UNPROBED),
        Side(Drain(meter), DESTINATION, EVERYTHING),
        Options(concurrency=3, memory=budget.limit),
        budget,
        cancellation,
    )
    sync.run(sides, recorder)
    assert {outcome.lane for outcome in recorder.outcomes.values()} == {Lane.STREAM}
    assert sides.progress.passed == 3 * SIZE
    assert 0 < max(source.held) <= budget.limit
    # Of each of two streams at once: what waits, the chunk just read and the chunk just sent.
    assert meter.peak <= 2 * (DEPTH + 2 * len(CHUNK))
    assert (meter.now, budget.held) == (0, 0)
