"""The page that is open to everybody: it makes a session of a code or a key."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from lakebed.executor.callers import At
from lakebed.executor.console.pages import SIGN_IN, PageRoute, page, way_back

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get(SIGN_IN)
async def sign_in(
    request: Request, at: At, wanted: Annotated[str, Query(alias="next", max_length=4096)] = "/"
) -> HTMLResponse:
    """A code may come behind the `#` of the address, which no server and no log ever sees."""
    has_oidc = at.reception.offers_login
    return page(request, "sign_in.html", None, back=way_back(wanted), has_oidc=has_oidc)
