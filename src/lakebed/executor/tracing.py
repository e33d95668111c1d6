"""The trace that a request belongs to: that of its traceparent, else a new one."""

import re
import secrets

from starlette.requests import HTTPConnection

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


def traceparent_of(request: HTTPConnection) -> str:
    """The W3C traceparent of this request, the same whenever it is asked for."""
    known: str | None = getattr(request.state, "traceparent", None)
    if known is None:
        given = _TRACEPARENT.fullmatch(request.headers.get("traceparent", ""))
        trace_id = given[1] if given and given[1].strip("0") else secrets.token_hex(16)
        known = f"00-{trace_id}-{secrets.token_hex(8)}-{given[3] if given else '01'}"
        request.state.traceparent = known
    return known


def trace_id_of(request: HTTPConnection) -> str:
    return traceparent_of(request).split("-")[1]
