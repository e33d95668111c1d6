"""Who asks: a dependency of every route that is not open to all."""

from typing import Annotated

from fastapi import Depends
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
    at = await service_of(connection)
    if at.reception.mode == "none":
        connection.state.caller = LOCAL
        return Session(LOCAL, "")
    known = await _known(at, connection)
    connection.state.caller = known.caller
    connection.state.allowance = await _spent(at, connection, known.caller)
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
            "nobody is signed in", advice="send a key as `Authorization: Bearer`, or sign in"
        )
    try:
        found = await at.do(lambda: at.reception.signed_in(cookie))
    except Unauthenticated:
        at.reception.failures.count(address_of(connection))
        raise
    is_write = connection.scope["method"] not in SAFE
    if is_write and not found.is_shown(connection.headers.get(CSRF, "")):
        raise Forbidden(
            f"a write of a browser shows the session's {CSRF}", advice="load the page again"
        )
    return found


async def _spent(at: Service, connection: HTTPConnection, caller: Caller) -> Allowance:
    rates, limit = at.reception.rates, at.reception.limit
    try:
        held = rates.spend(caller.id, limit)
        return held if held else await at.do(lambda: rates.take(caller.id, limit))
    except TooManyRequests:
        connection.state.allowance = Allowance(limit, 0)
        raise


Who = Annotated[Caller, Depends(caller_of)]
Signed = Annotated[Session, Depends(session_of)]
At = Annotated[Service, Depends(service_of)]
