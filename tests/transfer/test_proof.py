"""What a proof may say of what a destination holds: nothing that was not compared."""

import hashlib
from dataclasses import dataclass, replace

import pytest

from lakebed.model.operation import Lane, Mode, ObjectState, Options, Proof
from lakebed.model.quantity import KIB, MIB
from lakebed.store.capabilities import Capability
from lakebed.store.contract import Body, Buffer
from lakebed.transfer.lanes import multipart, whole
from tests.faults import Fault
from tests.transfer.engine import FEW, Engine, able

DATA = b"open,high,low,close\n" * 40
LARGE = bytes(range(256)) * (10 * KIB)

BLIND = able(Capability.SHA256, Capability.MD5_ETAGS)
"""A bucket that says nothing of the bytes that it holds."""


@dataclass(frozen=True)
class Shorten(Fault):
    """The store takes all bytes, keeps one less, and calls it a success."""

    def body(self, body: Body) -> Body:
        return Buffer((b"".join(body.chunks())[:-1],))


@pytest.fixture
def streamed(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine for which an object of 2.5 MiB is a large one."""
    monkeypatch.setattr(multipart, "PART", MIB)
    return Engine(Options(concurrency=2, memory=MIB))


def as_under_a_key_of_the_key_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on ETags only look like digests."""
    monkeypatch.setattr(
        "lakebed.store.memory._md5", lambda data: hashlib.sha256(b"salt" + data).hexdigest()[:32]
    )


# --- sizes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a", "a.zip"])
@pytest.mark.parametrize("mode", [Mode.AUTO, Mode.TRADITIONAL])
def test_where_only_the_size_can_tell_an_object_that_is_stored_short_is_removed(
    mode: Mode, name: str
) -> None:
    engine = Engine(replace(FEW, mode=mode), destination_can=BLIND)
    engine.destination.inject(Shorten(), "put", f"b/{name}", times=None)
    engine.publish_pair(name, DATA)
    assert engine.run() is None
    assert set(engine.states().values()) == {ObjectState.FAILED}
    assert engine.outcome(name).error == "proof-failed"
    assert engine.at_destination() == {}


@pytest.mark.parametrize("name", ["a", "a.zip"])
def test_where_only_the_size_can_tell_an_upload_that_is_stored_short_is_removed(
    streamed: Engine, name: str
) -> None:
    streamed.destination_can = able(Capability.MD5_ETAGS)
    streamed.destination.inject(Shorten(), "upload_part", nth=3, times=None)
    streamed.publish_pair(name, LARGE)
    assert streamed.run() is None
    assert streamed.outcome(name).error == "proof-failed"
    assert streamed.at_destination() == {}


@pytest.mark.parametrize(
    ("missing", "asked"),
    [((), 0), ((Capability.SHA256,), 0), ((Capability.SHA256, Capability.MD5_ETAGS), 1)],
)
def test_the_size_is_asked_for_only_where_nothing_better_tells(
    missing: tuple[Capability, ...], asked: int
) -> None:
    engine = Engine(destination_can=able(*missing))
    engine.publish("a", DATA)
    assert engine.run() is None
    assert engine.destination.count("head", "b/a") == asked


# --- encryption under a key of the key service ---------------------------------------------------


@pytest.mark.parametrize("sse", ["aws:kms", "aws:kms:dsse"])
def test_under_a_key_of_the_key_service_no_etag_is_taken_for_a_digest(
    monkeypatch: pytest.MonkeyPatch, sse: str
) -> None:
    engine = Engine(replace(FEW, sse=sse), destination_can=able(Capability.SHA256))
    engine.publish("a", DATA)
    as_under_a_key_of_the_key_service(monkeypatch)
    assert engine.run() is None
    assert engine.outcome("a").proof is Proof.SIZE_ONLY


def test_under_a_key_of_the_key_service_large_objects_arrive(
    monkeypatch: pytest.MonkeyPatch, streamed: Engine
) -> None:
    streamed.options = replace(streamed.options, sse="aws:kms")
    streamed.publish("a", LARGE)
    as_under_a_key_of_the_key_service(monkeypatch)
    assert streamed.run() is None
    assert streamed.outcome("a").lane is Lane.STREAM
    assert streamed.outcome("a").proof is Proof.SIZE_ONLY


def test_under_a_key_of_the_key_service_a_copy_inside_a_store_is_proved_by_its_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = Engine(replace(FEW, sse="aws:kms"), one_store=True)
    engine.publish("a", DATA)
    as_under_a_key_of_the_key_service(monkeypatch)
    assert engine.run() is None
    assert engine.outcome("a").lane is Lane.SERVER_SIDE
    assert engine.outcome("a").proof is Proof.SIZE_ONLY


def test_under_the_stores_own_key_etags_are_compared_as_ever() -> None:
    engine = Engine(replace(FEW, sse="AES256"), destination_can=able(Capability.SHA256))
    engine.publish("a", bytes(whole.LIMIT))
    assert engine.run() is None
    assert engine.outcome("a").proof is Proof.ETAG_MD5
