"""What every store must do: one suite, which each store's own test file runs unchanged.

A test file gives a module-scoped fixture `store` and a class derived from `StoreConformance`. What
a store is known to lack goes into `lacks`, capability and reason: the tests that need it are
skipped with that line.
"""

import hashlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from lakebed.errors import (
    BucketMissing,
    ChecksumRefused,
    KeyUnsupported,
    LakebedError,
    ObjectMissing,
    PreconditionFailed,
    RequestRefused,
    StoreError,
)
from lakebed.model.checksum import Algorithm, Checksum
from lakebed.model.objects import Attributes, Head, Part, Span, Write, Written
from lakebed.store.contract import NO_ATTRIBUTES, Buffer, Copying, Member, Page, Store
from lakebed.store.listing import objects, sorted_objects

PART = 5 * 1024**2
"""The smallest part of Amazon S3 but for the last one, in bytes."""

CAPABILITIES = frozenset(
    {
        "attributes",
        "backslash",
        "checksums",
        "control-characters",
        "copy-if-match",
        "copy-many",
        "dot-segments",
        "double-slash",
        "folder-order",
        "if-none-match",
        "key-limit",
        "leading-slash",
        "list-parts",
        "list-uploads",
        "long-keys",
        "long-paths",
        "md5-etags",
        "multipart-etags",
        "newlines",
        "no-phantom-folders",
        "no-renaming",
        "non-ascii-metadata",
        "object-and-folder",
        "one-of-each-part",
        "object-as-folder",
        "part-copy",
        "part-copy-if-match",
        "part-etags",
        "sha256",
        "signatures",
        "tags",
        "trailing-slash",
        "unpack",
        "utf8-order",
        "versioning",
    }
)
"""What a store may lack."""

PLAIN_KEYS = [
    "plain.zip",
    "data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2026-05-08.zip",
    "data/spot/币安人生USDT/币安人生USDT-1m-2026-05-08.zip.CHECKSUM",
    "plus+plus",
    "per%cent",
    "per%2Fcent",
    "%",
    "%25",
    "a space",
    " both ends ",
    "quotes'\"`",
    "<xml>&amp;]]>",
    "semi;colon:at@equals=comma,dollar$",
    "question?mark#hash",
    "(bra[ck]et){s}!*~|^",
    "e\u0301-and-é",
    "\uffee",
    "astral-\U0001f600-\U0001d11e",
    ".hidden",
    "dots...",
    "a.b/..c/d",
    "-dash",
]
ODD_KEYS = [
    pytest.param("backslash", "back\\slash", id="backslash"),
    pytest.param("leading-slash", "/lead", id="leading-slash"),
    pytest.param("leading-slash", "//lead", id="two-leading-slashes"),
    pytest.param("trailing-slash", "folder/", id="trailing-slash"),
    pytest.param("double-slash", "d//e", id="double-slash"),
    pytest.param("double-slash", "d///e//", id="triple-slash"),
    pytest.param("dot-segments", ".", id="dot"),
    pytest.param("dot-segments", "..", id="two-dots"),
    pytest.param("dot-segments", "./x", id="dot-first"),
    pytest.param("dot-segments", "x/./y", id="dot-between"),
    pytest.param("dot-segments", "x/../y", id="two-dots-between"),
    pytest.param("dot-segments", "x/..", id="two-dots-last"),
    pytest.param("newlines", "line\nfeed", id="newline"),
    pytest.param("newlines", "carriage\rreturn\r\n", id="carriage-return"),
    pytest.param("control-characters", "tab\there", id="tab"),
    pytest.param("control-characters", "bell\x07escape\x1b", id="control"),
    pytest.param("control-characters", "delete\x7f", id="delete"),
    pytest.param("long-keys", "x" * 1024, id="1024-bytes-in-one-segment"),
    pytest.param("long-paths", "/".join(["x" * 204] * 5), id="1024-bytes-in-segments"),
    pytest.param("long-paths", "/".join(["币" * 60] * 5), id="long-non-ascii"),
]
TWINS = [
    pytest.param("", "case/A", "case/a", id="case"),
    pytest.param("", "form/é", "form/e\u0301", id="unicode-form"),
    pytest.param("", "blank/a+b", "blank/a b", id="plus-and-space"),
    pytest.param("", "quoted/a%2Fb", "quoted/a/b", id="quoted-slash"),
    pytest.param("", "twice/%2525", "twice/%25", id="quoted-twice"),
    pytest.param("trailing-slash", "marker/a", "marker/a/", id="trailing-slash"),
    pytest.param("object-as-folder", "both/a", "both/a/b", id="object-and-folder"),
    pytest.param("double-slash", "slash/a//b", "slash/a/b", id="double-slash"),
    pytest.param("dot-segments", "dot/./a", "dot/a", id="dot-segment"),
]
IN_ORDER = ["a", "a!", "a-b", "a.b", "a0", "aa", "b", "~"]
IN_ORDER_NON_ASCII = ["a", "z", "~", "é", "币安人生USDT", "\uffee", "\U0001d11e", "\U0001f600"]
"""UTF-16 would put the last two before \\uffee."""


@dataclass(frozen=True)
class Broken:
    """A body that fails half way."""

    error: Exception
    size: int = 300_000

    def chunks(self) -> Iterator[bytes]:
        yield b"x" * (self.size // 2)
        raise self.error


class Cursed(Exception):
    """Raised by a test's own sink or body."""


def random_bytes(size: int) -> bytes:
    """Bytes that no store can compress or mix up unseen, the same each time."""
    return hashlib.shake_128(b"lakebed").digest(size)


def put(store: Store, bucket: str, key: str, data: bytes = b"data") -> Written:
    return store.put(bucket, key, Buffer((data,) if data else ()))


def read(store: Store, bucket: str, key: str, span: Span | None = None) -> bytes:
    chunks: list[bytes] = []
    store.get(bucket, key, lambda chunk: chunks.append(bytes(chunk)), span=span)
    return b"".join(chunks)


def pages(
    store: Store, bucket: str, prefix: str, *, delimiter: str = "", limit: int
) -> Iterator[Page]:
    token: str | None = None
    while True:
        page = store.list_page(bucket, prefix, token=token, delimiter=delimiter, limit=limit)
        yield page
        if page.token is None:
            return
        token = page.token


def keys(page: Page) -> list[str]:
    return [found.key for found in page.objects]


class Fixtures:
    """What a test has at hand: `store` from its module, one bucket, and a folder of its own."""

    lacks: ClassVar[Mapping[str, str]] = {}
    """Capability and, in one line, what this store does instead."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        assert cls.lacks.keys() <= CAPABILITIES, f"{cls.__name__} lacks what nobody asks for"

    @pytest.fixture
    def bucket(self, store: Store) -> str:
        bucket = "conformance"
        store.create_bucket(bucket)
        return bucket

    @pytest.fixture
    def folder(self) -> str:
        return f"test-{secrets.token_hex(6)}/"

    def need(self, capability: str) -> None:
        assert capability in CAPABILITIES | {""}
        if capability in self.lacks:
            pytest.skip(f"lacks {capability}: {self.lacks[capability]}")

    def assert_attributes(self, found: Attributes, expected: Attributes) -> None:
        """A store that lacks them keeps none: it invents none, either."""
        assert found == (NO_ATTRIBUTES if "attributes" in self.lacks else expected)

    def fill(self, store: Store, bucket: str, folder: str, names: Sequence[str]) -> None:
        for name in names:
            put(store, bucket, folder + name)


class KeyConformance(Fixtures):
    """A key reaches the store byte for byte, or the call raises."""

    def assert_survives(self, store: Store, bucket: str, key: str) -> None:
        data = key.encode()
        put(store, bucket, key, data)
        try:
            assert read(store, bucket, key) == data
            assert store.head(bucket, key).size == len(data)
            assert keys(store.list_page(bucket, key)) == [key]
        finally:
            store.delete(bucket, key)
        assert keys(store.list_page(bucket, key)) == []

    @pytest.mark.parametrize("key", PLAIN_KEYS)
    def test_a_key_survives_byte_for_byte(self, store: Store, bucket: str, key: str) -> None:
        self.assert_survives(store, bucket, key)

    @pytest.mark.parametrize(("capability", "key"), ODD_KEYS)
    def test_an_odd_key_survives_byte_for_byte(
        self, store: Store, bucket: str, capability: str, key: str
    ) -> None:
        self.need(capability)
        self.assert_survives(store, bucket, key)

    @pytest.mark.parametrize(("capability", "one", "other"), TWINS)
    def test_keys_that_look_alike_are_two_objects(
        self, store: Store, bucket: str, folder: str, capability: str, one: str, other: str
    ) -> None:
        self.need(capability)
        put(store, bucket, folder + one, b"one")
        put(store, bucket, folder + other, b"other")
        assert read(store, bucket, folder + one) == b"one"
        assert read(store, bucket, folder + other) == b"other"

    @pytest.mark.parametrize("key", ["x" * 1025, "币" * 342], ids=["1025", "1026"])
    def test_a_key_of_more_than_1024_bytes_is_refused(
        self, store: Store, bucket: str, key: str
    ) -> None:
        self.need("key-limit")
        with pytest.raises((KeyUnsupported, StoreError)):
            put(store, bucket, key)

    def test_a_key_that_is_refused_leaves_nothing_behind(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        """A store may refuse any of these, but it may not keep one under another name."""
        self.need("no-renaming")
        for name in ("/lead", "d//e", "./x", "x/../y", "line\nfeed", "back\\slash"):
            place = f"{folder}{name.encode().hex()}/"
            try:
                put(store, bucket, place + name)
            except LakebedError:
                assert keys(store.list_page(bucket, place)) == []
            else:
                assert keys(store.list_page(bucket, place)) == [place + name]


class ListingConformance(Fixtures):
    def test_keys_come_in_the_order_of_their_bytes(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        self.fill(store, bucket, folder, IN_ORDER[::-1])
        found = keys(store.list_page(bucket, folder))
        assert found == [folder + name for name in IN_ORDER]

    def test_keys_beyond_ascii_come_in_the_order_of_their_utf8(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        self.need("utf8-order")
        self.fill(store, bucket, folder, IN_ORDER_NON_ASCII[::-1])
        found = keys(store.list_page(bucket, folder))
        assert found == [folder + name for name in IN_ORDER_NON_ASCII]

    def test_a_folder_and_its_neighbours_come_in_the_order_of_their_bytes(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        self.need("folder-order")
        names = ["a-b", "a/b", "a/b-c", "a0"]
        self.fill(store, bucket, folder, names[::-1])
        assert keys(store.list_page(bucket, folder)) == [folder + name for name in names]

    def test_an_object_does_not_hide_those_below_its_name(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        self.need("object-and-folder")
        self.fill(store, bucket, folder, ["a", "a/b", "c"])
        found = [found.key for found in sorted_objects(store, bucket, folder)]
        assert found == [folder + name for name in ("a", "a/b", "c")]

    def test_a_sorted_listing_has_every_key_in_order(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        self.fill(store, bucket, folder, IN_ORDER_NON_ASCII)
        found = [found.key for found in sorted_objects(store, bucket, folder)]
        assert found == [folder + name for name in IN_ORDER_NON_ASCII]

    def test_small_pages_hold_each_key_once(self, store: Store, bucket: str, folder: str) -> None:
        names = [f"k{number:02}" for number in range(7)]
        self.fill(store, bucket, folder, names)
        found = list(pages(store, bucket, folder, limit=3))
        assert [len(page.objects) for page in found] == [3, 3, 1]
        assert [key for page in found for key in keys(page)] == [folder + name for name in names]

    def test_a_page_that_is_just_full_is_the_last(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        self.fill(store, bucket, folder, ["a", "b", "c"])
        found = [
            found.key for page in pages(store, bucket, folder, limit=3) for found in page.objects
        ]
        assert found == [folder + "a", folder + "b", folder + "c"]

    def test_more_keys_than_fit_in_a_page_come_as_a_stream(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        wanted = [f"{folder}{number:04}" for number in range(1001)]
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda key: put(store, bucket, key, b""), wanted))
        first = store.list_page(bucket, folder)
        assert len(first.objects) == 1000
        assert first.token is not None
        assert [found.key for found in objects(store, bucket, folder)] == wanted

    def test_pages_of_odd_keys_go_on_where_they_ended(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        names = ["a b", "a%2Fb", "a&b", "a+b", "a<b>", "a=b"]
        self.fill(store, bucket, folder, names)
        found = [key for page in pages(store, bucket, folder, limit=1) for key in keys(page)]
        assert found == [folder + name for name in sorted(names)]

    @pytest.mark.parametrize("prefix", ["p", "p+q/", "p%2F", "p q", "p&q=", "币", "p/q/r"])
    def test_a_prefix_is_opaque_text(
        self, store: Store, bucket: str, folder: str, prefix: str
    ) -> None:
        self.fill(store, bucket, folder, [prefix + "1", prefix + "2", "other", f"o/{prefix}1"])
        assert keys(store.list_page(bucket, folder + prefix)) == [
            folder + prefix + "1",
            folder + prefix + "2",
        ]

    @pytest.mark.parametrize(
        ("after", "expected"), [("b", "cd"), ("bb", "cd"), ("", "abcd"), ("d", ""), ("A", "abcd")]
    )
    def test_a_listing_begins_after_a_key(
        self, store: Store, bucket: str, folder: str, after: str, expected: str
    ) -> None:
        self.fill(store, bucket, folder, ["a", "b", "c", "d"])
        page = store.list_page(bucket, folder, after=folder + after)
        assert keys(page) == [folder + name for name in expected]

    def test_a_listing_that_begins_after_a_key_goes_on_in_pages(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        self.fill(store, bucket, folder, ["a", "b", "c", "d"])
        first = store.list_page(bucket, folder, after=folder + "a", limit=2)
        second = store.list_page(bucket, folder, after=folder + "a", token=first.token, limit=2)
        assert keys(first) + keys(second) == [folder + name for name in "bcd"]
        assert second.token is None

    def test_a_delimiter_folds_folders(self, store: Store, bucket: str, folder: str) -> None:
        self.fill(store, bucket, folder, ["a", "d/1", "d/2/3", "e/1", "z"])
        page = store.list_page(bucket, folder, delimiter="/")
        assert keys(page) == [folder + "a", folder + "z"]
        assert page.prefixes == (folder + "d/", folder + "e/")

    def test_folded_folders_come_once_across_pages(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        self.fill(store, bucket, folder, ["a", "d/1", "d/2", "e/1", "e/2", "z"])
        found = list(pages(store, bucket, folder, delimiter="/", limit=1))
        assert [key for page in found for key in keys(page)] == [folder + "a", folder + "z"]
        folded = [prefix for page in found for prefix in page.prefixes]
        assert folded == [folder + "d/", folder + "e/"]

    def test_nothing_there_is_an_empty_page(self, store: Store, bucket: str, folder: str) -> None:
        assert store.list_page(bucket, folder) == Page(())

    def test_a_missing_bucket_is_an_error(self, store: Store) -> None:
        with pytest.raises(BucketMissing):
            store.list_page("no-such-bucket-here")

    def test_a_listing_says_what_head_says(self, store: Store, bucket: str, folder: str) -> None:
        written = put(store, bucket, folder + "a", b"twelve bytes")
        (listed,) = store.list_page(bucket, folder).objects
        head = store.head(bucket, folder + "a")
        assert listed.etag == head.etag == written.etag
        assert listed.size == head.size == 12
        assert head.modified is not None
        assert abs(listed.modified - head.modified) < timedelta(seconds=2)


class ReadingConformance(Fixtures):
    def test_a_missing_object_is_an_error(self, store: Store, bucket: str, folder: str) -> None:
        with pytest.raises(ObjectMissing):
            store.head(bucket, folder + "a")
        with pytest.raises(ObjectMissing):
            read(store, bucket, folder + "a")

    def test_reading_from_a_missing_bucket_is_an_error(self, store: Store) -> None:
        with pytest.raises(BucketMissing):
            read(store, "no-such-bucket-here", "a")

    def test_a_folder_of_keys_is_no_object(self, store: Store, bucket: str, folder: str) -> None:
        self.need("no-phantom-folders")
        put(store, bucket, folder + "a/b")
        for name in ("a", "a/"):
            with pytest.raises(ObjectMissing):
                read(store, bucket, folder + name)

    def test_bytes_reach_the_sink_in_order_and_once(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        data = random_bytes(3_000_001)
        put(store, bucket, folder + "a", data)
        chunks: list[bytes] = []
        head = store.get(bucket, folder + "a", lambda chunk: chunks.append(bytes(chunk)))
        assert hashlib.sha256(b"".join(chunks)).digest() == hashlib.sha256(data).digest()
        assert all(chunks)
        assert head.size == len(data)

    @pytest.mark.parametrize(
        "span",
        [Span(0, 1), Span(0, 100), Span(99, 100), Span(10, 20), Span(1, 99)],
        ids=lambda span: f"{span.start}-{span.end}",
    )
    def test_a_span_is_these_bytes(
        self, store: Store, bucket: str, folder: str, span: Span
    ) -> None:
        data = random_bytes(100)
        written = put(store, bucket, folder + "a", data)
        chunks: list[bytes] = []
        head = store.get(bucket, folder + "a", lambda chunk: chunks.append(bytes(chunk)), span=span)
        assert b"".join(chunks) == data[span.start : span.end]
        assert (head.size, head.etag) == (100, written.etag)

    def test_a_span_behind_the_end_is_refused(self, store: Store, bucket: str, folder: str) -> None:
        put(store, bucket, folder + "a", b"0123456789")
        with pytest.raises(LakebedError):
            read(store, bucket, folder + "a", Span(10, 20))

    def test_a_read_of_the_revision_that_was_listed_succeeds(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        written = put(store, bucket, folder + "a", b"first")
        chunks: list[bytes] = []
        store.get(bucket, folder + "a", chunks.append, if_match=written.etag)
        assert b"".join(chunks) == b"first"

    @pytest.mark.parametrize("span", [None, Span(1, 3)], ids=["whole", "span"])
    def test_a_read_of_another_revision_is_refused_before_the_first_byte(
        self, store: Store, bucket: str, folder: str, span: Span | None
    ) -> None:
        listed = put(store, bucket, folder + "a", b"first")
        put(store, bucket, folder + "a", b"second")
        chunks: list[bytes] = []
        with pytest.raises(PreconditionFailed):
            store.get(bucket, folder + "a", chunks.append, span=span, if_match=listed.etag)
        assert chunks == []

    def test_an_error_of_the_sink_ends_the_read_and_comes_out(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        put(store, bucket, folder + "a", random_bytes(2_000_000))

        def refuse(chunk: bytes) -> None:
            raise Cursed

        with pytest.raises(Cursed):
            store.get(bucket, folder + "a", refuse)
        assert len(read(store, bucket, folder + "a")) == 2_000_000

    def test_an_empty_object_is_an_object(self, store: Store, bucket: str, folder: str) -> None:
        put(store, bucket, folder + "a", b"")
        assert read(store, bucket, folder + "a") == b""
        assert store.head(bucket, folder + "a").size == 0
        assert [found.size for found in store.list_page(bucket, folder).objects] == [0]

    def test_a_modification_time_knows_its_zone(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        put(store, bucket, folder + "a")
        (listed,) = store.list_page(bucket, folder).objects
        head = store.head(bucket, folder + "a")
        assert listed.modified.tzinfo is not None
        assert head.modified is not None
        assert head.modified.tzinfo is not None


class WritingConformance(Fixtures):
    def test_a_put_answers_with_the_etag_of_what_is_there(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        written = put(store, bucket, folder + "a")
        assert written.etag
        assert store.head(bucket, folder + "a").etag == written.etag

    def test_the_etag_of_a_put_is_its_md5(self, store: Store, bucket: str, folder: str) -> None:
        self.need("md5-etags")
        data = random_bytes(70_000)
        written = put(store, bucket, folder + "a", data)
        assert written.etag == hashlib.md5(data, usedforsecurity=False).hexdigest()

    def test_a_put_replaces_the_whole_object(self, store: Store, bucket: str, folder: str) -> None:
        first = Attributes(headers={"content-type": "text/csv"}, metadata={"one": "1"})
        store.put(bucket, folder + "a", Buffer((b"a longer body",)), attributes=first)
        second = Attributes(headers={"content-type": "text/plain"}, metadata={"two": "2"})
        store.put(bucket, folder + "a", Buffer((b"short",)), attributes=second)
        assert read(store, bucket, folder + "a") == b"short"
        attributes = store.head(bucket, folder + "a").attributes
        if "attributes" not in self.lacks:
            assert attributes.headers["content-type"] == "text/plain"
            assert attributes.metadata == {"two": "2"}

    def test_a_body_of_many_chunks_is_one_object(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        data = random_bytes(6_000_000)
        sizes = (1, 100_000, 65_536, 3_000_000)
        cuts = [0, *(sum(sizes[: number + 1]) for number in range(len(sizes))), len(data)]
        pieces = [data[cuts[at] : cuts[at + 1]] for at in range(len(cuts) - 1)]
        store.put(bucket, folder + "a", Buffer(pieces))
        assert hashlib.sha256(read(store, bucket, folder + "a")).digest() == (
            hashlib.sha256(data).digest()
        )

    def test_a_put_into_a_missing_bucket_is_an_error(self, store: Store) -> None:
        with pytest.raises(BucketMissing):
            put(store, "no-such-bucket-here", "a")

    def test_a_body_that_fails_leaves_nothing_and_its_error_comes_out(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        with pytest.raises(Cursed):
            store.put(bucket, folder + "a", Broken(Cursed()))
        with pytest.raises(ObjectMissing):
            store.head(bucket, folder + "a")

    def test_a_body_that_fails_leaves_the_earlier_object(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        put(store, bucket, folder + "a", b"earlier")
        with pytest.raises(Cursed):
            store.put(bucket, folder + "a", Broken(Cursed()))
        assert read(store, bucket, folder + "a") == b"earlier"

    def test_a_conditional_put_writes_where_nothing_is(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        store.put(bucket, folder + "a", Buffer((b"first",)), write=Write.IF_ABSENT)
        assert read(store, bucket, folder + "a") == b"first"

    def test_a_conditional_put_never_overwrites(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        self.need("if-none-match")
        put(store, bucket, folder + "a", b"first")
        with pytest.raises(PreconditionFailed):
            store.put(bucket, folder + "a", Buffer((b"second",)), write=Write.IF_ABSENT)
        assert read(store, bucket, folder + "a") == b"first"

    def test_the_right_digest_is_taken(self, store: Store, bucket: str, folder: str) -> None:
        data = random_bytes(70_000)
        digest = hashlib.sha256(data).hexdigest()
        written = store.put(bucket, folder + "a", Buffer((data,)), sha256=digest)
        assert written.sha256 in (digest, None)
        assert store.head(bucket, folder + "a").sha256 in (digest, None)
        assert read(store, bucket, folder + "a") == data

    def test_other_bytes_than_the_digest_names_are_refused(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        self.need("sha256")
        put(store, bucket, folder + "a", b"earlier")
        wrong = hashlib.sha256(b"others").hexdigest()
        for name in ("a", "b"):
            with pytest.raises(ChecksumRefused):
                store.put(bucket, folder + name, Buffer((b"these",)), sha256=wrong)
        assert read(store, bucket, folder + "a") == b"earlier"
        assert keys(store.list_page(bucket, folder)) == [folder + "a"]

    def test_standard_headers_travel_with_the_object(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        self.need("attributes")
        headers = {
            "content-type": "application/zip",
            "content-encoding": "gzip",
            "content-language": "en",
            "content-disposition": 'attachment; filename="a.zip"',
            "cache-control": "max-age=60",
        }
        attributes = Attributes(headers=headers)
        store.put(bucket, folder + "a", Buffer((b"a",)), attributes=attributes)
        assert store.head(bucket, folder + "a").attributes.headers == headers

    def test_metadata_travels_with_the_object(self, store: Store, bucket: str, folder: str) -> None:
        self.need("attributes")
        metadata = {"origin": "binance", "with-dashes": "a value; with, signs = and spaces"}
        attributes = Attributes(metadata=metadata)
        store.put(bucket, folder + "a", Buffer((b"a",)), attributes=attributes)
        assert store.head(bucket, folder + "a").attributes.metadata == metadata
        heads: list[Head] = [store.get(bucket, folder + "a", lambda chunk: None)]
        assert heads[0].attributes.metadata == metadata

    def test_metadata_beyond_ascii_travels_with_the_object(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        self.need("non-ascii-metadata")
        attributes = Attributes(metadata={"symbol": "币安人生USDT"})
        store.put(bucket, folder + "a", Buffer((b"a",)), attributes=attributes)
        assert store.head(bucket, folder + "a").attributes.metadata == attributes.metadata

    def test_tags_travel_with_the_object(self, store: Store, bucket: str, folder: str) -> None:
        self.need("tags")
        tags = {"layer": "bronze", "a key": "a+b/c=d: 100 @ %"[:15]}
        store.put(bucket, folder + "a", Buffer((b"a",)), attributes=Attributes(tags=tags))
        assert store.tags(bucket, folder + "a") == tags
        assert store.head(bucket, folder + "a").tagged
        assert store.get(bucket, folder + "a", lambda _: None).tagged

    def test_an_object_without_tags_has_none(self, store: Store, bucket: str, folder: str) -> None:
        self.need("tags")
        put(store, bucket, folder + "a")
        assert store.tags(bucket, folder + "a") == {}
        assert not store.head(bucket, folder + "a").tagged

    def test_many_objects_arrive_by_one_request_with_what_travels_with_them(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        self.need("unpack")
        metadata = {"origin": "binance", "with-dashes": "a value; with, signs = and spaces"}
        attributes = Attributes({"content-type": "application/x-klines"}, metadata)
        names = [name for name in PLAIN_KEYS if not name.endswith("/")]
        members = [
            Member(folder + name, (name.encode() * size,), attributes)
            for size, name in enumerate(names)
        ]
        store.put_many(bucket, members)
        for size, name in enumerate(names):
            assert read(store, bucket, folder + name) == name.encode() * size
            kept = store.head(bucket, folder + name).attributes
            assert (kept.headers["content-type"], kept.metadata) == (
                "application/x-klines",
                metadata,
            )

    def test_many_objects_replace_what_is_there(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        self.need("unpack")
        put(store, bucket, folder + "a")
        store.put_many(bucket, [Member(folder + "a", (b"new",)), Member(folder + "b", (b"b",))])
        assert read(store, bucket, folder + "a") == b"new"
        assert keys(store.list_page(bucket, folder)) == [folder + "a", folder + "b"]

    def test_a_deleted_object_is_gone(self, store: Store, bucket: str, folder: str) -> None:
        put(store, bucket, folder + "a")
        store.delete(bucket, folder + "a")
        with pytest.raises(ObjectMissing):
            store.head(bucket, folder + "a")
        assert keys(store.list_page(bucket, folder)) == []

    def test_deleting_what_is_missing_is_no_error(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        store.delete(bucket, folder + "a")
        store.delete(bucket, folder + "a")
        assert keys(store.list_page(bucket, folder)) == []

    def test_deleting_one_key_leaves_its_neighbours(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        self.need("object-as-folder")
        self.fill(store, bucket, folder, ["a", "a/b", "aa"])
        store.delete(bucket, folder + "a")
        assert keys(store.list_page(bucket, folder)) == [folder + "a/b", folder + "aa"]

    def test_many_threads_may_use_one_store(self, store: Store, bucket: str, folder: str) -> None:
        def there_and_back(number: int) -> bytes:
            key = f"{folder}{number:02}"
            put(store, bucket, key, key.encode() * 1000)
            return read(store, bucket, key)

        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(there_and_back, range(32)))
        assert found == [f"{folder}{number:02}".encode() * 1000 for number in range(32)]


class MultipartConformance(Fixtures):
    def upload(
        self,
        store: Store,
        bucket: str,
        key: str,
        bodies: Sequence[bytes],
        attributes: Attributes = NO_ATTRIBUTES,
    ) -> tuple[str, list[Part]]:
        """The upload id and the parts, sent last first."""
        upload_id = store.create_upload(bucket, key, attributes)
        parts = [
            store.upload_part(bucket, key, upload_id, number, Buffer((body,)))
            for number, body in reversed(list(enumerate(bodies, 1)))
        ]
        return upload_id, parts[::-1]

    def test_two_parts_make_one_object(self, store: Store, bucket: str, folder: str) -> None:
        data = random_bytes(PART + 1000)
        attributes = Attributes(
            headers={"content-type": "application/zip"}, metadata={"origin": "binance"}
        )
        key = folder + "a"
        bodies = (data[:PART], data[PART:])
        upload_id, parts = self.upload(store, bucket, key, bodies, attributes)
        assert [(part.number, part.size) for part in parts] == [(1, PART), (2, 1000)]
        written = store.complete_upload(bucket, key, upload_id, parts)
        head = store.head(bucket, key)
        assert head.size == len(data)
        assert head.etag == written.etag
        self.assert_attributes(head.attributes, attributes)
        assert read(store, bucket, key) == data

    def test_the_etag_of_parts_is_the_md5_of_their_md5s(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        self.need("multipart-etags")
        data = random_bytes(PART + 1000)
        key = folder + "a"
        upload_id, parts = self.upload(store, bucket, key, (data[:PART], data[PART:]))
        written = store.complete_upload(bucket, key, upload_id, parts)
        md5s = [hashlib.md5(half, usedforsecurity=False) for half in (data[:PART], data[PART:])]
        assert [part.etag for part in parts] == [md5.hexdigest() for md5 in md5s]
        joined = b"".join(md5.digest() for md5 in md5s)
        assert written.etag == f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-2"
        (listed,) = store.list_page(bucket, key).objects
        assert listed.etag == written.etag
        assert listed.md5 is None

    def test_one_small_part_is_enough(self, store: Store, bucket: str, folder: str) -> None:
        upload_id, parts = self.upload(store, bucket, folder + "a", [b"small"])
        store.complete_upload(bucket, folder + "a", upload_id, parts)
        assert read(store, bucket, folder + "a") == b"small"

    def test_an_upload_shows_only_when_complete(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        key = folder + "a"
        put(store, bucket, key, b"earlier")
        upload_id, parts = self.upload(store, bucket, key, [b"later"])
        assert read(store, bucket, key) == b"earlier"
        assert keys(store.list_page(bucket, folder)) == [key]
        store.complete_upload(bucket, key, upload_id, parts)
        assert read(store, bucket, key) == b"later"

    def test_an_aborted_upload_leaves_nothing(self, store: Store, bucket: str, folder: str) -> None:
        upload_id, parts = self.upload(store, bucket, folder + "a", [b"small"])
        store.abort_upload(bucket, folder + "a", upload_id)
        with pytest.raises(StoreError):
            store.complete_upload(bucket, folder + "a", upload_id, parts)
        assert keys(store.list_page(bucket, folder)) == []

    def test_an_upload_is_aborted_twice_without_error(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        upload_id, _ = self.upload(store, bucket, folder + "a", [b"small"])
        store.abort_upload(bucket, folder + "a", upload_id)
        store.abort_upload(bucket, folder + "a", upload_id)
        assert keys(store.list_page(bucket, folder)) == []

    def test_a_part_that_was_never_sent_is_refused(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        upload_id, parts = self.upload(store, bucket, folder + "a", [b"small"])
        with pytest.raises(StoreError):
            store.complete_upload(
                bucket, folder + "a", upload_id, [*parts, Part(2, parts[0].etag, 5)]
            )
        assert keys(store.list_page(bucket, folder)) == []
        store.abort_upload(bucket, folder + "a", upload_id)

    def test_a_part_of_another_etag_is_refused(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        self.need("part-etags")
        upload_id, _ = self.upload(store, bucket, folder + "a", [b"small"])
        with pytest.raises(StoreError):
            store.complete_upload(bucket, folder + "a", upload_id, [Part(1, "0" * 32, 5)])
        assert keys(store.list_page(bucket, folder)) == []
        store.abort_upload(bucket, folder + "a", upload_id)

    def test_a_part_sent_again_replaces_the_first(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        key = folder + "a"
        upload_id, _ = self.upload(store, bucket, key, [b"first"])
        part = store.upload_part(bucket, key, upload_id, 1, Buffer((b"second",)))
        store.complete_upload(bucket, key, upload_id, [part])
        assert read(store, bucket, key) == b"second"

    def test_two_uploads_of_one_key_do_not_mix(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        key = folder + "a"
        one, one_parts = self.upload(store, bucket, key, [b"one"])
        other, other_parts = self.upload(store, bucket, key, [b"other"])
        assert one != other
        store.complete_upload(bucket, key, other, other_parts)
        assert read(store, bucket, key) == b"other"
        store.complete_upload(bucket, key, one, one_parts)
        assert read(store, bucket, key) == b"one"

    def test_a_part_may_be_a_span_of_another_object(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        self.need("part-copy")
        data = random_bytes(PART + 1000)
        source, key = folder + "source +%2F é", folder + "a"
        etag = put(store, bucket, source, data).etag
        upload_id = store.create_upload(bucket, key)
        spans = (Span(0, PART), Span(PART, PART + 500))
        parts = [
            store.copy_part(
                bucket, source, bucket, key, upload_id, number, span=span, if_match=etag
            )
            for number, span in enumerate(spans, 1)
        ]
        assert [part.size for part in parts] == [PART, 500]
        store.complete_upload(bucket, key, upload_id, parts)
        assert read(store, bucket, key) == data[: PART + 500]

    def test_a_span_of_another_revision_is_no_part(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        self.need("part-copy")
        self.need("part-copy-if-match")
        put(store, bucket, folder + "source", b"second")
        upload_id = store.create_upload(bucket, folder + "a")
        with pytest.raises(PreconditionFailed):
            store.copy_part(
                bucket,
                folder + "source",
                bucket,
                folder + "a",
                upload_id,
                1,
                span=Span(0, 3),
                if_match="0" * 32,
            )
        store.abort_upload(bucket, folder + "a", upload_id)


class UploadConformance(Fixtures):
    """What is begun and not complete can be listed, and taken up again."""

    def test_an_upload_lists_the_parts_that_it_holds(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        self.need("list-parts")
        key = folder + "a+b é"
        upload_id = store.create_upload(bucket, key)
        assert store.list_parts(bucket, key, upload_id) == []
        sent = [
            store.upload_part(bucket, key, upload_id, number, Buffer((bytes(size),)))
            for number, size in ((3, 1000), (1, PART))
        ]
        assert store.list_parts(bucket, key, upload_id) == sent[::-1]
        store.abort_upload(bucket, key, upload_id)

    def test_a_part_sent_again_is_listed_once(self, store: Store, bucket: str, folder: str) -> None:
        self.need("list-parts")
        self.need("one-of-each-part")
        key = folder + "a"
        upload_id = store.create_upload(bucket, key)
        store.upload_part(bucket, key, upload_id, 1, Buffer((b"first",)))
        again = store.upload_part(bucket, key, upload_id, 1, Buffer((b"second",)))
        assert store.list_parts(bucket, key, upload_id) == [again]
        store.abort_upload(bucket, key, upload_id)

    @pytest.mark.parametrize("end", ["completed", "aborted"])
    def test_an_upload_that_ended_is_missing_and_not_listed(
        self, store: Store, bucket: str, folder: str, end: str
    ) -> None:
        self.need("list-parts")
        key = folder + "a"
        upload_id = store.create_upload(bucket, key)
        part = store.upload_part(bucket, key, upload_id, 1, Buffer((b"small",)))
        if end == "completed":
            store.complete_upload(bucket, key, upload_id, [part])
        else:
            store.abort_upload(bucket, key, upload_id)
        with pytest.raises(ObjectMissing):
            store.list_parts(bucket, key, upload_id)
        with pytest.raises(ObjectMissing):
            store.upload_part(bucket, key, upload_id, 2, Buffer((b"small",)))
        assert store.list_uploads(bucket, key) == []

    @pytest.mark.parametrize("name", ["a", "a+b %2F?é'\"&", "币安人生USDT"])
    def test_the_uploads_of_one_key_are_listed_and_no_others(
        self, store: Store, bucket: str, folder: str, name: str
    ) -> None:
        self.need("list-uploads")
        key = folder + name
        ours = {store.create_upload(bucket, key) for _ in range(2)}
        other = store.create_upload(bucket, key + "b")
        found = store.list_uploads(bucket, key)
        assert {(upload.key, upload.upload_id) for upload in found} == {(key, one) for one in ours}
        now = datetime.now(UTC)
        assert all(abs(now - upload.initiated) < timedelta(minutes=15) for upload in found)
        for upload_id in ours:
            store.abort_upload(bucket, key, upload_id)
        store.abort_upload(bucket, key + "b", other)
        assert store.list_uploads(bucket, key) == []

    @pytest.mark.parametrize("algorithm", Algorithm)
    def test_parts_and_the_whole_are_held_against_their_checksums(
        self, store: Store, bucket: str, folder: str, algorithm: Algorithm
    ) -> None:
        self.need("checksums")
        key, data = folder + "a", random_bytes(PART + 1000)
        halves = (data[:PART], data[PART:])
        upload_id = store.create_upload(bucket, key, algorithm=algorithm)
        one, two = (Checksum.of(algorithm, half) for half in halves)
        whole = one.then(two, len(halves[1]))
        assert whole == Checksum.of(algorithm, data)
        with pytest.raises((ChecksumRefused, RequestRefused)):
            store.upload_part(bucket, key, upload_id, 1, Buffer((halves[0],)), checksum=two)
        parts = [
            store.upload_part(bucket, key, upload_id, number, Buffer((half,)), checksum=checksum)
            for number, half, checksum in zip((1, 2), halves, (one, two), strict=True)
        ]
        with pytest.raises((ChecksumRefused, RequestRefused)):
            store.complete_upload(bucket, key, upload_id, parts, checksum=one)
        store.complete_upload(bucket, key, upload_id, parts, checksum=whole)
        assert store.head(bucket, key).checksum == whole
        assert read(store, bucket, key) == data


class CopyConformance(Fixtures):
    ATTRIBUTES = Attributes(
        headers={"content-type": "application/zip"}, metadata={"origin": "binance"}
    )

    def put_source(self, store: Store, bucket: str, key: str) -> str:
        return store.put(bucket, key, Buffer((b"source",)), attributes=self.ATTRIBUTES).etag

    @pytest.mark.parametrize("name", ["plain", "a+b %2F?é'\"&", "币安人生USDT"])
    def test_a_copy_has_the_bytes_and_attributes_of_its_source(
        self, store: Store, bucket: str, folder: str, name: str
    ) -> None:
        etag = self.put_source(store, bucket, folder + name)
        written = store.copy(bucket, folder + name, bucket, folder + "copy", if_match=etag)
        head = store.head(bucket, folder + "copy")
        assert read(store, bucket, folder + "copy") == b"source"
        assert head.etag == written.etag
        self.assert_attributes(head.attributes, self.ATTRIBUTES)

    def test_a_copy_may_go_to_another_bucket(self, store: Store, bucket: str, folder: str) -> None:
        store.create_bucket("conformance-other")
        etag = self.put_source(store, bucket, folder + "a")
        store.copy(bucket, folder + "a", "conformance-other", folder + "a", if_match=etag)
        assert read(store, "conformance-other", folder + "a") == b"source"

    def test_a_copy_may_take_other_attributes(self, store: Store, bucket: str, folder: str) -> None:
        etag = self.put_source(store, bucket, folder + "a")
        others = Attributes(headers={"content-type": "text/csv"}, metadata={"layer": "bronze"})
        store.copy(bucket, folder + "a", bucket, folder + "copy", if_match=etag, attributes=others)
        self.assert_attributes(store.head(bucket, folder + "copy").attributes, others)

    def test_many_objects_are_copied_at_once_with_what_travels_with_them(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        self.need("copy-many")
        names = [name for name in PLAIN_KEYS if not name.endswith("/")]
        attributes = Attributes({"content-type": "application/x-klines"}, {"origin": "binance"})
        for name in names:
            body = Buffer((name.encode(),))
            store.put(bucket, folder + name, body, attributes=attributes)
        copies = [Copying(folder + name, folder + "copy/" + name) for name in names]
        copied = store.copy_many(bucket, bucket, copies)
        assert copied <= {one.key for one in copies}
        assert len(copied) >= len(names) - 2  # it cannot speak of every key
        for key in copied:
            assert read(store, bucket, key) == key.removeprefix(folder + "copy/").encode()
            assert store.head(bucket, key).attributes.metadata == {"origin": "binance"}

    def test_a_copy_of_many_does_not_claim_what_is_missing(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        self.need("copy-many")
        put(store, bucket, folder + "a")
        copies = [Copying(folder + name, folder + "copy/" + name) for name in ("a", "missing")]
        assert store.copy_many(bucket, bucket, copies) == {folder + "copy/a"}

    def test_another_revision_is_not_copied(self, store: Store, bucket: str, folder: str) -> None:
        self.need("copy-if-match")
        etag = self.put_source(store, bucket, folder + "a")
        put(store, bucket, folder + "a", b"replaced")
        with pytest.raises(PreconditionFailed):
            store.copy(bucket, folder + "a", bucket, folder + "copy", if_match=etag)
        assert keys(store.list_page(bucket, folder)) == [folder + "a"]

    def test_a_missing_source_is_an_error(self, store: Store, bucket: str, folder: str) -> None:
        with pytest.raises(ObjectMissing):
            store.copy(bucket, folder + "a", bucket, folder + "copy", if_match="0" * 32)
        assert keys(store.list_page(bucket, folder)) == []


class BucketConformance(Fixtures):
    def test_a_created_bucket_is_listed(self, store: Store, bucket: str) -> None:
        assert bucket in store.buckets()

    def test_a_bucket_is_created_twice_without_error_and_keeps_its_objects(
        self, store: Store, bucket: str, folder: str
    ) -> None:
        put(store, bucket, folder + "a")
        store.create_bucket(bucket)
        assert read(store, bucket, folder + "a") == b"data"

    def test_a_new_bucket_is_not_versioned(self, store: Store, bucket: str) -> None:
        self.need("versioning")
        assert store.is_versioned(bucket) is False

    def test_a_store_has_a_name_and_an_identity(self, store: Store) -> None:
        assert store.name
        assert store.properties.identity


class StoreConformance(
    KeyConformance,
    ListingConformance,
    ReadingConformance,
    WritingConformance,
    MultipartConformance,
    UploadConformance,
    CopyConformance,
    BucketConformance,
):
    """All of the contract."""
