"""The stores, what they can do, and what they hold."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from lakebed.access.permission import Permission
from lakebed.executor.callers import At, Who
from lakebed.executor.console.own import ask
from lakebed.executor.console.pages import PageRoute, page

router = APIRouter(include_in_schema=False, route_class=PageRoute)
STORES, USAGE = "/api/v1/storage/stores", "/api/v1/storage/usage"
Name = Annotated[str, Query(max_length=255)]


@router.get("/console/stores")
async def stores(request: Request, who: Who) -> HTMLResponse:
    """Every store that is configured, its buckets, and what a probe found of each."""
    who.check(Permission.STORAGE_READ)
    return page(request, "stores.html", who, **await ask(request, STORES))


@router.get("/console/usage")
async def usage(
    request: Request,
    who: Who,
    at: At,
    store: Name = "",
    bucket: Name = "",
    prefix: Annotated[str, Query(max_length=1024)] = "",
) -> HTMLResponse:
    """How much a bucket holds: it is counted, which may take a while, once a bucket is named."""
    who.check(Permission.STORAGE_READ)
    asked = {"store": store, "bucket": bucket, "prefix": prefix}
    found = await ask(request, USAGE, **asked) if bucket else None
    known = sorted(at.settings.stores)
    return page(request, "usage.html", who, found=found, known=known, **asked)
