"""What each client keeps, shows and notices: against MinIO and against a raw-socket server."""

import asyncio
import contextlib
import hashlib
import os
import socket
import sys
import threading
import time
import xml.etree.ElementTree as ET
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import aiohttp
import obstore
import pycurl
from libcurl_loop import Client
from loop import TARGET, Settings, path_of, sign
from obstore.store import S3Store
from run import etags
from yarl import URL

KEYS = {
    "/lead": "/lead",
    "a/": "a/",
    "d//e": "d//e",
    "./x": "./x",
    "u/../v": "u/../v",
    "1,024 bytes": "/".join(["k" * 204] * 5),
    "non-ASCII": "\u6bd4\u7279\u5e01/\u00fc\U0001f680.zip",
    "plus": "a+b c",
    "percent": "100%25/%2F%",
    "newline": "a\nb",
}
HTML = b"<html><head><title>Sign in</title></head><body><p>portal</p></body></html>"
LISTING = b'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'


@dataclass
class Reply:
    """What the raw server sends for a request, as it stands; then it closes if told to."""

    data: bytes = b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: "e"\r\n\r\n'
    close: bool = False
    hang: bool = False


class RawServer:
    """Records every request's target and headers, and answers with one fixed Reply."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.reply = Reply()
        self.targets: list[str] = []
        self.headers: list[dict[str, str]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream, contextlib.suppress(OSError):
            while line := stream.readline():
                self.targets.append(line.split()[1].decode("latin-1"))
                headers: dict[str, str] = {}
                while (line := stream.readline()).strip():
                    name, _, value = line.decode("latin-1").partition(":")
                    headers[name.lower()] = value.strip()
                self.headers.append(headers)
                stream.read(int(headers.get("content-length", "0")))
                if self.reply.hang:
                    time.sleep(30)
                connection.sendall(self.reply.data)
                if self.reply.close:
                    connection.shutdown(socket.SHUT_RDWR)
                    return

    def answers(self, head: str, body: bytes = b"", length: int | None = None) -> None:
        size = len(body) if length is None else length
        text = f"HTTP/1.1 {head}\r\nContent-Length: {size}\r\n\r\n"
        self.reply = Reply(text.encode() + body, close=length is not None)


@dataclass
class Seen:
    """What a caller of the client can see of one answer."""

    status: int | None
    headers: dict[str, str]
    body: bytes = b""


class Curl:
    """libcurl through pycurl, our own SigV4."""

    name = "libcurl"

    def __init__(self, settings: Settings, host: str) -> None:
        self._client = Client(settings, host)

    def call(self, method: str, key: str, body: bytes | None = None, **headers: str) -> Seen:
        extra = [(name.replace("_", "-"), value) for name, value in headers.items()]
        answer = self._client.request(method, path_of(TARGET, key), body=body, headers=extra)
        fields = (line.decode("latin-1").partition(":") for line in answer.header_lines)
        return Seen(
            answer.status, {name.lower(): value.strip() for name, _, value in fields}, answer.body
        )

    def list(self) -> list[str]:
        return parse_listing(self._client.request("GET", f"/{TARGET}", "list-type=2").body)


class Aiohttp:
    """aiohttp, our own SigV4, the URL given as already encoded."""

    name = "aiohttp"

    def __init__(self, settings: Settings, host: str) -> None:
        self._settings, self._host = settings, host

    async def _send(
        self, method: str, path: str, query: str, body: bytes | None, extra: list[tuple[str, str]]
    ) -> Seen:
        headers = sign(self._settings, method, self._host, path, query, extra)
        url = URL(f"http://{self._host}{path}" + (f"?{query}" if query else ""), encoded=True)
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.request(method, url, data=body, headers=headers) as answer,
        ):
            got = {name.lower(): value for name, value in answer.headers.items()}
            return Seen(answer.status, got, await answer.read())

    def call(self, method: str, key: str, body: bytes | None = None, **headers: str) -> Seen:
        extra = [(name.replace("_", "-"), value) for name, value in headers.items()]
        return asyncio.run(self._send(method, path_of(TARGET, key), "", body, extra))

    def list(self) -> list[str]:
        return parse_listing(
            asyncio.run(self._send("GET", f"/{TARGET}", "list-type=2", None, [])).body
        )


class Obstore:
    """obstore, its retries off."""

    name = "obstore"

    def __init__(self, settings: Settings, host: str, checksum: bool = False) -> None:
        more: dict[str, Any] = {"checksum_algorithm": "SHA256"} if checksum else {}
        self.store = S3Store(
            TARGET,
            endpoint=f"http://{host}",
            access_key_id=settings.access_key,
            secret_access_key=settings.secret_key,
            region="us-east-1",
            virtual_hosted_style_request=False,
            client_options={"allow_http": True, "timeout": "5s"},
            retry_config={"max_retries": 0},
            **more,
        )

    def call(self, method: str, key: str, body: bytes | None = None, **headers: str) -> Seen:
        if headers:
            raise TypeError("no way to send a header of one's own")
        if method == "PUT":
            put = obstore.put(self.store, key, body or b"", use_multipart=False)
            return Seen(None, {"etag": str(put["e_tag"])})
        got = obstore.get(self.store, key)
        return Seen(None, {"etag": str(got.meta["e_tag"])}, bytes(got.bytes()))

    def list(self) -> list[str]:
        return [entry["path"] for page in obstore.list(self.store) for entry in page]


S3 = Curl | Aiohttp | Obstore


def parse_listing(body: bytes) -> list[str]:
    """Our own parser: another root element is refused, whatever the status was."""
    root = ET.fromstring(body)
    if root.tag.rpartition("}")[2] != "ListBucketResult":
        raise ValueError(f"<{root.tag}> is no listing")
    return [e.text or "" for e in root.iter() if e.tag.rpartition("}")[2] == "Key"]


def brief(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:60]}"


def attempt(action: Callable[[], str]) -> str:
    try:
        return action()
    except Exception as error:
        return f"refused ({brief(error)})"


def show(key: str) -> str:
    return (
        "`" + (key if len(key) < 40 else f"{key[:12]}... ({len(key)})").replace("\n", "\\n") + "`"
    )


def keys_on_the_wire(client: S3, server: RawServer) -> Iterator[tuple[str, str]]:
    for name, key in KEYS.items():

        def put(key: str = key) -> str:
            server.targets.clear()
            client.call("PUT", key, b"x")
            sent = unquote(server.targets[-1]).removeprefix(f"/{TARGET}/")
            return "kept" if sent == key else f"**sent as {show(sent)}**"

        yield f"wire: {name}", attempt(put)


def keys_in_minio(client: S3, settings: Settings) -> Iterator[tuple[str, str]]:
    admin = Client(settings, settings.target)
    for name, key in KEYS.items():
        before = set(etags(admin, TARGET))

        def put(key: str = key, before: set[str] = before) -> str:
            body = f"{client.name} {key}".encode()
            seen = client.call("PUT", key, body)
            if seen.status not in (None, 200):
                code = seen.body.partition(b"<Code>")[2].partition(b"<")[0].decode()
                return f"MinIO {seen.status} {code}"
            found = set(etags(admin, TARGET)) - before
            for stored in found:
                admin.request("DELETE", path_of(TARGET, stored))
            return "kept" if found == {key} else f"**stored as {[show(k) for k in found]}**"

        yield f"MinIO: {name}", attempt(put)


def answers(make: Callable[..., S3], server: RawServer) -> Iterator[tuple[str, str]]:
    client = make(server.host)

    def throttled() -> str:
        server.answers("503 Slow Down\r\nRetry-After: 7", b"<Error><Code>SlowDown</Code></Error>")
        try:
            seen = client.call("GET", "k")
        except Exception as error:
            shown = "shown" if "retry-after" in str(error).lower() else "hidden"
            return f"**Retry-After {shown}**, {brief(error)}"
        return f"status {seen.status}, Retry-After {seen.headers.get('retry-after')}"

    def etag() -> str:
        server.answers(
            '200 OK\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nETag: "abc"', b"x"
        )
        return f"GET shows {client.call('GET', 'k').headers.get('etag')}"

    def checksum() -> str:
        server.answers('200 OK\r\nETag: "abc"')
        digest = b64encode(hashlib.sha256(b"x").digest()).decode()
        if isinstance(client, Obstore):
            own = make(server.host, True)
            own.call("PUT", "k", b"x")
            sent = server.headers[-1].get("x-amz-checksum-sha256") == digest
            return f"its own only, by a setting of the store (sent: {sent})"
        client.call("PUT", "k", b"x", x_amz_checksum_sha256=digest)
        sent = server.headers[-1].get("x-amz-checksum-sha256") == digest
        signed = "x-amz-checksum-sha256" in server.headers[-1]["authorization"]
        return f"any value (sent: {sent}, signed: {signed})"

    def if_none_match() -> str:
        server.answers('200 OK\r\nETag: "abc"')
        if isinstance(client, Obstore):
            obstore.put(client.store, "k", b"x", mode="create", use_multipart=False)
        else:
            client.call("PUT", "k", b"x", if_none_match="*")
        return f"sent {server.headers[-1].get('if-none-match')}"

    def html() -> str:
        server.answers("200 OK\r\nContent-Type: text/html", HTML)
        return f"**taken for a listing of {len(client.list())} keys**"

    def no_token() -> str:
        entry = b"<Contents><Key>k</Key><Size>1</Size><ETag>e</ETag>"
        entry += b"<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
        body = LISTING + b"<IsTruncated>true</IsTruncated>" + entry + b"</ListBucketResult>"
        server.answers("200 OK\r\nContent-Type: application/xml", body)
        found = client.list()
        ours = " (the parser is ours to write)" if not isinstance(client, Obstore) else ""
        return f"{len(found)} key, no error{ours}"

    def cut() -> str:
        head = '200 OK\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nETag: "abc"'
        server.answers(head, b"x" * 500, length=1000)
        try:
            seen = client.call("GET", "k")
        except Exception as error:
            return f"noticed ({brief(error)})"
        return f"**not noticed: {len(seen.body)} of 1000 bytes**"

    def chunked_cut() -> str:
        head = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nETag: "abc"\r\n'
        head += b"Content-Length: 8\r\n" if isinstance(client, Obstore) else b""
        server.reply = Reply(head + b"\r\n5\r\nhello\r\n", close=True)
        try:
            seen = client.call("GET", "k")
        except Exception as error:
            return f"noticed ({brief(error)})"
        return f"**not noticed: {seen.body!r}**"

    checks = {
        "503 with Retry-After: 7": throttled,
        "ETag": etag,
        "x-amz-checksum-sha256": checksum,
        "If-None-Match": if_none_match,
        "HTML with 200 as listing": html,
        "truncated page without token": no_token,
        "body cut short (Content-Length)": cut,
        "body cut short (chunked)": chunked_cut,
    }
    for name, check in checks.items():
        yield name, attempt(check)


def cancellations(settings: Settings) -> Iterator[tuple[str, str]]:
    """How long after the flag was raised does XFERINFOFUNCTION end an idle transfer?"""
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    full_host = f"127.0.0.1:{full.getsockname()[1]}"
    fillers = []
    for _ in range(4):  # the backlog is full: further connects hang in SYN
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(full.getsockname())
        fillers.append(filler)
    server = RawServer()

    def timed(host: str, body: bytes | None = None, scheme: str = "http", limit: int = 0) -> str:
        client = Client(settings, host, scheme=scheme, connect_timeout_ms=limit)
        outcome: list[str] = []
        done = threading.Event()

        def work() -> None:
            try:
                client.request("GET" if body is None else "PUT", f"/{TARGET}/k", body=body)
                outcome.append("ended by itself")
            except pycurl.error as error:
                outcome.append(f"error {error.args[0]}")
            done.set()

        threading.Thread(target=work, daemon=True).start()
        time.sleep(1.3)
        client.stop, start = True, time.monotonic()
        if not done.wait(10):
            return "**not within 10 s**"
        return f"{time.monotonic() - start:.2f} s, {outcome[0]}"

    silent = socket.create_server(("127.0.0.1", 0))
    silent_host = f"127.0.0.1:{silent.getsockname()[1]}"
    yield "while connecting", timed(full_host)
    yield "while connecting, CONNECTTIMEOUT_MS 3000", timed(full_host, limit=3000)
    yield "in the TLS handshake", timed(silent_host, scheme="https")
    yield "in the TLS handshake, CONNECTTIMEOUT_MS 3000", timed(silent_host, None, "https", 3000)
    server.reply = Reply(hang=True)
    yield "waiting for headers", timed(server.host)
    server = RawServer()
    server.reply = Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
    yield "in a stalled body", timed(server.host)
    yield "in a stalled upload (64 MiB)", timed(silent_host, b"x" * (64 << 20))


def main() -> int:
    settings = Settings.from_environment()
    makers: list[type[Curl] | type[Obstore] | type[Aiohttp]] = [Curl, Obstore, Aiohttp]
    rows: dict[str, dict[str, str]] = {}
    for kind in makers:
        results: list[tuple[str, str]] = []
        results += keys_on_the_wire(kind(settings, (server := RawServer()).host), server)
        results += keys_in_minio(kind(settings, settings.target), settings)
        results += answers(lambda host, *more, kind=kind: kind(settings, host, *more), RawServer())
        for name, result in results:
            rows.setdefault(name, {})[kind.name] = result
    print("\n## behaviours\n\n| check | libcurl | obstore | aiohttp |\n|---|---|---|---|")
    for name, row in rows.items():
        cells = " | ".join(row.get(kind.name, "").replace("|", "\\|") for kind in makers)
        print(f"| {name} | {cells} |")
    print("\n## libcurl: cancelling by XFERINFOFUNCTION\n\n| state | stopped after |\n|---|---|")
    for name, result in cancellations(settings):
        print(f"| {name} | {result} |", flush=True)
    wrong = [
        name for name, row in rows.items() if name.startswith("wire") and row["libcurl"] != "kept"
    ]
    wrong += [
        n for n in ("body cut short (Content-Length)",) if "noticed" not in rows[n]["libcurl"][:8]
    ]
    print(f"\nlibcurl fails: {wrong or 'none'}", flush=True)
    return bool(wrong)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)
