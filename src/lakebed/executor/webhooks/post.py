"""One POST to a receiver: to the very address that was vetted, its answer's status alone read."""

import asyncio
import ssl
from collections.abc import Iterable, Mapping

import httpcore2

from lakebed import __version__
from lakebed.errors import LakebedError
from lakebed.executor.webhooks.address import Resolve, check_url, resolved, vetted
from lakebed.settings.webhooks import WebhookSettings

UNDELIVERED = (
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.TimeoutException,
    OSError,  # TimeoutError, and what a resolver raises, are some
    LakebedError,
)


class Vetting(httpcore2.AsyncNetworkBackend):
    """Resolves a host once, and connects to what it has vetted: a name that means something else
    a moment later changes nothing. Host header and SNI stay those of the URL."""

    def __init__(self, settings: WebhookSettings, resolve: Resolve) -> None:
        self._settings, self._resolve = settings, resolve
        self._sockets = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        failed: Exception = OSError("the name has no address")
        for address in await vetted(host, port, self._settings, self._resolve):
            try:
                return await self._sockets.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
        raise failed


async def post(
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    settings: WebhookSettings,
    resolve: Resolve = resolved,
) -> int:
    """The status of the answer. Raises UNDELIVERED."""
    check_url(url, settings)
    told: dict[bytes | str, bytes | str] = {
        "content-type": "application/json",
        "user-agent": f"lakebed/{__version__}",
    }
    told.update(headers.items())
    pool = httpcore2.AsyncConnectionPool(
        ssl_context=await asyncio.to_thread(_trust, settings),
        max_connections=1,
        max_keepalive_connections=0,
        network_backend=Vetting(settings, resolve),
    )
    async with (
        asyncio.timeout(settings.deadline),
        pool,
        pool.stream("POST", url, headers=told, content=body) as answer,
    ):
        return answer.status  # a redirect is one like any other, and no byte of a body is read


def _trust(settings: WebhookSettings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if settings.ca is not None:
        context.load_verify_locations(settings.ca)
    return context
