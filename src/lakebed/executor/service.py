"""What the routes work with: one value, made at start and closed at the end."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.requests import HTTPConnection

from lakebed.api.infrastructure import Component
from lakebed.executor.crew import Crew
from lakebed.executor.measures import Unmeasured, measures
from lakebed.executor.remembered import Remembered
from lakebed.executor.stores import Stores
from lakebed.executor.tracing import Spans
from lakebed.operations.queue import Queue
from lakebed.operations.replicas import Replica, new_replica
from lakebed.operations.run import Platform
from lakebed.settings import Settings

T = TypeVar("T")
THREADS = 16
"""Threads in which requests speak to the database: more than its connections would only wait."""

LOOKED = 3.0
"""Seconds for which a look at a component is enough."""


@dataclass(slots=True)
class Service:
    """One replica. `settings` may be replaced while it runs."""

    settings: Settings
    platform: Platform
    queue: Queue
    crew: Crew
    limiter: CapacityLimiter
    replica: Replica
    measures: Unmeasured
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

    @classmethod
    def open(cls, settings: Settings, address: str = "", spans: Spans | None = None) -> "Service":
        """Raises LedgerError."""
        platform = Platform(settings)
        queue = Queue(platform.ledger.engine)
        kept = measures(settings.executor.metrics != "off")
        return cls(
            settings,
            platform,
            queue,
            Crew(settings, queue, kept),
            CapacityLimiter(THREADS),
            new_replica(address, queue.now()),
            kept,
            spans,
        )

    def do(self, action: Callable[[], T]) -> Awaitable[T]:
        """Do what may block, outside of the loop."""
        return to_thread.run_sync(action, limiter=self.limiter)


def service_of(connection: HTTPConnection) -> Service:
    """A dependency of routes."""
    service: Service = connection.app.state.service
    return service
