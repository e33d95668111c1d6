"""Tells of each request: what, how long, how many bytes, how it ended. Keys of listings, too."""

import time
from collections.abc import Callable
from typing import TypeVar

from lakebed.errors import LakebedError, StoreError
from lakebed.model.objects import Head, Span
from lakebed.observe.telemetry import OK, Requested, Telemetry
from lakebed.store.contract import PAGE_LIMIT, Page, Sink, Store
from lakebed.store.wrappers.forwarding import Forwarding

T = TypeVar("T")


class Measure(Forwarding):
    """Stands below the retries, so that each attempt is a request. `server` is host and port."""

    def __init__(self, inner: Store, telemetry: Telemetry, server: str) -> None:
        super().__init__(inner)
        self._telemetry, self._server = telemetry, server

    def _call(self, verb: str, subject: str, action: Callable[[], T], sent: int = 0) -> T:
        return self._measured(verb, subject, action, _Passing(sent))

    def _measured(self, verb: str, subject: str, action: Callable[[], T], passing: "_Passing") -> T:
        began = time.perf_counter()
        code, status = "defect", None
        try:
            result = action()
            code = OK
            return result
        except LakebedError as error:
            code = error.code
            status = error.status if isinstance(error, StoreError) else None
            passing.sent = 0
            raise
        finally:
            self._telemetry.requested(
                Requested(
                    self._inner.name,
                    self._server,
                    verb,
                    subject,
                    code,
                    status,
                    time.time_ns(),
                    time.perf_counter() - began,
                    passing.sent,
                    passing.received,
                )
            )

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
        page = super().list_page(
            bucket, prefix, after=after, token=token, delimiter=delimiter, limit=limit
        )
        self._telemetry.listed(self.name, len(page.objects))
        return page

    def get(
        self,
        bucket: str,
        key: str,
        sink: Sink,
        *,
        span: Span | None = None,
        if_match: str | None = None,
    ) -> Head:
        passing = _Passing(sink=sink)
        return self._measured(
            "get",
            self._on(bucket, key),
            lambda: self._inner.get(bucket, key, passing.take, span=span, if_match=if_match),
            passing,
        )


class _Passing:
    """The bytes of one request. A body is not looked into: one in memory is sent in one piece."""

    __slots__ = ("_sink", "received", "sent")

    def __init__(self, sent: int = 0, sink: Sink = len) -> None:
        self.sent, self.received, self._sink = sent, 0, sink

    def take(self, data: bytes) -> object:
        self.received += len(data)
        return self._sink(data)
