"""Requests are made again where that can help, and bodies go on where they were cut."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.errors import (
    AccessDenied,
    Cancelled,
    LakebedError,
    PreconditionFailed,
    SourceChanged,
    StoreFault,
    StoreUnreachable,
    Throttled,
)
from lakebed.model.objects import Head, Span, Written
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import Body, Buffer, Store
from lakebed.store.memory import MemoryStore
from lakebed.store.pace.pace import LONGEST_PAUSE, RETRIES, Pace
from lakebed.store.wrappers.pace import Paced as PacedStore
from lakebed.store.wrappers.retry import AWAY, PATIENCE, Backoff, Retry
from tests.faults import (
    Change,
    Deny,
    Drop,
    Fail,
    Fault,
    Faulty,
    LoseAck,
    Refuse,
    Throttle,
    Truncate,
)
from tests.store.pace.simulated import Clock as VirtualClock

DATA = b"0123456789"


class Clock(Cancellation):
    """Pauses are put on record, and take no time."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []

    def wait(self, seconds: float) -> None:
        self.pauses.append(seconds)
        super().wait(0)


class Bench:
    """A faulty store behind its retries, and what became of them."""

    def __init__(self, retries: int = 3) -> None:
        self.inner = MemoryStore("lake", buckets=["b"])
        self.etag = self.inner.put("b", "a", Buffer((DATA,))).etag
        self.faulty, self.clock = Faulty(self.inner), Clock()
        self.retried: list[tuple[str, LakebedError]] = []
        self.store = Retry(
            self.faulty,
            Backoff(retries=retries, first=1.0, longest=5.0),
            self.clock,
            lambda verb, error: self.retried.append((verb, error)),
            draw=lambda: 0.5,
        )
        self.came: list[bytes] = []

    def get(self, span: Span | None = None, *, pinned: bool = True) -> Head:
        etag = self.etag if pinned else None
        return self.store.get("b", "a", self.came.append, span=span, if_match=etag)

    @property
    def body(self) -> bytes:
        return b"".join(self.came)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_the_pause_doubles_up_to_the_longest_and_is_drawn_from_all_of_it() -> None:
    bench = Bench(retries=5)
    bench.faulty.inject(Fail(), "head", times=5)
    bench.store.head("b", "a")
    assert bench.clock.pauses == [0.5, 1.0, 2.0, 2.5, 2.5]


@given(st.integers(0, 60), st.floats(0, 1, exclude_max=True))
def test_a_pause_is_never_longer_than_the_longest(attempt: int, drawn: float) -> None:
    backoff = Backoff()
    assert 0 <= backoff.pause(attempt, None, lambda: drawn) <= backoff.longest


@pytest.mark.parametrize(("asked", "pause"), [(2, 2), (0, 0), (30, 30), (31, 30)])
def test_the_pause_that_the_store_asks_for_is_kept_up_to_six_of_the_longest(
    bench: Bench, asked: float, pause: float
) -> None:
    bench.faulty.inject(Throttle(retry_after=asked), "head")
    bench.store.head("b", "a")
    assert bench.clock.pauses == [pause]


def test_a_store_may_ask_for_two_minutes_and_no_more() -> None:
    pauses = [Backoff().pause(0, asked, lambda: 0.5) for asked in (21.0, 120.0, 3600.0)]
    assert pauses == [21.0, 120.0, 120.0]


def test_each_repetition_is_told(bench: Bench) -> None:
    bench.faulty.inject(Throttle(), "delete")
    bench.store.delete("b", "a")
    assert [(verb, type(error)) for verb, error in bench.retried] == [("delete", Throttled)]


def test_what_cannot_help_is_not_tried_again(bench: Bench) -> None:
    bench.faulty.inject(Deny(), "head")
    with pytest.raises(AccessDenied):
        bench.store.head("b", "a")
    assert bench.retried == []


@pytest.mark.parametrize("retries", [0, 1, 4])
def test_the_last_error_is_raised_when_nothing_helped(retries: int) -> None:
    bench = Bench(retries)
    bench.faulty.inject(Fail(), "head", times=None)
    with pytest.raises(StoreFault):
        bench.store.head("b", "a")
    assert bench.faulty.count("head") == retries + 1
    assert len(bench.retried) == retries


def test_a_stop_ends_the_pause(bench: Bench) -> None:
    bench.faulty.inject(Change(lambda: bench.clock.stop(Cancelled("stopped"))), "head")
    bench.faulty.inject(Drop(), "head", nth=2, times=None)
    bench.store.head("b", "a")
    with pytest.raises(Cancelled):
        bench.store.head("b", "a")


@pytest.mark.parametrize("span", [None, Span(2, 9)])
@pytest.mark.parametrize("fault", [Drop(), Truncate(at=0), Truncate(at=3), LoseAck()])
def test_a_body_goes_on_where_it_was_cut(bench: Bench, span: Span | None, fault: Fault) -> None:
    bench.faulty.inject(fault, "get", times=2)
    head = bench.get(span)
    assert head.etag == bench.etag
    assert bench.body == (DATA if span is None else DATA[2:9])


def test_a_body_that_is_not_pinned_does_not_go_on(bench: Bench) -> None:
    bench.faulty.inject(Truncate(at=3), "get")
    with pytest.raises(SourceChanged, match="cannot be resumed"):
        bench.get(pinned=False)
    assert bench.body == DATA[:3]


def test_a_body_that_is_not_pinned_begins_again_where_nothing_came(bench: Bench) -> None:
    bench.faulty.inject(Drop(), "get")
    bench.get(pinned=False)
    assert bench.body == DATA


@pytest.mark.parametrize("span", [None, Span(0, 8)])
def test_another_revision_is_never_joined_to_what_came(bench: Bench, span: Span | None) -> None:
    bench.faulty.inject(Truncate(at=3), "get")
    replace = Change(lambda: bench.inner.put("b", "a", Buffer((DATA[::-1],))))
    bench.faulty.inject(replace, "head" if span is None else "get", nth=1 if span is None else 2)
    with pytest.raises(PreconditionFailed):
        bench.get(span)
    assert bench.body == DATA[:3]


def test_a_store_that_is_away_while_a_body_goes_on_is_asked_again(bench: Bench) -> None:
    bench.faulty.inject(Truncate(at=3), "get")
    bench.faulty.inject(Drop(), "head")
    bench.get()
    assert bench.body == DATA
    assert [type(error) for _, error in bench.retried][1:] == [StoreUnreachable]


# --- bodies that fail by themselves ---------------------------------------------------------------


class Broken:
    """A body that is read from somewhere else, which is away."""

    size = 10

    def __init__(self) -> None:
        self.error = StoreUnreachable("the source is away")
        self.asked = 0

    def chunks(self) -> Iterator[bytes]:
        self.asked += 1
        yield b"01234"
        raise self.error


def in_one(store: Store, body: Body) -> object:
    return store.put("b", "new", body)


def as_part(store: Store, body: Body) -> object:
    return store.upload_part("b", "new", store.create_upload("b", "new"), 1, body)


@pytest.mark.parametrize("send", [in_one, as_part])
def test_what_a_body_raises_comes_out_as_it_is_and_is_not_tried_again(
    bench: Bench, send: Callable[[Store, Body], object]
) -> None:
    body = Broken()
    with pytest.raises(StoreUnreachable) as raised:
        send(bench.store, body)
    assert raised.value is body.error
    assert (body.asked, bench.retried) == (1, [])


class Looks(MemoryStore):
    """Keeps the bodies as they reach it."""

    def __init__(self) -> None:
        super().__init__(buckets=["b"])
        self.bodies: list[Body] = []

    def put(self, bucket: str, key: str, body: Body, **how: object) -> Written:
        self.bodies.append(body)
        return Written("")


def test_a_body_in_memory_reaches_the_store_as_it_is() -> None:
    store, body = Looks(), Buffer((DATA,))
    Retry(store, Backoff(), Clock()).put("b", "a", body)
    assert store.bodies == [body]


# --- under a pace --------------------------------------------------------------------------------


class Paced:
    """A faulty store under a pace in virtual time: each repetition comes `step` seconds later, and
    where the store `answers_others` it has answered another request by then."""

    def __init__(self, retries: int = 2, step: float = 10.0) -> None:
        self.inner = MemoryStore("lake", buckets=["b"])
        self.inner.put("b", "a", Buffer((DATA,)))
        self.faulty, self.now, self.step = Faulty(self.inner), VirtualClock(), step
        self.answers_others = False
        self.pace, self.cancellation = Pace(self.now), Clock()
        self.store = Retry(
            PacedStore(self.faulty, self.pace, 8, self.cancellation),
            Backoff(retries),
            self.cancellation,
            self._retried,
            lambda: 0.5,
            self.pace,
        )
        self.store.list_page("b")

    def _retried(self, verb: str, error: LakebedError) -> None:
        self.now.now += self.step
        if self.answers_others:
            self.pace.begin(self.pace.writes, 8, Clock())
            self.pace.succeeded(self.pace.writes, 0)


def test_being_throttled_costs_no_retry_while_the_store_answers_others() -> None:
    paced = Paced(retries=0)
    paced.faulty.inject(Throttle(), "head", times=8)
    paced.store.head("b", "a")
    assert paced.faulty.count("head") == 9


def test_a_store_that_never_answered_is_given_up_after_the_retries() -> None:
    paced = Paced(retries=2)
    store = Retry(paced.faulty, Backoff(2), Clock(), pace=Pace())
    paced.faulty.inject(Throttle(), "head", times=None)
    with pytest.raises(Throttled):
        store.head("b", "a")
    assert paced.faulty.count("head") == 3


def test_a_store_that_throttles_everything_for_two_minutes_counts_as_away() -> None:
    paced = Paced()
    paced.faulty.inject(Throttle(), "head", times=None)
    with pytest.raises(StoreUnreachable, match="nothing but throttling for 130 s"):
        paced.store.head("b", "a")


def test_the_pauses_that_a_store_asks_for_are_no_silence() -> None:
    paced = Paced(step=LONGEST_PAUSE)
    asked = Throttle(retry_after=LONGEST_PAUSE)
    paced.faulty.inject(asked, "head", times=2)
    paced.store.head("b", "a")
    paced.faulty.inject(asked, "head", times=None)
    with pytest.raises(StoreUnreachable, match="nothing but throttling for 360 s"):
        paced.store.head("b", "a")


def test_an_object_that_alone_is_throttled_for_two_minutes_uses_up_its_retries() -> None:
    paced = Paced(retries=2)
    paced.answers_others = True
    paced.faulty.inject(Throttle(), "head", times=None)
    with pytest.raises(Throttled):
        paced.store.head("b", "a")
    assert paced.now.now == PATIENCE + 2 * paced.step
    assert paced.faulty.count("head") == PATIENCE / paced.step + 3


def test_a_sick_store_is_not_asked_again_beyond_the_budget() -> None:
    paced = Paced(retries=1000, step=0.0)
    paced.faulty.inject(Fail(), "head", times=None)
    with pytest.raises(StoreFault):
        paced.store.head("b", "a")
    assert paced.faulty.count("head") == RETRIES + 1


def gone() -> Refuse:
    """Nobody is there to take a request."""
    error = StoreUnreachable("connection refused")
    error.connected = False
    return Refuse(error)


def test_a_store_that_starts_again_costs_no_retry_and_is_asked_ever_less() -> None:
    paced = Paced(retries=1, step=4.0)
    paced.faulty.inject(gone(), "head", times=7)
    paced.store.head("b", "a")
    assert paced.cancellation.pauses == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2]


def test_a_store_that_is_gone_for_half_a_minute_uses_up_the_retries() -> None:
    paced = Paced(retries=2, step=10.0)
    paced.faulty.inject(gone(), "head", times=None)
    with pytest.raises(StoreUnreachable):
        paced.store.head("b", "a")
    assert paced.now.now == AWAY + 2 * paced.step


def test_connections_that_break_use_up_the_retries_at_once() -> None:
    paced = Paced(retries=2)
    paced.faulty.inject(Drop(), "head", times=None)
    with pytest.raises(StoreUnreachable):
        paced.store.head("b", "a")
    assert paced.faulty.count("head") == 3


def test_who_wants_no_retries_does_not_wait_for_a_store_that_is_gone() -> None:
    paced = Paced(retries=0)
    paced.faulty.inject(gone(), "head", times=None)
    with pytest.raises(StoreUnreachable):
        paced.store.head("b", "a")
    assert paced.faulty.count("head") == 1
