"""Each request is told of, whatever it was and however it ended."""

from collections.abc import Callable
from typing import TypeVar

import pytest

from lakebed.errors import ObjectMissing, Throttled
from lakebed.observe.telemetry import Requested, Silent
from lakebed.store.contract import Buffer, Store
from lakebed.store.memory import MemoryStore
from lakebed.store.wrappers.forwarding import Forwarding
from lakebed.store.wrappers.measure import Measure
from tests.store.conformance import StoreConformance

T = TypeVar("T")


class Heard(Silent):
    def __init__(self) -> None:
        self.requests: list[Requested] = []
        self.keys = 0

    def requested(self, request: Requested) -> None:
        self.requests.append(request)

    def listed(self, store: str, keys: int) -> None:
        self.keys += keys


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def measured(heard: Heard) -> Measure:
    return Measure(MemoryStore("lake", buckets=["b"]), heard, "lake.test:9000")


@pytest.fixture(scope="module")
def store() -> Store:
    return Measure(MemoryStore(), Heard(), "memory")


class TestMeasured(StoreConformance):
    """A store that is measured is that store."""


def test_bytes_and_keys_are_counted(measured: Measure, heard: Heard) -> None:
    measured.put("b", "x/y", Buffer((b"12", b"345")))
    taken: list[bytes] = []
    measured.get("b", "x/y", taken.append)
    assert b"".join(taken) == b"12345"
    measured.list_page("b", "x/")
    put, get, listing = heard.requests
    assert (put.verb, put.subject, put.sent, put.received) == ("put", "lake:b/x/y", 5, 0)
    assert (get.verb, get.subject, get.sent, get.received) == ("get", "lake:b/x/y", 0, 5)
    assert (listing.verb, listing.subject, heard.keys) == ("list_page", "lake:b/x/", 1)
    assert {(r.store, r.server, r.code, r.status) for r in heard.requests} == {
        ("lake", "lake.test:9000", "ok", None)
    }
    assert all(request.seconds >= 0 for request in heard.requests)


def test_a_part_is_counted_as_it_is_sent(measured: Measure, heard: Heard) -> None:
    upload = measured.create_upload("b", "k")
    part = measured.upload_part("b", "k", upload, 1, Buffer((b"12345",)))
    measured.complete_upload("b", "k", upload, [part])
    assert [(r.verb, r.sent) for r in heard.requests] == [
        ("create_upload", 0),
        ("upload_part", 5),
        ("complete_upload", 0),
    ]


def test_a_refusal_has_its_code_and_goes_on_up(measured: Measure, heard: Heard) -> None:
    with pytest.raises(ObjectMissing):
        measured.head("b", "absent")
    (request,) = heard.requests
    assert (request.code, request.status) == ("object-missing", None)


class Refusing(Forwarding):
    """Takes nothing."""

    def _call(self, verb: str, subject: str, action: Callable[[], T], sent: int = 0) -> T:
        if verb == "put":
            raise Throttled("slow down", status=503)
        return action()


def test_bytes_that_came_before_a_failure_count_and_those_not_taken_do_not(heard: Heard) -> None:
    held = MemoryStore("lake", buckets=["b"])
    held.put("b", "k", Buffer((b"12345",)))
    store = Measure(Refusing(held), heard, "lake.test")

    def full(data: bytes) -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        store.get("b", "k", full)
    with pytest.raises(Throttled):
        store.put("b", "k", Buffer((b"123",)))
    get, put = heard.requests
    assert (get.code, get.received) == ("defect", 5)
    assert (put.code, put.status, put.sent) == ("throttled", 503, 0)
