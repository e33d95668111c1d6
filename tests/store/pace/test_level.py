"""The level finds what a store takes: in virtual time, against simulated stores."""

import random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.store.pace.level import MOST, SHRUNK, START, WINDOW, Level
from tests.store.pace.simulated import Clock, Run, SimulatedStore


@pytest.mark.parametrize(
    ("latency", "capacity"),
    [(0.001, 1500), (0.03, 2000), (0.1, 100), (0.1, 1500), (0.3, 20), (0.3, 200)],
)
def test_a_store_is_used_to_nine_tenths_whatever_its_distance(
    latency: float, capacity: float
) -> None:
    run = Run(SimulatedStore(latency, capacity)).until(15)
    assert run.done_between(5, 15) / 10 >= 0.9 * capacity


@pytest.mark.parametrize(("latency", "reachable"), [(0.1, 2560), (0.3, 853)])
def test_a_far_store_that_takes_more_than_is_asked_gets_the_most(
    latency: float, reachable: float
) -> None:
    run = Run(SimulatedStore(latency, 50_000)).until(10)
    assert run.done_between(5, 10) / 5 >= 0.9 * reachable
    assert max(level for _, level in run.levels) == MOST


def test_the_level_of_a_store_100_ms_away_passes_128_in_half_a_second() -> None:
    run = Run(SimulatedStore(0.1, 5000)).until(0.55)
    assert run.level.limit >= 128


def test_new_connections_that_take_their_time_do_not_end_the_doubling() -> None:
    run = Run(SimulatedStore(0.1, 2000, connect=0.3)).until(2)
    assert max(level for _, level in run.levels) == MOST


@pytest.mark.parametrize("capacity", [600, 3000])
def test_a_store_next_door_is_asked_by_few(capacity: float) -> None:
    run = Run(SimulatedStore(0.001, capacity)).until(10)
    assert max(run.level_between(0, 10)) <= 2 * START
    assert max(run.level_between(5, 10)) <= 12


@pytest.mark.parametrize("seed", [18, 28, 31, 35])
def test_a_store_whose_speed_wavers_is_not_asked_by_ever_more(seed: int) -> None:
    run = Run(SimulatedStore(0.001, 300, wavers=seed)).until(30)
    assert mean(run.level_between(5, 30)) <= 2 * START


@pytest.mark.parametrize("seed", range(3))
def test_mixed_sizes_are_not_taken_for_a_slow_store(seed: int) -> None:
    draw = random.Random(seed)
    run = Run(SimulatedStore(0.1, 5000), size=lambda: int(2 ** draw.uniform(10, 23))).until(8)
    assert run.done_between(3, 8) / 5 >= 0.9 * MOST / 0.1


def test_a_store_that_becomes_ten_times_slower_is_asked_by_fewer_within_seconds() -> None:
    run = Run(SimulatedStore(0.1, 1000)).until(10)
    before = run.level.limit
    run.store.capacity = 100
    run.until(16)
    assert run.level.limit <= before / 4
    run.until(30)
    assert run.done_between(16, 30) / 14 >= 90


def test_a_store_that_becomes_faster_is_used_again() -> None:
    run = Run(SimulatedStore(0.1, 100)).until(20)
    run.store.capacity = 500
    run.until(45)
    assert run.done_between(35, 45) / 10 >= 450


def test_an_outage_leaves_one_in_flight_and_is_got_over() -> None:
    run = Run(SimulatedStore(0.1, 300)).until(5)
    run.store.away = True
    run.until(35)
    assert run.level.limit == 1
    run.store.away = False
    run.until(55)
    assert run.done_between(50, 55) / 5 >= 270


def test_what_is_not_asked_for_is_not_tried() -> None:
    run = Run(SimulatedStore(0.1), workers=5).until(20)
    assert {level for _, level in run.levels} == {START}


def test_a_level_of_one_is_left_again() -> None:
    run = Run(SimulatedStore(0.1), most=1).until(5)
    run.level.most = MOST
    run.until(20)
    assert run.level.limit > START


def failed(level: Level, clock: Clock, count: int) -> None:
    for _ in range(count):
        level.begin(clock.now)
    began = clock.now
    clock.now += 0.01
    for _ in range(count):
        level.fail(clock.now, began)


def test_the_level_shrinks_where_most_answers_are_failures_and_once_for_all_of_them() -> None:
    clock = Clock()
    level = Level(clock)
    failed(level, clock, START)
    assert level.limit == int(START * SHRUNK)


def test_a_failure_among_successes_changes_nothing() -> None:
    clock = Clock()
    level = Level(clock)
    for _ in range(START - 1):
        level.begin(clock.now)
        level.end(clock.now)
    failed(level, clock, START - 1)
    assert level.limit == START


def test_what_ends_without_an_answer_tells_nothing() -> None:
    clock = Clock()
    level = Level(clock)
    for _ in range(100):
        level.begin(clock.now)
        clock.now += WINDOW
        level.leave(clock.now)
    assert (level.limit, level.in_flight) == (START, 0)


def test_the_time_in_which_nothing_was_asked_is_not_measured() -> None:
    """Else the first burst after a rest would seem a slow one, and a better base for more."""
    store = SimulatedStore(0.1, 100)
    run = Run(store).until(10)
    busy = run.level.limit
    run.workers = 0
    run.until(100)
    run.workers = 512
    run.until(110)
    assert run.level.limit <= 4 * busy
    assert run.done_between(101, 110) / 9 >= 90


@given(
    st.integers(1, 300),
    st.lists(
        st.tuples(
            st.sampled_from(["begin", "end", "fail", "leave"]),
            st.floats(0, 0.3),
            st.integers(0, 10**9),
        ),
        max_size=400,
    ),
)
def test_the_level_stays_between_one_and_the_most(
    most: int, happens: list[tuple[str, float, int]]
) -> None:
    clock = Clock()
    level = Level(clock, most)
    begun: list[float] = []
    for what, seconds, size in happens:
        clock.now += seconds
        if what == "begin" or not begun:
            level.begin(clock.now)
            begun.append(clock.now)
        elif what == "end":
            begun.pop(0)
            level.end(clock.now, size)
        elif what == "fail":
            level.fail(clock.now, begun.pop(0))
        else:
            begun.pop(0)
            level.leave(clock.now)
        assert 1 <= level.limit <= most
        assert level.in_flight == len(begun)
