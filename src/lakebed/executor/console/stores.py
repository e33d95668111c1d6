"""The stores, what they can do, and what they hold."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from lakebed.access.permission import Permission
from lakebed.executor.callers import At, Who
from lakebed.executor.console.pages import PageRoute, page
from lakebed.executor.routes import storage as api

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/console/stores")
async def stores(request: Request, who: Who, at: At) -> HTMLResponse:
    """Every store that the caller may use, its buckets, and what a probe found of each."""
    found = await api.stores(who, at)
    return page(request, "stores.html", who, stores=found.stores)


@router.get("/console/usage")
async def usage(
    request: Request,
    who: Who,
    at: At,
    store: api.StoreName = "",
    bucket: Annotated[str, Query(max_length=255, pattern="^[^/]*$")] = "",
    prefix: api.Prefix = "",
) -> HTMLResponse:
    """How much a bucket holds: it is counted once a bucket is named."""
    who.check(Permission.STORAGE_READ)
    found = await api.usage(bucket, who, at, store, prefix) if bucket else None
    return page(
        request,
        "usage.html",
        who,
        found=found,
        store=store,
        bucket=bucket,
        prefix=prefix,
        known=[one.store for one in (await api.stores(who, at)).stores],
    )
