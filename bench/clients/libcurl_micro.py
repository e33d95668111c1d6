"""The CPU of one GET and one PUT on libcurl, by detail, against a server that does nothing.

One thread, the variants in turn every few milliseconds and the thread's own CPU clock: what a
busy machine hides in the loops (a few per cent) shows here in microseconds.
"""

import argparse
import asyncio
import hashlib
import multiprocessing
import statistics
import time
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import cast

import uvloop
from libcurl_loop import Client, Details
from loop import Settings, path_of, sign

BODY = bytes(range(256)) * 80  # 20 KiB
HEAD = (
    "HTTP/1.1 200 OK\r\nServer: none\r\nAccept-Ranges: bytes\r\n"
    'ETag: "0123456789abcdef0123456789abcdef"\r\nVary: Origin\r\nX-Amz-Request-Id: 1890ABCDEF\r\n'
    "X-Content-Type-Options: nosniff\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
    "Content-Length: {}\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n"
)
GOT, PUT = HEAD.format(len(BODY)).encode() + BODY, HEAD.format(0).encode()
BASE = Details()
VARIANTS = {
    "base: pool, lists, POSTFIELDS, hook": BASE,
    "persistent handle per thread": replace(BASE, handles="persistent"),
    "no HEADERFUNCTION": replace(BASE, headers="none"),
    "WRITEDATA=BytesIO": replace(BASE, sink="bytesio"),
    "PUT by READFUNCTION": replace(BASE, body="readfunction"),
    "no XFERINFOFUNCTION": replace(BASE, progress="off"),
    "buffers 128 KiB": replace(BASE, buffer=128 << 10),
    "buffers 512 KiB": replace(BASE, buffer=512 << 10),
    "persistent, no headers, no hook": Details("persistent", "none", progress="off"),
}


class Server(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._data, self._left = b"", 0

    def data_received(self, data: bytes) -> None:
        if self._left:
            self._left -= len(data)
        else:
            self._data += data
            head, mark, rest = self._data.partition(b"\r\n\r\n")
            if not mark:
                return
            self._data = b""
            if head.startswith(b"GET"):
                self._transport.write(GOT)
                return
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            self._left = int(length) - len(rest)
        if self._left == 0:
            self._transport.write(PUT)


def serve(ready: Connection) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(run())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--pairs", type=int, default=50)
    args = parser.parse_args()
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    process.start()
    host = f"127.0.0.1:{here.recv()}"
    settings = Settings(host, host, "key", "secret")
    clients = {name: Client(settings, host, details) for name, details in VARIANTS.items()}
    spent: dict[str, list[float]] = {name: [] for name in VARIANTS}
    path = path_of("bucket", "data/spot/monthly/klines/S000USDT/1m/S000USDT-1m-2024-01.zip")
    for _ in range(args.rounds):
        for name, client in clients.items():
            start = time.thread_time()
            for _ in range(args.pairs):
                got = client.request("GET", path)
                put = client.request("PUT", path, body=got.body)
                assert (got.status, put.status, len(got.body)) == (200, 200, len(BODY))
            spent[name].append((time.thread_time() - start) / args.pairs * 1e6)
    process.terminate()
    base = spent[next(iter(VARIANTS))]
    print("| variant | CPU us a GET + PUT | against base, median of pairs |\n|---|---|---|")
    for name, values in spent.items():
        gap = statistics.median(value - other for value, other in zip(values, base, strict=True))
        low, _, high = statistics.quantiles(values)
        middle = statistics.median(values)
        print(f"| {name} | {middle:.0f} (quartiles {low:.0f} to {high:.0f}) | {gap:+.0f} |")
    start = time.thread_time()
    for _ in range(20_000):
        sign(settings, "GET", host, path)
    print(f"| of which one signature | {(time.thread_time() - start) / 20_000 * 1e6:.0f} | |")
    start = time.thread_time()
    for _ in range(20_000):
        hashlib.sha256(BODY).hexdigest()
    print(f"| SHA-256 of 20 KiB | {(time.thread_time() - start) / 20_000 * 1e6:.0f} | |")


if __name__ == "__main__":
    main()
