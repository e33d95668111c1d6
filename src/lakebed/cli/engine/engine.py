"""What commands ask of an engine, wherever it is, and what it tells them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lakebed.cli.display import Display
from lakebed.model.location import Location
from lakebed.model.operation import Kind, OperationState, Request, Summary
from lakebed.report.formats import Format
from lakebed.report.json_report import Row

if TYPE_CHECKING:
    from lakebed.store.capabilities import Capabilities
    from lakebed.transfer.plan import Planned


@dataclass(frozen=True, slots=True)
class Shown:
    """An operation as commands show it. Moments in epoch seconds, None for what has not
    happened; `resumed`: it had several runs; `filtered`: only some objects were asked for."""

    kind: Kind
    source: str
    destination: str
    created: float
    started: float | None
    finished: float | None
    resumed: bool
    filtered: bool
    summary: Summary


class StoreShown(NamedTuple):
    store: str
    endpoint: str
    region: str
    credentials: str
    addressing: str
    digests: str
    default: bool


class Engine(Protocol):
    """Raises errors of the tree, the same ones wherever it is."""

    def sync(self, request: Request, display: Display) -> Summary: ...

    def resume(self, operation_id: str, display: Display) -> Summary: ...

    def cancel(self, operation_id: str) -> Summary: ...

    def plan(self, request: Request) -> "Iterator[Planned]": ...

    def operations(self, state: OperationState | None, limit: int) -> Sequence[Shown]:
        """The newest first."""
        ...

    def operation(self, operation_id: str) -> Shown: ...

    def failures(self, operation_id: str) -> Iterator[Row]:
        """What failed or is in quarantine, in key order."""
        ...

    def report(self, operation_id: str, form: Format) -> Iterator[str]:
        """Its lines."""
        ...

    def stores(self) -> Sequence[StoreShown]: ...

    def probed(self) -> "Iterator[tuple[Location, Capabilities]]":
        """What probes found within a day."""
        ...

    def capabilities(self, location: Location, refresh: bool) -> "Capabilities": ...
