"""Tokens are neither made nor lost but by time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.errors import Interrupted
from lakebed.store.cancellation import Cancellation
from lakebed.store.pace.bucket import Bucket
from lakebed.store.pace.line import BURST, Line
from tests.store.pace.simulated import Clock


def test_a_full_bucket_gives_its_burst_and_then_what_comes() -> None:
    clock = Clock()
    bucket = Bucket(2.0, 3.0, clock)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    clock.now += 0.5
    assert [bucket.take() for _ in range(2)] == [True, False]


@given(
    st.floats(0.1, 1e6),
    st.floats(1, 1e6),
    st.lists(st.tuples(st.floats(0, 10), st.floats(0, 1e5)), min_size=1, max_size=100),
)
def test_whoever_waits_for_what_was_spent_never_exceeds_burst_and_rate(
    rate: float, burst: float, spent: list[tuple[float, float]]
) -> None:
    clock = Clock()
    bucket = Bucket(rate, burst, clock)
    passed = 0.0
    for idle, tokens in spent:
        clock.now += idle
        clock.now += bucket.spend(tokens)
        passed += tokens
        assert passed <= (burst + rate * clock.now) * (1 + 1e-9) + 1e-6


@given(st.floats(0, 100), st.lists(st.floats(0, 50)))
def test_what_is_added_never_exceeds_the_burst(burst: float, added: list[float]) -> None:
    bucket = Bucket(1.0, burst, Clock())
    for tokens in added:
        bucket.add(tokens)
    assert sum(bucket.take() for _ in range(200)) <= burst


class Waits(Cancellation):
    """Waiting lets virtual time pass."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, seconds: float) -> None:
        self._clock.now += seconds
        super().wait(0)


def test_a_line_bounds_each_way_by_itself() -> None:
    clock = Clock()
    line, waits = Line(1000, clock), Waits(clock)
    for _ in range(10):
        line.receive(100, waits)
        line.send(100, waits)
    assert clock.now == pytest.approx(1.0 - BURST)


def test_who_waits_for_the_line_hears_a_stop() -> None:
    line, cancellation = Line(1000), Cancellation()
    cancellation.stop(Interrupted("stopped"))
    with pytest.raises(Interrupted):
        line.receive(10**9, cancellation)


def test_a_line_within_another_waits_for_both() -> None:
    clock = Clock()
    waits = Waits(clock)
    whole = Line(1000, clock)
    part = Line(500, clock, within=whole)
    part.receive(550, waits)
    assert clock.now == pytest.approx(1.0, abs=BURST), "its own is the narrower"
    whole.resize(100)
    part.receive(100, waits)
    assert clock.now == pytest.approx(2.0, abs=2 * BURST), "now the other one is"


def test_a_line_that_is_resized_passes_what_it_has_from_then_on() -> None:
    clock = Clock()
    line, waits = Line(1000, clock), Waits(clock)
    line.resize(100)
    line.send(100, waits)
    line.send(100, waits)
    assert clock.now == pytest.approx(2.0, abs=2 * BURST)
