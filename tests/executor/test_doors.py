"""What stands before the routes: who asks is known before anything costs or tells something."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from starlette.types import Message

from lakebed.access.caller import Grant
from lakebed.access.keys import Keys
from lakebed.access.permission import Role
from lakebed.database.transaction import name_of
from lakebed.errors import ConfigurationError, LedgerError
from lakebed.executor import streams
from lakebed.executor.address import check_address
from lakebed.executor.bodies import SIGN_IN
from lakebed.operations import queue
from lakebed.settings import Settings
from tests.executor.admitted import Inside, bearer, inside, sync
from tests.operations.conftest import sqlite_template

__all__ = ["sqlite_template"]
OPERATIONS = "/api/v1/operations"
SOON = 30.0
JSON = {"Content-Type": "application/json"}
WITH_BODIES = (
    "/sync",
    "/api/v1/sync",
    "/api/v1/sync/batch",
    "/api/v1/verify",
    "/api/v1/plan",
    "/api/v1/configuration/check",
    "/api/v1/storage/buckets",
)


@pytest.fixture
def at(sqlite_template: Path, tmp_path: Path) -> Iterator[Inside]:
    with inside(sqlite_template, tmp_path) as running:
        running.client.follow_redirects = False
        yield running


# --- bodies --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", WITH_BODIES)
def test_of_whoever_is_not_known_no_body_is_read(at: Inside, path: str) -> None:
    answers: list[Message] = []

    async def receive() -> Message:
        raise AssertionError("the body is read")

    async def send(message: Message) -> None:
        answers.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
        "server": ("localhost", 80),
        "client": ("192.0.2.1", 1),
    }
    assert at.client.portal is not None
    at.client.portal.call(at.client.app, scope, receive, send)
    assert answers[0]["status"] == 401


@pytest.mark.parametrize("path", WITH_BODIES)
@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 50_000])
def test_whoever_is_not_known_is_told_nothing_of_its_body(
    at: Inside, path: str, body: bytes
) -> None:
    for shown in ({}, bearer("lkb_0123456789ab_" + "s" * 43)):
        answer = at.client.post(path, content=body, headers={**JSON, **shown})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    known = at.client.post(path, content=body, headers={**JSON, **at.key()})
    assert 400 <= known.status_code < 500
    assert known.status_code != 401


def test_what_signs_somebody_in_is_small(at: Inside) -> None:
    body = json.dumps({"code": "c" * SIGN_IN}).encode()
    assert at.client.post("/session", content=body, headers=JSON).status_code == 413
    pieces = (body[at : at + 1000] for at in range(0, len(body), 1000))
    assert at.client.post("/session", content=pieces, headers=JSON).status_code == 413


# --- addresses -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [f"{OPERATIONS}/", "/api/v1/sync/", "/health/", "/session/"])
def test_a_path_that_almost_is_one_leads_nowhere(at: Inside, path: str) -> None:
    for shown in ({}, at.key()):
        for answer in (
            at.client.get(path, headers=shown),
            at.client.post(path, json={}, headers=shown),
        ):
            assert answer.status_code in (401, 404)
            assert "Location" not in answer.headers


@pytest.mark.parametrize("host", ["[", "[::1", "]", "[localhost", "localhost:80]"])
def test_what_is_no_host_is_another_one(at: Inside, host: str) -> None:
    answer = at.client.get("/health", headers={"Host": host})
    assert (answer.status_code, answer.json()["code"]) == (421, "misdirected")


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "["])
def test_what_is_no_origin_is_another_one(at: Inside, origin: str) -> None:
    answer = at.client.post("/session", json={"code": "x"}, headers={"Origin": origin})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("mode", ["none", "token"])
@pytest.mark.parametrize(
    ("host", "executor", "outside"),
    [
        ("0.0.0.0", {}, "0.0.0.0"),
        ("127.0.0.1", {"public_url": "https://lake.example.com"}, "lake.example.com"),
        ("127.0.0.1", {"hosts": ["localhost", "lake.example.com"]}, "lake.example.com"),
    ],
)
def test_where_nobody_is_asked_nothing_stands_before_this_machine(
    mode: str, host: str, executor: dict[str, object], outside: str
) -> None:
    given = {"executor": executor, "access": {"mode": mode}}
    with pytest.raises(ConfigurationError, match="for this machine only") as refused:
        check_address(Settings.model_validate(given), host)
    assert refused.value.subject == outside
    check_address(Settings.model_validate({**given, "access": {"mode": "keys"}}), host)


def test_on_this_machine_nobody_needs_to_be_asked() -> None:
    executor = {"public_url": "http://localhost:8080", "hosts": ["localhost"]}
    given = {"executor": executor, "access": {"mode": "none"}}
    check_address(Settings.model_validate(given), "::1")


# --- what a caller may ---------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/v1/sync", "/api/v1/verify"])
def test_to_come_before_others_is_a_right_of_its_own(at: Inside, path: str) -> None:
    grants = (Grant("here:"), Grant("there:", write=True))
    for role, priority, status in (
        (Role.STORAGE_ADMIN, 0, 202),
        (Role.STORAGE_ADMIN, -1, 202),
        (Role.STORAGE_ADMIN, 1, 403),
        (Role.WORKFLOW_OPERATOR, 1, 202),
    ):
        shown = at.key(role, *grants)
        answer = at.client.post(path, json={**sync(), "priority": priority}, headers=shown)
        assert answer.status_code == status, answer.text


def test_a_store_that_a_caller_may_not_name_is_like_one_that_is_not_there(at: Inside) -> None:
    shown = at.key(Role.WORKFLOW_OPERATOR, Grant("here:", write=True))
    for path in ("/api/v1/sync", "/api/v1/verify", "/api/v1/plan"):
        told = set()
        for store in ("there", "nowhere"):
            body = sync(destination=f"{store}:lake/b/")
            if path == "/api/v1/plan":
                del body["scheduled_for"]
            answer = at.client.post(path, json=body, headers=shown)
            told.add((answer.status_code, answer.json()["detail"].replace(store, "STORE")))
        assert [status for status, _ in told] == [403]


def test_a_write_costs_what_a_look_costs(sqlite_template: Path, tmp_path: Path) -> None:
    with inside(sqlite_template, tmp_path, access={"rate": 1, "burst": 5}) as at:
        shown = at.key()
        for left in (4, 3, 2, 1, 0):
            answer = at.client.post("/api/v1/sync", json=sync(), headers=shown)
            assert answer.status_code == 202
            assert answer.headers["RateLimit"].startswith(f'"caller";r={left};t=')
        assert at.client.post("/api/v1/sync", json={}, headers=shown).status_code == 429


def test_a_sign_in_costs_what_a_request_costs(sqlite_template: Path, tmp_path: Path) -> None:
    with inside(sqlite_template, tmp_path, access={"rate": 1, "burst": 3}) as at:
        shown = at.key()
        key = shown["Authorization"].removeprefix("Bearer ")
        for left in (2, 1, 0):
            answer = at.client.post("/session", json={"key": key})
            assert answer.status_code == 200
            assert answer.headers["RateLimit"].startswith(f'"caller";r={left};t=')
            at.client.cookies.clear()
        assert at.client.post("/session", json={"key": key}).status_code == 429
        assert at.client.get(OPERATIONS, headers=shown).status_code == 429


def test_more_operations_than_a_caller_may_have_waiting_are_refused(
    at: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "MOST_WANTED", 2)
    shown = at.key()
    for _ in range(2):
        assert at.client.post("/api/v1/sync", json=sync(), headers=shown).status_code == 202
    for path, body in (
        ("/api/v1/sync", sync()),
        ("/api/v1/sync/batch", {"requests": [sync()]}),
        ("/api/v1/verify", sync()),
    ):
        refused = at.client.post(path, json=body, headers=shown)
        assert (refused.status_code, refused.json()["code"]) == (429, "too-many-requests")
        assert int(refused.headers["Retry-After"]) > 0
    assert at.client.post("/api/v1/sync", json=sync(), headers=at.key()).status_code == 202


def test_a_stream_ends_when_the_key_of_its_reader_is_revoked(
    at: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOOK", "PING", "POLL"):
        monkeypatch.setattr(streams, name, 0.01)
    made = at.client.post("/api/v1/sync", json=sync(), headers=at.key()).json()
    keys = Keys(at.service.platform.ledger.engine)
    key, shown = keys.create("reads", [Role.READONLY_USER], [Grant("*")], None, "test")
    is_let_in = threading.Event()
    now = at.service.reception.standing.now

    def looks(caller: object) -> object:
        is_let_in.set()
        return now(caller)  # type: ignore[arg-type]

    monkeypatch.setattr(at.service.reception.standing, "now", looks)
    where = f"{OPERATIONS}/{made['operation_id']}/events"
    with ThreadPoolExecutor(1) as pool:
        try:
            reading: Future[httpx2.Response] = pool.submit(
                at.client.get, where, headers=bearer(shown)
            )
            assert is_let_in.wait(SOON)
            assert not reading.done()
            keys.revoke(key.id)
            told = reading.result(SOON)
        finally:
            assert at.client.portal is not None
            at.client.portal.call(at.service.streams.close)
    assert "event: queued" in told.text
    assert "event: summary" not in told.text


# --- what is asked for ---------------------------------------------------------------------------


def test_a_key_holds_by_whichever_path_a_request_comes(at: Inside) -> None:
    shown = {**at.key(), "Idempotency-Key": "once"}
    first = at.client.post("/sync", json=sync(), headers=shown).json()
    again = at.client.post("/api/v1/sync", json=sync(), headers=shown).json()
    assert (again["operation_id"], again["repeated"]) == (first["operation_id"], True)
    other = at.client.post("/api/v1/verify", json=sync(), headers=shown)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


@pytest.mark.parametrize("name", ["delete_extra", "delete_source_after_sync"])
def test_a_verification_deletes_nothing_and_takes_no_wish_to(at: Inside, name: str) -> None:
    body = {**sync(), "configuration": {name: True}}
    refused = at.client.post("/api/v1/verify", json=body, headers=at.key())
    assert (refused.status_code, refused.json()["code"]) == (422, "usage")
    assert f"{name} for a verification" in refused.json()["detail"]
    assert at.client.post("/api/v1/sync", json=body, headers=at.key()).status_code == 202


def test_a_batch_says_which_of_its_requests_is_refused(at: Inside) -> None:
    wrong = {**sync(), "configuration": {"max_delete": 1}}
    away = sync(destination="nowhere:lake/b/")
    for body, subject in ((wrong, "requests[1]: configuration"), (away, "requests[1]: nowhere")):
        batch = {"requests": [sync(), body, sync()]}
        refused = at.client.post("/api/v1/sync/batch", json=batch, headers=at.key())
        told = refused.json()
        assert refused.status_code == 422
        assert told["detail"].startswith(f"{subject}: ")
        assert [one["field"] for one in told["errors"]] == ["requests.1"]
        alone = at.client.post("/api/v1/sync", json=body, headers=at.key()).json()
        assert told["detail"] == f"requests[1]: {alone['detail']}"
        assert alone["errors"] == []


# --- what is told --------------------------------------------------------------------------------


def test_an_error_of_the_database_names_it_in_the_log_only(
    at: Inside, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    url = name_of(at.service.queue.engine.url)
    shown = at.key()

    def fails(*_: object) -> object:
        raise LedgerError("the ledger cannot be written: server db-7 is away", subject=url)

    monkeypatch.setattr(at.service.queue, "enqueue", fails)
    answer = at.client.post("/api/v1/sync", json=sync(), headers=shown)
    told = answer.json()
    assert (answer.status_code, told["code"], told["retryable"]) == (503, "ledger", True)
    assert url not in answer.text
    assert "db-7" not in answer.text
    assert url in caplog.text


def test_a_batch_has_one_summary(at: Inside) -> None:
    later = {**sync(), "scheduled_for": "2100-01-01T00:00:00Z"}
    asked = at.client.post(
        "/api/v1/sync/batch", json={"requests": [later] * 3}, headers=at.key()
    ).json()
    at.client.post(
        f"{OPERATIONS}/{asked['operations'][1]['operation_id']}/cancel", headers=at.key()
    )
    told = at.client.get(asked["summary_url"], headers=at.key()).json()
    assert (told["batch_id"], told["operations"]) == (asked["batch_id"], 3)
    assert told["states"] == {"queued": 2, "cancelled": 1}
    assert (told["files_total"], told["bytes_done"]) == (0, 0)
    nobody = at.client.get("/api/v1/sync/batch/other", headers=at.key())
    assert (nobody.status_code, nobody.json()["code"]) == (404, "unknown-operation")
