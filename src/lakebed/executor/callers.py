"""Who asks: a dependency of every route that is not open to all."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection

from lakebed.access.caller import LOCAL, Caller
from lakebed.access.rates import Allowance
from lakebed.access.sessions import Session
from lakebed.errors import Forbidden, TooManyRequests, Unauthenticated
from lakebed.executor.auditing import SAFE, asked
from lakebed.executor.auditor import address_of
from lakebed.executor.service import Service, service_of

COOKIE = "lakebed_session"
CSRF = "X-CSRF-Token"
BEARER = "bearer "


async def caller_of(connection: HTTPConnection) -> Caller:
    """The caller of a request. Raises Unauthenticated, Forbidden, TooManyRequests, IssuerAway."""
    known = await session_of(connection)
    await asked(connection)
    return known.caller


async def session_of(connection: HTTPConnection) -> Session:
    """The caller of a request, with what its writes show where a cookie says who it is."""
    found: Session | None = getattr(connection.state, "session", None)
    if found is None:  # else the entrance has looked
        found = connection.state.session = await _session(connection)
    return found


async def _session(connection: HTTPConnection) -> Session:
    at = await service_of(connection)
    if at.reception.mode == "none":
        connection.state.caller = LOCAL
        return Session(LOCAL, "")
    known = await _known(at, connection)
    connection.state.caller = known.caller
    connection.state.allowance = await spent(at, connection, known.caller)
    return known


async def shown(at: Service, connection: HTTPConnection, bearer: str) -> Caller:
    """Who shows this token or key. Raises Unauthenticated, TooManyRequests, IssuerAway."""
    try:
        if at.reception.takes_tokens(bearer):
            return await at.reception.token(bearer)
        return await at.do(lambda: at.reception.bearer(bearer))
    except Unauthenticated:
        at.reception.failures.count(address_of(connection))
        raise


async def _known(at: Service, connection: HTTPConnection) -> Session:
    given = connection.headers.get("authorization", "")
    if given.lower().startswith(BEARER):
        return Session(await shown(at, connection, given[len(BEARER) :].strip()), "")
    cookie = connection.cookies.get(COOKIE)
    if cookie is None:
        raise Unauthenticated(
            "nobody is signed in",
            advice="send a token or key as `Authorization: Bearer`, which commands find in "
            "LAKEBED_EXECUTOR_TOKEN; or sign in",
        )
    try:
        found = await at.do(lambda: at.reception.signed_in(cookie))
    except Unauthenticated:
        at.reception.failures.count(address_of(connection))
        raise
    connection.state.caller = found.caller  # refused or not
    is_write = connection.scope["method"] not in SAFE
    if is_write and not found.is_shown(connection.headers.get(CSRF, "")):
        raise Forbidden(
            f"a write of a browser shows the session's {CSRF}", advice="load the page again"
        )
    return found


async def spent(at: Service, connection: HTTPConnection, caller: Caller) -> Allowance:
    """What the caller may still ask. Raises TooManyRequests."""
    rates, limit = at.reception.rates, at.reception.limit
    try:
        held = rates.spend(caller.id, limit)
        return held if held else await at.do(lambda: rates.take(caller.id, limit))
    except TooManyRequests:
        connection.state.allowance = Allowance(limit, 0)
        raise


class Known(APIRoute):
    """A route that knows who asks before it reads a body: what nobody sent costs neither memory
    nor parsing."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            if request.method not in SAFE:
                await session_of(request)
            return await handle(request)

        return answered


Who = Annotated[Caller, Depends(caller_of)]
Signed = Annotated[Session, Depends(session_of)]
At = Annotated[Service, Depends(service_of)]
