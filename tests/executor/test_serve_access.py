"""The real command: who is told what at start, and what holds at every replica."""

import stat
from pathlib import Path
from signal import SIGTERM

import pytest

from lakebed.errors import Exit
from tests.e2e.process import Lakebed
from tests.executor.admitted import bearer
from tests.executor.replica import replica

OPERATIONS = "/api/v1/operations"


def test_at_start_a_token_is_made_and_the_console_s_address_told(lakebed: Lakebed) -> None:
    with replica(lakebed, "--auth", "token") as at:
        assert at.client.get(OPERATIONS).status_code == 401
        file = Path(str(at.serving["token_file"]))
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        token = file.read_text().strip()
        assert at.client.get(OPERATIONS, headers=bearer(token)).status_code == 200
        address, _, code = str(at.serving["console"]).partition("#code=")
        assert address == f"{at.url}/sign-in"
        assert at.client.post("/session", json={"code": code}).status_code == 200
        assert at.client.get(OPERATIONS).status_code == 200
        at.process.signal(SIGTERM)
        ended = at.process.end()
    assert not file.exists()
    assert token not in ended.out + ended.err
    assert "code=" not in ended.err


def test_what_one_replica_knows_all_know(team: Lakebed) -> None:
    create = ("keys", "create", "night", "--role", "readonly_user", "--read", "*", "--json")
    with replica(team, "--auth", "keys") as one, replica(team, "--auth", "keys") as other:
        (key,) = team(*create).events
        shown = bearer(str(key["key"]))
        assert one.client.get(OPERATIONS, headers=shown).status_code == 200
        assert other.client.get(OPERATIONS, headers=shown).status_code == 200
        signed = one.client.post("/session", json={"key": key["key"]}).json()
        other.client.cookies.set("lakebed_session", one.client.cookies["lakebed_session"])
        assert other.client.get("/session").json() == signed
        assert team("keys", "revoke", str(key["id"])).code == 0
        for at in (one, other):
            assert at.client.get(OPERATIONS, headers=shown).status_code == 401
            assert at.client.get("/session").status_code == 401


@pytest.mark.parametrize("auth", ["token", "none"])
def test_beyond_this_machine_nobody_is_served_without_a_key(lakebed: Lakebed, auth: str) -> None:
    ended = lakebed("executor", "serve", "--port", "0", "--host", "0.0.0.0", "--auth", auth)
    assert ended.code == Exit.USAGE
    assert f"0.0.0.0: --auth {auth} is for this machine only" in ended.complaint


def test_an_issuer_has_to_be_configured(lakebed: Lakebed) -> None:
    ended = lakebed("executor", "serve", "--port", "0", "--auth", "oidc")
    assert ended.code == Exit.USAGE
    assert "[access.oidc]" in ended.complaint


def test_that_nobody_is_asked_is_said_loudly(lakebed: Lakebed) -> None:
    with replica(lakebed, "--auth", "none", "--quiet") as at:
        assert at.client.get(OPERATIONS).status_code == 200
        at.process.signal(SIGTERM)
        assert "whoever reaches" in at.process.end().err
