"""Something that is read a little ahead of whoever uses it, by a thread of its own."""

import threading
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

from lakebed.errors import Interrupted, LakebedError
from lakebed.store.cancellation import Cancellation

T = TypeVar("T")
_POLL = 0.5
"""Seconds between two looks at the cancellation while waiting."""


class Ahead(Generic[T]):
    """The items of `items`, in order, `depth` of them read ahead; entered around its use.

    What `items` raises is raised after the items before it. A scope that is left by an error stops
    `cancellation`, so that no request holds it up: the thread ends with the scope.
    """

    def __init__(self, items: Iterator[T], cancellation: Cancellation, depth: int = 2) -> None:
        self._items, self._cancellation, self._depth = items, cancellation, depth
        self._changed = threading.Condition()
        self._read: deque[T] = deque()
        self._ended = self._closed = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="lakebed-ahead")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._cancellation.stop(
                error if isinstance(error, LakebedError) else Interrupted("stopped")
            )
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        with self._changed:
            while not (self._read or self._ended):
                self._changed.wait(_POLL)
                self._cancellation.check()
            if self._read:
                self._changed.notify_all()
                return self._read.popleft()
        if self._error is not None:
            raise self._error
        raise StopIteration

    def _run(self) -> None:
        try:
            for item in self._items:
                if not self._kept(item):
                    break
        except BaseException as error:
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _kept(self, item: T) -> bool:
        """Whether more is wanted, once there is room for it."""
        with self._changed:
            self._read.append(item)
            self._changed.notify_all()
            self._changed.wait_for(lambda: len(self._read) < self._depth or self._closed)
            return not self._closed
