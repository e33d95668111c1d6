"""A client that costs little: HTTP over plain sockets, as often a second as it is told."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.service.serving import Replica

Json = dict[str, object]
SYNC, OPERATIONS = "/api/v1/sync", "/api/v1/operations"


@dataclass(frozen=True, slots=True)
class Connection:
    """One that is kept open from request to request."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, method: str, path: str, body: Json | None = None) -> tuple[int, bytes]:
        """Status and body of the answer."""
        sent = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(sent)}\r\n"
        kind = "Content-Type: application/json\r\n" if sent else ""
        self.writer.write(f"{head}{kind}\r\n".encode() + sent)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.partition(b":")[2])
            for line in answer.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        )
        return int(answer[9:12]), await self.reader.readexactly(length)

    async def post(self, path: str, body: Json) -> Json:
        status, answer = await self.ask("POST", path, body)
        assert status == 202, answer
        found: Json = json.loads(answer)
        return found

    async def get(self, path: str) -> Json:
        status, answer = await self.ask("GET", path)
        assert status == 200, answer
        found: Json = json.loads(answer)
        return found


@asynccontextmanager
async def connected(replica: Replica) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection(replica.host, replica.port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()


async def events(replica: Replica, operation_id: str, after: int = 0) -> AsyncIterator[bytes]:
    """The events of an operation as they come, each as its lines, until the stream ends."""
    reader, writer = await asyncio.open_connection(replica.host, replica.port, limit=2**24)
    path = f"{OPERATIONS}/{operation_id}/events"
    last = f"Last-Event-ID: {after}\r\n" if after else ""
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{last}\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        rest = b""
        while length := int(await reader.readuntil(b"\r\n"), 16):
            rest += (await reader.readexactly(length + 2))[:-2]
            *whole, rest = rest.split(b"\n\n")
            for block in whole:
                if not block.startswith(b":"):
                    yield block
    finally:
        writer.close()


async def ended(replica: Replica, operation_id: str) -> None:
    """Wait for the end of an operation, which must have gone well."""
    last = b""
    async for block in events(replica, operation_id):
        last = block
    assert b"event: summary" in last, last
    assert b'"state": "completed"' in last, last


async def paced(replica: Replica, path: str, rate: float, over: asyncio.Event) -> list[float]:
    """Ask for `path` `rate` times a second until it is `over`: seconds of each, in order.

    Counted from the moment at which it was to be sent: what waits in line counts too.
    """
    took: list[float] = []
    began, turn = time.perf_counter(), 0
    workers: asyncio.Queue[float | None] = asyncio.Queue()

    async def work() -> None:
        async with connected(replica) as connection:
            while (due := await workers.get()) is not None:
                status, _ = await connection.ask("GET", path)
                assert status == 200, status
                took.append(time.perf_counter() - due)

    async with asyncio.TaskGroup() as tasks:
        each = [tasks.create_task(work()) for _ in range(16)]
        while not over.is_set():
            due = began + turn / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            workers.put_nowait(due)
            turn += 1
        for _ in each:
            workers.put_nowait(None)
    return took


def percentile(values: Iterable[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
