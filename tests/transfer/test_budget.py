"""Bytes in flight: never over the limit, in the order of asking, given back whatever happens."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from lakebed.errors import Interrupted, UsageError
from lakebed.store.cancellation import Cancellation
from lakebed.transfer.budget import Budget
from lakebed.transfer.workers import Workers

PATIENCE = 30.0


class Watched(Cancellation):
    """Says when somebody who waits looks at it."""

    def __init__(self) -> None:
        super().__init__()
        self.looked = threading.Semaphore(0)

    def check(self) -> None:
        self.looked.release()
        super().check()


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 50), st.lists(st.integers(0, 80), max_size=12))
def test_no_more_than_the_limit_is_held_and_everybody_gets_a_turn(
    limit: int, sizes: list[int]
) -> None:
    budget = Budget(limit, Cancellation())
    held: list[int] = []

    def use(size: int) -> None:
        with budget.reserve(size):
            held.append(budget.held)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(use, size) for size in sizes]:
            done.result(PATIENCE)
    assert len(held) == len(sizes)
    assert max(held, default=0) <= limit
    assert budget.held == 0


def test_more_than_all_of_it_is_granted_to_one_alone() -> None:
    budget = Budget(10, Cancellation())
    with budget.reserve(1000):
        assert budget.held == 10


def test_a_large_request_is_not_overtaken_by_small_ones() -> None:
    cancellation = Watched()
    budget = Budget(10, cancellation)
    order: list[int] = []

    def use(size: int) -> None:
        with budget.reserve(size):
            order.append(size)

    with ThreadPoolExecutor(3) as pool:
        waiting: list[Future[None]] = []
        with budget.reserve(5):
            assert cancellation.looked.acquire(timeout=PATIENCE)
            for size in (9, 8, 1):  # the last one would fit at once
                waiting.append(pool.submit(use, size))
                assert cancellation.looked.acquire(timeout=PATIENCE)
            assert order == []
        for done in waiting:
            done.result(PATIENCE)
    assert order[0] == 9


def test_what_was_reserved_is_given_back_after_an_exception() -> None:
    budget = Budget(10, Cancellation())

    def fail() -> None:
        with budget.reserve(10):
            raise ValueError("inside")

    for _ in range(2):
        with pytest.raises(ValueError, match="inside"):
            fail()
    assert budget.held == 0


def test_who_waits_hears_the_cancellation_and_leaves_the_queue() -> None:
    cancellation = Watched()
    budget = Budget(10, cancellation)

    def use() -> None:
        with budget.reserve(10):
            raise AssertionError("granted")

    with ThreadPoolExecutor(1) as pool, budget.reserve(10):
        assert cancellation.looked.acquire(timeout=PATIENCE)
        waiting = pool.submit(use)
        assert cancellation.looked.acquire(timeout=PATIENCE)
        cancellation.stop(Interrupted("stopped"))
        with pytest.raises(Interrupted):
            waiting.result(PATIENCE)
    assert budget.held == 0


def test_nothing_is_granted_once_all_is_to_stop() -> None:
    cancellation = Cancellation()
    budget = Budget(10, cancellation)
    cancellation.stop(Interrupted("stopped"))
    with pytest.raises(Interrupted), budget.reserve(1):
        raise AssertionError("granted")
    assert budget.held == 0


@pytest.mark.parametrize("nothing", [0, -1])
def test_who_allows_nothing_in_flight_is_told_and_does_not_wait_for_ever(nothing: int) -> None:
    with pytest.raises(UsageError, match="bytes in flight"):
        Budget(nothing, Cancellation())
    with pytest.raises(UsageError, match="objects in flight"):
        Workers(nothing, Cancellation())


# --- memory that is used again -------------------------------------------------------------------


def test_memory_is_used_again_where_it_is_large_enough() -> None:
    budget = Budget(100, Cancellation())
    with budget.buffer(50) as first:
        first[:3] = b"abc"
    with budget.buffer(40) as again:
        assert (len(again), bytes(again[:3])) == (40, b"abc")
    with budget.buffer(60) as larger:
        assert (len(larger), bytes(larger[:3])) == (60, bytes(3))
    assert budget.held == 0


def test_memory_that_nobody_uses_makes_room_for_what_is_reserved() -> None:
    budget = Budget(100, Cancellation())
    with budget.buffer(50) as first, budget.buffer(50):
        first[:3] = b"abc"
    with budget.reserve(100):
        pass
    with budget.buffer(50) as anew:
        assert bytes(anew[:3]) == bytes(3)


def test_what_is_kept_counts_only_once_when_it_is_taken_again() -> None:
    budget = Budget(100, Cancellation())
    with budget.buffer(50) as one, budget.buffer(50) as other:
        one[:1], other[:1] = b"x", b"x"
    with budget.buffer(50) as one, budget.buffer(50) as other:
        assert bytes(one[:1]) == bytes(other[:1]) == b"x"


def test_what_is_asked_for_is_granted_by_the_limit_as_it_is_by_then() -> None:
    cancellation = Watched()
    budget = Budget(10, cancellation)
    with budget.reserve(6), ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(_use, budget, 10)
        for _ in range(3):
            assert cancellation.looked.acquire(timeout=PATIENCE)
        budget.resize(16)
        assert waiting.result(PATIENCE) == 16
    assert budget.held == 0


def test_who_waited_for_more_than_a_smaller_limit_gets_it_once_alone() -> None:
    cancellation = Watched()
    budget = Budget(10, cancellation)
    with ThreadPoolExecutor(1) as pool:
        with budget.reserve(6):
            waiting = pool.submit(_use, budget, 8)
            for _ in range(3):
                assert cancellation.looked.acquire(timeout=PATIENCE)
            budget.resize(4)
        assert waiting.result(PATIENCE) == 8
    with budget.reserve(8):
        assert budget.held == 4, "what comes later asks under the new limit"


def _use(budget: Budget, size: int, *, idle: bool = False) -> int:
    with budget.reserve(size, idle=idle):
        return budget.held


# --- bytes that wait for others ------------------------------------------------------------------


def test_nobody_waits_for_bytes_that_wait_for_others(budget_of_ten: Budget) -> None:
    with ThreadPoolExecutor(1) as pool, budget_of_ten.reserve(5, idle=True):
        budget_of_ten.resize(4)
        assert pool.submit(_use, budget_of_ten, 4).result(PATIENCE) == 9
    assert budget_of_ten.held == 0


def test_where_one_works_beside_idle_bytes_the_next_waits_for_it(budget_of_ten: Budget) -> None:
    with ThreadPoolExecutor(1) as pool, budget_of_ten.reserve(5, idle=True):
        budget_of_ten.resize(4)
        with budget_of_ten.reserve(4):
            waiting = pool.submit(_use, budget_of_ten, 1)
            _until_waiting(budget_of_ten)
            assert not waiting.done()
        assert waiting.result(PATIENCE) == 6


def test_idle_bytes_are_bounded_like_any_other(budget_of_ten: Budget) -> None:
    with ThreadPoolExecutor(1) as pool:
        with budget_of_ten.reserve(6, idle=True):
            waiting = pool.submit(_use, budget_of_ten, 6, idle=True)
            _until_waiting(budget_of_ten)
            assert budget_of_ten.held == 6
        assert waiting.result(PATIENCE) == 6


def test_nobody_waits_behind_bytes_that_are_to_wait_for_others(budget_of_ten: Budget) -> None:
    """They may be of what the idle ones before it wait for."""
    with ThreadPoolExecutor(2) as pool:
        with budget_of_ten.reserve(6, idle=True):
            idle = pool.submit(_use, budget_of_ten, 6, idle=True)
            _until_waiting(budget_of_ten)
            assert pool.submit(_use, budget_of_ten, 2).result(PATIENCE) == 8
        assert idle.result(PATIENCE) == 6


@settings(deadline=None, max_examples=40, phases=[Phase.reuse, Phase.generate])
@given(
    st.lists(st.tuples(st.integers(0, 80), st.booleans()), max_size=12),
    st.lists(st.integers(-1, 60), min_size=1, max_size=12),
)
def test_whatever_the_limit_becomes_everybody_gets_a_turn(
    asked: list[tuple[int, bool]], limits: list[int]
) -> None:
    """Also where idle bytes are given back only once others had theirs."""
    budget = Budget(50, Cancellation())
    count = len([idle for _, idle in asked if not idle])
    others = threading.Semaphore(0)

    def use(size: int, idle: bool) -> None:
        with budget.reserve(size, idle=idle):
            if idle and count:
                assert others.acquire(timeout=PATIENCE)
                others.release()
        if not idle:
            others.release()

    with ThreadPoolExecutor(1 + len(asked)) as pool:
        used = [pool.submit(use, *one) for one in asked]
        for limit in limits:
            budget.resize(limit)
        for done in used:
            done.result(PATIENCE)
    assert (budget.held, budget.limit) == (0, max(1, limits[-1]))


@pytest.fixture
def budget_of_ten() -> Budget:
    return Budget(10, Cancellation())


def _until_waiting(budget: Budget) -> None:
    give_up = time.monotonic() + PATIENCE
    while not budget._waiting:
        assert time.monotonic() < give_up, "nobody waits"
