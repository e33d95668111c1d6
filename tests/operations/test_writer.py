import threading
from collections.abc import Sequence

import pytest

from lakebed.errors import LakebedError, LedgerError
from lakebed.operations import writer
from lakebed.operations.writer import Writer
from lakebed.store.cancellation import Cancellation

LONG = 3600.0
"""Seconds that no test waits for."""


class Groups:
    """Where the writer writes; each group waits until it may."""

    def __init__(self) -> None:
        self.written: list[list[int]] = []
        self.begun = threading.Semaphore(0)
        self.may_write = threading.Event()
        self.may_write.set()
        self.error: Exception | None = None

    def __call__(self, group: Sequence[int]) -> None:
        self.begun.release()
        assert self.may_write.wait(30)
        if self.error is not None:
            raise self.error
        self.written.append(list(group))


@pytest.fixture
def groups() -> Groups:
    return Groups()


def test_everything_queued_is_written_in_order_when_the_scope_ends(groups: Groups) -> None:
    entries = Writer(groups, Cancellation(), linger=LONG)
    with entries:
        for number in range(10):
            entries.put([number])
    assert groups.written == [list(range(10))]


def test_a_full_group_is_written_without_waiting(groups: Groups) -> None:
    entries = Writer(groups, Cancellation(), linger=LONG)
    with entries:
        entries.put([0])
        entries.put(list(range(1, writer.GROUP)))
        assert groups.begun.acquire(timeout=30)


def test_a_lone_entry_is_written_a_moment_later(groups: Groups) -> None:
    entries = Writer(groups, Cancellation(), linger=0.001)
    with entries:
        entries.put([0])
        assert groups.begun.acquire(timeout=30)
    assert groups.written == [[0]]


def test_a_scope_without_entries_writes_nothing(groups: Groups) -> None:
    with Writer(groups, Cancellation(), linger=LONG):
        pass
    assert groups.written == []


def test_who_puts_waits_for_a_slow_database(
    groups: Groups, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "BACKLOG", 2)
    groups.may_write.clear()
    entries = Writer(groups, Cancellation(), linger=0)
    passed = threading.Event()

    def put() -> None:
        entries.put([3])
        passed.set()

    with entries:
        entries.put([0])
        assert groups.begun.acquire(timeout=30)
        entries.put([1, 2])
        waiting = threading.Thread(target=put)
        waiting.start()
        assert not passed.is_set()
        groups.may_write.set()
        waiting.join(30)
        assert passed.is_set()
    assert [number for group in groups.written for number in group] == [0, 1, 2, 3]


def test_a_drain_waits_until_all_that_was_put_is_written(groups: Groups) -> None:
    groups.may_write.clear()
    entries = Writer(groups, Cancellation(), linger=0)
    drained = threading.Event()

    def drain() -> None:
        entries.drain()
        drained.set()

    with entries:
        entries.drain()
        entries.put([0])
        assert groups.begun.acquire(timeout=30)
        waiting = threading.Thread(target=drain)
        waiting.start()
        assert not drained.is_set()
        groups.may_write.set()
        waiting.join(30)
        assert groups.written == [[0]]


def test_a_drain_raises_why_nothing_can_be_written(groups: Groups) -> None:
    groups.error = LedgerError("the disk is full")
    entries = Writer(groups, Cancellation(), linger=0)
    entries.__enter__()
    entries.put([0])
    with pytest.raises(LedgerError, match="disk is full"):
        entries.drain()
    with pytest.raises(LedgerError, match="disk is full"):
        entries.__exit__(None, None, None)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (LedgerError("the disk is full"), "the disk is full"),
        (ZeroDivisionError("mine"), "the ledger's writer broke: ZeroDivisionError"),
    ],
)
def test_a_failing_write_stops_everything_and_is_raised(
    groups: Groups, error: Exception, says: str
) -> None:
    groups.error = error
    cancellation = Cancellation()
    entries = Writer(groups, cancellation, linger=0)
    entries.__enter__()
    entries.put([0])
    entries._thread.join(30)
    with pytest.raises(LakebedError, match=says):
        cancellation.check()
    with pytest.raises(LakebedError, match=says):
        entries.put([1])
    with pytest.raises(LakebedError, match=says):
        entries.__exit__(None, None, None)


def test_an_error_of_the_scope_is_not_replaced_by_that_of_a_write(groups: Groups) -> None:
    groups.error = LedgerError("the disk is full")
    with pytest.raises(KeyError), Writer(groups, Cancellation(), linger=0):
        raise KeyError
    entries = Writer(groups, Cancellation(), linger=LONG)
    entries.__enter__()
    entries.put([0])
    entries.__exit__(KeyError, KeyError(), None)
