"""Inside one endpoint what Lakebed brought there is not read to meet its publisher's digest."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.errors import Interrupted
from lakebed.model.objects import Object
from lakebed.model.operation import Copied, Lane, Mode, ObjectState, Options, Proof, ServerSide
from lakebed.model.pair import sidecar_of
from lakebed.store.capabilities import Capability
from lakebed.transfer.brought import known_sha256
from tests.faults import Change
from tests.transfer.engine import FEW, Engine, able, sha256, sidecar

DATA, NEWER = b"candles" * 50, b"corrected" * 40
ETAG = "0123456789abcdef0123456789abcdef"
KNOWN = Copied("e", ETAG, 10, Proof.PUBLISHER_SHA256, "d" * 64)
LISTED = Object("spot/a.zip", 10, ETAG, datetime(2026, 5, 8, tzinfo=UTC))


def inside(options: Options = FEW, pairs: int = 1) -> Engine:
    """Pairs that another operation brought to the source, both ends in one store."""
    made = Engine(options, one_store=True)
    for number in range(pairs):
        name = f"{number:03}.zip"
        made.publish_pair(name, DATA + str(number).encode())
        remember(made, name)
        remember(made, sidecar_of(name))
    return made


def remember(engine: Engine, name: str) -> None:
    key = engine.source_at.key(name)
    [data] = engine.published[name]
    etag = engine.held.head("public", key).etag
    engine.recorder.at_source[name] = Copied(
        "there", etag, len(data), Proof.PUBLISHER_SHA256, sha256(data)
    )


@pytest.mark.parametrize("way", ServerSide)
def test_a_pair_that_lakebed_brought_costs_its_copies_only(way: ServerSide) -> None:
    made = inside(replace(FEW, server_side=way), pairs=3)
    assert made.run() is None
    assert set(made.states().values()) == {ObjectState.DONE}
    assert (made.source.count("get"), made.source.count("head")) == (0, 0)
    assert made.destination.count("head") == 0
    assert made.progress.passed == 0
    archive = made.outcome("001.zip")
    assert (archive.proof, archive.sha256) == (Proof.PUBLISHER_SHA256, sha256(DATA + b"1"))
    half = made.outcome("001.zip.CHECKSUM")
    assert half.proof is Proof.ETAG_MD5
    assert half.sha256 == sha256(sidecar("001.zip", DATA + b"1"))


def test_a_resume_knows_it_too() -> None:
    made = inside(pairs=2)
    stop = Change(lambda: made.cancellation.stop(Interrupted("stopped")))
    made.destination.inject(stop, "copy")
    assert isinstance(made.run(), Interrupted)
    assert made.recorder.in_state(ObjectState.PENDING)
    made.destination.heal()
    assert made.run() is None
    assert set(made.states().values()) == {ObjectState.DONE}
    assert made.source.count("get") == 0


def test_an_archive_that_was_replaced_since_is_read() -> None:
    made = inside()
    made.publish_pair("000.zip", NEWER)
    assert made.run() is None
    assert made.source.count("get", "spot/000.zip") == 1
    assert made.outcome("000.zip").sha256 == sha256(NEWER)


def test_a_sidecar_that_names_another_digest_has_its_archive_read_and_refused() -> None:
    made = inside()
    made.publish("000.zip.CHECKSUM", sidecar("000.zip", NEWER))
    assert made.run() is None
    assert set(made.states().values()) == {ObjectState.QUARANTINED}
    assert made.destination.count("copy") == 0


def test_a_sidecar_in_other_words_is_read_and_its_archive_is_not() -> None:
    made = inside()
    made.publish("000.zip.CHECKSUM", sidecar("000.zip", DATA + b"0") + b"\n\n")
    assert made.run() is None
    assert made.outcome("000.zip").proof is Proof.PUBLISHER_SHA256
    assert made.source.count("get", "spot/000.zip.CHECKSUM") == 1
    assert made.source.count("get", "spot/000.zip") == 0


def test_a_copy_that_is_refused_passes_through_us_and_is_digested_anew() -> None:
    made = inside()
    made.held._properties = replace(made.held.properties, max_copy=1)
    made.destination_can = able(Capability.PART_COPY)
    assert made.run() is None
    assert made.outcome("000.zip").lane is Lane.WHOLE
    assert made.source.count("get", "spot/000.zip") == 1


def test_between_two_stores_nothing_is_asked() -> None:
    made = Engine()
    made.publish_pair("000.zip", DATA)
    made.recorder.at_source["000.zip"] = KNOWN
    assert made.run() is None
    assert made.outcome("000.zip").sha256 == sha256(DATA)


def test_the_traditional_way_reads_everything() -> None:
    made = inside(replace(FEW, mode=Mode.TRADITIONAL))
    assert made.run() is None
    assert made.source.count("get", "spot/000.zip") == 1


def test_of_the_revision_that_was_brought_the_digest_is_known() -> None:
    assert known_sha256(LISTED, KNOWN) == KNOWN.sha256


@pytest.mark.parametrize(
    ("listed", "brought"),
    [
        (None, KNOWN),
        (LISTED, None),
        (replace(LISTED, etag="f" * 32), KNOWN),
        (replace(LISTED, size=11), KNOWN),
        (replace(LISTED, etag=f"{ETAG}-2"), replace(KNOWN, destination_etag=f"{ETAG}-2")),
        (replace(LISTED, etag=""), replace(KNOWN, destination_etag="")),
        (LISTED, replace(KNOWN, proof=Proof.SIZE_ONLY)),
        (LISTED, replace(KNOWN, sha256=None)),
    ],
    ids=["gone", "never", "etag", "size", "multipart", "no etag", "size only", "no digest"],
)
def test_of_anything_else_it_is_not(listed: Object | None, brought: Copied | None) -> None:
    assert known_sha256(listed, brought) is None


_ETAGS = st.sampled_from([ETAG, "f" * 32, f"{ETAG}-2", ""])


@given(_ETAGS, _ETAGS, st.sampled_from(Proof), st.integers(9, 11))
def test_a_remembered_digest_is_never_that_of_another_revision(
    now: str, then: str, proof: Proof, size: int
) -> None:
    listed = replace(LISTED, etag=now, size=size)
    brought = replace(KNOWN, destination_etag=then, proof=proof)
    if known_sha256(listed, brought) is not None:
        assert now == then
        assert listed.md5 is not None
        assert listed.size == brought.size


@pytest.mark.parametrize("changed", ["000.zip", "000.zip.CHECKSUM"])
def test_a_pair_that_changes_meanwhile_is_read_as_it_is_by_then(changed: str) -> None:
    made = inside()
    both = [("000.zip", NEWER), ("000.zip.CHECKSUM", sidecar("000.zip", NEWER))]

    def act() -> None:
        for name, data in both:
            made.publish(name, data)

    made.destination.inject(Change(act), "copy", f"b/{changed}")
    assert made.run() is None
    assert made.at_destination() == dict(both)
    assert made.outcome("000.zip").sha256 == sha256(NEWER)
