"""What a sync would do: `POST /api/v1/plan`."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from lakebed.access.permits import check_plan, check_stores
from lakebed.api.planned import LINE_SCHEMA
from lakebed.api.requests import PlanRequest
from lakebed.errors import LakebedError
from lakebed.executor import problems
from lakebed.executor.callers import At, Known, Who
from lakebed.model import operation

router = APIRouter(tags=["operations"], route_class=Known)
LINES = "application/x-ndjson"
LOOK = 0.5
"""Seconds between two looks at whether the caller still waits."""


class PlanResponse(StreamingResponse):
    """Lines of JSON; the plan ends when the caller leaves."""

    media_type = LINES

    def __init__(self, pieces: AsyncGenerator[bytes]) -> None:
        super().__init__(pieces, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._pieces):
            await super().__call__(scope, receive, send)


@router.post(
    "/api/v1/plan",
    status_code=200,
    response_class=PlanResponse,
    responses={200: {"content": {LINES: {"x-itemSchema": LINE_SCHEMA}}}},
)
async def plan(body: PlanRequest, http: Request, who: Who, at: At) -> PlanResponse:
    """What a sync would do, object by object; nothing is written.

    One JSON object a line: a `decision` for each object, the `summary` last. What fails before the
    first line is a problem as ever, after it a last line `error` with a problem's fields.
    """

    def checked() -> operation.Request:
        request = body.request(at.settings.executor.memory)
        check_stores(who, request)
        request = at.platform.checked(request)
        check_plan(who, request)
        return request

    pieces = at.plans.lines(at.settings, await at.do(checked), who.id)
    first = await first_of(http, pieces)
    return PlanResponse(_all(http, first, pieces))


async def first_of(http: Request, pieces: AsyncGenerator[bytes]) -> bytes:
    """Wait for a plan to begin, for as long as somebody waits for it."""
    reading = asyncio.ensure_future(anext(pieces))
    try:
        while not reading.done():
            await asyncio.wait([reading], timeout=LOOK)
            if not reading.done() and await http.is_disconnected():
                raise ClientDisconnect
        return reading.result()
    finally:
        if not reading.done():
            reading.cancel()
            await asyncio.wait([reading])


async def _all(http: Request, first: bytes, pieces: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(pieces):
        yield first
        try:
            async for piece in pieces:
                yield piece
        except LakebedError as error:
            told = await problems.of_ours(http, error)
            yield b'{"event":"error",' + bytes(told.body).removeprefix(b"{") + b"\n"
