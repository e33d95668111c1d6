"""What the routes work with: one value, made at start and closed at the end."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Protocol, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.requests import HTTPConnection

from lakebed.access.reception import Reception
from lakebed.errors import LakebedError
from lakebed.executor.admission import Admission
from lakebed.executor.crew import Crew
from lakebed.executor.plans import Plans
from lakebed.executor.statuses import Statuses
from lakebed.executor.streams import Streams
from lakebed.operations.queue import Queue
from lakebed.operations.run import Platform
from lakebed.settings import Settings

T = TypeVar("T")
THREADS = 16
"""Threads in which requests speak to the database: more than its connections would only wait."""


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
    reception: Reception
    host: str
    """Where it listens, as it was told."""
    plans: Plans = field(default_factory=Plans)
    subscribers: list[Subscriber] = field(default_factory=list)

    @classmethod
    def open(cls, settings: Settings, host: str = "localhost") -> "Service":
        """Raises LedgerError."""
        platform = Platform(settings)
        engine = platform.ledger.engine
        queue = Queue(engine)
        reception = Reception(lambda: service.settings.access, engine, token_hex(8))
        crew = Crew(settings, queue, Admission(reception.standing))
        limiter = CapacityLimiter(THREADS)
        statuses = Statuses(lambda: platform.ledger, limiter)
        streams = Streams(lambda: platform.ledger, statuses.forget)
        service = cls(settings, platform, queue, crew, streams, statuses, limiter, reception, host)
        return service

    def apply(self, settings: Settings) -> None:
        """Go on with other settings, in all parts or in none. Raises LakebedError."""
        parts: list[Subscriber] = [self.platform, self.crew, *self.subscribers]
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
