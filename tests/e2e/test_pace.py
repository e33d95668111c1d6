"""No flag is needed for a store that is far away, or that allows few requests a second."""

import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from lakebed.errors import Exit
from tests.e2e.buckets import Bucket, pairs
from tests.e2e.gateway import Answer, Asked, Gateway, refusal
from tests.e2e.process import Lakebed
from tests.fixtures_stores import Served

FAR = 0.1
"""Seconds that each answer of a far store takes."""


@dataclass
class Far:
    """Holds each request back for a while, and notes how many are held at once."""

    peak: int = 0
    _held: int = 0
    _counted: threading.Lock = field(default_factory=threading.Lock)
    _never: threading.Event = field(default_factory=threading.Event)

    def __call__(self, asked: Asked) -> Answer:
        with self._counted:
            self._held += 1
            self.peak = max(self.peak, self._held)
        self._never.wait(FAR)
        with self._counted:
            self._held -= 1
        return None


@dataclass
class Limited:
    """Answers 503 to what exceeds so many requests in a second."""

    quota: int
    refused: int = 0
    passed: int = 0
    _second: int = 0
    _used: int = 0
    _counted: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, asked: Asked) -> Answer:
        with self._counted:
            second = int(time.monotonic())
            if second != self._second:
                self._second, self._used = second, 0
            self._used += 1
            if self._used > self.quota:
                self.refused += 1
                return refusal("503 Slow Down", "SlowDown")
            self.passed += 1
        return None


def upstream(served: Served) -> tuple[str, int]:
    at = urlsplit(served.endpoint)
    return str(at.hostname), int(at.port or 80)


@pytest.mark.parametrize(
    ("options", "least", "most"), [((), 17, 256), (("--concurrency", "4"), 4, 4)]
)
def test_a_far_store_is_asked_by_many_at_once_up_to_the_cap(
    lakebed: Lakebed,
    served: Served,
    source: Bucket,
    destination: Bucket,
    options: tuple[str, ...],
    least: int,
    most: int,
) -> None:
    """Timed for whoever reads it; what is asserted is what the store sees."""
    objects = 600 if not options else 40
    source.fill(pairs(objects // 2))
    far = Far()
    with Gateway(upstream(served), far) as gateway:
        ended = lakebed.store("here", endpoint=gateway.endpoint)(
            "sync", f"here:{source.name}", f"there:{destination.name}", "--json", *options
        )
    print(f"{objects} objects, 100 ms away: {ended.summary['seconds']:.1f} s, {far.peak} at once")
    assert ended.code == Exit.COMPLETED
    assert ended.counts("copied", "failed") == (objects, 0)
    assert least <= far.peak <= most


def test_a_store_that_allows_50_requests_a_second_fails_no_object(
    lakebed: Lakebed, served: Served, source: Bucket, destination: Bucket
) -> None:
    source.fill(pairs(150))
    limited = Limited(50)
    with Gateway(upstream(served), limited) as gateway:
        ended = lakebed.store("here", endpoint=gateway.endpoint)(
            "sync", f"here:{source.name}", f"there:{destination.name}", "--json"
        )
    print(
        f"300 objects, 50 a second: {ended.summary['seconds']:.1f} s, {limited.refused} refused"
        f" of {limited.refused + limited.passed}"
    )
    assert ended.code == Exit.COMPLETED
    assert ended.counts("copied", "failed") == (300, 0)
    assert limited.passed <= 300 + 10, "no request that was answered is made again"
    assert limited.refused <= 300


def test_bandwidth_bounds_what_passes(
    lakebed: Lakebed, source: Bucket, destination: Bucket
) -> None:
    source.put("large", bytes(1024**2))
    source.put("small", b"small")
    ended = lakebed(
        "sync", f"here:{source.name}", f"there:{destination.name}", "--bandwidth", "512K", "--json"
    )
    assert ended.code == Exit.COMPLETED
    assert ended.seconds >= 1.5
    assert destination.keys() == ["large", "small"]
