"""Makes each request wait until its store's pace lets it begin, and tells the pace how it ended."""

from collections.abc import Callable
from typing import TypeVar

from lakebed.model.objects import Head, Span
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import Sink, Store
from lakebed.store.pace.gate import Gate
from lakebed.store.pace.pace import Pace
from lakebed.store.wrappers.forwarding import Forwarding

T = TypeVar("T")
_READS = frozenset({"list_page", "head", "tags", "buckets", "is_versioned"})


class Paced(Forwarding):
    """At most `most` requests of a kind are in flight, whatever the pace would take; but one more
    after each 5 seconds in which none of them ended, for they may wait for what it brings."""

    def __init__(self, inner: Store, pace: Pace, most: int, cancellation: Cancellation) -> None:
        super().__init__(inner)
        self._pace, self._most, self._cancellation = pace, most, cancellation

    def _call(self, verb: str, subject: str, action: Callable[[], T], sent: int = 0) -> T:
        gate = self._pace.reads if verb in _READS else self._pace.writes
        return self._ask(gate, action, lambda result: sent)

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
