"""Signing in, at a browser before an executor that lets nobody in without."""

from pathlib import Path

import pytest
from playwright.sync_api import expect
from starlette.testclient import TestClient

from lakebed.executor.app import build
from lakebed.executor.service import Service
from lakebed.settings.access import AccessSettings, OidcSettings
from tests.e2e.buckets import Bucket, pairs
from tests.e2e.process import Lakebed
from tests.executor.console.outline import Outline
from tests.executor.console.visitor import Visitor
from tests.executor.replica import replica


def test_a_code_signs_in_once_and_a_sign_out_holds(
    lakebed: Lakebed, source: Bucket, destination: Bucket, visitor: Visitor
) -> None:
    source.fill(pairs(2))
    page = visitor.page
    with replica(lakebed, "--auth", "token") as executor:
        page.goto(f"{executor.url}/console/stores?odd=1")
        page.wait_for_url("**/sign-in?next=%2Fconsole%2Fstores%3Fodd%3D1")
        visitor.picture("sign-in")
        page.get_by_label("One-time code or API key").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).not_to_be_empty()
        assert visitor.heard() == 2
        page.goto(str(executor.serving["console"]))
        expect(page.get_by_role("heading", name="Operations")).to_be_visible()
        assert "code" not in page.url
        page.goto(f"{executor.url}/console/new?source=here:{source.name}/")
        page.get_by_label("To", exact=True).fill(f"there:{destination.name}/")
        page.get_by_role("button", name="Show the plan").click()
        page.get_by_role("button", name="Start this sync").click()
        expect(page.locator("#live .state")).to_have_text("completed")
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/sign-in")
        page.goto(executor.url)
        page.wait_for_url("**/sign-in?next=%2F")
        page.goto(str(executor.serving["console"]))
        expect(page.get_by_role("alert")).to_contain_text("was used")
        assert visitor.heard() == 1


def test_a_token_is_typed_and_leads_back_to_where_one_was_going(
    lakebed: Lakebed, visitor: Visitor
) -> None:
    page = visitor.page
    with replica(lakebed, "--auth", "token") as executor:
        page.goto(f"{executor.url}/console/operations?state=failed")
        token = Path(str(executor.serving["token_file"])).read_text().strip()
        page.get_by_label("One-time code or API key").fill(token)
        page.keyboard.press("Enter")
        page.wait_for_url("**/console/operations?state=failed")
        expect(page.get_by_text("There are none.")).to_be_visible()
    # It was tried as a code first.
    assert visitor.heard() == 1


def with_access(service: Service, access: AccessSettings) -> TestClient:
    service.settings = service.settings.model_copy(update={"access": access})
    return TestClient(build(service), base_url="http://localhost", follow_redirects=False)


def test_where_nobody_is_told_apart_there_is_no_sign_in(service: Service) -> None:
    client = with_access(service, AccessSettings(mode="none"))
    answer = client.get("/sign-in?next=/console/health")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/health")


@pytest.mark.parametrize(("client_id", "offered"), [("console", True), ("", False)])
def test_an_issuer_is_offered_where_a_browser_can_go_there(
    service: Service, client_id: str, offered: bool
) -> None:
    oidc = OidcSettings(issuer="https://id.example", audience="lake", client_id=client_id)
    client = with_access(service, AccessSettings(mode="oidc", oidc=oidc))
    links = [link for link, _ in Outline(client.get("/sign-in").text).links]
    assert any(link.startswith("/session/oidc?next=") for link in links) is offered
