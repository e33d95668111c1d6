"""Keeps the bodies that are read and sent within the line that the process was given.

Headers, listings and what the store copies by itself are not counted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lakebed.model.checksum import Checksum
from lakebed.model.objects import Attributes, Head, Part, Span, Write, Written
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import NO_ATTRIBUTES, Body, Buffer, Member, Sink, Store
from lakebed.store.pace.line import Line
from lakebed.store.wrappers.forwarding import Forwarding


class Bandwidth(Forwarding):
    """Bodies wait for the line: what comes after it came, what goes before it goes."""

    def __init__(self, inner: Store, line: Line, cancellation: Cancellation) -> None:
        super().__init__(inner)
        self._line, self._cancellation = line, cancellation

    def get(
        self,
        bucket: str,
        key: str,
        sink: Sink,
        *,
        span: Span | None = None,
        if_match: str | None = None,
    ) -> Head:
        def take(data: bytes) -> None:
            self._line.receive(len(data), self._cancellation)
            sink(data)

        return self._inner.get(bucket, key, take, span=span, if_match=if_match)

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
        sent = self._slowed(body)
        return self._inner.put(bucket, key, sent, attributes=attributes, sha256=sha256, write=write)

    def put_many(self, bucket: str, members: Sequence[Member]) -> None:
        self._line.send(sum(member.size for member in members), self._cancellation)
        self._inner.put_many(bucket, members)

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
        slowed = self._slowed(body)
        return self._inner.upload_part(bucket, key, upload_id, number, slowed, checksum=checksum)

    def _slowed(self, body: Body) -> Body:
        if isinstance(body, Buffer):
            # It is sent in one piece: it waits before, and not while the store listens.
            self._line.send(body.size, self._cancellation)
            return body
        return _Slowed(body, self._line, self._cancellation)


@dataclass(frozen=True, slots=True)
class _Slowed:
    """A body whose chunks wait for the line."""

    body: Body
    line: Line
    cancellation: Cancellation

    @property
    def size(self) -> int:
        return self.body.size

    def chunks(self) -> Iterator[bytes]:
        for chunk in self.body.chunks():
            self.line.send(len(chunk), self.cancellation)
            yield chunk
