"""The trace that a request belongs to: that of its traceparent, else a new one."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


def traceparent_of(connection: HTTPConnection) -> str:
    """The W3C traceparent of this request, the same whenever it is asked for."""
    known: str | None = getattr(connection.state, "traceparent", None)
    if known is None:
        given = _TRACEPARENT.fullmatch(connection.headers.get("traceparent", ""))
        given = given if given and given[1].strip("0") and given[2].strip("0") else None
        trace_id = given[1] if given else secrets.token_hex(16)
        known = f"00-{trace_id}-{secrets.token_hex(8)}-{given[3] if given else '01'}"
        connection.state.traceparent = known
    return known


def trace_id_of(connection: HTTPConnection) -> str:
    return traceparent_of(connection).split("-")[1]


class Spans:
    """A span of each request, where somebody collects them: what a request starts is below it."""

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._tracer = provider.get_tracer("lakebed")
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def request(self, connection: HTTPConnection, method: str) -> Iterator["Span"]:
        """The scope of a request, whose traceparent is that of its span."""
        from opentelemetry.trace import SpanKind

        parent = self._propagator.extract(connection.headers)
        with self._tracer.start_as_current_span(
            method, parent, SpanKind.SERVER, {"http.request.method": method}
        ) as span:
            carrier: dict[str, str] = {}
            self._propagator.inject(carrier)
            connection.state.traceparent = carrier["traceparent"]
            yield span

    @staticmethod
    def answered(span: "Span", method: str, route: str, status: int) -> None:
        from opentelemetry.trace import Status, StatusCode

        span.update_name(f"{method} {route}")
        span.set_attribute("http.route", route)
        span.set_attribute("http.response.status_code", status)
        if status >= 500:
            span.set_attribute("error.type", str(status))
            span.set_status(Status(StatusCode.ERROR))
