"""The paces of a process, one for each endpoint, and the limits of one operation within them."""

import threading
from dataclasses import dataclass, field

from lakebed.store.pace.level import MOST
from lakebed.store.pace.line import Line
from lakebed.store.pace.pace import Pace


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds the requests of one operation to one store."""

    pace: Pace = field(default_factory=Pace)
    most: int = MOST
    """Requests of a kind in flight, at the most (`--concurrency`)."""
    line: Line | None = None
    """The process's share of the network (`--bandwidth`); None: all of it."""


class Paces:
    """Hands out the pace of an endpoint: the same one to everybody."""

    def __init__(self) -> None:
        self._paces: dict[str, Pace] = {}
        self._lock = threading.Lock()

    def of(self, url: str) -> Pace:
        with self._lock:
            return self._paces.setdefault(url, Pace())
