"""A client of an executor that answers what a test says, one answer after another."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import httpx2

from lakebed.api.client import Client

URL = "http://executor.test"
Answer = httpx2.Response | Exception


@dataclass
class Scripted:
    """Once there are no more answers, the last is given again."""

    answers: Sequence[Answer]
    requests: list[httpx2.Request] = field(default_factory=list)

    def client(self, patience: float = 60.0, token: str | None = None) -> Client:
        transport = httpx2.MockTransport(self._answer)
        return Client(URL, token=token, patience=patience, transport=transport)

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        self.requests.append(request)
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


def problem(status: int, code: str, detail: str = "it failed", **headers: str) -> httpx2.Response:
    told = {
        "type": f"urn:lakebed:problem:{code}",
        "title": detail,
        "status": status,
        "detail": detail,
        "code": code,
        "retryable": status in (429, 503),
        "trace_id": "0" * 32,
    }
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(status, json=told, headers=named)


def stream(*pieces: str | Exception, media: str = "text/event-stream") -> httpx2.Response:
    """An answer that comes in pieces, and may break off."""

    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece.encode()

    return httpx2.Response(200, content=body(), headers={"Content-Type": media})


def event(number: int, kind: str, data: object = None) -> str:
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps(data or {})}\n\n"


BROKEN = httpx2.ReadError("reset by peer")
