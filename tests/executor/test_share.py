"""What a replica has is shared by what runs in it."""

from hypothesis import given
from hypothesis import strategies as st

from lakebed.executor.share import shares

ASKED = st.dictionaries(st.text(max_size=3), st.integers(1, 2**40), max_size=40)


@given(st.integers(64, 2**40), ASKED)
def test_no_more_is_given_than_there_is_and_nobody_gets_more_than_it_asked_for(
    total: int, asked: dict[str, int]
) -> None:
    given_out = shares(total, asked)
    assert set(given_out) == set(asked)
    assert sum(given_out.values()) <= total
    assert all(1 <= size <= asked[name] for name, size in given_out.items())


@given(st.integers(64, 2**40), ASKED)
def test_whoever_does_not_get_all_gets_no_less_than_anybody_else(
    total: int, asked: dict[str, int]
) -> None:
    given_out = shares(total, asked)
    short = [size for name, size in given_out.items() if size < asked[name]]
    assert all(size >= max(given_out.values()) - 1 for size in short)


def test_nothing_is_left_over_while_somebody_wants_it() -> None:
    assert shares(100, {"a": 10, "b": 90, "c": 90}) == {"a": 10, "b": 45, "c": 45}
