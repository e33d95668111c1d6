"""What Prometheus collects: `/metrics`."""

from fastapi import APIRouter, HTTPException, Request, Response

from lakebed.access.permission import Permission
from lakebed.executor.callers import At, caller_of
from lakebed.executor.gauges import refresh

router = APIRouter(tags=["health"])
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/metrics", response_class=Response)
async def metrics(http: Request, at: At) -> Response:
    """Metrics of this replica and of the operations that it runs, in Prometheus' text format."""
    if at.settings.executor.metrics == "off":
        raise HTTPException(404, "metrics are switched off: `metrics` of [executor]")
    if at.settings.executor.metrics != "open":
        (await caller_of(http)).check(Permission.INFRASTRUCTURE_READ)
    await at.gauges.get("all", lambda: refresh(at))
    text = await at.do(at.measures.text)
    if text is None:
        raise HTTPException(501, "metrics need a package: pip install 'lakebed[observe]'")
    return Response(text, media_type=MEDIA_TYPE)
