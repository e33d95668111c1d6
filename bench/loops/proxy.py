"""Stands before a store: holds each answer back for a time, or refuses what exceeds a rate.

`python -m bench.loops.proxy HOST PORT --delay 0.1` prints its own port, serves until its standard
input ends, and prints how many requests it let through and how many it refused.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

_BURST_SECONDS = 0.2
"""What a source allows at once, as a part of its rate."""
_REASON = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
_REFUSAL = (
    b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n%b"
    % (len(_REASON), _REASON)
)
_END = b"\r\n\r\n"


@dataclass
class Policy:
    """`delay` in seconds for each piece of an answer; `rate` in requests a second, 0: any."""

    delay: float
    rate: float
    clock: Callable[[], float] = time.monotonic
    allowed: int = 0
    refused: int = 0

    def __post_init__(self) -> None:
        self._tokens, self._seen = self.rate * _BURST_SECONDS, self.clock()

    def allows(self) -> bool:
        now = self.clock()
        self._tokens += (now - self._seen) * self.rate
        self._tokens = min(self._tokens, self.rate * _BURST_SECONDS)
        self._seen = now
        allowed = not self.rate or self._tokens >= 1
        self._tokens -= allowed
        self.allowed += allowed
        self.refused += not allowed
        return allowed


class Upstream(asyncio.Protocol):
    """The store's side of a connection: its answers, each piece as late as the policy says."""

    def __init__(self, client: asyncio.Transport, delay: float) -> None:
        self._client = client
        self._delay = delay
        self._held: deque[bytes] = deque()

    def data_received(self, data: bytes) -> None:
        if not self._delay:
            self._client.write(data)
            return
        self._held.append(data)
        asyncio.get_running_loop().call_later(self._delay, self._release)

    def _release(self) -> None:
        # Timers of one moment may fire in any order; the bytes must not.
        self._client.write(self._held.popleft())

    def connection_lost(self, exc: Exception | None) -> None:
        asyncio.get_running_loop().call_later(self._delay, self._client.close)


class Downstream(asyncio.Protocol):
    """A client's connection. Nobody here sends a request before the last one is answered."""

    def __init__(self, policy: Policy, host: str, port: int) -> None:
        self._policy = policy
        self._address = host, port
        self._pending = b""
        self._body = 0
        self._passes = True
        self._upstream: asyncio.Transport | None = None
        self._waiting: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._client = transport
        self._connecting = asyncio.ensure_future(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        made, _ = await loop.create_connection(
            lambda: Upstream(self._client, self._policy.delay), *self._address
        )
        self._upstream = made
        for data in self._waiting:
            made.write(data)

    def data_received(self, data: bytes) -> None:
        while data:
            data = self._in_body(data) if self._body else self._in_head(data)

    def _in_body(self, data: bytes) -> bytes:
        """Pass on what belongs to the body; the rest."""
        part = data[: self._body]
        self._body -= len(part)
        if self._passes:
            self._pass_on(part)
        return data[len(part) :]

    def _in_head(self, data: bytes) -> bytes:
        """Decide about a request once its head is complete; what follows the head."""
        self._pending += data
        head, end, rest = self._pending.partition(_END)
        if not end:
            return b""
        self._pending = b""
        self._body = _length(head)
        self._passes = self._policy.allows()
        if self._passes:
            self._pass_on(head + end)
        else:
            self._client.write(_REFUSAL)
        return rest

    def _pass_on(self, data: bytes) -> None:
        if self._upstream is None:
            self._waiting.append(data)
        else:
            self._upstream.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connecting.cancel()
        if self._upstream is not None:
            self._upstream.close()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


async def serve(policy: Policy, host: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Downstream(policy, host, port), "127.0.0.1", 0, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--rate", type=float, default=0.0)
    given = parser.parse_args()
    policy = Policy(given.delay, given.rate)
    asyncio.run(serve(policy, given.host, given.port))
    print(json.dumps({"allowed": policy.allowed, "refused": policy.refused}))


if __name__ == "__main__":
    main()
