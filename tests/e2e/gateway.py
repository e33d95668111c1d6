"""A gateway before a store: sees each request, and passes it on, holds it back or answers it.

What the network does to it meanwhile is its `line`.
"""

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import BinaryIO, Self

from tests.e2e.line import Line, Way

_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Asked:
    """A request line. `path` is encoded, with its query."""

    method: str
    path: str

    @property
    def is_listing(self) -> bool:
        return "list-type=2" in self.path


Answer = bytes | None
"""A whole answer; None passes the request on."""

HOLD = b""
"""No answer, ever."""

Choose = Callable[[Asked], Answer]


def pass_on(asked: Asked) -> Answer:
    return None


def answer(status: str, content: str, *headers: str) -> bytes:
    body = content.encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def refusal(status: str, code: str, *headers: str) -> bytes:
    return answer(status, f"<Error><Code>{code}</Code><Message>as told</Message></Error>", *headers)


@dataclass
class Gateway:
    """Entered around its use. Requests are forwarded byte for byte, so that signatures hold.

    `held` is set by the first request without an answer; `most` lets only so many bytes of
    answers through, and holds the rest.
    """

    upstream: tuple[str, int] | None = None
    choose: Choose = pass_on
    most: int | None = None
    line: Line = field(default_factory=Line)
    seen: list[Asked] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._go(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._closing.set()
            for one in (self._listener, *self._open):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for one in (self._listener, *self._open):
            one.close()

    def _go(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target)
        self._threads.append(thread)
        thread.start()

    def _keep(self, one: socket.socket) -> None:
        with self._lock:
            self._open.append(one)
            if self._closing.is_set():
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._keep(client)
            self._go(partial(self._serve, client))

    def _serve(self, client: socket.socket) -> None:
        servers: list[socket.socket] = []
        way = Way(client, self._closing)
        with contextlib.suppress(OSError), client.makefile("rb") as requests:
            while head := _head(requests):
                asked = Asked(*head.split(b"\r\n")[0].decode().split(" ")[:2])
                with self._lock:
                    self.seen.append(asked)
                    way.number, way.passed = len(self.seen), 0
                self.line.request(way)
                told = self.choose(asked)
                if told is None and not servers:
                    servers.append(self._connect(way))
                self._forward(requests, head, servers[0] if told is None else None, way)
                if told == HOLD:
                    self.held.set()
                elif told is not None:
                    client.sendall(told)
        for one in (*servers, client):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        if way.is_reset:
            client.close()

    def _connect(self, way: Way) -> socket.socket:
        assert self.upstream is not None
        server = socket.create_connection(self.upstream)
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._keep(server)
        self._go(partial(self._answer, server, way))
        return server

    def _answer(self, server: socket.socket, way: Way) -> None:
        send = partial(_passed_on, way, way.client)
        with contextlib.suppress(OSError):
            while data := server.recv(_CHUNK):
                if self.most is not None:
                    self.most -= len(data)
                    if self.most < 0:
                        self.held.set()
                        return
                self.line.piece(way, data, send)
            way.client.shutdown(socket.SHUT_RDWR)

    def _forward(
        self, requests: BinaryIO, head: bytes, target: socket.socket | None, way: Way
    ) -> None:
        """The request with its body to `target`, or nowhere."""
        left = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                left = int(line.partition(b":")[2])
        if target is not None:
            target.sendall(head)
        while left > 0:
            data = requests.read(min(left, _CHUNK))
            if not data:
                return
            left -= len(data)
            if target is not None:
                self.line.piece(way, data, partial(_passed_on, way, target))


def _passed_on(way: Way, target: socket.socket, data: bytes) -> None:
    target.sendall(data)
    way.passed += len(data)


def _head(requests: BinaryIO) -> bytes:
    """The request line and headers, with the blank line; empty at the end."""
    lines = []
    while line := requests.readline():
        lines.append(line)
        if line == b"\r\n":
            return b"".join(lines)
    return b""
