"""Who is let in over HTTP, and what is refused before anybody looks at it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lakebed.access.caller import Grant
from lakebed.access.keys import Keys
from lakebed.access.permission import Role
from tests.executor.admitted import LATER, Inside, bearer, inside, sync
from tests.operations.conftest import sqlite_template

__all__ = ["sqlite_template"]
OPERATIONS = "/api/v1/operations"


@pytest.fixture
def at(sqlite_template: Path, tmp_path: Path) -> Iterator[Inside]:
    with inside(sqlite_template, tmp_path) as running:
        yield running


def test_whoever_shows_nothing_is_asked_who_it_is(at: Inside) -> None:
    for path in (OPERATIONS, f"{OPERATIONS}/x", f"{OPERATIONS}/x/events", "/session"):
        answer = at.client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert at.client.get("/health").status_code == 200


def test_the_token_of_the_replica_opens_all(at: Inside) -> None:
    token = at.service.reception.new_token()
    assert at.client.get(OPERATIONS, headers=bearer(token)).status_code == 200
    at.service.reception.new_token()
    assert at.client.get(OPERATIONS, headers=bearer(token)).status_code == 401


@pytest.mark.parametrize(
    "shown", ["Bearer", "Bearer x", "Basic YTpi", "bearer lkb_0_0", "Bearer é"]
)
def test_what_is_no_key_opens_nothing(at: Inside, shown: str) -> None:
    answer = at.client.get(OPERATIONS, headers={b"Authorization": shown.encode()})
    assert answer.status_code == 401


def test_a_key_that_was_revoked_opens_nothing(at: Inside) -> None:
    shown = at.key()
    assert at.client.get(OPERATIONS, headers=shown).status_code == 200
    keys = Keys(at.service.platform.ledger.engine)
    keys.revoke(keys.list()[0].id)
    assert at.client.get(OPERATIONS, headers=shown).status_code == 401


def test_a_caller_starts_only_what_its_grants_cover(at: Inside) -> None:
    grants = (Grant("here:lake/a/"), Grant("there:lake/b/", write=True))
    shown = at.key(Role.WORKFLOW_OPERATOR, *grants)
    assert at.client.post("/api/v1/sync", json=sync(), headers=shown).status_code == 202
    for body in (sync("here:lake/other/"), sync(destination="there:lake/other/")):
        answer = at.client.post("/api/v1/sync", json=body, headers=shown)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    deleting = {**sync(), "configuration": {"delete_extra": True}}
    assert at.client.post("/api/v1/sync", json=deleting, headers=shown).status_code == 403


def test_what_a_caller_may_not_read_is_unknown_to_it(at: Inside) -> None:
    made = at.client.post("/api/v1/sync", json=sync(), headers=at.key()).json()
    where = f"{OPERATIONS}/{made['operation_id']}"
    stranger = at.key(Role.WORKFLOW_OPERATOR, Grant("here:lake/a/"))
    for path in (where, f"{where}/objects", f"{where}/events", f"{where}/report"):
        assert at.client.get(path, headers=stranger).status_code == 404
    for path in (f"{where}/cancel", f"{where}/resume"):
        assert at.client.post(path, headers=stranger).status_code == 404
    assert at.client.get(OPERATIONS, headers=stranger).json()["operations"] == []
    reader = at.key(Role.READONLY_USER, Grant("here:"), Grant("there:"))
    assert at.client.get(where, headers=reader).status_code == 200
    assert at.client.post(f"{where}/cancel", headers=reader).status_code == 403


def test_a_sign_in_code_is_changed_into_a_session_once(at: Inside) -> None:
    code = at.service.reception.new_code()
    signed = at.client.post("/session", json={"code": code})
    cookie = signed.headers["Set-Cookie"]
    assert signed.status_code == 200
    assert all(word in cookie for word in ("lakebed_session=", "HttpOnly", "SameSite=strict"))
    assert "Secure" not in cookie
    assert signed.json()["caller"]["id"] == "local"
    assert "sync:delete" in signed.json()["permissions"]
    assert at.client.get("/session").json() == signed.json()
    at.client.cookies.clear()
    assert at.client.post("/session", json={"code": code}).status_code == 401
    for body in ({}, {"code": code, "key": "x"}, {"code": ""}):
        assert at.client.post("/session", json=body).status_code == 422


def test_behind_tls_a_cookie_goes_nowhere_else(at: Inside) -> None:
    code = at.service.reception.new_code()
    signed = at.client.post("https://localhost/session", json={"code": code})
    assert "Secure" in signed.headers["Set-Cookie"]


def test_a_write_of_a_browser_shows_its_csrf_token(at: Inside) -> None:
    shown = at.key()["Authorization"].removeprefix("Bearer ")
    csrf = at.client.post("/session", json={"key": shown}).json()["csrf"]
    assert at.client.get(OPERATIONS).status_code == 200
    refused = at.client.post("/api/v1/sync", json=sync())
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    wrong = at.client.post("/api/v1/sync", json=sync(), headers={"X-CSRF-Token": csrf[:-1]})
    assert wrong.status_code == 403
    right = at.client.post("/api/v1/sync", json=sync(), headers={"X-CSRF-Token": csrf})
    assert right.status_code == 202


def test_a_session_ends_with_its_key_and_with_the_sign_out(at: Inside) -> None:
    for end in ("revoke", "sign out"):
        shown = at.key()["Authorization"].removeprefix("Bearer ")
        csrf = at.client.post("/session", json={"key": shown}).json()["csrf"]
        cookie = at.client.cookies["lakebed_session"]
        if end == "revoke":
            keys = Keys(at.service.platform.ledger.engine)
            keys.revoke(shown.split("_")[1])
        else:
            assert at.client.delete("/session").status_code == 403
            gone = at.client.delete("/session", headers={"X-CSRF-Token": csrf})
            assert gone.status_code == 204
        at.client.cookies.set("lakebed_session", cookie)
        assert at.client.get("/session").status_code == 401
        at.client.cookies.clear()


@pytest.mark.parametrize("host", ["evil.example.com", "localhost.evil.com", "", "127.0.0.2"])
def test_a_request_for_another_host_is_refused(at: Inside, host: str) -> None:
    answer = at.client.get("/health", headers={"Host": host})
    assert (answer.status_code, answer.json()["code"]) == (421, "misdirected")


@pytest.mark.parametrize("host", ["LOCALHOST:8080", "[::1]:8080", "127.0.0.1", "lake.example.com"])
def test_the_names_of_the_service_are_known(
    sqlite_template: Path, tmp_path: Path, host: str
) -> None:
    named = {"hosts": ["Lake.example.com"]}
    with inside(sqlite_template, tmp_path, executor=named) as at:
        at.service.host = "::1"
        at.client.base_url = at.client.base_url.copy_with(host="127.0.0.1")
        assert at.client.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
        {"Origin": "http://localhost:81"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
    ],
    ids=str,
)
def test_a_page_of_another_origin_writes_nothing(at: Inside, headers: dict[str, str]) -> None:
    code = at.service.reception.new_code()
    answer = at.client.post("/session", json={"code": code}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    own = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert at.client.post("/session", json={"code": code}, headers=own).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_write_is_in_json(at: Inside, kind: str) -> None:
    shown = {**at.key(), "Content-Type": kind}
    answer = at.client.post("/api/v1/sync", content=b"{}", headers=shown)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")


def test_a_caller_that_asks_too_often_is_told_to_wait(
    sqlite_template: Path, tmp_path: Path
) -> None:
    with inside(sqlite_template, tmp_path, access={"rate": 1, "burst": 5}) as at:
        shown = at.key()
        for left in (4, 3, 2, 1, 0):
            answer = at.client.get(OPERATIONS, headers=shown)
            assert answer.status_code == 200
            assert answer.headers["RateLimit-Policy"] == '"caller";q=5;w=300'
            assert answer.headers["RateLimit"].startswith(f'"caller";r={left};t=')
        refused = at.client.get(OPERATIONS, headers=shown)
        assert (refused.status_code, refused.json()["code"]) == (429, "too-many-requests")
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert refused.headers["RateLimit"] == '"caller";r=0;t=300'
        assert at.client.get(OPERATIONS, headers=at.key()).status_code == 200


def test_an_address_that_guesses_is_slowed_down_and_its_neighbour_is_not(at: Inside) -> None:
    told = [at.client.get(OPERATIONS, headers=bearer(f"x{n}")).status_code for n in range(25)]
    assert (told[0], told[-1]) == (401, 429)
    assert at.client.post("/session", json={"code": "x"}).status_code == 429
    assert at.client.get(OPERATIONS, headers=at.key()).status_code == 200


def test_where_all_are_let_in_a_session_needs_no_cookie(
    sqlite_template: Path, tmp_path: Path
) -> None:
    with inside(sqlite_template, tmp_path, access={"mode": "none"}) as at:
        told = at.client.get("/session").json()
        assert (told["csrf"], told["caller"]["id"]) == ("", "local")
        assert at.client.post("/session", json={"code": "x"}).json() == told
        assert "Set-Cookie" not in at.client.post("/session", json={"code": "x"}).headers
        made = at.client.post("/api/v1/sync", json=sync())
        assert made.status_code == 202
        assert "RateLimit" not in made.headers
        assert at.client.delete("/session").status_code == 204


def test_no_answer_repeats_what_was_shown(at: Inside) -> None:
    secret = "lkb_0123456789ab_" + "s" * 43
    for answer in (
        at.client.get(OPERATIONS, headers=bearer(secret)),
        at.client.post("/session", json={"key": secret, "scheduled_for": LATER}),
    ):
        assert answer.status_code in (401, 422)
        assert secret not in answer.text
