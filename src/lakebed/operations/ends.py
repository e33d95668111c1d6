"""The two ends of an operation, opened: stores, what their buckets can do, one budget."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from lakebed.model.location import Location
from lakebed.model.operation import Kind, Request
from lakebed.operations.ledger import Ledger
from lakebed.settings import Settings
from lakebed.store.build import open_store
from lakebed.store.cancellation import Cancellation
from lakebed.store.capabilities import UNPROBED, Capabilities
from lakebed.store.contract import Store
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

    @contextmanager
    def store(
        self,
        location: Location,
        cancellation: Cancellation,
        *,
        retries: int = 5,
        progress: Progress | None = None,
    ) -> Iterator[Store]:
        """The store of a location, closed with the scope. Raises UnknownStore."""
        retried = progress.add_retry if progress else lambda: None
        store = open_store(
            self._settings.store(location.store),
            cancellation,
            backoff=Backoff(retries=retries),
            retried=lambda verb, error: retried(),
        )
        try:
            yield store
        finally:
            store.close()

    @contextmanager
    def sides(
        self, request: Request, cancellation: Cancellation, *, writes: bool
    ) -> Iterator[Sides]:
        """Both ends. Where the operation `writes`, the destination is probed if it was not
        within a day; a source and a plan are never written to, and so the least is assumed."""
        progress, retries = Progress(), request.options.retries
        with ExitStack() as stack:
            source, destination = (
                stack.enter_context(
                    self.store(location, cancellation, retries=retries, progress=progress)
                )
                for location in (request.source, request.destination)
            )
            probes = writes and request.kind is Kind.SYNC
            yield Sides(
                self._side(source, request.source, UNPROBED),
                self._side(
                    destination,
                    request.destination,
                    self.capabilities(destination, request.destination, cancellation, probe=probes),
                ),
                request.options,
                Budget(request.options.memory, cancellation),
                cancellation,
                progress,
            )

    def _side(self, store: Store, location: Location, found: Capabilities) -> Side:
        settings = self._settings.store(location.store)
        kept = found.without(frozenset(settings.disable))
        return Side(store, location, kept, settings.digests == "sidecar")

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
