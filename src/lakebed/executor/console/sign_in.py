"""The page that is open to everybody: it makes a session of a code or a key."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from lakebed.executor.callers import At
from lakebed.executor.console.pages import HEADERS, SIGN_IN, PageRoute, page, way_back

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get(SIGN_IN)
async def sign_in(
    request: Request, at: At, wanted: Annotated[str, Query(alias="next", max_length=4096)] = "/"
) -> Response:
    """A code may come behind the `#` of the address, which no server and no log ever sees."""
    back = way_back(wanted)
    if at.reception.mode == "none":
        return RedirectResponse(back, 303, HEADERS)
    return page(request, "sign_in.html", None, back=back, has_oidc=at.reception.offers_login)
