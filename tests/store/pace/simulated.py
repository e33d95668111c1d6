"""A store in virtual time: answers after a latency, of limited capacity, that may throttle."""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from lakebed.store.pace.level import Level
from lakebed.store.pace.rate import Rate

_STEADY = 0.15
"""Seconds for which a capacity that wavers stays the same."""


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class SimulatedStore:
    """`latency` seconds for each answer, beside `capacity` requests a second that are served in
    turn; with a `quota` what exceeds so many in a second is refused. `away` answers nothing."""

    latency: float
    capacity: float = float("inf")
    quota: float = float("inf")
    away: bool = False
    connect: float = 0.0
    """Seconds more for a request that finds no connection left by an earlier one."""
    wavers: int | None = None
    """A seed, by which its capacity is between 40 and 160 % of what it is in the mean."""

    def __post_init__(self) -> None:
        self._busy_until = 0.0
        self._tokens, self._counted = self.quota, 0.0
        self._idle = 0

    def answer(self, now: float) -> tuple[float, bool]:
        """When the answer to a request made now comes, and whether it is a success."""
        if self.away:
            return now + self.latency, False
        if self.quota != float("inf"):
            fresh = self._tokens + (now - self._counted) * self.quota
            self._tokens, self._counted = min(self.quota, fresh), now
            if self._tokens < 1:
                return now + self.latency, False
            self._tokens -= 1
        delay = 0.0
        if self._idle:
            self._idle -= 1
        else:
            delay = self.connect
        self._busy_until = max(now, self._busy_until) + 1 / self._capacity(now)
        return self._busy_until + self.latency + delay, True

    def _capacity(self, now: float) -> float:
        if self.wavers is None:
            return self.capacity
        draw = random.Random(self.wavers * 1_000_003 + int(now / _STEADY))
        return self.capacity * draw.uniform(0.4, 1.6)

    def release(self) -> None:
        self._idle += 1


@dataclass
class Run:
    """So many workers ask one store, as the level and the rate let them; what was seen."""

    store: SimulatedStore
    workers: int = 512
    most: int = 256
    size: Callable[[], int] = lambda: 0
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.level = Level(self.clock, self.most)
        self.rate = Rate(self.clock)
        self.done: list[float] = []
        self.refused: list[float] = []
        self.levels: list[tuple[float, int]] = []
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._turning = False

    def until(self, moment: float) -> "Run":
        self._go()
        while self._events and self._events[0][0] <= moment:
            self.clock.now, _, happens = heapq.heappop(self._events)
            happens()
            self.levels.append((self.clock.now, self.level.limit))
            self._go()
        self.clock.now = moment
        return self

    def done_between(self, begin: float, end: float) -> int:
        return sum(begin < moment <= end for moment in self.done)

    def level_between(self, begin: float, end: float) -> list[int]:
        return [level for moment, level in self.levels if begin < moment <= end]

    def _go(self) -> None:
        while not self._turning and self.level.in_flight < min(self.level.limit, self.workers):
            delay = self.rate.turn()
            if delay:
                self._turning = True
                self._push(self.clock.now + delay, self._take_turn)
            else:
                self._ask()

    def _take_turn(self) -> None:
        self._turning = False
        self._ask()

    def _ask(self) -> None:
        began = self.clock.now
        self.level.begin(began)
        at, fine = self.store.answer(began)
        self._push(at, partial(self._answered, began, fine))

    def _answered(self, began: float, fine: bool) -> None:
        now = self.clock.now
        if fine:
            self.store.release()
            self.level.end(now, self.size())
            self.rate.succeeded(now)
            self.done.append(now)
        else:
            self.level.fail(now, began)
            self.rate.throttled(began)
            self.refused.append(now)

    def _push(self, moment: float, happens: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._order), happens))
