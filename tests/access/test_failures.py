"""Addresses that show what opens nothing."""

import pytest

from lakebed.access.failures import MOST, SECONDS, Failures
from lakebed.errors import TooManyRequests
from tests.operations.conftest import Clock


def test_an_address_that_fails_too_often_is_told_to_wait() -> None:
    clock = Clock()
    failures = Failures(clock)
    for _ in range(MOST):
        failures.count("10.0.0.1")
    with pytest.raises(TooManyRequests) as refused:
        failures.count("10.0.0.1")
    wait = refused.value.retry_after or 0.0
    assert 0 < wait <= SECONDS
    failures.count("10.0.0.2")
    clock.now += wait
    failures.check("10.0.0.1")
    failures.count("10.0.0.1")
    with pytest.raises(TooManyRequests):
        failures.check("10.0.0.1")


def test_a_flood_of_addresses_takes_no_more_memory() -> None:
    failures = Failures()
    for number in range(10_000):
        failures.count(str(number))
    assert len(failures) == 4096
