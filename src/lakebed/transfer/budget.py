"""Bytes in flight are bounded by configuration: who wants to hold bytes reserves them first."""

import mmap
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile

from lakebed.errors import UsageError
from lakebed.store.cancellation import Cancellation

_POLL = 0.5
"""Seconds between two looks at the cancellation while waiting."""


@dataclass(frozen=True, slots=True, eq=False)
class _Asker:
    share: int
    idle: bool


class Budget:
    """Bytes that may be held at once, handed out in the order of asking, so that large requests
    are not starved by small ones. More than all of it is granted when nobody else holds any."""

    def __init__(self, limit: int, cancellation: Cancellation) -> None:
        if limit < 1:
            # With no byte to hold a stream would wait for ever for room.
            raise UsageError(
                f"{limit} bytes in flight move nothing",
                subject="memory",
                advice="at least 1 MiB makes sense",
            )
        self.limit = limit
        self.held = 0
        self._idle = 0
        self._cancellation = cancellation
        self._changed = threading.Condition()
        self._waiting: deque[_Asker] = deque()
        self._spare: list[mmap.mmap] = []

    @contextmanager
    def reserve(self, size: int, *, idle: bool = False) -> Iterator[None]:
        """Hold `size` bytes for the scope; raises the reason where all is to stop.

        `idle`: for as long as others have not brought what it waits for. These never wait for it,
        nor behind it, even where the limit has become less meanwhile.
        """
        asker = _Asker(min(size, self.limit), idle)
        self._acquire(asker)
        try:
            yield
        finally:
            self._release(asker)

    @contextmanager
    def buffer(self, size: int) -> Iterator[memoryview]:
        """Memory of `size` bytes, reserved for the scope; it holds whatever was in it before.

        Memory is used again, for fresh pages from the system cost half of what reading into them
        does; and it is mapped, since what an allocator keeps for each thread is beyond any budget.
        """
        asker = _Asker(min(size, self.limit), idle=False)
        spare = self._acquire(asker, size)
        try:
            memory = spare or mmap.mmap(-1, size)
            try:
                yield memoryview(memory)[:size]
            finally:
                with self._changed:
                    self._spare.append(memory)
        finally:
            self._release(asker)

    def resize(self, limit: int) -> None:
        """Bytes that may be held from now on; what is held beyond them is waited for."""
        with self._changed:
            self.limit = max(1, limit)
            self._make_room()
            self._changed.notify_all()

    def _take_spare(self, size: int) -> mmap.mmap | None:
        fitting = next((one for one in self._spare if len(one) >= size), None)
        if fitting is not None:
            self._spare.remove(fitting)
        return fitting

    def _make_room(self) -> None:
        """Let go of memory that nobody uses, where it is more than the budget leaves."""
        while self._spare and self.held + sum(map(len, self._spare)) > self.limit:
            self._spare.pop()

    def _acquire(self, asker: _Asker, size: int | None = None) -> mmap.mmap | None:
        """Memory of `size` bytes, where some is wanted and spare."""
        with self._changed:
            self._cancellation.check()
            if not self._is_next(asker):
                self._wait(asker)
            self.held += asker.share
            self._idle += asker.share if asker.idle else 0
            spare = None if size is None else self._take_spare(size)
            self._make_room()
            return spare

    def _wait(self, asker: _Asker) -> None:
        self._waiting.append(asker)
        try:
            while not self._is_next(asker):
                self._changed.wait(_POLL)
                self._cancellation.check()
        finally:
            self._waiting.remove(asker)
            self._changed.notify_all()

    def _is_next(self, asker: _Asker) -> bool:
        before = takewhile(lambda one: one is not asker, self._waiting)
        if any(asker.idle or not one.idle for one in before):
            return False
        # The limit may have become less than was asked for: then nobody else is at work.
        at_work = self.held if asker.idle else self.held - self._idle
        return at_work == 0 or self.held + asker.share <= self.limit

    def _release(self, asker: _Asker) -> None:
        with self._changed:
            self.held -= asker.share
            self._idle -= asker.share if asker.idle else 0
            if self._waiting:
                self._changed.notify_all()
