"""`lakebed config`, on a real ledger."""

import json
import sys
from pathlib import Path

import jsonschema_rs
import pytest

from lakebed.configurations.history import History
from lakebed.database.engine import open_engine, sqlite_url
from lakebed.settings.layers import Sources

from .conftest import Lakebed

BASE = """state = "state"
[stores.lake]
endpoint = "http://127.0.0.1:9000"
access_key = "lake-admin"
secret_key = "env:LAKE_SECRET"
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAKE_SECRET", "hush")
    path = tmp_path / "lakebed.toml"
    path.write_text(BASE)
    return path


def load(file: Path, environment: str = "") -> int:
    """As a service does; the number of the version."""
    engine = open_engine(sqlite_url(file.parent / "state" / "ledger.sqlite"))
    try:
        sources = Sources(file, {"LAKEBED_ENV": environment}, file.parent)
        return History(engine).record(sources.read(), "service@host").number
    finally:
        engine.dispose()


def events(out: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.splitlines()]


def test_check_says_all_that_is_wrong_and_ends_with_2(lakebed: Lakebed, file: Path) -> None:
    file.write_text(BASE + "timeuots.stall = 3\nregion = ''\n")
    ended = lakebed("config", "check")
    assert ended.code == 2
    assert (
        f"error: {file}, line 6: stores.lake.timeuots: no such setting, did you mean" in ended.out
    )
    assert f"error: {file}, line 7: stores.lake.region: " in ended.out
    assert ended.out.endswith("2 errors, 0 warnings\n")
    told = events(lakebed("config", "check", "--json").out)
    assert [(one.get("key"), one.get("line")) for one in told] == [
        ("stores.lake.region", 7),
        ("stores.lake.timeuots", 6),
        (None, None),
    ]
    assert told[-1] == {"event": "checked", "errors": 2, "warnings": 0}


def test_check_says_that_all_is_right(lakebed: Lakebed, file: Path) -> None:
    ended = lakebed("config", "check")
    assert (ended.code, ended.out) == (0, "0 errors, 0 warnings\n")
    assert lakebed("config", "check", "--quiet").out == ""


def test_check_refuses_a_secret_where_it_is_guarded(lakebed: Lakebed, file: Path) -> None:
    file.with_name("lakebed.production.toml").write_text("[stores.lake]\nsecret_key = 'psst'\n")
    assert lakebed("config", "check").code == 0
    ended = lakebed("config", "check", "--env", "production")
    assert ended.code == 2
    assert "lakebed.production.toml, line 2: stores.lake.secret_key: a secret does not" in ended.out
    assert "psst" not in ended.out + ended.err


def test_show_has_each_value_with_where_it_comes_from(lakebed: Lakebed, file: Path) -> None:
    told = {one["key"]: one for one in events(lakebed("config", "show", "--json").out)}
    assert told["stores.lake.secret_key"] == {
        "key": "stores.lake.secret_key",
        "value": "env:LAKE_SECRET",
        "from": f"{file}:5",
    }
    assert told["log"]["from"] == "default"
    lines = lakebed("config", "show").out.splitlines()
    assert lines[0].split() == ["KEY", "VALUE", "FROM"]
    assert any(line.split()[-1] == "lakebed.toml:3" for line in lines)
    assert not any("lake-admin" in line or "hush" in line for line in lines)


def test_environments_are_compared(lakebed: Lakebed, file: Path) -> None:
    file.with_name("lakebed.staging.toml").write_text("log = 'info'\n")
    file.with_name("lakebed.production.toml").write_text("log = 'error'\n")
    assert (
        lakebed("config", "diff", "--env", "staging").out == '- log = "warning"\n+ log = "info"\n'
    )
    both = lakebed("config", "diff", "--env", "staging", "--env", "production", "--json")
    assert events(both.out) == [{"key": "log", "before": "info", "after": "error"}]
    assert lakebed("config", "diff", "--env", "other").out == "no difference\n"


def test_versions_are_listed_and_compared(lakebed: Lakebed, file: Path) -> None:
    load(file)
    file.write_text("log = 'info'\n" + BASE)
    load(file)
    file.write_text("log = 'error'\n" + BASE)
    lines = lakebed("config", "history").out.splitlines()
    assert lines[0].split() == ["VERSION", "LOADED", "BY", "ENVIRONMENT", "SHA256"]
    assert [line.split()[0] for line in lines[1:]] == ["2", "1"]
    (newest, _) = events(lakebed("config", "history", "--json").out)
    assert (newest["version"], newest["author"]) == (2, "service@host")
    assert lakebed("config", "history", "--limit", "1").out.count("service@host") == 1
    changed = '- log = "{}"\n+ log = "{}"\n'
    assert lakebed("config", "diff", "1", "2").out == changed.format("warning", "info")
    assert lakebed("config", "diff", "1").out == changed.format("warning", "error")
    assert lakebed("config", "diff").out == changed.format("info", "error")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("diff",), "no service has loaded a configuration yet"),
        (("diff", "7"), "7: no such version"),
        (("diff", "1", "2", "3"), "compare what?"),
        (("diff", "1", "--env", "staging"), "compare what?"),
        (("rollback", "7", "--yes"), "7: no such version"),
        (("show", "--env", "NO"), "LAKEBED_ENV: no name of an environment"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    lakebed: Lakebed, file: Path, arguments: tuple[str, ...], reason: str
) -> None:
    ended = lakebed("config", *arguments)
    assert ended.code == 2
    assert reason in ended.err


def test_a_rollback_shows_what_changes_and_keeps_what_was(lakebed: Lakebed, file: Path) -> None:
    load(file)
    file.write_text("log = 'info'\n" + BASE)
    ended = lakebed("config", "rollback", "1", "--yes")
    assert ended.out.splitlines() == [
        '- log = "info"',
        '+ log = "warning"',
        f"version 1 is written: {file}",
        "what was there is version 2",
    ]
    assert file.read_text() == BASE
    told = events(lakebed("config", "rollback", "2", "--yes", "--json").out)[-1]
    assert (told["event"], told["version"], told["written"]) == ("rolled-back", 2, [str(file)])
    assert file.read_text() == "log = 'info'\n" + BASE


def test_a_rollback_asks_before_it_writes(
    lakebed: Lakebed, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(file)
    file.write_text("log = 'info'\n" + BASE)
    ended = lakebed("config", "rollback", "1")
    assert (ended.code, "nobody is there to be asked (write --yes)" in ended.err) == (2, True)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    answers = iter([False, True])
    monkeypatch.setattr("typer.confirm", lambda *_, **__: next(answers))
    assert lakebed("config", "rollback", "1").code == 2
    assert file.read_text() != BASE
    assert lakebed("config", "rollback", "1").code == 0
    assert file.read_text() == BASE


def test_a_rollback_mends_what_cannot_be_read(lakebed: Lakebed, file: Path) -> None:
    load(file)
    file.write_text(BASE + "log = 3\n")
    ended = lakebed("config", "rollback", "1", "--yes")
    assert ended.code == 0
    assert "what is there now is wrong, and is replaced: " in ended.err
    assert f"what was there is kept: {file}.replaced" in ended.out
    assert file.read_text() == BASE


def test_a_rollback_takes_away_the_file_that_the_version_had_not(
    lakebed: Lakebed, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKEBED_ENV", "staging")
    load(file, "staging")
    upper = file.with_name("lakebed.staging.toml")
    upper.write_text("log = 'info'\n")
    assert f"removed: {upper}" in lakebed("config", "rollback", "1", "--yes").out
    assert not upper.exists()


def test_the_schema_is_printed_for_editors(lakebed: Lakebed) -> None:
    jsonschema_rs.meta.validate(json.loads(lakebed("config", "schema").out))
