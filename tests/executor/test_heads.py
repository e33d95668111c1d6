"""The head of a request is bounded: in bytes, and in the time that it takes to come."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from lakebed.executor import serve
from lakebed.executor.serve import HEAD, _Protocol

SOON = 30.0
LINE = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _length(_scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers how many bytes a body has."""
    length, more = 0, True
    while more:
        message = await receive()
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    told = str(length).encode()
    headers = [(b"content-length", str(len(told)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": told})


@asynccontextmanager
async def listening() -> AsyncIterator[int]:
    """The port at which it answers."""
    config = uvicorn.Config(_length, log_config=None, lifespan="off")
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    async with asyncio.timeout(SOON), server:
        yield server.sockets[0].getsockname()[1]
        for connection in list(state.connections):
            connection.transport.close()


async def opened(port: int) -> Ends:
    return await asyncio.open_connection("127.0.0.1", port)


async def answered(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The first line of an answer, and its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    return head.split(b"\r\n")[0], await reader.readexactly(length)


async def until_closed(ends: Ends) -> bytes:
    reader, writer = ends
    told = await reader.read()
    writer.close()
    return told


@pytest.mark.parametrize("piece", [b"X-Long: " + b"x" * 1000 + b"\r\n", b"x" * 1000])
def test_a_head_that_does_not_end_is_refused(piece: bytes) -> None:
    async def send() -> bytes:
        async with listening() as port:
            reader, writer = await opened(port)
            writer.write(LINE if piece.endswith(b"\n") else LINE + b"X-Long: ")
            for _ in range(HEAD // len(piece) + 2):
                writer.write(piece)
            await writer.drain()
            return await until_closed((reader, writer))

    assert asyncio.run(send()).startswith(b"HTTP/1.1 400 ")


def test_a_body_is_no_head_however_long_and_in_however_many_pieces() -> None:
    async def send() -> list[tuple[bytes, bytes]]:
        async with listening() as port:
            reader, writer = await opened(port)
            found = []
            for _ in range(3):  # of one connection
                length = 3 * HEAD
                writer.write(LINE + f"Content-Length: {length}\r\n\r\n".encode())
                for _ in range(length // 1024):
                    writer.write(b"x" * 1024)
                    await writer.drain()
                found.append(await answered(reader))
            writer.close()
            return found

    assert asyncio.run(send()) == [(b"HTTP/1.1 200 OK", str(3 * HEAD).encode())] * 3


def test_many_requests_of_one_connection_are_not_one_long_head() -> None:
    request = LINE + b"X: " + b"x" * 4000 + b"\r\nContent-Length: 0\r\n\r\n"

    async def send() -> set[bytes]:
        async with listening() as port:
            reader, writer = await opened(port)
            found = set()
            for _ in range(2 * HEAD // len(request)):
                writer.write(request[:50])
                await writer.drain()
                writer.write(request[50:])
                found.add((await answered(reader))[0])
            writer.close()
            return found

    assert asyncio.run(send()) == {b"HTTP/1.1 200 OK"}


@pytest.mark.parametrize("begun", [b"", LINE, LINE + b"X-Slow: x"])
def test_a_head_that_does_not_come_is_not_waited_for(
    begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body is: what comes of it has a deadline of its own."""
    monkeypatch.setattr(serve, "IDLE", 0.3)

    async def wait() -> tuple[bytes, tuple[bytes, bytes]]:
        async with listening() as port:
            reader, writer = await opened(port)
            writer.write(LINE + b"Content-Length: 3\r\n\r\n")
            await writer.drain()
            slow = await opened(port)
            slow[1].write(begun)
            told = await until_closed(slow)
            writer.write(b"abc")
            found = await answered(reader)
            writer.close()
            return told, found

    assert asyncio.run(wait()) == (b"", (b"HTTP/1.1 200 OK", b"3"))


def test_the_second_head_of_a_connection_is_not_waited_for_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serve, "IDLE", 0.3)

    async def wait() -> bytes:
        async with listening() as port:
            reader, writer = await opened(port)
            writer.write(LINE + b"Content-Length: 0\r\n\r\n")
            await answered(reader)
            writer.write(LINE)
            return await until_closed((reader, writer))

    assert asyncio.run(wait()) == b""
