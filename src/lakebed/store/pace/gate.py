"""Lets in as many requests as their level says; the others wait for a place."""

import threading

from lakebed.store.cancellation import Cancellation
from lakebed.store.pace.bucket import Clock
from lakebed.store.pace.level import Level

POLL = 0.5
"""Seconds between two looks at the cancellation while waiting."""
STALL = 5.0
"""Seconds without an end after which one request more is let in: those that hold the places may
be waiting for what it brings (bytes that are digested in order, a body read for another)."""


class Gate:
    """Requests of one kind at one store. The methods but `enter` are called with `lock` held."""

    def __init__(self, level: Level, lock: threading.Lock, clock: Clock) -> None:
        self.level = level
        self._clock = clock
        self._places = threading.Condition(lock)
        self._moved = clock()

    def enter(self, most: int, cancellation: Cancellation) -> float:
        """Wait for a place among `most`, at the most; the moment at which it was taken.

        Raises the cancellation's reason where all is to stop.
        """
        level = self.level
        with self._places:
            if level.in_flight >= min(level.limit, most):
                self._wait(most, cancellation)
            now = self._clock()
            if not level.in_flight:
                self._moved = now  # before, there was nobody whose end could be missed
            level.begin(now)
            return now

    def _wait(self, most: int, cancellation: Cancellation) -> None:
        level = self.level
        while level.in_flight >= min(level.limit, most):
            cancellation.check()
            self._places.wait(POLL)
            if self._clock() - self._moved > STALL:
                self._moved = self._clock()
                return

    def end(self, now: float, size: int) -> None:
        self.level.end(now, size)
        self._free(now)

    def fail(self, now: float, began: float) -> None:
        self.level.fail(now, began)
        self._free(now)

    def leave(self, now: float) -> None:
        self.level.leave(now)
        self._free(now)

    def _free(self, now: float) -> None:
        self._moved = now
        free = self.level.limit - self.level.in_flight
        if free > 0:
            self._places.notify(free)
