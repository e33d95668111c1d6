"""The memory of a replica is never handed out twice."""

from hypothesis import given
from hypothesis import strategies as st

from lakebed.executor.shares import LEAST, Shares
from lakebed.model.quantity import MIB
from lakebed.settings.executor import ExecutorSettings

FOUR = ExecutorSettings(running=4, memory=256 * MIB)


def test_an_operation_gets_what_it_asks_for_where_there_is_enough() -> None:
    shares = Shares()
    assert [shares.take(name, 64 * MIB, FOUR) for name in "abcd"] == [64 * MIB] * 4


def test_who_asks_for_all_leaves_something_to_those_that_may_still_begin() -> None:
    shares = Shares()
    assert shares.take("a", 1024 * MIB, FOUR) == 256 * MIB - 3 * LEAST
    assert [shares.take(name, 64 * MIB, FOUR) for name in "bcd"] == [LEAST] * 3


def test_what_one_gives_back_another_gets() -> None:
    shares = Shares()
    first = shares.take("a", 1024 * MIB, FOUR)
    shares.give_back("a")
    assert shares.take("b", 1024 * MIB, FOUR) == first


@given(
    st.integers(1, 32),
    st.integers(1, 512),
    st.lists(st.tuples(st.integers(1, 1024), st.booleans()), max_size=60),
)
def test_together_they_never_hold_more_than_there_is(
    running: int, memory: int, wishes: list[tuple[int, bool]]
) -> None:
    settings = ExecutorSettings(running=running, memory=memory * MIB)
    shares, held = Shares(), dict[str, int]()
    for number, (asked, ends) in enumerate(wishes):
        if held and (ends or len(held) == running):
            gone = next(iter(held))
            shares.give_back(gone)
            del held[gone]
        held[str(number)] = shares.take(str(number), asked * MIB, settings)
        assert held[str(number)] > 0
        assert sum(held.values()) <= settings.memory
