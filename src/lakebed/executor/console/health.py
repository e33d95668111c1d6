"""How the executor and all that it needs are."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from lakebed.access.permission import Permission
from lakebed.executor.callers import Who
from lakebed.executor.console.own import ask
from lakebed.executor.console.pages import PageRoute, page

router = APIRouter(include_in_schema=False, route_class=PageRoute)
STATUS = "/api/v1/infrastructure/status"


@router.get("/console/health")
async def health(request: Request, who: Who) -> HTMLResponse:
    """Each component as it says of itself."""
    who.check(Permission.INFRASTRUCTURE_READ)
    return page(request, "health.html", who, **await ask(request, STATUS))
