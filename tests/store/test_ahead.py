"""What is read ahead comes in order, to its end or its error, and never outlives its scope."""

import threading
from collections.abc import Iterator

import pytest

from lakebed.errors import Interrupted, ListingRefused
from lakebed.store.ahead import Ahead
from lakebed.store.cancellation import Cancellation

WAIT = 30.0


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name == "lakebed-ahead"]


def test_items_come_in_order() -> None:
    with Ahead(iter(range(100)), Cancellation()) as ahead:
        assert list(ahead) == list(range(100))
    assert threads() == []


def test_no_more_than_its_depth_is_read_before_it_is_used() -> None:
    read: list[int] = []
    third = threading.Event()

    def items() -> Iterator[int]:
        for number in range(10):
            read.append(number)
            if number == 2:
                third.set()
            yield number

    with Ahead(items(), Cancellation(), depth=2) as ahead:
        assert next(ahead) == 0
        assert third.wait(WAIT)
        assert next(ahead) == 1
        assert len(read) <= 4
    assert len(read) <= 4


def test_an_error_comes_after_what_was_read_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ListingRefused("cut")

    with Ahead(items(), Cancellation()) as ahead:
        assert next(ahead) == 1
        for _ in range(2):
            with pytest.raises(ListingRefused, match="cut"):
                next(ahead)


def test_a_cancellation_ends_the_wait_for_an_item() -> None:
    cancellation, never = Cancellation(), threading.Event()

    def items() -> Iterator[int]:
        cancellation.stop(Interrupted("enough"))
        assert never.wait(WAIT)
        yield 1

    with Ahead(items(), cancellation) as ahead:
        with pytest.raises(Interrupted, match="enough"):
            next(ahead)
        never.set()
    assert threads() == []


@pytest.mark.parametrize(
    ("error", "reason"), [(ListingRefused("other side"), "other side"), (ValueError(), "stopped")]
)
def test_a_scope_left_by_an_error_stops_what_is_under_way(error: Exception, reason: str) -> None:
    cancellation = Cancellation()

    def items() -> Iterator[int]:
        while not cancellation.stopped:
            cancellation.wait(0.01)
        yield 1

    with pytest.raises(type(error)), Ahead(items(), cancellation):
        raise error
    assert str(cancellation.reason) == reason
    assert threads() == []
