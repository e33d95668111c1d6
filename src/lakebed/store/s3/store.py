"""The store contract over the S3 API: each method one request, its answer read."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from xml.etree.ElementTree import Element

from lakebed import errors
from lakebed.model.checksum import Algorithm, Checksum
from lakebed.model.objects import (
    Attributes,
    Head,
    Part,
    Span,
    Upload,
    Write,
    Written,
)
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
from lakebed.store.s3.answer import document, moment_of, required, text_of, texts
from lakebed.store.s3.body import Receiver, Slice
from lakebed.store.s3.client import Client, Request
from lakebed.store.s3.headers import (
    WHOLE,
    attribute_headers,
    base64_of_hex,
    checksum_header,
    copy_source,
    etag_of,
    head_of,
    part_row,
    slice_of,
    written_of,
)
from lakebed.store.s3.pack import UNPACK, packed
from lakebed.store.s3.pages import parse_page
from lakebed.store.s3.s5cmd import S5cmd
from lakebed.store.s3.uploads import Query


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
        head = head_of(headers, self._on(bucket, key))
        return replace(head, modified=moment_of(headers.get("last-modified", "")))

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
            return slice_of(status, answered, span, subject)

        receiver = Receiver(sink, check)
        answer = self._client.send(Request("GET", bucket, key, headers=headers), receiver)
        return head_of(answer.headers, subject)

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
        headers = attribute_headers(attributes)
        if sha256 is not None:
            headers["x-amz-checksum-sha256"] = base64_of_hex(sha256)
        if write is Write.IF_ABSENT:
            headers["if-none-match"] = "*"
        answer = self._client.send(Request("PUT", bucket, key, headers=headers, body=body))
        return written_of(answer, self._on(bucket, key))

    def put_many(self, bucket: str, members: Sequence[Member]) -> None:
        # A store that does not unpack keeps the tar where an object is to be proved, not beside it.
        key, body = members[0].key, Buffer(tuple(packed(members)))
        headers = attribute_headers(Attributes(metadata=UNPACK))
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
        headers = copy_source(source_bucket, source_key, if_match)
        if attributes is not None:
            headers |= attribute_headers(attributes)
            headers["x-amz-metadata-directive"] = "REPLACE"
        answer = self._client.send(Request("PUT", bucket, key, headers=headers, works=True))
        return Written(etag_of(answer, "CopyObjectResult", self._on(bucket, key)))

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
        headers = attribute_headers(attributes)
        if algorithm is not None:
            headers["x-amz-checksum-algorithm"] = algorithm.upper()
            headers["x-amz-checksum-type"] = WHOLE
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
        headers = checksum_header(checksum)
        request = Request("PUT", bucket, key, query=query, headers=headers, body=body)
        written = written_of(self._client.send(request), self._on(bucket, key))
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
        headers = copy_source(source_bucket, source_key, if_match)
        headers["x-amz-copy-source-range"] = f"bytes={span.start}-{span.end - 1}"
        query = (("partNumber", str(number)), ("uploadId", upload_id))
        request = Request("PUT", bucket, key, query=query, headers=headers, works=True)
        answer = self._client.send(request)
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
        rows = "".join(map(part_row, parts))
        body = Buffer((f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>".encode(),))
        headers = {"content-type": "application/xml", **checksum_header(checksum)}
        if checksum is not None:
            headers["x-amz-checksum-type"] = WHOLE
            headers["x-amz-mp-object-size"] = str(sum(part.size for part in parts))
        query = (("uploadId", upload_id),)
        answer = self._client.send(Request("POST", bucket, key, query, headers, body, works=True))
        return Written(etag_of(answer, "CompleteMultipartUploadResult", self._on(bucket, key)))

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
