"""A thousand callers watch one sync, and some of them read nothing."""

import asyncio
import socket
import sys
import time

from bench.service.asking import OPERATIONS, SYNC, connected, percentile
from bench.service.overhead import quiet
from bench.service.serving import Replica, serving, told

STREAMS, DEAF = 1000, 20
SMALL = 4096
"""Bytes that the kernel takes for one that reads nothing."""


class Watcher(asyncio.Protocol):
    """One stream, and when each of its events arrived."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._raw, self._text = bytearray(), b""
        self._in_head = True
        self.arrived: dict[int, float] = {}
        self.is_orderly = True
        self.summary = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(f"GET {self._path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        self._raw += data
        if self._in_head:
            head, end, rest = self._raw.partition(b"\r\n\r\n")
            if not end:
                return
            assert head.startswith(b"HTTP/1.1 200"), head
            self._raw, self._in_head = bytearray(rest), False
        while (chunk := self._chunk()) is not None:
            *blocks, self._text = (self._text + chunk).split(b"\n\n")
            for block in blocks:
                self._take(block)

    def _chunk(self) -> bytes | None:
        size, end, _ = self._raw.partition(b"\r\n")
        length = int(size, 16) if end else 0
        start = len(size) + 2
        if not length or len(self._raw) < start + length + 2:
            return None
        chunk = bytes(self._raw[start : start + length])
        del self._raw[: start + length + 2]
        return chunk

    def _take(self, block: bytes) -> None:
        if block.startswith(b":"):
            return
        first, kind, _ = block.split(b"\n", 2)
        number = int(first.removeprefix(b"id: "))
        if kind == b"event: summary":
            self.summary.set_result(number)
            return
        self.is_orderly &= number == len(self.arrived) + 1
        self.arrived[number] = time.perf_counter()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.summary.done():
            self.summary.set_result(0)


async def opened(replica: Replica, path: str, *, reads: bool = True) -> Watcher:
    made = socket.socket()
    if not reads:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    made.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(made, (replica.host, replica.port))
    _, watcher = await loop.create_connection(lambda: Watcher(path), sock=made)
    if not reads:
        watcher.transport.pause_reading()
    return watcher


async def measure(replica: Replica, source: str, target: str) -> None:
    await quiet(replica)
    before = replica.memory()
    async with connected(replica) as connection:
        asked = await connection.post(SYNC, {"source": source, "destination": target})
    path = f"{OPERATIONS}/{asked['operation_id']}/events"
    deaf = [await opened(replica, path, reads=False) for _ in range(DEAF)]
    watchers = [await opened(replica, path) for _ in range(STREAMS)]
    most = 0.0
    waiting = asyncio.gather(*(watcher.summary for watcher in watchers))
    while not waiting.done():
        most = max(most, replica.memory())
        await asyncio.wait([waiting], timeout=1.0)
    _tell(watchers, waiting.result())
    told("memory before, MB", before)
    told("memory with streams, MB", most)
    for watcher in (*deaf, *watchers):
        watcher.transport.abort()


def _tell(watchers: list[Watcher], numbers: list[int]) -> None:
    newest = max(numbers)
    whole = sum(watcher.is_orderly and len(watcher.arrived) == newest for watcher in watchers)
    told("events each", newest)
    told("streams that got all", whole)
    # Only of what came once all were there.
    since = max(min(watcher.arrived.values(), default=0.0) for watcher in watchers)
    late = [
        max(times) - min(times)
        for number in range(1, newest + 1)
        if (times := [watcher.arrived.get(number, 0.0) for watcher in watchers])
        and min(times) > since
    ]
    told("last reader behind the first p95, s", percentile(late, 0.95) if late else 0.0)


def main() -> None:
    # One caller is all of them here.
    with serving(streams=str(STREAMS + DEAF)) as replica:
        asyncio.run(measure(replica, *sys.argv[1:3]))


if __name__ == "__main__":
    main()
