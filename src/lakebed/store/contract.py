"""The contract that every store fulfils, and the conformance suite tests.

Every call blocks the calling thread, may be made from many threads at once, ends within the
store's timeouts, and raises only errors of `lakebed.errors`. A key is any text of 1 to 1,024
bytes of UTF-8 and reaches the store byte for byte, or the call raises: it is never rewritten.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from lakebed.model.checksum import Algorithm, Checksum
from lakebed.model.objects import Attributes, Head, Object, Part, Span, Upload, Write, Written

Sink = Callable[[bytes], object]
"""Takes the next bytes of a body, in order. An error that it raises ends the transfer."""

PAGE_LIMIT = 1000
"""Keys in one page of a listing, the most that S3 gives."""

NO_ATTRIBUTES = Attributes()


class Body(Protocol):
    """Bytes to send. A retry asks for the chunks anew, so they must be the same each time."""

    @property
    def size(self) -> int: ...

    def chunks(self) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class Buffer:
    """A body that is in memory, in the chunks in which it came: sent on without another copy."""

    pieces: Sequence[bytes]

    @property
    def size(self) -> int:
        return sum(map(len, self.pieces))

    def chunks(self) -> Iterator[bytes]:
        return iter(self.pieces)


@dataclass(frozen=True, slots=True)
class Member:
    """One of many small objects that are sent by one request."""

    key: str
    pieces: Sequence[bytes]
    attributes: Attributes = NO_ATTRIBUTES
    """Without tags, storage class and encryption: those are of a request."""

    @property
    def size(self) -> int:
        return sum(map(len, self.pieces))


@dataclass(frozen=True, slots=True)
class Copying:
    """One of many objects that a store is asked to copy by itself."""

    source_key: str
    key: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a listing, in the order in which the store gave it."""

    objects: tuple[Object, ...]
    prefixes: tuple[str, ...] = ()
    token: str | None = None
    """Continues the listing; None on the last page."""


@dataclass(frozen=True, slots=True)
class Properties:
    """How this store differs from others, as data. Sizes in bytes."""

    identity: str
    """Equal for two stores between which the server can copy by itself: endpoint and account."""
    max_put: int = 5 * 1024**3
    min_part: int = 5 * 1024**2
    max_parts: int = 10_000
    max_copy: int = 5 * 1024**3


class Store(Protocol):
    """One S3 endpoint with its credentials."""

    @property
    def name(self) -> str:
        """The name in the configuration."""
        ...

    @property
    def properties(self) -> Properties: ...

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
        """At most `limit` objects whose key starts with `prefix` and comes after `after`.

        `token` continues an earlier page. Raises ListingRefused for an answer that is no listing
        or is truncated without a token, BucketMissing, AccessDenied. Never reads a failure as
        an empty page.
        """
        ...

    def head(self, bucket: str, key: str) -> Head:
        """Raises ObjectMissing."""
        ...

    def get(
        self,
        bucket: str,
        key: str,
        sink: Sink,
        *,
        span: Span | None = None,
        if_match: str | None = None,
    ) -> Head:
        """Hand the bytes of the object (or of `span` of it) to `sink`, in order, each once.

        With `if_match` the store is asked for that ETag only, and the ETag of the answer is
        compared before the first byte reaches `sink`: PreconditionFailed where it is another
        one. Raises ObjectMissing, and BodyTruncated where fewer bytes came than announced.
        """
        ...

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
        """Store exactly `body.size` bytes; visible as a whole or not at all.

        `sha256` (hex) is sent along, so that a store that can refuses other bytes with
        ChecksumRefused. `Write.IF_ABSENT` raises PreconditionFailed where the key exists, in a
        store that can. An error raised by `body.chunks()` leaves nothing behind.
        """
        ...

    def put_many(self, bucket: str, members: Sequence[Member]) -> None:
        """Store many small objects by one request, where the bucket unpacks what is sent.

        The answer says nothing of single objects: prove each. An error leaves some of them, or
        none. Raises NotSupported where the store has no such request.
        """
        ...

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
        """Copy inside the store, only the revision `if_match`, with the source's attributes.

        With `attributes` these replace the source's. Raises PreconditionFailed, ObjectMissing.
        """
        ...

    def copy_many(
        self, source_bucket: str, bucket: str, copies: Sequence[Copying]
    ) -> frozenset[str]:
        """Copy many objects inside the store; the keys of which it says that they were copied.

        Whatever revision the source has by then: prove each. What it cannot speak of is left out.
        Raises NotSupported where there is no such way.
        """
        ...

    def delete(self, bucket: str, key: str) -> None:
        """Remove the object; a missing one is no error."""
        ...

    def tags(self, bucket: str, key: str) -> dict[str, str]: ...

    def create_upload(
        self,
        bucket: str,
        key: str,
        attributes: Attributes = NO_ATTRIBUTES,
        *,
        algorithm: Algorithm | None = None,
    ) -> str:
        """Begin a multipart upload; the upload id.

        With `algorithm` each part is sent under its checksum, and the whole is completed under
        that of the whole object.
        """
        ...

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
        """Store a part. A `checksum` is sent along, so that a store that can refuses other bytes
        with ChecksumRefused. Raises ObjectMissing where the upload is gone."""
        ...

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
        """A part whose bytes are a span of another object of the same store, of the revision
        `if_match` only; with the checksum that the store has computed, where it says so.

        Raises PreconditionFailed, ObjectMissing; RequestRefused by stores that compute none for
        an upload that asks for one.
        """
        ...

    def complete_upload(
        self,
        bucket: str,
        key: str,
        upload_id: str,
        parts: Sequence[Part],
        *,
        checksum: Checksum | None = None,
    ) -> Written:
        """Make the object of its parts, in order. An error inside a 200 answer is an error.

        `checksum` is that of the whole object: a store that can refuses any other with
        ChecksumRefused, and the upload stays as it was.
        """
        ...

    def abort_upload(self, bucket: str, key: str, upload_id: str) -> None:
        """Drop an upload and its parts; an unknown one is no error."""
        ...

    def list_parts(self, bucket: str, key: str, upload_id: str) -> list[Part]:
        """The parts that an upload holds, by number. Raises ObjectMissing where it is gone."""
        ...

    def list_uploads(self, bucket: str, key: str) -> list[Upload]:
        """The unfinished uploads of exactly this key, whoever began them."""
        ...

    def buckets(self) -> list[str]: ...

    def create_bucket(self, bucket: str) -> None:
        """Create it; one that is ours already is no error."""
        ...

    def is_versioned(self, bucket: str) -> bool: ...

    def close(self) -> None:
        """Close each connection. Calls under way end first or with an error."""
        ...
