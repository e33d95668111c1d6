"""Requests on the wire: what is sent, how it ends when told to, and what is never shown."""

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic

import pytest

from lakebed import errors
from lakebed.errors import Interrupted, LakebedError
from lakebed.model.objects import Attributes
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import Buffer, Properties
from lakebed.store.s3.client import JOINED, Client, Endpoint, Request
from lakebed.store.s3.s5cmd import S5cmd
from lakebed.store.s3.signing import quote_key, sign
from lakebed.store.s3.store import S3Store
from lakebed.store.wrappers.trace import Trace
from tests.store.wire import KEYS, SECRET, TOKEN, Exchange, Wire, error, open_wire, reply

OK = reply(200, b"", {"ETag": '"tag"'})
LARGE = 8 * 1024 * 1024
ODD_KEYS = [
    "/lead",
    "a/",
    "//",
    ".",
    "..",
    "a/../b",
    "x" * 1024,
    "币安人生USDT",
    "+ % & ? #",
    "a\nb",
]


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire() as listening:
        yield listening


@pytest.fixture
def store(wire: Wire) -> Iterator[S3Store]:
    with closing(open_wire(wire)) as opened:
        yield opened


def read(store: S3Store, key: str = "key") -> bytes:
    pieces: list[bytes] = []
    store.get("bucket", key, pieces.append)
    return b"".join(pieces)


def body(*pieces: bytes) -> Buffer:
    return Buffer(pieces)


# --- what is sent --------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ODD_KEYS, ids=ascii)
def test_a_key_is_sent_byte_for_byte(wire: Wire, store: S3Store, key: str) -> None:
    wire.play(OK)
    store.put("bucket", key, body(b"x"))
    assert wire.seen[0].target == f"/bucket/{quote_key(key)}"


@pytest.mark.parametrize("key", ODD_KEYS, ids=ascii)
def test_virtual_addressing_puts_the_bucket_into_the_host(wire: Wire, key: str) -> None:
    url = f"http://localhost:{wire.address[1]}"
    wire.play(OK)
    with closing(open_wire(wire, url=url, virtual=True)) as store:
        store.put("bucket", key, body(b"x"))
    assert wire.seen[0].target == f"/{quote_key(key)}"
    assert wire.seen[0].headers["host"] == f"bucket.localhost:{wire.address[1]}"


def test_virtual_addressing_lists_buckets_at_the_endpoint_itself(wire: Wire) -> None:
    wire.play(reply(200, b"<ListAllMyBucketsResult/>"))
    with closing(open_wire(wire, virtual=True)) as store:
        assert store.buckets() == []
    assert wire.seen[0].headers["host"] == f"127.0.0.1:{wire.address[1]}"


@pytest.mark.parametrize("path", ["", "/"])
def test_a_bucket_in_the_path_has_no_slash_after_it(wire: Wire, path: str) -> None:
    wire.play(reply(200))
    with closing(open_wire(wire, url=wire.url + path)) as store:
        store.create_bucket("bucket")
    assert wire.seen[0].target == "/bucket"
    assert wire.seen[0].headers["content-length"] == "0"


def test_every_header_is_sent_as_it_was_signed(wire: Wire, store: S3Store) -> None:
    attributes = Attributes(
        headers={"content-type": "text/csv", "cache-control": "a,  b"},
        metadata={"note": "币  安", "empty": ""},
        tags={"a b": "c&d"},
        storage_class="GLACIER",
        sse="AES256",
    )
    wire.play(OK)
    store.put("bucket", "a b", body(b"x"), attributes=attributes)
    seen = wire.seen[0]
    assert seen.headers["x-amz-meta-note"] == "币  安"
    assert seen.headers["x-amz-meta-empty"] == ""
    assert seen.headers["x-amz-tagging"] == "a%20b=c%26d"
    assert seen.headers["x-amz-storage-class"] == "GLACIER"
    assert seen.headers["x-amz-server-side-encryption"] == "AES256"
    assert seen.headers["content-type"] == "text/csv"
    assert _signature_of(wire) == seen.headers["authorization"]


def test_a_default_port_is_signed_as_it_is_sent() -> None:
    """libcurl leaves a default port out of Host by itself; the proxy sees what was sent."""
    with Wire() as proxy:
        proxy.play(OK)
        with closing(open_wire(proxy, url="http://store.test:80", proxy=proxy.url)) as store:
            store.put("bucket", "key", body(b"x"))
        assert _signature_of(proxy, path="/bucket/key") == proxy.seen[0].headers["authorization"]


def _signature_of(wire: Wire, *, path: str | None = None) -> str:
    """The authorization that the headers on the wire should have."""
    seen = wire.seen[0]
    named = seen.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0]
    moment = datetime.strptime(seen.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    headers = {name: seen.headers[name] for name in named.split(";")}
    where, _, query = (path or seen.target).partition("?")
    region = "us-east-1"
    made = sign(seen.method, where, query, headers, credentials=KEYS, region=region, moment=moment)
    return made["authorization"]


def test_nothing_is_sent_that_was_not_asked_for(wire: Wire, store: S3Store) -> None:
    wire.play(OK)
    store.put("bucket", "key", body(b"x"))
    assert set(wire.seen[0].headers) == {
        "host",
        "user-agent",
        "accept",
        "content-length",
        "authorization",
        "x-amz-content-sha256",
        "x-amz-date",
        "x-amz-security-token",
    }


def test_an_anonymous_request_is_not_signed(wire: Wire) -> None:
    wire.play(reply(200, b"bytes", {"ETag": '"tag"'}))
    with closing(open_wire(wire, credentials=None)) as store:
        assert read(store) == b"bytes"
    headers = wire.seen[0].headers
    assert "authorization" not in headers
    assert not any(name.startswith("x-amz-") for name in headers)


def test_a_value_with_a_line_break_never_becomes_a_header(wire: Wire, store: S3Store) -> None:
    wire.play(OK)
    attributes = Attributes(metadata={"note": "a\r\nx-injected: yes"})
    with suppress(LakebedError):
        store.put("bucket", "key", body(b"x"), attributes=attributes)
    assert not any("x-injected" in seen.headers for seen in wire.seen)


# --- bodies that are sent ------------------------------------------------------------------------


class Counted:
    """A body that knows how often it was asked for its chunks."""

    def __init__(self, *pieces: bytes, size: int | None = None) -> None:
        self.pieces = pieces
        self.size = sum(map(len, pieces)) if size is None else size
        self.begun = 0
        self.ended = 0

    def chunks(self) -> Iterator[bytes]:
        self.begun += 1
        try:
            yield from self.pieces
        finally:
            self.ended += 1


def test_a_body_arrives_whole_whatever_its_chunks(wire: Wire, store: S3Store) -> None:
    pieces = (b"", b"a" * 700_000, b"", b"b", b"c" * 262_144, b"")
    sent = Counted(*pieces)
    wire.play(OK)
    assert store.put("bucket", "key", sent).etag == "tag"
    assert wire.bodies[0] == b"".join(pieces)
    assert (sent.begun, sent.ended) == (1, 1)


def test_an_empty_body_is_sent_as_one(wire: Wire, store: S3Store) -> None:
    wire.play(OK)
    store.put("bucket", "key", body())
    assert wire.seen[0].headers["content-length"] == "0"


@pytest.mark.parametrize("size", [0, 1, 200_000, JOINED, JOINED + 1])
def test_a_body_in_memory_arrives_whole_whatever_its_size(
    wire: Wire, store: S3Store, size: int
) -> None:
    data = os.urandom(size)
    wire.play(OK, OK)
    for name in ("first", "second"):
        store.put("bucket", name, body(data[:7], data[7:]))
    assert wire.bodies == [data, data]
    for seen in wire.seen:
        assert seen.method == "PUT"
        assert seen.headers["content-length"] == str(size)
        assert not {"expect", "content-type", "transfer-encoding"} & set(seen.headers)


@pytest.mark.parametrize("size", [10, JOINED + 1], ids=["joined", "streamed"])
def test_a_connection_that_was_closed_meanwhile_does_not_lose_a_body_in_memory(
    wire: Wire, store: S3Store, size: int
) -> None:
    wire.play(OK, Exchange.close, OK)
    store.put("bucket", "first", body(b"1"))
    assert store.put("bucket", "second", body(b"x" * size)).etag == "tag"
    assert wire.connections == 2
    assert wire.bodies[-1] == b"x" * size


def test_a_connection_that_was_closed_meanwhile_does_not_lose_a_body(
    wire: Wire, store: S3Store
) -> None:
    def leaves(exchange: Exchange) -> None:
        exchange.receive(1000)
        exchange.close()

    wire.play(OK, leaves, OK)
    store.put("bucket", "first", body(b"1"))
    sent = Counted(b"a" * 100_000, b"b" * 200_000)
    assert store.put("bucket", "second", sent).etag == "tag"
    assert wire.connections == 2
    assert wire.bodies[-1] == b"a" * 100_000 + b"b" * 200_000
    assert sent.begun == sent.ended == 2


def test_a_connection_is_kept_for_the_next_request(wire: Wire, store: S3Store) -> None:
    wire.play(OK, reply(200, b"bytes"), reply(404), OK)
    store.put("bucket", "key", body(b"1"))
    read(store)
    with pytest.raises(errors.ObjectMissing):
        read(store)
    store.put("bucket", "key", body(b"1"))
    assert wire.connections == 1


def test_a_body_that_fails_ends_the_request_and_its_error_comes_out(
    wire: Wire, store: S3Store
) -> None:
    class Failing(Counted):
        def chunks(self) -> Iterator[bytes]:
            yield b"half"
            raise errors.DigestRefused("not those bytes")

    wire.play(OK)
    with pytest.raises(errors.DigestRefused, match="not those bytes"):
        store.put("bucket", "key", Failing(size=1000))


@pytest.mark.parametrize("size", [9, 11], ids=["longer", "shorter"])
def test_a_body_of_another_size_than_announced_is_refused(
    wire: Wire, store: S3Store, size: int
) -> None:
    wire.play(OK)
    with pytest.raises(errors.BodyTruncated):
        store.put("bucket", "key", Counted(b"0123456789", size=size))


def test_a_100_continue_is_not_the_answer(wire: Wire, store: S3Store) -> None:
    def continues(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 100 Continue\r\nETag: other\r\n\r\n")
        OK(exchange)

    wire.play(continues)
    assert store.put("bucket", "key", body(b"x")).etag == "tag"


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "open"])
def test_an_early_refusal_of_a_large_body_is_heard(wire: Wire, store: S3Store, reset: bool) -> None:
    def refuses(exchange: Exchange) -> None:
        content = b"<Error><Code>AccessDenied</Code></Error>"
        exchange.receive(1000)
        exchange.send(b"HTTP/1.1 403 No\r\nContent-Length: %d\r\n\r\n" % len(content) + content)
        if reset:
            exchange.hang()
        else:
            exchange.connection.shutdown(socket.SHUT_WR)
            exchange.hang()

    wire.play(refuses, refuses)
    sent = Counted(*[b"x" * 65536] * (LARGE // 65536))
    with pytest.raises(errors.AccessDenied):
        store.put("bucket", "key", sent)
    assert sent.begun == sent.ended == 1
    with pytest.raises(errors.AccessDenied):
        store.put("bucket", "key", body(b"x" * JOINED))


# --- cancellation --------------------------------------------------------------------------------


def test_a_stopped_store_sends_nothing(wire: Wire) -> None:
    cancellation = Cancellation()
    cancellation.stop(Interrupted("Ctrl-C"))
    with (
        closing(open_wire(wire, cancellation=cancellation)) as store,
        pytest.raises(Interrupted, match="Ctrl-C"),
    ):
        store.head("bucket", "key")
    assert wire.connections == 0


def test_an_idle_transfer_ends_soon_after_it_is_told_to(wire: Wire) -> None:
    cancellation = Cancellation()

    def silent(exchange: Exchange) -> None:
        cancellation.stop(Interrupted("Ctrl-C"))
        exchange.hang()

    wire.play(silent)
    began = monotonic()
    with (
        closing(open_wire(wire, cancellation=cancellation)) as store,
        pytest.raises(Interrupted, match="Ctrl-C"),
    ):
        store.head("bucket", "key")
    assert monotonic() - began < 5


def test_a_running_upload_ends_soon_after_it_is_told_to(wire: Wire) -> None:
    cancellation = Cancellation()

    class Endless:
        size = 1 << 40

        def chunks(self) -> Iterator[bytes]:
            while True:
                yield bytes(65536)

    def reads_on(exchange: Exchange) -> None:
        exchange.receive(1_000_000)
        cancellation.stop(Interrupted("Ctrl-C"))
        exchange.hang()

    wire.play(reads_on)
    began = monotonic()
    with (
        closing(open_wire(wire, cancellation=cancellation)) as store,
        pytest.raises(Interrupted, match="Ctrl-C"),
    ):
        store.put("bucket", "key", Endless())
    assert monotonic() - began < 5


def test_a_running_download_ends_soon_after_it_is_told_to(wire: Wire) -> None:
    cancellation = Cancellation()

    def writes_on(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\n\r\n")
        while True:
            exchange.send(bytes(65536))

    wire.play(writes_on)
    began = monotonic()
    with (
        closing(open_wire(wire, cancellation=cancellation)) as store,
        pytest.raises(Interrupted, match="Ctrl-C"),
    ):
        store.get("bucket", "key", lambda data: cancellation.stop(Interrupted("Ctrl-C")))
    assert monotonic() - began < 5


# --- closing -------------------------------------------------------------------------------------


def test_a_request_under_way_ends_although_its_store_is_closed(wire: Wire) -> None:
    store = open_wire(wire)

    def closes(exchange: Exchange) -> None:
        store.close()
        OK(exchange)

    wire.play(closes)
    assert store.put("bucket", "key", body(b"x")).etag == "tag"
    store.close()


def test_a_process_ends_with_its_own_status(wire: Wire) -> None:
    """libcurl has been seen to spoil the exit status of a process that ends while it is used."""
    wire.play(*[reply(200, b"bytes")] * 3)
    program = _PROGRAM.format(url=wire.url)
    statuses = [
        subprocess.run([sys.executable, "-c", program, str(status)], timeout=60).returncode
        for status in (0, 3, 130)
    ]
    assert statuses == [0, 3, 130]


_PROGRAM = """
import sys
from lakebed.store.cancellation import Cancellation
from lakebed.store.s3.client import JOINED, Client, Endpoint, Request
client = Client(Endpoint("lake", "{url}", "us-east-1"), lambda: None, Cancellation())
assert client.send(Request("GET", "bucket", "key")).content == b"bytes"
sys.exit(int(sys.argv[1]))
"""


# --- secrets -------------------------------------------------------------------------------------


def test_no_secret_is_in_a_repr_an_error_or_the_log(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = Endpoint("lake", wire.url, "us-east-1", proxy="http://user:hush-password@proxy.test")
    client = Client(replace(endpoint, proxy=""), lambda: KEYS, Cancellation())
    batches = S5cmd(endpoint, lambda: KEYS, Cancellation())
    store = Trace(S3Store(client, Properties(identity="lake"), batches))
    caught: list[BaseException] = []
    wire.play(error(403, "SignatureDoesNotMatch"), error(400, "ExpiredToken"), Exchange.close)
    with caplog.at_level(logging.DEBUG, logger="lakebed.store"), closing(store):
        for _ in range(3):
            with pytest.raises(LakebedError) as refused:
                store.put("bucket", "key", body(b"x"))
            caught.append(refused.value)
    shown = [endpoint, client, store, KEYS, Request("GET"), *caught, caplog.text]
    text = "".join(f"{one} {one!r} {vars(one) if one in caught else ''}" for one in shown)
    assert "hush" not in text
    assert TOKEN.startswith("hush")
    assert SECRET.startswith("hush")
    assert len(caplog.records) == 3
