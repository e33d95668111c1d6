"""A token bucket. Not locked: whoever shares one holds a lock around it."""

from collections.abc import Callable

Clock = Callable[[], float]
"""Seconds that never go back, as `time.monotonic`."""


class Bucket:
    """Tokens come at `rate` a second, and at most `burst` of them are kept."""

    def __init__(self, rate: float, burst: float, clock: Clock) -> None:
        self.rate, self.burst = rate, burst
        self._clock = clock
        self._tokens, self._counted = burst, clock()

    def resize(self, rate: float, burst: float) -> None:
        """What came up to now came at the rate before."""
        self._count()
        self.rate, self.burst = rate, burst

    def add(self, tokens: float) -> None:
        self._tokens = min(self.burst, self._tokens + tokens)

    def take(self) -> bool:
        """Take one token, where there is one."""
        self._count()
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def spend(self, tokens: float) -> float:
        """Take them in any case; seconds until those that were not there have come."""
        self._count()
        self._tokens -= tokens
        return max(0.0, -self._tokens / self.rate)

    def _count(self) -> None:
        now = self._clock()
        self.add((now - self._counted) * self.rate)
        self._counted = now
