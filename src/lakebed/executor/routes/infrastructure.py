"""How the service and what it needs are: `/api/v1/infrastructure`."""

from fastapi import APIRouter

from lakebed.access.caller import Caller
from lakebed.access.permission import Permission
from lakebed.api.infrastructure import Component, InfrastructureStatus
from lakebed.errors import UnknownComponent
from lakebed.executor.callers import At, Who
from lakebed.executor.components import components, overall

router = APIRouter(prefix="/api/v1/infrastructure", tags=["infrastructure"])


@router.get("/status")
async def status(who: Who, at: At) -> InfrastructureStatus:
    """Each component, looked at some seconds ago at the most, and all together."""
    who.check(Permission.INFRASTRUCTURE_READ)
    found = await components(at)
    seen = [component for component in found if _may_see(who, component.name)]
    return InfrastructureStatus(status=overall(found), components=seen)


@router.get("/components/{name}")
async def component(name: str, who: Who, at: At) -> Component:
    """One of them."""
    who.check(Permission.INFRASTRUCTURE_READ)
    for found in await components(at):
        if found.name == name and _may_see(who, name):
            return found
    raise UnknownComponent("there is no such component", subject=name)


def _may_see(who: Caller, name: str) -> bool:
    kind, _, store = name.partition(":")
    return kind != "store" or who.touches(store)
