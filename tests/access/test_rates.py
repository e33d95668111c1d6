"""How much a caller may ask, over all replicas."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from lakebed.access.rates import BLOCK, HELD, MOST_CALLERS, Allowance, Limit, Rates
from lakebed.database.engine import open_engine, sqlite_url
from lakebed.errors import TooManyRequests
from tests.operations.conftest import Clock

LIMIT = Limit(1000 / 60, 100)


def asked(rates: Rates, times: int, caller: str = "key:1", limit: Limit = LIMIT) -> int:
    """How many of so many requests are let in."""
    let_in = 0
    for _ in range(times):
        try:
            rates.take(caller, limit)
        except TooManyRequests:
            continue
        let_in += 1
    return let_in


def test_a_caller_may_ask_the_burst_at_once_and_then_at_the_rate(
    engine: Engine, clock: Clock
) -> None:
    rates = Rates(engine, "one", clock, clock)
    assert asked(rates, 150) == 100
    clock.now += 3.0
    assert asked(rates, 150) == 50
    assert asked(rates, 10, "key:2") == 10


def test_replicas_share_what_a_caller_may(engine: Engine, clock: Clock) -> None:
    replicas = [Rates(engine, name, clock, clock) for name in ("one", "two", "three")]
    assert sum(asked(rates, 60) for rates in replicas) <= 100
    clock.now += 600.0
    assert sum(asked(rates, 60) for rates in replicas) <= 100


Step = tuple[int, int, float]
STEPS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 30), st.floats(0.0, 45.0)),
    min_size=1,
    max_size=12,
)


@pytest.fixture(scope="module")
def one_engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    path: Path = tmp_path_factory.mktemp("rates") / "ledger.db"
    return open_engine(sqlite_url(path))


@settings(max_examples=40, deadline=None)
@example([(0, 1, 6.0), (0, 3, 14.0), (0, 8, 0.0)], 8, 0.2)  # a block that is spent late
@given(STEPS, st.integers(1, 120), st.sampled_from([0.2, 1.0, 1000 / 60]))
def test_over_any_time_no_more_are_let_in_than_the_burst_and_the_rate(
    one_engine: Engine, steps: list[Step], burst: int, rate: float
) -> None:
    clock, limit = Clock(), Limit(rate, burst)
    caller = f"key:{id(steps)}-{clock.now}-{burst}-{rate}-{hash(tuple(steps))}"
    replicas = [Rates(one_engine, f"{number}", clock, clock) for number in range(3)]
    let_in: list[tuple[float, int]] = []
    for replica, times, pause in steps:
        let_in.append((clock.now, asked(replicas[replica], times, caller, limit)))
        clock.now += pause
    for first in range(len(let_in)):
        total = 0
        for moment, count in let_in[first:]:
            total += count
            assert total <= burst + rate * (moment - let_in[first][0]) + 1e-6


def test_the_database_is_written_once_in_some_twenty_requests(engine: Engine, clock: Clock) -> None:
    written: list[str] = []

    def note(_c: object, _k: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE"):
            written.append(statement)

    rates = Rates(engine, "one", clock, clock)
    event.listen(engine, "before_cursor_execute", note)
    for _ in range(400):
        rates.take("key:1", LIMIT)
        clock.now += 0.06
    assert len(written) <= 400 / BLOCK + 2


def test_a_refused_caller_is_told_when_to_come_again(engine: Engine, clock: Clock) -> None:
    rates = Rates(engine, "one", clock, clock)
    asked(rates, 100)
    with pytest.raises(TooManyRequests) as refused:
        rates.take("key:1", LIMIT)
    assert (refused.value.retry_after or 0.0) == pytest.approx(0.06, abs=0.01)
    with pytest.raises(TooManyRequests):
        rates.spend("key:1", LIMIT)
    clock.now += (refused.value.retry_after or 0.0) + 0.001
    assert rates.take("key:1", LIMIT).left == 0


def test_what_a_replica_that_died_held_grows_again(engine: Engine, clock: Clock) -> None:
    """It may have spent it at the last moment."""
    Rates(engine, "dead", clock, clock).take("key:1", LIMIT)
    clock.now += HELD + BLOCK / LIMIT.rate
    assert asked(Rates(engine, "one", clock, clock), 150) == 100


def test_a_clock_that_is_set_back_stops_nobody_for_long(engine: Engine, clock: Clock) -> None:
    rates = Rates(engine, "one", clock, Clock())
    asked(rates, 100)
    later = Clock()
    clock.now -= 86_400.0
    rates = Rates(engine, "two", clock, later)
    asked(rates, 1)
    clock.now += 6.0
    later.now += 6.0
    assert asked(rates, 150) >= 95


def test_threads_of_a_replica_spend_no_token_twice(engine: Engine, clock: Clock) -> None:
    rates = Rates(engine, "one", clock, clock)
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: asked(rates, 30), range(8))) == 100


def test_a_replica_remembers_a_bounded_number_of_callers(
    sqlite: Engine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lakebed.access.rates.MOST_CALLERS", 3)
    rates = Rates(sqlite, "one", clock, clock)
    for number in range(5):
        rates.take(f"key:{number}", LIMIT)
    assert rates.spend("key:0", LIMIT) is None
    assert rates.spend("key:4", LIMIT) is not None
    assert MOST_CALLERS > 1000


def test_callers_who_asked_nothing_for_a_day_are_forgotten(sqlite: Engine, clock: Clock) -> None:
    rates = Rates(sqlite, "one", clock, clock)
    rates.take("key:1", LIMIT)
    clock.now += 90_000.0
    rates.take("key:2", LIMIT)
    with sqlite.connect() as connection:
        found = connection.exec_driver_sql("SELECT caller FROM rates").scalars().all()
    assert found == ["key:2"]


def test_the_headers_are_those_of_the_draft() -> None:
    assert Allowance(LIMIT, 70).headers() == {
        "RateLimit-Policy": '"caller";q=100;w=6',
        "RateLimit": '"caller";r=70;t=2',
    }
