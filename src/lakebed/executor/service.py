"""What the routes work with: one value, made at start and closed at the end."""

import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Protocol, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.requests import HTTPConnection

from lakebed.access.reception import Reception
from lakebed.api.infrastructure import Component
from lakebed.audit.heads import heads_of
from lakebed.audit.log import Log
from lakebed.database.health import Watched
from lakebed.errors import LakebedError
from lakebed.executor.admission import Admission
from lakebed.executor.auditor import Auditor
from lakebed.executor.crew import Crew
from lakebed.executor.measures import Unmeasured, measures
from lakebed.executor.plans import Plans
from lakebed.executor.remembered import Remembered
from lakebed.executor.seats import Seats
from lakebed.executor.statuses import Statuses
from lakebed.executor.stores import Stores
from lakebed.executor.streams import Streams
from lakebed.executor.tracing import Spans
from lakebed.executor.webhooks.courier import Courier
from lakebed.operations.queue import Queue
from lakebed.operations.replicas import Replica, new_replica
from lakebed.operations.run import Platform
from lakebed.settings import Settings
from lakebed.settings.master import key_for

T = TypeVar("T")
_log = logging.getLogger(__name__)
THREADS = 16
"""Threads in which requests speak to the database: more than its connections would only wait."""
LOOKED = 3.0
"""Seconds for which a look at a component is enough."""


class Subscriber(Protocol):
    """A part of a service that takes over new settings while it runs."""

    def apply(self, settings: Settings) -> None:
        """Called in the loop, so that it must not block. Raises LakebedError where it cannot: then
        all parts get the settings before again."""
        ...


@dataclass(slots=True)
class Service:
    """One replica. `settings` may be replaced while it runs, by `apply` alone."""

    settings: Settings
    platform: Platform
    queue: Queue
    crew: Crew
    streams: Streams
    statuses: Statuses
    limiter: CapacityLimiter
    audit: Auditor
    courier: Courier
    replica: Replica
    measures: Unmeasured
    database: Watched
    reception: Reception
    host: str
    """Where it listens, as it was told."""
    seats: Seats = field(default_factory=Seats)
    spans: Spans | None = None
    """Who makes a span of each request, where somebody collects them."""
    draining: bool = False
    """It is about to stop, and takes no more requests."""
    stores: Stores = field(default_factory=Stores)
    looks: Remembered[str, tuple[Component, ...]] = field(
        default_factory=lambda: Remembered(LOOKED)
    )
    """What was found of each component at the last look."""
    gauges: Remembered[str, None] = field(default_factory=lambda: Remembered(LOOKED))
    plans: Plans = field(default_factory=Plans)
    subscribers: list[Subscriber] = field(default_factory=list)

    @classmethod
    def open(
        cls,
        settings: Settings,
        address: str = "",
        host: str = "localhost",
        spans: Spans | None = None,
    ) -> "Service":
        """Raises LedgerError, ConfigurationError."""
        platform = Platform(settings)
        queue = Queue(platform.ledger.engine)
        limiter = CapacityLimiter(THREADS)
        statuses = Statuses(lambda: platform.ledger, limiter)
        streams = Streams(lambda: platform.ledger, statuses.forget)
        log = Log.open(queue.engine, key_for("audit", settings, os.environ))
        audit = Auditor(log, heads_of(settings))
        key = key_for("webhooks", settings, os.environ)
        kept = measures(settings.executor.metrics != "off")
        reception = Reception(lambda: service.settings.access, queue.engine, token_hex(8))
        service = cls(
            settings,
            platform,
            queue,
            Crew(settings, queue, Admission(reception.standing, audit), kept),
            streams,
            statuses,
            limiter,
            audit,
            Courier(settings.webhooks, platform.ledger, queue, key),
            new_replica(address, queue.now()),
            kept,
            Watched(queue.engine),
            reception,
            host,
            spans=spans,
        )
        return service

    def drain(self) -> None:
        """It is about to stop: who asks whether it is ready hears so, nothing more is claimed, and
        streams end."""
        self.draining = True
        if self.crew.running:
            _log.warning(
                "stopping: %d operations have %.0f s to end; a second signal hands them over now",
                self.crew.running,
                self.settings.executor.drain,
            )
        self.crew.close()
        self.streams.close()

    def apply(self, settings: Settings) -> None:
        """Go on with other settings, in all parts or in none. Raises LakebedError."""
        parts: list[Subscriber] = [self.platform, self.crew, self.courier, *self.subscribers]
        try:
            for part in parts:
                part.apply(settings)
        except LakebedError:
            for part in parts:
                part.apply(self.settings)
            raise
        self.settings = settings

    def do(self, action: Callable[[], T]) -> Awaitable[T]:
        """Do what may block, outside of the loop."""
        return to_thread.run_sync(action, limiter=self.limiter)


async def service_of(connection: HTTPConnection) -> Service:
    """A dependency of routes; async, or it would be called in a thread."""
    service: Service = connection.app.state.service
    return service
