"""What the commands ask of the platform; `operations.run.Platform` is it."""

from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from lakebed.cli.display import Display
from lakebed.model.location import Location
from lakebed.model.objects import Object
from lakebed.model.operation import Decision, Request, Summary
from lakebed.model.quarantine import Quarantined
from lakebed.observe.telemetry import UNOBSERVED, Observer
from lakebed.settings import Settings
from lakebed.store.cancellation import Cancellation

if TYPE_CHECKING:
    from lakebed.operations.abandoned import AbandonedUploads
    from lakebed.operations.ledger import Ledger
    from lakebed.store.capabilities import Capabilities


class Planned(Protocol):
    """One decision of a plan. `key` is relative, `size` in bytes."""

    @property
    def decision(self) -> Decision: ...
    @property
    def key(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def reason(self) -> str: ...


class Platform(Protocol):
    """Entered around its use. Each call raises errors of `lakebed.errors`."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    @property
    def ledger(self) -> "Ledger": ...

    def sync(self, request: Request, watch: Display | None = None) -> Summary: ...

    def plan(self, request: Request) -> Iterator[Planned]: ...

    def resume(self, operation_id: str, watch: Display | None = None) -> Summary: ...

    def cancel(self, operation_id: str) -> Summary: ...

    @property
    def uploads(self) -> "AbandonedUploads": ...

    def list(self, location: Location) -> Iterator[Object]: ...

    def capabilities(self, location: Location, refresh: bool) -> "Capabilities": ...

    def quarantined(self, which: Location | None) -> Iterator[Quarantined]: ...

    def release(self, which: Location | str | None) -> int: ...

    def probed(self) -> "Iterator[tuple[Location, Capabilities]]": ...


def open_platform(
    settings: Settings, cancellation: Cancellation, observer: Observer = UNOBSERVED
) -> Platform:
    """The platform itself, imported only where a command needs it."""
    from lakebed.operations.run import Platform as Real

    return Real(settings, cancellation, observer)
