"""Whatever a store answers is a value that the engine can keep, or one of our errors."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TypeVar
from urllib.parse import quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lakebed.errors import LakebedError, ListingRefused
from lakebed.model.objects import Head
from lakebed.model.quantity import MAX_SIZE
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import Buffer, Page, Properties
from lakebed.store.s3.answer import Answer, document, error_of, local
from lakebed.store.s3.body import Receiver
from lakebed.store.s3.client import Client, Endpoint, Request
from lakebed.store.s3.pages import parse_page
from lakebed.store.s3.s5cmd import S5cmd
from lakebed.store.s3.store import S3Store
from tests.store.test_s3_pages import LAST, URL, listing, row
from tests.strategies import HEADERS, KEYS, restructured, spoiled

T = TypeVar("T")
PAGES = st.builds(
    lambda keys, folder: listing(
        URL,
        LAST,
        *(row(quote_plus(key)) for key in keys),
        f"<CommonPrefixes><Prefix>{quote_plus(folder)}</Prefix></CommonPrefixes>",
    ),
    st.lists(KEYS, max_size=4),
    KEYS,
)
LISTED = ("a.zip", "b.zip", "c/d.zip")
OWNED = "<Owner><ID>owner</ID><DisplayName>somebody</DisplayName></Owner></Contents>"
LISTING = listing(URL, LAST, *(row(key).replace("</Contents>", OWNED) for key in LISTED))
ELEMENTS = ("Contents", "Key", "Owner", "Size", "Prefix", "CommonPrefixes", "IsTruncated")
ERROR = b"<Error><Code>NoSuchKey</Code><Message>no</Message><Region>eu-west-1</Region></Error>"
COMPLETED = b'<CompleteMultipartUploadResult><ETag>"a-1"</ETag></CompleteMultipartUploadResult>'
STATUSES = st.sampled_from([200, 206, 301, 304, 400, 403, 404, 409, 412, 416, 429, 500, 503])


class Scripted(Client):
    """Gives one answer to every request, as libcurl would hand it over."""

    def __init__(self, lines: bytes, content: bytes = b"") -> None:
        super().__init__(Endpoint("lake", "http://lake.test", "r"), lambda: None, Cancellation())
        self._lines, self._content = lines, content

    def send(self, request: Request, receiver: Receiver | None = None) -> Answer:
        receiver = receiver or Receiver()
        for line in self._lines.splitlines(keepends=True):
            receiver.header(line)
        receiver.settle()
        receiver.write(self._content)
        if receiver.failure is not None:
            raise receiver.failure
        return Answer(receiver.status, receiver.headers, receiver.collected)


def answering(headers: Mapping[str, bytes], content: bytes = b"") -> S3Store:
    lines = b"".join(name.encode() + b": " + value + b"\r\n" for name, value in headers.items())
    client = Scripted(b"HTTP/1.1 200 OK\r\n" + lines, content)
    batches = S5cmd(client.endpoint, lambda: None, Cancellation())
    return S3Store(client, Properties("lake"), batches)


def headers_of(lines: bytes) -> dict[str, str]:
    receiver = Receiver()
    for line in (b"HTTP/1.1 400 Bad Request\r\n" + lines).splitlines(keepends=True):
        receiver.header(line)
    return receiver.headers


def read(action: Callable[[], T]) -> T | None:
    """What it reads; None where it refuses, which it says in one line."""
    try:
        return action()
    except LakebedError as refused:
        said = str(refused)
    assert said.isprintable()
    return None


def is_keepable(page: Page) -> bool:
    """Whether the ledger and the wire can hold each object of it, now and after a resume."""
    for found in page.objects:
        _ = found.key.encode(), found.etag.encode()
        assert found.key
        assert 0 <= found.size <= MAX_SIZE
        assert found.modified.utcoffset() == timedelta(0)
    return True


# --- listings ------------------------------------------------------------------------------------


@given(spoiled(PAGES))
@example(b'<?xml version="1.0" encoding="none-such"?><ListBucketResult/>')
@example(listing(LAST, row(size="9" * 30)))
@example(listing(LAST, row(modified="0001-01-01T00:00:00+14:00")))
@example(listing(LAST, row(modified="9999-12-31T23:59:59-14:00")))
def test_a_spoiled_listing_is_refused_or_can_be_kept(content: bytes) -> None:
    page = read(lambda: parse_page(content, "lake:bucket"))

    assert page is None or is_keepable(page)


@given(restructured(LISTING, ELEMENTS))
def test_a_listing_of_another_structure_names_no_key_that_was_not_listed(content: bytes) -> None:
    page = read(lambda: parse_page(content, "lake:bucket"))

    assert page is None or {found.key for found in page.objects} <= set(LISTED)


@pytest.mark.parametrize(
    "inside",
    [
        row("a<b/>c"),
        row("a</Key><Key>b"),
        row().replace("</Contents>", row("b") + "</Contents>"),
        f"<CommonPrefixes>{row('b')}<Prefix>p/</Prefix></CommonPrefixes>",
        "<CommonPrefixes><Prefix>p/</Prefix><Prefix>q/</Prefix></CommonPrefixes>",
        LAST,
        "<IsTruncated>false<b/></IsTruncated>",
    ],
    ids=["markup", "two-names", "nested", "folded", "two-folders", "two-ends", "marked-end"],
)
def test_an_object_of_two_readings_is_no_object(inside: str) -> None:
    with pytest.raises(ListingRefused):
        parse_page(listing(LAST, inside), "lake:bucket")


def test_what_stands_deeper_than_a_field_is_none() -> None:
    deeper = row("a").replace("</Contents>", "<Owner><Key>b</Key></Owner></Contents>")
    more = "<Other><IsTruncated>true</IsTruncated><Contents>c</Contents></Other>"
    with pytest.raises(ListingRefused):
        parse_page(listing(LAST, more), "")
    [found] = parse_page(listing(LAST, deeper), "").objects
    assert found.key == "a"


# --- documents and headers -----------------------------------------------------------------------


@given(STATUSES, spoiled(st.just(ERROR)), HEADERS, HEADERS)
@example(400, b'<?xml version="1.0" encoding="none-such"?><Error/>', b"", b"")
@example(400, b'<?xml version="1.0" encoding="shift_jis"?><Error/>', b"", b"")
@example(301, b"", b"eu\x1b[2J" + b"x" * 999, b"")
def test_any_error_document_is_one_line(
    status: int, content: bytes, region: bytes, pause: bytes
) -> None:
    lines = b"x-amz-bucket-region: " + region + b"\r\nretry-after: " + pause + b"\r\n"

    refused = error_of(Answer(status, headers_of(lines), content), "lake:bucket/key")

    assert str(refused).isprintable()
    assert len(str(refused)) < 1500


@given(spoiled(st.just(COMPLETED)))
@example(b'<?xml version="1.0" encoding="none-such"?><CompleteMultipartUploadResult/>')
def test_a_spoiled_document_is_an_error_or_is_read(content: bytes) -> None:
    name = "CompleteMultipartUploadResult"

    root = read(lambda: document(Answer(200, {}, content), name, "lake:b/k"))

    assert root is None or local(root.tag) == name


NAMED = ("content-length", "content-range", "etag", "last-modified", "x-amz-checksum-sha256")


def _is_keepable_head(head: Head) -> bool:
    _ = head.etag.encode()
    assert 0 <= head.size <= MAX_SIZE
    assert head.modified is None or head.modified.utcoffset() == timedelta(0)
    assert head.sha256 is None or len(head.sha256) == 64
    return True


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(NAMED, HEADERS)))
@example({"last-modified": b"Mon, 01 Jan 99999999999999999999 00:00:00 GMT"})
@example({"content-range": b"bytes 0-1/" + b"9" * 5000})
@example({"content-length": b"9" * 30})
@example({"etag": b'"\xff"'})
def test_any_headers_are_an_error_or_can_be_kept(headers: dict[str, bytes]) -> None:
    store = answering(headers)

    head = read(lambda: store.head("bucket", "key"))
    got = read(lambda: store.get("bucket", "key", lambda data: None))

    assert head is None or _is_keepable_head(head)
    assert got is None or _is_keepable_head(got)


@given(HEADERS)
@example(b'"\xff"')
def test_an_answer_to_a_write_names_an_etag_that_can_be_kept(etag: bytes) -> None:
    store = answering({"etag": etag})

    written = read(lambda: store.put("bucket", "key", Buffer((b"data",))))

    assert written is None or written.etag.encode() is not None
