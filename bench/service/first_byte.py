"""How long after an operation is asked for its first object is read at the source."""

import asyncio
import os
import sys
import time
from typing import ClassVar
from urllib.parse import urlsplit

from bench.loops.proxy import Downstream, Policy
from bench.service.asking import SYNC, connected, ended, percentile
from bench.service.serving import Replica, serving, told

TURNS = 20
KLINES = "data/spot/monthly/klines/"
_ENDPOINT = "LAKEBED_STORES__SOURCE__ENDPOINT"


class Listening(Downstream):
    """Passes everything on, and notes when objects were asked for."""

    seen: ClassVar[list[float]] = []

    def _pass_on(self, data: bytes) -> None:
        line = data[:2048].partition(b"\r\n")[0]
        if line.startswith(b"GET /") and b"?" not in line:
            self.seen.append(time.perf_counter())
        super()._pass_on(data)


async def measure(replica: Replica, source: str, target: str) -> None:
    first, answered = [], []
    for turn in range(TURNS + 1):
        # One symbol after the other, then the rest: the target is to hold all in the end.
        prefix = f"{KLINES}S{turn:03}USDT/" if turn < TURNS else ""
        body: dict[str, object] = {"source": source + prefix, "destination": target + prefix}
        Listening.seen.clear()
        async with connected(replica) as connection:
            began = time.perf_counter()
            operation_id = str((await connection.post(SYNC, body))["operation_id"])
            answered.append(time.perf_counter() - began)
        await ended(replica, operation_id)
        first.append(Listening.seen[0] - began)
    told("first byte after the first, s", first[0])
    told("first byte, s", percentile(first[1:], 0.5))
    told("first byte p95, s", percentile(first[1:], 0.95))
    told("POST p95, ms", 1000 * percentile(answered, 0.95))


async def main() -> None:
    endpoint = urlsplit(os.environ[_ENDPOINT])
    assert endpoint.hostname is not None
    assert endpoint.port is not None
    address = endpoint.hostname, endpoint.port
    server = await asyncio.get_running_loop().create_server(
        lambda: Listening(Policy(0.0, 0.0), *address), "127.0.0.1", 0
    )
    os.environ[_ENDPOINT] = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with serving() as replica:
        await measure(replica, *sys.argv[1:3])
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
