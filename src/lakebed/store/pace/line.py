"""The bytes a second that the process may receive, and as many that it may send."""

import threading
import time
from collections.abc import Callable
from functools import cache

from lakebed.store.cancellation import Cancellation
from lakebed.store.pace.bucket import Bucket, Clock

BURST = 0.1
"""Seconds of the line that may be used at once after a rest."""


class Line:
    """Each way is bounded by itself, so that copying at 10 MB/s receives and sends 10 MB/s: the
    byte of a body that passes counts once on its way in and once on its way out."""

    def __init__(
        self,
        bytes_per_second: int,
        clock: Clock = time.monotonic,
        *,
        within: "Line | None" = None,
    ) -> None:
        """`within`: another line, of which this one is a part."""
        rate = float(bytes_per_second)
        self._received = Bucket(rate, rate * BURST, clock)
        self._sent = Bucket(rate, rate * BURST, clock)
        self._lock = threading.Lock()
        self._within = within

    def resize(self, bytes_per_second: int) -> None:
        """So many bytes a second from now on."""
        with self._lock:
            for bucket in (self._received, self._sent):
                bucket.resize(float(bytes_per_second), bytes_per_second * BURST)

    def receive(self, size: int, cancellation: Cancellation) -> None:
        """Wait until `size` bytes more may have been received."""
        self._pass(lambda line: line._received, size, cancellation)

    def send(self, size: int, cancellation: Cancellation) -> None:
        """Wait until `size` bytes more may be sent."""
        self._pass(lambda line: line._sent, size, cancellation)

    def _pass(self, way: "Callable[[Line], Bucket]", size: int, cancellation: Cancellation) -> None:
        delay, line = 0.0, self
        while True:
            with line._lock:
                delay = max(delay, way(line).spend(size))
            if line._within is None:
                break
            line = line._within
        if delay:
            cancellation.wait(delay)


@cache
def shared_line(bytes_per_second: int) -> Line:
    """The process's own, of so many bytes a second: the same one to everybody."""
    return Line(bytes_per_second)
