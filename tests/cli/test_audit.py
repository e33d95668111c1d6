"""audit verify, list and head, on a log in a real ledger."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, update

from lakebed.audit.entry import Fact
from lakebed.audit.heads import Head, export
from lakebed.audit.log import Log
from lakebed.database.engine import open_engine, sqlite_url
from lakebed.database.tables import audit
from lakebed.errors import Exit
from lakebed.settings import Settings
from lakebed.settings.master import key_for

from .conftest import Lakebed

FACT = Fact("key:1", "did POST /x", "a\x1b[31mb", '{"status": 202}')


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "kept"
    monkeypatch.setenv("LAKEBED_STATE", str(folder))
    return folder


@pytest.fixture
def engine(state: Path) -> Engine:
    """With a log of three entries, the head of which is exported."""
    engine = open_engine(sqlite_url(state / "ledger.sqlite"))
    log = Log.open(engine, key_for("audit", Settings(state=state), {}), lambda: 1_700_000_000.0)
    export(state / "audit-heads.jsonl", Head.of(log.append([FACT, FACT])))
    return engine


def test_a_whole_log_is_told_to_be_whole(lakebed: Lakebed, engine: Engine) -> None:
    ended = lakebed("audit", "verify")
    assert (ended.code, ended.out) == (0, "3 entries are whole, 1 exported heads agree\n")
    told = json.loads(lakebed("audit", "verify", "--json").out)
    assert told == {"event": "verified", "entries": 3, "heads": 1, "wrong": None, "number": None}


def test_the_first_wrong_entry_is_named(lakebed: Lakebed, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(update(audit).where(audit.c.number == 2).values(actor="key:2"))
    ended = lakebed("audit", "verify")
    assert ended.code == Exit.FAILED_OBJECTS
    assert "audit entry 2: it was changed, moved or put in (the 1 before it are whole" in ended.err
    assert json.loads(lakebed("audit", "verify", "--json").out)["number"] == 2


def test_a_tail_that_was_cut_is_named(lakebed: Lakebed, engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        connection.execute(delete(audit).where(audit.c.number == 3))
    ended = lakebed("audit", "verify")
    assert (ended.code, "entry 3: the tail is cut" in ended.err) == (Exit.FAILED_OBJECTS, True)
    named = lakebed("audit", "verify", "--head", str(tmp_path / "none"))
    assert (named.code, "none" in named.err) == (Exit.USAGE, True)


def test_without_a_head_it_is_said_what_is_not_found(
    lakebed: Lakebed, engine: Engine, state: Path
) -> None:
    (state / "audit-heads.jsonl").unlink()
    ended = lakebed("audit", "verify")
    assert (ended.code, "a tail that was cut is not found" in ended.out) == (0, True)


def test_entries_are_listed_and_steer_no_terminal(lakebed: Lakebed, engine: Engine) -> None:
    out = lakebed("audit", "list", "--limit", "1").out
    assert "2023-11-14 22:13:20  key:1  did POST /x  a\\x1b[31mb" in out
    (line,) = lakebed("audit", "list", "--limit", "1", "--json").out.splitlines()
    told = json.loads(line)
    assert (told["number"], told["detail"], told["at"]) == (
        3,
        {"status": 202},
        "2023-11-14T22:13:20+00:00",
    )


def test_the_head_is_what_is_exported(lakebed: Lakebed, engine: Engine, state: Path) -> None:
    assert lakebed("audit", "head", "--json").out == (state / "audit-heads.jsonl").read_text()
    assert lakebed("audit", "head").out.startswith("3  ")


def test_a_log_that_is_not_begun_has_nothing_to_show(lakebed: Lakebed, state: Path) -> None:
    assert lakebed("audit", "list").out == lakebed("audit", "head").out == "no entries\n"
    assert lakebed("audit", "head", "--json").out == ""
