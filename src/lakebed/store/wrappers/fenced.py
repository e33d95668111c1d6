"""Nothing leaves a process whose operation another one has taken over, as far as it can know."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from lakebed.store.contract import Store
from lakebed.store.wrappers.forwarding import Forwarding

T = TypeVar("T")
WRITES = frozenset(
    {
        "put",
        "put_many",
        "copy",
        "copy_many",
        "create_upload",
        "upload_part",
        "copy_part",
        "complete_upload",
        "abort_upload",
    }
)
"""What brings or tidies up: made again, it does no harm, so that little is asked before it."""


class Fence(Protocol):
    """The right to act. Both raise LeaseLost where it is another's."""

    def expect(self) -> None:
        """It costs nothing as long as this process was not stopped."""
        ...

    def confirm(self) -> None:
        """It asks."""
        ...


class Fenced(Forwarding):
    """Next to the wire, so that each attempt is asked for, after all that it has waited for."""

    def __init__(self, inner: Store, fence: Fence) -> None:
        super().__init__(inner)
        self._fence = fence

    def _call(self, verb: str, subject: str, action: Callable[[], T], sent: int = 0) -> T:
        if verb == "delete":
            self._fence.confirm()
        elif verb in WRITES:
            self._fence.expect()
        return action()
