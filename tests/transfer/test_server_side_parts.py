"""Objects beyond one copy, inside one endpoint: the store copies them part by part."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.errors import AccessDenied, Interrupted, LakebedError, RequestRefused
from lakebed.model.checksum import Algorithm, Checksum
from lakebed.model.objects import Attributes, Object, Part, Span, parts_of_etag
from lakebed.model.operation import Lane, ObjectState, Options, Proof
from lakebed.model.quantity import GIB, MIB, TIB
from lakebed.store.capabilities import Capability
from lakebed.store.contract import Buffer, Properties
from lakebed.transfer.lanes import server_side_parts
from lakebed.transfer.uploads import Begun
from tests.faults import Change, Drop, Fail, Fault, LoseAck, Refuse
from tests.transfer.engine import FEW, Engine, able, sha256, sidecar

DATA = bytes(range(256)) * (10 * MIB // 1024)  # 2.5 MiB
NEWER = DATA[::-1]


def inside(options: Options = FEW, *missing: Capability) -> Engine:
    """Both ends in one store, where one copy takes no more than 1 MiB."""
    made = Engine(options, one_store=True, destination_can=able(*missing))
    made.held._properties = replace(made.held.properties, max_copy=MIB)
    return made


def uploaded(
    engine: Engine, name: str, data: bytes, step: int, algorithm: Algorithm | None
) -> None:
    """Publish it by a multipart upload, as large objects are."""
    engine.published[name] = {data}
    key, store = engine.source_at.key(name), engine.held
    upload = store.create_upload("public", key, algorithm=algorithm)
    parts: list[Part] = []
    for number, start in enumerate(range(0, len(data), step), start=1):
        piece = data[start : start + step]
        checksum = Checksum.of(algorithm, piece) if algorithm else None
        body = Buffer((piece,))
        parts.append(store.upload_part("public", key, upload, number, body, checksum=checksum))
    whole = Checksum.of(algorithm, data) if algorithm else None
    store.complete_upload("public", key, upload, parts, checksum=whole)


def spans_copied(engine: Engine) -> int:
    return engine.destination.count("copy_part", "b/a.zip")


def test_no_byte_passes_us_and_what_travels_with_them_follows() -> None:
    made = inside(replace(FEW, tags=True, storage_class="COLD"))
    attributes = Attributes({"content-type": "text/csv"}, {"of": "binance"}, {"tier": "raw"})
    made.publish("a.zip", DATA, attributes)
    assert made.run() is None
    assert made.outcome("a.zip").lane is Lane.SERVER_SIDE_PARTS
    assert made.at_destination() == {"a.zip": DATA}
    assert spans_copied(made) == 3
    assert (made.progress.passed, made.source.count("get")) == (0, 0)
    kept = made.held.head("bronze", "b/a.zip").attributes
    assert (kept.headers["content-type"], kept.metadata["of"]) == ("text/csv", "binance")
    assert kept.storage_class == "COLD"
    assert made.held.tags("bronze", "b/a.zip") == {"tier": "raw"}


def test_a_size_is_all_that_is_said_of_a_copy_whose_digests_nobody_keeps() -> None:
    made = inside()
    made.publish_pair("a.zip", DATA)
    assert made.run() is None
    archive = made.outcome("a.zip")
    assert (archive.proof, archive.sha256) == (Proof.SIZE_ONLY, sha256(DATA))


def test_the_checksum_of_the_whole_is_kept_and_compared() -> None:
    made = inside()
    uploaded(made, "a.zip", DATA, 700_000, Algorithm.CRC32C)
    assert made.run() is None
    assert made.outcome("a.zip").proof is Proof.SERVER_CHECKSUM
    assert made.held.head("bronze", "b/a.zip").checksum == Checksum.of(Algorithm.CRC32C, DATA)


def test_with_a_checksum_the_publisher_s_digest_is_proved() -> None:
    made = inside()
    uploaded(made, "a.zip", DATA, 700_000, Algorithm.CRC64NVME)
    made.publish("a.zip.CHECKSUM", sidecar("a.zip", DATA))
    assert made.run() is None
    archive = made.outcome("a.zip")
    assert (archive.proof, archive.sha256) == (Proof.PUBLISHER_SHA256, sha256(DATA))


def test_where_no_extra_read_is_wanted_a_digest_is_not_met_and_not_claimed() -> None:
    made = inside(replace(FEW, extra_reads=False))
    uploaded(made, "a.zip", DATA, 700_000, Algorithm.CRC32C)
    made.publish("a.zip.CHECKSUM", sidecar("a.zip", DATA))
    assert made.run() is None
    archive = made.outcome("a.zip")
    assert (archive.proof, archive.sha256) == (Proof.SERVER_CHECKSUM, None)
    assert made.source.count("get", "spot/a.zip") == 0


def test_parts_have_the_size_that_is_wanted() -> None:
    made = inside(replace(FEW, part_size=2 * MIB))
    made.held._properties = replace(made.held.properties, max_copy=2 * MIB)
    uploaded(made, "a.zip", DATA, MIB, None)
    assert made.run() is None
    assert spans_copied(made) == 2


def test_what_a_digest_refuses_is_never_copied() -> None:
    made = inside()
    made.publish_pair("a.zip", DATA, digest_of=NEWER)
    assert made.run() is None
    assert set(made.states().values()) == {ObjectState.QUARANTINED}
    assert spans_copied(made) == 0


def test_in_the_parts_of_its_source_a_copy_has_its_etag_and_is_proved_by_it() -> None:
    made = inside()
    uploaded(made, "a.zip", DATA, MIB, None)
    assert made.run() is None
    assert made.outcome("a.zip").proof is Proof.ETAG_MD5


def test_where_etags_are_no_digests_an_equal_one_proves_nothing() -> None:
    made = inside(FEW, Capability.MD5_ETAGS)
    uploaded(made, "a.zip", DATA, MIB, None)
    assert made.run() is None
    assert made.outcome("a.zip").proof is Proof.SIZE_ONLY


def test_a_store_that_computes_no_checksum_of_parts_is_asked_without_one() -> None:
    made = inside()
    uploaded(made, "a.zip", DATA, MIB, Algorithm.CRC32C)
    made.destination.inject(Refuse(RequestRefused("checksum missing")), "copy_part", times=3)
    assert made.run() is None
    archive = made.outcome("a.zip")
    assert (archive.lane, archive.proof) == (Lane.SERVER_SIDE_PARTS, Proof.ETAG_MD5)
    assert made.held.unfinished_uploads("bronze") == []
    assert made.recorder.uploads.held == {}


class OtherChecksum(Fault):
    """Whoever asks hears of another checksum than the object has."""

    def around(self, subject: str, action: Callable[[], object]) -> object:  # type: ignore[override]  # only heads
        return replace(action(), checksum=Checksum(Algorithm.CRC32C, 1))  # type: ignore[type-var]  # only heads


def test_a_copy_with_another_checksum_is_removed_and_passes_through_us() -> None:
    made = inside()
    uploaded(made, "a.zip", DATA, 700_000, Algorithm.CRC32C)
    made.destination.inject(OtherChecksum(), "head", "b/a.zip")
    assert made.run() is None
    assert made.outcome("a.zip").lane is Lane.WHOLE
    assert made.destination.count("delete", "b/a.zip") == 1


def test_a_source_that_changes_between_two_parts_is_taken_as_it_is_by_then() -> None:
    made = inside()
    made.publish("a.zip", DATA)
    made.destination.inject(Change(lambda: made.publish("a.zip", NEWER)), "copy_part", nth=2)
    assert made.run() is None
    assert made.at_destination() == {"a.zip": NEWER}
    assert made.held.unfinished_uploads("bronze") == []


class Unpinned(Fault):
    """The store copies the part of whatever the object is by then."""

    def __init__(self, engine: Engine, number: int) -> None:
        self._engine, self._number = engine, number

    def around(self, subject: str, action: Callable[[], object]) -> object:  # type: ignore[override]  # only parts
        made = self._engine
        made.publish("a.zip", NEWER)
        [upload] = made.held.list_uploads("bronze", "b/a.zip")
        span = Span((self._number - 1) * MIB, min(self._number * MIB, len(NEWER)))
        etag = made.held.head("public", "spot/a.zip").etag
        return made.held.copy_part(
            "public",
            "spot/a.zip",
            "bronze",
            "b/a.zip",
            upload.upload_id,
            self._number,
            span=span,
            if_match=etag,
        )


def test_parts_of_two_revisions_never_become_an_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_side_parts, "THREADS", 1)  # so that the third part is the third
    made = inside()
    made.publish("a.zip", DATA)
    made.destination.inject(Unpinned(made, 3), "copy_part", nth=3)
    assert made.run() is None
    assert made.at_destination() == {"a.zip": NEWER}


@pytest.mark.parametrize("fault", [Fail(), Drop(), LoseAck()])
@pytest.mark.parametrize("verb", ["create_upload", "copy_part", "complete_upload"])
def test_a_request_that_fails_once_is_made_again(verb: str, fault: Fault) -> None:
    made = inside()
    made.publish("a.zip", DATA)
    made.destination.inject(fault, verb)
    assert made.run() is None
    assert made.outcome("a.zip").lane is Lane.SERVER_SIDE_PARTS


def test_parts_that_are_refused_pass_through_us_and_leave_nothing() -> None:
    made = inside()
    made.publish("a.zip", DATA)
    made.destination.inject(Refuse(AccessDenied("no copying")), "copy_part", times=None)
    assert made.run() is None
    assert made.outcome("a.zip").lane is Lane.WHOLE
    assert made.held.unfinished_uploads("bronze") == []


def test_an_upload_that_a_killed_run_left_is_dropped_first() -> None:
    made = inside()
    made.publish("a.zip", DATA)
    etag = made.held.head("public", "spot/a.zip").etag
    left = made.held.create_upload("bronze", "b/a.zip")
    made.recorder.uploads.intend(Begun("b/a.zip", etag, len(DATA), MIB))
    made.recorder.uploads.begin("b/a.zip", left)
    assert made.run() is None
    assert made.held.unfinished_uploads("bronze") == []


def test_it_is_in_the_ledger_while_its_parts_are_copied() -> None:
    made = inside()
    made.publish("a.zip", DATA)
    seen: list[Begun | None] = []
    look = Change(lambda: seen.append(made.recorder.uploads.find("b/a.zip")))
    made.destination.inject(look, "copy_part")
    assert made.run() is None
    [upload] = seen
    assert upload is not None
    assert upload.upload_id is not None
    assert made.recorder.uploads.find("b/a.zip") is None


def test_a_stop_between_parts_leaves_nothing() -> None:
    made = inside()
    made.publish("a.zip", DATA)
    stop = Change(lambda: made.cancellation.stop(Interrupted("stopped")))
    made.destination.inject(stop, "copy_part")
    stopped: LakebedError | None = made.run()
    assert isinstance(stopped, Interrupted)
    assert made.held.unfinished_uploads("bronze") == []
    assert made.run() is None
    assert made.at_destination() == {"a.zip": DATA}


S3 = Properties(identity="s3")
MOMENT = datetime(2026, 5, 8, tzinfo=UTC)
SIZES = st.integers(5 * GIB + 1, 5 * TIB)


@given(SIZES, st.one_of(st.none(), st.integers(1, 99_999)))
def test_the_parts_of_any_copy_are_within_the_limits_of_s3(size: int, count: int | None) -> None:
    etag = "0" * 32 if count is None else f"{'0' * 32}-{count}"
    step = server_side_parts._step(Object("a", size, etag, MOMENT), S3, None)
    spans = Begun("key", etag, size, step).spans()
    assert (spans[0].start, spans[-1].end) == (0, size)
    assert all(left.end == right.start for left, right in pairwise(spans))
    assert len(spans) <= S3.max_parts
    assert S3.min_part <= step <= S3.max_copy


@given(SIZES, st.sampled_from([8, 16, 64, 128, 256, 512]))
def test_the_parts_of_an_upload_in_powers_of_two_are_found_again(size: int, usual: int) -> None:
    count = -(-size // (usual * MIB))
    step = server_side_parts._step(Object("a", size, f"{'0' * 32}-{count}", MOMENT), S3, None)
    assert step == usual * MIB or count > S3.max_parts


@pytest.mark.parametrize(
    ("etag", "count"),
    [("0" * 32 + "-12", 12), ("0" * 32, None), ("0" * 32 + "-0", None), ("x-2", None), ("", None)],
)
def test_an_etag_tells_of_how_many_parts_an_object_is(etag: str, count: int | None) -> None:
    assert parts_of_etag(etag) == count
