"""What it takes to do an operation, and to see one."""

from lakebed.access.caller import Caller
from lakebed.access.permission import Permission
from lakebed.model.operation import Kind, Request


def check_request(caller: Caller, request: Request, priority: int = 0) -> None:
    """Whether the caller may do this; its locations name their stores. Raises Forbidden."""
    caller.check(Permission.SYNC_EXECUTE)
    caller.check_read([request.source])
    if request.kind is Kind.VERIFY:
        caller.check_read([request.destination])
        return
    caller.check_write([request.destination])
    if request.options.delete or request.options.delete_source:
        caller.check(Permission.SYNC_DELETE)
    if request.options.delete_source:
        caller.check_write([request.source])
    if priority > 0:
        caller.check(Permission.SYNC_PRIORITIZE)


def check_plan(caller: Caller, request: Request) -> None:
    """Whether the caller may ask what an operation would do; nothing is written. Raises
    Forbidden."""
    if not caller.may(Permission.OPERATIONS_READ):
        caller.check(Permission.SYNC_EXECUTE)
    caller.check_read([request.source, request.destination])


def may_see(caller: Caller, request: Request) -> bool:
    """Whether the caller may read of an operation like this one."""
    return (
        caller.may(Permission.OPERATIONS_READ)
        and caller.may_read(request.source)
        and caller.may_read(request.destination)
    )
