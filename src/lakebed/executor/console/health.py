"""How the executor and all that it needs are."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from lakebed.executor.callers import At, Who
from lakebed.executor.console.pages import PageRoute, page
from lakebed.executor.routes import infrastructure as api

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/console/health")
async def health(request: Request, who: Who, at: At) -> HTMLResponse:
    """Each component as it says of itself."""
    return page(request, "health.html", who, found=await api.status(who, at))
