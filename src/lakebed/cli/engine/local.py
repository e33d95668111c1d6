"""The engine of this process."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lakebed.cli.display import Display
from lakebed.cli.engine.engine import Shown, StoreShown
from lakebed.model.location import Location
from lakebed.model.operation import Filters, OperationState, Request, Summary
from lakebed.report.formats import Format, renderer
from lakebed.report.json_report import Row

if TYPE_CHECKING:
    from lakebed.operations.operation import Operation
    from lakebed.operations.run import Platform
    from lakebed.store.capabilities import Capabilities
    from lakebed.transfer.plan import Planned


class Local:
    def __init__(self, platform: "Platform") -> None:
        self._platform = platform

    def sync(self, request: Request, display: Display) -> Summary:
        return self._platform.sync(request, display)

    def resume(self, operation_id: str, display: Display) -> Summary:
        return self._platform.resume(operation_id, display)

    def cancel(self, operation_id: str) -> Summary:
        return self._platform.cancel(operation_id)

    def plan(self, request: Request) -> "Iterator[Planned]":
        return self._platform.plan(request)

    def operations(self, state: OperationState | None, limit: int) -> Sequence[Shown]:
        return [self._shown(one) for one in self._platform.ledger.list(state, limit)]

    def operation(self, operation_id: str) -> Shown:
        return self._shown(self._platform.ledger.get(operation_id))

    def failures(self, operation_id: str) -> Iterator[Row]:
        return self._platform.ledger.failures(operation_id)

    def report(self, operation_id: str, form: Format) -> Iterator[str]:
        ledger = self._platform.ledger
        return renderer(form)(ledger.report(operation_id), ledger.failures(operation_id))

    def stores(self) -> Sequence[StoreShown]:
        configured = self._platform.settings.stores
        return [
            StoreShown(
                store.name,
                store.url,
                store.region,
                store.authentication,
                store.addressing,
                store.digests,
                store.default,
            )
            for _name, store in sorted(configured.items())
        ]

    def probed(self) -> "Iterator[tuple[Location, Capabilities]]":
        return self._platform.probed()

    def capabilities(self, location: Location, refresh: bool) -> "Capabilities":
        return self._platform.capabilities(location, refresh)

    def _shown(self, operation: "Operation") -> Shown:
        request = operation.request
        return Shown(
            request.kind,
            str(request.source),
            str(request.destination),
            operation.created,
            operation.started,
            operation.finished,
            resumed=operation.earlier_seconds > 0,
            filtered=request.options.filters != Filters(),
            summary=self._platform.ledger.summary(operation.id),
        )
