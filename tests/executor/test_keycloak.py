"""A real issuer: Keycloak's tokens, its pages for signing in, its keys when they are rotated."""

import asyncio
import html
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_plus, urlsplit

import httpx2
import pytest

from lakebed.access.oidc.issuer import PAUSE, Issuer
from lakebed.access.oidc.token import claims_of
from lakebed.settings.access import OidcSettings
from tests.access import keycloak
from tests.access.keycloak import Keycloak
from tests.executor.admitted import Inside, bearer, inside, sync
from tests.operations.conftest import Clock, sqlite_template

__all__ = ["sqlite_template"]
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(bool(keycloak.why_not()), reason=keycloak.why_not()),
    pytest.mark.xdist_group("keycloak"),
]
CLIENT, SECRET, PASSWORD = "lakebed-console", "only/for+tests", "a password of ada"


def mapper(name: str, **config: str) -> dict[str, object]:
    both = {"access.token.claim": "true", "id.token.claim": "true"}
    return {
        "name": name,
        "protocol": "openid-connect",
        "protocolMapper": name,
        "config": {**both, **config},
    }


def user(name: str, role: str) -> dict[str, object]:
    return {
        "username": name,
        "enabled": True,
        "email": f"{name}@example.com",
        "emailVerified": True,
        "firstName": name,
        "lastName": name,
        "credentials": [{"type": "password", "value": PASSWORD}],
        "realmRoles": [role],
    }


REALM: dict[str, object] = {
    "realm": "lake",
    "enabled": True,
    "roles": {"realm": [{"name": "engineers"}, {"name": "readers"}]},
    "users": [user("ada", "engineers"), user("bob", "readers")],
    "clients": [
        {
            "clientId": CLIENT,
            "secret": SECRET,
            "redirectUris": ["http://localhost/session/oidc/callback"],
            "directAccessGrantsEnabled": True,
            "attributes": {"pkce.code.challenge.method": "S256"},
            "protocolMappers": [
                mapper("oidc-audience-mapper", **{"included.custom.audience": "lakebed"}),
                mapper(
                    "oidc-usermodel-realm-role-mapper",
                    **{"claim.name": "groups", "multivalued": "true", "jsonType.label": "String"},
                ),
            ],
        }
    ],
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keycloak]:
    with keycloak.serving(tmp_path_factory.mktemp("keycloak") / "log") as running:
        running.make_realm(REALM)
        yield running


@pytest.fixture
def oidc(served: Keycloak) -> OidcSettings:
    return OidcSettings.model_validate(
        {
            "issuer": f"{served.url}/realms/lake",
            "audience": "lakebed",
            "client_id": CLIENT,
            "client_secret": SECRET,
            "roles": {"engineers": "workflow_operator", "readers": "readonly_user"},
            "grants": {"engineers": {"write": ("here:", "there:")}, "readers": {"read": "here:"}},
        }
    )


@pytest.fixture
def at(sqlite_template: Path, tmp_path: Path, oidc: OidcSettings) -> Iterator[Inside]:
    with inside(sqlite_template, tmp_path, access={"mode": "oidc", "oidc": oidc}) as running:
        running.client.follow_redirects = False
        yield running


def token(oidc: OidcSettings, name: str) -> str:
    """As a script gets it."""
    form = {"grant_type": "password", "scope": "openid", "username": name, "password": PASSWORD}
    answer = httpx2.post(
        f"{oidc.issuer}/protocol/openid-connect/token",
        data=form,
        auth=(CLIENT, quote_plus(SECRET)),
        trust_env=False,
    )
    assert answer.is_success, answer.text
    return str(answer.json()["access_token"])


def signed_in(url: str, name: str) -> str:
    """Where the browser is sent back to, once its owner has filled in the page of the issuer."""
    with httpx2.Client(trust_env=False, timeout=30.0) as browser:
        page = browser.get(url)
        action = re.search(r'action="([^"]+)"', page.text)
        assert action is not None, page.text
        # To a browser loopback is as good as https; a jar of Python keeps `Secure` cookies back.
        given = page.headers.get_list("set-cookie")
        cookie = "; ".join(one.partition(";")[0] for one in given)
        form = {"username": name, "password": PASSWORD}
        answer = browser.post(html.unescape(action[1]), data=form, headers={"Cookie": cookie})
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]


def test_its_tokens_open_what_their_groups_may(at: Inside, oidc: OidcSettings) -> None:
    ada, bob = (bearer(token(oidc, name)) for name in ("ada", "bob"))
    assert at.client.post("/api/v1/sync", json=sync(), headers=ada).status_code == 202
    assert at.client.post("/api/v1/sync", json=sync(), headers=bob).status_code == 403
    told = at.client.get("/session", headers=ada).json()["caller"]
    assert (told["name"], told["roles"]) == ("ada", ["workflow_operator"])


def test_a_browser_signs_in_at_its_page(at: Inside) -> None:
    where = at.client.get("/session/oidc").headers["Location"]
    back = urlsplit(signed_in(where, "bob"))
    assert at.client.get(f"{back.path}?{back.query}").status_code == 200
    told = at.client.get("/session").json()
    assert (told["caller"]["name"], told["caller"]["roles"]) == ("bob", ["readonly_user"])
    gone = at.client.delete("/session", headers={"X-CSRF-Token": told["csrf"]})
    assert gone.status_code == 204
    assert at.client.get("/session").status_code == 401


def test_a_rotation_of_its_keys_shuts_nobody_out(served: Keycloak, oidc: OidcSettings) -> None:
    clock = Clock()
    issuer = Issuer(oidc.issuer, clock)

    async def rotated() -> None:
        before = token(oidc, "ada")
        await claims_of(before, issuer, oidc, oidc.audience)
        realm = served.admin.get("/admin/realms/lake").json()
        made = served.admin.post(
            "/admin/realms/lake/components",
            json={
                "name": "newer",
                "parentId": realm["id"],
                "providerId": "rsa-generated",
                "providerType": "org.keycloak.keys.KeyProvider",
                "config": {"priority": ["1000"]},
            },
        )
        assert made.is_success, made.text
        after = token(oidc, "ada")
        assert before.split(".")[0] != after.split(".")[0]
        clock.now += PAUSE
        for shown in (before, after):
            claims = await claims_of(shown, issuer, oidc, oidc.audience)
            assert claims["preferred_username"] == "ada"

    asyncio.run(rotated())
