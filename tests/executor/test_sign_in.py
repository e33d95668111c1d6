"""Signing in at an issuer by a browser, and what a session of it may later."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.access.issuer import FakeIssuer, issuing
from tests.executor.admitted import Inside, bearer, inside, sync
from tests.operations.conftest import sqlite_template

__all__ = ["sqlite_template"]


@pytest.fixture
def issuer() -> Iterator[FakeIssuer]:
    with issuing() as running:
        yield running


@pytest.fixture
def at(sqlite_template: Path, tmp_path: Path, issuer: FakeIssuer) -> Iterator[Inside]:
    access = {"mode": "oidc", "oidc": issuer.settings()}
    with inside(sqlite_template, tmp_path, access=access) as running:
        running.client.follow_redirects = False
        yield running


def begun(at: Inside) -> str:
    """Where the browser is sent."""
    answer = at.client.get("/session/oidc")
    assert answer.status_code == 303
    assert "SameSite=lax" in answer.headers["Set-Cookie"]
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    return answer.headers["Location"]


def arrived(at: Inside, url: str) -> httpx2.Response:
    parts = urlsplit(url)
    return at.client.get(f"{parts.path}?{parts.query}")


def test_who_signs_in_at_the_issuer_has_a_session_here(at: Inside, issuer: FakeIssuer) -> None:
    where = begun(at)
    asked = parse_qs(urlsplit(where).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == ["http://localhost/session/oidc/callback"]
    answer = arrived(at, issuer.authorize(where))
    assert answer.status_code == 200
    cookies = answer.headers.get_list("set-cookie")
    assert any("lakebed_session=" in one and "SameSite=strict" in one for one in cookies)
    told = at.client.get("/session").json()
    assert (told["caller"]["name"], told["caller"]["roles"]) == ("ada", ["workflow_operator"])
    headers = {"X-CSRF-Token": told["csrf"]}
    body = sync(destination="there:lake/raw/")
    assert at.client.post("/api/v1/sync", json=body, headers=headers).status_code == 202
    assert at.client.post("/api/v1/sync", json=sync(), headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("wanted", "back"),
    [
        ("/console/stores?a=1&b=2", "/console/stores?a=1&amp;b=2"),
        ("https://evil.example.com/", "/"),
        ("//evil.example.com", "/"),
        ('/"><script>', "/&quot;&gt;&lt;script&gt;"),
    ],
    ids=str,
)
def test_a_browser_comes_to_the_page_that_it_wanted(
    at: Inside, issuer: FakeIssuer, wanted: str, back: str
) -> None:
    where = at.client.get("/session/oidc", params={"next": wanted}).headers["Location"]
    text = arrived(at, issuer.authorize(where)).text
    assert f'content="0;url={back}"' in text
    assert at.client.get("/sign-in").text.count("/session/oidc") == 1


def test_no_token_is_in_an_address(at: Inside, issuer: FakeIssuer) -> None:
    where = begun(at)
    arrived(at, issuer.authorize(where))
    secret = at.client.cookies["lakebed_session"]
    assert secret not in where
    assert "token" not in parse_qs(urlsplit(where).query)


def test_a_sign_in_that_another_browser_began_is_refused(at: Inside, issuer: FakeIssuer) -> None:
    elsewhere = issuer.authorize(begun(at))
    at.client.cookies.clear()
    assert arrived(at, elsewhere).status_code == 401
    begun(at)
    assert arrived(at, elsewhere).status_code == 401
    assert at.client.get("/session").status_code == 401


def test_a_code_of_the_issuer_opens_once(at: Inside, issuer: FakeIssuer) -> None:
    back = issuer.authorize(begun(at))
    assert arrived(at, back).status_code == 200
    assert arrived(at, back).status_code == 401


@pytest.mark.parametrize(
    "claims",
    [{"nonce": "another"}, {"nonce": None}, {"aud": "another"}, {"iss": "https://x.example.com"}],
    ids=str,
)
def test_a_token_of_another_sign_in_opens_nothing(
    at: Inside, issuer: FakeIssuer, claims: dict[str, object]
) -> None:
    issuer.claims = claims
    assert arrived(at, issuer.authorize(begun(at))).status_code == 401
    assert at.client.get("/session").status_code == 401


def test_what_the_issuer_refuses_is_refused(at: Inside, issuer: FakeIssuer) -> None:
    begun(at)
    assert at.client.get("/session/oidc/callback?error=access_denied").status_code == 401
    assert at.client.get("/session/oidc/callback?state=x&code=y").status_code == 401


def test_guessing_at_the_callback_does_not_have_the_issuer_asked_for_ever(
    at: Inside, issuer: FakeIssuer
) -> None:
    back = issuer.authorize(begun(at))
    told = [arrived(at, back.replace("code=code-0", "code=x")).status_code for _ in range(25)]
    assert (told[0], told[-1]) == (401, 429)
    assert issuer.asked.count("/realm/token") <= 22


def test_a_bearer_token_of_the_issuer_needs_no_session(at: Inside, issuer: FakeIssuer) -> None:
    shown = bearer(issuer.token())
    body = sync(destination="there:lake/raw/")
    assert at.client.post("/api/v1/sync", json=body, headers=shown).status_code == 202
    expired = bearer(issuer.token(exp=1_700_000_000))
    refused = at.client.get("/api/v1/operations", headers=expired)
    assert (refused.status_code, refused.json()["title"]) == (401, "unauthenticated")
    assert "the token has expired" in refused.json()["detail"]
    assert at.client.get("/api/v1/operations", headers=at.key()).status_code == 200


def test_where_the_issuer_is_away_its_tokens_are_asked_for_later(
    at: Inside, issuer: FakeIssuer
) -> None:
    issuer.status = 503
    answer = at.client.get("/api/v1/operations", headers=bearer(issuer.token()))
    assert (answer.status_code, answer.json()["code"]) == (503, "issuer-away")
    assert answer.json()["retryable"] is True
    assert at.client.get("/session/oidc").status_code == 503


def test_without_an_issuer_nobody_signs_in_there(sqlite_template: Path, tmp_path: Path) -> None:
    with inside(sqlite_template, tmp_path, access={"mode": "keys"}) as at:
        answer = at.client.get("/session/oidc", follow_redirects=False)
        assert (answer.status_code, answer.json()["code"]) == (422, "usage")


def test_a_secret_of_the_client_goes_to_the_issuer_and_nowhere_else(
    sqlite_template: Path, tmp_path: Path, issuer: FakeIssuer
) -> None:
    given = {**issuer.settings().model_dump(), "client_secret": "s3cret/+"}
    public = {"public_url": "https://lake.example.com"}
    access = {"mode": "oidc", "oidc": given}
    with inside(sqlite_template, tmp_path, access=access, executor=public) as at:
        at.client.follow_redirects = False
        answer = at.client.get("https://lake.example.com/session/oidc")
        assert "s3cret" not in answer.headers["Location"]
        assert "Secure" in answer.headers["Set-Cookie"]
        back = issuer.authorize(answer.headers["Location"])
        assert back.startswith("https://lake.example.com/session/oidc/callback?")
        assert at.client.get(back).status_code == 200
        assert issuer.authorizations == ["Basic bGFrZWJlZC1jb25zb2xlOnMzY3JldCUyRiUyQg=="]
