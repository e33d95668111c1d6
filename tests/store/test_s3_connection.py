"""What is made of a connection that is late, cut, refused, encrypted or led through a proxy."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from select import select

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lakebed import errors
from lakebed.errors import LakebedError
from lakebed.local.address import free_ports
from lakebed.store.contract import Buffer
from lakebed.store.s3.store import S3Store
from tests.store.wire import PATIENCE, Exchange, Wire, open_wire, raw, reply

PASSWORD = "hush-proxy-password"


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


# --- answers that are late, cut or none ----------------------------------------------------------


def test_a_body_that_is_cut_short_is_an_error(wire: Wire, store: S3Store) -> None:
    came: list[bytes] = []
    wire.play(reply(200, b"half", {"ETag": '"tag"'}, length=8, close=True))
    with pytest.raises(errors.BodyTruncated, match="lake:bucket/key"):
        store.get("bucket", "key", came.append)
    assert b"".join(came) == b"half"


def test_a_chunked_body_that_is_cut_short_is_an_error(wire: Wire, store: S3Store) -> None:
    wire.play(raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"))
    with pytest.raises(LakebedError) as caught:
        read(store)
    assert caught.value.retryable


def test_a_body_of_unannounced_length_is_an_error_where_it_is_pinned(
    wire: Wire, store: S3Store
) -> None:
    """Nobody could tell whether it was cut short."""
    wire.play(raw(b'HTTP/1.1 200 OK\r\nETag: "tag"\r\n\r\nhalf'))
    with pytest.raises(errors.BodyTruncated):
        read(store)


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_connection_that_ends_without_an_answer_is_unreachable(
    wire: Wire, store: S3Store, reset: bool
) -> None:
    wire.play(lambda exchange: exchange.reset() if reset else exchange.close())
    with pytest.raises(errors.StoreUnreachable, match=f"lake .*{wire.address[1]}"):
        store.head("bucket", "key")


def test_only_where_nobody_listens_no_connection_came_about(wire: Wire, store: S3Store) -> None:
    wire.play(Exchange.close)
    with pytest.raises(errors.StoreUnreachable) as broken:
        store.head("bucket", "key")
    nobody = f"http://127.0.0.1:{free_ports(1)[0]}"
    with (
        closing(open_wire(wire, url=nobody)) as away,
        pytest.raises(errors.StoreUnreachable) as refused,
    ):
        away.head("bucket", "key")
    assert (broken.value.connected, refused.value.connected) == (True, False)


def test_what_is_no_http_is_unreachable(wire: Wire, store: S3Store) -> None:
    wire.play(raw(b"220 mail.example ESMTP\r\n"))
    with pytest.raises(errors.StoreUnreachable):
        store.head("bucket", "key")


def test_a_store_that_falls_silent_is_given_up(wire: Wire) -> None:
    wire.play(Exchange.hang)
    with (
        closing(open_wire(wire, stall_timeout=1.0)) as store,
        pytest.raises(errors.StoreUnreachable, match="too slow"),
    ):
        store.head("bucket", "key")


@pytest.mark.parametrize("cut", [20, 30, 37])
def test_an_answer_that_ends_in_its_head_is_none(wire: Wire, store: S3Store, cut: int) -> None:
    answer = b'HTTP/1.1 200 OK\r\nETag: "0123456789abcdef"\r\nContent-Length: 0\r\n\r\n'
    wire.play(raw(answer[:cut]))
    with pytest.raises(errors.BodyTruncated, match="in its head"):
        store.put("bucket", "key", Buffer((b"bytes",)))


def test_a_store_that_copies_may_be_silent_for_longer(wire: Wire) -> None:
    def works(exchange: Exchange) -> None:
        select([exchange.connection], [], [], 2.5)  # or until the client goes away
        answer = b"<CopyObjectResult><ETag>tag</ETag></CopyObjectResult>"
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)

    wire.play(works)
    with closing(open_wire(wire, stall_timeout=1.0)) as store:
        assert store.copy("bucket", "a", "bucket", "b", if_match="tag").etag == "tag"


def test_a_trickle_arrives_whole(wire: Wire, store: S3Store) -> None:
    def trickles(exchange: Exchange) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nETag: tag\r\nContent-Length: 5\r\n\r\nbytes":
            exchange.send(bytes([byte]))

    wire.play(trickles)
    assert read(store) == b"bytes"


def test_a_refused_connection_is_unreachable(wire: Wire) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with (
            closing(open_wire(wire, url=url)) as store,
            pytest.raises(errors.StoreUnreachable, match="is the store running"),
        ):
            store.head("bucket", "key")


def test_an_unknown_host_is_unreachable(wire: Wire) -> None:
    impossible = f"http://{'a' * 64}.invalid"  # no label has 64 characters: nobody is asked
    with (
        closing(open_wire(wire, url=impossible)) as store,
        pytest.raises(errors.StoreUnreachable, match=r"lake .*a\.invalid"),
    ):
        store.head("bucket", "key")


# --- TLS -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 and its key, in one file."""
    path = tmp_path_factory.mktemp("tls") / "self-signed.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lake")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@pytest.fixture
def tls_wire(certificate: Path) -> Iterator[Wire]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Wire(scheme="https", door=lambda c: context.wrap_socket(c, server_side=True)) as listening:
        yield listening


def test_an_unknown_certificate_is_refused_with_advice(tls_wire: Wire) -> None:
    with (
        closing(open_wire(tls_wire)) as store,
        pytest.raises(errors.TlsRefused, match="certificate authority as `ca`"),
    ):
        store.head("bucket", "key")
    assert tls_wire.seen == []


def test_a_certificate_that_is_named_as_ca_is_trusted(tls_wire: Wire, certificate: Path) -> None:
    tls_wire.play(reply(200, b"bytes"))
    with closing(open_wire(tls_wire, ca=str(certificate))) as store:
        assert read(store) == b"bytes"


def test_a_certificate_for_another_name_is_refused(tls_wire: Wire, certificate: Path) -> None:
    url = f"https://localhost:{tls_wire.address[1]}"
    with (
        closing(open_wire(tls_wire, url=url, ca=str(certificate))) as store,
        pytest.raises(errors.TlsRefused),
    ):
        store.head("bucket", "key")


def test_a_ca_that_cannot_be_read_is_refused(tls_wire: Wire, tmp_path: Path) -> None:
    with (
        closing(open_wire(tls_wire, ca=str(tmp_path / "absent.pem"))) as store,
        pytest.raises(errors.TlsRefused, match="ca"),
    ):
        store.head("bucket", "key")


def test_a_server_that_speaks_no_tls_is_refused() -> None:
    def plain(accepted: socket.socket) -> socket.socket:
        accepted.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        return accepted

    with (
        Wire(scheme="https", door=plain) as wire,
        closing(open_wire(wire)) as store,
        pytest.raises(errors.TlsRefused),
    ):
        store.head("bucket", "key")


def test_a_handshake_that_is_cut_may_be_tried_again() -> None:
    """A load balancer that restarts is no wrong certificate."""

    def leaves(accepted: socket.socket) -> socket.socket:
        accepted.recv(1)
        raise ConnectionAbortedError

    with (
        Wire(scheme="https", door=leaves) as wire,
        closing(open_wire(wire)) as store,
        pytest.raises(errors.StoreUnreachable),
    ):
        store.head("bucket", "key")


# --- through a proxy -----------------------------------------------------------------------------


def test_a_proxy_is_used(store: S3Store) -> None:
    with Wire() as proxy, closing(open_wire(proxy, url="http://store.test", proxy=proxy.url)) as s3:
        proxy.play(reply(200, b"bytes"))
        assert read(s3) == b"bytes"
        assert proxy.seen[0].target == "http://store.test/bucket/key"


def test_tls_goes_through_a_proxy_as_a_tunnel(tls_wire: Wire, certificate: Path) -> None:
    def tunnels(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 Connection established\r\nETag: proxy\r\n\r\n")
        with socket.create_connection(tls_wire.address) as upstream:
            _join(exchange.connection, upstream)

    tls_wire.play(reply(200, b"bytes", {"ETag": '"tag"'}))
    with (
        Wire() as proxy,
        closing(open_wire(tls_wire, ca=str(certificate), proxy=proxy.url)) as s3,
    ):
        proxy.play(tunnels)
        pieces: list[bytes] = []
        assert s3.get("bucket", "key", pieces.append).etag == "tag"
        assert b"".join(pieces) == b"bytes"
        assert proxy.seen[0].method == "CONNECT"
        assert "authorization" not in proxy.seen[0].headers


def _join(one: socket.socket, other: socket.socket) -> None:
    """Hand bytes on in both directions until one side ends."""
    with suppress(OSError):
        while True:
            ready, _, _ = select([one, other], [], [], PATIENCE)
            for end in ready:
                if not (data := end.recv(65536)):
                    return
                (other if end is one else one).sendall(data)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_refuses_is_named_without_its_password(wire: Wire, scheme: str) -> None:
    proxy = wire.url.replace("//", f"//user:{PASSWORD}@")
    wire.play(reply(407), reply(407))
    with (
        closing(open_wire(wire, url=f"{scheme}://store.test", proxy=proxy)) as store,
        pytest.raises(LakebedError) as caught,
    ):
        store.head("bucket", "key")
    assert "407" in str(caught.value)
    assert PASSWORD not in f"{caught.value} {caught.value!r}"


def test_a_proxy_that_is_not_there_is_named_without_its_password(wire: Wire) -> None:
    proxy = f"http://user:{PASSWORD}@{'a' * 64}.invalid"
    with (
        closing(open_wire(wire, proxy=proxy)) as store,
        pytest.raises(errors.StoreUnreachable, match="`proxy`") as caught,
    ):
        store.head("bucket", "key")
    assert PASSWORD not in f"{caught.value} {caught.value!r}"
