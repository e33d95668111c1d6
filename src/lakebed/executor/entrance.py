"""What every request has to be, whoever asks: meant for this host, a write from no other origin
and in JSON. And what every answer says: how much its caller may still ask."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lakebed.executor.auditing import SAFE
from lakebed.executor.problems import ProblemResponse, refusal
from lakebed.executor.service import Service
from lakebed.settings.access import is_loopback

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Entrance:
    """Around the application; what it lets in is passed on as it is, streams too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = _refusal(Request(scope))
        if refusal is not None:
            await refusal(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            allowance = scope["state"].get("allowance")
            if message["type"] == "http.response.start" and allowance is not None:
                MutableHeaders(scope=message).update(allowance.headers())
            await send(message)

        scope.setdefault("state", {})
        await self._app(scope, receive, answer)


def _refusal(request: Request) -> ProblemResponse | None:
    service: Service = request.app.state.service
    if not _is_ours(request, service):
        return refusal(
            request,
            421,
            "the service is not known by this name (add it to `hosts` of [executor])",
        )
    if request.method in SAFE:
        return None
    if _is_foreign(request.headers, service):
        return refusal(request, 403, "a page of another origin may not write here")
    if _has_body(request.headers) and not _is_json(request.headers):
        return refusal(request, 415, "send application/json")
    return None


def _is_ours(request: Request, service: Service) -> bool:
    """A page of another name, which an attacker points at this address, is kept out so."""
    try:
        host = (urlsplit(f"//{request.headers.get('host', '')}").hostname or "").rstrip(".")
    except ValueError:  # half of an IPv6 address
        return False
    here = request.scope["server"][0] if request.scope.get("server") else ""
    known = {here, service.host.strip("[]"), *service.settings.executor.hosts}
    if is_loopback(here):
        known.update(LOOPBACK)
    if service.settings.executor.public_url:
        known.add(urlsplit(service.settings.executor.public_url).hostname or "")
    return host in known


def _is_foreign(headers: Headers, service: Service) -> bool:
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = headers.get("origin")
    if origin is None or origin == service.settings.executor.public_url:
        return False
    try:
        return urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
    except ValueError:
        return True


def _has_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _is_json(headers: Headers) -> bool:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )
