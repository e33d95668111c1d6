"""Serving: the socket, the signals, and the order in which all ends."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
import uvloop

from lakebed.errors import ConfigurationError
from lakebed.executor.app import build
from lakebed.executor.service import Service
from lakebed.settings import Settings

_ENDS = (signal.SIGINT, signal.SIGTERM)
BACKLOG = 2048
CLOSE = 5
"""Seconds that requests under way have to end, once the socket is closed."""


def serve(settings: Settings, host: str, port: int, started: Callable[[str], None]) -> None:
    """Serve until a signal; `started` is told the address once it answers.

    Raises ConfigurationError where the address is taken, LedgerError.
    """
    listening = _listen(host, port)
    with listening:
        service = Service.open(settings)
        config = uvicorn.Config(
            build(service),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=CLOSE,
            backlog=BACKLOG,
        )
        server = _Server(config, service, lambda: started(_url(host, listening)))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(server.serve([listening]))


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, service: Service, started: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._service, self._told = service, started

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
        await super().startup(sockets)
        if self.started:
            self._told()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Nothing more is claimed while requests under way have their time to end."""
        self._service.crew.close()
        await super().shutdown(sockets)


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
