"""Serving: the socket, the signals, and the order in which all ends."""

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lakebed.access.token_file import token_file
from lakebed.errors import ConfigurationError
from lakebed.executor.address import check_address
from lakebed.executor.app import build
from lakebed.executor.logged import log_as
from lakebed.executor.service import Service, Subscriber
from lakebed.executor.tracing import Spans
from lakebed.observe.observing import Exposure, tracing
from lakebed.settings import Settings
from lakebed.settings.layers import Sources

_ENDS = (signal.SIGINT, signal.SIGTERM)
BACKLOG = 2048
IDLE = 30
"""Seconds for which a connection is kept between requests: longer than clients keep theirs, or one
would be closed just as the next request is sent."""
SWITCH = 0.001
"""Seconds that a thread which reads the database may keep the loop from going on."""
UNREAD = 32 * 1024
"""Bytes that wait for one client, above which nothing more is written to it."""
HEAD = 64 * 1024
"""Bytes of a request before its body, at the most."""
CLOSE = 5
"""Seconds that requests under way have to end, once the socket is closed."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What whoever started it is told."""

    url: str
    console: str
    """Where a browser begins. A sign-in code is in the fragment, which no server is sent."""
    token_file: Path | None = None
    """Where scripts of this machine find the bearer token."""


def serve(
    settings: Settings,
    host: str,
    port: int,
    started: Callable[[Serving], None],
    sources: Sources | None = None,
    subscribers: Sequence[Subscriber] = (),
) -> None:
    """Serve until a signal; `started` is told the address once it answers. `sources` are where the
    settings come from: what changes there is taken over, at SIGHUP at once.

    Raises ConfigurationError where the address is taken, or takes more than this way of telling
    callers apart; LedgerError.
    """
    check_address(settings, host)
    log_as(settings)
    traces = Exposure(traces=settings.observe.traces)
    with ExitStack() as stack:
        listening = stack.enter_context(_listen(host, port))
        provider = stack.enter_context(tracing(traces, os.environ))
        url = _url(host, listening)
        service = Service.open(settings, url, host, Spans(provider) if provider else None)
        service.subscribers += subscribers
        app = build(service, sources)
        serving = _serving(service, url, stack)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            http=_Protocol,
            timeout_graceful_shutdown=CLOSE,
            timeout_keep_alive=IDLE,
            backlog=BACKLOG,
            # X-Forwarded-* of whoever stands here are believed where something is meant to.
            proxy_headers=settings.executor.public_url is not None,
        )
        server = _Server(
            config,
            started=lambda: started(serving),
            ending=service.drain,
            hangup=app.state.reloader.hint,
            hurry=service.crew.hand_over,
        )
        sys.setswitchinterval(SWITCH)
        # What is there by now stays: to look through all of it again would hold every answer up.
        gc.collect()
        gc.freeze()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(server.serve([listening]))


def _serving(service: Service, url: str, stack: ExitStack) -> Serving:
    shown = service.settings.executor.public_url or url
    if service.reception.mode != "token":
        return Serving(url, f"{shown}/")
    port = urlsplit(url).port or 0
    file = token_file(service.settings.state, port, service.reception.new_token())
    path = stack.enter_context(file)
    return Serving(url, f"{shown}/sign-in#code={service.reception.new_code()}", path)


class _Server(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        *,
        started: Callable[[], None],
        ending: Callable[[], None],
        hangup: Callable[[], None],
        hurry: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._told, self._ending, self._hangup, self._hurry = started, ending, hangup, hurry

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal lets operations go on for a while, the second hands them over now."""
        if self.should_exit:
            asyncio.get_running_loop().call_soon_threadsafe(self._hurry)
        super().handle_exit(signal.SIGTERM, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Uvicorn's own would raise the signal again at the end: a stop that was asked for, and
        went well, is no death by a signal."""
        before = {number: signal.signal(number, self.handle_exit) for number in _ENDS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._hangup)
        await super().startup(sockets)
        if self.started:
            self._told()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._ending()  # it waits for requests under way, and a stream would be one for long
        await super().shutdown(sockets)


class _Protocol(HttpToolsProtocol):
    """Holds less of what a client does not read, and bounds the head of a request: in bytes, and
    in the time that it takes to come. Uvicorn does neither."""

    _head = 0
    _in_body = _has_head = False
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=UNREAD)
        self._late = self.loop.call_later(IDLE, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._on_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        in_body, self._has_head = self._in_body, False
        super().data_received(data)
        if in_body or self._has_head:
            self._head = 0
            return
        self._late = self._late or self.loop.call_later(IDLE, self.transport.close)
        self._head += len(data)
        if self._head > HEAD and not self.transport.is_closing():
            self.send_400_response("The head of the request is too long.")

    def on_headers_complete(self) -> None:
        self._has_head = self._in_body = True
        self._on_time()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_body = False
        super().on_message_complete()

    def _on_time(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server(
            (host, port),
            family=socket.AF_INET6 if ":" in host else socket.AF_INET,
            backlog=BACKLOG,
        )
    except OSError as error:
        is_name = isinstance(error, socket.gaierror)
        reason = error.strerror if is_name else os.strerror(error.errno or 0)
        raise ConfigurationError(
            f"cannot listen here: {reason}",
            subject=f"{host}:{port}",
            advice="check --host" if is_name else "is another process there? Choose another --port",
        ) from None


def _url(host: str, listening: socket.socket) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listening.getsockname()[1]}"
