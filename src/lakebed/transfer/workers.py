"""A bounded set of threads in a scope: nothing that was begun in it outlives it."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from lakebed.errors import Interrupted, LakebedError, UsageError
from lakebed.store.cancellation import Cancellation

_POLL = 0.5
"""Seconds between two looks at the cancellation while waiting for a free place."""
_MOST = 1024
"""Threads, whatever the width says; each is begun when it is first needed."""

Action = Callable[[], None]


class Workers:
    """As many threads as `width` says, now and then something else, and as many places to wait,
    so that a fast planner is held back.

    A LakebedError that leaves an action stops the rest; anything else is a defect, stops the
    rest too, and is raised when the scope is left.
    """

    def __init__(self, width: int | Callable[[], int], cancellation: Cancellation) -> None:
        self._width = width if callable(width) else lambda: width
        if self._width() < 1:
            raise UsageError(
                f"{self._width()} objects in flight move nothing",
                subject="concurrency",
                advice="1 or more",
            )
        self._cancellation = cancellation
        self._changed = threading.Condition(threading.Lock())
        self._waiting: deque[Action] = deque()
        self._running = 0
        self._pool = ThreadPoolExecutor(_MOST, thread_name_prefix="lakebed-lane")
        self._defect: BaseException | None = None

    def submit(self, action: Action) -> None:
        """Have `action` done; waits for a place, and raises the reason once all is to stop."""
        with self._changed:
            while self._running + len(self._waiting) >= 2 * self._width():
                self._changed.wait(_POLL)
                self._cancellation.check()
            self._cancellation.check()
            self._waiting.append(action)
            self._begin()

    def _begin(self) -> None:
        """Begin what waits, as far as the width goes."""
        while action := self._next():
            try:
                self._pool.submit(self._run, action)
            except RuntimeError as defect:
                # No thread is to be had. The pool keeps the action for one that it has.
                if self._running == 1:
                    self._running = 0
                    self._give_up(defect)
                return

    def _next(self) -> Action | None:
        if not self._waiting or self._running >= self._width():
            return None
        self._running += 1
        return self._waiting.popleft()

    def _run(self, first: Action) -> None:
        action: Action | None = first
        while action is not None:
            self._act(action)
            with self._changed:
                self._running -= 1
                action = self._next()
                self._begin()
                self._changed.notify()

    def _act(self, action: Action) -> None:
        try:
            if not self._cancellation.stopped:
                action()
        except LakebedError as error:
            self._cancellation.stop(error)
        except BaseException as defect:
            self._give_up(defect)

    def _give_up(self, defect: BaseException) -> None:
        self._defect = self._defect or defect
        self._cancellation.stop(Interrupted("stopped by a defect"))

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
        with self._changed:
            while self._running:
                self._changed.wait(_POLL)
        self._pool.shutdown(wait=True)
        if self._defect is not None:
            raise self._defect
        if error is None:
            self._cancellation.check()
