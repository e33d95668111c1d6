"""Requests a second that a store takes: no limit until it throttles, then found by asking.

After a throttled answer the rate falls a little below what the store has lately done, and climbs
along a cubic: fast far from the rate at which it was throttled, slowly near it, then ever faster
beyond (TCP CUBIC, RFC 9438; AWS SDKs use it so in their adaptive retry mode).
"""

from lakebed.store.pace.bucket import Bucket, Clock

KEPT = 0.85
"""What is left of the rate after a throttled answer. The mean of a climb back to 50/s is then 96 %
of it; with the 0.7 of AWS it is 92 %."""
CLIMB = 0.4
"""The cubic's scale, requests/s per s³, as in RFC 9438 and the AWS SDKs."""
SECOND = 1.0
"""Stores count by the second: a second cut within one would answer to the same overload."""
SLOWEST = 1.0
"""Requests a second that are asked of a store that does nothing, to hear when it is back."""
UNUSED = 30.0
"""Seconds without anybody having to wait, after which the limit is dropped."""
BURST = 0.02
"""Seconds of the rate that may come at once: a thread is not woken for each of many."""


class Rate:
    """The rate of one store. Not locked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bucket: Bucket | None = None
        self._peak = self._cut = self._waited = 0.0
        self._paused = 0.0
        self._counted, self._done, self._measured = clock(), 0, 0.0

    @property
    def free(self) -> bool:
        """Whether nobody has to wait for a turn."""
        return self._bucket is None and not self._paused

    @property
    def limit(self) -> float | None:
        """Requests a second now; None: no limit."""
        return None if self._bucket is None else self._climbed(self._clock())

    def succeeded(self, now: float) -> None:
        self._done += 1
        if now - self._counted >= SECOND:
            self._measured = self._done / (now - self._counted)
            self._counted, self._done = now, 0

    def throttled(self, began: float) -> None:
        """A request that began at `began` was refused for its rate."""
        now = self._clock()
        if self._bucket is not None and (began < self._cut or now - self._cut < SECOND):
            return
        limit = self._climbed(now) if self._bucket is not None else float("inf")
        self._peak = max(SLOWEST, min(limit, self._lately(now)))
        self._cut = self._waited = now
        rate = max(SLOWEST, self._peak * KEPT)
        self._bucket = Bucket(rate, 1.0, self._clock)

    def pause(self, seconds: float) -> None:
        """Nobody's turn comes for so long: the store asked for it."""
        self._paused = max(self._paused, self._clock() + seconds)

    def turn(self) -> float:
        """Take a turn; seconds until it comes."""
        now = self._clock()
        pause = max(0.0, self._paused - now)
        if not pause:
            self._paused = 0.0
        if self._bucket is None:
            return pause
        self._bucket.rate = self._climbed(now)
        self._bucket.burst = max(1.0, self._bucket.rate * BURST)
        delay = max(pause, self._bucket.spend(1))
        if delay:
            self._waited = now
        elif now - self._waited > UNUSED:
            self._bucket = None
        return delay

    def _climbed(self, now: float) -> float:
        flat: float = (self._peak * (1 - KEPT) / CLIMB) ** (1 / 3)
        return max(SLOWEST, float(CLIMB * (now - self._cut - flat) ** 3 + self._peak))

    def _lately(self, now: float) -> float:
        """Successes a second: of this second where it is half over or the first, else of the
        last one."""
        passed = now - self._counted
        if passed < SECOND / 2 and self._measured:
            return self._measured
        return self._done / max(passed, SECOND / 10)
