"""One word that stops everything: every wait of the data path ends when it is said."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from weakref import WeakSet

from lakebed.errors import Interrupted, LakebedError


class Cancellation:
    """Set once, by anybody; waited for and checked by every thread of one operation."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._stopped = False
        self._reason: LakebedError = Interrupted("stopped")
        self._grace = threading.local()
        self._children: WeakSet[Cancellation] = WeakSet()

    def child(self) -> "Cancellation":
        """One that stops with this one, and can be stopped alone: that of a single operation."""
        child = Cancellation()
        self._children.add(child)
        if self._event.is_set():
            child.stop(self._reason)
        return child

    def stop(self, reason: LakebedError) -> None:
        """Ask every thread to end; the first reason is kept. May be called by a signal handler."""
        if not self._event.is_set():
            self._reason = reason
            self._stopped = True
            self._event.set()
            for child in list(self._children):
                child.stop(reason)

    @property
    def stopped(self) -> bool:
        """Whether the calling thread is to end now."""
        # Asked for by every transfer many times a second: a plain attribute first.
        return self._stopped and time.monotonic() > self._until

    @property
    def _until(self) -> float:
        until: float = getattr(self._grace, "until", 0.0)
        return until

    def asked(self, *_: int) -> bool:
        """`stopped`, for libcurl: it asks about eight times a transfer, and each second while
        nothing comes."""
        return self._stopped and self.stopped

    @property
    def reason(self) -> LakebedError:
        """Why; meaningful once somebody called `stop`."""
        return self._reason

    def check(self) -> None:
        """Raise the reason where we are asked to stop."""
        if self.stopped:
            # Each thread raises its own: a shared one would gather everybody's frames.
            raise copy(self._reason)

    def wait(self, seconds: float) -> None:
        """Let `seconds` pass; raise the reason at once where we are asked to stop."""
        if self._event.wait(seconds):
            self.check()
            # Within a grace the pause is still one.
            time.sleep(max(0.0, min(seconds, self._until - time.monotonic())))
            self.check()

    @contextmanager
    def grace(self, seconds: float) -> Iterator[None]:
        """Let the calling thread tidy up for at most `seconds` although all is to stop."""
        self._grace.until = time.monotonic() + seconds
        try:
            yield
        finally:
            self._grace.until = 0.0
