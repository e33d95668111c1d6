"""What callers and stores may write, however odd: bounded, answered, and shown as text."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from sqlalchemy import insert
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.testclient import TestClient
from starlette.types import Message

from lakebed.database.tables import objects
from lakebed.errors import TooManyRequests
from lakebed.executor import bodies
from lakebed.executor.routes.operations import CHUNK, chunks
from lakebed.executor.seats import Seated, Seats
from lakebed.executor.service import Service
from lakebed.model.operation import ObjectState
from lakebed.observe.log import configure
from tests.executor.inside import SYNC, inside, settings_in

Inside = tuple[TestClient, Service]
PROBLEM = "application/problem+json"
NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE audit; --",
    "$(touch /tmp/x)`id`",
    "a\r\nSet-Cookie: x=y\r\n\r\n<b>",
    "\x1b[2J\x1b]0;title\x07",
    "{{7*7}}{% raw %}",
    "</script><!--",
    "%00%0d%0a\u202e\u2028",
    "../../etc/passwd",
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    settings = settings_in(tmp_path_factory.mktemp("hostile"), executor={"body": 100_000})
    with inside(settings) as opened:
        yield opened


def refused(
    client: TestClient, content: bytes | Iterator[bytes], path: str = "/api/v1/sync"
) -> int:
    """The status of a problem, which every refusal is."""
    answer = client.post(path, content=content, headers={"Content-Type": "application/json"})
    assert answer.headers["content-type"] == PROBLEM, answer.text
    told = answer.json()
    assert (told["status"], len(told["trace_id"])) == (answer.status_code, 32)
    return answer.status_code


# --- bounds --------------------------------------------------------------------------------------


def test_a_body_is_bounded_whether_it_says_its_length_or_not(served: Inside) -> None:
    client, _ = served
    large = json.dumps({**SYNC, "filters": {"keys": ["k" * 1000] * 101}}).encode()
    assert refused(client, large) == 413
    pieces = [large[at : at + 1000] for at in range(0, len(large), 1000)]
    assert refused(client, iter(pieces)) == 413
    for body in (large, iter(pieces)):
        headers = {"Content-Type": "application/json"}
        answer = client.post("/api/v1/sync", content=body, headers=headers)
        assert answer.json()["code"] == "content-too-large"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nothing",
        b"\xff\xfe",
        b"[" * 50_000 + b"]" * 49_000,
        b'{"a":' * 15_000 + b"1" + b"}" * 15_000,
        b'{"priority": ' + b"9" * 5_000 + b"}",
        b'{"priority": 1e999}',
        b'{"priority": NaN}',
        b'{"source": "\\ud800:b/", "destination": "lake:b/"}',
        b'{"source": "lake:raw/\\u0000/", "destination": "lake:b/", "extra": 1}',
        json.dumps({**SYNC, "configuration": {"max_duration_seconds": float("nan")}}).encode(),
        json.dumps({**SYNC, "filters": {"patterns": [{"include": "["}]}}).encode(),
        json.dumps({**SYNC, "filters": {"patterns": [{"include": "x" * 999}] * 17}}).encode(),
        json.dumps({**SYNC, "filters": {"patterns": [{"include": "x"}] * 101}}).encode(),
        json.dumps({**SYNC, "filters": {"min_size": "1" * 5_000}}).encode(),
        json.dumps({**SYNC, "scheduled_for": "9999-12-31T23:59:59-23:59"}).encode(),
        json.dumps({**SYNC, "filters": {"newer": "9999-12-31T23:59:59-23:59"}}).encode(),
        json.dumps({**SYNC, "filters": {"older": "0001-01-01T00:00:00+23:59"}}).encode(),
        json.dumps({"requests": [SYNC] * 101}).encode(),
    ],
)
def test_what_is_no_request_is_the_caller_s_fault(served: Inside, body: bytes) -> None:
    client, _ = served
    path = "/api/v1/sync/batch" if b'"requests"' in body else "/api/v1/sync"
    assert 400 <= refused(client, body, path) < 500


@hypothesis(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_no_json_is_a_defect(served: Inside, told: object) -> None:
    client, _ = served
    assert 400 <= refused(client, json.dumps(told).encode()) < 500
    nested = {**SYNC, "configuration": told}
    if told != {}:
        assert 400 <= refused(client, json.dumps(nested).encode()) < 500


def test_event_streams_of_a_caller_are_bounded_and_a_seat_is_left_however_one_ends() -> None:
    async def nothing() -> AsyncIterator[bytes]:
        yield b""

    async def serve() -> None:
        seats = Seats()

        def seated(caller: str) -> Seated:
            return Seated(StreamingResponse(nothing()), seats, caller, 2)

        first, _second = seated("one"), seated("one")
        with pytest.raises(TooManyRequests, match="2 event streams are open already"):
            seated("one")
        seated("another")

        async def send(_message: Message) -> None:
            raise OSError("the reader has left")

        async def receive() -> Message:
            return {"type": "http.disconnect"}

        with pytest.raises(ClientDisconnect):
            await first({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send)
        seated("one")

    asyncio.run(serve())


def test_a_body_that_does_not_come_is_not_waited_for(
    served: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _ = served
    monkeypatch.setattr(bodies, "DEADLINE", 0.05)
    answers: list[Message] = []

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        answers.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/sync",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "client": ("192.0.2.1", 1),
    }
    portal = client.portal
    assert portal is not None
    portal.call(client.app, scope, receive, send)
    assert answers[0]["status"] == 408


def test_a_stream_too_many_is_a_problem(tmp_path: Path) -> None:
    with inside(settings_in(tmp_path, executor={"streams": 1})) as (client, service):
        operation = client.post("/api/v1/sync", json=SYNC).json()["operation_id"]
        service.seats.take("local", 1)
        answer = client.get(f"/api/v1/operations/{operation}/events")
        assert (answer.status_code, answer.json()["code"]) == (429, "too-many-requests")
        assert answer.headers["retry-after"] == "5"
        service.seats.leave("local")
        client.post(f"/api/v1/operations/{operation}/cancel")
        for odd in ("\xb2", "-1", "9" * 20, "x"):
            answer = client.get(
                f"/api/v1/operations/{operation}/events",
                headers={b"Last-Event-ID": odd.encode("latin-1")},
            )
            assert "event: summary" in answer.text


def test_a_report_leaves_in_pieces() -> None:
    lines = [f"{number:0100}" for number in range(5000)]
    pieces = list(chunks(iter(lines)))
    assert "".join(pieces) == "".join(f"{line}\n" for line in lines)
    assert max(map(len, pieces)) < CHUNK + 200


# --- what is shown -------------------------------------------------------------------------------


class Page(HTMLParser):
    """Which elements a page has."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def failed(served: Inside, keys: list[str]) -> str:
    """An operation that has failed on these keys."""
    client, service = served
    operation: str = client.post("/api/v1/sync", json=SYNC).json()["operation_id"]
    rows = [
        {
            "operation": operation,
            "key": key.encode(),
            "action": "copy",
            "state": ObjectState.FAILED,
            "error": "store-fault",
            "message": f"{key}: the store said {key}",
        }
        for key in keys
    ]
    with service.queue.engine.begin() as connection:
        for row in rows:
            connection.execute(insert(objects).values(row))
    return operation


def test_no_key_becomes_html(served: Inside) -> None:
    client, _ = served
    plain, odd = (failed(served, keys) for keys in (["k"] * 1, NASTY))
    pages = []
    for operation in (plain, odd):
        answer = client.get(f"/api/v1/operations/{operation}/report", params={"format": "html"})
        assert answer.headers["content-security-policy"] == "sandbox allow-scripts"
        assert answer.headers["x-content-type-options"] == "nosniff"
        page = Page()
        page.feed(answer.text)
        pages.append(page)
    assert set(pages[1].tags) == set(pages[0].tags)
    assert pages[1].tags.count("script") == pages[0].tags.count("script")
    assert "img" not in pages[1].tags
    assert any("<script>alert(1)</script>" in text for text in pages[1].text)


def test_a_report_in_json_or_text_keeps_keys_as_they_are_and_steers_no_terminal(
    served: Inside,
) -> None:
    client, _ = served
    operation = failed(served, NASTY)
    told = client.get(f"/api/v1/operations/{operation}/report").json()
    assert sorted(one["key"] for one in told["objects"]) == sorted(NASTY)
    text = client.get(f"/api/v1/operations/{operation}/report", params={"format": "text"}).text
    assert all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize("nasty", NASTY)
def test_a_problem_is_json_and_never_a_page(served: Inside, nasty: str) -> None:
    client, _ = served
    for answer in (
        client.post("/api/v1/sync", json={**SYNC, "source": f"lake:{nasty}"}),
        client.post("/api/v1/sync", json={**SYNC, nasty: nasty}),
        client.post(
            "/api/v1/sync", json={**SYNC, "filters": {"patterns": [{"include": "[" + nasty}]}}
        ),
        client.get("/api/v1/operations", params={"state": nasty}),
        client.get("/api/v1/operations", params={"after": nasty}),
    ):
        if answer.is_success:
            continue
        assert (answer.headers["content-type"], answer.status_code < 500) == (PROBLEM, True)
        assert isinstance(answer.json()["detail"], str)
        assert not {"set-cookie"} & set(answer.headers)


@pytest.mark.parametrize("nasty", NASTY)
def test_a_message_of_the_log_is_one_line(nasty: str, capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers = root.handlers[:]
    try:
        configure(logging.WARNING)
        logging.getLogger("lakebed.test").warning("object %s failed", nasty)
    finally:
        root.handlers[:] = handlers
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
