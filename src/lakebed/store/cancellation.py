"""One word that stops everything: every wait of the data path ends when it is said."""

import threading
import time

from lakebed.errors import Interrupted, LakebedError


class Cancellation:
    """Set once, by anybody; waited for and checked by every thread of one operation."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._reason: LakebedError = Interrupted("stopped")

    def stop(self, reason: LakebedError) -> None:
        """Ask every thread to end; the first reason is kept."""
        if not self._event.is_set():
            self._reason = reason
            self._event.set()

    @property
    def stopped(self) -> bool:
        return self._event.is_set()

    @property
    def reason(self) -> LakebedError:
        """Why; meaningful once `stopped`."""
        return self._reason

    def check(self) -> None:
        """Raise the reason where we are asked to stop."""
        if self._event.is_set():
            raise self._reason

    def wait(self, seconds: float) -> None:
        """Let `seconds` pass; raise the reason at once where we are asked to stop."""
        if self._event.wait(seconds):
            raise self._reason


def deadline(seconds: float) -> float:
    """The monotonic time `seconds` from now."""
    return time.monotonic() + seconds
