"""A bounded set of threads in a scope: nothing that was begun in it outlives it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from lakebed.errors import Interrupted, LakebedError, UsageError
from lakebed.store.cancellation import Cancellation

_POLL = 0.5
"""Seconds between two looks at the cancellation while waiting for a free place."""


class Workers:
    """`count` threads and as many places to wait, so that a fast planner is held back.

    A LakebedError that leaves an action stops the rest; anything else is a defect, stops the
    rest too, and is raised when the scope is left.
    """

    def __init__(self, count: int, cancellation: Cancellation) -> None:
        if count < 1:
            raise UsageError(
                f"{count} objects in flight move nothing", subject="concurrency", advice="1 or more"
            )
        self._cancellation = cancellation
        self._places = threading.BoundedSemaphore(2 * count)
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="lakebed-lane")
        self._defect: BaseException | None = None

    def submit(self, action: Callable[[], None]) -> None:
        """Have `action` done; waits for a place, and raises the reason once all is to stop."""
        while not self._places.acquire(timeout=_POLL):
            self._cancellation.check()
        self._cancellation.check()
        self._pool.submit(self._run, action)

    def _run(self, action: Callable[[], None]) -> None:
        try:
            if not self._cancellation.stopped:
                action()
        except LakebedError as error:
            self._cancellation.stop(error)
        except BaseException as defect:
            self._defect = self._defect or defect
            self._cancellation.stop(Interrupted("stopped by a defect"))
        finally:
            self._places.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            reason = error if isinstance(error, LakebedError) else Interrupted("stopped")
            self._cancellation.stop(reason)
        self._pool.shutdown(wait=True)
        if self._defect is not None:
            raise self._defect
        if error is None:
            self._cancellation.check()
