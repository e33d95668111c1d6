"""The contract on scripted answers: a store that answers 200 and means something else."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from lakebed import errors
from lakebed.errors import LakebedError
from lakebed.model.objects import Attributes, Head, Part, Span, Write, Written
from lakebed.store.contract import Buffer, Page
from lakebed.store.s3.store import S3Store
from tests.store.wire import Exchange, Wire, error, open_wire, raw, reply

BODY = Buffer((b"0123456789",))
SHA256 = hashlib.sha256(b"0123456789").hexdigest()
BASE64 = base64.b64encode(bytes.fromhex(SHA256)).decode()
HTML = reply(200, b"<html><head/></html>")
PARTS = (Part(1, "one", 5), Part(2, "two", 5))
ODD_KEYS = ["", "\ud800", "x" * 1025, "币" * 342]


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire() as listening:
        yield listening


@pytest.fixture
def store(wire: Wire) -> Iterator[S3Store]:
    with closing(open_wire(wire)) as opened:
        yield opened


class Taken:
    """A sink, and a get into it."""

    def __init__(self, store: S3Store) -> None:
        self._store = store
        self._pieces: list[bytes] = []

    def get(self, span: Span | None = None, if_match: str | None = None) -> Head:
        return self._store.get("bucket", "key", self._pieces.append, span=span, if_match=if_match)

    @property
    def data(self) -> bytes:
        return b"".join(self._pieces)


def put(store: S3Store) -> Written:
    return store.put("bucket", "key", BODY)


def copy(store: S3Store) -> Written:
    return store.copy("other", "a b/币", "bucket", "key", if_match="tag")


def copy_part(store: S3Store) -> Part:
    return store.copy_part("other", "a", "bucket", "key", "id", 2, span=Span(5, 9), if_match="tag")


def upload_part(store: S3Store) -> Part:
    return store.upload_part("bucket", "key", "id", 2, BODY)


def complete(store: S3Store) -> Written:
    return store.complete_upload("bucket", "key", "id", PARTS)


def create(store: S3Store) -> str:
    return store.create_upload("bucket", "key")


def listing(store: S3Store) -> Page:
    return store.list_page("bucket", "prefix/")


def tags(store: S3Store) -> dict[str, str]:
    return store.tags("bucket", "key")


def head(store: S3Store) -> Head:
    return store.head("bucket", "key")


Call = Callable[[S3Store], object]


# --- reading -------------------------------------------------------------------------------------


def test_a_head_says_what_the_store_says(wire: Wire, store: S3Store) -> None:
    headers = {
        "ETag": '"tag"',
        "Last-Modified": "Fri, 08 May 2026 12:30:15 GMT",
        "Content-Type": "text/csv",
        "Cache-Control": "no-store",
        "X-Amz-Meta-Note": "币",
        "x-amz-checksum-sha256": BASE64,
        "x-amz-request-id": "1",
    }
    wire.play(reply(200, b"", headers, length=10))
    found = head(store)
    assert found == Head(
        size=10,
        etag="tag",
        modified=datetime(2026, 5, 8, 12, 30, 15, tzinfo=UTC),
        attributes=Attributes(
            {"content-type": "text/csv", "cache-control": "no-store"}, {"note": "币"}
        ),
        sha256=SHA256,
    )
    assert wire.seen[0].headers["x-amz-checksum-mode"] == "ENABLED"


def test_a_multipart_checksum_is_not_the_objects(wire: Wire, store: S3Store) -> None:
    wire.play(reply(200, b"", {"x-amz-checksum-sha256": f"{BASE64}-2"}))
    assert head(store).sha256 is None


@pytest.mark.parametrize("said", ["", "%%%", "QQ==", "é"])
def test_a_checksum_that_is_none_is_not_believed(wire: Wire, store: S3Store, said: str) -> None:
    wire.play(reply(200, b"", {"ETag": "tag", "x-amz-checksum-sha256": said}))
    assert put(store).sha256 is None


@pytest.mark.parametrize("said", ["", "yesterday", "Fri, 99 May 2026 12:30:15 GMT"])
def test_a_time_that_is_none_is_unknown(wire: Wire, store: S3Store, said: str) -> None:
    wire.play(reply(200, b"", {"Last-Modified": said}))
    assert head(store).modified is None


def test_a_time_of_no_zone_is_in_utc(wire: Wire, store: S3Store) -> None:
    wire.play(reply(200, b"", {"Last-Modified": "Fri, 08 May 2026 12:30:15 -0000"}))
    assert head(store).modified == datetime(2026, 5, 8, 12, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, errors.RequestRefused),
        (400, errors.RequestRefused),
        (403, errors.AccessDenied),
        (404, errors.ObjectMissing),
        (412, errors.PreconditionFailed),
        (503, errors.Throttled),
    ],
)
def test_a_head_that_is_refused_is_known_by_its_status(
    wire: Wire, store: S3Store, status: int, kind: type[LakebedError]
) -> None:
    wire.play(reply(status, b"", {"x-amz-bucket-region": "eu-west-1"}, length=200))
    with pytest.raises(kind, match="lake:bucket/key") as caught:
        head(store)
    assert ("eu-west-1" in caught.value.advice) == (status in (301, 400))


def test_a_span_is_asked_for_and_given(wire: Wire, store: S3Store) -> None:
    taken = Taken(store)
    wire.play(reply(206, b"234", {"ETag": '"tag"', "Content-Range": "bytes 2-4/10"}))
    found = taken.get(Span(2, 5), if_match="tag")
    assert taken.data == b"234"
    assert (found.size, found.etag) == (10, "tag")
    assert wire.seen[0].headers["range"] == "bytes=2-4"
    assert wire.seen[0].headers["if-match"] == '"tag"'


@pytest.mark.parametrize("close", [False, True], ids=["kept", "closed"])
def test_a_span_is_cut_out_of_the_whole_object(wire: Wire, store: S3Store, close: bool) -> None:
    taken = Taken(store)
    wire.play(reply(200, b"0123456789", {"ETag": '"tag"'}, close=close))
    taken.get(Span(2, 5))
    assert taken.data == b"234"


def test_a_span_is_cut_out_of_a_large_object_which_is_not_read_on(
    wire: Wire, store: S3Store
) -> None:
    def endless(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nETag: tag\r\nContent-Length: 1099511627776\r\n\r\n")
        while True:
            exchange.send(b"0123456789" * 1000)

    taken = Taken(store)
    wire.play(endless)
    assert taken.get(Span(500_002, 500_005)).etag == "tag"
    assert taken.data == b"234"


@pytest.mark.parametrize("given", ["bytes 3-5/10", "bytes 2-9/10", "bytes 2-3/10", "2-4", ""])
def test_another_range_than_was_asked_for_is_refused(
    wire: Wire, store: S3Store, given: str
) -> None:
    taken = Taken(store)
    wire.play(reply(206, b"345", {"Content-Range": given}))
    with pytest.raises(errors.RequestRefused, match="asked for bytes 2-4, the store gave"):
        taken.get(Span(2, 5))
    assert taken.data == b""


def test_a_whole_object_that_ends_inside_the_span_is_an_error(wire: Wire, store: S3Store) -> None:
    wire.play(reply(200, b"0123"))
    with pytest.raises(errors.BodyTruncated, match="1 bytes of the range did not come"):
        Taken(store).get(Span(2, 5))


def test_a_range_with_fewer_bytes_than_it_says_is_an_error(wire: Wire, store: S3Store) -> None:
    wire.play(reply(206, b"23", {"Content-Range": "bytes 2-4/10"}))
    with pytest.raises(errors.BodyTruncated):
        Taken(store).get(Span(2, 5))


@pytest.mark.parametrize("etag", ['"other"', ""])
def test_another_revision_is_refused_before_its_first_byte(
    wire: Wire, store: S3Store, etag: str
) -> None:
    taken = Taken(store)
    wire.play(reply(200, b"0123456789", {"ETag": etag}))
    with pytest.raises(errors.PreconditionFailed, match=r"lake:bucket/key: .* not tag"):
        taken.get(if_match="tag")
    assert taken.data == b""


def test_another_revision_of_an_empty_object_is_refused(wire: Wire, store: S3Store) -> None:
    wire.play(reply(200, b"", {"ETag": '"other"'}))
    with pytest.raises(errors.PreconditionFailed):
        Taken(store).get(if_match="tag")


def test_a_store_that_knows_if_match_refuses_by_itself(wire: Wire, store: S3Store) -> None:
    taken = Taken(store)
    wire.play(error(412, "PreconditionFailed"))
    with pytest.raises(errors.PreconditionFailed):
        taken.get(if_match="tag")
    assert taken.data == b""


def test_an_error_document_never_reaches_the_sink(wire: Wire, store: S3Store) -> None:
    taken = Taken(store)
    wire.play(error(404, "NoSuchKey"))
    with pytest.raises(errors.ObjectMissing):
        taken.get()
    assert taken.data == b""


def test_an_error_of_the_sink_comes_out(wire: Wire, store: S3Store) -> None:
    def full(data: bytes) -> None:
        raise errors.DiskFull("no room")

    wire.play(reply(200, b"0123456789"))
    with pytest.raises(errors.DiskFull, match="no room"):
        store.get("bucket", "key", full)


# --- errors, by what the store said --------------------------------------------------------------


def test_a_wrong_region_is_named(wire: Wire, store: S3Store) -> None:
    content = (
        b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region>"
        b"<Message>the region 'us-east-1' is wrong</Message></Error>"
    )
    wire.play(reply(400, content))
    with pytest.raises(errors.CredentialsRefused, match='set region = "eu-west-1"'):
        listing(store)


def test_a_redirect_is_not_followed_and_names_the_region(wire: Wire, store: S3Store) -> None:
    wire.play(reply(301, b"", {"Location": wire.url, "x-amz-bucket-region": "eu-west-1"}))
    with pytest.raises(errors.RequestRefused, match='set region = "eu-west-1"'):
        put(store)
    assert len(wire.seen) == 1


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "RequestTimeTooSkewed", errors.ClockSkew),
        (503, "SlowDown", errors.Throttled),
        (404, "NoSuchBucket", errors.BucketMissing),
    ],
)
def test_a_refusal_is_known_by_its_code(
    wire: Wire, store: S3Store, status: int, code: str, kind: type[LakebedError]
) -> None:
    wire.play(error(status, code))
    with pytest.raises(kind, match=code):
        put(store)


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_fault_without_a_document_is_the_stores(wire: Wire, store: S3Store, status: int) -> None:
    wire.play(reply(status, b"<html>Bad gateway</html>"))
    with pytest.raises(errors.StoreFault, match=f"answered {status}"):
        listing(store)


def test_the_pause_that_a_store_asks_for_is_seen(wire: Wire, store: S3Store) -> None:
    wire.play(error(503, "SlowDown", {"Retry-After": "7"}))
    with pytest.raises(errors.Throttled) as caught:
        put(store)
    assert caught.value.retry_after == 7.0


# --- what answers 200 and is none ----------------------------------------------------------------


def test_a_web_page_is_no_listing(wire: Wire, store: S3Store) -> None:
    wire.play(HTML)
    with pytest.raises(errors.ListingRefused, match="lake:bucket/prefix/"):
        listing(store)


@pytest.mark.parametrize(
    "call", [put, upload_part, copy, copy_part, create, complete, tags, S3Store.buckets]
)
@pytest.mark.parametrize("content", [b"<html><head/></html>", b"<html><br>", b""])
def test_a_web_page_is_no_answer(wire: Wire, store: S3Store, call: Call, content: bytes) -> None:
    wire.play(reply(200, content))
    with pytest.raises(errors.StoreFault, match=r"^lake"):
        call(store)


@pytest.mark.parametrize("call", [put, upload_part, copy, copy_part, create, complete])
def test_an_error_inside_a_success_is_an_error(wire: Wire, store: S3Store, call: Call) -> None:
    content = b'<?xml version="1.0"?>\n  <Error><Code>InternalError</Code></Error>'
    wire.play(reply(200, content))
    with pytest.raises(errors.StoreFault, match="InternalError"):
        call(store)


@pytest.mark.parametrize(
    ("call", "root"),
    [
        (copy, "CopyObjectResult"),
        (copy_part, "CopyPartResult"),
        (complete, "CompleteMultipartUploadResult"),
        (create, "InitiateMultipartUploadResult"),
    ],
)
def test_an_answer_without_its_one_word_is_an_error(
    wire: Wire, store: S3Store, call: Call, root: str
) -> None:
    wire.play(reply(200, f"<{root}/>".encode()))
    with pytest.raises(errors.StoreFault, match=r"lake:bucket/key: .* no (ETag|UploadId)"):
        call(store)


# --- writing -------------------------------------------------------------------------------------


def test_a_put_sends_its_digest_and_its_condition(wire: Wire, store: S3Store) -> None:
    wire.play(reply(200, b"", {"ETag": '"tag"', "x-amz-checksum-sha256": BASE64}))
    written = store.put("bucket", "key", BODY, sha256=SHA256, write=Write.IF_ABSENT)
    assert written == Written("tag", SHA256)
    assert wire.seen[0].headers["x-amz-checksum-sha256"] == BASE64
    assert wire.seen[0].headers["if-none-match"] == "*"
    assert wire.bodies[0] == b"0123456789"


def test_a_put_without_an_etag_is_not_believed(wire: Wire, store: S3Store) -> None:
    wire.play(reply(200))
    with pytest.raises(errors.StoreFault):
        put(store)


def test_a_copy_names_its_source_and_revision(wire: Wire, store: S3Store) -> None:
    wire.play(reply(200, b'<CopyObjectResult><ETag>"new"</ETag></CopyObjectResult>'))
    assert copy(store) == Written("new")
    headers = wire.seen[0].headers
    assert headers["x-amz-copy-source"] == "/other/a%20b/%E5%B8%81"
    assert headers["x-amz-copy-source-if-match"] == '"tag"'
    assert "x-amz-metadata-directive" not in headers
    assert headers["content-length"] == "0"


def test_a_copy_may_replace_attributes(wire: Wire, store: S3Store) -> None:
    wire.play(reply(200, b"<CopyObjectResult><ETag>new</ETag></CopyObjectResult>"))
    attributes = Attributes({"content-type": "text/csv"})
    store.copy("other", "a", "bucket", "key", if_match="tag", attributes=attributes)
    assert wire.seen[0].headers["x-amz-metadata-directive"] == "REPLACE"
    assert wire.seen[0].headers["content-type"] == "text/csv"


def test_a_deletion_is_one_request(wire: Wire, store: S3Store) -> None:
    wire.play(raw(b"HTTP/1.1 204 No Content\r\n\r\n", close=False))
    store.delete("bucket", "key")
    assert (wire.seen[0].method, wire.seen[0].target) == ("DELETE", "/bucket/key")


@pytest.mark.parametrize("key", ODD_KEYS, ids=["empty", "surrogate", "1025", "1026"])
def test_a_key_that_cannot_be_is_never_sent(wire: Wire, store: S3Store, key: str) -> None:
    """An empty one would be the bucket itself: to delete it would delete the bucket."""
    calls: list[Call] = [
        lambda s: s.delete("bucket", key),
        lambda s: s.put("bucket", key, BODY),
        lambda s: s.head("bucket", key),
        lambda s: s.create_upload("bucket", key),
    ]
    for call in calls:
        with pytest.raises(errors.KeyUnsupported):
            call(store)
    assert wire.seen == []


# --- multipart -----------------------------------------------------------------------------------


def test_an_upload_is_made_of_its_parts(wire: Wire, store: S3Store) -> None:
    wire.play(
        reply(
            200,
            b'<InitiateMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            b"<UploadId>id+/=</UploadId></InitiateMultipartUploadResult>",
        ),
        reply(200, b"", {"ETag": '"two"'}),
        reply(200, b"<CopyPartResult><ETag>&quot;two&quot;</ETag></CopyPartResult>"),
        reply(
            200,
            b"<CompleteMultipartUploadResult><ETag>done-2</ETag></CompleteMultipartUploadResult>",
        ),
    )
    assert create(store) == "id+/="
    assert upload_part(store) == Part(2, "two", 10)
    assert copy_part(store) == Part(2, "two", 4)
    assert complete(store) == Written("done-2")
    assert [f"{seen.method} {seen.target}" for seen in wire.seen] == [
        "POST /bucket/key?uploads=",
        "PUT /bucket/key?partNumber=2&uploadId=id",
        "PUT /bucket/key?partNumber=2&uploadId=id",
        "POST /bucket/key?uploadId=id",
    ]
    assert wire.seen[0].headers["content-length"] == "0"
    assert wire.seen[2].headers["x-amz-copy-source-range"] == "bytes=5-8"
    assert wire.bodies[3] == (
        b"<CompleteMultipartUpload>"
        b"<Part><PartNumber>1</PartNumber><ETag>one</ETag></Part>"
        b"<Part><PartNumber>2</PartNumber><ETag>two</ETag></Part>"
        b"</CompleteMultipartUpload>"
    )


def test_an_unknown_upload_is_aborted_without_error(wire: Wire, store: S3Store) -> None:
    wire.play(error(404, "NoSuchUpload"), error(403, "AccessDenied"))
    store.abort_upload("bucket", "key", "id")
    with pytest.raises(errors.AccessDenied):
        store.abort_upload("bucket", "key", "id")


# --- listings and buckets ------------------------------------------------------------------------


def test_a_listing_asks_for_what_it_was_asked(wire: Wire, store: S3Store) -> None:
    last = reply(200, b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
    wire.play(last, last)
    store.list_page("bucket", "a b/", after="a b/币", delimiter="/", limit=7)
    store.list_page("bucket", after="a", token="t=")
    assert [seen.target for seen in wire.seen] == [
        "/bucket?delimiter=%2F&encoding-type=url&list-type=2&max-keys=7&prefix=a%20b%2F"
        "&start-after=a%20b%2F%E5%B8%81",
        "/bucket?continuation-token=t%3D&encoding-type=url&list-type=2&max-keys=1000&prefix=",
    ]


def test_buckets_are_named(wire: Wire, store: S3Store) -> None:
    named = b"<Bucket><Name>a</Name></Bucket><Bucket><Name>b</Name></Bucket>"
    content = b"<ListAllMyBucketsResult><Buckets>%b</Buckets></ListAllMyBucketsResult>" % named
    wire.play(reply(200, content))
    assert store.buckets() == ["a", "b"]
    assert wire.seen[0].target == "/"


@pytest.mark.parametrize(("said", "versioned"), [("Enabled", True), ("Suspended", False)])
def test_a_versioned_bucket_says_so(wire: Wire, store: S3Store, said: str, versioned: bool) -> None:
    content = f"<VersioningConfiguration><Status>{said}</Status></VersioningConfiguration>"
    wire.play(reply(200, content.encode()))
    assert store.is_versioned("bucket") is versioned


def test_only_ones_own_bucket_is_created_twice(wire: Wire, store: S3Store) -> None:
    wire.play(error(409, "BucketAlreadyOwnedByYou"), error(409, "BucketAlreadyExists"))
    store.create_bucket("bucket")
    with pytest.raises(errors.RequestRefused, match="BucketAlreadyExists"):
        store.create_bucket("bucket")


def test_tags_are_read(wire: Wire, store: S3Store) -> None:
    pair = b"<Tag><Key>a</Key><Value>b</Value></Tag><Tag><Key>c</Key><Value/></Tag>"
    wire.play(reply(200, b"<Tagging><TagSet>%b</TagSet></Tagging>" % pair))
    assert tags(store) == {"a": "b", "c": ""}
