"""Requests pass the pace and the line of their store on their way."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from lakebed.errors import ObjectMissing, Throttled
from lakebed.model.objects import Span
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import Body, Buffer, Store
from lakebed.store.memory import MemoryStore
from lakebed.store.pace.gate import Gate
from lakebed.store.pace.line import Line
from lakebed.store.pace.pace import Pace
from lakebed.store.wrappers.bandwidth import Bandwidth
from lakebed.store.wrappers.pace import Paced
from tests.faults import Faulty, Throttle

DATA = b"0123456789"
PATIENCE = 30.0


class Recorded(Pace):
    """Notes what it is told of each request: by which gate, and how many bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[bool, int]] = []

    def succeeded(self, gate: Gate, size: int) -> None:
        self.told.append((gate is self.reads, size))
        super().succeeded(gate, size)


@pytest.fixture
def inner() -> MemoryStore:
    store = MemoryStore("lake", buckets=["b"])
    store.put("b", "a", Buffer((DATA,)))
    return store


def lost(data: bytes) -> None:
    """Nobody reads it."""


def upload(store: Store) -> object:
    return store.upload_part("b", "u", store.create_upload("b", "u"), 1, Buffer((DATA,)))


@pytest.mark.parametrize(
    ("request_", "reads", "size"),
    [
        (lambda store: store.get("b", "a", lost), True, 10),
        (lambda store: store.get("b", "a", lost, span=Span(2, 5)), True, 3),
        (lambda store: store.put("b", "c", Buffer((DATA, DATA))), False, 20),
        (upload, False, 10),
        (lambda store: store.head("b", "a"), True, 0),
        (lambda store: store.list_page("b"), True, 0),
        (lambda store: store.delete("b", "a"), False, 0),
    ],
)
def test_the_pace_is_told_of_each_request_and_its_bytes(
    inner: MemoryStore, request_: Callable[[Store], object], reads: bool, size: int
) -> None:
    pace = Recorded()
    request_(Paced(inner, pace, 8, Cancellation()))
    assert pace.told[-1] == (reads, size)
    assert (pace.reads.level.in_flight, pace.writes.level.in_flight) == (0, 0)


def test_an_error_frees_the_place_and_is_raised(inner: MemoryStore) -> None:
    pace, faulty = Pace(), Faulty(inner)
    store = Paced(faulty, pace, 8, Cancellation())
    faulty.inject(Throttle(), "get")
    with pytest.raises(Throttled):
        store.get("b", "a", print)
    with pytest.raises(ObjectMissing):
        store.head("b", "missing")
    assert pace.reads.level.in_flight == 0


class Counts(MemoryStore):
    """Holds each request until `expected` are in flight."""

    def __init__(self, expected: int) -> None:
        super().__init__("lake", buckets=["b"])
        self._counted = threading.Lock()
        self._met = threading.Barrier(expected)
        self.in_flight = self.peak = 0

    def delete(self, bucket: str, key: str) -> None:
        with self._counted:
            self.in_flight += 1
            self.peak = max(self.peak, self.in_flight)
        self._met.wait(PATIENCE)
        with self._counted:
            self.in_flight -= 1


def test_no_more_than_the_cap_are_ever_in_flight() -> None:
    store = Counts(3)
    paced = Paced(store, Pace(), 3, Cancellation())
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda number: paced.delete("b", str(number)), range(30)))
    assert store.peak == 3


@dataclass
class Waited(Cancellation):
    """Adds up waits instead of waiting."""

    seconds: float = 0.0

    def __post_init__(self) -> None:
        super().__init__()

    def wait(self, seconds: float) -> None:
        self.seconds += seconds


class Streamed:
    size = 1000

    def chunks(self) -> Iterator[bytes]:
        yield from (bytes(100) for _ in range(10))


@pytest.mark.parametrize("body", [Buffer((bytes(1000),)), Streamed()])
@pytest.mark.parametrize("send", ["put", "part"])
def test_what_is_sent_waits_for_the_line(inner: MemoryStore, body: Body, send: str) -> None:
    waited, stopped_clock = Waited(), lambda: 0.0
    store = Bandwidth(inner, Line(100, stopped_clock), waited)
    if send == "put":
        store.put("b", "new", body)
    else:
        store.upload_part("b", "new", store.create_upload("b", "new"), 1, body)
    assert waited.seconds >= 9.9


def test_what_is_received_waits_for_the_line_and_arrives_as_it_is(inner: MemoryStore) -> None:
    waited, came = Waited(), list[bytes]()
    head = Bandwidth(inner, Line(1, lambda: 0.0), waited).get("b", "a", came.append)
    assert (b"".join(came), head.size) == (DATA, 10)
    assert waited.seconds >= 9.9


def test_what_the_store_copies_by_itself_does_not_pass_the_line(inner: MemoryStore) -> None:
    waited = Waited()
    etag = inner.head("b", "a").etag
    Bandwidth(inner, Line(1, lambda: 0.0), waited).copy("b", "a", "b", "twin", if_match=etag)
    assert waited.seconds == 0
