"""Bodies of requests are bounded, in bytes and in the time that they take to come."""

import asyncio
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lakebed.executor.problems import refusal
from lakebed.executor.service import Service

SIGN_IN = 64 * 1024
"""Bytes of what signs somebody in, who is not known yet."""
DEADLINE = 60.0
"""Seconds that a body may take."""


class BodyLimit:
    """A layer around all routes. Starlette's own answers with a text, and no problem."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._service.settings.executor.body
        if scope["path"] == "/session":  # anybody's
            most = min(most, SIGN_IN)
        if _declared(scope) > most:
            refused = _too_large(most)
            answer = refusal(Request(scope), refused.status_code, refused.detail)
            answer.headers["Connection"] = "close"  # nobody reads what is still to come
            await answer(scope, receive, send)
            return
        await self._app(scope, _Bounded(receive, most).receive, send)


class _Bounded:
    """The way in of one request."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self._most = receive, most
        self._until = asyncio.get_running_loop().time() + DEADLINE
        self._taken, self._ended = 0, False

    async def receive(self) -> Message:
        if self._ended:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, "the body did not come") from None
        self._taken += len(message.get("body", b""))
        self._ended = not message.get("more_body", False)
        if self._taken > self._most:
            raise _too_large(self._most)
        return message


def _declared(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isdecimal() and len(length) < 20 else 0


def _too_large(most: int) -> HTTPException:
    return HTTPException(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {most} bytes here"
    )
