"""The pace of one endpoint, shared by everybody in the process who asks it."""

import threading
import time

from lakebed.errors import LakebedError, Throttled
from lakebed.store.cancellation import Cancellation
from lakebed.store.pace.bucket import Bucket, Clock
from lakebed.store.pace.gate import POLL, Gate
from lakebed.store.pace.level import MOST, Level
from lakebed.store.pace.rate import Rate

RETRIES = 512.0
"""Repetitions that are allowed at once: as many as cutting all connections twice asks for."""
RETRIES_EARNED = 0.2
"""Repetitions that a success allows: beyond those above one request in six is a repetition."""
RETRIES_A_SECOND = 10.0
"""Repetitions that are allowed in any case, for they harm no store: whoever waits for a store that
is away (`--retries`) asks less often than that."""
LONGEST_PAUSE = 120.0
"""Seconds that a store may ask us to stay away (Retry-After)."""
FORGOTTEN = 2 * LONGEST_PAUSE
"""Seconds without a failure after which the next one has nothing to do with those before it."""


class Pace:
    """Requests in flight, by two levels: a body that is sent may be read from the same store just
    then, and must not wait for a place that its own sending holds. Requests a second, once it
    throttles. Repetitions, by a budget."""

    def __init__(self, clock: Clock = time.monotonic, most: int = MOST) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self.reads = Gate(Level(clock, most), self._lock, clock)
        self.writes = Gate(Level(clock, most), self._lock, clock)
        self._rate = Rate(clock)
        self._turn = threading.Lock()
        self._retries = Bucket(RETRIES_A_SECOND, RETRIES, clock)
        self._answered = False
        self._failing: float | None = None
        """Since when nothing but failures came; None after a success."""
        self._failed = 0.0
        """When the last of them came."""

    @property
    def level(self) -> int:
        """Requests in flight that it takes now."""
        return max(self.reads.level.limit, self.writes.level.limit)

    def allow(self, most: int) -> None:
        """Let the level grow to `most`, where it was not to grow so far."""
        with self._lock:
            for gate in (self.reads, self.writes):
                gate.level.most = max(gate.level.most, most)

    def begin(self, gate: Gate, most: int, cancellation: Cancellation) -> float:
        """Wait for a turn and for a place; the moment at which the request may begin."""
        if not self._rate.free:
            self._wait_for_turn(cancellation)
        return gate.enter(most, cancellation)

    def _wait_for_turn(self, cancellation: Cancellation) -> None:
        """One waits for its turn, the others for it: so each hears of a rate that changed."""
        while not self._turn.acquire(timeout=POLL):
            cancellation.check()
        try:
            with self._lock:
                delay = self._rate.turn()
            if delay:
                cancellation.wait(delay)
        finally:
            self._turn.release()

    def succeeded(self, gate: Gate, size: int) -> None:
        """A request ended well; `size` bytes came or went."""
        with self._lock:
            now = self.clock()
            self._answered, self._failing = True, None
            gate.end(now, size)
            self._rate.succeeded(now)
            self._retries.add(RETRIES_EARNED)

    def failed(self, gate: Gate, began: float, error: BaseException) -> None:
        """A request ended with an error, be it the store's, ours or its body's."""
        with self._lock:
            now = self.clock()
            if not isinstance(error, LakebedError) or not error.retryable:
                gate.leave(now)
                return
            gate.fail(now, began)
            if self._failing is None or now - self._failed > FORGOTTEN:
                self._failing = now
            self._failed = now
            if isinstance(error, Throttled):
                self._rate.throttled(began)
                if error.retry_after is not None:
                    self._rate.pause(min(error.retry_after, LONGEST_PAUSE))

    def may_retry(self) -> bool:
        """Whether one repetition more is within the budget; it is then spent."""
        with self._lock:
            return self._retries.take()

    @property
    def silence(self) -> float | None:
        """Seconds for which nothing but failures came; None where there was no success ever."""
        if not self._answered:
            return None
        failing = self._failing
        return 0.0 if failing is None else self.clock() - failing
