"""Verify: what a destination holds is proved, nothing is copied, each difference is named."""

from dataclasses import replace

import pytest

from lakebed.errors import StoreUnreachable
from lakebed.model.operation import Kind, ObjectState, Proof
from tests.faults import Change, Deny, Drop, Retag
from tests.transfer.engine import FEW, Engine, sha256, sidecar

DATA, OTHER = b"as published", b"another one!"


@pytest.fixture
def engine() -> Engine:
    return Engine(kind=Kind.VERIFY)


def error_of(engine: Engine, name: str) -> str | None:
    outcome = engine.outcome(name)
    assert outcome.state is ObjectState.FAILED
    return outcome.error


def test_a_pair_is_proved_by_its_publishers_digest(engine: Engine) -> None:
    engine.publish_pair("a.zip", DATA)
    engine.hold("a.zip", DATA)
    engine.hold("a.zip.CHECKSUM", sidecar("a.zip", DATA))
    assert engine.run() is None
    assert engine.outcome("a.zip").proof is Proof.PUBLISHER_SHA256
    assert engine.outcome("a.zip").sha256 == sha256(DATA)
    assert engine.outcome("a.zip.CHECKSUM").proof is Proof.ETAG_MD5
    assert engine.source.count("get", "spot/a.zip") == 0
    assert engine.recorder.counted().skipped == 0


def test_a_destination_that_is_not_as_published_is_a_difference(engine: Engine) -> None:
    engine.publish_pair("a.zip", DATA)
    engine.hold("a.zip", OTHER)
    engine.hold("a.zip.CHECKSUM", sidecar("a.zip", DATA))
    assert engine.run() is None
    assert error_of(engine, "a.zip") == "digest-refused"


@pytest.mark.parametrize("word", [b"<html>", b"x" * 100_000])
def test_a_sidecar_that_names_no_digest_proves_nothing(engine: Engine, word: bytes) -> None:
    engine.publish("a.zip", DATA)
    engine.publish("a.zip.CHECKSUM", word)
    engine.hold("a.zip", DATA)
    engine.hold("a.zip.CHECKSUM", word)
    assert engine.run() is None
    assert error_of(engine, "a.zip") == "digest-refused"


def test_equal_etags_prove_an_object_without_reading_it(engine: Engine) -> None:
    engine.publish("a", DATA)
    engine.hold("a", DATA)
    assert engine.run() is None
    assert engine.outcome("a").proof is Proof.ETAG_MD5
    assert engine.destination.count("get") == 0


@pytest.mark.parametrize(("held", "error"), [(OTHER, "proof-failed"), (b"short", "proof-failed")])
def test_other_bytes_are_a_difference(engine: Engine, held: bytes, error: str) -> None:
    engine.publish("a", DATA)
    engine.hold("a", held)
    assert engine.run() is None
    assert error_of(engine, "a") == error


def test_where_etags_cannot_be_compared_both_ends_are_read(engine: Engine) -> None:
    engine.publish("a", DATA)
    engine.hold("a", DATA)
    engine.destination.inject(Retag("x-2"), "head", nth=1)
    assert engine.run() is None
    assert engine.outcome("a").proof is Proof.CONTENT_SHA256
    assert engine.progress.passed == 2 * len(DATA)


def test_what_is_missing_is_a_difference_of_its_whole_pair(engine: Engine) -> None:
    engine.publish_pair("a.zip", DATA)
    engine.hold("a.zip", DATA)
    engine.publish("b", DATA)
    assert engine.run() is None
    assert {error_of(engine, name) for name in engine.states()} == {"object-missing"}
    assert "other half" in (engine.outcome("a.zip").message or "")


def test_an_archive_that_only_the_destination_has_proves_nothing_of_its_sidecar(
    engine: Engine,
) -> None:
    engine.publish("a.zip.CHECKSUM", sidecar("a.zip", DATA))
    engine.hold("a.zip.CHECKSUM", sidecar("a.zip", DATA))
    engine.hold("a.zip", DATA)
    assert engine.run() is None
    assert engine.states() == {"a.zip.CHECKSUM": ObjectState.DONE}


def test_an_object_that_may_not_be_read_fails_alone(engine: Engine) -> None:
    for name in "ab":
        engine.publish(name, DATA)
        engine.hold(name, DATA)
    engine.destination.inject(Deny(), "head", "b/a")
    assert engine.run() is None
    assert error_of(engine, "a") == "access-denied"
    assert engine.states()["b"] is ObjectState.DONE


def test_a_source_that_changed_meanwhile_is_named(engine: Engine) -> None:
    engine.publish("a", DATA)
    engine.hold("a", OTHER)
    engine.source.inject(Change(lambda: engine.publish("a", OTHER)), "get")
    assert engine.run() is None
    assert error_of(engine, "a") == "source-changed"


def test_a_store_that_is_gone_ends_it(engine: Engine) -> None:
    engine.publish("a", DATA)
    engine.hold("a", DATA)
    engine.destination.inject(Drop(), "head", times=None)
    engine.destination.inject(Drop(), "list_page", nth=2, times=None)
    assert isinstance(engine.run(), StoreUnreachable)
    assert engine.states() == {"a": ObjectState.PENDING}


def test_nothing_is_deleted_at_either_end_whatever_the_options_say(engine: Engine) -> None:
    engine.options = replace(FEW, delete=True, delete_source=True)
    engine.publish("a", DATA)
    engine.hold("a", DATA)
    engine.hold("extra", DATA)
    assert engine.run() is None
    assert set(engine.at_destination()) == {"a", "extra"}
    assert engine.at_source() == {"a"}
