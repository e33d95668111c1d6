"""What programs read: JSON lines, reports, listings, and the library."""

import asyncio
import json
import os
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import lakebed as library
from lakebed.errors import Exit, UnknownStore
from lakebed.model.operation import OperationState
from tests.e2e.buckets import Bucket, pair, pairs
from tests.e2e.conftest import configure
from tests.e2e.gateway import HOLD, Answer, Asked, Gateway
from tests.e2e.process import PATIENCE, Lakebed
from tests.fixtures_stores import Served

SUMMARY = [
    "event",
    "operation_id",
    "state",
    "listed",
    "copied",
    "skipped",
    "failed",
    "quarantined",
    "deleted",
    "bytes",
    "seconds",
    "lanes",
    "proofs",
]
WITHIN = 5.0


@pytest.fixture
def locations(source: Bucket, destination: Bucket) -> tuple[str, str]:
    return f"here:{source.name}", f"there:{destination.name}"


def test_json_prints_one_event_a_line_and_the_summary_last(
    lakebed: Lakebed, source: Bucket, locations: tuple[str, str]
) -> None:
    content = pair("good.zip", b"good") | pair("币安.zip", b"bad") | {"币安.zip": b"damaged"}
    source.fill(content)

    ended = lakebed("sync", *locations, "--json")

    assert ended.code == Exit.QUARANTINED
    assert ended.events[0]["event"] == "started"
    assert [name for name in ended.summary if name in SUMMARY] == SUMMARY
    assert ended.counts("state", "listed", "copied", "quarantined") == ("quarantined", 4, 2, 2)
    assert ended.counts("bytes") == (len(content["good.zip"] + content["good.zip.CHECKSUM"]),)
    copied = {str(event["key"]): event for event in ended.events if event["event"] == "copied"}
    assert copied.keys() == {"good.zip", "good.zip.CHECKSUM"}
    assert copied["good.zip"]["proof"] == "publisher-sha256"
    refused = [event["key"] for event in ended.events if event["event"] == "quarantined"]
    assert refused == ["币安.zip", "币安.zip.CHECKSUM"]
    assert ended.summary["operation_id"] == ended.events[0]["operation_id"]


def test_a_report_holds_the_summary_and_each_refused_object(
    lakebed: Lakebed, source: Bucket, locations: tuple[str, str]
) -> None:
    source.fill(pair("bad.zip", b"bad") | {"bad.zip": b"damaged", "good": b"good"})

    ended = lakebed("sync", *locations, "--json", "--report", "report.json")

    report = json.loads((lakebed.folder / "report.json").read_text())
    objects = report.pop("objects")
    summary = {name: value for name, value in ended.summary.items() if name != "event"}
    assert {name: report[name] for name in summary} == summary
    assert [(o["key"], o["state"], o["error"]) for o in objects] == [
        ("bad.zip", "quarantined", "digest-refused"),
        ("bad.zip.CHECKSUM", "quarantined", "digest-refused"),
    ]


def test_operations_are_listed_newest_first_and_by_state(
    lakebed: Lakebed, source: Bucket, locations: tuple[str, str]
) -> None:
    source.put("a", b"a")
    done = str(lakebed("sync", *locations, "--json").summary["operation_id"])
    lost = str(
        lakebed("sync", "here:nobody-has-this", locations[1], "--json").summary["operation_id"]
    )

    every = lakebed("operations", "--json").events
    [failed] = lakebed("operations", "--json", "--state", "failed").events

    assert [kept["operation_id"] for kept in every] == [lost, done]
    names = ("operation_id", "source", "destination", "state", "copied")
    assert [every[1][name] for name in names] == [done, *locations, "completed", 1]
    assert all(every[1][name] for name in ("created", "started", "finished"))
    assert (failed["operation_id"], failed["error"]) == (lost, "bucket-missing")
    shown = lakebed("operations", done[:14].lower()).out
    assert done in shown
    assert done in lakebed("operations").out


def test_stores_are_listed_without_their_secrets_and_probed(
    lakebed: Lakebed, served: Served, destination: Bucket, locations: tuple[str, str]
) -> None:
    listed = lakebed("stores", "--json")
    found = {str(line["store"]): line for line in listed.events}
    assert found.keys() >= {"here", "there", "binance"}
    assert found["here"]["endpoint"] == served.endpoint
    probed = lakebed("stores", locations[1], "--json")
    [bucket] = probed.events
    assert bucket["location"] == locations[1]
    assert bucket["write"] is True
    assert destination.keys() == []
    for ended in (listed, probed, lakebed("stores"), lakebed("stores", locations[1])):
        assert ended.code == Exit.COMPLETED
        assert served.secret_key not in ended.out + ended.err


def test_ls_prints_lines_json_and_a_summary(lakebed: Lakebed, source: Bucket) -> None:
    source.fill({"a/one": b"1", "a/two": b"22", "b": b"333"})
    folder = f"here:{source.name}/a/"

    lines = lakebed("ls", folder).out.splitlines()
    objects = lakebed("ls", folder, "--json").events
    summary = lakebed("ls", folder, "--json", "--summary").events

    assert [line.split()[-1] for line in lines] == ["a/one", "a/two"]
    assert [(found["key"], found["size"]) for found in objects] == [("a/one", 1), ("a/two", 2)]
    assert summary == [{"event": "summary", "objects": 2, "bytes": 3}]
    assert lakebed("ls", folder, "--summary").out == "2 objects, 3 B\n"


def test_verify_names_each_difference(
    lakebed: Lakebed, source: Bucket, destination: Bucket, locations: tuple[str, str]
) -> None:
    source.fill(pair("a.zip", b"a") | {"b": b"b", "c": b"c"})
    assert lakebed("sync", *locations).code == Exit.COMPLETED
    assert lakebed("verify", *locations).code == Exit.COMPLETED
    destination.fill({"a.zip": b"x", "b": b"x"})
    destination.store.delete(destination.name, "c")

    ended = lakebed("verify", *locations, "--json")

    assert ended.code == Exit.FAILED_OBJECTS
    failed = {event["key"]: event["error"] for event in ended.events if event["event"] == "failed"}
    assert failed.keys() == {"a.zip", "b", "c"}
    assert failed["a.zip"] == "digest-refused"
    assert destination.keys() == ["a.zip", "a.zip.CHECKSUM", "b"]


def test_an_archive_is_generated_synced_and_verified_on_the_other_engine(
    tmp_path: Path, seaweedfs_store: Served
) -> None:
    configure(tmp_path, seaweedfs_store)
    lakebed = Lakebed(tmp_path)
    generate = ("archive", "generate", "here:smoke-src/", "--pairs", "20", "--corrupt", "1")
    assert lakebed(*generate).code == Exit.COMPLETED
    assert lakebed("archive", "generate", "there:smoke-dst/none/", "--pairs", "1").code == 0

    ended = lakebed("sync", "here:smoke-src", "there:smoke-dst/lake/", "--json")
    again = lakebed("sync", "here:smoke-src", "there:smoke-dst/lake/", "--json")
    verified = lakebed("verify", "here:smoke-src", "there:smoke-dst/lake/", "--json")

    assert ended.code == Exit.QUARANTINED, ended
    assert ended.counts("copied", "failed", "quarantined") == (38, 0, 2)
    assert again.counts("copied", "skipped") == (0, 38)
    assert verified.code == Exit.FAILED_OBJECTS


@pytest.fixture
def _here(lakebed: Lakebed, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process, where the command would be."""
    for name in [name for name in os.environ if name.startswith(("LAKEBED_", "AWS_"))]:
        monkeypatch.delenv(name)
    for name, value in lakebed.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(lakebed.folder)


@pytest.mark.usefixtures("_here")
def test_the_library_does_the_same_and_shares_the_ledger(
    lakebed: Lakebed, source: Bucket, destination: Bucket, locations: tuple[str, str]
) -> None:
    content = pairs(3)
    source.fill(content)

    async def work() -> tuple[library.Summary, library.Summary, list[str], list[str]]:
        planned = [str(one.decision) async for one in library.plan(*locations)]
        report = await library.sync(*locations)
        verified = await library.verify(*locations)
        listed = [found.key async for found in library.ls(locations[1])]
        return report, verified, planned, listed

    report, verified, planned, listed = asyncio.run(work())

    assert planned == ["copy"] * 6
    assert (report.state, report.copied) == (OperationState.COMPLETED, 6)
    assert verified.state is OperationState.COMPLETED
    assert listed == sorted(content)
    assert destination.content() == content
    [newest, first] = lakebed("operations", "--json").events
    assert [first["operation_id"], newest["operation_id"]] == [
        report.operation_id,
        verified.operation_id,
    ]
    with pytest.raises(UnknownStore):
        asyncio.run(library.sync("nowhere:bucket", locations[1]))


@pytest.mark.usefixtures("_here")
def test_a_cancelled_task_stops_the_library_and_leaves_the_operation_resumable(
    lakebed: Lakebed,
    served: Served,
    source: Bucket,
    destination: Bucket,
    locations: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = pairs(3)
    source.fill(content)

    def choose(asked: Asked) -> Answer:
        return HOLD if asked.method == "GET" and not asked.is_listing else None

    async def work(gateway: Gateway) -> float:
        task = asyncio.create_task(library.sync(*locations))
        assert await asyncio.to_thread(gateway.held.wait, PATIENCE)
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - began

    address = urlsplit(served.endpoint)
    with Gateway((str(address.hostname), address.port or 0), choose) as gateway:
        monkeypatch.setenv("LAKEBED_STORES__HERE__ENDPOINT", gateway.endpoint)
        assert asyncio.run(work(gateway)) < WITHIN
        monkeypatch.delenv("LAKEBED_STORES__HERE__ENDPOINT")

    [kept] = lakebed("operations", "--json").events
    assert kept["state"] == "interrupted"
    assert lakebed("resume", str(kept["operation_id"])).code == Exit.COMPLETED
    assert destination.content() == content
