"""The first requests to a server."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lakebed.local.address import Address, free_ports
from lakebed.local.knock import knock
from lakebed.store.s3.credentials import Credentials

OURS = Credentials("access", "secret")


@contextmanager
def answering(answer: bytes) -> Iterator[tuple[Address, list[bytes]]]:
    """A server that gives one answer, and what it was asked."""
    asked: list[bytes] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            asked.append(connection.recv(65_536))
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield Address("127.0.0.1", listener.getsockname()[1]), asked
        thread.join()


def test_the_request_is_signed_and_the_secret_is_not_in_it() -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (address, asked):
        assert knock(address, OURS, "GET", "/") == 200
    assert b"AWS4-HMAC-SHA256 Credential=access/" in asked[0]
    assert b"secret" not in asked[0]


def test_a_stranger_refuses_us() -> None:
    with answering(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n") as (address, _):
        assert knock(address, OURS, "GET", "/") == 403


def test_an_answer_that_is_not_http_is_none() -> None:
    with answering(b"SSH-2.0-dropbear\r\n") as (address, _):
        assert knock(address, OURS, "GET", "/") is None


def test_nobody_there_is_none() -> None:
    assert knock(Address("127.0.0.1", free_ports(1)[0]), OURS, "GET", "/") is None
