"""How far a run is, for whoever watches. The ledger, not this, says what is done."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Progress:
    """Counts of this run. `passed` are bytes that came through us, repeated ones included."""

    passed: int = 0
    in_flight: int = 0
    retries: int = 0
    concurrency: int = 0
    """Objects that may be in flight now."""
    listing: bool = True
    """Whether more may still be planned."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def add_passed(self, size: int) -> None:
        with self._lock:
            self.passed += size

    def add_retry(self) -> None:
        with self._lock:
            self.retries += 1

    @contextmanager
    def flying(self, objects: int) -> Iterator[None]:
        """Count `objects` as in flight for the scope."""
        with self._lock:
            self.in_flight += objects
        try:
            yield
        finally:
            with self._lock:
                self.in_flight -= objects
