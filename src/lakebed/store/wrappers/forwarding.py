"""A store that hands every call on; a policy overrides `_call`, the one door, or a method."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from lakebed.model.checksum import Algorithm, Checksum
from lakebed.model.objects import Attributes, Head, Part, Span, Upload, Write, Written
from lakebed.store.contract import (
    NO_ATTRIBUTES,
    PAGE_LIMIT,
    Body,
    Copying,
    Member,
    Page,
    Properties,
    Sink,
    Store,
)

T = TypeVar("T")


class Forwarding:
    """Each method of the contract, passed through `_call(verb, subject, action, sent)`."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner

    def _call(self, verb: str, subject: str, action: Callable[[], T], sent: int = 0) -> T:
        """`verb` is the method's name, `subject` says on what, `action` does it and sends a body of
        `sent` bytes."""
        return action()

    def _on(self, bucket: str, key: str = "") -> str:
        return f"{self._inner.name}:{bucket}/{key}" if key else f"{self._inner.name}:{bucket}"

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def properties(self) -> Properties:
        return self._inner.properties

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
        return self._call(
            "list_page",
            self._on(bucket, prefix),
            lambda: self._inner.list_page(
                bucket, prefix, after=after, token=token, delimiter=delimiter, limit=limit
            ),
        )

    def head(self, bucket: str, key: str) -> Head:
        return self._call("head", self._on(bucket, key), lambda: self._inner.head(bucket, key))

    def get(
        self,
        bucket: str,
        key: str,
        sink: Sink,
        *,
        span: Span | None = None,
        if_match: str | None = None,
    ) -> Head:
        return self._call(
            "get",
            self._on(bucket, key),
            lambda: self._inner.get(bucket, key, sink, span=span, if_match=if_match),
        )

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
        return self._call(
            "put",
            self._on(bucket, key),
            lambda: self._inner.put(
                bucket, key, body, attributes=attributes, sha256=sha256, write=write
            ),
            body.size,
        )

    def put_many(self, bucket: str, members: Sequence[Member]) -> None:
        self._call(
            "put_many",
            self._on(bucket),
            lambda: self._inner.put_many(bucket, members),
            sum(member.size for member in members),
        )

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
        return self._call(
            "copy",
            self._on(bucket, key),
            lambda: self._inner.copy(
                source_bucket, source_key, bucket, key, if_match=if_match, attributes=attributes
            ),
        )

    def copy_many(
        self, source_bucket: str, bucket: str, copies: Sequence[Copying]
    ) -> frozenset[str]:
        return self._call(
            "copy_many",
            self._on(bucket),
            lambda: self._inner.copy_many(source_bucket, bucket, copies),
        )

    def delete(self, bucket: str, key: str) -> None:
        self._call("delete", self._on(bucket, key), lambda: self._inner.delete(bucket, key))

    def tags(self, bucket: str, key: str) -> dict[str, str]:
        return self._call("tags", self._on(bucket, key), lambda: self._inner.tags(bucket, key))

    def create_upload(
        self,
        bucket: str,
        key: str,
        attributes: Attributes = NO_ATTRIBUTES,
        *,
        algorithm: Algorithm | None = None,
    ) -> str:
        return self._call(
            "create_upload",
            self._on(bucket, key),
            lambda: self._inner.create_upload(bucket, key, attributes, algorithm=algorithm),
        )

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
        return self._call(
            "upload_part",
            self._on(bucket, key),
            lambda: self._inner.upload_part(
                bucket, key, upload_id, number, body, checksum=checksum
            ),
            body.size,
        )

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
        return self._call(
            "copy_part",
            self._on(bucket, key),
            lambda: self._inner.copy_part(
                source_bucket,
                source_key,
                bucket,
                key,
                upload_id,
                number,
                span=span,
                if_match=if_match,
            ),
        )

    def complete_upload(
        self,
        bucket: str,
        key: str,
        upload_id: str,
        parts: Sequence[Part],
        *,
        checksum: Checksum | None = None,
    ) -> Written:
        return self._call(
            "complete_upload",
            self._on(bucket, key),
            lambda: self._inner.complete_upload(bucket, key, upload_id, parts, checksum=checksum),
        )

    def abort_upload(self, bucket: str, key: str, upload_id: str) -> None:
        self._call(
            "abort_upload",
            self._on(bucket, key),
            lambda: self._inner.abort_upload(bucket, key, upload_id),
        )

    def list_parts(self, bucket: str, key: str, upload_id: str) -> list[Part]:
        return self._call(
            "list_parts",
            self._on(bucket, key),
            lambda: self._inner.list_parts(bucket, key, upload_id),
        )

    def list_uploads(self, bucket: str, key: str) -> list[Upload]:
        return self._call(
            "list_uploads",
            self._on(bucket, key),
            lambda: self._inner.list_uploads(bucket, key),
        )

    def buckets(self) -> list[str]:
        return self._call("buckets", self._inner.name, self._inner.buckets)

    def create_bucket(self, bucket: str) -> None:
        self._call("create_bucket", self._on(bucket), lambda: self._inner.create_bucket(bucket))

    def is_versioned(self, bucket: str) -> bool:
        return self._call(
            "is_versioned", self._on(bucket), lambda: self._inner.is_versioned(bucket)
        )

    def close(self) -> None:
        self._inner.close()
