"""A probe finds out what a bucket can do, is not deceived by a 200, and leaves nothing behind."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from lakebed import errors
from lakebed.errors import LakebedError
from lakebed.model.checksum import Algorithm, Checksum
from lakebed.model.objects import Attributes, Head, Part, Span, Write, Written
from lakebed.store.cancellation import Cancellation
from lakebed.store.capabilities import EVERYTHING, Capabilities, Capability
from lakebed.store.contract import NO_ATTRIBUTES, PAGE_LIMIT, Body, Buffer, Page, Sink, Store
from lakebed.store.memory import MemoryStore
from lakebed.store.probe import Probe
from lakebed.store.wrappers.forwarding import Forwarding
from lakebed.store.wrappers.retry import Backoff, Retry
from tests.faults import Deny, Drop, Fail, Fault, Faulty, Flip, LoseAck
from tests.fixtures_stores import Served
from tests.store.served import open_served

T = TypeVar("T")
CRCS = (Capability.CRC64NVME, Capability.CRC32C)
HONEST = EVERYTHING.names - {Capability.VERSIONING}


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore("lake", buckets=["bucket"])


def probe(store: Store, prefix: str = "") -> Capabilities:
    return Probe(store, "bucket", prefix).run()


def left_in(store: MemoryStore) -> list[str]:
    uploads = store.unfinished_uploads("bucket")
    return [found.key for found in store.list_page("bucket").objects] + uploads


# --- an honest store -----------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "a/b/"])
def test_an_honest_store_can_do_everything(memory: MemoryStore, prefix: str) -> None:
    assert probe(memory, prefix) == Capabilities(HONEST)
    assert left_in(memory) == []


def test_what_a_killed_probe_left_is_taken_away_an_hour_later() -> None:
    clock = [datetime(2026, 5, 8, tzinfo=UTC)]
    memory = MemoryStore("lake", buckets=["bucket"], now=lambda: clock[0])
    killed, running = (f"a/.lakebed-probe-{digit * 16}/folder/" for digit in "01")
    own = "a/.lakebed-probe-notes/mine"
    for key in (killed, own):
        memory.put("bucket", key, Buffer((b"",)))
    clock[0] += timedelta(hours=1)
    memory.put("bucket", running, Buffer((b"",)))
    clock[0] += timedelta(minutes=1)

    probe(memory, "a/")

    assert left_in(memory) == [running, own]


def test_a_versioned_bucket_is_found_to_be_one(memory: MemoryStore) -> None:
    class Versioned(Forwarding):
        def is_versioned(self, bucket: str) -> bool:
            return True

    assert Capability.VERSIONING in probe(Versioned(memory))


def test_a_probe_stays_below_its_prefix_and_touches_nothing_else(memory: MemoryStore) -> None:
    memory.put("bucket", "a/key", Buffer((b"mine",)))
    subjects: list[str] = []

    class Watched(Forwarding):
        def _call(self, verb: str, subject: str, action: Callable[[], T], sent: int = 0) -> T:
            subjects.append(subject)
            return action()

    probe(Watched(memory), "a/")
    assert left_in(memory) == ["a/key"]
    assert all(
        subject.startswith("lake:bucket/a/.lakebed-probe-") or subject == "lake:bucket"
        for subject in subjects
    )
    assert len(subjects) < 65


@pytest.mark.parametrize("nth", range(1, 5))
@pytest.mark.parametrize("verb", ["complete_upload", "put"])
def test_an_answer_that_is_lost_on_its_way_costs_no_capability(
    memory: MemoryStore, verb: str, nth: int
) -> None:
    lost = Faulty(memory)
    lost.inject(LoseAck(), verb, nth=nth)
    again = Retry(lost, Backoff(retries=2, first=0.0, longest=0.0), Cancellation())
    assert probe(again) == Capabilities(HONEST)


def test_two_probes_do_not_meet(memory: MemoryStore) -> None:
    class Twice(Forwarding):
        """Another probe runs while this one does."""

        nested = False

        def tags(self, bucket: str, key: str) -> dict[str, str]:
            if not self.nested:
                self.nested = True
                assert probe(self) == Capabilities(HONEST)
            return super().tags(bucket, key)

    assert probe(Twice(memory)) == Capabilities(HONEST)
    assert left_in(memory) == []


# --- stores that answer 200 and do otherwise -----------------------------------------------------


class Liar(Forwarding):
    """Each lie overrides what it lies about."""


class IgnoresConditions(Liar):
    def put(
        self,
        bucket: str,
        key: str,
        body: Body,
        *,
        attributes: Attributes = NO_ATTRIBUTES,
        sha256: str | None = None,
        write: Write = Write.ALWAYS,
    ) -> Written:
        return super().put(bucket, key, body, attributes=attributes, sha256=sha256)


class RefusesButOverwrites(Liar):
    def put(
        self,
        bucket: str,
        key: str,
        body: Body,
        *,
        attributes: Attributes = NO_ATTRIBUTES,
        sha256: str | None = None,
        write: Write = Write.ALWAYS,
    ) -> Written:
        try:
            return super().put(bucket, key, body, attributes=attributes, sha256=sha256, write=write)
        except errors.PreconditionFailed:
            super().put(bucket, key, body)
            raise


class RefusesEveryCondition(Liar):
    def put(
        self,
        bucket: str,
        key: str,
        body: Body,
        *,
        attributes: Attributes = NO_ATTRIBUTES,
        sha256: str | None = None,
        write: Write = Write.ALWAYS,
    ) -> Written:
        if write is Write.IF_ABSENT:
            raise errors.PreconditionFailed("412")
        return super().put(bucket, key, body, attributes=attributes, sha256=sha256)


class IgnoresDigests(Liar):
    def put(
        self,
        bucket: str,
        key: str,
        body: Body,
        *,
        attributes: Attributes = NO_ATTRIBUTES,
        sha256: str | None = None,
        write: Write = Write.ALWAYS,
    ) -> Written:
        return super().put(bucket, key, body, attributes=attributes, write=write)


class RefusesEveryDigest(Liar):
    def put(
        self,
        bucket: str,
        key: str,
        body: Body,
        *,
        attributes: Attributes = NO_ATTRIBUTES,
        sha256: str | None = None,
        write: Write = Write.ALWAYS,
    ) -> Written:
        if sha256 is not None:
            raise errors.RequestRefused("400")
        return super().put(bucket, key, body, attributes=attributes, write=write)


class DropsTags(Liar):
    def put(
        self,
        bucket: str,
        key: str,
        body: Body,
        *,
        attributes: Attributes = NO_ATTRIBUTES,
        sha256: str | None = None,
        write: Write = Write.ALWAYS,
    ) -> Written:
        untagged = replace(attributes, tags={})
        return super().put(bucket, key, body, attributes=untagged, sha256=sha256, write=write)


class CopiesNothing(Liar):
    def copy(
        self,
        source_bucket: str,
        source_key: str,
        bucket: str,
        key: str,
        *,
        if_match: str,
        attributes: Attributes | None = None,
    ) -> Written:
        return Written(if_match)


class CopiesOtherBytes(Liar):
    def copy(
        self,
        source_bucket: str,
        source_key: str,
        bucket: str,
        key: str,
        *,
        if_match: str,
        attributes: Attributes | None = None,
    ) -> Written:
        return super().put(bucket, key, Buffer((b"something else",)))


class CopiesEmptyParts(Liar):
    def copy_part(
        self,
        source_bucket: str,
        source_key: str,
        bucket: str,
        key: str,
        upload_id: str,
        number: int,
        *,
        span: Span,
        if_match: str,
    ) -> Part:
        return super().upload_part(bucket, key, upload_id, number, Buffer(()))


class CopiesWholePart(Liar):
    def copy_part(
        self,
        source_bucket: str,
        source_key: str,
        bucket: str,
        key: str,
        upload_id: str,
        number: int,
        *,
        span: Span,
        if_match: str,
    ) -> Part:
        whole = Span(0, self.head(source_bucket, source_key).size)
        return super().copy_part(
            source_bucket, source_key, bucket, key, upload_id, number, span=whole, if_match=if_match
        )


class CompletesNothing(Liar):
    def complete_upload(
        self,
        bucket: str,
        key: str,
        upload_id: str,
        parts: Sequence[Part],
        *,
        checksum: Checksum | None = None,
    ) -> Written:
        self.abort_upload(bucket, key, upload_id)
        return Written("done")


class IgnoresChecksums(Liar):
    def upload_part(
        self,
        bucket: str,
        key: str,
        upload_id: str,
        number: int,
        body: Body,
        *,
        checksum: Checksum | None = None,
    ) -> Part:
        return super().upload_part(bucket, key, upload_id, number, body)

    def create_upload(
        self,
        bucket: str,
        key: str,
        attributes: Attributes = NO_ATTRIBUTES,
        *,
        algorithm: Algorithm | None = None,
    ) -> str:
        return super().create_upload(bucket, key, attributes)


class IgnoresChecksumsOfTheWhole(Liar):
    def complete_upload(
        self,
        bucket: str,
        key: str,
        upload_id: str,
        parts: Sequence[Part],
        *,
        checksum: Checksum | None = None,
    ) -> Written:
        return super().complete_upload(bucket, key, upload_id, parts)


class ForgetsChecksums(Liar):
    def head(self, bucket: str, key: str) -> Head:
        return replace(super().head(bucket, key), checksum=None)


class RefusesParts(Liar):
    def upload_part(
        self,
        bucket: str,
        key: str,
        upload_id: str,
        number: int,
        body: Body,
        *,
        checksum: Checksum | None = None,
    ) -> Part:
        raise errors.StoreFault("500 InternalError")


class OtherETags(Liar):
    """Names each revision by something that is no MD5."""

    def get(
        self,
        bucket: str,
        key: str,
        sink: Sink,
        *,
        span: Span | None = None,
        if_match: str | None = None,
    ) -> Head:
        head = super().get(bucket, key, sink, span=span, if_match=if_match)
        return replace(head, etag=hashlib.sha256(head.etag.encode()).hexdigest()[:32])

    def copy(
        self,
        source_bucket: str,
        source_key: str,
        bucket: str,
        key: str,
        *,
        if_match: str,
        attributes: Attributes | None = None,
    ) -> Written:
        etag = self.head(source_bucket, source_key).etag
        return super().copy(source_bucket, source_key, bucket, key, if_match=etag)

    def copy_part(
        self,
        source_bucket: str,
        source_key: str,
        bucket: str,
        key: str,
        upload_id: str,
        number: int,
        *,
        span: Span,
        if_match: str,
    ) -> Part:
        etag = self.head(source_bucket, source_key).etag
        return super().copy_part(
            source_bucket, source_key, bucket, key, upload_id, number, span=span, if_match=etag
        )


class Rewrites(Liar):
    """Takes a key for another one, on each way in."""

    old, new = "", ""

    def _rewritten(self, key: str) -> str:
        return key.replace(self.old, self.new)

    def put(
        self,
        bucket: str,
        key: str,
        body: Body,
        *,
        attributes: Attributes = NO_ATTRIBUTES,
        sha256: str | None = None,
        write: Write = Write.ALWAYS,
    ) -> Written:
        return super().put(
            bucket, self._rewritten(key), body, attributes=attributes, sha256=sha256, write=write
        )

    def get(
        self,
        bucket: str,
        key: str,
        sink: Sink,
        *,
        span: Span | None = None,
        if_match: str | None = None,
    ) -> Head:
        return super().get(bucket, self._rewritten(key), sink, span=span, if_match=if_match)

    def delete(self, bucket: str, key: str) -> None:
        super().delete(bucket, self._rewritten(key))


class MergesSlashes(Rewrites):
    old, new = "//", "/"


class TurnsBackslashes(Rewrites):
    old, new = "\\", "/"


class LosesFinalSlashes(Rewrites):
    def _rewritten(self, key: str) -> str:
        return key.rstrip("/")


class Sorts(Liar):
    """Lists in an order of its own."""

    @staticmethod
    def order(key: str) -> object:
        raise NotImplementedError

    def list_page(
        self,
        bucket: str,
        prefix: str = "",
        *,
        after: str = "",
        token: str | None = None,
        delimiter: str = "",
        limit: int = PAGE_LIMIT,
    ) -> Page:
        page = super().list_page(bucket, prefix, after=after, token=token)
        return replace(
            page, objects=tuple(sorted(page.objects, key=lambda found: str(self.order(found.key))))
        )


class SortsByUtf16(Sorts):
    @staticmethod
    def order(key: str) -> object:
        return key.encode("utf-16-be").hex()


class SortsAsATree(Sorts):
    @staticmethod
    def order(key: str) -> object:
        return key.replace("/", "\0")


class SortsWithoutCase(Sorts):
    @staticmethod
    def order(key: str) -> object:
        return key.lower()


class ListsNothing(Sorts):
    def list_page(
        self,
        bucket: str,
        prefix: str = "",
        *,
        after: str = "",
        token: str | None = None,
        delimiter: str = "",
        limit: int = PAGE_LIMIT,
    ) -> Page:
        return Page(())


KEYED = (Capability.FOLDER_KEYS, Capability.ODD_KEYS, Capability.BACKSLASH_KEYS)


@pytest.mark.parametrize(
    ("liar", "missing"),
    [
        (IgnoresConditions, [Capability.IF_NONE_MATCH]),
        (RefusesButOverwrites, [Capability.IF_NONE_MATCH]),
        (RefusesEveryCondition, [Capability.IF_NONE_MATCH]),
        (IgnoresDigests, [Capability.SHA256]),
        (RefusesEveryDigest, [Capability.SHA256]),
        (DropsTags, [Capability.TAGS]),
        (CopiesNothing, [Capability.COPY]),
        (CopiesOtherBytes, [Capability.COPY]),
        (CopiesEmptyParts, [Capability.PART_COPY]),
        (CopiesWholePart, [Capability.PART_COPY]),
        (CompletesNothing, [Capability.MULTIPART, Capability.PART_COPY, *CRCS]),
        (IgnoresChecksums, [*CRCS]),
        (IgnoresChecksumsOfTheWhole, [*CRCS]),
        (ForgetsChecksums, [*CRCS]),
        (RefusesParts, [Capability.MULTIPART, *CRCS]),
        (OtherETags, [Capability.MD5_ETAGS]),
        (MergesSlashes, [Capability.ODD_KEYS]),
        (TurnsBackslashes, [Capability.BACKSLASH_KEYS]),
        (LosesFinalSlashes, [Capability.FOLDER_KEYS]),
        (SortsByUtf16, [Capability.ORDERED]),
        (SortsAsATree, [Capability.ORDERED]),
        (SortsWithoutCase, [Capability.ORDERED]),
        (ListsNothing, [Capability.ORDERED, *KEYED]),
    ],
)
def test_a_lie_costs_the_capability_that_it_is_about(
    memory: MemoryStore, liar: type[Liar], missing: list[Capability]
) -> None:
    assert probe(liar(memory)) == Capabilities(HONEST.difference(missing))
    assert left_in(memory) == []


def test_a_store_that_spoils_what_it_is_given_can_do_nothing(memory: MemoryStore) -> None:
    spoiling = Faulty(memory)
    spoiling.inject(Flip(3), "put")
    found = probe(spoiling)
    assert found == Capabilities(note="what was written is not what is read back")
    assert left_in(memory) == []


# --- stores that refuse --------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["put", "get"])
def test_where_it_may_not_the_least_is_assumed_and_said(memory: MemoryStore, verb: str) -> None:
    refusing = Faulty(memory)
    refusing.inject(Deny(), verb, times=None)
    found = probe(refusing)
    assert found == Capabilities(note="not probed, the least is assumed: 403 AccessDenied")
    assert left_in(memory) == []


def test_a_prefix_that_leaves_no_room_for_a_canary_is_not_probed(memory: MemoryStore) -> None:
    found = probe(memory, "x" * 1000 + "/")
    assert found.names == frozenset()
    assert "1 to 1024 bytes" in found.note


@pytest.mark.parametrize(
    ("verb", "missing"),
    [
        ("copy", [Capability.COPY]),
        ("copy_part", [Capability.PART_COPY]),
        ("create_upload", [Capability.MULTIPART, Capability.PART_COPY, *CRCS]),
        ("complete_upload", [Capability.MULTIPART, Capability.PART_COPY, *CRCS]),
        ("tags", [Capability.TAGS]),
        ("list_page", [Capability.ORDERED, *KEYED]),
        ("is_versioned", []),
        ("delete", []),
    ],
)
@pytest.mark.parametrize("fault", [Deny(), Fail()], ids=["403", "500"])
def test_what_is_refused_is_not_a_capability(
    memory: MemoryStore, verb: str, missing: list[Capability], fault: Fault
) -> None:
    refusing = Faulty(memory)
    refusing.inject(fault, verb, times=None)
    assert probe(refusing) == Capabilities(HONEST.difference(missing))
    assert memory.unfinished_uploads("bucket") == []
    assert verb == "delete" or left_in(memory) == []


def test_keys_that_a_store_refuses_are_not_held(memory: MemoryStore) -> None:
    class Picky(Forwarding):
        def put(
            self,
            bucket: str,
            key: str,
            body: Body,
            *,
            attributes: Attributes = NO_ATTRIBUTES,
            sha256: str | None = None,
            write: Write = Write.ALWAYS,
        ) -> Written:
            if "//" in key:
                raise errors.KeyUnsupported("400 XMinioInvalidObjectName")
            if "\\" in key:
                raise errors.StoreFault("500 InternalError")
            return super().put(bucket, key, body, attributes=attributes, sha256=sha256, write=write)

    assert probe(Picky(memory)) == Capabilities(
        HONEST - {Capability.ODD_KEYS, Capability.BACKSLASH_KEYS}
    )


@pytest.mark.parametrize(
    "error",
    [
        errors.BucketMissing("404"),
        errors.CredentialsRefused("403"),
        errors.StoreUnreachable("refused"),
        errors.Interrupted("Ctrl-C"),
    ],
)
def test_what_makes_a_bucket_unusable_goes_up(memory: MemoryStore, error: LakebedError) -> None:
    class Unusable(Forwarding):
        def _call(self, verb: str, subject: str, action: Callable[[], T], sent: int = 0) -> T:
            raise error

    with pytest.raises(type(error)):
        probe(Unusable(memory))


VERBS = (
    *("put", "get", "create_upload", "upload_part", "complete_upload", "copy", "copy_part"),
    *("tags", "list_page", "is_versioned"),
)


@pytest.mark.parametrize("verb", VERBS)
def test_an_outage_in_the_middle_goes_up_and_leaves_nothing_behind(
    memory: MemoryStore, verb: str
) -> None:
    breaking = Faulty(memory)
    breaking.inject(Drop(), verb, nth=2 if verb in ("put", "get") else 1)
    with pytest.raises(errors.StoreUnreachable):
        probe(breaking)
    assert left_in(memory) == []


# --- real servers --------------------------------------------------------------------------------


def found_on(served: Served, bucket: str) -> frozenset[Capability]:
    with closing(open_served(served)) as store:
        store.create_bucket(bucket)
        found = Probe(store, bucket, "below/").run()
        assert store.list_page(bucket).objects == ()
    assert found.note == ""
    return found.names


def test_minio_is_found_to_be_what_it_is(minio_store: Served) -> None:
    assert found_on(minio_store, "probed") == HONEST - {Capability.ODD_KEYS}


def test_seaweedfs_is_found_to_be_what_it_is(seaweedfs_store: Served) -> None:
    lacks = {
        Capability.ORDERED,
        Capability.ODD_KEYS,
        Capability.BACKSLASH_KEYS,
        Capability.UNPACK,
    }
    assert found_on(seaweedfs_store, "probed") == HONEST - lacks


def test_moto_is_found_to_be_what_it_is(moto_store: Served) -> None:
    lacks = {Capability.SHA256, Capability.UNPACK, *CRCS}
    assert found_on(moto_store, "probed") == HONEST - lacks
