"""Threads meet one pace for each endpoint: places, turns, repetitions."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from lakebed.errors import Interrupted, ObjectMissing, StoreFault, Throttled
from lakebed.store.cancellation import Cancellation
from lakebed.store.pace import gate as gate_module
from lakebed.store.pace.gate import STALL, Gate
from lakebed.store.pace.level import MOST, START
from lakebed.store.pace.pace import (
    FORGOTTEN,
    LONGEST_PAUSE,
    RETRIES,
    RETRIES_A_SECOND,
    Pace,
)
from lakebed.store.pace.paces import Paces
from tests.store.pace.simulated import Clock

PATIENCE = 30.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(clock)


class Waits(Cancellation):
    """Puts each wait on record; it takes no time."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        super().wait(0)


def fill(pace: Pace, gate: Gate, count: int) -> list[float]:
    return [pace.begin(gate, MOST, Cancellation()) for _ in range(count)]


@contextmanager
def waiting(enter: Callable[[], object], asked: threading.Event) -> Iterator[threading.Event]:
    """Runs `enter` in a thread; the event says that it came through. Begins once it waits."""
    through = threading.Event()

    def run() -> None:
        enter()
        through.set()

    with ThreadPoolExecutor(1) as pool:
        entered = pool.submit(run)
        assert asked.wait(PATIENCE)
        yield through
        entered.result(PATIENCE)


class Looks(Cancellation):
    """Says when somebody looks at it, as those do who wait."""

    def __init__(self) -> None:
        super().__init__()
        self.looked = threading.Event()

    def check(self) -> None:
        self.looked.set()
        super().check()


def test_who_finds_no_place_waits_until_one_is_free(pace: Pace) -> None:
    fill(pace, pace.reads, START)
    looks = Looks()
    with waiting(lambda: pace.begin(pace.reads, MOST, looks), looks.looked) as through:
        assert not through.is_set()
        pace.succeeded(pace.reads, 0)
        assert through.wait(PATIENCE)
    assert pace.reads.level.in_flight == START


def test_reading_never_waits_for_a_place_to_write(pace: Pace) -> None:
    """A body that is being sent may be read from the same store."""
    fill(pace, pace.writes, START)
    fill(pace, pace.reads, 1)
    assert pace.reads.level.in_flight == 1


def test_an_operation_may_have_fewer_in_flight_than_the_pace_takes(pace: Pace) -> None:
    looks = Looks()
    pace.begin(pace.reads, 1, looks)
    with waiting(lambda: pace.begin(pace.reads, 1, looks), looks.looked):
        pace.succeeded(pace.reads, 0)
    assert pace.reads.level.in_flight == 1


def test_who_waits_for_a_place_hears_a_stop(pace: Pace) -> None:
    fill(pace, pace.reads, START)
    cancellation = Cancellation()
    cancellation.stop(Interrupted("stopped"))
    with pytest.raises(Interrupted):
        pace.begin(pace.reads, MOST, cancellation)
    assert pace.reads.level.in_flight == START


def test_where_nothing_ends_for_long_one_more_is_let_in(
    pace: Pace, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What holds the places may wait for what the next one brings."""
    monkeypatch.setattr(gate_module, "POLL", 0.0)
    clock.now += 2 * STALL  # a rest before is no such time
    fill(pace, pace.reads, START)
    looks = Looks()
    with waiting(lambda: pace.begin(pace.reads, MOST, looks), looks.looked) as through:
        assert not through.is_set()
        clock.now += 2 * STALL
    assert pace.reads.level.in_flight == START + 1


def test_the_level_may_grow_further_where_somebody_asks_for_it(pace: Pace) -> None:
    pace.allow(4 * MOST)
    pace.allow(1)
    assert pace.reads.level.most == pace.writes.level.most == 4 * MOST
    assert pace.level == START


def test_throttled_answers_make_everybody_wait_for_a_turn(pace: Pace, clock: Clock) -> None:
    for _ in range(30):
        began = pace.begin(pace.reads, MOST, Cancellation())
        clock.now += 0.1
        pace.succeeded(pace.reads, 0)
    began = pace.begin(pace.reads, MOST, Cancellation())
    pace.failed(pace.reads, began, Throttled("slow down"))
    waits = Waits()
    for _ in range(3):
        pace.begin(pace.writes, MOST, waits)
    assert waits.waits[-1] == pytest.approx(2 / 8.5, rel=0.1)


@pytest.mark.parametrize(("asked", "pause"), [(7, 7), (3600, LONGEST_PAUSE)])
def test_a_retry_after_pauses_the_whole_store(pace: Pace, asked: float, pause: float) -> None:
    began = pace.begin(pace.reads, MOST, Cancellation())
    pace.failed(pace.reads, began, Throttled("slow down", retry_after=asked))
    waits = Waits()
    pace.begin(pace.writes, MOST, waits)
    assert waits.waits == [pause]


def test_who_waits_behind_another_for_a_turn_hears_a_stop(
    pace: Pace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lakebed.store.pace.pace.POLL", 0.001)
    began = pace.begin(pace.reads, MOST, Cancellation())
    pace.failed(pace.reads, began, Throttled("slow down", retry_after=60))
    first, second = Cancellation(), Looks()
    second.stop(Interrupted("stopped"))
    waits = threading.Event()

    def wait(seconds: float) -> None:
        waits.set()
        Cancellation.wait(first, seconds)

    monkeypatch.setattr(first, "wait", wait)
    with ThreadPoolExecutor(1) as pool:
        begun = pool.submit(pace.begin, pace.reads, MOST, first)
        assert waits.wait(PATIENCE)
        with pytest.raises(Interrupted):
            pace.begin(pace.reads, MOST, second)
        first.stop(Interrupted("stopped"))
        with pytest.raises(Interrupted):
            begun.result(PATIENCE)


def test_repetitions_are_a_share_of_the_successes_beyond_the_first(pace: Pace) -> None:
    assert sum(pace.may_retry() for _ in range(2000)) == RETRIES
    for _ in range(100):
        pace.begin(pace.reads, MOST, Cancellation())
        pace.succeeded(pace.reads, 0)
    assert sum(pace.may_retry() for _ in range(2000)) == pytest.approx(20, abs=1)


def test_a_few_repetitions_a_second_are_always_allowed(pace: Pace, clock: Clock) -> None:
    while pace.may_retry():
        pass
    clock.now += 1
    assert sum(pace.may_retry() for _ in range(2000)) == RETRIES_A_SECOND


def test_silence_is_counted_from_the_first_failure_after_a_success(
    pace: Pace, clock: Clock
) -> None:
    def fail(error: BaseException) -> None:
        pace.failed(pace.reads, pace.begin(pace.reads, MOST, Waits()), error)

    heard: list[float | None] = []
    fail(StoreFault("broken"))
    heard.append(pace.silence)
    pace.begin(pace.reads, MOST, Waits())
    pace.succeeded(pace.reads, 0)
    clock.now += 1000
    heard.append(pace.silence)
    fail(StoreFault("broken"))
    clock.now += 10
    fail(StoreFault("broken"))
    heard.append(pace.silence)
    assert heard == [None, 0, 10]


def test_failures_of_long_ago_are_no_silence(pace: Pace, clock: Clock) -> None:
    def fail() -> None:
        pace.failed(pace.reads, pace.begin(pace.reads, MOST, Waits()), StoreFault("broken"))

    pace.begin(pace.reads, MOST, Waits())
    pace.succeeded(pace.reads, 0)
    fail()
    clock.now += FORGOTTEN + 1
    fail()
    assert pace.silence == 0


@pytest.mark.parametrize("error", [ObjectMissing("not there"), BrokenPipeError()])
def test_what_is_not_the_stores_failure_only_frees_its_place(
    pace: Pace, error: BaseException
) -> None:
    for _ in range(3 * START):
        began = pace.begin(pace.reads, MOST, Cancellation())
        pace.failed(pace.reads, began, error)
    assert (pace.level, pace.reads.level.in_flight) == (START, 0)


def test_one_endpoint_has_one_pace() -> None:
    paces = Paces()
    assert paces.of("http://a") is paces.of("http://a")
    assert paces.of("http://a") is not paces.of("http://b")
