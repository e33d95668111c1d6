"""The store contract over the S3 API: each method one request, its answer read."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from urllib.parse import quote, urlencode

from lakebed import errors
from lakebed.model.objects import STANDARD_HEADERS, Attributes, Head, Part, Span, Write, Written
from lakebed.store.contract import (
    NO_ATTRIBUTES,
    PAGE_LIMIT,
    Body,
    Buffer,
    Page,
    Properties,
    Sink,
)
from lakebed.store.s3.answer import Answer, document, error_of, required, text_of, texts
from lakebed.store.s3.body import Receiver, Slice
from lakebed.store.s3.client import Client, Request
from lakebed.store.s3.pages import parse_page
from lakebed.store.s3.signing import quote_key

_META = "x-amz-meta-"


class S3Store:
    """One S3 endpoint. Keys travel percent-encoded once, and come back as they were."""

    def __init__(self, client: Client, properties: Properties) -> None:
        self._client = client
        self._properties = properties

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
        return replace(_head(headers), modified=_moment(headers.get("last-modified", "")))

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
        return _head(answer.headers)

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

    def delete(self, bucket: str, key: str) -> None:
        self._client.send(Request("DELETE", bucket, key))

    # --- multipart -------------------------------------------------------------------------------

    def create_upload(self, bucket: str, key: str, attributes: Attributes = NO_ATTRIBUTES) -> str:
        request = Request(
            "POST",
            bucket,
            key,
            query=(("uploads", ""),),
            headers=_attribute_headers(attributes),
        )
        subject = self._on(bucket, key)
        root = document(self._client.send(request), "InitiateMultipartUploadResult", subject)
        return required(root, "UploadId", subject)

    def upload_part(self, bucket: str, key: str, upload_id: str, number: int, body: Body) -> Part:
        query = (("partNumber", str(number)), ("uploadId", upload_id))
        answer = self._client.send(Request("PUT", bucket, key, query=query, body=body))
        written = _written(answer, self._on(bucket, key))
        return Part(number, written.etag, body.size)

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
        return Part(number, _etag(answer, "CopyPartResult", self._on(bucket, key)), span.size)

    def complete_upload(
        self, bucket: str, key: str, upload_id: str, parts: Sequence[Part]
    ) -> Written:
        rows = "".join(
            f"<Part><PartNumber>{part.number}</PartNumber>"
            f"<ETag>{escape(part.etag, quote=False)}</ETag></Part>"
            for part in parts
        )
        body = Buffer((f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>".encode(),))
        request = Request(
            "POST",
            bucket,
            key,
            query=(("uploadId", upload_id),),
            headers={"content-type": "application/xml"},
            body=body,
        )
        answer = self._client.send(request)
        return Written(_etag(answer, "CompleteMultipartUploadResult", self._on(bucket, key)))

    def abort_upload(self, bucket: str, key: str, upload_id: str) -> None:
        request = Request("DELETE", bucket, key, query=(("uploadId", upload_id),))
        try:
            self._client.send(request)
        except errors.ObjectMissing:
            return

    def close(self) -> None:
        self._client.close()


def _head(headers: Mapping[str, str]) -> Head:
    content_range = headers.get("content-range", "")
    size = content_range.rpartition("/")[2] if content_range else headers.get("content-length", "0")
    return Head(
        size=int(size) if size.isdecimal() else 0,
        etag=headers.get("etag", "").strip('"'),
        attributes=Attributes(
            headers={name: headers[name] for name in STANDARD_HEADERS if name in headers},
            metadata={
                name.removeprefix(_META): headers[name]
                for name in headers
                if name.startswith(_META)
            },
        ),
        sha256=_hex_of_base64(headers.get("x-amz-checksum-sha256", "")),
    )


def _moment(text: str) -> datetime | None:
    # Takes longer to import than most commands have to wait for: only few ask for a moment.
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


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
        etag=answer.headers["etag"].strip('"'),
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
