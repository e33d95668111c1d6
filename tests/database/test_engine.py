import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from lakebed.database.engine import open_engine, sqlite_url
from lakebed.database.schema import HEAD, MIGRATIONS
from lakebed.database.tables import metadata
from lakebed.errors import LedgerError


def test_the_migrations_make_the_tables_of_the_metadata(url: str) -> None:
    engine = open_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert set(inspect(connection).get_table_names()) >= set(metadata.tables)
    engine.dispose()


def test_the_head_that_is_looked_for_is_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_many_may_open_a_new_database_at_once(url: str) -> None:
    with ThreadPoolExecutor(6) as threads:
        engines = list(threads.map(open_engine, [url] * 6))
    for engine in engines:
        with engine.connect() as connection:
            versions = connection.execute(text("SELECT version_num FROM alembic_version")).all()
        assert [row.version_num for row in versions] == [HEAD]
        engine.dispose()


def test_two_processes_may_open_a_new_database_at_once(url: str) -> None:
    script = "import sys; from lakebed.database.engine import *; open_engine(sys.argv[1]).dispose()"
    command = [sys.executable, "-c", script, url]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [(p.communicate()[1], p.returncode) for p in processes] == [("", 0), ("", 0)]


def test_an_open_of_a_ledger_that_is_up_to_date_does_not_import_alembic(url: str) -> None:
    open_engine(url).dispose()
    script = (
        "import sys; from lakebed.database.engine import *; open_engine(sys.argv[1]).dispose();"
        "sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script, url], check=False).returncode == 0


def test_a_newer_schema_is_refused(url: str) -> None:
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(LedgerError, match="newer Lakebed"):
        open_engine(url)


def test_the_folder_of_the_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    open_engine(sqlite_url(tmp_path / "state" / "ledger.db")).dispose()
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0


def test_sqlite_is_opened_with_a_log_that_survives_a_kill(tmp_path: Path) -> None:
    engine = open_engine(sqlite_url(tmp_path / "ledger.db"))
    with engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert found == {
        "journal_mode": "wal",
        "synchronous": 1,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }


def test_a_path_may_hold_any_character(tmp_path: Path) -> None:
    path = tmp_path / "数据 100%?#" / "ledger.db"
    open_engine(sqlite_url(path)).dispose()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (HEAD,)
    connection.close()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("://user:sesame@", "is no URL"),
        ("mysql://root:sesame@localhost/ledger", "SQLite or PostgreSQL"),
        ("sqlite://", "in memory"),
        ("sqlite:////proc/nowhere/ledger.db", "folder cannot be made"),
        ("sqlite:////", "cannot be"),
        ("postgresql://lakebed:sesame@127.0.0.1:1/ledger", "cannot be"),
        ("postgres://127.0.0.1:1/ledger?password=sesame", "cannot be"),
        ("postgresql://127.0.0.1:1/ledger?nonsense=sesame", "nonsense"),
    ],
)
def test_what_cannot_be_opened_is_refused_without_its_password(url: str, why: str) -> None:
    with pytest.raises(LedgerError, match=why) as caught:
        open_engine(url)
    assert "sesame" not in str(caught.value)
    assert caught.value.advice


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"certainly not a database" * 100)
    with pytest.raises(LedgerError, match="not a database"):
        open_engine(sqlite_url(tmp_path / "ledger.db"))


def test_a_missing_driver_names_the_extra_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(LedgerError, match=r"lakebed\[postgresql\]") as caught:
        open_engine("postgresql://lakebed:sesame@localhost/ledger")
    assert "sesame" not in str(caught.value)
