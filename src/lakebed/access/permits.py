"""What it takes to do an operation, and to see one."""

from dataclasses import replace

from lakebed.access.caller import Caller
from lakebed.access.permission import Permission
from lakebed.errors import Forbidden
from lakebed.model.location import Location
from lakebed.model.operation import Kind, Request


def check_request(caller: Caller, request: Request, priority: int = 0) -> None:
    """Whether the caller may do this; its locations name their stores. Raises Forbidden."""
    caller.check(Permission.SYNC_EXECUTE)
    if priority > 0:
        caller.check(Permission.SYNC_PRIORITIZE)
    source, destination = _places(request)
    caller.check_read(source)
    if request.kind is Kind.VERIFY:
        caller.check_read(destination)
        return
    caller.check_write(destination)
    if request.options.delete or request.options.delete_source:
        caller.check(Permission.SYNC_DELETE)
    if request.options.delete_source:
        caller.check_write(source)


def check_stores(caller: Caller, request: Request) -> None:
    """Whether the caller may name these stores, before it is told which there are. Raises
    Forbidden."""
    for end in (request.source, request.destination):
        if end.store and not caller.touches(end.store):
            raise Forbidden(f"no grant of {caller.name} touches this store", subject=end.store)


def _places(request: Request) -> tuple[list[Location], list[Location]]:
    """Both ends, and what listed keys make of them."""
    source, destination = [request.source], [request.destination]
    for key in request.options.filters.keys or ():
        source.append(replace(request.source, path=request.source.key(key)))
        destination.append(replace(request.destination, path=request.destination.key(key)))
    return source, destination


def check_plan(caller: Caller, request: Request) -> None:
    """Whether the caller may ask what an operation would do; nothing is written. Raises
    Forbidden."""
    if not caller.may(Permission.OPERATIONS_READ):
        caller.check(Permission.SYNC_EXECUTE)
    source, destination = _places(request)
    caller.check_read([*source, *destination])


def may_see(caller: Caller, request: Request) -> bool:
    """Whether the caller may read of an operation like this one."""
    return (
        caller.may(Permission.OPERATIONS_READ)
        and caller.may_read(request.source)
        and caller.may_read(request.destination)
    )
