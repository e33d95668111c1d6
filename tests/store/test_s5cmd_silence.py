"""How long s5cmd may say nothing: on a clock of the tests' own."""

import pytest

from lakebed.store.cancellation import Cancellation
from lakebed.store.s3.client import Endpoint
from lakebed.store.s3.s5cmd import _Watch

ENDPOINT = Endpoint("lake", "http://127.0.0.1:9", "eu-west-1", stall_timeout=60, total_timeout=3600)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(clock: Clock) -> _Watch:
    return _Watch(ENDPOINT, Cancellation(), clock)


def test_one_that_says_nothing_any_more_is_ended_as_a_stalled_request_is(
    clock: Clock, watch: _Watch
) -> None:
    clock.now += 30
    watch.hear()
    clock.now += 59
    assert not watch.is_over
    clock.now += 1
    assert watch.is_over


def test_one_that_goes_on_saying_something_is_ended_after_all_its_time(
    clock: Clock, watch: _Watch
) -> None:
    for _ in range(71):
        clock.now += 50
        watch.hear()
        assert not watch.is_over
    clock.now += 50
    watch.hear()
    assert watch.is_over
