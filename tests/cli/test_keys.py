"""keys create, list and revoke, on a ledger of their own."""

import json
from getpass import getuser
from pathlib import Path

import pytest

from lakebed.access.caller import Grant
from lakebed.access.keys import Keys
from lakebed.database.engine import open_engine, sqlite_url
from lakebed.errors import Exit

from .conftest import Ended, Lakebed


def made(ended: Ended) -> dict[str, object]:
    assert ended.code == 0, ended.err
    found: dict[str, object] = json.loads(ended.out)
    return found


def test_a_key_is_shown_once_and_opens_what_was_said(lakebed: Lakebed, tmp_path: Path) -> None:
    ended = lakebed(
        "keys", "create", "night", "--role", "workflow_operator", "--role", "readonly_user",
        "--read", "binance:", "--write", "aws:lake/raw/",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    shown = ended.out.strip()
    engine = open_engine(sqlite_url(tmp_path / "state" / "lakebed" / "ledger.sqlite"))
    caller = Keys(engine).caller(shown)
    engine.dispose()
    assert caller.name == "night"
    assert caller.grants == (Grant("binance:"), Grant("aws:lake/raw/", write=True))
    secret = shown.split("_", 2)[2]
    for listed in (lakebed("keys", "list"), lakebed("keys", "list", "--json")):
        assert "night" in listed.out
        assert secret not in listed.out


def test_keys_are_listed_with_their_state(lakebed: Lakebed) -> None:
    assert lakebed("keys", "list").out == "no keys\n"
    assert lakebed("keys", "list", "--quiet").out == ""
    create = ("keys", "create", "--json", "--role", "readonly_user", "--read", "*")
    first = made(lakebed(*create, "first", "--expires", "never"))
    second = made(lakebed(*create, "second", "--expires", "1d"))
    assert (first["expires"], second["state"]) == (None, "valid")
    assert str(first["key"]).startswith(f"lkb_{first['id']}_")
    assert (
        lakebed("keys", "revoke", str(first["id"])).out
        == f"key {first['id']} of first is revoked\n"
    )
    assert made(lakebed("keys", "revoke", str(first["id"]), "--json"))["state"] == "revoked"
    table = lakebed("keys", "list").out
    assert "never" in table
    assert "r *" in table
    states = [
        json.loads(line)["state"] for line in lakebed("keys", "list", "--json").out.splitlines()
    ]
    assert sorted(states) == ["revoked", "valid"]


def test_who_makes_and_revokes_a_key_stands_in_the_audit_log(lakebed: Lakebed) -> None:
    create = ("keys", "create", "night", "--json", "--role", "readonly_user", "--read", "aws:")
    key = made(lakebed(*create))
    lakebed("keys", "list")
    lakebed("keys", "revoke", str(key["id"]))
    lines = lakebed("audit", "list", "--json").out.splitlines()
    _, wish, created, end, revoked = map(json.loads, lines)
    assert (wish["action"], wish["subject"]) == ("asked keys create", "night")
    assert (end["action"], end["subject"]) == ("asked keys revoke", key["id"])
    assert wish["detail"]["roles"] == ["readonly_user"]
    assert [one["detail"]["asked"] for one in (created, revoked)] == [wish["number"], end["number"]]
    for entry, action in ((created, "did keys create"), (revoked, "did keys revoke")):
        assert (entry["action"], entry["subject"]) == (action, key["id"])
        assert entry["actor"] == f"local:{getuser()}"
        assert entry["detail"]["grants"] == [{"place": "aws:", "write": False}]
    assert str(key["key"]).split("_", 2)[2] not in "".join(lines)
    assert lakebed("audit", "verify").code == 0


def test_what_cannot_be_entered_in_the_audit_log_is_not_done(
    lakebed: Lakebed, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = ("keys", "create", "--json", "--role", "readonly_user")
    key = made(lakebed(*create, "first"))
    monkeypatch.setenv("OTHER", "m" * 32)
    monkeypatch.setenv("LAKEBED_AUDIT__KEY", "env:OTHER")
    for arguments in ((*create, "second"), ("keys", "revoke", str(key["id"]))):
        ended = lakebed(*arguments)
        assert ended.code == Exit.USAGE
        assert "another key" in ended.err
    (left,) = lakebed("keys", "list", "--json").out.splitlines()
    assert (json.loads(left)["name"], json.loads(left)["state"]) == ("first", "valid")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("create", "x"), "say --role"),
        (("create", "x", "--role", "emperor"), "no such role"),
        (("create", "x", "--role", "readonly_user", "--read", "lake"), "no place"),
        (("create", "x", "--role", "readonly_user", "--read", "lake:"), "lake"),
        (("create", "x", "--role", "readonly_user", "--expires", "soon"), "soon"),
        (("revoke", "0123"), "no such key"),
    ],
    ids=str,
)
def test_what_is_wrong_is_refused_in_one_line(
    lakebed: Lakebed, arguments: tuple[str, ...], reason: str
) -> None:
    ended = lakebed("keys", *arguments)
    assert ended.code == Exit.USAGE
    assert reason in ended.err
    assert ended.out == ""
