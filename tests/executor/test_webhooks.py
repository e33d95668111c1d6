"""Notifications: where they go, how they are signed, and that none is lost."""

import asyncio
import hmac
import json
import ssl
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select

from lakebed.database.tables import deliveries, events, operations, queue
from lakebed.errors import UsageError
from lakebed.executor.webhooks import signing
from lakebed.executor.webhooks.address import Address, check_address, check_url, resolved
from lakebed.executor.webhooks.courier import EVERY, FIRST, LONGEST, Courier, pause
from lakebed.executor.webhooks.deliveries import SHORT_LIVED, Kind
from lakebed.executor.webhooks.post import UNDELIVERED, post
from lakebed.model.operation import OperationState
from lakebed.operations.lease import Lease
from lakebed.operations.ledger import Ledger
from lakebed.operations.queue import Queue
from lakebed.operations.submission import Submission
from lakebed.settings.webhooks import WebhookSettings
from tests.executor.inside import SYNC, inside, settings_in
from tests.executor.receiver import Receiver, receiving, status
from tests.operations.conftest import (
    REQUEST,
    Clock,
    clock,
    engine,
    pg,
    server,
    sqlite,
    sqlite_template,
)

__all__ = ["clock", "engine", "pg", "server", "sqlite", "sqlite_template"]
PUBLIC = WebhookSettings()
LOOPBACK = WebhookSettings.model_validate({"allow": "127.0.0.0/8", "http": True, "deadline": 10})
KEY = b"k" * 32


# --- where they go -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "2130706433",
        "017700000001",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "168.63.129.16",
        "100.64.0.1",
        "192.0.0.192",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:8.8.8.8]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[fe80::1]",
        "[fe80::1%25eth0]",
        "[fd00:ec2::254]",
        "[fec0::1]",
        "[ff02::1]",
    ],
)
def test_an_address_that_is_not_public_is_refused_when_it_is_asked_for(host: str) -> None:
    with pytest.raises(UsageError, match=r"not a public address|not a URL"):
        check_url(f"https://{host}/hook", PUBLIC)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "//example.com/",
        "example.com",
        "https://",
        "https:///x",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://[::1/",
        "https://exa mple.com/",
        "https://example.com/\r\nX: y",
        "https://ex\tample.com/",
        "https://example.com\\@127.0.0.1/",
        "https://ünicode.example/",
    ],
)
def test_what_is_no_https_url_of_a_host_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_url(url, PUBLIC)
    assert "password" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com:8443/a?b=c",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
    ],
)
def test_a_public_address_is_taken(url: str) -> None:
    check_url(url, PUBLIC)


@given(st.ip_addresses())
def test_only_addresses_that_are_public_or_allowed_pass(address: Address) -> None:
    check_address(address, WebhookSettings.model_validate({"allow": ["0.0.0.0/0", "::/0"]}))
    if not address.is_global or address.is_multicast:
        with pytest.raises(UsageError):
            check_address(address, PUBLIC)


def test_a_name_is_resolved_by_the_machine() -> None:
    assert ip_address("127.0.0.1") in asyncio.run(resolved("localhost", 80))
    with pytest.raises(OSError, match="no name of a host"):
        asyncio.run(resolved("a" * 64, 80))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def send(url: str, settings: WebhookSettings = LOOPBACK, *answers: list[str]) -> int:
    """Post, with a resolver that says these in turn where there are any."""
    left = list(answers)

    async def resolve(_host: str, _port: int) -> list[Address]:
        return [ip_address(one) for one in left.pop(0)]

    return asyncio.run(post(url, {}, b"{}", settings, resolve if answers else resolved))


def test_a_name_that_means_something_else_a_moment_later_changes_nothing() -> None:
    only = WebhookSettings.model_validate({"allow": "127.0.0.2/32", "http": True})
    with receiving("127.0.0.2") as vetted, receiving("127.0.0.1") as inner:
        url = f"http://hooks.example:{vetted.port}/"
        assert send(url, only, ["127.0.0.2"], ["127.0.0.1"]) == 200
        assert vetted.got[0][0]["host"] == f"hooks.example:{vetted.port}"
        with pytest.raises(UsageError, match=r"127\.0\.0\.1 is not a public address"):
            send(f"http://hooks.example:{inner.port}/", only, ["127.0.0.1"])
        with pytest.raises(UsageError):
            send(url, only, ["127.0.0.2", "127.0.0.1"])
        assert (len(vetted.got), inner.got) == (1, [])


def test_another_address_of_a_host_is_tried_where_one_is_away(receiver: Receiver) -> None:
    url = f"http://hooks.example:{receiver.port}/"
    assert send(url, LOOPBACK, ["127.0.0.3", "127.0.0.1"]) == 200
    with pytest.raises(UNDELIVERED):
        send(url, LOOPBACK, ["127.0.0.3"])
    with pytest.raises(OSError, match="no address"):
        send(url, LOOPBACK, [])


def test_a_certificate_is_checked_for_the_name_and_not_for_the_address(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hooks.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    ca, both = tmp_path / "ca.pem", tmp_path / "server.pem"
    ca.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    both.write_bytes(ca.read_bytes() + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    trusting = LOOPBACK.model_copy(update={"ca": ca})
    with receiving(tls=context) as served:
        url = f"https://hooks.example:{served.port}/"
        assert send(url, trusting, ["127.0.0.1"]) == 200
        assert served.names == ["hooks.example"]
        with pytest.raises(UNDELIVERED):
            send(f"https://other.example:{served.port}/", trusting, ["127.0.0.1"])
        with pytest.raises(UNDELIVERED):
            send(url, LOOPBACK, ["127.0.0.1"])


# --- what the receiver does ----------------------------------------------------------------------


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    with receiving() as other:
        receiver.answers.append(status(307, Location=other.url))
        assert (send(receiver.url), other.got) == (307, [])


def test_a_receiver_that_does_not_answer_is_left(receiver: Receiver) -> None:
    ended = threading.Event()

    def wait(_request: BaseHTTPRequestHandler) -> None:
        ended.wait(10)

    receiver.answers.append(wait)
    with pytest.raises(UNDELIVERED):
        send(receiver.url, LOOPBACK.model_copy(update={"deadline": 0.2}))
    ended.set()


def test_an_answer_without_end_is_not_read(receiver: Receiver) -> None:
    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        try:
            while True:
                request.wfile.write(bytes(1 << 16))
        except OSError:
            pass

    receiver.answers.append(endless)
    assert send(receiver.url) == 200


def test_headers_without_end_are_no_answer(receiver: Receiver) -> None:
    def endless(request: BaseHTTPRequestHandler) -> None:
        try:
            request.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while True:
                request.wfile.write(b"X: " + b"y" * (1 << 12) + b"\r\n")
        except OSError:
            pass

    receiver.answers.append(endless)
    with pytest.raises(UNDELIVERED):
        send(receiver.url)


# --- that none is lost ---------------------------------------------------------------------------


def enqueue(line: Queue, url: str, caller: str = "key:1", **wanted: bool) -> str:
    told = {"webhook_url": url, "notify_on_progress": False, "notify_on_completion": True}
    submission = Submission(caller, notification=json.dumps({**told, **wanted}))
    return line.enqueue([(REQUEST, submission)]).ids[0]


def start(line: Queue) -> Lease:
    claim = line.claim()
    assert claim is not None
    return claim.lease


def finish(ledger: Ledger, lease: Lease) -> None:
    ledger.finish(lease.operation_id, lease.fence, OperationState.COMPLETED)


def courier(engine: Engine, clock: Clock, settings: WebhookSettings = LOOPBACK) -> Courier:
    return Courier(settings, Ledger(engine, clock), Queue(engine, clock), KEY)


def deliver(one: Courier) -> int:
    """Look, and send what is due; how many."""
    one.look()
    claimed = one.deliveries.claim(10, 40.0)
    for delivery in claimed:
        asyncio.run(one.deliver(delivery))
    return len(claimed)


def states(engine: Engine) -> list[tuple[str, str | None]]:
    with engine.connect() as connection:
        rows = connection.execute(
            select(deliveries.c.state, deliveries.c.message).order_by(deliveries.c.created)
        )
        return [(state, message) for state, message in rows]


def test_an_end_is_told_once_signed_for_its_caller(
    engine: Engine, clock: Clock, receiver: Receiver
) -> None:
    one, other = courier(engine, clock), courier(engine, clock)
    line, ledger = Queue(engine, clock), Ledger(engine, clock)
    operation = enqueue(line, receiver.url)
    assert deliver(one) == 0
    finish(ledger, start(line))
    one.look()
    assert (deliver(other), deliver(one)) == (1, 0)
    ((headers, body),) = receiver.got
    told = json.loads(body)
    assert (told["type"], told["data"]["operation_id"]) == ("operation.completed", operation)
    assert told["data"]["state"] == "completed"
    secret = signing.shown(one.secret_of("key:1"))
    assert secret != signing.shown(one.secret_of("key:2"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = hmac.digest(b64decode(secret.removeprefix("whsec_")), signed, "sha256")
    assert headers["webhook-signature"] == f"v1,{b64encode(wanted).decode()}"
    assert states(engine) == [("sent", None)]


def test_what_a_receiver_failed_to_take_is_sent_again_under_the_same_id(
    engine: Engine, clock: Clock, receiver: Receiver
) -> None:
    one, line = courier(engine, clock), Queue(engine, clock)
    enqueue(line, receiver.url)
    finish(Ledger(engine, clock), start(line))
    receiver.answers += [status(500), status(302, Location=receiver.url)]
    for _ in range(3):
        assert deliver(one) == 1
        clock.now += LONGEST
    assert deliver(one) == 0
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert states(engine) == [("sent", None)]


def test_what_a_replica_took_with_it_is_sent_by_another(
    engine: Engine, clock: Clock, receiver: Receiver
) -> None:
    killed, other = courier(engine, clock), courier(engine, clock)
    line = Queue(engine, clock)
    enqueue(line, receiver.url)
    finish(Ledger(engine, clock), start(line))
    killed.look()
    assert len(killed.deliveries.claim(10, 40.0)) == 1
    assert deliver(other) == 0
    clock.now += 41
    assert (deliver(other), len(receiver.got)) == (1, 1)


def test_after_a_day_it_is_given_up(engine: Engine, clock: Clock, receiver: Receiver) -> None:
    one, line = courier(engine, clock), Queue(engine, clock)
    enqueue(line, receiver.url)
    finish(Ledger(engine, clock), start(line))
    receiver.answers += [status(503), status(503)]
    assert deliver(one) == 1
    clock.now += LOOPBACK.patience
    assert (deliver(one), deliver(one)) == (1, 0)
    assert states(engine) == [("given-up", "the receiver answered 503")]


def test_a_receiver_that_is_gone_for_good_is_left_alone(
    engine: Engine, clock: Clock, receiver: Receiver
) -> None:
    one, line = courier(engine, clock), Queue(engine, clock)
    enqueue(line, receiver.url)
    finish(Ledger(engine, clock), start(line))
    receiver.answers.append(status(410))
    assert (deliver(one), states(engine)[0][0]) == (1, "given-up")


def test_what_is_no_longer_allowed_is_not_sent(
    engine: Engine, clock: Clock, receiver: Receiver
) -> None:
    one = courier(engine, clock, PUBLIC.model_copy(update={"http": True}))
    line = Queue(engine, clock)
    enqueue(line, receiver.url)
    finish(Ledger(engine, clock), start(line))
    assert (deliver(one), receiver.got) == (1, [])
    ((state, message),) = states(engine)
    assert (state, "not a public address" in (message or "")) == ("waiting", True)


def test_progress_is_told_now_and_then_and_not_saved_up(
    engine: Engine, clock: Clock, receiver: Receiver
) -> None:
    one, line = courier(engine, clock), Queue(engine, clock)
    enqueue(line, receiver.url, notify_on_progress=True, notify_on_completion=False)
    lease = start(line)
    assert (deliver(one), deliver(one), deliver(courier(engine, clock))) == (1, 0, 0)
    receiver.answers.append(status(500))
    clock.now += EVERY
    assert (deliver(one), deliver(one)) == (1, 0)
    assert [json.loads(body)["type"] for _, body in receiver.got] == ["operation.progress"] * 2
    finish(Ledger(engine, clock), lease)
    assert (deliver(one), one.deliveries.ended()) == (0, [])
    clock.now += SHORT_LIVED + 1
    deliver(one)
    assert [state for state, _ in states(engine)] == ["unasked"]


def test_an_operation_that_is_resumed_tells_of_its_second_end_too(
    engine: Engine, clock: Clock, receiver: Receiver
) -> None:
    one, line, ledger = courier(engine, clock), Queue(engine, clock), Ledger(engine, clock)
    operation = enqueue(line, receiver.url)
    lease = start(line)
    ledger.finish(operation, lease.fence, OperationState.PARTIAL)
    assert deliver(one) == 1
    line.want(operation, Submission("ann"))
    assert deliver(one) == 0
    finish(ledger, start(line))
    assert (deliver(one), len(receiver.got)) == (1, 2)


def test_an_operation_that_goes_takes_its_deliveries_along(
    engine: Engine, clock: Clock, receiver: Receiver
) -> None:
    one, line = courier(engine, clock), Queue(engine, clock)
    enqueue(line, receiver.url)
    finish(Ledger(engine, clock), start(line))
    (due,) = one.deliveries.ended()
    one.look()
    with engine.begin() as connection:
        for table in (queue, events, operations):
            connection.execute(delete(table))
    assert states(engine) == []
    one.add(due, Kind.COMPLETED)
    assert states(engine) == []


@given(st.integers(1, 10_000))
def test_pauses_are_bounded_and_never_the_same(attempts: int) -> None:
    assert 0 <= pause(attempts) <= min(LONGEST, FIRST * 2.0 ** min(attempts, 20))


# --- over HTTP -----------------------------------------------------------------------------------


def test_a_caller_sees_its_own_secret(tmp_path: Path) -> None:
    with inside(settings_in(tmp_path)) as (client, service):
        answer = client.get("/api/v1/webhooks/secret")
        assert answer.headers["cache-control"] == "no-store"
        secret = b64decode(answer.json()["secret"].removeprefix("whsec_"))
        assert secret == service.courier.secret_of("local")


def test_a_notification_that_may_not_be_sent_is_refused_at_once(tmp_path: Path) -> None:
    with inside(settings_in(tmp_path)) as (client, _):
        told = {"webhook_url": "https://169.254.169.254/latest/"}
        answer = client.post("/api/v1/sync", json={**SYNC, "notification": told})
        assert (answer.status_code, answer.json()["code"]) == (422, "usage")
        assert "not a public address" in answer.json()["detail"]


def test_a_cancelled_operation_is_told_of_by_the_replica(
    tmp_path: Path, receiver: Receiver
) -> None:
    heard = threading.Event()

    def hear(request: BaseHTTPRequestHandler) -> None:
        status(200)(request)
        heard.set()

    receiver.answers.append(hear)
    allowed = {"allow": ["127.0.0.0/8"], "http": True}
    with inside(settings_in(tmp_path, webhooks=allowed)) as (client, _):
        body = {**SYNC, "notification": {"webhook_url": receiver.url}}
        operation = client.post("/api/v1/sync", json=body).json()["operation_id"]
        client.post(f"/api/v1/operations/{operation}/cancel")
        assert heard.wait(20)
    assert json.loads(receiver.got[0][1])["data"]["state"] == "cancelled"
