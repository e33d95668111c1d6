"""The store contract over the S3 API: each method one request, its answer read."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from urllib.parse import quote, urlencode
from xml.etree.ElementTree import Element

from lakebed import errors
from lakebed.model.checksum import Algorithm, Checksum
from lakebed.model.objects import (
    STANDARD_HEADERS,
    Attributes,
    Head,
    Part,
    Span,
    Upload,
    Write,
    Written,
)
from lakebed.model.quantity import MAX_SIZE
from lakebed.store.contract import (
    NO_ATTRIBUTES,
    PAGE_LIMIT,
    Body,
    Buffer,
    Copying,
    Member,
    Page,
    Properties,
    Sink,
)
from lakebed.store.s3 import uploads
from lakebed.store.s3.answer import Answer, document, error_of, required, text_of, texts
from lakebed.store.s3.body import Receiver, Slice
from lakebed.store.s3.client import Client, Request
from lakebed.store.s3.pack import UNPACK, packed
from lakebed.store.s3.pages import parse_page
from lakebed.store.s3.s5cmd import S5cmd
from lakebed.store.s3.signing import quote_key
from lakebed.store.s3.uploads import Query

_META = "x-amz-meta-"
_SIZE_DIGITS = 19
"""Of the largest size that there is; Python refuses to read numbers of some thousand digits."""
_WHOLE = "FULL_OBJECT"
"""The type of a checksum that is of the object's bytes, and not of its parts' checksums."""


class S3Store:
    """One S3 endpoint. Keys travel percent-encoded once, and come back as they were."""

    def __init__(self, client: Client, properties: Properties, batches: S5cmd) -> None:
        self._client = client
        self._properties = properties
        self._batches = batches

    @property
    def name(self) -> str:
        return self._client.endpoint.name

    @property
    def properties(self) -> Properties:
        return self._properties

    def _on(self, bucket: str, key: str = "") -> str:
        return f"{self.name}:{bucket}/{key}" if key else f"{self.name}:{bucket}"

    # --- listing ---------------------------------------------------------------------------------

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
        query = [
            ("list-type", "2"),
            ("encoding-type", "url"),
            ("max-keys", str(limit)),
            ("prefix", prefix),
        ]
        if delimiter:
            query.append(("delimiter", delimiter))
        if token is not None:
            query.append(("continuation-token", token))
        elif after:
            query.append(("start-after", after))
        subject = self._on(bucket, prefix)
        answer = self._client.send(Request("GET", bucket, query=tuple(query)))
        return parse_page(answer.content, subject)

    def buckets(self) -> list[str]:
        answer = self._client.send(Request("GET"))
        root = document(answer, "ListAllMyBucketsResult", self.name)
        return [text_of(bucket, "Name") for bucket in texts(root, "Buckets", "Bucket")]

    def create_bucket(self, bucket: str) -> None:
        region = self._client.endpoint.region
        where = f"<LocationConstraint>{escape(region, quote=False)}</LocationConstraint>"
        # Amazon's first region is the one that must not be named.
        constraint = where if region != "us-east-1" else ""
        configuration = f"<CreateBucketConfiguration>{constraint}</CreateBucketConfiguration>"
        body = Buffer((configuration.encode(),)) if constraint else None
        try:
            self._client.send(Request("PUT", bucket, body=body))
        except errors.RequestRefused as refused:
            if "BucketAlreadyOwnedByYou" not in refused.what:
                raise

    def is_versioned(self, bucket: str) -> bool:
        answer = self._client.send(Request("GET", bucket, query=(("versioning", ""),)))
        root = document(answer, "VersioningConfiguration", self._on(bucket))
        return text_of(root, "Status") == "Enabled"

    # --- reading ---------------------------------------------------------------------------------

    def head(self, bucket: str, key: str) -> Head:
        request = Request("HEAD", bucket, key, headers={"x-amz-checksum-mode": "ENABLED"})
        headers = self._client.send(request).headers
        head = _head(headers, self._on(bucket, key))
        return replace(head, modified=_moment(headers.get("last-modified", "")))

    def get(
        self,
        bucket: str,
        key: str,
        sink: Sink,
        *,
        span: Span | None = None,
        if_match: str | None = None,
    ) -> Head:
        headers = {}
        if span is not None:
            headers["range"] = f"bytes={span.start}-{span.end - 1}"
        if if_match is not None:
            headers["if-match"] = f'"{if_match}"'
        subject = self._on(bucket, key)

        def check(status: int, answered: Mapping[str, str]) -> Slice:
            etag = answered.get("etag", "").strip('"')
            if if_match is not None and etag != if_match:
                raise errors.PreconditionFailed(
                    f"the object is now {etag}, not {if_match}", subject=subject
                )
            if "content-length" not in answered:
                raise errors.BodyTruncated(
                    "the store announced no length: nobody could see that it was cut short",
                    subject=subject,
                )
            return _slice(status, answered, span, subject)

        receiver = Receiver(sink, check)
        answer = self._client.send(Request("GET", bucket, key, headers=headers), receiver)
        return _head(answer.headers, subject)

    def tags(self, bucket: str, key: str) -> dict[str, str]:
        answer = self._client.send(Request("GET", bucket, key, query=(("tagging", ""),)))
        root = document(answer, "Tagging", self._on(bucket, key))
        return {text_of(tag, "Key"): text_of(tag, "Value") for tag in texts(root, "TagSet", "Tag")}

    # --- writing ---------------------------------------------------------------------------------

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
        headers = _attribute_headers(attributes)
        if sha256 is not None:
            headers["x-amz-checksum-sha256"] = _base64_of_hex(sha256)
        if write is Write.IF_ABSENT:
            headers["if-none-match"] = "*"
        answer = self._client.send(Request("PUT", bucket, key, headers=headers, body=body))
        return _written(answer, self._on(bucket, key))

    def put_many(self, bucket: str, members: Sequence[Member]) -> None:
        # A store that does not unpack keeps the tar where an object is to be proved, not beside it.
        key, body = members[0].key, Buffer(tuple(packed(members)))
        headers = _attribute_headers(Attributes(metadata=UNPACK))
        self._client.send(Request("PUT", bucket, key, headers=headers, body=body))

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
        headers = _copy_source(source_bucket, source_key, if_match)
        if attributes is not None:
            headers |= _attribute_headers(attributes)
            headers["x-amz-metadata-directive"] = "REPLACE"
        answer = self._client.send(Request("PUT", bucket, key, headers=headers))
        return Written(_etag(answer, "CopyObjectResult", self._on(bucket, key)))

    def copy_many(
        self, source_bucket: str, bucket: str, copies: Sequence[Copying]
    ) -> frozenset[str]:
        return self._batches.copy(source_bucket, bucket, copies)

    def delete(self, bucket: str, key: str) -> None:
        self._client.send(Request("DELETE", bucket, key))

    # --- multipart -------------------------------------------------------------------------------

    def create_upload(
        self,
        bucket: str,
        key: str,
        attributes: Attributes = NO_ATTRIBUTES,
        *,
        algorithm: Algorithm | None = None,
    ) -> str:
        headers = _attribute_headers(attributes)
        if algorithm is not None:
            headers["x-amz-checksum-algorithm"] = algorithm.upper()
            headers["x-amz-checksum-type"] = _WHOLE
        request = Request("POST", bucket, key, query=(("uploads", ""),), headers=headers)
        subject = self._on(bucket, key)
        root = document(self._client.send(request), "InitiateMultipartUploadResult", subject)
        return required(root, "UploadId", subject)

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
        query = (("partNumber", str(number)), ("uploadId", upload_id))
        headers = _checksum_header(checksum)
        request = Request("PUT", bucket, key, query=query, headers=headers, body=body)
        written = _written(self._client.send(request), self._on(bucket, key))
        return Part(number, written.etag, body.size, checksum)

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
        headers = _copy_source(source_bucket, source_key, if_match)
        headers["x-amz-copy-source-range"] = f"bytes={span.start}-{span.end - 1}"
        query = (("partNumber", str(number)), ("uploadId", upload_id))
        answer = self._client.send(Request("PUT", bucket, key, query=query, headers=headers))
        root = document(answer, "CopyPartResult", self._on(bucket, key))
        etag = required(root, "ETag", self._on(bucket, key)).strip('"')
        return Part(number, etag, span.size, uploads.checksum_of(root))

    def complete_upload(
        self,
        bucket: str,
        key: str,
        upload_id: str,
        parts: Sequence[Part],
        *,
        checksum: Checksum | None = None,
    ) -> Written:
        rows = "".join(map(_part_row, parts))
        body = Buffer((f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>".encode(),))
        headers = {"content-type": "application/xml", **_checksum_header(checksum)}
        if checksum is not None:
            headers["x-amz-checksum-type"] = _WHOLE
            headers["x-amz-mp-object-size"] = str(sum(part.size for part in parts))
        query = (("uploadId", upload_id),)
        answer = self._client.send(Request("POST", bucket, key, query, headers, body))
        return Written(_etag(answer, "CompleteMultipartUploadResult", self._on(bucket, key)))

    def abort_upload(self, bucket: str, key: str, upload_id: str) -> None:
        request = Request("DELETE", bucket, key, query=(("uploadId", upload_id),))
        try:
            self._client.send(request)
        except errors.ObjectMissing:
            return

    def list_parts(self, bucket: str, key: str, upload_id: str) -> list[Part]:
        subject = self._on(bucket, key)

        def ask(after: Query) -> Element:
            query = (("uploadId", upload_id), *after)
            answer = self._client.send(Request("GET", bucket, key, query=query))
            return document(answer, "ListPartsResult", subject)

        return list(uploads.parts(ask, subject))

    def list_uploads(self, bucket: str, key: str) -> list[Upload]:
        subject = self._on(bucket, key)

        def ask(after: Query) -> Element:
            query = (("uploads", ""), ("prefix", key), ("encoding-type", "url"), *after)
            answer = self._client.send(Request("GET", bucket, query=query))
            return document(answer, "ListMultipartUploadsResult", subject)

        return list(uploads.uploads(ask, key, subject))

    def close(self) -> None:
        self._client.close()


def _head(headers: Mapping[str, str], subject: str) -> Head:
    content_range = headers.get("content-range", "")
    size = content_range.rpartition("/")[2] if content_range else headers.get("content-length", "0")
    return Head(
        size=_size(size, subject),
        etag=_tag(headers, subject),
        attributes=Attributes(
            headers={name: headers[name] for name in STANDARD_HEADERS if name in headers},
            metadata={
                name.removeprefix(_META): headers[name]
                for name in headers
                if name.startswith(_META)
            },
        ),
        sha256=_hex_of_base64(headers.get("x-amz-checksum-sha256", "")),
        checksum=_whole_checksum(headers),
    )


def _size(text: str, subject: str) -> int:
    if not text.isdecimal() or len(text) > _SIZE_DIGITS or int(text) > MAX_SIZE:
        raise errors.StoreFault(f"the store says that its size is {text[:40]!r}", subject=subject)
    return int(text)


def _tag(headers: Mapping[str, str], subject: str) -> str:
    """The ETag of an answer, empty where it has none; StoreFault for one that is no text."""
    tag = headers.get("etag", "").strip('"')
    try:
        tag.encode()
    except UnicodeEncodeError:
        raise errors.StoreFault(f"the store's ETag is no text: {tag!r}", subject=subject) from None
    return tag


def _whole_checksum(headers: Mapping[str, str]) -> Checksum | None:
    """None for a composite one, which is of the parts' checksums."""
    if headers.get("x-amz-checksum-type") != _WHOLE:
        return None
    texts = ((one, headers.get(_checksum_name(one))) for one in Algorithm)
    return next((Checksum.parse(one, text) for one, text in texts if text), None)


def _moment(text: str) -> datetime | None:
    # Takes longer to import than most commands have to wait for: only few ask for a moment.
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _slice(status: int, headers: Mapping[str, str], span: Span | None, subject: str) -> Slice:
    """What to keep of the coming body. A store may answer a range with 200 and everything."""
    if span is None:
        return Slice()
    if status != 206:
        return Slice(skip=span.start, take=span.size)
    given = headers.get("content-range", "")
    if not given.startswith(f"bytes {span.start}-{span.end - 1}/"):
        raise errors.RequestRefused(
            f"asked for bytes {span.start}-{span.end - 1}, the store gave {given or 'no range'}",
            subject=subject,
        )
    return Slice(take=span.size)


def _etag(answer: Answer, root: str, subject: str) -> str:
    return required(document(answer, root, subject), "ETag", subject).strip('"')


def _written(answer: Answer, subject: str) -> Written:
    if "etag" not in answer.headers:
        raise error_of(answer, subject)
    return Written(
        etag=_tag(answer.headers, subject),
        sha256=_hex_of_base64(answer.headers.get("x-amz-checksum-sha256", "")),
    )


def _attribute_headers(attributes: Attributes) -> dict[str, str]:
    headers = dict(attributes.headers)
    headers |= {_META + name: value for name, value in attributes.metadata.items()}
    if attributes.tags:
        headers["x-amz-tagging"] = urlencode(attributes.tags, quote_via=quote)
    if attributes.storage_class:
        headers["x-amz-storage-class"] = attributes.storage_class
    if attributes.sse:
        headers["x-amz-server-side-encryption"] = attributes.sse
    return headers


def _checksum_name(algorithm: Algorithm) -> str:
    return f"x-amz-checksum-{algorithm}"


def _checksum_header(checksum: Checksum | None) -> dict[str, str]:
    return {_checksum_name(checksum.algorithm): str(checksum)} if checksum else {}


def _part_row(part: Part) -> str:
    row = f"<PartNumber>{part.number}</PartNumber><ETag>{escape(part.etag, quote=False)}</ETag>"
    if part.checksum is not None:
        name = f"Checksum{part.checksum.algorithm.upper()}"
        row += f"<{name}>{part.checksum}</{name}>"
    return f"<Part>{row}</Part>"


def _copy_source(bucket: str, key: str, if_match: str) -> dict[str, str]:
    return {
        "x-amz-copy-source": f"/{quote_key(bucket)}/{quote_key(key)}",
        "x-amz-copy-source-if-match": f'"{if_match}"',
    }


def _hex_of_base64(text: str) -> str | None:
    """None for what is no SHA-256: a multipart object's (`…-N`) is one of its parts' digests."""
    try:
        digest = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return digest.hex() if len(digest) == 32 else None


def _base64_of_hex(digest: str) -> str:
    return base64.b64encode(bytes.fromhex(digest)).decode()
