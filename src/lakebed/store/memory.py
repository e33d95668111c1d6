"""A store in memory that fulfils the contract exactly: its reference, and what tests run on."""

import hashlib
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

from lakebed.errors import (
    BodyTruncated,
    BucketMissing,
    ChecksumRefused,
    KeyUnsupported,
    ObjectMissing,
    ObjectTooLarge,
    PreconditionFailed,
    RequestRefused,
)
from lakebed.model.checksum import Algorithm, Checksum
from lakebed.model.location import MAX_KEY_BYTES
from lakebed.model.objects import Attributes, Head, Part, Span, Upload, Write, Written
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
from lakebed.store.held import Bucket, Stored, Uploading

_CHUNK = 64 * 1024


class MemoryStore:
    """A store whose buckets are dictionaries. `now` gives the modification times (aware, UTC)."""

    def __init__(
        self,
        name: str = "memory",
        *,
        buckets: Iterable[str] = (),
        properties: Properties | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._name = name
        self._properties = properties or Properties(identity=f"memory:{name}")
        self._now = now
        self._lock = threading.Lock()
        self._buckets = {bucket: Bucket() for bucket in buckets}
        self._uploads_begun = 0

    @property
    def name(self) -> str:
        return self._name

    @property
    def properties(self) -> Properties:
        return self._properties

    # --- reading ---------------------------------------------------------------------------------

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
        """A page by the contract; objects and prefixes count towards `limit` together."""
        with self._lock:
            held = self._bucket(bucket)
            position = bisect_left(held.order, prefix)
            if token is not None:
                position = bisect_left(held.order, token)
            elif after:
                position = max(position, bisect_right(held.order, after))
            return held.page(position, prefix, delimiter, limit)

    def head(self, bucket: str, key: str) -> Head:
        return self._find(bucket, key).head()

    def get(
        self,
        bucket: str,
        key: str,
        sink: Sink,
        *,
        span: Span | None = None,
        if_match: str | None = None,
    ) -> Head:
        stored = self._find(bucket, key, if_match)
        span = span or Span(0, len(stored.data))
        self._check_span(bucket, key, stored, span)
        for start in range(span.start, span.end, _CHUNK):
            sink(stored.data[start : min(start + _CHUNK, span.end)])
        return stored.head()

    def tags(self, bucket: str, key: str) -> dict[str, str]:
        return dict(self._find(bucket, key).attributes.tags)

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
        subject = self._on(bucket, key)
        if body.size > self._properties.max_put:
            raise ObjectTooLarge("larger than one PUT may be", subject=subject)
        data = _read(body, subject)
        if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256.lower():
            raise ChecksumRefused("the bytes are not those of the digest sent", subject=subject)
        stored = Stored(data, _md5(data), self._now(), _as_stored(attributes), sha256)
        return self._keep(bucket, key, stored, write)

    def put_many(self, bucket: str, members: Sequence[Member]) -> None:
        for member in members:
            self.put(bucket, member.key, Buffer(member.pieces), attributes=member.attributes)

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
        stored = self._find(source_bucket, source_key, if_match)
        # As in S3, the storage class is not copied: it is the destination's own.
        kept = _as_stored(attributes or replace(stored.attributes, storage_class=""))
        etag = _md5(stored.data)
        return self._keep(
            bucket, key, replace(stored, etag=etag, modified=self._now(), attributes=kept)
        )

    def copy_many(
        self, source_bucket: str, bucket: str, copies: Sequence[Copying]
    ) -> frozenset[str]:
        copied = set()
        for one in copies:
            with suppress(ObjectMissing):
                etag = self.head(source_bucket, one.source_key).etag
                self.copy(source_bucket, one.source_key, bucket, one.key, if_match=etag)
                copied.add(one.key)
        return frozenset(copied)

    def delete(self, bucket: str, key: str) -> None:
        with self._lock:
            held = self._bucket(bucket)
            if held.objects.pop(key, None) is not None:
                del held.order[bisect_left(held.order, key)]

    # --- multipart -------------------------------------------------------------------------------

    def create_upload(
        self,
        bucket: str,
        key: str,
        attributes: Attributes = NO_ATTRIBUTES,
        *,
        algorithm: Algorithm | None = None,
    ) -> str:
        self._check_key(bucket, key)
        with self._lock:
            held = self._bucket(bucket)
            self._uploads_begun += 1
            upload_id = f"upload-{self._uploads_begun}"
            held.uploads[upload_id] = Uploading(key, attributes, self._now(), algorithm)
            return upload_id

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
        subject = self._on(bucket, key)
        if not 1 <= number <= self._properties.max_parts:
            raise RequestRefused(f"there is no part {number}", subject=subject)
        data = _read(body, subject)
        part = Part(number, _md5(data), len(data), checksum)
        with self._lock:
            upload = self._upload(bucket, key, upload_id)
            if upload.algorithm is not (checksum.algorithm if checksum else None):
                raise RequestRefused("the checksum is not of the upload's kind", subject=subject)
            _check_checksum(checksum, data, subject)
            upload.parts[number] = (part, data)
        return part

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
        stored = self._find(source_bucket, source_key, if_match)
        self._check_span(source_bucket, source_key, stored, span)
        data = stored.data[span.start : span.end]
        with self._lock:
            algorithm = self._upload(bucket, key, upload_id).algorithm
        checksum = Checksum.of(algorithm, data) if algorithm else None
        return self.upload_part(bucket, key, upload_id, number, Buffer((data,)), checksum=checksum)

    def complete_upload(
        self,
        bucket: str,
        key: str,
        upload_id: str,
        parts: Sequence[Part],
        *,
        checksum: Checksum | None = None,
    ) -> Written:
        with self._lock:
            upload = self._upload(bucket, key, upload_id)
            data = b"".join(self._pieces(self._on(bucket, key), upload, parts))
            _check_checksum(checksum, data, self._on(bucket, key))
            digests = b"".join(bytes.fromhex(part.etag) for part in parts)
            etag = f"{_md5(digests)}-{len(parts)}"
            attributes = _as_stored(upload.attributes)
            held = self._bucket(bucket)
            stored = Stored(data, etag, self._now(), attributes, checksum=checksum)
            held.keep(key, stored)
            del held.uploads[upload_id]
            return Written(etag)

    def abort_upload(self, bucket: str, key: str, upload_id: str) -> None:
        with self._lock:
            self._bucket(bucket).uploads.pop(upload_id, None)

    def list_parts(self, bucket: str, key: str, upload_id: str) -> list[Part]:
        with self._lock:
            held = self._upload(bucket, key, upload_id).parts
            return [held[number][0] for number in sorted(held)]

    def list_uploads(self, bucket: str, key: str) -> list[Upload]:
        with self._lock:
            return [
                Upload(key, upload_id, upload.initiated)
                for upload_id, upload in self._bucket(bucket).uploads.items()
                if upload.key == key
            ]

    def unfinished_uploads(self, bucket: str) -> list[str]:
        """The keys of uploads that were neither completed nor aborted, sorted."""
        with self._lock:
            return sorted(upload.key for upload in self._bucket(bucket).uploads.values())

    # --- buckets ---------------------------------------------------------------------------------

    def buckets(self) -> list[str]:
        with self._lock:
            return sorted(self._buckets)

    def create_bucket(self, bucket: str) -> None:
        with self._lock:
            self._buckets.setdefault(bucket, Bucket())

    def is_versioned(self, bucket: str) -> bool:
        with self._lock:
            self._bucket(bucket)
            return False

    def close(self) -> None:
        """Nothing is open."""

    # --- inside ----------------------------------------------------------------------------------

    def _on(self, bucket: str, key: str) -> str:
        return f"{self._name}:{bucket}/{key}"

    def _bucket(self, bucket: str) -> Bucket:
        if bucket not in self._buckets:
            raise BucketMissing("there is no such bucket", subject=f"{self._name}:{bucket}")
        return self._buckets[bucket]

    def _find(self, bucket: str, key: str, if_match: str | None = None) -> Stored:
        with self._lock:
            stored = self._bucket(bucket).objects.get(key)
        if stored is None:
            raise ObjectMissing("there is no such object", subject=self._on(bucket, key))
        if if_match is not None and stored.etag != if_match:
            raise PreconditionFailed("it is another revision now", subject=self._on(bucket, key))
        return stored

    def _upload(self, bucket: str, key: str, upload_id: str) -> Uploading:
        upload = self._bucket(bucket).uploads.get(upload_id)
        if upload is None or upload.key != key:
            raise ObjectMissing("there is no such upload", subject=self._on(bucket, key))
        return upload

    def _pieces(self, subject: str, upload: Uploading, parts: Sequence[Part]) -> list[bytes]:
        numbers = [part.number for part in parts]
        if not parts or any(left >= right for left, right in pairwise(numbers)):
            raise RequestRefused("the parts are none or out of order", subject=subject)
        pieces: list[bytes] = []
        for part in parts:
            held, data = upload.parts.get(part.number, (None, b""))
            if held is None or held.etag != part.etag:
                raise RequestRefused(f"part {part.number} is not what came", subject=subject)
            pieces.append(data)
        if any(len(piece) < self._properties.min_part for piece in pieces[:-1]):
            raise RequestRefused("a part before the last is too small", subject=subject)
        return pieces

    def _check_key(self, bucket: str, key: str) -> None:
        try:
            length = len(key.encode())
        except UnicodeEncodeError:
            raise KeyUnsupported("a key is UTF-8", subject=ascii(key)) from None
        if not 1 <= length <= MAX_KEY_BYTES:
            raise KeyUnsupported(
                f"a key has 1 to {MAX_KEY_BYTES} bytes, not {length}",
                subject=self._on(bucket, key[:60]),
            )

    def _check_span(self, bucket: str, key: str, stored: Stored, span: Span) -> None:
        if not 0 <= span.start <= span.end <= len(stored.data):
            raise RequestRefused(
                f"bytes {span.start} to {span.end} are not in its {len(stored.data)}",
                subject=self._on(bucket, key),
            )

    def _keep(
        self,
        bucket: str,
        key: str,
        stored: Stored,
        write: Write = Write.ALWAYS,
    ) -> Written:
        self._check_key(bucket, key)
        with self._lock:
            held = self._bucket(bucket)
            if write is Write.IF_ABSENT and key in held.objects:
                raise PreconditionFailed("it exists already", subject=self._on(bucket, key))
            held.keep(key, stored)
        return Written(stored.etag, stored.sha256)


def _read(body: Body, subject: str) -> bytes:
    data = b"".join(body.chunks())
    if len(data) != body.size:
        raise BodyTruncated(f"{len(data)} bytes came, {body.size} were announced", subject=subject)
    return data


def _check_checksum(checksum: Checksum | None, data: bytes, subject: str) -> None:
    if checksum is not None and checksum != Checksum.of(checksum.algorithm, data):
        raise ChecksumRefused("the bytes are not those of the checksum sent", subject=subject)


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _as_stored(attributes: Attributes) -> Attributes:
    """Names in lower case: HTTP does not tell them apart."""
    return replace(
        attributes,
        headers={name.lower(): value for name, value in attributes.headers.items()},
        metadata={name.lower(): value for name, value in attributes.metadata.items()},
        tags=dict(attributes.tags),
    )
