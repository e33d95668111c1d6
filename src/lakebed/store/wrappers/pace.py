"""Makes each request wait until its store's pace lets it begin, and tells the pace how it ended."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from lakebed.model.checksum import Checksum
from lakebed.model.objects import Attributes, Head, Part, Span, Write, Written
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import NO_ATTRIBUTES, Body, Member, Sink, Store
from lakebed.store.pace.gate import Gate
from lakebed.store.pace.pace import Pace
from lakebed.store.wrappers.forwarding import Forwarding

T = TypeVar("T")
_READS = frozenset({"list_page", "head", "tags", "buckets", "is_versioned"})


class Paced(Forwarding):
    """At most `most` requests of a kind are in flight, whatever the pace would take."""

    def __init__(self, inner: Store, pace: Pace, most: int, cancellation: Cancellation) -> None:
        super().__init__(inner)
        self._pace, self._most, self._cancellation = pace, most, cancellation

    def _call(self, verb: str, subject: str, action: Callable[[], T]) -> T:
        gate = self._pace.reads if verb in _READS else self._pace.writes
        return self._ask(gate, action, lambda result: 0)

    def _ask(self, gate: Gate, action: Callable[[], T], size_of: Callable[[T], int]) -> T:
        pace = self._pace
        began = pace.begin(gate, self._most, self._cancellation)
        try:
            result = action()
        except BaseException as error:
            pace.failed(gate, began, error)
            raise
        pace.succeeded(gate, size_of(result))
        return result

    def get(
        self,
        bucket: str,
        key: str,
        sink: Sink,
        *,
        span: Span | None = None,
        if_match: str | None = None,
    ) -> Head:
        return self._ask(
            self._pace.reads,
            lambda: self._inner.get(bucket, key, sink, span=span, if_match=if_match),
            lambda head: head.size if span is None else span.size,
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
        return self._ask(
            self._pace.writes,
            lambda: self._inner.put(
                bucket, key, body, attributes=attributes, sha256=sha256, write=write
            ),
            lambda written: body.size,
        )

    def put_many(self, bucket: str, members: Sequence[Member]) -> None:
        self._ask(
            self._pace.writes,
            lambda: self._inner.put_many(bucket, members),
            lambda _: sum(member.size for member in members),
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
        return self._ask(
            self._pace.writes,
            lambda: self._inner.upload_part(
                bucket, key, upload_id, number, body, checksum=checksum
            ),
            lambda part: body.size,
        )
