"""A server that says exactly what a test wrote, byte by byte, and keeps what it was sent.

    with Wire() as wire, closing(open_wire(wire)) as store:
        wire.play(reply(200, b"<html/>"))
        ...
        assert wire.seen[0].target == "/bucket?list-type=2"

A script answers one request; connections are kept alive until a script closes theirs.
"""

import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import Properties
from lakebed.store.s3.client import Client, Endpoint
from lakebed.store.s3.credentials import Credentials
from lakebed.store.s3.s5cmd import S5cmd
from lakebed.store.s3.store import S3Store

SECRET = "hush-secret-key/+"
TOKEN = "hush-session-token/+"
KEYS = Credentials("ACCESSKEY", SECRET, TOKEN)
PATIENCE = 30.0
"""Seconds after which a forgotten read gives up, so that a broken test ends."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came. Header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    lines: tuple[bytes, ...]
    """The header lines as they were on the wire."""


@dataclass(slots=True)
class Exchange:
    """One request and the connection that it came on."""

    seen: Seen
    connection: socket.socket
    body: bytearray = field(default_factory=bytearray)

    def receive(self, size: int | None = None) -> bytes:
        """The next `size` bytes of the body; all that is announced and not yet read for None."""
        wanted = int(self.seen.headers.get("content-length", "0")) if size is None else size
        wanted = wanted - len(self.body) if size is None else wanted
        received = bytearray()
        while len(received) < wanted and (data := self.connection.recv(wanted - len(received))):
            received += data
        self.body += received
        return bytes(received)

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def hang(self) -> None:
        """Say nothing until the client goes away or the server is closed."""
        with suppress(OSError):
            while self.connection.recv(65536):
                pass

    def close(self) -> None:
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """Go away without a goodbye: the other end sees a reset connection."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


Script = Callable[[Exchange], None]
Door = Callable[[socket.socket], socket.socket]


def reply(
    status: int = 200,
    content: bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    length: int | None = None,
    close: bool = False,
) -> Script:
    """Read the body that was sent, then answer. `length` announces other than the content's.

    A 304 or an answer to HEAD announces a length and has no content: its script gives none.
    """
    announced = len(content) if length is None else length
    fields = {"Content-Length": str(announced), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    answer = f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode() + content

    def script(exchange: Exchange) -> None:
        exchange.receive()
        exchange.send(answer)
        if close:
            exchange.close()

    return script


def error(status: int, code: str, headers: Mapping[str, str] | None = None) -> Script:
    content = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
    return reply(status, content, headers)


def raw(answer: bytes, *, close: bool = True) -> Script:
    """Read what was sent, then write these very bytes."""

    def script(exchange: Exchange) -> None:
        exchange.receive()
        exchange.send(answer)
        if close:
            exchange.close()

    return script


class Wire:
    """Listens on a free port of loopback until the scope ends.

    Each connection passes through `door` first, which may wrap it, or end it by an OSError.
    """

    def __init__(self, *, scheme: str = "http", door: Door = lambda accepted: accepted) -> None:
        self.seen: list[Seen] = []
        self.bodies: list[bytearray] = []
        self.connections = 0
        self._scheme, self._door = scheme, door
        self._scripts: deque[Script] = deque()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._listener.getsockname()
        return host, port

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.address[1]}"

    def play(self, *scripts: Script) -> None:
        """Answer the next requests, in the order in which they come, with these scripts."""
        self._scripts.extend(scripts)

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(PATIENCE)
            thread = threading.Thread(target=self._serve, args=(connection,))
            with self._lock:
                self.connections += 1
                self._open.add(connection)
                self._threads.append(thread)
            thread.start()

    def _serve(self, accepted: socket.socket) -> None:
        connection = accepted
        with suppress(OSError):
            connection = self._door(accepted)
            with self._lock:
                self._open.add(connection)
            while seen := _request(connection):
                exchange = Exchange(seen, connection)
                with self._lock:
                    self.seen.append(seen)
                    self.bodies.append(exchange.body)
                    script = self._scripts.popleft() if self._scripts else _UNSCRIPTED
                script(exchange)
        with self._lock:
            self._open -= {accepted, connection}
        connection.close()
        accepted.close()


_UNSCRIPTED = reply(418, b"<Error><Code>Unscripted</Code></Error>", close=True)


def _request(connection: socket.socket) -> Seen | None:
    """The head of the next request; None where the client went away."""
    head = bytearray()
    while not head.endswith(b"\r\n\r\n"):
        if not (byte := connection.recv(1)):
            return None
        head += byte
    first, *lines = bytes(head[:-4]).split(b"\r\n")
    method, target, _ = first.decode().split(" ", 2)
    pairs = (line.decode().partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    return Seen(method, target, headers, tuple(lines))


def open_wire(
    wire: Wire,
    *,
    url: str | None = None,
    credentials: Credentials | None = KEYS,
    cancellation: Cancellation | None = None,
    virtual: bool = False,
    ca: str | None = None,
    proxy: str = "",
    stall_timeout: float = 20.0,
) -> S3Store:
    """A store on that server, without retries; an empty `proxy` takes none from the environment."""
    endpoint = Endpoint(
        name="lake",
        url=url or wire.url,
        region="us-east-1",
        virtual=virtual,
        ca=ca,
        proxy=proxy,
        connect_timeout=10.0,
        stall_timeout=stall_timeout,
    )
    cancellation = cancellation or Cancellation()
    return S3Store(
        Client(endpoint, lambda: credentials, cancellation),
        Properties(identity=endpoint.url),
        S5cmd(endpoint, lambda: credentials, cancellation),
    )
