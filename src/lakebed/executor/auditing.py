"""Every write and every refusal enters the audit log: a layer around all routes.

A write is entered twice: before anything is done of it, as soon as its caller is known, and with
its outcome before the answer leaves. What cannot be entered is not done, or not acknowledged.
"""

import json
import logging

from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lakebed.access.caller import Caller
from lakebed.audit.entry import Fact
from lakebed.errors import LedgerError
from lakebed.executor.auditor import address_of
from lakebed.executor.problems import of_ours
from lakebed.executor.service import Service, service_of
from lakebed.executor.tracing import trace_id_of

SAFE = ("GET", "HEAD", "OPTIONS")
NOBODY = "nobody"
"""The actor of a request whose caller is not known."""
LONGEST = 2000
"""Characters of a subject: path parameters are anybody's."""
_REFUSALS = (401, 403, 429)
_log = logging.getLogger(__name__)


async def asked(connection: HTTPConnection) -> None:
    """Enter a write before it is done, its caller known.

    Raises LedgerError: then it is not done.
    """
    if connection.scope.get("method", "GET") in SAFE:
        return
    at = await service_of(connection)
    fact = _fact(connection, "asked", {})
    connection.state.asked = await at.do(lambda: at.audit.enter(fact))


class Audited:
    """The layer. It sees each answer before its first byte leaves."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(self._service, Request(scope, receive), send)
        try:
            await self._app(scope, receive, answer.send)
        except Exception:
            await answer.failed()
            raise


class _Answer:
    """The way out of one request."""

    def __init__(self, service: Service, request: Request, send: Send) -> None:
        self._service, self._request, self._send = service, request, send
        self._begun = self._replaced = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and not self._begun:
            self._begun = True
            await self._enter(int(message["status"]))
        if not self._replaced:
            await self._send(message)

    async def failed(self) -> None:
        if not self._begun:
            self._begun = True
            await self._enter(500)

    async def _enter(self, status: int) -> None:
        request, at = self._request, self._service
        was_asked: int | None = getattr(request.state, "asked", None)
        status = getattr(request.state, "refused", status)  # where a page leads to the sign-in
        is_write = request.method not in SAFE or getattr(request.state, "is_write", False)
        if not (is_write or status in _REFUSALS):
            return
        if was_asked is None and status >= 300 and not self._admitted(status):
            return
        word = "did" if status < 400 else "refused" if status < 500 else "failed"
        about = {"status": status} | ({"asked": was_asked} if was_asked else {})
        fact = _fact(request, word, about)
        try:
            await at.do(lambda: at.audit.enter(fact))
        except LedgerError as error:
            if word != "did":  # nothing was done: to say so is safe
                _log.warning("not in the audit log: %s: %s", fact.action, error)
                return
            self._replaced = True
            await (await of_ours(request, error))(request.scope, request.receive, self._send)

    def _admitted(self, status: int) -> bool:
        """Whether a refusal is entered by itself: a flood of them is only counted."""
        who = _caller(self._request)
        origin = who.id if who else address_of(self._request)
        most = self._service.settings.audit.refusals
        return self._service.audit.refusals.admits(origin, status, most)


def _fact(connection: HTTPConnection, word: str, about: dict[str, int]) -> Fact:
    """No header, no query and no body of the request is in it: they may hold secrets."""
    scope, who = connection.scope, _caller(connection)
    template = getattr(scope.get("route"), "path", "(no route)")
    subject = getattr(connection.state, "subject", "") or " ".join(
        str(value) for value in scope.get("path_params", {}).values()
    )
    told = {**about, "address": address_of(connection), "trace": trace_id_of(connection)}
    return Fact(
        actor=who.id if who else NOBODY,
        action=f"{word} {scope.get('method')} {template}",
        subject=subject[:LONGEST],
        detail=json.dumps(told),
    )


def _caller(connection: HTTPConnection) -> Caller | None:
    found: Caller | None = getattr(connection.state, "caller", None)
    return found
