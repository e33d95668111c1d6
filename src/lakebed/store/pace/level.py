"""How many requests a store is asked at once: found by trying, judged by what gets done.

Work done in a second is compared between two levels, never how long one answer took: a large
object is not a slow store. From the start the level doubles for as long as more gets done by it;
then more and less are tried in turn, ever more seldom while nothing is gained.
"""

from lakebed.store.pace.bucket import Clock

START = 8
"""Requests in flight at first: the best on loopback, and 256 are five doublings away."""
MOST = 256
"""Requests in flight at most, where nobody says otherwise: with 100 ms they make 2,500 a second,
which is what a core of Python signs and proves."""
REQUEST = 1024 * 1024
"""Bytes that weigh as much as a request. A connection brings half of it in the time of one answer
over loopback, five times as much over 100 ms."""
WINDOW = 0.1
"""Seconds, at the least, over which work is measured; and as many answers as are in flight."""
WORTH = 0.2
"""What a level must bring: k times the requests in flight are kept for k to this power times the
work. Twice as many for 15 % more; three quarters, where less than 6 % is lost."""
CHANCE = 0.5
"""How much more than that a higher level must bring, over the root of the answers counted: of n
in a window sqrt(n) are there, or not, by chance. On loopback 72 objects were in flight without it,
and a tenth more CPU was spent for nothing; with it some 20 are."""
BOLD_UP, BOLD_DOWN, UP, DOWN = 2.0, 0.5, 1.5, 0.75
"""The next level that is tried: boldly for as long as that brings more, carefully after it."""
SAMPLES, BOLD_SAMPLES = 3, 2
"""Windows of a trial; of a bold one a single window must show it, since in the first some of the
connections are only being made."""
REST, LONGEST_REST = 6, 48
"""Windows between two trials; doubled after each that brought nothing."""
FELL = 0.6
"""A window with less than this part of the work that was usual at its level: the store has become
slower, and twice in a row it is tried at once whether half as many do."""
SHRUNK = 0.7
"""What is left of the level where most answers are failures."""
IDLE = 0.05
"""Seconds without a request, after which a window begins anew."""
FULL = 0.8
"""The part of the level that must be in flight for a request to count as made at this level."""


class Level:
    """The level of one store, and the requests in flight. Not locked."""

    def __init__(self, clock: Clock, most: int = MOST) -> None:
        self._clock = clock
        self.most = most
        self.limit = self._base = min(START, most)
        """Requests that may be in flight; while another level is tried, `_base` is the usual."""
        self.in_flight = 0
        self._up, self._bold = True, True
        self._trying, self._rest = False, REST
        self._usual = 0.0
        """Work a second at the base."""
        self._shrunk = self._ended = float("-inf")
        self._samples = self._slow = self._earlier = 0
        self._tried = 0.0
        self._begin_window()

    # --- what happens ----------------------------------------------------------------------------

    def begin(self, now: float) -> None:
        if not self.in_flight and now - self._ended > IDLE:
            self._begin_window()
        self.in_flight += 1
        self._full += self.in_flight >= FULL * self.limit

    def end(self, now: float, size: int = 0) -> None:
        """A request was answered; `size` bytes came or went with it."""
        self.leave(now)
        if self._earlier:
            self._earlier -= 1
            if not self._earlier:
                self._begin_window()
            return
        self._done += 1
        self._work += 1 + size / REQUEST
        if self._done >= self.limit and now - self._since >= WINDOW:
            self._judge(self._work / (now - self._since), self._done)

    def fail(self, now: float, began: float) -> None:
        """A request that began at `began` was throttled, timed out or broke."""
        self.leave(now)
        if began < self._shrunk:
            return  # it says nothing about the level as it is now
        self._failed += 1
        if 2 * self._failed > self.limit and self._failed > self._done:
            self._shrunk, self._usual = now, 0.0
            self._stay(max(1, int(self.limit * SHRUNK)))
            self._up, self._bold, self._rest = True, True, REST

    def leave(self, now: float) -> None:
        """A request ended that says nothing about the store."""
        self.in_flight -= 1
        self._ended = now

    # --- what follows from it --------------------------------------------------------------------

    def _judge(self, work: float, done: int) -> None:
        """Look at a window: `work` a second was done in it, by `done` requests."""
        full = 2 * self._full >= done
        self._begin_window()
        if not full:
            # Less was asked of the store than it may be: nothing is learnt.
            self.limit, self._trying = self._base, False
            self._begin_phase()
            return
        self._samples += 1
        if self._trying:
            self._weigh(work, done)
        else:
            self._watch(work)

    def _watch(self, work: float) -> None:
        """Learn what is usual at the base, until it is time to try another level."""
        if work < FELL * self._usual:
            self._slow += 1
            if self._slow == 2:
                self._usual = work
                self._try(up=False, bold=True)
            return
        self._slow = 0
        self._usual = (self._usual + work) / 2 if self._usual else work
        if self._bold or self._samples >= self._rest:
            self._try(self._up, self._bold)

    def _weigh(self, work: float, done: int) -> None:
        """Decide between the level that is tried and the base."""
        self._tried += work
        tried = work if self._bold else self._tried / self._samples
        least = self._usual * (self.limit / self._base) ** WORTH
        if self.limit > self._base:
            least *= 1 + CHANCE / (done if self._bold else done * self._samples) ** 0.5
        enough = tried >= least
        if enough and (self._bold or self._samples == SAMPLES):
            self._base, self._usual, self._rest = self.limit, tried, REST
            self._try(self._up, self._bold or self._up)
        elif self._samples == (BOLD_SAMPLES if self._bold else SAMPLES):
            self._up = not self._up
            self._rest = REST if self._bold else min(2 * self._rest, LONGEST_REST)
            self._stay(self._base)

    def _try(self, up: bool, bold: bool) -> None:
        """Try the next level, or stay where there is none."""
        if up:
            factor = BOLD_UP if bold else UP
            level = min(self.most, max(self._base + 1, round(self._base * factor)))
        else:
            level = max(1, int(self._base * (BOLD_DOWN if bold else DOWN)))
        if level == self._base:
            self._up = not up
            self._stay(level)
            return
        self._up, self._bold, self._trying = up, bold, True
        self.limit = level
        self._begin_phase()
        self._earlier = self.in_flight if level < self._base else 0

    def _stay(self, level: int) -> None:
        self.limit = self._base = level
        self._bold = self._trying = False
        self._begin_phase()

    def _begin_phase(self) -> None:
        self._samples = self._slow = self._earlier = 0
        self._tried = 0.0
        self._begin_window()

    def _begin_window(self) -> None:
        self._since = self._clock()
        self._done = self._full = self._failed = 0
        self._work = 0.0
