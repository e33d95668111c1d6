"""Serving: the socket, the signals, and the order in which all ends."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lakebed.errors import ConfigurationError
from lakebed.executor.app import build
from lakebed.executor.logged import log_as
from lakebed.executor.service import Service, Subscriber
from lakebed.executor.tracing import Spans
from lakebed.observe.observing import Exposure, tracing
from lakebed.settings import Settings
from lakebed.settings.layers import Sources

_ENDS = (signal.SIGINT, signal.SIGTERM)
BACKLOG = 2048
UNREAD = 32 * 1024
"""Bytes that wait for one client, above which nothing more is written to it."""
CLOSE = 5
"""Seconds that requests under way have to end, once the socket is closed."""


def serve(
    settings: Settings,
    host: str,
    port: int,
    started: Callable[[str], None],
    sources: Sources | None = None,
    subscribers: Sequence[Subscriber] = (),
) -> None:
    """Serve until a signal; `started` is told the address once it answers. `sources` are where the
    settings come from: what changes there is taken over, at SIGHUP at once.

    Raises ConfigurationError where the address is taken, LedgerError.
    """
    log_as(settings)
    listening = _listen(host, port)
    traces = Exposure(traces=settings.observe.traces)
    with listening, tracing(traces, os.environ) as provider:
        spans = Spans(provider) if provider else None
        service = Service.open(settings, _url(host, listening), spans)
        service.subscribers += subscribers
        app = build(service, sources)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            http=_Protocol,
            timeout_graceful_shutdown=CLOSE,
            backlog=BACKLOG,
        )
        server = _Server(
            config,
            started=lambda: started(_url(host, listening)),
            ending=service.drain,
            hangup=app.state.reloader.hint,
        )
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(server.serve([listening]))


class _Server(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        *,
        started: Callable[[], None],
        ending: Callable[[], None],
        hangup: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._told, self._ending, self._hangup = started, ending, hangup

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
    """Holds less of what a client does not read."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=UNREAD)


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server(
            (host, port),
            family=socket.AF_INET6 if ":" in host else socket.AF_INET,
            backlog=BACKLOG,
        )
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen here: {error.strerror}",
            subject=f"{host}:{port}",
            advice="is another process there? Choose another with --port",
        ) from None


def _url(host: str, listening: socket.socket) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listening.getsockname()[1]}"
