"""Asking this executor's own API, as whoever looks at a page: same checks, same limits."""

from fastapi import Request
from httpx2 import ASGITransport, AsyncClient
from starlette.exceptions import HTTPException

from lakebed.errors import Unauthenticated

Json = dict[str, object]
_PASSED_ON = ("authorization", "cookie", "host", "traceparent")


async def ask(request: Request, path: str, **query: str) -> Json:
    """Raises HTTPException with the detail of the problem, Unauthenticated."""
    headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
    transport = ASGITransport(request.app, client=request.client or ("127.0.0.1", 0))
    async with AsyncClient(transport=transport, base_url=str(request.base_url)) as client:
        answer = await client.get(path, params=query, headers=headers)
    told: Json = answer.json()
    if answer.status_code == 401:
        raise Unauthenticated(str(told.get("title", "")))
    if not answer.is_success:
        raise HTTPException(answer.status_code, str(told.get("detail", "")))
    return told
