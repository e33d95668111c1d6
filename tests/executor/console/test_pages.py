"""Pages as they are sent: what they allow a browser, and how they are built."""

import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from sqlalchemy import insert, update
from starlette.testclient import TestClient

from lakebed.access.caller import LOCAL, Caller, Grant
from lakebed.access.permission import Role
from lakebed.api.infrastructure import Component, Health, InfrastructureStatus
from lakebed.api.storage import BucketCapabilities, StorageUsage, StoreDescription, StoreList
from lakebed.database.tables import events, objects, operations, queue
from lakebed.database.transaction import writing
from lakebed.errors import Unauthenticated
from lakebed.executor.app import build
from lakebed.executor.callers import caller_of
from lakebed.executor.console.assets import ASSETS
from lakebed.executor.console.pages import way_back
from lakebed.executor.routes import infrastructure, storage
from lakebed.executor.service import Service
from lakebed.model.operation import Request
from lakebed.operations.submission import Submission
from lakebed.store.capabilities import Capability
from tests.executor.console.outline import Outline
from tests.operations.conftest import REQUEST

NASTY = "<script>alert(1)</script>\"'&\u202e\n.zip"
SEEN = "<script>alert(1)</script>\"'&\\u202e\\n.zip"
ALL = {str(one): one is not Capability.UNPACK for one in Capability}
STORES = StoreList(
    stores=[
        StoreDescription(
            store="lake",
            endpoint="https://lake.example",
            region="eu-central-1",
            addressing="path",
            credentials="static",
            digests="sidecar",
            default=True,
            buckets=[
                BucketCapabilities(bucket="bronze", capabilities=ALL, note=""),
                BucketCapabilities(bucket="<b>raw", capabilities={}, note="least is assumed"),
            ],
        ),
        StoreDescription(
            store="binance",
            endpoint="https://binance.example",
            region="ap-northeast-1",
            addressing="path",
            credentials="anonymous",
            digests="sidecar",
            default=False,
            buckets=[],
        ),
    ]
)
USAGE = StorageUsage(
    store="lake", bucket="bronze", prefix="klines/", objects=1200, bytes=5 * 2**30, truncated=True
)
HEALTH = InfrastructureStatus(
    status=Health.DEGRADED,
    components=[
        Component(
            name="database", status=Health.HEALTHY, version="PostgreSQL 15", detail="answers"
        ),
        Component(
            name="store:lake", status=Health.UNHEALTHY, uptime_seconds=8130.5, detail="<i>away"
        ),
    ],
)
OPEN = ("/sign-in",)
PAGES = (
    "/",
    "/console/operations",
    "/console/operations?state=failed&kind=sync&mine=true",
    "/console/operations/{id}",
    "/console/operations/{id}/objects",
    "/console/new",
    "/console/stores",
    "/console/usage",
    "/console/usage?store=lake&bucket=bronze",
    "/console/health",
)


def site(service: Service, who: Caller = LOCAL) -> FastAPI:
    """The application, as if it was this caller who asks."""
    app = build(service)
    app.dependency_overrides[caller_of] = lambda: who
    return app


def browsing(app: FastAPI) -> TestClient:
    return TestClient(app, base_url="http://localhost", follow_redirects=False)


@pytest.fixture
def client(service: Service, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """One whose stores and components are told as they are here."""
    for module, name, told in (
        (storage, "stores", STORES),
        (storage, "usage", USAGE),
        (infrastructure, "status", HEALTH),
    ):
        monkeypatch.setattr(module, name, answering(told))
    return browsing(site(service))


def answering(told: BaseModel) -> Callable[..., Awaitable[BaseModel]]:
    async def answer(*_: object) -> BaseModel:
        return told

    return answer


def operation(service: Service, request: Request = REQUEST, **values: object) -> str:
    """One in the queue, and what its row says otherwise."""
    (found,) = service.queue.enqueue([(request, Submission("local"))]).ids
    if values:
        with writing(service.queue.engine) as connection:
            change = update(operations).where(operations.c.id == found)
            connection.execute(change.values(values))
    return found


def refused(service: Service, key: str, message: str) -> str:
    """An operation that ended with one object of that name in quarantine."""
    found = operation(service, state="quarantined", started=time.time(), finished=time.time())
    row = {"operation": found, "key": key.encode(), "action": "copy", "state": "quarantined"}
    with writing(service.queue.engine) as connection:
        told = {"size": 5, "error": "digest-refused", "message": message}
        connection.execute(insert(objects), row | told)
    return found


@pytest.mark.parametrize("path", [*PAGES, *OPEN, "/console/operations/NONE"])
def test_every_page_is_sound(client: TestClient, service: Service, path: str) -> None:
    found = refused(service, "a.zip", "a.zip: it differs")
    answer = client.get(path.format(id=found))
    page = Outline(answer.text)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert page.landmarks == {"header": 1, "main": 1, "footer": 1}
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    steps = zip(page.headings, page.headings[1:], strict=False)
    assert all(after <= before + 1 for before, after in steps), page.headings
    assert page.unlabelled == []
    assert page.unnamed == []
    assert len(page.ids) == len(set(page.ids))
    assert page.referred <= set(page.ids)
    assert page.title.endswith(" · Lakebed")
    assert page.language == "en"


@pytest.mark.parametrize("path", [*PAGES, *OPEN, "/console/operations/NONE"])
def test_a_page_lets_a_browser_do_little(client: TestClient, service: Service, path: str) -> None:
    answer = client.get(path.format(id=operation(service)))
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
    )
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self' data:",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    page = Outline(answer.text)
    assert page.inline == []
    assert {one for one in page.fetched if not one.startswith("data:")} == {
        one.path for one in ASSETS.values()
    }


def test_style_and_script_are_kept_for_as_long_as_they_are_the_same(client: TestClient) -> None:
    for one in ASSETS.values():
        answer = client.get(one.path)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"].startswith(one.media_type)
        assert answer.content == one.content
        other = one.path.replace("/assets/", "/assets/0")
        assert client.get(other).status_code == 404
    assert client.get("/console/assets/0/other.js").status_code == 404


def test_a_key_is_never_more_than_a_key(client: TestClient, service: Service) -> None:
    found = refused(service, NASTY, f"{NASTY}: <img src=x>")
    for path in ("", "/objects", "/objects?state=quarantined"):
        page = Outline(client.get(f"/console/operations/{found}{path}").text)
        assert SEEN in page.text
        assert "<img src=x>" in page.text
        assert page.scripts == [ASSETS["console.js"].path]


def test_what_is_wrong_is_told_on_a_page(client: TestClient, service: Service) -> None:
    unknown = client.get("/console/operations/NONE")
    assert unknown.status_code == 404
    assert "no such operation" in Outline(unknown.text).text
    for path in ("/console/operations?state=odd", "/console/operations?after=" + "x" * 3000):
        assert client.get(path).status_code == 422


def test_whoever_is_not_known_signs_in_first_and_comes_back(service: Service) -> None:
    app = build(service)

    async def nobody() -> Caller:
        raise Unauthenticated("nobody known asks")

    app.dependency_overrides[caller_of] = nobody
    client = browsing(app)
    for path in ("/", "/console/operations?state=failed&mine=true", "/console/operations/X"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (303, "no-store")
        assert answer.headers["location"] == f"/sign-in?next={quote(path, safe='')}"
    page = Outline(client.get(f"/sign-in?next={quote('/console/health', safe='')}").text)
    assert page.data("sign-in", "back") == "/console/health"


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "evil",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "//[",
        "https://evil.example",
        "javascript:alert(1)",
        "/sign-in?next=/",
    ],
)
def test_the_way_back_never_leads_elsewhere(wanted: str) -> None:
    assert way_back(wanted) == "/"


@given(st.text(max_size=30))
def test_the_way_back_is_a_path_of_this_site(wanted: str) -> None:
    assert re.match(r"/(?![/\\])", way_back(wanted) + "x")


def test_a_reader_is_offered_nothing_that_it_may_not_do(service: Service) -> None:
    reader = Caller("key:1", "reader", frozenset({Role.READONLY_USER}), LOCAL.grants)
    client, found = browsing(site(service, reader)), operation(service)
    page = Outline(client.get(f"/console/operations/{found}").text)
    assert not page.buttons
    assert client.get("/console/new").status_code == 403


@pytest.mark.parametrize(
    ("asker", "writes", "buttons"),
    [
        ("key:1", True, ["Cancel", "Resume"]),
        ("key:1", False, ["Cancel"]),
        ("key:2", True, ["Resume"]),
        ("key:2", False, []),
    ],
)
def test_nobody_is_offered_what_the_api_would_refuse(
    service: Service, asker: str, writes: bool, buttons: list[str]
) -> None:
    grants = (Grant("*", write=writes),)
    who = Caller("key:1", "night", frozenset({Role.STORAGE_ADMIN}), grants)
    client, found = browsing(site(service, who)), operation(service, state="failed")
    with writing(service.queue.engine) as connection:
        connection.execute(update(queue).values(caller=asker))
    assert Outline(client.get(f"/console/operations/{found}").text).buttons == buttons
    for button in ("Resume", "Cancel"):
        answer = client.post(f"/api/v1/operations/{found}/{button.lower()}")
        assert answer.status_code == (202 if button in buttons else 403)


def test_only_what_an_operation_can_become_is_offered(client: TestClient, service: Service) -> None:
    offered = {
        "queued": ["Cancel"],
        "completed": [],
        "failed": ["Cancel", "Resume"],
        "cancelled": [],
        "partial": ["Resume"],
    }
    for state, buttons in offered.items():
        found = operation(service, state=state)
        page = Outline(client.get(f"/console/operations/{found}").text)
        assert page.buttons == buttons


def test_operations_are_turned_over_page_by_page(client: TestClient, service: Service) -> None:
    ids = {operation(service, state="failed") for _ in range(60)}
    first = Outline(client.get("/console/operations?state=failed").text)
    (after,) = [link for link, text in first.links if text == "Next page"]
    second = Outline(client.get(after).text)
    shown = [re.findall(r"[0-9A-Z]{16}", text) for _, text in [*first.links, *second.links]]
    assert {one for found in shown for one in found} == ids


def test_what_ended_last_is_shown_however_many_wait(client: TestClient, service: Service) -> None:
    now = time.time()
    ends = [operation(service, state="completed", finished=now - age) for age in range(25, 0, -1)]
    killed = operation(service, state="running", lease_until=now - 10.5)
    for _ in range(30):
        operation(service)
    recent = Outline(client.get("/").text).text.partition("Recent")[2]
    newest = ends[::-1]
    newest.insert(10, killed)
    assert re.findall(r"[0-9A-Z]{16}", recent) == newest[:20]


def test_moments_are_told_as_how_long_ago_they_were(client: TestClient, service: Service) -> None:
    now = time.time()
    for seconds in (30, 90, 7300, 200_000):
        operation(service, created=now - seconds)
    text = Outline(client.get("/console/operations").text).text
    assert all(said in text for said in (" s ago", "1 min ago", "2 h ago"))
    assert f"{datetime.fromtimestamp(now - 200_000, UTC):%Y-%m-%d}" in text


def test_the_course_of_an_operation_is_thinned_to_what_a_plot_can_show(
    client: TestClient, service: Service
) -> None:
    found = operation(service, state="completed", started=1.0, finished=2.0)
    told = '{{"seconds": {0}, "throughput": {0}.5, "in_flight": 3}}'
    rows = [
        {"operation": found, "number": number, "at": 0.0, "kind": kind, "data": data}
        for number in range(2, 1000)
        for kind, data in [("progress", told.format(number)) if number % 3 else ("objects", "[]")]
    ]
    with writing(service.queue.engine) as connection:
        connection.execute(insert(events), rows)
    page = Outline(client.get(f"/console/operations/{found}").text)
    moments = [float(one) for one in page.values[::3]]
    assert 100 <= len(moments) <= 120
    assert moments == sorted(set(moments))
    assert moments[-1] == 998.0
    assert client.get(f"/console/operations/{found}?live=true").text.count("<data") == 0


def test_fifty_operations_are_shown_within_a_tenth_of_a_second(
    client: TestClient, service: Service
) -> None:
    for state in ("completed", "failed", "queued"):
        for _ in range(50):
            operation(service, state=state)
    for path in ("/", "/console/operations"):
        client.get(path)
        took = []
        for _ in range(5):
            began = time.process_time()
            client.get(path)
            took.append(time.process_time() - began)
        assert min(took) < 0.1, path


def test_stores_and_health_are_told_as_the_api_tells_them(client: TestClient) -> None:
    stores = Outline(client.get("/console/stores").text)
    for text in ("lake", "https://lake.example", "<b>raw", "least is assumed", "not unpack"):
        assert text in stores.text
    health = Outline(client.get("/console/health").text)
    for text in ("degraded", "PostgreSQL 15", "<i>away", "2\u00a0h 15\u00a0min"):
        assert text in health.text
    usage = Outline(client.get("/console/usage?store=lake&bucket=bronze").text)
    assert "lake:bronze/klines/" in usage.text
    assert "1,200+" in usage.text
    assert "5.0\u00a0GiB+" in usage.text


def luminance(colour: str) -> float:
    parts = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_what_is_behind_them(scheme: str) -> None:
    style = ASSETS["console.css"].content.decode()
    colours: dict[str, str] = {}
    for dark, rules in re.findall(
        r"(color-scheme: dark\) \{\s*)?:root \{(.*?)\}", style, re.DOTALL
    ):
        if scheme == "dark" or not dark:
            colours |= dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", rules))
    words = ("ink", "soft", "good", "warn", "bad", "link")
    pairs = [(word, behind) for word in words for behind in ("paper", "card")]
    pairs += [("on-main", "main"), ("on-main", "bad"), ("ink", "field"), ("soft", "field")]
    pairs += [("ink", "bar-track"), ("soft", "bar-track"), ("paper", "ink")]
    for pair in pairs:
        darker, lighter = sorted(luminance(colours[name]) for name in pair)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (scheme, pair)
