"""Before a deletion the fence is asked each time; before any other write it need not be."""

import pytest

from lakebed.errors import LeaseLost
from lakebed.store.contract import Buffer, Copying
from lakebed.store.memory import MemoryStore
from lakebed.store.wrappers.fenced import Fenced


class Counted:
    """A fence that says what it was asked, and stands until it does not."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.stands = True

    def expect(self) -> None:
        self._ask("expect")

    def confirm(self) -> None:
        self._ask("confirm")

    def _ask(self, how: str) -> None:
        self.asked.append(how)
        if not self.stands:
            raise LeaseLost("another process took it over")


@pytest.fixture
def fence() -> Counted:
    return Counted()


@pytest.fixture
def store(fence: Counted) -> Fenced:
    return Fenced(MemoryStore("lake", buckets=["b"]), fence)


def test_reading_asks_nothing(store: Fenced, fence: Counted) -> None:
    store.list_page("b")
    assert fence.asked == []


def test_what_is_written_expects_the_fence_and_a_deletion_has_it_confirmed(
    store: Fenced, fence: Counted
) -> None:
    store.put("b", "k", Buffer((b"x",)))
    store.copy_many("b", "b", [Copying("k", "l")])
    store.abort_upload("b", "m", store.create_upload("b", "m"))
    assert fence.asked == ["expect"] * 4
    store.delete("b", "k")
    assert fence.asked[4:] == ["confirm"]


def test_without_the_fence_nothing_is_written_and_nothing_deleted(
    store: Fenced, fence: Counted
) -> None:
    store.put("b", "k", Buffer((b"x",)))
    fence.stands = False
    with pytest.raises(LeaseLost):
        store.delete("b", "k")
    with pytest.raises(LeaseLost):
        store.put("b", "l", Buffer((b"x",)))
    assert [found.key for found in store.list_page("b").objects] == ["k"]
