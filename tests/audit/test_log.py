"""The chain: whoever takes something out of it, or puts something in, is found."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, delete

from lakebed.audit.entry import BEFORE_ALL, Entry, Fact, mac_of
from lakebed.audit.heads import Head, export, exported
from lakebed.audit.log import PAGE, Log, entries, newest
from lakebed.audit.verify import verify
from lakebed.database.tables import audit
from lakebed.errors import ConfigurationError, LedgerError
from tests.operations.conftest import Clock, clock, engine, pg, server, sqlite, sqlite_template

__all__ = ["clock", "engine", "pg", "server", "sqlite", "sqlite_template"]
KEY = b"k" * 32
FACT = Fact("key:1", "POST /api/v1/sync", "0ABC", '{"status": 202}')
facts = st.builds(Fact, st.text(), st.text(), st.text(), st.just("{}"))
logs = st.lists(facts, min_size=1, max_size=8)


def chain(told: list[Fact], key: bytes = KEY) -> list[Entry]:
    before, made = BEFORE_ALL, list[Entry]()
    for number, fact in enumerate(told, 1):
        at = 1_700_000_000.0 + number
        made.append(Entry(number, at, fact, mac_of(key, before, number, at, fact)))
        before = made[-1].mac
    return made


@given(logs)
def test_a_log_as_it_was_written_is_whole(told: list[Fact]) -> None:
    log = chain(told)
    verdict = verify(KEY, log, [Head.of(entry) for entry in log])
    assert (verdict.wrong, verdict.entries, verdict.last) == ("", len(log), log[-1])


@given(logs, st.data())
def test_a_changed_entry_is_found_at_its_number(told: list[Fact], data: st.DataObject) -> None:
    log = chain(told)
    place = data.draw(st.integers(0, len(log) - 1))
    name = data.draw(st.sampled_from(["actor", "action", "subject", "detail", "at", "mac"]))
    entry = log[place]
    if name == "at":
        log[place] = replace(entry, at=entry.at + 1)
    elif name == "mac":
        log[place] = replace(entry, mac=bytes(32))
    else:
        fact = replace(entry.fact, **{name: getattr(entry.fact, name) + "x"})
        log[place] = replace(entry, fact=fact)
    assert verify(KEY, log).number == place + 1


@given(logs, st.data())
def test_a_removed_entry_is_found_at_its_number(told: list[Fact], data: st.DataObject) -> None:
    log = chain(told)
    place = data.draw(st.integers(0, len(log) - 1))
    head = Head.of(log[-1])
    del log[place]
    assert verify(KEY, log, [head]).number == place + 1


@given(logs, st.data())
def test_entries_that_changed_places_are_found(told: list[Fact], data: st.DataObject) -> None:
    log = chain([*told, FACT])
    first = data.draw(st.integers(0, len(log) - 2))
    second = data.draw(st.integers(first + 1, len(log) - 1))
    one, other = log[first], log[second]
    moved = list(log)
    moved[first], moved[second] = (
        replace(other, number=one.number),
        replace(one, number=other.number),
    )
    assert verify(KEY, moved).number == first + 1
    log[first], log[second] = other, one
    assert verify(KEY, log).number == first + 1


@given(logs, facts, st.data())
def test_an_entry_that_was_put_in_is_found(
    told: list[Fact], fact: Fact, data: st.DataObject
) -> None:
    log = chain(told)
    place = data.draw(st.integers(0, len(log)))
    before = log[place - 1].mac if place else BEFORE_ALL
    made = mac_of(b"guessed" * 5, before, place + 1, 0.0, fact)
    later = [replace(entry, number=entry.number + 1) for entry in log[place:]]
    verdict = verify(KEY, [*log[:place], Entry(place + 1, 0.0, fact, made), *later])
    assert verdict.number == place + 1


@given(logs, st.data())
def test_a_tail_that_was_cut_is_found_by_a_head(told: list[Fact], data: st.DataObject) -> None:
    log = chain(told)
    kept = data.draw(st.integers(0, len(log) - 1))
    assert verify(KEY, log[:kept]).wrong == ""
    assert verify(KEY, log[:kept], [Head.of(log[-1])]).number == kept + 1


def test_a_log_that_was_written_anew_with_its_own_key_is_found_by_a_head() -> None:
    log, other = chain([FACT, FACT]), chain([FACT, replace(FACT, actor="key:2")])
    verdict = verify(KEY, other, [Head.of(log[1])])
    assert (verdict.number, verdict.wrong) == (2, "it is not the entry that was exported")


def test_an_entry_before_the_first_was_put_in() -> None:
    log = chain([FACT])
    verdict = verify(KEY, [replace(log[0], number=0), *log])
    assert (verdict.number, verdict.wrong) == (1, "there is an entry 0 that was put in")


def test_what_is_appended_is_read_back_whole(engine: Engine, clock: Clock) -> None:
    log = Log.open(engine, KEY, clock)
    odd = Fact("a\0b\ud800", "POST /x", "<script>\n", '{"status": 403}')
    last = log.append([FACT] * PAGE + [odd])
    assert last.number == PAGE + 2
    assert verify(KEY, entries(engine), [Head.of(last)]).last == last
    assert [entry.number for entry in newest(engine, 2)] == [PAGE + 1, PAGE + 2]
    assert log.last() == last


def test_replicas_that_append_at_once_make_one_chain(engine: Engine) -> None:
    replicas = [Log.open(engine, KEY) for _ in range(4)]

    def append(log: Log) -> None:
        for _ in range(10):
            log.append([FACT, FACT])

    threads = [threading.Thread(target=append, args=(log,)) for log in replicas]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    verdict = verify(KEY, entries(engine))
    assert (verdict.wrong, verdict.entries) == ("", 81)


def test_another_key_is_refused_at_start(engine: Engine) -> None:
    Log.open(engine, KEY)
    with pytest.raises(ConfigurationError, match="begun with another key"):
        Log.open(engine, b"another" * 5)


def test_nothing_is_appended_to_a_log_that_is_gone(engine: Engine) -> None:
    log = Log.open(engine, KEY)
    with engine.begin() as connection:
        connection.execute(delete(audit))
    with pytest.raises(LedgerError, match="the audit log is gone"):
        log.append([FACT])
    assert log.last() is None


def test_heads_are_lines_that_are_only_added_to(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere" / "heads.jsonl"
    assert list(exported(path)) == []
    heads = [Head.of(entry) for entry in chain([FACT, FACT])]
    for head in heads:
        export(path, head)
    assert list(exported(path)) == heads
    assert path.stat().st_mode & 0o077 == 0


def test_a_line_that_is_no_head_is_named(tmp_path: Path) -> None:
    path = tmp_path / "heads.jsonl"
    export(path, Head(1, 2.0, "ab"))
    path.write_text(path.read_text() + "{}\n")
    with pytest.raises(ConfigurationError, match=r"line 2: not a head"):
        list(exported(path))
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="heads cannot be read"):
        list(exported(path))


def test_a_head_that_cannot_be_exported_says_why(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be exported"):
        export(tmp_path, Head(1, 2.0, "ab"))
