"""Around every request: its span, its line in the log, its time in the metrics.

Only the template of a route is told, never the path of a request: whoever asks chooses that.
"""

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lakebed.access.caller import Caller
from lakebed.executor.service import Service
from lakebed.executor.tracing import traceparent_of
from lakebed.observe import catalogue
from lakebed.observe.log import carrying

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""What is told by its name; all others, which anybody can think of, are `OTHER`."""
UNMATCHED = "unmatched"
LEFT = 499
"""The status of a request whose caller left before it was answered."""
_log = logging.getLogger("lakebed.requests")


class Answer:
    """How a request is answered, as it is sent."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._seconds: float | None = None
        self.status = 500
        self.is_begun = self.is_stream = False

    def saw(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.is_begun = message["status"], True
            media = Headers(raw=message["headers"]).get("content-type", "")
            self.is_stream = media.startswith("text/event-stream")
            if self.is_stream:
                self._seconds = self._elapsed

    @property
    def _elapsed(self) -> float:
        return time.perf_counter() - self._began

    @property
    def seconds(self) -> float:
        """Until now; of a stream, until it began."""
        return self._elapsed if self._seconds is None else self._seconds


class Observed:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service
        self._streams = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        connection, answer = HTTPConnection(scope), Answer()
        method = scope["method"] if scope["method"] in METHODS else "OTHER"

        async def sent(message: Message) -> None:
            answer.saw(message)
            if answer.is_stream and message["type"] == "http.response.start":
                self._count_streams(1)
            await send(message)

        with self._span(connection, method, answer), _carried(connection):
            try:
                await self._app(scope, receive, sent)
            except asyncio.CancelledError:
                answer.status = answer.status if answer.is_begun else LEFT
                raise
            finally:
                self._tell(connection, method, answer)

    @contextmanager
    def _span(self, connection: HTTPConnection, method: str, answer: Answer) -> Iterator[None]:
        spans = self._service.spans
        if spans is None:
            yield
            return
        with spans.request(connection, method) as span:
            try:
                yield
            finally:
                spans.answered(span, method, route_of(connection.scope), answer.status)

    def _tell(self, connection: HTTPConnection, method: str, answer: Answer) -> None:
        route, status, seconds = route_of(connection.scope), answer.status, answer.seconds
        if answer.is_stream:
            self._count_streams(-1)
        self._service.measures.observe(
            catalogue.HTTP_SECONDS, seconds, method, route, f"{status // 100}xx"
        )
        if _log.isEnabledFor(logging.INFO):
            told = {
                "method": method,
                "route": route,
                "status": status,
                "seconds": round(seconds, 6),
            }
            with _carried(connection):
                _log.info("%s %s %d", method, route, status, extra={"request": told})

    def _count_streams(self, more: int) -> None:
        self._streams += more
        self._service.measures.set(catalogue.STREAMS, self._streams)


def route_of(scope: Scope) -> str:
    """The template of the route that a request took."""
    return getattr(scope.get("route"), "path", UNMATCHED)


@contextmanager
def _carried(connection: HTTPConnection) -> Iterator[None]:
    """What is known of the request by now: who asks and of which operation, once it was found."""
    _, trace_id, span_id, _ = traceparent_of(connection).split("-")
    state = connection.state
    operation_id = connection.scope.get("path_params", {}).get("operation_id", "")
    named = getattr(state, "operation_id", operation_id)
    caller: Caller | None = getattr(state, "caller", None)
    with carrying(named, trace_id, span_id, caller.id if caller else ""):
        yield
