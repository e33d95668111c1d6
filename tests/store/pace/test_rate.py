"""The rate of a store that throttles is found, kept and left again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.store.pace.rate import KEPT, SECOND, SLOWEST, UNUSED, Rate
from tests.store.pace.simulated import Clock, Run, SimulatedStore


@pytest.mark.parametrize("latency", [0.001, 0.1, 0.3])
@pytest.mark.parametrize("quota", [20, 50, 200])
def test_a_quota_is_used_to_nine_tenths_and_hardly_exceeded(latency: float, quota: int) -> None:
    """From the start: the seconds in which it is found count."""
    run = Run(SimulatedStore(latency, 4000, quota)).until(40)
    assert len(run.done) / 40 >= 0.9 * quota
    assert len([moment for moment in run.refused if moment > 5]) <= 0.1 * len(run.done)


def test_a_quota_that_is_raised_is_used_again() -> None:
    run = Run(SimulatedStore(0.1, 4000, 20)).until(20)
    run.store.quota = 500
    run.until(40)
    assert run.done_between(35, 40) / 5 >= 450


def test_a_quota_that_is_lowered_is_found_again() -> None:
    run = Run(SimulatedStore(0.1, 4000, 500)).until(20)
    run.store.quota = 20
    run.until(40)
    assert run.done_between(25, 40) / 15 >= 18
    assert len([moment for moment in run.refused if moment > 30]) <= 30


@pytest.fixture
def clock() -> Clock:
    return Clock()


def done(rate: Rate, clock: Clock, a_second: int, seconds: float) -> None:
    for _ in range(round(a_second * seconds)):
        clock.now += 1 / a_second
        rate.succeeded(clock.now)


def test_nobody_waits_before_the_first_throttled_answer(clock: Clock) -> None:
    rate = Rate(clock)
    done(rate, clock, 1000, 3)
    assert (rate.free, rate.limit, rate.turn()) == (True, None, 0.0)


def test_the_rate_falls_below_what_was_done_in_the_last_second(clock: Clock) -> None:
    rate = Rate(clock)
    done(rate, clock, 100, 3)
    rate.throttled(clock.now)
    assert rate.limit == pytest.approx(100 * KEPT, rel=0.05)


def test_throttled_answers_within_a_second_count_once(clock: Clock) -> None:
    rate = Rate(clock)
    done(rate, clock, 100, 3)
    rate.throttled(clock.now)
    first = rate.limit
    clock.now += 0.01
    rate.throttled(clock.now)
    assert rate.limit is not None
    assert first is not None
    assert rate.limit >= first


def test_an_answer_to_what_was_asked_before_the_cut_does_not_cut_again(clock: Clock) -> None:
    rate = Rate(clock)
    done(rate, clock, 100, 3)
    long_ago = clock.now
    clock.now += 1
    rate.throttled(clock.now)
    clock.now += 2 * SECOND
    before = rate.limit
    rate.throttled(long_ago)
    assert rate.limit == before


def test_turns_come_at_the_rate(clock: Clock) -> None:
    rate = Rate(clock)
    done(rate, clock, 10, 3)
    rate.throttled(clock.now)
    rate.turn()
    limit = rate.limit
    assert limit is not None
    assert rate.turn() == pytest.approx(1 / limit)


def test_a_store_that_does_nothing_is_asked_once_a_second(clock: Clock) -> None:
    rate = Rate(clock)
    for _ in range(50):
        clock.now += 1.5
        rate.throttled(clock.now)
    assert rate.limit == pytest.approx(SLOWEST)


def test_a_pause_holds_everybody_back_and_ends(clock: Clock) -> None:
    rate = Rate(clock)
    rate.pause(30)
    rate.pause(2)
    assert not rate.free
    assert rate.turn() == 30
    clock.now += 30
    assert rate.turn() == 0
    assert rate.free


def test_a_limit_that_nobody_feels_is_dropped(clock: Clock) -> None:
    rate = Rate(clock)
    done(rate, clock, 100, 3)
    rate.throttled(clock.now)
    for _ in range(40):
        clock.now += 1
        rate.turn()
    assert rate.free
    assert UNUSED < 40


@given(
    st.lists(
        st.tuples(st.sampled_from(["done", "throttled", "turn"]), st.floats(0, 5)), max_size=200
    )
)
def test_the_rate_never_falls_below_the_slowest_and_no_wait_is_endless(
    happens: list[tuple[str, float]],
) -> None:
    clock = Clock()
    rate = Rate(clock)
    waited = 0.0
    for what, seconds in happens:
        clock.now += seconds
        if what == "done":
            rate.succeeded(clock.now)
        elif what == "throttled":
            rate.throttled(clock.now)
        else:
            waited = rate.turn()
            clock.now += waited
        assert rate.limit is None or rate.limit >= SLOWEST
        assert 0 <= waited <= 1 / SLOWEST + 1e-6
