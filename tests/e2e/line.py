"""What a network does to what passes through a gateway: each fault is a small value.

    with Gateway(upstream, line=Resets(share=0.01, seed=7)) as gateway:

A fault is told of each request and is handed each piece of a body, on the thread that passes it on,
and may wait, break the connection or close half of it, with the piece passed on or not. What
happens to request number N follows from the seed and N alone.
"""

import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field


class Broken(ConnectionError):
    """The line broke the connection."""


@dataclass(slots=True)
class Way:
    """One connection of a client. `number` is that of its last request at the gateway, from 1;
    `passed` the bytes of that request's body and answer so far."""

    client: socket.socket
    closing: threading.Event
    number: int = 0
    passed: int = 0
    is_reset: bool = False

    def wait(self, seconds: float | None) -> None:
        """For so long, or until the gateway closes; None: for ever."""
        if self.closing.wait(seconds):
            raise Broken

    def reset(self) -> None:
        """End it without a goodbye: the client sees a reset connection."""
        self.is_reset = True
        with suppress(OSError):
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.client.shutdown(socket.SHUT_RD)  # wakes who reads, which then closes it
        raise Broken

    def half_close(self) -> None:
        """Say goodbye to the client, and go on listening to it."""
        with suppress(OSError):
            self.client.shutdown(socket.SHUT_WR)
        raise Broken


Send = Callable[[bytes], None]


class Line:
    """A sound line."""

    def request(self, way: Way) -> None:
        """Before a request is passed on."""

    def piece(self, way: Way, data: bytes, send: Send) -> None:
        """Pass on a piece of a request's body or of an answer."""
        send(data)


@dataclass(frozen=True)
class Late(Line):
    """Each request takes `seconds` longer, and up to `jitter` more."""

    seconds: float
    jitter: float = 0.0
    seed: int = 0

    def request(self, way: Way) -> None:
        way.wait(self.seconds + self.jitter * _draw(self.seed, way.number).random())


_AFTER = (0, 100, 1000, 64 * 1024)
"""Bytes after which a connection may be lost: in an answer's head, in a body, in a large one."""


@dataclass(frozen=True)
class Resets(Line):
    """A share of the requests loses its connection: before it is passed on, or in its middle."""

    share: float
    seed: int = 0

    def is_hit(self, number: int) -> bool:
        return _draw(self.seed, number).random() < self.share

    def request(self, way: Way) -> None:
        if self.is_hit(way.number) and way.number % 3 == 0:
            way.reset()

    def piece(self, way: Way, data: bytes, send: Send) -> None:
        after = _draw(self.seed, -way.number).choice(_AFTER)
        if self.is_hit(way.number) and way.passed + len(data) > after:
            way.reset()
        send(data)


@dataclass
class Cut(Line):
    """Of these requests `after` bytes pass, and then no more. `struck` are those that were cut."""

    numbers: Collection[int]
    after: int = 0
    struck: list[int] = field(default_factory=list)

    def piece(self, way: Way, data: bytes, send: Send) -> None:
        if way.number in self.numbers and way.passed + len(data) > self.after:
            send(data[: max(0, self.after - way.passed)])
            self.struck.append(way.number)
            self.cut(way)
        send(data)

    def cut(self, way: Way) -> None:
        """Raises Broken, at once or once the gateway closes."""
        raise NotImplementedError


class Stall(Cut):
    """Nothing more comes, and nobody says so."""

    def cut(self, way: Way) -> None:
        way.wait(None)


class HalfClosed(Cut):
    """The answer ends, while the client may go on."""

    def cut(self, way: Way) -> None:
        way.half_close()


@dataclass
class Narrow(Line):
    """So many bytes a second, for all connections and both directions together."""

    rate: float
    _free: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def piece(self, way: Way, data: bytes, send: Send) -> None:
        now = time.monotonic()
        with self._lock:
            self._free = max(now, self._free) + len(data) / self.rate
            wait = self._free - now
        way.wait(wait)
        send(data)


def _draw(seed: int, number: int) -> random.Random:
    return random.Random(seed * 1_000_003 + number)
