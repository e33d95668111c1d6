"""Commands with an executor that answers what a test says."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx2
import pytest

from lakebed.cli.engine import remote
from lakebed.cli.engine.remote import Remote
from lakebed.cli.options import Network
from lakebed.errors import ExecutorUnreachable, UnknownStore, UsageError
from lakebed.store.cancellation import Cancellation
from tests.api.scripted import Scripted, event, problem, stream
from tests.api.test_connection import ACCEPTED
from tests.cli.conftest import ID, Lakebed

STORE = {
    "store": "lake",
    "endpoint": "https://s3.example",
    "region": "us-east-1",
    "addressing": "path",
    "credentials": "static",
    "digests": "sidecar",
    "default": True,
}
BUCKET = {"bucket": "bronze", "capabilities": {"write": True, "of-tomorrow": True}, "note": "n"}
STORES = httpx2.Response(200, json={"stores": [{**STORE, "buckets": [BUCKET]}]})
PROBED = httpx2.Response(200, json={**BUCKET, "bucket": "new", "note": ""})
SUMMARY = {"event": "summary", "operation_id": ID, "state": "completed", "seconds": 1.0} | dict(
    dict.fromkeys(("listed", "copied", "skipped", "failed", "quarantined", "deleted", "bytes"), 0)
)
Connect = Callable[[Scripted], None]


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Have commands ask a script, whatever the address."""

    def of(script: Scripted) -> None:
        @contextmanager
        def connected(_: str, cancellation: Cancellation, network: Network) -> Iterator[Remote]:
            with asyncio.Runner() as runner:
                yield Remote(script.client(), runner, cancellation, network)

        monkeypatch.setattr(remote, "connected", connected)

    return of


def test_stores_are_those_of_the_executor(lakebed: Lakebed, connect: Connect) -> None:
    connect(Scripted([STORES]))
    shown = lakebed("stores", "--executor", "http://x", "--json").out.splitlines()
    store, bucket = map(json.loads, shown)
    assert store == STORE
    assert (bucket["location"], bucket["write"], bucket["copy"]) == ("lake:bronze", True, False)
    table = lakebed("stores", "--executor", "http://x").out
    assert table.splitlines()[1].split() == [
        "lake",
        "https://s3.example",
        "us-east-1",
        "static",
        "path",
        "sidecar",
    ]
    assert "lake:bronze\n  write           yes\n" in table


def test_what_a_bucket_can_do_is_looked_up_and_else_probed(
    lakebed: Lakebed, connect: Connect
) -> None:
    script = Scripted([STORES, STORES, PROBED])
    connect(script)
    known = lakebed("stores", "lake:bronze", "--executor", "http://x").out
    probed = lakebed("stores", "s3://new", "--executor", "http://x").out
    assert known.startswith("lake:bronze\n  write           yes\n")
    assert probed.startswith("s3://new\n  write           yes\n")
    assert [(one.method, one.url.path) for one in script.requests] == [
        ("GET", "/api/v1/storage/stores"),
        ("GET", "/api/v1/storage/stores"),
        ("POST", "/api/v1/storage/stores/lake/probe"),
    ]


@pytest.mark.parametrize(("place", "error"), [("other:b", UnknownStore), ("./folder/", UsageError)])
def test_what_the_executor_has_not_is_not_probed(
    place: str, error: type[UsageError], lakebed: Lakebed, connect: Connect
) -> None:
    connect(Scripted([STORES, problem(422, UnknownStore.code)]))
    ended = lakebed("stores", place, "--executor", "http://x")
    assert (ended.code, ended.out) == (error.exit_code, "")


def test_an_operation_that_runs_again_has_begun_once(lakebed: Lakebed, connect: Connect) -> None:
    told = [event(1, "queued"), event(2, "started"), event(3, "started")]
    moved = [{"event": "copied", "key": "k", "size": 1, "lane": "whole", "proof": "etag-md5"}]
    told += [event(4, "objects", moved), event(5, "of-tomorrow"), event(5, "summary", SUMMARY)]
    gone = httpx2.Response(404, text="")
    connect(Scripted([httpx2.Response(202, json=ACCEPTED), stream(*told), gone]))
    ended = lakebed("sync", "lake:a/", "lake:b/", "--executor", "http://x", "--json")
    assert [json.loads(line)["event"] for line in ended.out.splitlines()] == ["started", "copied"]


def test_one_that_has_to_wait_says_so(
    lakebed: Lakebed, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "WAIT", 0.0)
    monkeypatch.setattr("lakebed.api.connection.TRIES", 0)
    down = httpx2.ConnectError("refused")
    script = Scripted([httpx2.Response(202, json=ACCEPTED), stream(event(1, "queued")), down])
    connect(script)
    monkeypatch.setattr("lakebed.api.client.Pauses", lambda patience, most: _Never(patience, most))
    ended = lakebed("sync", "lake:a/", "lake:b/", "--executor", "http://x")
    assert ended.code == ExecutorUnreachable.exit_code
    assert f"operation {ID} waits its turn" in ended.err


class _Never:
    """No second try, after a moment."""

    def __init__(self, patience: float, most: int) -> None: ...

    def restart(self) -> None: ...

    async def take(self) -> bool:
        for _ in range(3):  # whatever is due is done
            await asyncio.sleep(0)
        return False


def test_a_limit_of_the_network_is_that_of_the_operation(
    lakebed: Lakebed, connect: Connect
) -> None:
    script = Scripted([httpx2.Response(409, text="")])
    connect(script)
    lakebed("sync", "lake:a/", "lake:b/", "--executor", "http://x", "--bandwidth", "1M")
    assert json.loads(script.requests[0].content)["configuration"]["bandwidth"] == 1024**2
