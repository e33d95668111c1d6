"""store serve and archive generate, on a store that only seems to be there."""

import json
import os
import signal
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from lakebed.settings import StoreSettings
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import Store
from lakebed.store.memory import MemoryStore

from .conftest import Lakebed


class Served:
    """An embedded store that is told what to do while it is waited for."""

    endpoint, access_key, secret_key, engine = "http://127.0.0.1:1", "key", "hush", "minio"
    ends_by_itself = False
    asked: tuple[Path, str, str | None]

    def __init__(self, directory: Path, address: str, engine: str | None) -> None:
        Served.asked = (directory, address, engine)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def configuration(self, name: str) -> str:
        return f"[stores.{name}]\n"

    def wait(self, timeout: float) -> int | None:
        if self.ends_by_itself:
            return 1
        os.kill(os.getpid(), signal.SIGTERM)
        return None


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    store = MemoryStore("memory")

    def open_memory(settings: StoreSettings, cancellation: Cancellation) -> Store:
        return store

    monkeypatch.setattr("lakebed.store.build.open_store", open_memory)
    monkeypatch.setattr("lakebed.local.embedded.EmbeddedStore", Served)
    return store


def test_a_served_store_says_how_to_reach_it_and_ends_well(
    lakebed: Lakebed, memory: MemoryStore
) -> None:
    ended = lakebed("store", "serve", "dir", "--bucket", "one", "--bucket", "two", "--name", "n")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("serving dir at http://127.0.0.1:1 (minio); Ctrl-C ends it\n")
    assert ended.out.endswith("[stores.n]\n\n")
    assert memory.buckets() == ["one", "two"]
    assert Served.asked == (Path("dir"), "127.0.0.1:9000", None)


def test_a_served_store_tells_a_program_where_it_is(
    lakebed: Lakebed, memory: MemoryStore, tmp_path: Path
) -> None:
    ended = lakebed("store", "serve", "dir", "--json", "--address", "127.0.0.1:0")
    assert json.loads(ended.out) == {
        "event": "serving",
        "endpoint": "http://127.0.0.1:1",
        "engine": "minio",
        "directory": str(tmp_path / "dir"),
    }


def test_a_server_that_ends_by_itself_is_an_error(
    lakebed: Lakebed, memory: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Served, "ends_by_itself", True)
    ended = lakebed("store", "serve", "dir")
    assert (ended.code, ended.err) == (5, "lakebed: dir: the server ended by itself\n")


def test_an_archive_is_generated_the_same_each_time(lakebed: Lakebed, memory: MemoryStore) -> None:
    line = "archive generate aws:b/x/ --pairs 3 --seed 4 --symbol BTCUSDT --corrupt 1"
    assert lakebed(*line.split()).out.startswith("Generated 3 pairs, 6 objects, ")
    before = memory.list_page("b").objects
    assert len(before) == 6
    assert lakebed(*line.split(), "-q").out == ""
    assert [one.etag for one in memory.list_page("b").objects] == [one.etag for one in before]


def test_an_archive_can_be_bounded_by_size(lakebed: Lakebed, memory: MemoryStore) -> None:
    line = "archive generate --json aws:b/ --size 1KiB --large 10KiB"
    made = json.loads(lakebed(*line.split()).out)
    assert (made["event"], made["pairs"], made["objects"]) == ("summary", 1, 2)


def test_an_archive_without_bounds_is_of_a_day(
    lakebed: Lakebed, memory: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lakebed.cli.commands.archive.NOTE_SECONDS", 0.0)
    ended = lakebed("archive", "generate", "aws:b/")
    assert ended.code == 0
    assert ended.err.startswith("Generated ")
    assert "2025-01-01" in memory.list_page("b").objects[0].key


def test_an_archive_needs_a_folder(lakebed: Lakebed, memory: MemoryStore) -> None:
    ended = lakebed("archive", "generate", "aws:b/key")
    assert (ended.code, ended.err) == (2, "lakebed: aws:b/key: not a folder (end it with /)\n")
