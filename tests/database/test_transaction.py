import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from lakebed.database import engine as opening
from lakebed.database.engine import open_engine, sqlite_url
from lakebed.database.text import storable
from lakebed.database.transaction import reading, writing
from lakebed.errors import LedgerError
from tests.database import postgresql


def fail(engine: Engine, statement: str, error: Exception | None = None) -> None:
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM alembic_version"))
        connection.execute(text(statement))
        raise error or AssertionError("the statement passed")


def test_a_failed_write_leaves_nothing_and_says_so_in_our_own_error(url: str) -> None:
    engine = open_engine(url)
    with pytest.raises(LedgerError, match="cannot be written"):
        fail(engine, "INSERT INTO alembic_version (version_num) VALUES (NULL)")
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    engine.dispose()


def test_another_error_inside_a_write_passes_as_it_is_and_leaves_nothing(url: str) -> None:
    engine = open_engine(url)
    with pytest.raises(ValueError, match="mine"):
        fail(engine, "SELECT 1", ValueError("mine"))
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    engine.dispose()


def test_threads_of_one_process_write_to_sqlite_one_after_the_other(tmp_path: Path) -> None:
    engine = open_engine(sqlite_url(tmp_path / "ledger.db"))
    inside, entered = threading.Event(), threading.Event()

    def write() -> None:
        inside.set()
        with writing(engine):
            entered.set()

    with writing(engine):
        thread = threading.Thread(target=write)
        thread.start()
        inside.wait()
        assert not entered.is_set()
    thread.join()
    assert entered.is_set()
    engine.dispose()


def test_a_reader_does_not_wait_for_a_writer(url: str) -> None:
    engine = open_engine(url)
    with writing(engine) as writer, reading(engine) as reader:
        writer.execute(text("UPDATE alembic_version SET version_num = 'x'"))
        assert reader.scalar(text("SELECT version_num FROM alembic_version")) != "x"
    engine.dispose()


def test_text_that_no_database_would_take_is_spelled_out() -> None:
    assert storable("a\0b\ud800 数据") == "a\\x00b\\ud800 数据"


def test_a_process_that_stops_within_a_transaction_loses_its_locks(
    server: postgresql.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "IDLE_MS", 100)
    engine = open_engine(server.url(server.new_database()))
    change = text("UPDATE alembic_version SET version_num = version_num || 'x'")

    def stop_within_a_transaction() -> None:
        with writing(engine) as stopped:
            stopped.execute(change)
            with writing(engine) as other:  # waits until the server takes the lock away
                other.execute(change)
            stopped.execute(change)

    with pytest.raises(LedgerError, match="idle-in-transaction"):
        stop_within_a_transaction()
    with reading(engine) as connection:
        version = str(connection.scalar(text("SELECT version_num FROM alembic_version")))
    assert version.endswith("x")
    assert not version.endswith("xx")
    engine.dispose()
