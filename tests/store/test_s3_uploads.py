"""Uploads under way, on scripted answers: pages, checksums, and what is no such answer."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from lakebed import errors
from lakebed.model.checksum import Algorithm, Checksum
from lakebed.model.objects import Part, Span, Upload
from lakebed.store.contract import Buffer
from lakebed.store.s3.store import S3Store
from tests.store.wire import Script, Wire, error, open_wire, reply

CRC = Checksum.of(Algorithm.CRC64NVME, b"0123456789")


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire() as listening:
        yield listening


@pytest.fixture
def store(wire: Wire) -> Iterator[S3Store]:
    with closing(open_wire(wire)) as opened:
        yield opened


def parts_page(*parts: str, more: str = "") -> Script:
    cut = f"<IsTruncated>true</IsTruncated>{more}" if more else ""
    return reply(200, f"<ListPartsResult>{cut}{''.join(parts)}</ListPartsResult>".encode())


def part(number: object, size: object = 5, more: str = "") -> str:
    return (
        f"<Part><PartNumber>{number}</PartNumber><ETag>&#34;e{number}&#34;</ETag>"
        f"<Size>{size}</Size>{more}</Part>"
    )


def uploads_page(*uploads: str, more: str = "") -> Script:
    cut = f"<IsTruncated>true</IsTruncated>{more}" if more else ""
    root = "ListMultipartUploadsResult"
    return reply(200, f"<{root}>{cut}{''.join(uploads)}</{root}>".encode())


def upload(key: str, upload_id: str, begun: str = "2026-05-08T12:30:15.000Z") -> str:
    return (
        f"<Upload><Key>{key}</Key><UploadId>{upload_id}</UploadId>"
        f"<Initiated>{begun}</Initiated></Upload>"
    )


def test_parts_come_from_every_page(wire: Wire, store: S3Store) -> None:
    marker = "<NextPartNumberMarker>1</NextPartNumberMarker>"
    kept = f"<ChecksumCRC64NVME>{CRC}</ChecksumCRC64NVME>"
    wire.play(parts_page(part(1), more=marker), parts_page(part(2, 7, kept)))
    found = store.list_parts("bucket", "key", "id")
    assert found == [Part(1, "e1", 5), Part(2, "e2", 7, CRC)]
    assert [seen.target for seen in wire.seen] == [
        "/bucket/key?uploadId=id",
        "/bucket/key?part-number-marker=1&uploadId=id",
    ]


def test_uploads_of_the_key_come_from_every_page_encoded_or_not(wire: Wire, store: S3Store) -> None:
    marker = "<NextKeyMarker>a%20b%2Bc</NextKeyMarker><NextUploadIdMarker>2</NextUploadIdMarker>"
    first = uploads_page(upload("a+b", "1"), upload("a%20b", "2"), more=marker)
    wire.play(first, uploads_page(upload("a b", "3", "2026-05-08T12:30:15")))
    begun = datetime(2026, 5, 8, 12, 30, 15, tzinfo=UTC)
    found = store.list_uploads("bucket", "a b")
    assert found == [Upload("a b", number, begun) for number in "123"]
    assert wire.seen[1].target == (
        "/bucket?encoding-type=url&key-marker=a%20b%2Bc&prefix=a%20b&upload-id-marker=2&uploads="
    )


def test_the_upload_of_a_longer_key_is_another_ones(wire: Wire, store: S3Store) -> None:
    wire.play(uploads_page(upload("a+b", "1"), upload("a", "2")))
    assert [one.upload_id for one in store.list_uploads("bucket", "a")] == ["2"]


def list_parts(store: S3Store) -> object:
    return store.list_parts("bucket", "key", "id")


def list_uploads(store: S3Store) -> object:
    return store.list_uploads("bucket", "key")


@pytest.mark.parametrize(
    ("call", "page"),
    [
        (list_parts, parts_page(part("one"))),
        (list_parts, parts_page(part(1, "all"))),
        (list_parts, parts_page(part(1, "9" * 5000))),
        (list_parts, parts_page(part(1), more="<NextPartNumberMarker/>")),
        (list_uploads, uploads_page(upload("key", "1", "yesterday"))),
        (list_uploads, uploads_page(more="<NextKeyMarker/>")),
    ],
)
def test_a_page_that_cannot_be_read_or_gone_on_from_is_refused(
    wire: Wire, store: S3Store, call: Callable[[S3Store], object], page: Script
) -> None:
    wire.play(page)
    with pytest.raises(errors.ListingRefused):
        call(store)


def test_a_listing_that_does_not_advance_is_refused(wire: Wire, store: S3Store) -> None:
    page = parts_page(part(1), more="<NextPartNumberMarker>1</NextPartNumberMarker>")
    wire.play(page, page)
    with pytest.raises(errors.ListingRefused, match="does not advance"):
        list_parts(store)


@pytest.mark.parametrize("call", [list_parts, list_uploads])
def test_a_web_page_is_no_listing(
    wire: Wire, store: S3Store, call: Callable[[S3Store], object]
) -> None:
    wire.play(reply(200, b"<html><head/></html>"))
    with pytest.raises(errors.StoreFault, match="no List"):
        call(store)


def test_an_upload_that_is_gone_is_missing(wire: Wire, store: S3Store) -> None:
    wire.play(error(404, "NoSuchUpload"))
    with pytest.raises(errors.ObjectMissing):
        list_parts(store)


def test_checksums_are_declared_and_sent_with_each_part_and_the_whole(
    wire: Wire, store: S3Store
) -> None:
    begun = (
        b"<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>"
    )
    done = b"<CompleteMultipartUploadResult><ETag>e-1</ETag></CompleteMultipartUploadResult>"
    wire.play(reply(200, begun), reply(200, b"", {"ETag": '"e1"'}), reply(200, done))
    store.create_upload("bucket", "key", algorithm=Algorithm.CRC64NVME)
    sent = store.upload_part("bucket", "key", "id", 1, Buffer((b"0123456789",)), checksum=CRC)
    store.complete_upload("bucket", "key", "id", [sent], checksum=CRC)
    assert sent == Part(1, "e1", 10, CRC)
    create, part_, complete = (seen.headers for seen in wire.seen)
    assert create["x-amz-checksum-algorithm"] == "CRC64NVME"
    assert create["x-amz-checksum-type"] == complete["x-amz-checksum-type"] == "FULL_OBJECT"
    assert part_["x-amz-checksum-crc64nvme"] == complete["x-amz-checksum-crc64nvme"] == str(CRC)
    assert complete["x-amz-mp-object-size"] == "10"
    assert f"<ChecksumCRC64NVME>{CRC}</ChecksumCRC64NVME></Part>".encode() in wire.bodies[2]


@pytest.mark.parametrize(("kind", "found"), [("FULL_OBJECT", CRC), ("COMPOSITE", None), ("", None)])
def test_only_the_checksum_of_the_bytes_is_the_objects(
    wire: Wire, store: S3Store, kind: str, found: Checksum | None
) -> None:
    headers = {"x-amz-checksum-crc64nvme": str(CRC), "x-amz-checksum-type": kind}
    wire.play(reply(200, b"", headers))
    assert store.head("bucket", "key").checksum == found


def test_a_copied_part_has_the_checksum_that_the_store_names(wire: Wire, store: S3Store) -> None:
    named = f"<ETag>e1</ETag><ChecksumCRC64NVME>{CRC}</ChecksumCRC64NVME>"
    wire.play(reply(200, f"<CopyPartResult>{named}</CopyPartResult>".encode()))
    part = store.copy_part("from", "a", "bucket", "key", "id", 1, span=Span(0, 10), if_match="tag")
    assert part == Part(1, "e1", 10, CRC)
