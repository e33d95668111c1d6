"""The two ends of an operation, opened: stores, what their buckets can do, one budget."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from lakebed.errors import LakebedError
from lakebed.model.location import Location
from lakebed.model.operation import Kind, Request
from lakebed.model.quantity import MAX_SIZE
from lakebed.observe.telemetry import SILENT, Telemetry
from lakebed.operations.ledger import Ledger
from lakebed.settings import Settings
from lakebed.store.build import open_store
from lakebed.store.cancellation import Cancellation
from lakebed.store.capabilities import UNPROBED, Capabilities
from lakebed.store.contract import Store
from lakebed.store.folder.unmade import to_be_made
from lakebed.store.pace.level import MOST
from lakebed.store.pace.line import Line, shared_line
from lakebed.store.pace.paces import Limits, Paces
from lakebed.store.wrappers.fenced import Fence
from lakebed.store.wrappers.retry import Backoff
from lakebed.transfer.budget import Budget
from lakebed.transfer.progress import Progress
from lakebed.transfer.sides import Side, Sides

_log = logging.getLogger("lakebed.probe")
PROBE_AGE = 86_400.0
"""Seconds for which a probe's finding is kept: a day."""


class Ends:
    """Opens stores by the settings and knows what their buckets can do."""

    def __init__(self, settings: Settings, ledger: Callable[[], Ledger]) -> None:
        self._settings, self._ledger = settings, ledger
        self._paces = Paces()
        self._line = shared_line(settings.bandwidth) if settings.bandwidth else None
        self._share = MAX_SIZE
        self._budgets: list[tuple[Budget, int]] = []

    def share(self, memory: int, bandwidth: int | None) -> None:
        """Of what several processes have together, this one has so much from now on."""
        self._share = memory
        for budget, asked in self._budgets:
            budget.resize(min(asked, memory))
        if self._line is not None and bandwidth is not None:
            self._line.resize(bandwidth)

    @contextmanager
    def _budget(self, asked: int, cancellation: Cancellation) -> Iterator[Budget]:
        entry = Budget(min(asked, self._share), cancellation), asked
        self._budgets.append(entry)
        try:
            yield entry[0]
        finally:
            self._budgets.remove(entry)

    @contextmanager
    def store(
        self,
        location: Location,
        cancellation: Cancellation,
        *,
        retries: int = 5,
        most: int | None = None,
        line: Line | None = None,
        progress: Progress | None = None,
        telemetry: Telemetry = SILENT,
        fence: Fence | None = None,
    ) -> Iterator[Store]:
        """The store of a location, closed with the scope, at the pace of its endpoint, with `most`
        requests of a kind in flight. Raises UnknownStore."""
        settings = self._settings.store(location.store)
        pace = self._paces.of(settings.url)
        pace.allow(most or MOST)

        def retried(verb: str, error: LakebedError) -> None:
            telemetry.retried(settings.name, verb, error.code)
            if progress is not None:
                progress.add_retry()

        store = open_store(
            settings,
            cancellation,
            backoff=Backoff(retries=retries),
            limits=Limits(pace, most or MOST, line or self._line),
            retried=retried,
            telemetry=telemetry,
            fence=fence,
        )
        try:
            yield store
        finally:
            store.close()

    @contextmanager
    def sides(
        self,
        request: Request,
        cancellation: Cancellation,
        *,
        writes: bool,
        telemetry: Telemetry = SILENT,
        fence: Fence | None = None,
    ) -> Iterator[Sides]:
        """Both ends, where nothing is written but under the `fence`. Where the operation `writes`,
        the destination is probed if it was not within a day; a source and a plan are never written
        to, and so the least is assumed."""
        progress, options = Progress(), request.options
        line = Line(options.bandwidth, within=self._line) if options.bandwidth else None
        with ExitStack() as stack:
            source, destination = (
                stack.enter_context(
                    self.store(
                        location,
                        cancellation,
                        retries=options.retries,
                        most=options.concurrency,
                        line=line,
                        progress=progress,
                        telemetry=telemetry,
                        fence=fence,
                    )
                )
                for location in (request.source, request.destination)
            )
            probes = writes and request.kind is Kind.SYNC
            if request.destination.is_local and request.kind is Kind.SYNC:
                destination = to_be_made(destination, request.destination.bucket, make=writes)
            yield Sides(
                self._side(source, request.source, UNPROBED),
                self._side(
                    destination,
                    request.destination,
                    self.capabilities(destination, request.destination, cancellation, probe=probes),
                ),
                request.options,
                stack.enter_context(self._budget(options.memory, cancellation)),
                cancellation,
                progress,
                telemetry,
            )

    def _side(self, store: Store, location: Location, found: Capabilities) -> Side:
        settings = self._settings.store(location.store)
        kept = found.without(frozenset(settings.disable))
        pace = self._paces.of(settings.url)
        return Side(store, location, kept, settings.digests == "sidecar", pace)

    def capabilities(
        self,
        store: Store,
        location: Location,
        cancellation: Cancellation,
        *,
        probe: bool,
        refresh: bool = False,
    ) -> Capabilities:
        """What the bucket can do: as found within a day, else by a probe where that may be."""
        where = self._where(store.name)
        text = None
        if not refresh:
            text = self._ledger().get_capabilities(where, location.bucket, PROBE_AGE)
        kept = _read(text) if text is not None else None
        if kept is not None:
            return kept
        if not probe:
            return UNPROBED
        # Most runs find what an earlier one did, and need not wait for the import.
        from lakebed.store.probe import Probe

        found = Probe(store, location.bucket, location.folder, cancellation).run()
        if found.note:
            # Not kept: whoever grants what was missing must not wait for a day.
            _log.warning("%s: %s", location, found.note)
        else:
            self._ledger().put_capabilities(where, location.bucket, found.to_json())
        return found

    def probed(self) -> Iterator[tuple[Location, Capabilities]]:
        """What probes of the configured stores found within a day."""
        named = {self._where(name): name for name in self._settings.stores}
        for where, bucket, text in self._ledger().probed(PROBE_AGE):
            kept = _read(text)
            if where in named and kept is not None:
                yield Location(named[where], bucket), kept

    def _where(self, name: str) -> str:
        """Names a store in the ledger: what was found holds for this endpoint only."""
        return f"{name} {self._settings.store(name).url}"


def _read(text: str) -> Capabilities | None:
    """None for what another version wrote and this one does not know."""
    try:
        return Capabilities.from_json(text)
    except (ValueError, KeyError):
        return None
