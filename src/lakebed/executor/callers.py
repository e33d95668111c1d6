"""Who asks: a dependency of every route that is not open to all."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from lakebed.access.caller import LOCAL, Caller
from lakebed.executor.auditing import asked
from lakebed.executor.service import Service, service_of


async def caller_of(connection: HTTPConnection) -> Caller:
    """The caller of a request. Raises Unauthenticated, TooManyRequests."""
    connection.state.caller = LOCAL
    await asked(connection)
    return LOCAL


Who = Annotated[Caller, Depends(caller_of)]
At = Annotated[Service, Depends(service_of)]
