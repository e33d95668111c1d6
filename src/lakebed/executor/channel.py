"""The newest events of one operation, as frames that all of its readers share."""

import asyncio
import time
from bisect import bisect_right
from collections.abc import Iterable

from lakebed.operations.bulletin import Event

CHUNK = 32 * 1024
"""Bytes that are handed to a connection at once: what a reader that does not read may hold."""


class Reader:
    """One stream. It waits until something is new, or until nobody reads it any more."""

    __slots__ = ("_woken", "is_gone")

    def __init__(self) -> None:
        self._woken: asyncio.Future[None] | None = None
        self.is_gone = False

    async def wait(self) -> None:
        self._woken = asyncio.get_running_loop().create_future()
        try:
            await self._woken
        finally:
            self._woken = None

    def wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def leave(self) -> None:
        self.is_gone = True
        self.wake()


class Channel:
    """A ring: every event after number `since`, as far as the newest is known here.

    What is older, a reader finds in the database. Nothing here blocks, and one loop owns it.
    """

    def __init__(self, operation_id: str, asked: int) -> None:
        self.operation_id = operation_id
        self.asked = asked
        """After which number its first reader asked."""
        self.is_begun = False
        self.since = self.newest = 0
        self.readers: set[Reader] = set()
        self.summary: str | None = None
        """JSON, once it is over and all of its events are here; empty where it is gone."""
        self.may_be_over = False
        """As of the last look."""
        self.due = 0.0
        """When to look again, in monotonic seconds."""
        self.spoken = time.monotonic()
        """When there was last something to send."""
        self.pings = 0
        """How often its readers were told that they are still there."""
        self._numbers: list[int] = []
        self._frames: list[bytes] = []
        self._held = 0

    def begin(self, since: int) -> None:
        """Told once, after the first look at the database."""
        self.is_begun = True
        self.since = self.newest = since

    def add(self, events: Iterable[Event], most: int) -> None:
        """Hold these too, and let go of the oldest, so that at most so many bytes are held."""
        for event in events:
            made = frame_of(event)
            self._numbers.append(event.number)
            self._frames.append(made)
            self._held += len(made)
            self.newest = event.number
        old = 0
        while self._held > most and old < len(self._frames):
            self._held -= len(self._frames[old])
            self.since = self._numbers[old]
            old += 1
        del self._numbers[:old], self._frames[:old]

    def after(self, number: int) -> tuple[int, bytes]:
        """Frames after `number`, about CHUNK of them, and the number of the last."""
        first = bisect_right(self._numbers, number)
        last, size = first, 0
        while last < len(self._frames) and size < CHUNK:
            size += len(self._frames[last])
            last += 1
        if last == first:
            return number, b""
        if last == first + 1:  # the usual case: all readers are handed the same bytes
            return self._numbers[first], self._frames[first]
        return self._numbers[last - 1], b"".join(self._frames[first:last])

    def wake(self) -> None:
        for reader in self.readers:
            reader.wake()


def frame_of(event: Event) -> bytes:
    return frame(event.number, event.kind, event.data)


def frame(number: int, kind: str, data: str) -> bytes:
    return f"id: {number}\nevent: {kind}\ndata: {data}\n\n".encode()
